/*
 * io - see io.h.
 */
#include "common/disk/io.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

static int
real_open(int dirfd, const char *name, int flags, mode_t mode)
{
	return openat(dirfd, name, flags, mode);
}

static int
real_rename(int dirfd, const char *from, const char *to)
{
	return renameat(dirfd, from, dirfd, to);
}

static int
real_unlink(int dirfd, const char *name)
{
	return unlinkat(dirfd, name, 0);
}

static int64_t
real_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return st.st_size;
}

static int
real_list(int dirfd, int (*fn)(void *, const char *), void *arg)
{
	struct dirent	*e;
	DIR		*d;
	int		 fd, saved;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	d = fdopendir(fd);
	if (d == NULL) {
		close(fd);
		return -1;
	}
	errno = 0;
	while ((e = readdir(d)) != NULL) {
		if (fn(arg, e->d_name) != 0)
			break;
		errno = 0;
	}
	saved = errno;
	closedir(d);
	errno = saved;
	return e == NULL && saved == 0 ? 0 : -1;
}

const struct disk_io disk_io_real = {
	.open = real_open,
	.close = close,
	.pread = pread,
	.pwritev = pwritev,
	.datasync = fdatasync,
	.sync = fsync,
	.truncate = ftruncate,
	.rename = real_rename,
	.unlink = real_unlink,
	.size = real_size,
	.list = real_list,
};

const struct disk_io *disk_io = &disk_io_real;

int
disk_open(int dirfd, const char *name, int flags)
{
	int fd;

	/* What is no file is an error, and nobody waits at a fifo for it. */
	do
		fd = disk_io->open(dirfd, name,
		    flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	while (fd == -1 && errno == EINTR);
	return fd;
}

ssize_t
disk_read(int fd, void *to, size_t n, uint64_t offset)
{
	size_t	got = 0;
	ssize_t	r;

	while (got < n) {
		r = disk_io->pread(fd, (char *)to + got, n - got,
		    (off_t)(offset + got));
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int
disk_write(int fd, struct iovec *v, size_t count, uint64_t offset)
{
	size_t	n;
	ssize_t	w;

	while (count > 0) {
		if (v->iov_len == 0) {
			v++;
			count--;
			continue;
		}
		w = disk_io->pwritev(fd, v,
		    (int)(count < IOV_MAX ? count : IOV_MAX), (off_t)offset);
		if (w == -1 && errno == EINTR)
			continue;
		if (w == 0)
			errno = EIO;
		if (w <= 0)
			return -1;
		offset += (uint64_t)w;
		for (n = (size_t)w; count > 0 && n >= v->iov_len; count--) {
			n -= v->iov_len;
			v++;
		}
		if (count > 0 && n > 0) {
			v->iov_base = (char *)v->iov_base + n;
			v->iov_len -= n;
		}
	}
	return 0;
}
