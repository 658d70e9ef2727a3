/*
 * simdisk - see simdisk.h.
 */
#include "tests/lib/simdisk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

enum { FILES = 4096, NAMES = 512, FDS = 64, SECTOR = 512, NAME = 64 };

struct image {
	unsigned char	*p;
	size_t		 n;
};

/* A write or, with p NULL, a new size, that is not synced. */
struct change {
	size_t		 at, n;
	unsigned char	*p;
};

struct inode {
	struct image	 seen, safe;
	struct change	*changes;
	size_t		 nchanges;
};

struct entry {
	char	name[NAME];
	int	inode;
};

/* A change of the directory: from "" makes, to "" removes. */
struct dirop {
	char	from[NAME], to[NAME];
	int	inode;
};

struct sim {
	struct inode	inodes[FILES];
	int		ninodes;
	struct entry	seen[NAMES], safe[NAMES];
	int		nseen, nsafe;
	struct dirop	ops[NAMES];
	int		nops;
};

static struct sim	sim, saved;
static int		fds[FDS];	/* inode + 1 */
static uint64_t		calls, state;
static enum sim_fault	armed;
static uint64_t		fault_at, fault_times;
static bool		stopped;

uint64_t
sim_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void
clear_changes(struct inode *f)
{
	size_t i;

	for (i = 0; i < f->nchanges; i++)
		free(f->changes[i].p);
	free(f->changes);
	f->changes = NULL;
	f->nchanges = 0;
}

static void
clear_sim(struct sim *s)
{
	int i;

	for (i = 0; i < s->ninodes; i++) {
		clear_changes(&s->inodes[i]);
		free(s->inodes[i].seen.p);
		free(s->inodes[i].safe.p);
	}
	memset(s, 0, sizeof(*s));
}

static struct image
image_copy(const struct image *from)
{
	struct image to = { xrealloc(NULL, from->n + 1, 1), from->n };

	if (from->n > 0)
		memcpy(to.p, from->p, from->n);
	return to;
}

void
sim_save(void)
{
	int	i;
	size_t	k;

	clear_sim(&saved);
	memcpy(&saved, &sim, sizeof(sim));
	for (i = 0; i < sim.ninodes; i++) {
		struct inode *f = &saved.inodes[i];

		f->seen = image_copy(&sim.inodes[i].seen);
		f->safe = image_copy(&sim.inodes[i].safe);
		f->changes = xcalloc(f->nchanges + 1, sizeof(*f->changes));
		for (k = 0; k < f->nchanges; k++) {
			f->changes[k] = sim.inodes[i].changes[k];
			if (f->changes[k].p == NULL)
				continue;
			f->changes[k].p = xrealloc(NULL, f->changes[k].n, 1);
			memcpy(f->changes[k].p, sim.inodes[i].changes[k].p,
			    f->changes[k].n);
		}
	}
}

void
sim_restore(void)
{
	clear_sim(&sim);
	memcpy(&sim, &saved, sizeof(sim));
	memset(&saved, 0, sizeof(saved));
	memset(fds, 0, sizeof(fds));
	stopped = false;
	armed = SIM_NONE;
	sim_save();
}

void
sim_reset(uint64_t seed)
{
	clear_sim(&sim);
	clear_sim(&saved);
	memset(fds, 0, sizeof(fds));
	state = seed;
	calls = 0;
	armed = SIM_NONE;
	stopped = false;
}

void
sim_arm(enum sim_fault f, uint64_t n, uint64_t times)
{
	armed = f;
	fault_at = calls + n;
	fault_times = times;
}

uint64_t
sim_calls(void)
{
	return calls;
}

bool
sim_stopped(void)
{
	return stopped;
}

int
sim_open_fds(void)
{
	int i, n = 0;

	for (i = 0; i < FDS; i++)
		n += fds[i] != 0;
	return n;
}

/* Counts a call.  The fault it has; a stopped machine fails all with EIO. */
static enum sim_fault
begin(void)
{
	enum sim_fault f = SIM_NONE;

	calls++;
	if (!stopped && armed != SIM_NONE && calls >= fault_at &&
	    calls < fault_at + fault_times)
		f = armed;
	if (f == SIM_STOP)
		stopped = true;
	if (stopped)
		f = SIM_EIO;
	errno = f == SIM_ENOSPC || f == SIM_PART_FULL ? ENOSPC :
	    f == SIM_EDQUOT ? EDQUOT : f == SIM_EINTR ? EINTR : EIO;
	return f;
}

static bool
fails(enum sim_fault f)
{
	return f == SIM_EIO || f == SIM_ENOSPC || f == SIM_EDQUOT ||
	    f == SIM_EINTR;
}

/* Power that fails behind a call: nobody hears how it went. */
static int
end(enum sim_fault f, int r)
{
	if (f != SIM_STOP_AFTER)
		return r;
	stopped = true;
	errno = EIO;
	return -1;
}

static void
grow(struct image *m, size_t n)
{
	m->p = xrealloc(m->p, n + 1, 1);
	if (n > m->n)
		memset(m->p + m->n, 0, n - m->n);
	m->n = n;
}

