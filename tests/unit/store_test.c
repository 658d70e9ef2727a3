/*
 * The store over log and index: every operation, and after each the same
 * mailbox from the index, without it, with one that is behind or damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/log.h"
#include "tests/lib/mailbox.h"
#include "tests/lib/model_store.h"
#include "tests/lib/steps.h"

enum { DUMP_MAX = 16 * 1024 * 1024 };

static void
dump(struct store s, struct buf *b, bool exact)
{
	buf_reset(b);
	store_dump(s, b, exact);
	assert_true(buf_ok(b));
}

/* -- steps ------------------------------------------------------------ */

/* Each against the model. */
static void
test_steps(void **state)
{
	struct model_store	*model = model_store_new();
	struct mailbox		 b;
	struct buf		 x, y;
	size_t			 i;

	(void)state;
	buf_init(&x, DUMP_MAX);
	buf_init(&y, DUMP_MAX);
	mailbox_make(&b);
	mailbox_open(&b);
	for (i = 0; i < steps_n; i++) {
		if (step_run(b.s, &steps[i]) != steps[i].want) {
			print_message("step %zu\n", i);
			fail();
		}
		assert_int_equal(step_run(model->store, &steps[i]),
		    steps[i].want);
		if (i % 3 == 0)
			mailbox_turn(&b);
		dump(b.s, &x, false);
		dump(model->store, &y, false);
		assert_same_dump(&x, &y, "store and model");
	}
	mailbox_remove(&b);
	model_store_free(model);
	buf_clear(&x);
	buf_clear(&y);
}

enum fate {
	KEEP,		/* the index as it is */
	GONE,
	BEHIND,		/* of the step before */
	OLD,		/* of the first step */
	FLIPPED,	/* a byte changed */
	FOREIGN		/* of another mailbox */
};

/* Flips a bit somewhere in the file; how large that is. */
static off_t
flip(const struct mailbox *b, size_t at)
{
	char	c;
	int	dir = openat(b->dirfd, "index", O_RDONLY | O_DIRECTORY);
	int	fd = openat(dir, "index.db", O_RDWR);
	off_t	size = lseek(fd, 0, SEEK_END);
	off_t	place = (off_t)at % size;

	assert_int_equal(pread(fd, &c, 1, place), 1);
	c = (char)(c ^ 0x10);
	assert_int_equal(pwrite(fd, &c, 1, place), 1);
	(void)close(fd);
	(void)close(dir);
	return size;
}

static void
set_index(struct mailbox *b, enum fate fate, size_t i)
{
	switch (fate) {
	case KEEP:
		return;
	case GONE:
		mailbox_remove_dir(b, "index");
		return;
	case BEHIND:
		mailbox_copy_dir(b, "before", "index");
		return;
	case OLD:
		mailbox_copy_dir(b, "first", "index");
		return;
	case FLIPPED:
		(void)flip(b, i * 7919);
		return;
	case FOREIGN:
		mailbox_copy_dir(b, "foreign", "index");
		return;
	}
}

static void
make_foreign(struct mailbox *b)
{
	enum store_result r;

	mailbox_open(b);
	(void)store_put(b->s, "INBOX", S("foreign"), 0, &r);
	assert_int_equal(b->s.ops->create(b->s.impl, S("other")), STORE_OK);
	mailbox_close(b);
	mailbox_copy_dir(b, "index", "foreign");
	mailbox_remove_dir(b, "index");
	mailbox_remove_dir(b, "log");
}

/* What the report must say of the index. */
static void
check_report(const struct mbox_report *r, enum fate fate, size_t i)
{
	assert_int_equal(r->skipped, 0);
	assert_false(r->no_index);
	assert_int_equal(r->swept, 0);
	switch (fate) {
	case KEEP:
		assert_false(r->rebuilt);
		assert_int_equal(r->replayed, 0);
		break;
	case GONE:
	case FOREIGN:
		assert_true(i == 0 || r->rebuilt);
		break;
	case BEHIND:
	case OLD:
		assert_true(i < 2 || !r->rebuilt);
		break;
	case FLIPPED:
		break;
	}
}

