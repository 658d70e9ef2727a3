/*
 * helper - the owner's side of its helper process (bulk.h): one that makes
 * large bodies durable while the owner goes on.
 *
 * An owner may not fork, and most never see a large body.  So the monitor is
 * asked for a helper when the first one comes, and the helper is let go when
 * none has come for a while.
 */
#ifndef MAILBOXD_HELPER_H
#define MAILBOXD_HELPER_H

#include "common/disk/bulk.h"
#include "common/ipc/chan.h"

enum {
	HELPER_WAIT_MS = 30 * 1000,	/* for the monitor to send one */
	HELPER_IDLE_MS = 60 * 1000	/* then it may go */
};

/*
 * After loop_init; HELPER_WAIT_MS and HELPER_IDLE_MS but in tests.  The bulk by
 * which it is asked, which stays ours.
 */
struct bulk	*helper_init(uint64_t mailbox, int64_t wait_ms,
		    int64_t idle_ms);
void		 helper_clear(void);
/* The channel by which the monitor is asked; borrowed. */
void		 helper_by(struct chan *);
/* The monitor sent one; takes the descriptor over. */
void		 helper_here(int fd);

#endif
