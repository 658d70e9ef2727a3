/*
 * The ordered table under the store: transactions, scans, damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/log.h"
#include "mailboxd/index.h"

struct fixture {
	char		 path[64];
	int		 dirfd;
	struct index	*ix;
};

static int
set_up(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .path = "/tmp/postern-index-XXXXXX" };
	assert_non_null(mkdtemp(f.path));
	f.dirfd = open(f.path, O_RDONLY | O_DIRECTORY);
	f.ix = index_open(f.dirfd);
	assert_non_null(f.ix);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	index_close(f->ix);
	assert_int_equal(index_wipe(f->dirfd), 0);
	(void)close(f->dirfd);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(f->path), 0);
	return 0;
}

static void
reopen(struct fixture *f)
{
	index_close(f->ix);
	f->ix = index_open(f->dirfd);
	assert_non_null(f->ix);
}

static void
put(struct index *ix, const char *key, struct str value)
{
	assert_int_equal(index_begin(ix), 0);
	assert_int_equal(index_put(ix, str_c(key), value), 0);
	assert_int_equal(index_commit(ix), 0);
}

static void
assert_value(struct index *ix, const char *key, struct str value)
{
	struct buf b;

	buf_init(&b, INDEX_VALUE_MAX);
	assert_int_equal(index_get(ix, str_c(key), &b), 1);
	assert_true(str_eq(buf_str(&b), value));
	buf_clear(&b);
}

static void
test_put_get(void **state)
{
	static char	 large[INDEX_VALUE_MAX];
	struct fixture	*f = *state;
	struct buf	 b;
	size_t		 n;

	buf_init(&b, INDEX_VALUE_MAX);
	memset(large, 'l', sizeof(large));
	put(f->ix, "a", S("one"));
	put(f->ix, "a", S("two"));
	put(f->ix, "empty", S(""));
	assert_value(f->ix, "a", S("two"));
	assert_value(f->ix, "empty", S(""));
	assert_int_equal(index_get(f->ix, S("b"), &b), 0);
	/* Around the room that a plain get has. */
	for (n = 4095; n <= 4097; n++) {
		put(f->ix, "large", str_of(large, n));
		assert_value(f->ix, "large", str_of(large, n));
	}
	put(f->ix, "large", str_of(large, sizeof(large)));
	reopen(f);
	assert_value(f->ix, "large", str_of(large, sizeof(large)));
	assert_int_equal(index_begin(f->ix), 0);
	assert_int_equal(index_del(f->ix, S("a")), 0);
	assert_int_equal(index_del(f->ix, S("never")), 0);
	assert_int_equal(index_commit(f->ix), 0);
	assert_int_equal(index_get(f->ix, S("a"), &b), 0);
	buf_clear(&b);
}

struct seen {
	uint32_t	next, n;
	bool		stop;
};

static int
on_row(void *arg, struct str key, struct str value)
{
	struct seen	*s = arg;
	char		 want[32];

	snprintf(want, sizeof(want), "m%08u", s->next);
	assert_true(str_eq(key, str_c(want)));
	assert_true(str_eq(value, str_c(want)));
	s->next++;
	s->n++;
	return s->stop && s->n == 10 ? -1 : 0;
}

/* More than a bulk read holds, with neighbours on both sides. */
static void
test_scan(void **state)
{
	struct fixture	*f = *state;
	struct seen	 seen = { 0 };
	char		 key[32];
	unsigned	 i;

	put(f->ix, "l", S("before"));
	put(f->ix, "n", S("behind"));
	assert_int_equal(index_scan(f->ix, S("m"), on_row, &seen), 0);
	assert_int_equal(seen.n, 0);
	assert_int_equal(index_begin(f->ix), 0);
	for (i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "m%08u", i);
		assert_int_equal(index_put(f->ix, str_c(key), str_c(key)),
		    0);
	}
	/* A transaction sees its own rows. */
	assert_int_equal(index_scan(f->ix, S("m"), on_row, &seen), 0);
	assert_int_equal(seen.n, 20000);
	assert_int_equal(index_commit(f->ix), 0);
	reopen(f);
	seen = (struct seen){ .next = 300 };
	assert_int_equal(index_scan(f->ix, S("m000003"), on_row, &seen), 0);
	assert_int_equal(seen.n, 100);
	seen = (struct seen){ .stop = true };
	assert_int_equal(index_scan(f->ix, S("m"), on_row, &seen), -1);
	assert_int_equal(seen.n, 10);
}

/* A process dies in and between transactions: whole ones or none. */
static void
test_killed(void **state)
{
	struct fixture	*f = *state;
	struct buf	 b;
	pid_t		 pid;
	unsigned	 i;

	index_close(f->ix);
	f->ix = NULL;
	buf_init(&b, INDEX_VALUE_MAX);
	for (i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0) {
			f->ix = index_open(f->dirfd);
			put(f->ix, "whole", str_of("0123456789", i + 1));
			(void)index_begin(f->ix);
			(void)index_put(f->ix, S("half"), S("x"));
			_exit(0);
		}
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		f->ix = index_open(f->dirfd);
		assert_non_null(f->ix);
		assert_int_equal(index_get(f->ix, S("half"), &b), 0);
		/* Not synced, but a kill leaves what was written; what was
		 * only in Berkeley DB's buffer may be of before. */
		assert_true(index_get(f->ix, S("whole"), &b) != -1);
		index_close(f->ix);
		f->ix = NULL;
	}
	buf_clear(&b);
}

static int
any_row(void *arg, struct str key, struct str value)
{
	unsigned *n = arg;

	assert_true(str_eq(key, value));
	(*n)++;
	return 0;
}

