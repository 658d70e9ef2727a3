/*
 * hash - the queue before the hash workers.
 *
 * Jobs wait here, a bounded number of them, each for one worker; nothing here
 * blocks, so that lookups go on while passwords are computed.  A job whose
 * worker died is given to another once, then it has failed.
 *
 * Passwords are copied and wiped when the job is done.
 */
#ifndef AUTHD_HASH_H
#define AUTHD_HASH_H

#include "authd/worker.h"

struct hash;

struct hash_conf {
	struct worker_conf	workers;
	unsigned		queue_max;	/* jobs that wait */
};

enum hash_result {
	HASH_GOOD,
	HASH_BAD,
	HASH_FAILED		/* not computed: try later */
};

struct hash_answer {
	enum hash_result	result;
	/* The new list; of a check a better one, or empty.  Borrowed. */
	struct str		creds;
	unsigned		computed;	/* Argon2id computations */
};

typedef void hash_fn(void *arg, const struct hash_answer *);

/*
 * Forks the workers: before the sandbox, before there is anything to see.
 * `keep` is a descriptor that their locks need, or -1.
 */
struct hash	*hash_fork(const struct hash_conf *, int keep);
/* Starts to listen to them; after loop_init. */
void		 hash_start(struct hash *);
/* Ends the workers; jobs are dropped without an answer. */
void		 hash_free(struct hash *);

/*
 * Checks a password against a credential list (empty for nobody's: the same
 * work, and HASH_BAD), or makes a list.  False when the queue is full.  The
 * length of the password is 1 to CRED_PASSWORD_MAX.
 */
bool		 hash_check(struct hash *, struct str creds,
		    struct str password, hash_fn *, void *arg);
bool		 hash_make(struct hash *, struct str password, hash_fn *,
		    void *arg);

unsigned	 hash_waiting(const struct hash *);
/* The process of worker i, 0 until it is ready; for tests and status. */
int		 hash_pid(const struct hash *, unsigned i);
/* That of the nursery. */
int		 hash_nursery(const struct hash *);

#endif
