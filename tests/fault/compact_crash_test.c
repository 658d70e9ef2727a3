/*
 * Power that fails, and calls that fail, at each disk call of snapshots and
 * compaction: the mailbox shows what it showed, with its index and without,
 * and the upkeep goes on to its end.
 *
 * The record log lives on the simulated disk; the index and bodies in files
 * are real, and are what was there when the power failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "mailboxd/deliver.h"
#include "mailboxd/mbox.h"
#include "tests/lib/mailbox.h"
#include "tests/lib/simdisk.h"
#include "tests/lib/steps.h"

enum {
	FAR = 100000,		/* simulated descriptors begin here */
	DUMP_MAX = 4 * 1024 * 1024,
	STEPS_MAX = 5000,
	QIDS = 12
};

/* -- the log's directory is the simulated one ------------------------- */

static bool
is_body(const char *name)
{
	return strncmp(name, "body-", 5) == 0;
}

/* No power, no real disk either. */
static bool
is_off(void)
{
	errno = EIO;
	return sim_stopped();
}

static int
shim_open(int dirfd, const char *name, int flags, mode_t mode)
{
	int fd;

	if (is_body(name))
		return is_off() ? -1 :
		    disk_io_real.open(dirfd, name, flags, mode);
	fd = sim_io.open(SIM_DIRFD, name, flags, mode);
	return fd == -1 ? -1 : fd + FAR;
}

static int
shim_close(int fd)
{
	if (fd < FAR)
		return disk_io_real.close(fd);
	return sim_io.close(fd - FAR);
}

static ssize_t
shim_pread(int fd, void *p, size_t n, off_t at)
{
	if (fd < FAR)
		return is_off() ? -1 : disk_io_real.pread(fd, p, n, at);
	return sim_io.pread(fd - FAR, p, n, at);
}

static ssize_t
shim_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	return sim_io.pwritev(fd - FAR, v, n, at);
}

static int
shim_datasync(int fd)
{
	if (fd < FAR)
		return is_off() ? -1 : 0;
	return sim_io.datasync(fd - FAR);
}

static int
shim_sync(int fd)
{
	return sim_io.sync(fd >= FAR ? fd - FAR : SIM_DIRFD);
}

static int
shim_truncate(int fd, off_t n)
{
	return sim_io.truncate(fd - FAR, n);
}

static int
shim_rename(int dirfd, const char *from, const char *to)
{
	(void)dirfd;
	return sim_io.rename(SIM_DIRFD, from, to);
}

static int
shim_unlink(int dirfd, const char *name)
{
	if (is_body(name))
		return is_off() ? -1 : disk_io_real.unlink(dirfd, name);
	return sim_io.unlink(SIM_DIRFD, name);
}

static int64_t
shim_size(int fd)
{
	if (fd < FAR)
		return is_off() ? -1 : disk_io_real.size(fd);
	return sim_io.size(fd - FAR);
}

static int
shim_list(int dirfd, int (*fn)(void *, const char *), void *arg)
{
	if (sim_io.list(SIM_DIRFD, fn, arg) == -1)
		return -1;
	return is_off() ? -1 : disk_io_real.list(dirfd, fn, arg);
}

static const struct disk_io shim = {
	.open = shim_open,
	.close = shim_close,
	.pread = shim_pread,
	.pwritev = shim_pwritev,
	.datasync = shim_datasync,
	.sync = shim_sync,
	.truncate = shim_truncate,
	.rename = shim_rename,
	.unlink = shim_unlink,
	.size = shim_size,
	.list = shim_list,
};

/* -- the mailbox ------------------------------------------------------ */

static struct mailbox	box;
static struct buf	expected;
static unsigned		segments;	/* before */
static unsigned		runs;		/* of fails() */

static unsigned
count_segments(void)
{
	const char	*name;
	unsigned	 n = 0;
	int		 k;

	for (k = 0; (name = sim_name(k)) != NULL; k++)
		n += strstr(name, ".seg") != NULL;
	return n;
}

