/*
 * control - mailboxd's control socket: `mailctl mailbox scrub`.
 *
 * authd says which mailbox an address is; its owner does the work and reports
 * it; here it waits for mailctl to fetch.  Runs in the monitor.
 */
#ifndef MAILBOXD_CONTROL_H
#define MAILBOXD_CONTROL_H

#include "common/ipc/chan.h"

/* The listening socket, and the link to authd. */
void	control_listen(int fd, struct link *authd);

/* What came of a question to authd; -1: not asked.  It went away. */
int	control_found(const struct msg_mailbox_found *);
void	control_authd_down(void);

/*
 * Its work, number n, was passed to an owner, and what that reports.  -1: it
 * may not say so.
 */
void	control_passed(uint64_t mailbox, uint64_t n);
int	control_damage(uint64_t mailbox, const struct msg_owner_damage *);
void	control_scrubbed(uint64_t mailbox, const struct msg_owner_scrubbed *);
/* There is no owner to do it; or, if it had been passed, none any more. */
void	control_refused(uint64_t mailbox);
void	control_owner_down(uint64_t mailbox);

#endif
