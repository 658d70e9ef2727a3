/*
 * smtp - the server's side of SMTP as a pure engine: bytes in, events and
 * replies out.  RFC 5321, 1870, 2034, 2920, 4954, 6152.
 *
 *	smtp_feed(&s, bytes);			borrowed until smtp_taken
 *	while (smtp_next(&s, &ev))
 *		act on ev; now or later smtp_answer(&s, ev.id, verdict);
 *	drop smtp_taken(&s) bytes of the input; send and drop s.out
 *
 * What was not taken (half a line, what waits for an answer) is fed again,
 * with more behind it, after the next read, answer or write.
 *
 * Up to `questions` RCPT events may be open at once; they may be answered in
 * any order and the replies still leave in the order of the commands.  Each
 * other question holds the session until it is answered.  After 354, DATA
 * events carry the content without its dots; a caller that cannot take more
 * stops calling smtp_next.
 *
 * Input is bounded by what the engine takes: a command line over its limit is
 * refused and skipped, and nothing is taken while more than SMTP_UNSENT_MAX
 * bytes of replies are unsent.  There is no clock here: the caller asks
 * smtp_waits, measures, and says smtp_end.
 */
#ifndef SMTPD_SMTP_H
#define SMTPD_SMTP_H

#include "smtpd/smtp_auth.h"
#include "smtpd/smtp_cmd.h"
#include "smtpd/smtp_data.h"

enum {
	SMTP_UNSENT_MAX = 64 * 1024,
	SMTP_SLOTS = 128,		/* replies that wait for their turn */
	SMTP_QUESTIONS_MAX = 100	/* at most, whatever the limit says */
};

enum smtp_kind {
	SMTP_MX,
	SMTP_SUBMISSION		/* no MAIL before AUTH */
};

struct smtp_limits {
	size_t			command;	/* bytes of a line and CRLF */
	size_t			command_close;	/* of one that ends it all */
	struct smtp_data_limits	data;
	unsigned		rcpts;		/* per message */
	unsigned		questions;	/* open at once */
	unsigned		errors;		/* 5xx replies per session */
	unsigned		hops;		/* Received fields */
	/* Kept by the caller, who has a clock and counts sessions. */
	unsigned		command_ms;	/* for one command */
	unsigned		data_rate;	/* bytes per second... */
	unsigned		data_ms;	/* ...over this time */
	unsigned		sessions;
	unsigned		sessions_addr;	/* per address */
};

extern const struct smtp_limits smtp_limits_default;

/* Borrowed by the sessions, never changed while there is one. */
struct smtp_config {
	enum smtp_kind		kind;
	bool			auth;		/* offered; submission only */
	struct str		hostname;
	struct smtp_limits	limits;
};

enum smtp_event_kind {
	SMTP_EV_NONE,
	SMTP_EV_MAIL,	/* may this sender?  mail */
	SMTP_EV_RCPT,	/* may this recipient?  rcpt */
	SMTP_EV_DATA,	/* may the content come?  Then 354 */
	SMTP_EV_BYTES,	/* content; no question */
	SMTP_EV_END,	/* take it?  size, hops; smtp_answer_queued */
	SMTP_EV_ABORT,	/* forget the transaction; why; no question */
	SMTP_EV_REFUSED, /* the content ended, was refused; why; no question */
	SMTP_EV_AUTH,	/* are these right?  auth */
	SMTP_EV_CLOSE	/* send what is in out, close; why; the last */
};

struct smtp_event {
	enum smtp_event_kind	kind;
	uint32_t		id;	/* 0: no question */
	struct smtp_mail	mail;
	struct addr		rcpt;
	struct str		bytes;	/* borrowed from the input */
	uint64_t		size;	/* of the content */
	unsigned		hops;
	/*
	 * BYTES, END: the content is all body.  An empty line belongs before
	 * its first byte; known while at most SMTP_OPENING_MAX have passed.
	 */
	bool			headless;
	/* Borrowed until the answer, wiped then. */
	const struct smtp_auth	*auth;
	/*
	 * ABORT: the reply that ended it; SMTP_OK for RSET and the like;
	 * SMTP_NONE when content broke a limit, so that the caller can free
	 * it early: REFUSED follows at its end, unless the session ends first.
	 */
	enum smtp_reply		why;
};

