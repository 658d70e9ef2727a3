/*
 * front_int - between front.c, which has the sessions and talks to authd, and
 * carry.c, which is one session: client, login engine, owner.
 */
#ifndef NET_FRONT_INT_H
#define NET_FRONT_INT_H

#include <sys/queue.h>

#include "common/ipc/chan.h"
#include "common/ipc/frame.h"
#include "common/net/front.h"
#include "common/net/stream.h"

enum carry_state {
	CARRY_LOGIN,		/* the engine talks to the client */
	CARRY_ASKED,		/* authd has the question, or will get it */
	CARRY_HELLO,		/* mailboxd has, or will */
	CARRY_RELAY,
	CARRY_CLOSED		/* freed at the end of the turn */
};

struct carry {
	TAILQ_ENTRY(carry)	 next;
	const struct front_conf	*conf;
	uint64_t		 sid, id;
	char			 address[65];
	enum carry_state	 state;
	struct stream		*client, *owner;	/* owner may be NULL */
	struct login		*login;			/* NULL after it */
	struct buf		 ticket;
	char			 user[LOGIN_USER_MAX + 1];
	struct loop_timer	*deadline, *retry;
	unsigned		 tries;			/* of HELLO */
	bool			 client_eof;
	bool			 close_sent;		/* to the owner */
	uint64_t		 bytes_in, bytes_out;
};

/* Takes the descriptor over; greets. */
struct carry	*carry_new(const struct front_conf *, uint64_t id, int fd,
		    struct str address);
void		 carry_free(struct carry *);
/* authd's answer; only in CARRY_ASKED. */
void		 carry_answer(struct carry *, const struct msg_logged_in *);
/* The front goes down. */
void		 carry_stop(struct carry *);

/* front.c, for carry.c: the engine has a question. */
void		 front_ask(struct carry *);

#endif
