/*
 * simcalls - the system calls of simdisk.h: each is counted, and has the
 * fault that was armed for it.
 */
#include "tests/lib/simdisk_int.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { FDS = 64 };

static int		fds[FDS];	/* inode + 1 */
static uint64_t		calls;
static enum sim_fault	armed;
static uint64_t		fault_at, fault_times;
static bool		stopped;

void
sim_boot(void)
{
	memset(fds, 0, sizeof(fds));
	stopped = false;
	armed = SIM_NONE;
}

void
sim_calls_clear(void)
{
	calls = 0;
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

static struct sim_inode *
inode_of(int fd)
{
	assert(fd >= 0 && fd < FDS && fds[fd] != 0);
	return sim_inode(fds[fd] - 1);
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
	i = sim_lookup(name);
	if (i == -1 && !(flags & O_CREAT)) {
		errno = ENOENT;
		return -1;
	}
	if (i != -1 && (flags & O_EXCL)) {
		errno = EEXIST;
		return -1;
	}
	if (i == -1)
		i = sim_make(name);
	for (fd = 3; fd < FDS && fds[fd] != 0; fd++)
		;
	assert(fd < FDS);
	fds[fd] = i + 1;
	if (flags & O_TRUNC) {
		sim_note(inode_of(fd), 0, 0, NULL);
		sim_grow(&inode_of(fd)->seen, 0);
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
	struct sim_image	*m = &inode_of(fd)->seen;

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
	struct sim_inode	*file = inode_of(fd);
	struct sim_image	 m = { NULL, 0 };
	size_t		 n;
	int		 i;

	if (fails(f))
		return -1;
	for (i = 0; i < count; i++) {
		n = m.n;
		sim_grow(&m, n + v[i].iov_len);
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
	sim_note(file, (size_t)at, n, m.p);
	if (file->seen.n < (size_t)at + n)
		sim_grow(&file->seen, (size_t)at + n);
	if (n > 0)
		memcpy(file->seen.p + at, m.p, n);
	free(m.p);
	return end(f, 0) == -1 ? -1 : (ssize_t)n;
}

static int
sync_file(struct sim_inode *f, enum sim_fault fault)
{
	if (stopped)
		return -1;
	if (fails(fault)) {
		/* What the program sees stays; the disk got some of it. */
		sim_settle(f, SIM_KEEP_SOME);
		return -1;
	}
	/* Only what is dirty: not what a failed sync called clean. */
	sim_settle(f, SIM_KEEP_ALL);
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
	sim_sync_names();
	return end(f, 0);
}

static int
sim_truncate(int fd, off_t n)
{
	enum sim_fault	 f = begin();
	struct sim_inode	*file = inode_of(fd);

	if (fails(f))
		return -1;
	sim_note(file, 0, (size_t)n, NULL);
	file->changes[file->nchanges - 1].n = (size_t)n;
	sim_grow(&file->seen, (size_t)n);
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
	i = sim_lookup(from);
	if (i == -1) {
		errno = ENOENT;
		return -1;
	}
	sim_rename_to(from, to, i);
	return end(f, 0);
}

static int
sim_unlink(int dirfd, const char *name)
{
	enum sim_fault	f = begin();

	assert(dirfd == SIM_DIRFD);
	if (fails(f))
		return -1;
	if (sim_lookup(name) == -1) {
		errno = ENOENT;
		return -1;
	}
	sim_rename_to(name, "", 0);
	return end(f, 0);
}

static int64_t
sim_size(int fd)
{
	enum sim_fault	f = begin();
	struct sim_inode	*file = inode_of(fd);

	if (fails(f))
		return -1;
	return end(f, 0) == -1 ? -1 : (int64_t)file->seen.n;
}

static int
sim_list(int dirfd, int (*fn)(void *, const char *), void *arg)
{
	enum sim_fault	 f = begin();
	const char	*name;
	int		 i;

	assert(dirfd == SIM_DIRFD);
	if (fails(f))
		return -1;
	for (i = 0; (name = sim_name(i)) != NULL; i++)
		if (fn(arg, name) != 0)
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
