/*
 * worker - the processes that compute password hashes, and the nursery that
 * forks them again when they die.
 *
 * authd forks the nursery before it holds anything: no directory, no key, no
 * client.  The nursery only forks and waits.  A worker reads one job at a
 * time from its socket and answers it; it ends when the socket does.  The
 * nursery keeps the sockets, so that a job and its successor survive.
 *
 *	job	{u8 kind, u64 id, password, credentials}
 *	answer	{u8 kind, u64 id, u8 result, u32 computed, credentials}
 */
#ifndef AUTHD_WORKER_H
#define AUTHD_WORKER_H

#include "authd/cred.h"

enum {
	WORKERS_MAX = 64,
	WORKER_PACKET_MAX = 8192
};

enum worker_kind {
	WORKER_CHECK = 1,
	WORKER_MAKE = 2,
	WORKER_READY = 3	/* answer: a new worker, id is its pid */
};

struct worker_job {
	enum worker_kind	kind;
	uint64_t		id;
	struct str		password;
	struct str		creds;
};

struct worker_answer {
	enum worker_kind	kind;
	uint64_t		id;
	enum cred_result	result;
	uint32_t		computed;	/* Argon2id computations */
	/* WORKER_MAKE: the list; WORKER_CHECK: a better one, or empty. */
	struct str		creds;
};

void	worker_job_encode(const struct worker_job *, struct buf *);
int	worker_answer_decode(struct str, struct worker_answer *);

struct worker_conf {
	unsigned		n;
	struct cred_cost	cost;
	/* Lock the process down; NULL in tests. */
	void			(*lock_nursery)(void);
	void			(*lock_worker)(void);
};

/*
 * Forks the nursery, which forks n workers.  fds[i] is our end of worker i's
 * socket, non-blocking.  Every other descriptor of ours but 0 to 2 and
 * `keep` (-1: none) is closed in them.  Returns the nursery's pid.
 */
int	worker_fork(const struct worker_conf *, int keep, int *fds);

#endif