static void
put(const char *folder, uint32_t seed, size_t n)
{
	static char		text[32 * 1024];
	enum store_result	r;
	size_t			i;

	for (i = 0; i < n; i++)
		text[i] = (char)(33 + step_below(&seed, seed % 2 ? 90 : 2));
	assert_int_not_equal(store_put(box.s, folder, str_of(text, n), 0,
	    &r), 0);
	mailbox_turn(&box);
}

static void
deliver(uint64_t qid)
{
	const struct deliver_new new = { .qid = qid, .date = 1700000000,
	    .sender = S("s@x"), .rcpt = S("r@x"), .size = 5 };
	struct deliver		*d;

	assert_int_equal(deliver_begin(box.m, &new, &d), DELIVER_OK);
	assert_int_equal(deliver_data(d, S("text\n")), DELIVER_OK);
	assert_int_equal(deliver_end(d), DELIVER_OK);
	mailbox_turn(&box);
}

static void
change(const char *folder, bool all)
{
	struct store_folder	*f;
	uint32_t		 uids[200], validity;
	size_t			 i, n = 0;

	assert_int_equal(box.s.ops->open(box.s.impl, str_c(folder), &f),
	    STORE_OK);
	for (i = 0; i < f->n && n < 200; i++) {
		if (all || i % 3 != 0)
			uids[n++] = f->msgs[i].uid;
	}
	assert_int_equal(box.s.ops->flags(box.s.impl, f, uids, 2, STORE_ADD,
	    STORE_FLAGGED, 0), STORE_OK);
	assert_int_equal(box.s.ops->copy(box.s.impl, f, uids, 2,
	    S("copies"), &validity, NULL), STORE_OK);
	assert_int_equal(box.s.ops->expunge(box.s.impl, f, uids, n),
	    STORE_OK);
	box.s.ops->close(box.s.impl, f);
	mailbox_turn(&box);
}

/* Segments that are dead, that have few and many live bodies; files. */
static void
make(void)
{
	uint32_t i;

	assert_int_equal(box.s.ops->create(box.s.impl, S("copies")),
	    STORE_OK);
	assert_int_equal(box.s.ops->create(box.s.impl, S("a/b")), STORE_OK);
	assert_int_equal(box.s.ops->subscribe(box.s.impl, S("a/b"), true),
	    STORE_OK);
	for (i = 0; i < 8; i++)
		put("a/b", i, 400 + i * 50);
	for (i = 0; i < 30; i++) {
		put("INBOX", i, i % 8 == 0 ? 5000 : 900);
		if (i < QIDS)
			deliver(i);
		if (i % 5 == 0)
			put("a/b", i, 300);
	}
	change("INBOX", false);
	for (i = 0; i < 4; i++)
		put("a/b", i, 300);
	change("INBOX", true);
	for (i = 0; i < 2; i++)
		put("INBOX", i, 1500);
}

static int
set_up(void **state)
{
	(void)state;
	sim_reset(1);
	disk_io = &shim;
	clock_set(1000, 1700000000000);
	mailbox_make(&box);
	box.conf.segment_max = 4 * 1024;
	box.conf.inline_max = 2 * 1024;
	box.conf.undelete = 0;
	mailbox_open(&box);
	make();
	buf_init(&expected, DUMP_MAX);
	store_dump(box.s, &expected, true);
	mailbox_close(&box);
	mailbox_copy_dir(&box, "index", "index.0");
	mailbox_copy_dir(&box, "log", "log.0");
	segments = count_segments();
	sim_save();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mailbox_remove(&box);
	buf_clear(&expected);
	disk_io = &disk_io_real;
	sim_reset(1);
	clock_release();
	log_flush();
	return 0;
}

static void
check(const char *what, uint64_t at)
{
	struct buf	b;
	uint64_t	qid;

	buf_init(&b, DUMP_MAX);
	store_dump(box.s, &b, true);
	if (!str_eq(buf_str(&b), buf_str(&expected))) {
		print_message("%s at call %llu:\n%.*s\n-- was --\n%.*s\n",
		    what, (unsigned long long)at, (int)b.n, b.p + b.at,
		    (int)expected.n, expected.p + expected.at);
		fail();
	}
	for (qid = 0; qid < QIDS; qid++)
		assert_int_equal(mbox_is_delivered(box.m, qid), 1);
	buf_clear(&b);
}

