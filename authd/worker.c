/*
 * worker - see worker.h.  Runs in processes of its own: everything here but
 * worker_fork happens on the other side of the socket.
 */
#include "authd/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/pack.h"
#include "common/mail/text.h"

enum {
	HURRY_MS = 100		/* between the deaths of two workers */
};

/* -- what is said ----------------------------------------------------- */

void
worker_job_encode(const struct worker_job *j, struct buf *b)
{
	pack_u8(b, (uint8_t)j->kind);
	pack_u64(b, j->id);
	pack_str(b, j->password);
	pack_str(b, j->creds);
}

static int
job_decode(struct str s, struct worker_job *j)
{
	struct unpack	u = unpack_of(s);
	unsigned	kind = unpack_u8(&u);

	j->kind = (enum worker_kind)kind;
	j->id = unpack_u64(&u);
	j->password = unpack_str(&u, CRED_PASSWORD_MAX);
	j->creds = unpack_str(&u, CRED_MAX);
	if (!unpack_done(&u) || kind < WORKER_CHECK || kind > WORKER_MAKE)
		return -1;
	return 0;
}

static void
answer_encode(const struct worker_answer *a, struct buf *b)
{
	pack_u8(b, (uint8_t)a->kind);
	pack_u64(b, a->id);
	pack_u8(b, (uint8_t)a->result);
	pack_u32(b, a->computed);
	pack_str(b, a->creds);
}

/* A worker may have been taken over: it is read as a stranger is. */
int
worker_answer_decode(struct str s, struct worker_answer *a)
{
	struct unpack	u = unpack_of(s);
	unsigned	kind = unpack_u8(&u), result;

	a->id = unpack_u64(&u);
	result = unpack_u8(&u);
	a->computed = unpack_u32(&u);
	a->creds = unpack_str(&u, CRED_MAX);
	a->kind = (enum worker_kind)kind;
	a->result = (enum cred_result)result;
	if (!unpack_done(&u) || kind < WORKER_CHECK || kind > WORKER_READY ||
	    result > CRED_FAILED || !cred_is_list(a->creds))
		return -1;
	return 0;
}

/* -- a worker --------------------------------------------------------- */

static void
work(const struct worker_conf *c, const struct worker_job *j,
    const char *dummy, struct worker_answer *a, struct buf *creds)
{
	uint64_t before = cred_computations();

	*a = (struct worker_answer){ .kind = j->kind, .id = j->id };
	buf_reset(creds);
	if (j->kind == WORKER_MAKE) {
		a->result = cred_make(j->password, &c->cost, creds) == 0 ?
		    CRED_GOOD : CRED_FAILED;
	} else {
		a->result = cred_check(j->creds, j->password, dummy);
		if (a->result == CRED_GOOD &&
		    cred_is_stale(j->creds, &c->cost) &&
		    cred_make(j->password, &c->cost, creds) == -1)
			buf_reset(creds);
	}
	if (a->result == CRED_GOOD)
		a->creds = buf_str(creds);
	a->computed = (uint32_t)(cred_computations() - before);
}

static void
say(int fd, const struct worker_answer *a)
{
	struct buf b;

	buf_init(&b, WORKER_PACKET_MAX);
	answer_encode(a, &b);
	while (send(fd, buf_str(&b).p, b.n, MSG_NOSIGNAL) == -1) {
		if (errno != EINTR)
			_exit(0);
	}
	buf_wipe(&b);
}

static _Noreturn void
run_worker(const struct worker_conf *c, int fd, const char *dummy)
{
	static char		in[WORKER_PACKET_MAX];
	struct worker_answer	a = { .kind = WORKER_READY };
	struct worker_job	j;
	struct buf		creds;
	ssize_t			n;

	buf_init(&creds, CRED_MAX);
	a.id = (uint64_t)getpid();
	say(fd, &a);
	for (;;) {
		n = recv(fd, in, sizeof(in), 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(0);	/* authd has ended */
		if (job_decode(str_of(in, (size_t)n), &j) == -1)
			fatalx("hash worker: malformed job");
		work(c, &j, dummy, &a, &creds);
		sodium_memzero(in, sizeof(in));
		say(fd, &a);
		buf_wipe(&creds);
	}
}

/* -- the nursery ------------------------------------------------------ */

struct nursery {
	const struct worker_conf	*conf;
	int				 fds[WORKERS_MAX];
	pid_t				 pids[WORKERS_MAX];	/* 0: none */
	char				 dummy[128];
};

static void
keep_only(struct nursery *n, int keep, unsigned only)
{
	int		fd;
	unsigned	i;
	bool		wanted;

	/* A daemon has few descriptors; the highest is not far. */
	for (fd = 3; fd < 1024; fd++) {
		wanted = fd == keep;
		for (i = 0; i < n->conf->n; i++) {
			if (n->fds[i] == fd && (only == n->conf->n ||
			    only == i))
				wanted = true;
		}
		if (!wanted)
			close(fd);
	}
}

static void
fork_worker(struct nursery *n, unsigned i, int keep)
{
	pid_t pid = fork();

	if (pid == -1)
		fatal("fork a hash worker");
	if (pid > 0) {
		n->pids[i] = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	keep_only(n, keep, i);
	if (n->conf->lock_worker != NULL)
		n->conf->lock_worker();
	if (keep != -1)
		close(keep);
	run_worker(n->conf, n->fds[i], n->dummy);
}

static bool
has_workers(const struct nursery *n)
{
	unsigned i;

	for (i = 0; i < n->conf->n; i++) {
		if (n->pids[i] != 0)
			return true;
	}
	return false;
}

/*
 * Waits between two deaths.  A worker that dies because nobody is at the
 * other end any more is not to be replaced.
 */
static bool
authd_is_gone(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, HURRY_MS) == 1 && (p.revents & POLLHUP) != 0;
}

/* Until the workers end because authd has: exit code 0. */
static _Noreturn void
run_nursery(struct nursery *n, int keep)
{
	unsigned	i;
	pid_t		pid;
	int		status;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	keep_only(n, keep, n->conf->n);
	if (cred_dummy(&n->conf->cost, n->dummy) == -1)
		fatalx("auth.memory: that much is not there");
	if (n->conf->lock_nursery != NULL)
		n->conf->lock_nursery();
	for (i = 0; i < n->conf->n; i++)
		fork_worker(n, i, keep);
	while (has_workers(n)) {
		pid = wait4(-1, &status, 0, NULL);
		if (pid == -1)
			continue;
		for (i = 0; i < n->conf->n && n->pids[i] != pid; i++)
			;
		if (i == n->conf->n)
			continue;
		n->pids[i] = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		log_warn("hash worker died", L_NUM("pid", pid),
		    L_NUM("status", status));
		log_flush();
		if (authd_is_gone(n->fds[i]))
			break;
		fork_worker(n, i, keep);
	}
	_exit(0);
}

int
worker_fork(const struct worker_conf *c, int keep, int *fds)
{
	struct nursery	n = { .conf = c };
	unsigned	i;
	int		pair[2];
	pid_t		pid;

	if (text_init() == -1)
		fatalx("Unicode tables do not work");
	for (i = 0; i < c->n; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
		    pair) == -1)
			fatal("socket of a hash worker");
		fds[i] = pair[0];
		n.fds[i] = pair[1];
	}
	pid = fork();
	if (pid == -1)
		fatal("fork the hash workers");
	if (pid == 0)
		run_nursery(&n, keep);
	for (i = 0; i < c->n; i++)
		close(n.fds[i]);
	return pid;
}