enum smtp_state {
	SMTP_ST_GREET,	/* nobody has said EHLO */
	SMTP_ST_READY,
	SMTP_ST_MAIL,	/* a sender, no recipient yet */
	SMTP_ST_RCPT,
	SMTP_ST_DATA,
	SMTP_ST_AUTH,	/* a line of the exchange is due */
	SMTP_ST_CLOSED
};
enum { SMTP_STATE_COUNT = SMTP_ST_CLOSED + 1 };

/*
 * For whom the session waits, which says what deadline runs.  Reading on
 * while it waits for answers is right as far as the caller's input has room:
 * more recipients may come; while it waits for the client to read, it is not.
 */
enum smtp_waits {
	SMTP_WAITS_COMMAND,	/* the client: a line */
	SMTP_WAITS_DATA,	/* the client: content */
	SMTP_WAITS_ANSWER,	/* the caller: no deadline for the client */
	SMTP_WAITS_OUTPUT,	/* the client: to read what was sent */
	SMTP_WAITS_NOTHING	/* closed */
};

struct smtp_slot {
	uint8_t		asks;		/* enum smtp_event_kind, or NONE */
	uint8_t		reply;		/* enum smtp_reply; NONE: not yet */
};

struct smtp {
	struct buf		out;	/* the caller sends and drops */
	enum smtp_state		state;	/* read only */
	bool			esmtp;	/* EHLO, not HELO; read only */
	bool			authed;	/* read only */
	unsigned		rcpts;	/* accepted; read only */
	unsigned		errors;
	/* Private. */
	const struct smtp_config *conf;
	struct str		in;
	size_t			taken;
	size_t			skipped;	/* of a line being skipped */
	bool			skipping;
	bool			spoken;		/* a first command came */
	bool			holds;		/* a question holds it all */
	bool			open;		/* the caller has a sender */
	bool			aborted;	/* and is to forget it */
	bool			closed;		/* CLOSE was given */
	enum smtp_reply		why;
	enum smtp_reply		refused;	/* to be told, or NONE */
	uint8_t			helo_n;
	char			helo[ADDR_DOMAIN_MAX];
	struct smtp_auth	auth;
	struct smtp_data	data;
	uint64_t		qid;
	uint32_t		first;	/* id of the oldest slot */
	unsigned		slots;
	unsigned		asked;	/* RCPT questions open */
	struct smtp_slot	slot[SMTP_SLOTS];
};

/* Then smtp_greet at once, or smtp_end for whom there is no place. */
void		smtp_init(struct smtp *, const struct smtp_config *);
void		smtp_greet(struct smtp *);	/* the banner is in out */
void		smtp_clear(struct smtp *);	/* frees, wipes */

void		smtp_feed(struct smtp *, struct str);
bool		smtp_next(struct smtp *, struct smtp_event *);
size_t		smtp_taken(struct smtp *);
enum smtp_waits	smtp_waits(const struct smtp *);

/*
 * The verdict is SMTP_OK or a reply of 400 or more; a 421 or 521 closes.  -1
 * if nobody waits for this answer any more, which happens when the session
 * ended meanwhile.  END is answered with smtp_answer_queued when it is
 * durable, else by smtp_answer.
 */
int		smtp_answer(struct smtp *, uint32_t id, enum smtp_reply);
int		smtp_answer_queued(struct smtp *, uint32_t id, uint64_t qid);

/*
 * Ends the session with that reply, whatever was being done; what waited for
 * its turn is not answered any more.  smtp_next then gives ABORT, if there is
 * something to forget, and CLOSE.  smtp_hangup: the client is gone.
 */
void		smtp_end(struct smtp *, enum smtp_reply);
void		smtp_timeout(struct smtp *);
void		smtp_hangup(struct smtp *);

/* What the client called itself; borrowed, until the next EHLO. */
struct str	smtp_helo(const struct smtp *);

#endif
