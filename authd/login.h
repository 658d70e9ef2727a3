/*
 * login - who logs in, and the tickets that say so.
 *
 * An unknown user costs one hash computation, as a wrong password does, and
 * gets the same answer.  Between the question to a worker and its answer the
 * account may change: what counts is what is stored at the end.
 */
#ifndef AUTHD_LOGIN_H
#define AUTHD_LOGIN_H

#include "authd/authd.h"

/* -1 when the peer may not ask that. */
int	login_begin(struct authd *, struct chan *, const struct msg_login *);
/* The channel has gone: nobody waits for the answers. */
void	login_forget(struct authd *, const struct chan *);
void	login_free_all(struct authd *);

#endif
