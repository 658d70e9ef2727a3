/*
 * hash - see hash.h.  Owns our ends of the workers' sockets.
 */
#include "authd/hash.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"

enum { TRIES = 2 };

struct job {
	TAILQ_ENTRY(job) next;
	enum worker_kind kind;
	uint64_t	 id;		/* of this try */
	unsigned	 tries;
	struct buf	 password;
	struct buf	 creds;
	hash_fn		*fn;
	void		*arg;
};

struct slot {
	struct hash	*h;
	int		 fd;
	struct loop_fd	*watch;
	int		 pid;		/* 0: not ready yet */
	struct job	*job;
};

struct hash {
	struct hash_conf	 conf;
	struct slot		 slots[WORKERS_MAX];
	TAILQ_HEAD(jobs, job)	 queue;
	unsigned		 waiting;
	uint64_t		 last_id;
	int			 nursery;
};

static void	dispatch(struct hash *);

/* -- jobs ------------------------------------------------------------- */

static void
job_free(struct job *j)
{
	buf_wipe(&j->password);
	buf_wipe(&j->creds);
	free(j);
}

static bool
job_new(struct hash *h, enum worker_kind kind, struct str creds,
    struct str password, hash_fn *fn, void *arg)
{
	struct job *j;

	assert(password.n > 0 && password.n <= CRED_PASSWORD_MAX);
	assert(creds.n <= CRED_MAX);
	dispatch(h);
	if (h->waiting >= h->conf.queue_max)
		return false;
	j = xcalloc(1, sizeof(*j));
	j->kind = kind;
	j->fn = fn;
	j->arg = arg;
	buf_init(&j->password, CRED_PASSWORD_MAX);
	buf_add(&j->password, password);
	buf_init(&j->creds, CRED_MAX);
	buf_add(&j->creds, creds);
	TAILQ_INSERT_TAIL(&h->queue, j, next);
	h->waiting++;
	dispatch(h);
	return true;
}

bool
hash_check(struct hash *h, struct str creds, struct str password, hash_fn *fn,
    void *arg)
{
	return job_new(h, WORKER_CHECK, creds, password, fn, arg);
}

bool
hash_make(struct hash *h, struct str password, hash_fn *fn, void *arg)
{
	return job_new(h, WORKER_MAKE, S(""), password, fn, arg);
}

/* The answer may add jobs: the job is out of every list before. */
static void
finish(struct job *j, enum hash_result r, struct str creds, unsigned computed)
{
	j->fn(j->arg, &(struct hash_answer){ .result = r, .creds = creds,
	    .computed = computed });
	job_free(j);
}

/* -- workers ---------------------------------------------------------- */

static void
give(struct hash *h, struct slot *s, struct job *j)
{
	struct buf b;

	/* A late answer to an earlier try must not be taken for this one. */
	j->id = ++h->last_id;
	j->tries++;
	s->job = j;
	buf_init(&b, WORKER_PACKET_MAX);
	worker_job_encode(&(struct worker_job){ .kind = j->kind, .id = j->id,
	    .password = buf_str(&j->password),
	    .creds = buf_str(&j->creds) }, &b);
	/* Its socket holds a job or two: there is always room for one. */
	if (send(s->fd, buf_str(&b).p, b.n, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    -1)
		fatal("hash workers");
	buf_wipe(&b);
}

static void
dispatch(struct hash *h)
{
	struct job	*j;
	unsigned	 i;

	for (i = 0; i < h->conf.workers.n; i++) {
		if (h->slots[i].pid == 0 || h->slots[i].job != NULL)
			continue;
		j = TAILQ_FIRST(&h->queue);
		if (j == NULL)
			return;
		TAILQ_REMOVE(&h->queue, j, next);
		h->waiting--;
		give(h, &h->slots[i], j);
	}
}

/* The one before it died, perhaps in the middle of a job. */
static void
on_new_worker(struct slot *s, int pid)
{
	struct job *j = s->job;

	s->pid = pid;
	s->job = NULL;
	if (j == NULL)
		return;
	if (j->tries >= TRIES) {
		finish(j, HASH_FAILED, S(""), 0);
		return;
	}
	TAILQ_INSERT_HEAD(&s->h->queue, j, next);
	s->h->waiting++;
}

static void
on_answer(struct slot *s, const struct worker_answer *a)
{
	struct job		*j = s->job;
	enum hash_result	 r = HASH_FAILED;

	if (j == NULL || j->id != a->id || j->kind != a->kind)
		return;
	s->job = NULL;
	switch (a->result) {
	case CRED_GOOD:
		r = HASH_GOOD;
		break;
	case CRED_WRONG:
		r = HASH_BAD;
		break;
	case CRED_FAILED:
		log_warn("hash not computed");
		break;
	}
	finish(j, r, a->creds, a->computed);
}

static void
on_ready(void *arg, int events)
{
	struct slot		*s = arg;
	struct worker_answer	 a;
	char			 in[WORKER_PACKET_MAX];
	ssize_t			 n;

	(void)events;
	n = recv(s->fd, in, sizeof(in), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		fatalx("the hash workers are gone");
	if (worker_answer_decode(str_of(in, (size_t)n), &a) == -1)
		fatalx("malformed answer of a hash worker");
	if (a.kind == WORKER_READY)
		on_new_worker(s, (int)a.id);
	else
		on_answer(s, &a);
	sodium_memzero(in, sizeof(in));
	dispatch(s->h);
}

/* -- life ------------------------------------------------------------- */

struct hash *
hash_fork(const struct hash_conf *c, int keep)
{
	struct hash	*h = xcalloc(1, sizeof(*h));
	int		 fds[WORKERS_MAX];
	unsigned	 i;

	assert(c->workers.n > 0 && c->workers.n <= WORKERS_MAX);
	h->conf = *c;
	TAILQ_INIT(&h->queue);
	h->nursery = worker_fork(&h->conf.workers, keep, fds);
	for (i = 0; i < c->workers.n; i++)
		h->slots[i] = (struct slot){ .h = h, .fd = fds[i] };
	return h;
}

void
hash_start(struct hash *h)
{
	unsigned i;

	for (i = 0; i < h->conf.workers.n; i++)
		h->slots[i].watch = loop_watch(h->slots[i].fd, LOOP_READ,
		    on_ready, &h->slots[i]);
}

void
hash_free(struct hash *h)
{
	struct job	*j;
	unsigned	 i;

	if (h == NULL)
		return;
	for (i = 0; i < h->conf.workers.n; i++) {
		loop_unwatch(h->slots[i].watch);
		close(h->slots[i].fd);
		if (h->slots[i].job != NULL)
			job_free(h->slots[i].job);
	}
	while ((j = TAILQ_FIRST(&h->queue)) != NULL) {
		TAILQ_REMOVE(&h->queue, j, next);
		job_free(j);
	}
	free(h);
}

unsigned
hash_waiting(const struct hash *h)
{
	return h->waiting;
}

int
hash_pid(const struct hash *h, unsigned i)
{
	return h->slots[i].pid;
}

int
hash_nursery(const struct hash *h)
{
	return h->nursery;
}