/* Whether it came to its end. */
static bool
upkeep(void)
{
	unsigned n = 0;

	while (mbox_wants_upkeep(box.m)) {
		if (mbox_upkeep(box.m) != MBOX_OK)
			return false;
		assert_true(++n < STEPS_MAX);
	}
	return !box.m->dead;
}

static void
restore(void)
{
	sim_restore();
	mailbox_copy_dir(&box, "index.0", "index");
	mailbox_copy_dir(&box, "log.0", "log");
	clock_set(1000, 1700000000000);
}

static void
open_again(bool without_index, uint64_t at)
{
	if (without_index)
		mailbox_remove_dir(&box, "index");
	mailbox_open(&box);
	assert_int_equal(box.report.skipped, 0);
	assert_int_equal(box.report.bad_snapshots, 0);
	assert_false(box.report.no_index);
	if (without_index)
		assert_true(box.report.rebuilt);
	check(without_index ? "without index" : "with index", at);
}

/* What was begun is finished, and shows the same. */
static void
finish(bool without_index, uint64_t at)
{
	clock_set(clock_now() + 2 * 3600 * 1000, 1700000000000);
	assert_true(upkeep());
	check("finished", at);
	assert_true(count_segments() + 3 < segments);
	mailbox_close(&box);
	open_again(!without_index, at);
	mailbox_close(&box);
}

/* -- tests ------------------------------------------------------------ */

static void
test_whole(void **state)
{
	(void)state;
	restore();
	mailbox_open(&box);
	check("before", 0);
	finish(false, 0);
}

static void
power(enum sim_fault fault)
{
	const char	*all = getenv("ALL");
	uint64_t	 at;
	bool		 stopped = true, bare;
	unsigned	 way, ways = all == NULL ? 1 : 6;

	for (at = 1; stopped; at++) {
		for (way = 0; way < ways; way++) {
			restore();
			mailbox_open(&box);
			sim_arm(fault, at, 1);
			(void)upkeep();
			stopped = sim_stopped();
			mailbox_close(&box);
			sim_power((enum sim_keep)((at + way) % 3));
			bare = (at / 3 + way / 3) % 2 == 0;
			open_again(bare, at);
			finish(bare, at);
		}
	}
	assert_true(at > 100);
}

static void
test_power_before(void **state)
{
	(void)state;
	power(SIM_STOP);
}

static void
test_power_behind(void **state)
{
	(void)state;
	power(SIM_STOP_AFTER);
}

/* One call fails; the process goes on if it can. */
static void
fails(enum sim_fault fault, unsigned *lived)
{
	uint64_t	before, at;
	bool		more = true, bare;

	*lived = 0;
	for (at = 1; more; at++) {
		restore();
		mailbox_open(&box);
		before = sim_calls();
		sim_arm(fault, at, 1);
		(*lived) += upkeep();
		more = sim_calls() - before >= at;
		sim_arm(SIM_NONE, 0, 0);
		if (!box.m->dead)
			check("went on", at);
		mailbox_close(&box);
		bare = at % 2 == 0;
		open_again(bare, at);
		finish(bare, at);
	}
	runs = (unsigned)(at - 1);
	assert_true(runs > 100);
}

static void
test_errors(void **state)
{
	unsigned lived;

	(void)state;
	fails(SIM_EIO, &lived);
	assert_true(lived > 10 && lived < runs);
	fails(SIM_EINTR, &lived);
	fails(SIM_SHORT, &lived);
	assert_int_equal(lived, runs);
}

/* A write that the disk has no room for ends no mailbox. */
static void
test_full(void **state)
{
	unsigned lived;

	(void)state;
	fails(SIM_PART_FULL, &lived);
	assert_int_equal(lived, runs);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_whole),
		TEST(test_power_before),
		TEST(test_power_behind),
		TEST(test_errors),
		TEST(test_full),
	};

	if (getenv("LOUD") == NULL)
		log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