static int
find(const struct entry *e, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(e[i].name, name) == 0)
			return i;
	return -1;
}

static void
drop_entry(struct entry *e, int *n, const char *name)
{
	int i = find(e, *n, name);

	if (i != -1)
		e[i] = e[--*n];
}

static void
put_entry(struct entry *e, int *n, const char *name, int inode)
{
	drop_entry(e, n, name);
	assert(*n < NAMES);
	snprintf(e[*n].name, NAME, "%s", name);
	e[(*n)++].inode = inode;
}

/* Does one change; what it needs may not be there (an earlier was lost). */
static void
apply_dirop(struct entry *e, int *n, const struct dirop *op)
{
	if (op->from[0] != '\0' && find(e, *n, op->from) == -1)
		return;
	if (op->from[0] != '\0')
		drop_entry(e, n, op->from);
	if (op->to[0] != '\0')
		put_entry(e, n, op->to, op->inode);
}

static void
do_dirop(const char *from, const char *to, int inode)
{
	struct dirop *op = &sim.ops[sim.nops++];

	assert(sim.nops < NAMES);
	snprintf(op->from, NAME, "%s", from);
	snprintf(op->to, NAME, "%s", to);
	op->inode = inode;
	apply_dirop(sim.seen, &sim.nseen, op);
}

static struct inode *
inode_of(int fd)
{
	assert(fd >= 0 && fd < FDS && fds[fd] != 0);
	return &sim.inodes[fds[fd] - 1];
}

static void
note(struct inode *f, size_t at, size_t n, const unsigned char *p)
{
	struct change *c;

	f->changes = xrealloc(f->changes, f->nchanges + 1,
	    sizeof(*f->changes));
	c = &f->changes[f->nchanges++];
	*c = (struct change){ .at = at, .n = n };
	if (p != NULL) {
		c->p = xrealloc(NULL, n + 1, 1);
		memcpy(c->p, p, n);
	}
}

static int
sim_open(int dirfd, const char *name, int flags, mode_t mode)
{
	enum sim_fault	f = begin();
	int		i, fd;

	(void)mode;
	assert(dirfd == SIM_DIRFD && (flags & O_CLOEXEC) &&
	    (flags & O_NOFOLLOW) && strchr(name, '/') == NULL);
	if (fails(f))
		return -1;
	i = find(sim.seen, sim.nseen, name);
	if (i == -1 && !(flags & O_CREAT)) {
		errno = ENOENT;
		return -1;
	}
	if (i != -1 && (flags & O_EXCL)) {
		errno = EEXIST;
		return -1;
	}
	if (i == -1) {
		assert(sim.ninodes < FILES);
		do_dirop("", name, sim.ninodes++);
		i = find(sim.seen, sim.nseen, name);
	}
	for (fd = 3; fd < FDS && fds[fd] != 0; fd++)
		;
	assert(fd < FDS);
	fds[fd] = sim.seen[i].inode + 1;
	if (flags & O_TRUNC) {
		note(inode_of(fd), 0, 0, NULL);
		grow(&inode_of(fd)->seen, 0);
	}
	return end(f, fd);
}

static int
sim_close(int fd)
{
	enum sim_fault f = begin();

	(void)inode_of(fd);
	fds[fd] = 0;
	return fails(f) ? -1 : end(f, 0);
}

static ssize_t
sim_pread(int fd, void *to, size_t n, off_t at)
{
	enum sim_fault	 f = begin();
	struct image	*m = &inode_of(fd)->seen;

	if (fails(f))
		return -1;
	if ((size_t)at >= m->n)
		return 0;
	if (n > m->n - (size_t)at)
		n = m->n - (size_t)at;
	if (f == SIM_SHORT && n > 1)
		n /= 2;
	memcpy(to, m->p + at, n);
	return end(f, 0) == -1 ? -1 : (ssize_t)n;
}

static ssize_t
sim_pwritev(int fd, const struct iovec *v, int count, off_t at)
{
	enum sim_fault	 f = begin();
	struct inode	*file = inode_of(fd);
	struct image	 m = { NULL, 0 };
	size_t		 n;
	int		 i;

	if (fails(f))
		return -1;
	for (i = 0; i < count; i++) {
		n = m.n;
		grow(&m, n + v[i].iov_len);
		if (v[i].iov_len > 0)
			memcpy(m.p + n, v[i].iov_base, v[i].iov_len);
	}
	n = m.n;
	if ((f == SIM_SHORT || f == SIM_PART_FULL) && n > 1)
		n = 1 + sim_random() % (n - 1);
	if (f == SIM_PART_FULL) {
		/* The next try says why this one was short. */
		armed = SIM_ENOSPC;
		fault_at = calls + 1;
	}
	note(file, (size_t)at, n, m.p);
	if (file->seen.n < (size_t)at + n)
		grow(&file->seen, (size_t)at + n);
	memcpy(file->seen.p + at, m.p, n);
	free(m.p);
	return end(f, 0) == -1 ? -1 : (ssize_t)n;
}

