/*
 * quota - quotas between authd and the monitor of mailboxd: usage comes in,
 * limits go out, and again when an operator changes them.
 */
#ifndef AUTHD_QUOTA_H
#define AUTHD_QUOTA_H

#include "authd/authd.h"

/* A monitor has come; false when there are enough already. */
bool	quota_meet(struct authd *, struct chan *);
void	quota_forget(struct authd *, const struct chan *);
/* 0; -1 when nobody could mean that. */
int	quota_report(struct authd *, struct chan *, const struct msg_usage *);
/* The account has another quota now. */
void	quota_push(struct authd *, const struct dir_account *);

#endif
