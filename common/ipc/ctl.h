/*
 * ctl - the server's side of a control socket: who may use it, which verbs of
 * ctl.def this daemon has, and the rows and the end of an answer.
 *
 *	static const struct ctl_handler verbs[] = {
 *		{ CTL_QUEUE_LIST, on_queue_list },
 *	};
 *
 *	on_accept:	if (!ctl_allowed(chan_uid(c))) return -1;
 *	on_msg:		ctl_dispatch(c, &m->ctl, "queued", verbs, n, arg);
 *
 * Every call gets exactly one ctl_done.  A handler that must wait keeps a
 * copy of the call (the words are borrowed for the handler only) and answers
 * later, if the channel still lives: that is the handler's to know.
 */
#ifndef IPC_CTL_H
#define IPC_CTL_H

#include <sys/types.h>

#include "common/core/buf.h"
#include "common/ipc/chan.h"

enum {
	CTL_WORDS_MAX = 64,
	CTL_WORD_MAX = 1024,		/* bytes of one */
	CTL_COLUMN_MAX = 2048,		/* bytes of a value; longer is cut */
	CTL_ROWS_TURN = 100		/* rows of a list before its cursor */
};

/* What mailctl sends behind the operator's arguments. */
enum ctl_extra {
	CTL_EXTRA_NONE,
	CTL_EXTRA_CURSOR,		/* verbs that end in "list", "scrub" */
	CTL_EXTRA_PASSWORD		/* read by mailctl, never an argument */
};

struct ctl_info {
	enum ctl_verb	 verb;
	const char	*words;		/* "user add" */
	const char	*daemon;
	unsigned	 least, most;	/* arguments, without the extra */
	const char	*args;		/* for the usage text */
	enum ctl_extra	 extra;
};

/* A row of ctl.def by its number, or by index from 0; NULL at the end. */
const struct ctl_info	*ctl_info(unsigned verb);
const struct ctl_info	*ctl_info_at(size_t i);

struct ctl_call {
	struct chan	*chan;
	uint64_t	 id;
	enum ctl_verb	 verb;
	struct str	 word[CTL_WORDS_MAX];	/* the extra is the last */
	unsigned	 n;
};

struct ctl_handler {
	enum ctl_verb	 verb;
	void		 (*fn)(struct ctl_call *, void *arg);
};

/*
 * Whether a process of that uid may use the control socket: root, the uid
 * that we run under, and those of the setting operators.
 */
bool	ctl_allowed(uid_t);
/* Root, or one of the setting operators. */
bool	ctl_is_operator(uid_t);

/*
 * Checks verb and number of words and calls the handler.  A verb that is not
 * this daemon's or a wrong number of words is answered CTL_USAGE.
 */
void	ctl_dispatch(struct chan *, const struct msg_ctl *, const char *daemon,
	    const struct ctl_handler *, size_t n, void *arg);

/* A row under construction: at most 32 columns. */
struct ctl_row {
	struct buf	b;
	uint32_t	n;
};

void	ctl_row_init(struct ctl_row *);
void	ctl_text(struct ctl_row *, const char *key, struct str);
/* Values with a newline between them. */
void	ctl_list(struct ctl_row *, const char *key, struct str);
void	ctl_num(struct ctl_row *, const char *key, uint64_t);
/* Sends it and makes it empty, ready for the next or to be forgotten. */
void	ctl_row_send(struct ctl_row *, const struct ctl_call *);

void	ctl_done(const struct ctl_call *, enum ctl_status, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));
/* A list that goes on behind the cursor (at most 512 bytes). */
void	ctl_done_next(const struct ctl_call *, struct str next);
/* The same of something that takes long, with how far it is. */
void	ctl_done_more(const struct ctl_call *, struct str next,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
