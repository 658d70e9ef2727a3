/*
 * session - a client of this mailbox: the stream to its front, in frames, and
 * the engine of its protocol.
 *
 * What an engine says stays with it until session_send, which the owner calls
 * only when everything done so far is durable.
 */
#ifndef MAILBOXD_SESSION_H
#define MAILBOXD_SESSION_H

#include <sys/queue.h>

#include "common/ipc/msg.h"
#include "common/mail/store.h"

struct session;
TAILQ_HEAD(sessions, session);

/*
 * Takes the descriptor over; NULL when there is no session to be had, of
 * which the front is told.  The store is borrowed.
 */
struct session	*session_new(const struct store *, int fd,
		    const struct msg_owner_session *);
void		 session_free(struct session *);

/* Sends what there is; only when all that was done so far is durable. */
void		 session_send(struct session *);
/*
 * Goes on with what was left, and says what others have changed.  True if
 * there is something to send in another turn.
 */
bool		 session_work(struct session *);
/* The last was sent; to be freed. */
bool		 session_is_over(const struct session *);

/* owner.c keeps them in a list. */
struct session	*session_next(const struct session *);
void		 session_link(struct sessions *, struct session *);
void		 session_unlink(struct sessions *, struct session *);

#endif
