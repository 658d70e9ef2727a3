/*
 * bodyfile - see bodyfile.h.
 */
#include "common/disk/bodyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "common/disk/io.h"

enum { PIECE = 256 * 1024 };

struct bodyfile {
	int			 fd;
	crypto_generichash_state *hash;	/* NULL: it is believed */
	unsigned char		 believed[HASH_LEN];
};

struct bodyfile_name
bodyfile_name(const struct bodyfiles *b, uint64_t id)
{
	struct bodyfile_name n;

	snprintf(n.s, sizeof(n.s), "%.15s%s", b->prefix, id_text(id).s);
	return n;
}

/* -- being written ------------------------------------------------------- */

/* libsodium wants it aligned to a cache line. */
static crypto_generichash_state *
hash_new(void)
{
	crypto_generichash_state *st = aligned_alloc(64,
	    (crypto_generichash_statebytes() + 63) / 64 * 64);

	if (st == NULL)
		fatal("memory");
	crypto_generichash_init(st, NULL, 0, HASH_LEN);
	return st;
}

struct bodyfile *
bodyfile_create(const struct bodyfiles *b, uint64_t id)
{
	struct bodyfile	*f;
	int		 fd = disk_open(b->dir, bodyfile_name(b, id).s,
	    O_WRONLY | O_CREAT | O_EXCL);

	if (fd == -1)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	f->fd = fd;
	f->hash = hash_new();
	return f;
}

int
bodyfile_write(struct bodyfile *f, struct str s)
{
	ssize_t n;

	crypto_generichash_update(f->hash, (const unsigned char *)s.p, s.n);
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

/* copy_file_range does not go between all file systems. */
static ssize_t
copy_some(int to, int from, uint64_t at, size_t n, bool *plain)
{
	off_t	offset = (off_t)at;
	ssize_t	got = -1;

	if (!*plain) {
		got = copy_file_range(from, &offset, to, NULL, n, 0);
		if (got == -1 && (errno == EXDEV || errno == EINVAL ||
		    errno == ENOSYS || errno == EOPNOTSUPP))
			*plain = true;
	}
	if (*plain)
		got = sendfile(to, from, &offset, n);
	return got;
}

int
bodyfile_copy(struct bodyfile *f, int fd, uint64_t size,
    const unsigned char hash[HASH_LEN])
{
	bool		plain = false;
	uint64_t	at = 0;
	ssize_t		n;

	while (at < size) {
		n = copy_some(f->fd, fd, at, (size_t)(size - at), &plain);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EMSGSIZE;
		if (n <= 0)
			return -1;
		at += (uint64_t)n;
	}
	free(f->hash);
	f->hash = NULL;
	memcpy(f->believed, hash, HASH_LEN);
	return 0;
}

void
bodyfile_end(struct bodyfile *f, unsigned char hash[HASH_LEN])
{
	if (f->hash != NULL)
		crypto_generichash_final(f->hash, hash, HASH_LEN);
	else
		memcpy(hash, f->believed, HASH_LEN);
}

void
bodyfile_free(struct bodyfile *f)
{
	if (f == NULL)
		return;
	close(f->fd);
	free(f->hash);
	free(f);
}

/* -- written ------------------------------------------------------------- */

/* Keeps errno. */
static int
done(int fd, int r)
{
	int saved = errno;

	disk_io->close(fd);
	errno = saved;
	return r;
}

int
bodyfile_sync(const struct bodyfiles *b, uint64_t id)
{
	int fd = disk_open(b->dir, bodyfile_name(b, id).s, O_RDONLY);

	if (fd == -1)
		return -1;
	if (done(fd, disk_io->datasync(fd)) == -1)
		return -1;
	return disk_io->sync(b->dir);
}

int
bodyfile_remove(const struct bodyfiles *b, uint64_t id)
{
	return disk_io->unlink(b->dir, bodyfile_name(b, id).s);
}

int
bodyfile_open(const struct bodyfiles *b, uint64_t id, uint64_t size)
{
	int	fd = disk_open(b->dir, bodyfile_name(b, id).s, O_RDONLY);
	int64_t	have;

	if (fd == -1)
		return -1;
	have = disk_io->size(fd);
	if (have != -1 && (uint64_t)have == size)
		return fd;
	if (have != -1)
		errno = EBADMSG;
	return done(fd, -1);
}

int
bodyfile_read(const struct bodyfiles *b, uint64_t id, uint64_t from,
    size_t n, struct buf *out)
{
	char	*p = buf_room(out, n);
	ssize_t	 got;
	int	 fd;

	if (p == NULL) {
		errno = ENOMEM;
		return -1;
	}
	fd = disk_open(b->dir, bodyfile_name(b, id).s, O_RDONLY);
	if (fd == -1)
		return -1;
	got = disk_read(fd, p, n, from);
	if (got != -1 && (size_t)got != n) {
		errno = EBADMSG;
		got = -1;
	}
	if (got != -1)
		buf_grow(out, n);
	return done(fd, got == -1 ? -1 : 0);
}

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
	int fd = disk_open(dirfd, name, O_RDONLY);

	return fd == -1 ? -1 : done(fd, check(fd, size, hash));
}

struct sweep {
	const struct bodyfiles	*b;
	bodyfile_keep_fn	*keep;
	void			*arg;
	int			 n;
};

static int
sweep_one(void *arg, const char *name)
{
	struct sweep	*s = arg;
	struct str	 rest = str_c(name);
	uint64_t	 id;

	if (!str_starts(rest, str_c(s->b->prefix)))
		return 0;
	rest = str_from(rest, strlen(s->b->prefix));
	if (id_parse(rest, &id) == 0 && !s->keep(s->arg, id) &&
	    bodyfile_remove(s->b, id) == 0)
		s->n++;
	return 0;
}

int
bodyfile_sweep(const struct bodyfiles *b, bodyfile_keep_fn *keep, void *arg)
{
	struct sweep s = { .b = b, .keep = keep, .arg = arg };

	if (disk_io->list(b->dir, sweep_one, &s) == -1)
		return -1;
	return s.n;
}
