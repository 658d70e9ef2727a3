/*
 * session_int - what session.c, question.c and message.c share.
 */
#ifndef SMTPD_SESSION_INT_H
#define SMTPD_SESSION_INT_H

#include <sys/queue.h>

#include "common/core/loop.h"
#include "common/net/stream.h"
#include "smtpd/pool.h"
#include "smtpd/session.h"

struct rcpt {
	uint32_t	id;		/* of the question; 0: accepted */
	struct str	text;		/* ours */
};

struct session {
	LIST_ENTRY(session)	 all;
	LIST_ENTRY(session)	 dead;
	struct smtp		 smtp;
	struct stream		*stream;	/* NULL: closed */
	struct loop_timer	*timer;
	uint64_t		 sid;
	struct str		 address;	/* ours */
	enum smtp_kind		 kind;
	unsigned		 holds;		/* questions that name us */
	bool			 running, is_dead;
	bool			 eof;		/* nothing more comes in */

	/* Deadlines. */
	enum smtp_waits		 waits;
	uint64_t		 window_bytes;	/* since the timer was set */

	/* Who logged in. */
	uint64_t		 account;	/* 0: nobody */
	struct buf		 ticket;

	/* The message under way. */
	struct addr		 sender;
	bool			 eight;
	uint64_t		 announced;	/* SIZE=, or 0 */
	struct rcpt		*rcpts;
	unsigned		 nrcpts;
	uint32_t		 targets;	/* that they lead to */
	uint32_t		 wait_id;	/* DATA waits for pool; or 0 */
	uint32_t		 end_id;	/* END waits for queued; or 0 */
	struct submission	*sub;
	bool			 told;		/* queued knows of it */
	enum smtp_reply		 refusal;	/* queued's, before the end */
	struct buf		 chunk;		/* to be sent */
	size_t			 trace_n;	/* where the content begins */
	bool			 headless;
	uint64_t		 sent;		/* bytes */
	unsigned		 accepted;	/* messages */
	unsigned		 refused;	/* recipients */
};

/* Lets the engine go on, until it waits; may end the session. */
void		session_run(struct session *);
/* Does what the engine asks for in an event. */
void		session_act(struct session *, const struct smtp_event *);
/* May the content come?  Waits for queued as long as it is away. */
void		session_data(struct session *, uint32_t id);

/* The address as it travels; `out` holds it. */
struct str	rcpt_text(const struct addr *, char out[ADDR_TEXT_MAX + 1]);

void		message_sender(struct session *, const struct smtp_mail *);
void		message_rcpt_add(struct session *, uint32_t id, struct str);
/* What is to be told: one who is ours may lead to too many. */
enum smtp_reply	message_rcpt_answered(struct session *, uint32_t id,
		    enum smtp_reply, uint32_t targets);
/* False: queued cannot take it just now, try again. */
bool		message_begin(struct session *);
void		message_bytes(struct session *, struct str);
/* The content, of which little has come, is all body. */
void		message_headless(struct session *);
void		message_end(struct session *);
/* What is told of queued's verdict, unless it is OK. */
enum smtp_reply	message_refusal(unsigned verdict);
/* Forgets it, here and, as far as possible, in queued. */
void		message_clear(struct session *);

#endif
