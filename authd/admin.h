/*
 * admin - mailctl's commands about domains, users, aliases, tenants and quotas
 * (ctl.def).  An answer may come later; until then the call is kept here.
 */
#ifndef AUTHD_ADMIN_H
#define AUTHD_ADMIN_H

#include "authd/authd.h"
#include "common/ipc/ctl.h"

void	admin_call(struct authd *, struct chan *, const struct msg_ctl *);
/* The channel has gone: what it began is done all the same. */
void	admin_forget(struct authd *, const struct chan *);
void	admin_free_all(struct authd *);

/* The end of an answer about `what`: "user", "alias", "domain", "tenant". */
void	admin_answer(const struct ctl_call *, enum dir_result,
	    const char *what, struct str name);

/* admin_quota.c: what an account may hold and holds, as columns. */
void	admin_quota_columns(struct ctl_row *, struct authd *,
	    const struct dir_account *);
void	admin_user_quota(struct ctl_call *, void *authd);
void	admin_tenant_show(struct ctl_call *, void *authd);
void	admin_tenant_quota(struct ctl_call *, void *authd);
void	admin_tenant_list(struct ctl_call *, void *authd);

#endif
