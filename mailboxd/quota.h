/*
 * quota - how much a mailbox may hold, and what is to be told of its usage.
 * Pure.
 *
 * A limit is octets and messages; 0 is none.  Something may come in as long
 * as the mailbox would not pass its limit with it; one that is over already
 * may still be read, changed and emptied.
 */
#ifndef MAILBOXD_QUOTA_H
#define MAILBOXD_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct quota {
	uint64_t	size;		/* octets */
	uint64_t	messages;
};

enum {
	QUOTA_STEP = 1024 * 1024	/* octets that are worth a report */
};

/* Whether so much more may come. */
bool	quota_has_room(struct quota limit, struct quota used,
	    struct quota more);
bool	quota_is_equal(struct quota, struct quota);
/*
 * Whether `used` is to be told at once, after `told` was: the change is 1 % of
 * the limit, or QUOTA_STEP octets, or the mailbox has become full or is no
 * longer.
 */
bool	quota_is_news(struct quota limit, struct quota told,
	    struct quota used);

#endif
