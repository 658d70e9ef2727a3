/*
 * conn - a client of this mailbox: the stream to its front, in frames, and
 * the engine of its protocol.
 *
 * What an engine says stays with it until conn_send, which the owner calls
 * only when everything done so far is durable.
 */
#ifndef MAILBOXD_CONN_H
#define MAILBOXD_CONN_H

#include <sys/queue.h>

#include "common/ipc/msg.h"
#include "common/mail/store.h"

struct conn;
TAILQ_HEAD(conns, conn);

/*
 * Takes the descriptor over; NULL when there is no session to be had, of
 * which the front is told.  The store is borrowed.
 */
struct conn	*conn_new(const struct store *, int fd,
		    const struct msg_owner_session *);
void		 conn_free(struct conn *);

/* Sends what there is; only when all that was done so far is durable. */
void		 conn_send(struct conn *);
/*
 * Goes on with what was left, and says what others have changed.  True if
 * there is something to send in another turn.
 */
bool		 conn_work(struct conn *);
bool		 conn_is_pop3(const struct conn *);
/* The last was sent; to be freed. */
bool		 conn_is_over(const struct conn *);

/* owner.c keeps them in a list. */
struct conn	*conn_next(const struct conn *);
void		 conn_link(struct conns *, struct conn *);
void		 conn_unlink(struct conns *, struct conn *);

#endif
