/*
 * collect - gathers one IMAP command from the bytes of a connection: its
 * lines, and its literals where they stand.
 *
 * It stops behind each thing that wants a decision, takes nothing more until
 * that was made, and says how much it took.  Lines end in CRLF and nothing
 * else.  Pure.
 */
#ifndef IMAPD_COLLECT_H
#define IMAPD_COLLECT_H

#include "common/core/buf.h"
#include "imapd/parse.h"

enum {
	COLLECT_LINES_MAX = 64 * 1024,		/* bytes of lines: BYE */
	COLLECT_LITERAL_MAX = 1024 * 1024,	/* octets: BAD [TOOBIG] */
	COLLECT_LITERALS_MAX = 1000		/* of a command: the same */
};

enum collect_event {
	COLLECT_MORE,		/* nothing yet */
	COLLECT_COMMAND,	/* collect_command, then collect_next */
	COLLECT_LITERAL,	/* `literal` is announced: say what to do */
	COLLECT_TOO_LONG	/* the end of this connection */
};

struct collect {
	struct buf		text;
	struct literal		literal;	/* the last one announced */
	uint64_t		left;		/* of it, to come */
	size_t			line;		/* where the line begins */
	size_t			line_bytes;	/* of all lines */
	size_t			literal_bytes;
	unsigned		literals;
	enum collect_event	event;
	bool			dropping;
};

void	collect_init(struct collect *);
void	collect_clear(struct collect *);

/* How much was taken; the event is in ->event. */
size_t	collect_feed(struct collect *, struct str);

/* Without its last CRLF; the caller may change the bytes. */
struct parse collect_command(const struct collect *);

/* Answers to COLLECT_LITERAL.  Takes it in: -1 when over a limit. */
int	collect_accept(struct collect *);
/*
 * Drops it, and from here on keeps nothing of this command but enough to see
 * where it ends; the literals that it still announces are events again.
 */
void	collect_drop(struct collect *);
/* The caller has taken all of it; the command goes on in a fresh text. */
void	collect_taken(struct collect *);
void	collect_next(struct collect *);

#endif