/* After each step the mailbox is reopened and is the same. */
static void
reopened(enum fate fate)
{
	struct mailbox	b;
	struct buf	x, y;
	size_t		i;

	buf_init(&x, DUMP_MAX);
	buf_init(&y, DUMP_MAX);
	mailbox_make(&b);
	make_foreign(&b);
	for (i = 0; i < steps_n; i++) {
		mailbox_open(&b);
		if (i == 1)
			mailbox_copy_dir(&b, "before", "first");
		assert_int_equal(step_run(b.s, &steps[i]), steps[i].want);
		dump(b.s, &x, true);
		mailbox_turn(&b);
		dump(b.s, &y, true);
		assert_same_dump(&x, &y, "before and after the commit");
		mailbox_close(&b);
		if (i > 1)
			set_index(&b, fate, i);
		mailbox_open(&b);
		dump(b.s, &y, true);
		assert_same_dump(&x, &y, "reopened");
		check_report(&b.report, i > 1 ? fate : KEEP, i);
		mailbox_close(&b);
		mailbox_copy_dir(&b, "index", "before");
	}
	mailbox_remove(&b);
	buf_clear(&x);
	buf_clear(&y);
}

static void
test_reopen_keep(void **state)
{
	(void)state;
	reopened(KEEP);
}

static void
test_reopen_gone(void **state)
{
	(void)state;
	reopened(GONE);
}

static void
test_reopen_behind(void **state)
{
	(void)state;
	reopened(BEHIND);
}

static void
test_reopen_old(void **state)
{
	(void)state;
	reopened(OLD);
}

static void
test_reopen_flipped(void **state)
{
	(void)state;
	reopened(FLIPPED);
}

static void
test_reopen_foreign(void **state)
{
	(void)state;
	reopened(FOREIGN);
}

/* The index knows frames that the log does not have: a restored log. */
static void
test_index_ahead(void **state)
{
	struct mailbox	b;
	struct buf	x, y;
	size_t		i;

	(void)state;
	buf_init(&x, DUMP_MAX);
	buf_init(&y, DUMP_MAX);
	mailbox_make(&b);
	mailbox_open(&b);
	for (i = 0; i < steps_n / 2; i++)
		(void)step_run(b.s, &steps[i]);
	dump(b.s, &x, true);
	mailbox_close(&b);
	mailbox_copy_dir(&b, "log", "saved");
	mailbox_open(&b);
	for (; i < steps_n; i++)
		(void)step_run(b.s, &steps[i]);
	mailbox_close(&b);
	mailbox_copy_dir(&b, "saved", "log");
	mailbox_open(&b);
	assert_true(b.report.rebuilt);
	dump(b.s, &y, true);
	assert_same_dump(&x, &y, "log from before");
	mailbox_remove(&b);
	buf_clear(&x);
	buf_clear(&y);
}

/*
 * A damaged page that is found later than at the open: nothing wrong is
 * shown, the mailbox is dead, and the next open makes another index.
 */
static void
test_page_damage(void **state)
{
	struct mailbox		b;
	struct buf		x, y;
	enum store_result	r;
	unsigned		i, dead = 0;
	off_t			page, size = 4096;

	(void)state;
	buf_init(&x, DUMP_MAX);
	buf_init(&y, DUMP_MAX);
	mailbox_make(&b);
	mailbox_open(&b);
	assert_int_equal(b.s.ops->create(b.s.impl, S("a")), STORE_OK);
	for (i = 0; i < 300; i++)
		(void)store_put(b.s, i % 2 == 0 ? "a" : "INBOX",
		    str_of("0123456789", i % 10), 0, &r);
	dump(b.s, &x, true);
	mailbox_close(&b);
	mailbox_copy_dir(&b, "index", "before");
	for (page = 0; page < size; page += 4096) {
		mailbox_copy_dir(&b, "before", "index");
		size = flip(&b, (size_t)page + 2000);
		mailbox_open(&b);
		dump(b.s, &y, true);
		if (!str_eq(buf_str(&x), buf_str(&y))) {
			assert_int_equal(mbox_turn(b.m), MBOX_DEAD);
			dead++;
			mailbox_close(&b);
			mailbox_open(&b);
			assert_true(b.report.rebuilt);
			dump(b.s, &y, true);
			assert_same_dump(&x, &y, "after damage");
		}
		mailbox_close(&b);
	}
	assert_true(dead > 2);
	mailbox_remove(&b);
	buf_clear(&x);
	buf_clear(&y);
}

