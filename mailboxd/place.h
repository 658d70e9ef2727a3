/*
 * place - a mailbox's directory in the store and the ids that own it:
 * <store>/<shard>/<tenant>/<mailbox>, decimal numbers.  Runs in the zygote's
 * child before it changes identity.
 */
#ifndef MAILBOXD_PLACE_H
#define MAILBOXD_PLACE_H

#include <stdint.h>
#include <sys/types.h>

struct place {
	uint64_t	mailbox;
	uint32_t	tenant, shard;
	uid_t		uid;		/* of the mailbox */
	gid_t		gid;		/* of the tenant */
	uint64_t	epoch;		/* of the shard; set by place_open */
};

/* Fills uid and gid; -1 when a number is outside its range. */
int	place_ids(struct place *);
/*
 * Makes what is missing and gives the mailbox to its ids.  A descriptor that
 * only names it (O_PATH), or -1 with errno; EPERM when somebody else has it.
 */
int	place_open(int store, struct place *, int change_owner);

#endif
