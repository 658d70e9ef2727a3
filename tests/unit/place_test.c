/*
 * place_test - ids of a mailbox and its directory: ranges at their ends, what
 * is made, and that no link is followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/core/conf.h"
#include "mailboxd/place.h"

static char	dir[] = "/tmp/place_test.XXXXXX";
static int	store;

static int
setup(void **state)
{
	(void)state;
	conf_defaults();
	conf_put(C_MAILBOX_UID_BASE, "1048576");
	conf_put(C_MAILBOX_UID_COUNT, "1024");
	conf_put(C_TENANT_GID_BASE, "65536");
	conf_put(C_TENANT_GID_COUNT, "16");
	assert_non_null(mkdtemp(dir));
	store = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_not_equal(store, -1);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "3/2/5", "3/2/6", "3/2/7", "3/2",
	    "3", "4/1", "4", "elsewhere/1", "elsewhere" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (unlinkat(store, names[i], 0) == -1)
			unlinkat(store, names[i], AT_REMOVEDIR);
	}
	close(store);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static void
test_ids(void **state)
{
	static const struct {
		uint64_t	mailbox;
		uint32_t	tenant;
		int		rc;
	} rows[] = {
		{ 0, 1, -1 }, { 1, 0, 0 }, { 1022, 14, 0 }, { 1023, 15, 0 },
		{ 1024, 1, -1 }, { 1025, 1, -1 }, { 1, 16, -1 },
		{ UINT64_MAX, 1, -1 }, { 1, UINT32_MAX, -1 },
		/* What would wrap to a small number in 32 bits. */
		{ (uint64_t)1 << 32 | 1, 1, -1 },
		{ UINT64_MAX - 1048575, 1, -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place p = { .mailbox = rows[i].mailbox,
		    .tenant = rows[i].tenant };

		if (place_ids(&p) != rows[i].rc)
			fail_msg("row %zu", i);
		if (rows[i].rc == 0) {
			assert_int_equal(p.uid, 1048576 + rows[i].mailbox);
			assert_int_equal(p.gid, 65536 + rows[i].tenant);
		}
	}
}

static void
test_made(void **state)
{
	struct place	p = { .mailbox = 5, .tenant = 2, .shard = 3,
	    .uid = getuid(), .gid = getgid() };
	struct stat	st, again;
	int		fd;

	(void)state;
	fd = place_open(store, &p, 1);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* It only names the directory. */
	assert_int_equal(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	close(fd);
	fd = place_open(store, &p, 1);
	assert_int_equal(fstat(fd, &again), 0);
	assert_int_equal(st.st_ino, again.st_ino);
	close(fd);
	assert_int_equal(fstatat(store, "3/2/5", &again, 0), 0);
	assert_int_equal(st.st_ino, again.st_ino);
}

static void
test_links(void **state)
{
	struct place	p = { .mailbox = 6, .tenant = 2, .shard = 3,
	    .uid = getuid(), .gid = getgid() };
	int		fd;

	(void)state;
	assert_int_equal(mkdirat(store, "elsewhere", 0755), 0);
	/* In place of the mailbox, then of a level above. */
	assert_int_equal(symlinkat("../../elsewhere", store, "3/2/6"), 0);
	assert_int_equal(place_open(store, &p, 0), -1);
	assert_int_equal(symlinkat("elsewhere", store, "4"), 0);
	p.shard = 4;
	assert_int_equal(place_open(store, &p, 0), -1);
	/* A file is none either. */
	fd = openat(store, "3/2/7", O_CREAT | O_WRONLY, 0600);
	close(fd);
	p.shard = 3;
	p.mailbox = 7;
	assert_int_equal(place_open(store, &p, 0), -1);
	assert_int_equal(errno, ENOTDIR);
}

/* As root: given away once, and never taken from somebody else. */
static void
test_owner(void **state)
{
	struct place	p = { .mailbox = 5, .tenant = 2, .shard = 3,
	    .uid = 1048576 + 5, .gid = 65536 + 2 };
	struct stat	st;
	int		fd;

	(void)state;
	if (geteuid() != 0) {
		p.uid = getuid() + 1;
		assert_int_equal(place_open(store, &p, 1), -1);
		assert_int_equal(errno, EPERM);
		return;
	}
	fd = place_open(store, &p, 1);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, p.uid);
	assert_int_equal(st.st_gid, p.gid);
	close(fd);
	p.uid++;
	assert_int_equal(place_open(store, &p, 1), -1);
	assert_int_equal(errno, EPERM);
	/* Nobody asked for that: it stays as it is. */
	fd = place_open(store, &p, 0);
	assert_int_not_equal(fd, -1);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_made),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_owner),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
