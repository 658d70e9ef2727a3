/*
 * leases - the jobs that queued gave us, with the proof of each, and results
 * until queued says that they are durable.
 *
 * After a reconnect every one is presented, then the known results are sent
 * again.  There are as many as we asked for, so a list will do.
 */
#ifndef DELIVERD_LEASES_H
#define DELIVERD_LEASES_H

#include <sys/queue.h>

#include "common/ipc/chan.h"
#include "common/ipc/routes.h"

enum { LEASE_MAC = 32, LEASE_DETAIL = 512 };

/* The number of the target when a job is about all of a message. */
#define LEASE_ALL UINT32_MAX

struct lease {
	LIST_ENTRY(lease)	 next;
	uint64_t		 qid;
	uint32_t		 target, attempt;
	uint8_t			 mac[LEASE_MAC];
	void			*job;		/* NULL once it is done */
	bool			 is_done;
	uint8_t			 status;	/* local: enum job_status */
	struct buf		 detail;
	struct routes		 routes;	/* of a routing job */
};

struct leases {
	LIST_HEAD(, lease)	 all;
	struct link		*queued;
};

void		 leases_init(struct leases *);
/* NULL if the proof is not one (the length is wrong). */
struct lease	*lease_new(struct leases *, uint64_t qid, uint32_t target,
		    uint32_t attempt, struct str mac);
void		 lease_free(struct lease *);
/* Whatever the attempt, unless it is done. */
struct lease	*leases_running(const struct leases *, uint64_t qid,
		    uint32_t target);

/* The result is known: sent now or when queued is there, and kept. */
void		 lease_done_local(struct leases *, struct lease *,
		    enum job_status, struct str detail);
void		 lease_done_route(struct leases *, struct lease *);
/* RESULT_DURABLE: forgets it. */
void		 leases_durable(struct leases *,
		    const struct msg_result_durable *);

/* queued is there (again): leases, then readiness, then results. */
void		 leases_present(struct leases *, struct chan *,
		    uint32_t jobs);

#endif
