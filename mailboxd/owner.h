/*
 * owner - the process of one mailbox: its store, its sessions and the
 * deliveries to it, until nobody needs it any more.  It is locked down before
 * it gets here and can reach that mailbox's directory, the channel to the
 * monitor and what comes over it.
 */
#ifndef MAILBOXD_OWNER_H
#define MAILBOXD_OWNER_H

#include "mailboxd/place.h"

enum {
	OWNER_SESSIONS_MAX = 200,	/* of one user at a time */
	OWNER_CHANNELS_MAX = 50,	/* of deliverd */
	OWNER_FILES_MAX = 512		/* these, segments, bodies */
};

/* Before the sandbox: what the event loop wants to make. */
void	owner_prepare(void);
/* Both descriptors are its own.  The exit code. */
int	owner_main(const struct place *, int ctl, int dir);

#endif
