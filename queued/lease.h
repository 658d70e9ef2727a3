/*
 * lease - which jobs are out, at which worker, until when; and the proof of
 * it that survives a restart of queued.
 *
 * The proof is a BLAKE2b of (kind, qid, target, attempt) under the queue's
 * durable key.  A worker presents it after a restart and with its result; it
 * can present only what it was given.
 *
 * Time is an argument.  Does no I/O.
 */
#ifndef QUEUED_LEASE_H
#define QUEUED_LEASE_H

#include "common/core/buf.h"
#include "common/ipc/routes.h"

enum lease_kind {
	LEASE_ROUTE = 1,	/* all of a message that is to be routed */
	LEASE_LOCAL = 2
};

enum { LEASE_KEY = 32, LEASE_MAC = 32 };

/* The number of the target in a routing lease. */
#define LEASE_ALL UINT32_MAX

struct lease_name {
	uint64_t	qid;
	uint32_t	target, attempt;
	enum lease_kind	kind;
};

void	lease_mac(const uint8_t key[LEASE_KEY], const struct lease_name *,
	    uint8_t mac[LEASE_MAC]);
bool	lease_holds(const uint8_t key[LEASE_KEY], const struct lease_name *,
	    struct str mac);

struct lease {
	struct lease	*next;		/* of the same message */
	struct lease_name name;
	void		*worker;	/* NULL: its worker is away */
	int64_t		 deadline;
	struct routes	 routes;	/* of a routing answer, so far */
};

struct leases	*leases_new(void);
void		 leases_free(struct leases *);

/* The target of that message must have none (assert). */
struct lease	*leases_add(struct leases *, const struct lease_name *,
		    void *worker, int64_t deadline);
/* By message, target and kind; whatever the attempt. */
struct lease	*leases_find(const struct leases *, const struct lease_name *);
void		 leases_end(struct leases *, struct lease *);

/* The worker went away: its leases wait for it until then. */
void		 leases_orphan(struct leases *, void *worker,
		    int64_t deadline);
/* One whose time is over, or NULL; the caller ends it. */
struct lease	*leases_expired(const struct leases *, int64_t now);
size_t		 leases_count(const struct leases *);
size_t		 leases_of(const struct leases *, const void *worker);

#endif
