/*
 * Deliveries and appends that wait for the files of large messages: whom they
 * hold up, and what becomes of them when something goes wrong meanwhile.
 */
#include "tests/lib/incoming_rig.h"

#include <dirent.h>
#include <errno.h>

/* It waits for its file; those behind it and sessions do not. */
static void
test_large_holds_nobody(void **state)
{
	(void)state;
	send_one(LARGE);
	assert_told(0);
	send_one(10);
	assert_told(1);
	append(10);
	turns();
	assert_int_equal(seen(), 2);
	pass(1000);
	assert_int_equal(ntold, 1);
	assert_false(incoming_is_idle());
	help();
	assert_int_equal(ntold, 2);
	assert_int_equal(told[1], qid - 1);
	assert_int_equal(seen(), 3);
}

/* It waits for its file; other appends, deliveries and readers do not. */
static void
test_append_holds_nobody(void **state)
{
	struct store_append *a, *b;

	(void)state;
	a = append_begun(LARGE);
	turns();
	assert_false(append_is_ready(a));
	assert_int_equal(result, MBOX_OK);
	send_one(10);
	assert_told(1);
	append(10);
	b = append_begun(LARGE);
	turns();
	assert_int_equal(result, MBOX_OK);
	assert_int_equal(seen(), 2);
	help();
	assert_true(append_is_ready(a));
	assert_false(append_is_ready(b));
	assert_int_equal(append_done(a), STORE_OK);
	turns();
	assert_int_equal(seen(), 3);
	help();
	assert_int_equal(append_done(b), STORE_OK);
	turns();
	assert_int_equal(result, MBOX_OK);
	assert_int_equal(seen(), 4);
	reopen(box.conf.inline_max);
	assert_int_equal(seen(), 4);
	assert_int_equal(box.report.swept, 0);
}

/* How many bodies are files; removes them. */
static unsigned
walk_bodies(bool remove)
{
	int		 fd = openat(box.dirfd, "log", O_RDONLY);
	DIR		*d = fdopendir(fd);
	struct dirent	*e;
	unsigned	 n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "body-", 5) != 0)
			continue;
		n++;
		if (remove)
			assert_int_equal(unlinkat(fd, e->d_name, 0), 0);
	}
	closedir(d);
	return n;
}

static unsigned
body_files(void)
{
	return walk_bodies(false);
}

/*
 * The helper says that it failed, or dies, or none is to be had: the message
 * is refused, nothing of it is left, and the mailbox goes on.
 */
static void
test_append_not_durable(void **state)
{
	static const enum store_result want[] = { STORE_ERROR, STORE_ERROR,
	    STORE_ERROR, STORE_FULL };
	struct store_append	*a;
	size_t			 way;

	(void)state;
	for (way = 0; way < LENGTH(want); way++) {
		a = append_begun(LARGE);
		turns();
		if (way == 0) {
			/* The file is gone from under it. */
			assert_int_equal(walk_bodies(true), 1);
			help();
		} else if (way == 1) {
			close(helper);
			helper = -1;
			turns();
		} else {
			bulk_fail(bulk, way == 2 ? ETIMEDOUT : ENOSPC);
		}
		assert_true(append_is_ready(a));
		assert_int_equal(append_done(a), want[way]);
		turns();
		assert_int_equal(result, MBOX_OK);
		assert_int_equal(seen(), way);
		assert_int_equal(body_files(), 0);
		if (way >= 2) {
			close(helper);
			helper = -1;
			turns();
		}
		append(10);
		turns();
		assert_int_equal(result, MBOX_OK);
	}
	/* Another helper comes when it is needed. */
	a = append_begun(LARGE);
	help();
	assert_int_equal(append_done(a), STORE_OK);
	turns();
	assert_int_equal(seen(), way + 1);
}

/* A session that ends meanwhile, and one that does not get to it. */
static void
test_append_left(void **state)
{
	struct store_append *a;

	(void)state;
	a = append_begun(LARGE);
	turns();
	box.s.ops->append_abort(box.s.impl, a);
	assert_int_equal(body_files(), 0);
	help();
	assert_int_equal(result, MBOX_OK);
	a = append_begun(LARGE);
	help();
	assert_true(append_is_ready(a));
	box.s.ops->append_abort(box.s.impl, a);
	assert_int_equal(body_files(), 0);
	turns();
	assert_int_equal(seen(), 0);
}

/* Its folder goes, or the mailbox gets full, while it waits. */
static void
test_append_refused_late(void **state)
{
	struct store_append *a;

	(void)state;
	a = append_begun(LARGE);
	turns();
	append(10);
	mbox_limit(box.m, (struct quota){ .size = LARGE + 9 });
	help();
	assert_int_equal(append_done(a), STORE_QUOTA);
	assert_int_equal(body_files(), 0);
	turns();
	assert_int_equal(seen(), 1);
}

/* Of a delivery nothing depends on the file yet: it alone fails. */
static void
test_delivery_not_durable(void **state)
{
	(void)state;
	send_one(LARGE);
	close(helper);
	helper = -1;
	turns();
	assert_int_equal(ntold, 1);
	assert_int_equal(status[0], JOB_TEMP);
	assert_int_equal(result, MBOX_OK);
	assert_int_equal(seen(), 0);
	/* And is taken when it comes again. */
	qid--;
	pass(1000);
	send_one(LARGE);
	help();
	assert_int_equal(ntold, 2);
	assert_int_equal(status[1], JOB_DONE);
	assert_int_equal(seen(), 1);
}

/* The process ends while one waits: what was not told has not happened. */
static void
test_crash_meanwhile(void **state)
{
	struct store_append *a;

	(void)state;
	append(10);
	turns();
	a = append_begun(LARGE);
	turns();
	/* The log, as a crash would leave it. */
	mailbox_copy_dir(&box, "log", "old");
	box.s.ops->append_abort(box.s.impl, a);
	help();
	chan_close(local);
	turns();
	mailbox_close(&box);
	mailbox_copy_dir(&box, "old", "log");
	mailbox_remove_dir(&box, "old");
	mailbox_open(&box);
	connect_local();
	assert_int_equal(seen(), 1);
	assert_int_equal(body_files(), 0);
	assert_int_equal(box.report.swept, 1);
	assert_int_equal(box.report.log.torn_bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_large_holds_nobody), T(test_append_holds_nobody),
		T(test_append_not_durable), T(test_append_left),
		T(test_append_refused_late), T(test_delivery_not_durable),
		T(test_crash_meanwhile),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
