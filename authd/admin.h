/*
 * admin - mailctl's commands about domains, users and aliases (ctl.def).
 */
#ifndef AUTHD_ADMIN_H
#define AUTHD_ADMIN_H

#include "authd/authd.h"

void	admin_call(struct authd *, struct chan *, const struct msg_ctl *);
/* The channel has gone: what it began is done all the same. */
void	admin_forget(struct authd *, const struct chan *);
void	admin_free_all(struct authd *);

#endif
