/*
 * Files of large payloads against size and hash: sound, of every size about
 * the piece in which they are read, and damaged in each way.
 */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/xalloc.h"
#include "common/disk/bodyfile.h"
#include "common/disk/io.h"
#include "tests/lib/tmpdir.h"

enum { PIECE = 256 * 1024 };	/* as it reads */

static struct tmpdir	dir;
static unsigned char	sum[HASH_LEN];

static int
set_up(void **state)
{
	(void)state;
	assert_int_not_equal(sodium_init(), -1);
	tmpdir_make(&dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	tmpdir_remove(&dir);
	return 0;
}

/* A file of n bytes, no two pieces of it alike; its hash is in sum. */
static void
make(size_t n)
{
	unsigned char	*p = xcalloc(1, n + 1);
	size_t		 i;
	int		 fd;

	for (i = 0; i < n; i++)
		p[i] = (unsigned char)(i ^ i >> 8 ^ i >> 16);
	crypto_generichash(sum, HASH_LEN, p, n, NULL, 0);
	fd = openat(dir.fd, "body", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
	free(p);
}

static void
flip(size_t at)
{
	int		fd = openat(dir.fd, "body", O_RDWR);
	unsigned char	c;

	assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
	c ^= 4;
	assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
	close(fd);
}

static int
check(size_t n)
{
	errno = 0;
	return bodyfile_check(dir.fd, "body", n, sum);
}

static const size_t sizes[] = { 0, 1, PIECE - 1, PIECE, PIECE + 1,
    3 * PIECE + 7 };

static void
test_sound(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(sizes); i++) {
		make(sizes[i]);
		assert_int_equal(check(sizes[i]), 0);
	}
}

static void
test_size(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(sizes); i++) {
		make(sizes[i]);
		assert_int_equal(check(sizes[i] + 1), -1);
		assert_int_equal(errno, EBADMSG);
		if (sizes[i] == 0)
			continue;
		assert_int_equal(check(sizes[i] - 1), -1);
		assert_int_equal(errno, EBADMSG);
	}
}

static void
test_flipped(void **state)
{
	size_t i;

	(void)state;
	for (i = 1; i < LENGTH(sizes); i++) {
		make(sizes[i]);
		flip(sizes[i] - 1);
		assert_int_equal(check(sizes[i]), -1);
		assert_int_equal(errno, EBADMSG);
		flip(sizes[i] - 1);
		assert_int_equal(check(sizes[i]), 0);
		flip(0);
		assert_int_equal(check(sizes[i]), -1);
		assert_int_equal(errno, EBADMSG);
	}
}

static void
test_not_there(void **state)
{
	(void)state;
	assert_int_equal(check(0), -1);
	assert_int_equal(errno, ENOENT);
	/* Only a file, and never through a link. */
	make(10);
	assert_int_equal(renameat(dir.fd, "body", dir.fd, "other"), 0);
	assert_int_equal(symlinkat("other", dir.fd, "body"), 0);
	assert_int_equal(check(10), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(unlinkat(dir.fd, "body", 0), 0);
	assert_int_equal(mkdirat(dir.fd, "body", 0700), 0);
	assert_int_equal(check(0), -1);
	assert_int_equal(errno, EINVAL);
}

static ssize_t
failing_pread(int fd, void *p, size_t n, off_t at)
{
	(void)fd;
	(void)p;
	(void)n;
	(void)at;
	errno = EIO;
	return -1;
}

/* A disk that cannot be read is not a file that is damaged. */
static void
test_disk_fails(void **state)
{
	struct disk_io io = disk_io_real;

	(void)state;
	make(100);
	io.pread = failing_pread;
	disk_io = &io;
	assert_int_equal(check(100), -1);
	assert_int_equal(errno, EIO);
	disk_io = &disk_io_real;
}

/* Written in pieces, copied in the kernel: the same file, the same hash. */
static void
test_written(void **state)
{
	const struct bodyfiles	 b = { dir.fd, "body-" };
	unsigned char		 hash[HASH_LEN], copied[HASH_LEN];
	struct bodyfile		*f = bodyfile_create(&b, 7);
	struct buf		 out;
	int			 fd;

	(void)state;
	assert_null(bodyfile_create(&b, 7));
	assert_int_equal(errno, EEXIST);
	assert_int_equal(bodyfile_write(f, S("hello, ")), 0);
	assert_int_equal(bodyfile_write(f, S("world")), 0);
	bodyfile_end(f, hash);
	bodyfile_free(f);
	assert_int_equal(bodyfile_sync(&b, 7), 0);
	assert_int_equal(bodyfile_check(dir.fd, bodyfile_name(&b, 7).s, 12,
	    hash), 0);
	assert_int_equal(bodyfile_open(&b, 7, 11), -1);
	assert_int_equal(errno, EBADMSG);
	fd = bodyfile_open(&b, 7, 12);
	f = bodyfile_create(&b, 8);
	assert_int_equal(bodyfile_copy(f, fd, 13, hash), -1);
	assert_int_equal(errno, EMSGSIZE);
	bodyfile_free(f);
	assert_int_equal(bodyfile_remove(&b, 8), 0);
	f = bodyfile_create(&b, 8);
	assert_int_equal(bodyfile_copy(f, fd, 12, hash), 0);
	bodyfile_end(f, copied);
	bodyfile_free(f);
	close(fd);
	assert_memory_equal(hash, copied, HASH_LEN);
	buf_init(&out, 100);
	assert_int_equal(bodyfile_read(&b, 8, 7, 5, &out), 0);
	assert_str(buf_str(&out), "world");
	assert_int_equal(bodyfile_read(&b, 8, 7, 6, &out), -1);
	assert_int_equal(errno, EBADMSG);
	assert_str(buf_str(&out), "world");
	buf_clear(&out);
	assert_int_equal(bodyfile_sync(&b, 9), -1);
	assert_int_equal(errno, ENOENT);
}

static bool
is_even(void *arg, uint64_t id)
{
	(void)arg;
	return id % 2 == 0;
}

static void
test_swept(void **state)
{
	static const char *const names[] = { "body-0000000000001",
	    "body-0000000000002", "body-x", "0000000000003", "log",
	    "body-0000000000005~" };
	const struct bodyfiles	b = { dir.fd, "body-" };
	size_t			i;

	(void)state;
	for (i = 0; i < LENGTH(names); i++)
		close(openat(dir.fd, names[i], O_CREAT | O_WRONLY, 0600));
	assert_int_equal(bodyfile_sweep(&b, is_even, NULL), 1);
	for (i = 0; i < LENGTH(names); i++)
		assert_int_equal(faccessat(dir.fd, names[i], F_OK, 0),
		    i == 0 ? -1 : 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_sound), T(test_size), T(test_flipped),
		T(test_not_there), T(test_disk_fails), T(test_written),
		T(test_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
