/*
 * notice - what a daemon says to its starter, as to sd_notify(3): lines of
 * NAME=value in one packet.
 *
 * Lines that are none of ours are passed over, and of two that say the same
 * the later holds.  Nothing is refused here: whether a daemon may leave a
 * descriptor, and under which name, is for proc to know.  Pure.
 */
#ifndef MAILCTL_NOTICE_H
#define MAILCTL_NOTICE_H

#include "common/core/str.h"

struct notice {
	bool		ready;		/* READY=1 */
	bool		fdstore;	/* FDSTORE=1: keep the descriptor */
	bool		fdremove;	/* FDSTOREREMOVE=1 */
	struct str	status;		/* STATUS=, borrowed */
	struct str	name;		/* FDNAME=, borrowed */
};

struct notice	notice_parse(struct str);

#endif
