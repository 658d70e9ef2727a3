/*
 * bodyfile - see bodyfile.h.
 */
#include "common/disk/bodyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"
#include "common/disk/io.h"

enum { PIECE = 256 * 1024 };

/* The hash of `size` bytes; a file that ends before is bad. */
static int
hash_file(int fd, uint64_t size, unsigned char sum[HASH_LEN])
{
	crypto_generichash_state st;
	unsigned char	*p = xcalloc(1, PIECE);
	uint64_t	 at;
	size_t		 n;
	ssize_t		 got;

	crypto_generichash_init(&st, NULL, 0, HASH_LEN);
	for (at = 0; at < size; at += n) {
		n = size - at < PIECE ? (size_t)(size - at) : PIECE;
		got = disk_read(fd, p, n, at);
		if (got != (ssize_t)n) {
			if (got != -1)
				errno = EBADMSG;
			break;
		}
		crypto_generichash_update(&st, p, n);
	}
	crypto_generichash_final(&st, sum, HASH_LEN);
	free(p);
	return at < size ? -1 : 0;
}

static int
check(int fd, uint64_t size, const unsigned char hash[HASH_LEN])
{
	unsigned char	sum[HASH_LEN];
	int64_t		have = disk_io->size(fd);

	if (have == -1)
		return -1;
	if ((uint64_t)have == size) {
		if (hash_file(fd, size, sum) == -1)
			return -1;
		if (memcmp(sum, hash, HASH_LEN) == 0)
			return 0;
	}
	errno = EBADMSG;
	return -1;
}

int
bodyfile_check(int dirfd, const char *name, uint64_t size,
    const unsigned char hash[HASH_LEN])
{
	int fd = disk_open(dirfd, name, O_RDONLY), r, saved;

	if (fd == -1)
		return -1;
	r = check(fd, size, hash);
	saved = errno;
	disk_io->close(fd);
	errno = saved;
	return r;
}
