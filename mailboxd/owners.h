/*
 * owners - the monitor's table of active mailboxes, and when work may be
 * passed to an owner.  Pure.
 *
 * An owner that has nothing to do asks to go and says how much work it has
 * received.  It may go if that is all that was ever passed to it; from then
 * on new work waits until it is gone, and then wants a new owner.  Messages
 * to an owner keep their order, so nothing can slip between question and
 * answer.  A monitor that has just started does not know what its predecessor
 * passed; then the owner itself refuses to go when more has come meanwhile.
 */
#ifndef MAILBOXD_OWNERS_H
#define MAILBOXD_OWNERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "mailboxd/quota.h"

struct chan;
struct work;

enum owner_state {
	OWNER_ASKED,		/* the zygote is to make it, or it opens */
	OWNER_LIVE,
	OWNER_GOING		/* was told that it may go */
};

struct owner {
	LIST_ENTRY(owner)	 bucket;
	TAILQ_ENTRY(owner)	 all;
	uint64_t		 mailbox;
	uint32_t		 tenant, shard;
	enum owner_state	 state;
	uint64_t		 passed;	/* pieces of work */
	bool			 known;		/* whether `passed` is right */
	/* limits.c's: what it holds and may hold. */
	struct quota		 used, limit;
	bool			 reported;	/* `used` is known */
	bool			 limited;	/* it was told `limit` */
	bool			 asked;		/* authd is to answer */
	bool			 behind;	/* more was said meanwhile */
	bool			 holds;		/* ready but for its limit */
	int64_t			 since;
	/* The monitor's. */
	struct chan		*ctl;		/* NULL: not asked for yet */
	int			 helper;	/* our copy of its end, or -1 */
	bool			 wants_helper;	/* when the zygote is there */
	int64_t			 helpers_paid;	/* ms: for those it had */
	STAILQ_HEAD(, work)	 waiting;
};

struct owners;

struct owners	*owners_new(unsigned max);
void		 owners_free(struct owners *);
struct owner	*owners_find(const struct owners *, uint64_t mailbox);
/* NULL when max are there.  In OWNER_ASKED. */
struct owner	*owners_add(struct owners *, uint64_t mailbox,
		    uint32_t tenant, uint32_t shard);
void		 owners_remove(struct owners *, struct owner *);
struct owner	*owners_next(const struct owners *, const struct owner *);
unsigned	 owners_count(const struct owners *);

/* A stored channel of a monitor before us. */
void		 owner_adopt(struct owner *);
/* A new process is to be made for it. */
void		 owner_again(struct owner *);
/* One piece of work: true when it is to be passed now, and counted. */
bool		 owner_pass(struct owner *);
/* It says that it is ready, or that it stays after all. */
void		 owner_ready(struct owner *);
/* It would like to go: true when it may. */
bool		 owner_idle(struct owner *, uint64_t received);

#endif
