/*
 * sched - when is what due, and whose turn is it.
 *
 * Items (a delivery, a routing) wait at destinations (a mailbox), and
 * destinations belong to tenants.  Deficit round robin chooses between
 * tenants and then between the destinations of one, by cost.  A destination
 * that fails rests; the rest doubles from failure to failure, and after it
 * one item probes before the others follow.  There is a timer per
 * destination and none per item.
 *
 * Pure: time is an argument (ms that never go back), chance comes from the
 * seed.  The items are the caller's and stay where they are while inside.
 */
#ifndef QUEUED_SCHED_H
#define QUEUED_SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sched_dest;

enum sched_where {
	SCHED_OUT,		/* not known here */
	SCHED_READY,
	SCHED_LATER,		/* until it is due */
	SCHED_TAKEN		/* a worker has it */
};

struct sched_item {
	struct sched_item	*next, *prev;
	struct sched_dest	*dest;
	int64_t			 due;
	uint32_t		 delay;		/* s; the caller's to keep */
	uint16_t		 cost;
	uint8_t			 where;		/* enum sched_where */
};

struct sched_conf {
	uint32_t	retry_min, retry_max;	/* s */
	unsigned	dest_jobs;	/* taken at once from a destination */
};

enum { SCHED_QUANTUM = 64, SCHED_COST_MAX = 1024 };	/* KiB, about */

struct sched	*sched_new(const struct sched_conf *, uint64_t seed);
void		 sched_free(struct sched *);	/* the items are left alone */

/* A due time that has passed means at once. */
void		 sched_add(struct sched *, struct sched_item *, uint64_t dest,
		    uint32_t tenant, size_t bytes, int64_t due, int64_t now);
/* The next one, which is then taken; NULL when nothing may go now. */
struct sched_item *sched_next(struct sched *, int64_t now);
/* Takes this one along, if it is ready; 0 or -1. */
int		 sched_take(struct sched *, struct sched_item *);
/* A taken item is out; whether its destination works. */
void		 sched_done(struct sched *, struct sched_item *, bool works,
		    int64_t now);
/* Out, wherever it is, and nothing was learnt. */
void		 sched_cancel(struct sched *, struct sched_item *,
		    int64_t now);
/* Due now, and its destination need not rest. */
void		 sched_hurry(struct sched *, struct sched_item *, int64_t now);

/* The wait after one of `before` seconds; 0 at first. */
uint32_t	 sched_backoff(const struct sched *, uint32_t before);
/* Seconds as ms, up to an eighth more or less. */
int64_t		 sched_jitter(struct sched *, uint32_t seconds);

/* When sched_next may have something: a time, or INT64_MAX for never. */
int64_t		 sched_when(struct sched *, int64_t now);
size_t		 sched_dests(const struct sched *);

#endif
