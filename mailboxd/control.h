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

/* What came of a question to authd; -1: it was not asked that. */
int	control_found(const struct msg_mailbox_found *);
/* authd went away: what it was asked has failed. */
void	control_authd_down(void);

/*
 * The scrub of a mailbox, number n, was passed to its owner; what that
 * reports, -1 when it may not say so.
 */
void	control_passed(uint64_t mailbox, uint64_t n);
int	control_damage(uint64_t mailbox, const struct msg_owner_damage *);
void	control_scrubbed(uint64_t mailbox, const struct msg_owner_scrubbed *);
/* No owner is to be had for it. */
void	control_refused(uint64_t mailbox);
/* The owner to whom it was passed is no more. */
void	control_owner_down(uint64_t mailbox);

#endif