/* -- a random walk against the model ---------------------------------- */

/* Touches every page; what is damaged is made again. */
static void
find_damage(struct mailbox *b)
{
	struct buf x;

	buf_init(&x, DUMP_MAX);
	dump(b->s, &x, false);
	if (mbox_turn(b->m) == MBOX_DEAD) {
		mailbox_close(b);
		mailbox_open(b);
	}
	buf_clear(&x);
}

/* Between two steps: a turn, or the mailbox is closed and opened. */
static void
walk_on(struct mailbox *b, uint32_t *seed)
{
	uint32_t what = step_below(seed, 12);

	if (what > 4) {
		mailbox_turn(b);
		return;
	}
	mailbox_close(b);
	if (what == 1)
		mailbox_remove_dir(b, "index");
	if (what == 2)
		mailbox_copy_dir(b, "index", "before");
	if (what == 3 && faccessat(b->dirfd, "before", F_OK, 0) == 0)
		mailbox_copy_dir(b, "before", "index");
	if (what == 4)
		(void)flip(b, step_below(seed, 100000));
	mailbox_open(b);
	if (what == 4)
		find_damage(b);
	assert_int_equal(b->report.skipped, 0);
	if (what == 1)
		assert_true(b->report.rebuilt);
	if (what == 2 || what == 3)
		assert_false(b->report.rebuilt);
}

static void
walk(uint32_t seed, unsigned n)
{
	struct model_store	*model = model_store_new();
	struct mailbox		 b;
	struct step		 t;
	struct buf		 x, y;
	unsigned		 i;
	enum store_result	 r, want;

	buf_init(&x, DUMP_MAX);
	buf_init(&y, DUMP_MAX);
	mailbox_make(&b);
	mailbox_open(&b);
	for (i = 0; i < n; i++) {
		t = step_random(model->store, &seed);
		r = step_run(b.s, &t);
		want = step_run(model->store, &t);
		if (r != want)
			print_message("step %u verb %d %s %s\n", i,
			    (int)t.verb, t.a, t.b);
		assert_int_equal(r, want);
		if (step_below(&seed, 6) == 0)
			walk_on(&b, &seed);
		if (step_below(&seed, 10) != 0 && i + 1 < n)
			continue;
		dump(b.s, &x, false);
		dump(model->store, &y, false);
		if (!str_eq(buf_str(&x), buf_str(&y)))
			print_message("step %u\n", i);
		assert_same_dump(&x, &y, "store and model");
	}
	mailbox_remove(&b);
	model_store_free(model);
	buf_clear(&x);
	buf_clear(&y);
}

static void
test_walk(void **state)
{
	const char	*more = getenv("WALKS");
	uint64_t	 n = 12;
	uint32_t	 i;

	(void)state;
	if (more != NULL && str_u64(str_c(more), 1000000, &n) == -1)
		n = 12;
	for (i = 1; i <= n; i++)
		walk(i, 400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_reopen_keep),
		cmocka_unit_test(test_reopen_gone),
		cmocka_unit_test(test_reopen_behind),
		cmocka_unit_test(test_reopen_old),
		cmocka_unit_test(test_reopen_flipped),
		cmocka_unit_test(test_reopen_foreign),
		cmocka_unit_test(test_index_ahead),
		cmocka_unit_test(test_page_damage),
		cmocka_unit_test(test_walk),
	};

	log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
