/*
 * Deliveries and appends that wait for the files of large messages: whom they
 * hold up, and what becomes of them when something goes wrong meanwhile.
 */
#include "tests/lib/incoming_rig.h"

#include <dirent.h>
#include <sys/stat.h>

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

/* Its record is in the frame already: all of it waits, and no more comes. */
static void
test_append_holds_all(void **state)
{
	(void)state;
	append(LARGE);
	turns();
	assert_int_equal(result, MBOX_WAIT);
	send_one(10);
	append(LARGE);
	pass(1000);
	assert_int_equal(result, MBOX_WAIT);
	assert_int_equal(ntold, 0);
	/* It was not even read. */
	assert_true(incoming_is_idle());
	help();
	assert_int_equal(result, MBOX_WAIT);
	help();
	assert_int_equal(result, MBOX_OK);
	assert_int_equal(ntold, 1);
	assert_int_equal(seen(), 3);
}

static int64_t
log_bytes(void)
{
	int		 fd = openat(box.dirfd, "log", O_RDONLY);
	DIR		*d = fdopendir(fd);
	struct dirent	*e;
	struct stat	 st;
	int64_t		 sum = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		assert_int_equal(fstatat(fd, e->d_name, &st, 0), 0);
		if (S_ISREG(st.st_mode) && strncmp(e->d_name, "body-", 5) != 0)
			sum += st.st_size;
	}
	closedir(d);
	return sum;
}

/* More than a frame takes early: none is committed that names such a file. */
static void
test_no_early_commit(void **state)
{
	int64_t	before;
	int	i;

	(void)state;
	reopen(sizeof(text) - 1);
	append(10);
	turns();
	before = log_bytes();
	append(sizeof(text));
	for (i = 0; i < 40; i++)
		append(sizeof(text) - 1);
	assert_int_equal(log_bytes(), before);
	turns();
	assert_int_equal(result, MBOX_WAIT);
	assert_int_equal(log_bytes(), before);
	help();
	assert_int_equal(result, MBOX_OK);
	assert_true(log_bytes() > before);
	assert_int_equal(seen(), 42);
}

/* The helper says that it failed, or dies: nobody was told, and it ends. */
static void
test_append_not_durable(void **state)
{
	int way;

	(void)state;
	for (way = 0; way < 2; way++) {
		append(LARGE);
		turns();
		assert_int_equal(result, MBOX_WAIT);
		if (way == 0) {
			/* The file is gone from under it. */
			mailbox_remove_dir(&box, "log");
			assert_int_equal(mkdirat(box.dirfd, "log", 0700), 0);
			help();
		} else {
			close(helper);
			helper = -1;
			turns();
		}
		assert_int_equal(result, MBOX_DEAD);
		mailbox_remove(&box);
		mailbox_make(&box);
		box.conf.bulk = bulk;
		mailbox_open(&box);
		chan_close(local);
		turns();
		connect_local();
		result = MBOX_OK;
	}
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

/* Closed while it waits: what was not told of has not happened. */
static void
test_closed_meanwhile(void **state)
{
	(void)state;
	append(10);
	turns();
	append(LARGE);
	turns();
	assert_int_equal(result, MBOX_WAIT);
	reopen(box.conf.inline_max);
	assert_int_equal(seen(), 1);
	assert_int_equal(box.report.swept, 1);
	assert_int_equal(box.report.log.torn_bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_large_holds_nobody), T(test_append_holds_all),
		T(test_no_early_commit), T(test_append_not_durable),
		T(test_delivery_not_durable), T(test_closed_meanwhile),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