/* What survives of the changes, onto the safe image. */
static void
settle(struct inode *f, enum sim_keep keep)
{
	size_t	i, at, n, done;

	for (i = 0; i < f->nchanges; i++) {
		struct change *c = &f->changes[i];

		if (keep == SIM_KEEP_NONE)
			break;
		if (c->p == NULL) {
			if (keep == SIM_KEEP_ALL || sim_random() % 2 == 0)
				grow(&f->safe, c->n);
			continue;
		}
		for (done = 0; done < c->n; done += n) {
			at = c->at + done;
			n = SECTOR - at % SECTOR;
			if (n > c->n - done)
				n = c->n - done;
			if (keep == SIM_KEEP_SOME && sim_random() % 3 == 0)
				continue;
			if (f->safe.n < at + n)
				grow(&f->safe, at + n);
			memcpy(f->safe.p + at, c->p + done, n);
		}
	}
	clear_changes(f);
}

static int
sync_file(struct inode *f, enum sim_fault fault)
{
	if (stopped)
		return -1;
	if (fails(fault)) {
		/* What the program sees stays; the disk got some of it. */
		settle(f, SIM_KEEP_SOME);
		return -1;
	}
	/* Only what is dirty: not what a failed sync called clean. */
	settle(f, SIM_KEEP_ALL);
	return end(fault, 0);
}

static int
sim_datasync(int fd)
{
	enum sim_fault f = begin();
	int saved_errno = errno, r;

	r = sync_file(inode_of(fd), f);
	errno = saved_errno;
	return r;
}

static int
sim_sync(int fd)
{
	enum sim_fault f;

	if (fd != SIM_DIRFD)
		return sim_datasync(fd);
	f = begin();
	if (fails(f))
		return -1;
	memcpy(sim.safe, sim.seen, sizeof(sim.seen));
	sim.nsafe = sim.nseen;
	sim.nops = 0;
	return end(f, 0);
}

static int
sim_truncate(int fd, off_t n)
{
	enum sim_fault	 f = begin();
	struct inode	*file = inode_of(fd);

	if (fails(f))
		return -1;
	note(file, 0, (size_t)n, NULL);
	file->changes[file->nchanges - 1].n = (size_t)n;
	grow(&file->seen, (size_t)n);
	return end(f, 0);
}

static int
sim_rename(int dirfd, const char *from, const char *to)
{
	enum sim_fault	f = begin();
	int		i;

	assert(dirfd == SIM_DIRFD);
	if (fails(f))
		return -1;
	i = find(sim.seen, sim.nseen, from);
	if (i == -1) {
		errno = ENOENT;
		return -1;
	}
	do_dirop(from, to, sim.seen[i].inode);
	return end(f, 0);
}

static int
sim_unlink(int dirfd, const char *name)
{
	enum sim_fault	f = begin();

	assert(dirfd == SIM_DIRFD);
	if (fails(f))
		return -1;
	if (find(sim.seen, sim.nseen, name) == -1) {
		errno = ENOENT;
		return -1;
	}
	do_dirop(name, "", 0);
	return end(f, 0);
}

static int64_t
sim_size(int fd)
{
	enum sim_fault	f = begin();
	struct inode	*file = inode_of(fd);

	if (fails(f))
		return -1;
	return end(f, 0) == -1 ? -1 : (int64_t)file->seen.n;
}

static int
sim_list(int dirfd, int (*fn)(void *, const char *), void *arg)
{
	enum sim_fault	f = begin();
	int		i;

	assert(dirfd == SIM_DIRFD);
	if (fails(f))
		return -1;
	for (i = 0; i < sim.nseen; i++)
		if (fn(arg, sim.seen[i].name) != 0)
			return -1;
	return end(f, 0);
}

const struct disk_io sim_io = {
	.open = sim_open,
	.close = sim_close,
	.pread = sim_pread,
	.pwritev = sim_pwritev,
	.datasync = sim_datasync,
	.sync = sim_sync,
	.truncate = sim_truncate,
	.rename = sim_rename,
	.unlink = sim_unlink,
	.size = sim_size,
	.list = sim_list,
};

void
sim_power(enum sim_keep keep)
{
	int i;

	for (i = 0; i < sim.ninodes; i++) {
		struct inode *f = &sim.inodes[i];

		settle(f, keep);
		free(f->seen.p);
		f->seen = image_copy(&f->safe);
	}
	for (i = 0; i < sim.nops; i++)
		if (keep == SIM_KEEP_ALL ||
		    (keep == SIM_KEEP_SOME && sim_random() % 2 == 0))
			apply_dirop(sim.safe, &sim.nsafe, &sim.ops[i]);
	sim.nops = 0;
	memcpy(sim.seen, sim.safe, sizeof(sim.seen));
	sim.nseen = sim.nsafe;
	memset(fds, 0, sizeof(fds));
	stopped = false;
	armed = SIM_NONE;
}

unsigned char *
sim_file(const char *name, size_t *n)
{
	int i = find(sim.seen, sim.nseen, name);

	if (i == -1)
		return NULL;
	*n = sim.inodes[sim.seen[i].inode].seen.n;
	return sim.inodes[sim.seen[i].inode].seen.p;
}

const char *
sim_name(int k)
{
	return k < sim.nseen ? sim.seen[k].name : NULL;
}
