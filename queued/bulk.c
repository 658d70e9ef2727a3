/*
 * bulk - see bulk.h.
 */
#include "queued/bulk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/id.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/map.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/core/xalloc.h"

enum { OP_SYNC = 1, OP_REMOVE = 2 };

/* Between this process and its own child only. */
struct request {
	uint64_t	qid;
	int32_t		op;
	int32_t		error;		/* in the answer */
};

struct waiting {
	TAILQ_ENTRY(waiting)	next;
	struct request		r;
};

struct bulk {
	int			 dir, sock;
	struct loop_fd		*watch;
	struct map		 files;
	TAILQ_HEAD(, waiting)	 out;
};

struct bulk_file {
	struct map_node	 node;		/* by qid */
	struct bulk	*bulk;
	int		 fd;
	bulk_fn		*fn;		/* a sync is under way */
	void		*arg;
	bool		 is_dropped;	/* freed when the sync is over */
};

/* -- the helper ---------------------------------------------------------- */

static int
sync_file(int dir, const char *name)
{
	int fd, rc, saved;

	fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	rc = fdatasync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return rc == -1 ? -1 : fsync(dir);
}

static void
serve(int dir, int sock)
{
	struct request	r;
	int		rc;

	while (recv(sock, &r, sizeof(r), 0) == sizeof(r)) {
		if (r.op == OP_SYNC)
			rc = sync_file(dir, id_text(r.qid).s);
		else
			rc = unlinkat(dir, id_text(r.qid).s, 0);
		r.error = rc == -1 ? errno : 0;
		if (send(sock, &r, sizeof(r), MSG_NOSIGNAL) == -1)
			break;
	}
}

