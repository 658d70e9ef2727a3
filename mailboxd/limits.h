/*
 * limits - the monitor between owners and authd: usage goes one way, limits
 * the other.
 *
 * Of each owner the last usage is kept, and one report at a time is with
 * authd.  When authd was away, everything is reported again.
 *
 * An owner that is new gets its work after its limit, so that the first
 * message to a full mailbox is refused as the second is; but it does not wait
 * longer than about LIMITS_WAIT_MS, and not at all when authd is away: then
 * there is no limit for the time being.
 */
#ifndef MAILBOXD_LIMITS_H
#define MAILBOXD_LIMITS_H

#include "common/ipc/chan.h"
#include "mailboxd/owners.h"

enum { LIMITS_WAIT_MS = 250 };

/* `go` is told of an owner that limits_hold held back. */
void	limits_init(struct owners *, void (*go)(struct owner *));
/* authd is there, or (NULL) is away. */
void	limits_link(struct chan *authd);

/* 0; -1 when the owner may not say that. */
int	limits_used(struct owner *, const struct msg_owner_usage *);
/* It is ready: whether it is to get no work yet. */
bool	limits_hold(struct owner *);
/* Its process is gone. */
void	limits_forget(struct owner *);
/* authd says what a mailbox may hold. */
void	limits_told(const struct msg_quota *);

#endif