/* A flipped byte in a page is never passed off as a row. */
static void
test_damage(void **state)
{
	struct fixture	*f = *state;
	char		 key[16], c;
	unsigned	 i, n, refused = 0;
	off_t		 at, size;
	int		 fd;

	assert_int_equal(index_begin(f->ix), 0);
	for (i = 0; i < 2000; i++) {
		snprintf(key, sizeof(key), "k%06u", i);
		assert_int_equal(index_put(f->ix, str_c(key), str_c(key)),
		    0);
	}
	assert_int_equal(index_commit(f->ix), 0);
	reopen(f);
	index_close(f->ix);
	fd = openat(f->dirfd, "index.db", O_RDWR);
	size = lseek(fd, 0, SEEK_END);
	for (at = 100; at < size; at += 3001) {
		assert_int_equal(pread(fd, &c, 1, at), 1);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
		f->ix = index_open(f->dirfd);
		n = 0;
		if (f->ix == NULL ||
		    index_scan(f->ix, S("k"), any_row, &n) == -1)
			refused++;
		else
			assert_int_equal(n, 2000);
		index_close(f->ix);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, at), 1);
	}
	(void)close(fd);
	assert_true(refused > 10);
	f->ix = NULL;
}

/* How many files of the write-ahead log are there. */
static unsigned
count_logs(int dirfd)
{
	struct dirent	*e;
	DIR		*d = fdopendir(dup(dirfd));
	unsigned	 n = 0;

	assert_non_null(d);
	rewinddir(d);
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "log.", 4) == 0)
			n++;
	}
	(void)closedir(d);
	return n;
}

/* 8 MiB of changes: the logs of what is in the table are removed. */
static void
test_logs_removed(void **state)
{
	struct fixture	*f = *state;
	char		 key[16], value[1024];
	unsigned	 i, j;

	memset(value, 'v', sizeof(value));
	for (i = 0; i < 800; i++) {
		assert_int_equal(index_begin(f->ix), 0);
		for (j = 0; j < 10; j++) {
			snprintf(key, sizeof(key), "k%u", j);
			assert_int_equal(index_put(f->ix, str_c(key),
			    str_of(value, sizeof(value))), 0);
		}
		assert_int_equal(index_commit(f->ix), 0);
	}
	assert_true(count_logs(f->dirfd) <= 8);
	reopen(f);
	assert_true(count_logs(f->dirfd) <= 2);
}

/* Flips a bit of a file. */
static void
flip_file(int dirfd, const char *name, off_t at)
{
	int	fd = openat(dirfd, name, O_RDWR);
	char	c;

	assert_int_equal(pread(fd, &c, 1, at), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
}

/*
 * Berkeley DB would take a damaged record of its log for the log's end, undo
 * what has none, and say nothing.  ATTACKS K-04.
 */
static void
test_log_damage(void **state)
{
	struct fixture	*f = *state;
	struct buf	 b;
	off_t		 at;
	int		 fd;

	put(f->ix, "a", S("x"));
	put(f->ix, "b", S("y"));
	for (at = 0; at < 2000; at += 37) {
		index_close(f->ix);
		flip_file(f->dirfd, "log.0000000001", at);
		f->ix = index_open(f->dirfd);
		assert_null(f->ix);
		/* It is told once: who opens it then has been warned. */
		flip_file(f->dirfd, "log.0000000001", at);
		reopen(f);
	}
	buf_init(&b, 100);
	assert_int_equal(index_get(f->ix, S("a"), &b), 1);
	assert_int_equal(index_get(f->ix, S("b"), &b), 1);
	/* A file more or less; and half a sum. */
	index_close(f->ix);
	fd = openat(f->dirfd, "log.0000000077", O_CREAT | O_WRONLY, 0600);
	(void)close(fd);
	f->ix = index_open(f->dirfd);
	assert_null(f->ix);
	assert_int_equal(unlinkat(f->dirfd, "log.0000000077", 0), 0);
	reopen(f);
	index_close(f->ix);
	assert_int_equal(truncate("closed", 3), 0);
	f->ix = index_open(f->dirfd);
	assert_null(f->ix);
	/* While it is open, and after a kill, there is none. */
	reopen(f);
	assert_int_equal(faccessat(f->dirfd, "closed", F_OK, 0), -1);
	buf_clear(&b);
}

/* What nobody here makes: refused before Berkeley DB sees it, and wiped. */
static void
test_foreign_refused(void **state)
{
	static const struct {
		const char	*name;
		mode_t		 type;	/* 0: a link */
	} rows[] = {
		{ "DB_CONFIG", S_IFREG }, { "DB_CONFIG", 0 },
		{ "index.db", S_IFIFO }, { "index.db", 0 },
		{ "log.0000000001", S_IFIFO }, { "log.0000000009", S_IFIFO },
		{ "__db.001", S_IFIFO }, { "__db.001", 0 },
		{ "x", S_IFSOCK },
	};
	struct fixture	*f = *state;
	size_t		 i;
	int		 r;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		index_close(f->ix);
		(void)unlinkat(f->dirfd, rows[i].name, 0);
		r = rows[i].type == 0 ?
		    symlinkat("/dev/zero", f->dirfd, rows[i].name) :
		    mknodat(f->dirfd, rows[i].name, rows[i].type | 0600, 0);
		assert_int_equal(r, 0);
		f->ix = index_open(f->dirfd);
		assert_null(f->ix);
		assert_int_equal(index_wipe(f->dirfd), 0);
		f->ix = index_open(f->dirfd);
		assert_non_null(f->ix);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_put_get),
		TEST(test_scan),
		TEST(test_killed),
		TEST(test_damage),
		TEST(test_logs_removed),
		TEST(test_log_damage),
		TEST(test_foreign_refused),
	};

	log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