static int
compare(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The helper has the directory, its socket, the log and the view. */
static void
close_others(int dir, int sock)
{
	int	keep[] = { 2, dir, sock, start_view() };
	size_t	i, n = sizeof(keep) / sizeof(keep[0]);

	qsort(keep, n, sizeof(keep[0]), compare);
	for (i = 0; i < n; i++) {
		unsigned from = keep[i] < 2 ? 3 : (unsigned)keep[i] + 1;
		unsigned to = i + 1 < n ? (unsigned)keep[i + 1] - 1 : ~0u;

		if (keep[i] >= 2 && from <= to)
			(void)close_range(from, to, 0);
	}
}

_Noreturn static void
helper(int dir, int sock, bool lock)
{
	close_others(dir, sock);
	if (lock)
		sandbox_enter(&(struct sandbox){
			.dir = dir,
			.allow = SB_FILES,
			.chroot = true,
			.files = 32,
		});
	serve(dir, sock);
	_exit(0);
}

struct bulk *
bulk_new(int dir, bool lock)
{
	struct bulk	*b = xcalloc(1, sizeof(*b));
	int		 sv[2];
	pid_t		 pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		fatal("socketpair");
	log_flush();
	pid = fork();
	if (pid == -1)
		fatal("fork");
	if (pid == 0) {
		close(sv[0]);
		helper(dir, sv[1], lock);
	}
	close(sv[1]);
	b->dir = dir;
	b->sock = sv[0];
	map_init(&b->files);
	TAILQ_INIT(&b->out);
	return b;
}

/* -- asking it ----------------------------------------------------------- */

static void
send_out(struct bulk *b)
{
	struct waiting *w;

	while ((w = TAILQ_FIRST(&b->out)) != NULL) {
		if (send(b->sock, &w->r, sizeof(w->r),
		    MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
			break;
		TAILQ_REMOVE(&b->out, w, next);
		free(w);
	}
	if (b->watch != NULL)
		loop_want(b->watch, TAILQ_EMPTY(&b->out) ? LOOP_READ :
		    LOOP_READ | LOOP_WRITE);
}

static void
ask(struct bulk *b, int op, uint64_t qid)
{
	struct waiting *w = xcalloc(1, sizeof(*w));

	w->r = (struct request){ .qid = qid, .op = op };
	TAILQ_INSERT_TAIL(&b->out, w, next);
	send_out(b);
}

static void
file_free(struct bulk_file *f)
{
	map_remove(&f->bulk->files, &f->node);
	if (f->fd != -1)
		close(f->fd);
	free(f);
}

static void
on_answer(struct bulk *b, const struct request *r)
{
	struct bulk_file	*f;
	bulk_fn			*fn;

	if (r->op == OP_REMOVE) {
		if (r->error != 0 && r->error != ENOENT)
			log_warn("content not removed", L_QID(r->qid),
			    L_Z("error", strerror(r->error)));
		return;
	}
	f = map_find(&b->files, r->qid);
	if (f == NULL || f->fn == NULL)
		return;
	if (f->is_dropped) {
		file_free(f);
		ask(b, OP_REMOVE, r->qid);
		return;
	}
	fn = f->fn;
	f->fn = NULL;
	fn(f->arg, r->error);
}

static void
on_ready(void *arg, int events)
{
	struct bulk	*b = arg;
	struct request	 r;
	ssize_t		 n;

	if ((events & LOOP_WRITE) != 0)
		send_out(b);
	if ((events & LOOP_READ) == 0)
		return;
	for (;;) {
		n = recv(b->sock, &r, sizeof(r), MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n != sizeof(r))
			fatalx("the bulk helper has ended");
		on_answer(b, &r);
	}
}

void
bulk_watch(struct bulk *b)
{
	b->watch = loop_watch(b->sock, LOOP_READ, on_ready, b);
}

void
bulk_free(struct bulk *b)
{
	uint64_t		 cursor = 0;
	struct bulk_file	*f;
	struct waiting		*w;

	if (b == NULL)
		return;
	while ((f = map_walk(&b->files, &cursor)) != NULL)
		file_free(f);
	while ((w = TAILQ_FIRST(&b->out)) != NULL) {
		TAILQ_REMOVE(&b->out, w, next);
		free(w);
	}
	map_clear(&b->files);
	loop_unwatch(b->watch);
	close(b->sock);
	free(b);
}

/* -- files --------------------------------------------------------------- */

struct bulk_file *
bulk_create(struct bulk *b, uint64_t qid)
{
	struct bulk_file	*f;
	int			 fd;

	fd = openat(b->dir, id_text(qid).s, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->bulk = b;
	f->fd = fd;
	map_add(&b->files, &f->node, qid);
	return f;
}

int
bulk_write(struct bulk_file *f, struct str s)
{
	ssize_t n;

	while (s.n > 0) {
		n = write(f->fd, s.p, s.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		s = str_from(s, (size_t)n);
	}
	return 0;
}

void
bulk_sync(struct bulk_file *f, bulk_fn *fn, void *arg)
{
	f->fn = fn;
	f->arg = arg;
	ask(f->bulk, OP_SYNC, f->node.key);
}

void
bulk_keep(struct bulk_file *f)
{
	file_free(f);
}

void
bulk_drop(struct bulk_file *f)
{
	struct bulk	*b = f->bulk;
	uint64_t	 qid = f->node.key;

	if (f->fn != NULL) {
		f->is_dropped = true;
		return;
	}
	file_free(f);
	ask(b, OP_REMOVE, qid);
}

void
bulk_remove(struct bulk *b, uint64_t qid)
{
	ask(b, OP_REMOVE, qid);
}

int
bulk_open(struct bulk *b, uint64_t qid, uint64_t size)
{
	struct stat	st;
	int		fd;

	fd = openat(b->dir, id_text(qid).s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || (uint64_t)st.st_size != size) {
		close(fd);
		errno = EBADMSG;
		return -1;
	}
	return fd;
}

void
bulk_sweep(struct bulk *b, bool (*wanted)(void *, uint64_t), void *arg)
{
	struct dirent	*e;
	uint64_t	 qid;
	DIR		*d;
	int		 fd;

	fd = openat(b->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd == -1 ? NULL : fdopendir(fd);
	if (d == NULL)
		fatal("read the directory of large contents");
	while ((e = readdir(d)) != NULL) {
		if (id_parse(str_c(e->d_name), &qid) == -1)
			continue;
		if (!wanted(arg, qid))
			ask(b, OP_REMOVE, qid);
	}
	closedir(d);
}
