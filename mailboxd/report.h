/*
 * report - the owner tells the monitor what its mailbox holds, and is told
 * what it may hold.
 *
 * It says so when it starts, when a change is news (quota.h), ten seconds
 * after any other change, and before it asks to go.  Nothing runs while
 * nothing has changed.  Until it has been told its limit there is none.
 */
#ifndef MAILBOXD_REPORT_H
#define MAILBOXD_REPORT_H

#include "common/ipc/chan.h"
#include "mailboxd/store.h"

/* Before the sandbox: its timer. */
void	report_prepare(void);
/* Both are borrowed.  The first report leaves. */
void	report_start(struct mbox *, uint64_t mailbox, struct chan *monitor);
/* What this turn did is durable. */
void	report_turn(void);
/* Whatever has not been said yet. */
void	report_rest(void);
/*
 * The monitor asks, which report_turn answers, or tells: 0, or -1 when it may
 * not say that.
 */
int	report_ask(const struct msg_owner_ask *);
int	report_limit(const struct msg_owner_quota *);

#endif
