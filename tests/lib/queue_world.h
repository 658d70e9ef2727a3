/*
 * queue_world - a world around the queue of queue_rig: a front, a router with
 * a directory of its own, and mailboxes that remember what they have.  Jobs
 * are answered at once, or when the test says so.
 *
 * The directory: "m7" is mailbox 7; "a7" an alias of m7 and m8; "n7" one that
 * leads to n6 and so on down to m0; "d1" both ways to m1; "b300" an alias of
 * 300 mailboxes; "u" nobody; "f" elsewhere; "t" not now.
 */
#ifndef TESTS_QUEUE_WORLD_H
#define TESTS_QUEUE_WORLD_H

#include "tests/lib/queue_rig.h"

enum { WORLD_JOBS = 4096, WORLD_COPIES = 200000 };

/* A job that a worker holds. */
struct held {
	bool		is_route;
	uint64_t	qid, mailbox;
	uint32_t	target, attempt;
	uint8_t		mac[LEASE_MAC];
	uint32_t	size, got;
	char		address[100][RECORD_ADDRESS_MAX + 1];
	uint32_t	no[100], n;
	int		status;		/* that was told; -1: none yet */
};

/* A mailbox remembers which messages it has, and how often each came. */
struct copy {
	uint64_t	qid, mailbox;
};

struct world {
	struct rig	 rig;
	struct front	 front;
	struct hand	 route, local;
	struct held	*held[WORLD_JOBS];
	struct copy	 copies[WORLD_COPIES];
	size_t		 ncopies;
	unsigned	 jobs, durable, repeats;
	bool		 keep;		/* jobs wait for the test */
	int		 temp_of_8;	/* deliveries that fail for now */
};
extern struct world world;

int	world_setup(void **);		/* fixtures for cmocka */
int	world_teardown(void **);

/* A message to those, separated by blanks; its queue id. */
uint64_t world_submit(const char *rcpts);
/* Fails the test if it is not in the queue. */
const struct target *world_target(uint64_t qid, uint32_t no);
bool	world_has(uint64_t qid, uint64_t mailbox);
void	world_deliver(uint64_t qid, uint64_t mailbox);

/* Kills queued and starts it again; then its peers come back. */
void	world_kill(void);
void	world_connect(void);
/* A worker's leases, readiness and results, in that order. */
void	world_present(struct hand *, bool is_route, uint32_t jobs);

struct held *world_find(bool is_route, uint64_t qid, uint32_t target,
	    uint32_t attempt);		/* attempt 0: any */
void	world_drop(struct held *);
void	world_answer_route(struct held *);
void	world_answer_local(struct held *);
hand_fn	world_on_route, world_on_local;

#endif
