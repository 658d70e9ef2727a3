/*
 * work - the workers: routing and local delivery as leased jobs, their
 * results, and what follows from them.
 *
 * A job goes to a worker that has room, with a proof (lease.h) that comes
 * back with the result.  A result changes the state at once and is answered
 * when it is durable; no job leaves on the strength of what is not.
 */
#ifndef QUEUED_WORK_H
#define QUEUED_WORK_H

#include <sys/queue.h>

#include "common/ipc/chan.h"
#include "common/ipc/routes.h"
#include "queued/journal.h"

enum { WORK_ROUTE_BATCH = ROUTES_TARGETS };	/* targets of a routing job */

struct queued;
struct message;
struct target;
struct lease_name;

struct worker {
	LIST_ENTRY(worker)	 next;
	struct queued		*q;
	struct chan		*chan;
	uint32_t		 jobs;		/* 0: not ready yet */
	uint32_t		 out;
};

struct work {
	LIST_HEAD(, worker)	 workers;
	uint64_t		 jobs, results;		/* so far */
};

/* For chan_listen and chan_new: the channel is a worker's. */
const struct chan_ops *work_ops(void);
int	work_accept(struct chan *, void *queued);

/* Every target that waits is put on its schedule, not before that time. */
void	work_schedule(struct queued *, struct message *, int64_t not_before);
void	work_schedule_target(struct queued *, struct target *,
	    int64_t not_before);
/* Out of schedule and leases: the message or target ends or changes. */
void	work_forget(struct queued *, struct message *);
void	work_forget_target(struct queued *, struct target *);
/* Sends what may go now, up to the caps of a turn. */
void	work_dispatch(struct queued *);
/* The schedule that a target in its state is on; the lease that it has. */
struct sched *work_sched(struct queued *, const struct target *);
struct lease_name work_lease_name(const struct target *);
/* Ends leases whose time is over. */
void	work_tick(struct queued *);
void	work_clear(struct queued *);

/* Of routing (route.c). */
struct lease;
bool	route_is_asked(const struct target *);
/* Targets that the message may still get. */
uint32_t route_room(const struct queued *, const struct message *);
/* The whole answer to a lease. */
void	route_apply(struct queued *, struct message *, const struct lease *,
	    const struct journal_entry *answer);

#endif
