/*
 * io - every system call of the record log, by way of one table, so that a
 * test can put a disk of its own behind it that fails, tears and forgets.
 *
 * The helpers go on after short transfers and interrupted calls.  A sync is
 * never tried again: what a failed one lost stays lost.
 */
#ifndef DISK_IO_H
#define DISK_IO_H

#include <sys/types.h>
#include <sys/uio.h>

#include <stdint.h>

struct disk_io {
	int	(*open)(int dirfd, const char *, int flags, mode_t);
	int	(*close)(int);
	ssize_t	(*pread)(int, void *, size_t, off_t);
	ssize_t	(*pwritev)(int, const struct iovec *, int, off_t);
	int	(*datasync)(int);
	int	(*sync)(int);
	int	(*truncate)(int, off_t);
	int	(*rename)(int dirfd, const char *, const char *);
	int	(*unlink)(int dirfd, const char *);
	int64_t	(*size)(int);		/* of an open file, or -1 */
	/* Each name of a directory; other than 0 of fn ends it with -1. */
	int	(*list)(int dirfd, int (*fn)(void *, const char *), void *);
};

extern const struct disk_io	disk_io_real;

/* The table in use; a test changes it between two logs, never during one. */
extern const struct disk_io	*disk_io;

/* Never follows a link, waits at a fifo or survives an exec.  Mode 0600. */
int	disk_open(int dirfd, const char *, int flags);
/* Bytes read, fewer than n only at the end of the file; -1 with errno. */
ssize_t	disk_read(int, void *, size_t n, uint64_t offset);
/* All of it or -1 with errno; changes the vector. */
int	disk_write(int, struct iovec *, size_t count, uint64_t offset);

#endif
