/*
 * Quotas: the usage of a mailbox is the sum of what it shows, whatever
 * happened and however it was opened; what is refused at the limit; when a
 * change is worth a report.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mailboxd/deliver.h"
#include "tests/lib/mailbox.h"
#include "tests/lib/steps.h"

static char text[20000];

static const char trace[] =
    "Return-Path: <a@example.org>\r\nDelivered-To: b@example.org\r\n";

static int
set_up(void **state)
{
	static struct mailbox b;

	memset(text, 'x', sizeof(text));
	mailbox_make(&b);
	mailbox_open(&b);
	*state = &b;
	return 0;
}

static int
tear_down(void **state)
{
	mailbox_remove(*state);
	return 0;
}

/* -- the sum ---------------------------------------------------------- */

static void
add_folder(struct store s, struct str name, struct quota *sum)
{
	struct store_folder	*f;
	size_t			 i;

	assert_int_equal(s.ops->open(s.impl, name, &f), STORE_OK);
	for (i = 0; i < f->n; i++)
		sum->size += f->msgs[i].size;
	sum->messages += f->n;
	s.ops->close(s.impl, f);
}

static void
assert_usage(struct mailbox *b)
{
	struct quota		have = mbox_usage(b->m), want = { 0, 0 };
	struct store_name	e;
	struct str		name = { "", 0 };
	char			at[STORE_NAME_MAX];

	while (b->s.ops->next(b->s.impl, name, &e) == STORE_OK) {
		memcpy(at, e.name.p, e.name.n);
		name = str_of(at, e.name.n);
		if (e.exists)
			add_folder(b->s, name, &want);
	}
	assert_int_equal(have.size, want.size);
	assert_int_equal(have.messages, want.messages);
}

static void
reopen(struct mailbox *b, bool rebuild)
{
	struct quota before = mbox_usage(b->m);

	mailbox_close(b);
	if (rebuild)
		mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_true(quota_is_equal(mbox_usage(b->m), before));
}

static void
test_sum(void **state)
{
	struct mailbox	*b = *state;
	struct step	 step;
	uint32_t	 seed = 4711;
	unsigned	 i;
	bool		 any = false;

	for (i = 0; i < 1500; i++) {
		step = step_random(b->s, &seed);
		(void)step_run(b->s, &step);
		if (step_below(&seed, 4) == 0)
			mailbox_turn(b);
		if (step_below(&seed, 10) == 0)
			assert_usage(b);
		if (step_below(&seed, 60) == 0)
			reopen(b, step_below(&seed, 2) == 0);
		any = any || mbox_usage(b->m).size > 0;
	}
	assert_true(any);
	assert_usage(b);
}

/* A folder that somebody has open goes with all that it held. */
static void
test_removed(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	enum store_result	 r;

	b->s.ops->create(b->s.impl, S("a"));
	store_put(b->s, "a", str_of(text, 500), 0, &r);
	assert_int_equal(mbox_usage(b->m).size, 500);
	assert_int_equal(b->s.ops->open(b->s.impl, S("a"), &f), STORE_OK);
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	assert_int_equal(mbox_usage(b->m).size, 0);
	assert_int_equal(mbox_usage(b->m).messages, 0);
	b->s.ops->close(b->s.impl, f);
	reopen(b, false);
}

/* -- the limit -------------------------------------------------------- */

static enum deliver_result
deliver(struct mailbox *b, uint64_t qid, size_t n)
{
	struct deliver_new	 new = { .qid = qid, .date = 1,
	    .sender = S("a@example.org"), .rcpt = S("b@example.org"),
	    .size = n };
	struct deliver		*d;
	enum deliver_result	 r = deliver_begin(b->m, &new, &d);

	if (r != DELIVER_OK)
		return r;
	assert_int_equal(deliver_data(d, str_of(text, n)), DELIVER_OK);
	return deliver_end(d);
}

static enum store_result
append(struct mailbox *b, size_t n)
{
	enum store_result r;

	store_put(b->s, "INBOX", str_of(text, n), 0, &r);
	return r;
}

static enum store_result
with_inbox(struct mailbox *b, bool copy, uint32_t uid)
{
	struct store_folder	*f;
	enum store_result	 r;
	uint32_t		 validity;

	assert_int_equal(b->s.ops->open(b->s.impl, S("INBOX"), &f), STORE_OK);
	r = copy ? b->s.ops->copy(b->s.impl, f, &uid, 1, S("INBOX"),
	    &validity, NULL) : b->s.ops->expunge(b->s.impl, f, &uid, 1);
	b->s.ops->close(b->s.impl, f);
	return r;
}

static void
test_size(void **state)
{
	struct mailbox	*b = *state;
	const size_t	 t = sizeof(trace) - 1;

	/* Inline bodies, and such that are files: over 8 KiB. */
	mbox_limit(b->m, (struct quota){ 20000, 0 });
	assert_int_equal(append(b, 10000), STORE_OK);
	assert_int_equal(append(b, 10001), STORE_QUOTA);
	assert_int_equal(append(b, 5001), STORE_OK);
	assert_int_equal(append(b, 5000), STORE_QUOTA);
	assert_int_equal(with_inbox(b, true, 1), STORE_QUOTA);
	assert_int_equal(with_inbox(b, true, 2), STORE_QUOTA);
	/* The fields of a delivery count. */
	assert_int_equal(deliver(b, 7, 4999), DELIVER_QUOTA);
	assert_int_equal(deliver(b, 7, 4999 - t + 1), DELIVER_QUOTA);
	assert_int_equal(deliver(b, 7, 4999 - t), DELIVER_OK);
	assert_int_equal(mbox_usage(b->m).size, 20000);
	assert_int_equal(append(b, 1), STORE_QUOTA);
	/* What is here already is here. */
	assert_int_equal(deliver(b, 7, 4999 - t), DELIVER_AGAIN);
	assert_int_equal(with_inbox(b, false, 1), STORE_OK);
	mailbox_turn(b);
	assert_int_equal(with_inbox(b, true, 2), STORE_OK);
	assert_int_equal(append(b, 4999), STORE_OK);
	assert_int_equal(append(b, 1), STORE_QUOTA);
	assert_usage(b);
	/* A limit below what is there refuses what comes, and no more. */
	mbox_limit(b->m, (struct quota){ 1, 0 });
	assert_int_equal(append(b, 1), STORE_QUOTA);
	assert_int_equal(with_inbox(b, false, 2), STORE_OK);
	assert_int_equal(b->s.ops->rename(b->s.impl, S("INBOX"), S("old")),
	    STORE_OK);
	mbox_limit(b->m, (struct quota){ 0, 0 });
	assert_int_equal(append(b, 20000), STORE_OK);
	reopen(b, true);
}

static void
test_messages(void **state)
{
	struct mailbox *b = *state;

	mbox_limit(b->m, (struct quota){ 0, 3 });
	assert_int_equal(append(b, 10), STORE_OK);
	assert_int_equal(deliver(b, 1, 10), DELIVER_OK);
	assert_int_equal(with_inbox(b, true, 1), STORE_OK);
	assert_int_equal(with_inbox(b, true, 1), STORE_QUOTA);
	assert_int_equal(append(b, 10), STORE_QUOTA);
	assert_int_equal(deliver(b, 2, 10), DELIVER_QUOTA);
	assert_int_equal(with_inbox(b, false, 3), STORE_OK);
	assert_int_equal(deliver(b, 2, 10), DELIVER_OK);
	assert_usage(b);
}

/* Both were let in when there was room for one; the first to end has it. */
static void
test_two_under_way(void **state)
{
	struct mailbox		*b = *state;
	struct deliver_new	 new = { .qid = 1, .date = 1,
	    .rcpt = S("b@example.org"), .size = 600 };
	struct store_new	 also = { .folder = S("INBOX"), .size = 600 };
	struct store_append	*a;
	struct deliver		*d;
	uint32_t		 validity, uid;

	mbox_limit(b->m, (struct quota){ 1000, 0 });
	assert_int_equal(b->s.ops->append(b->s.impl, &also, &a), STORE_OK);
	assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_OK);
	deliver_data(d, str_of(text, 600));
	b->s.ops->append_data(b->s.impl, a, str_of(text, 600));
	assert_int_equal(deliver_end(d), DELIVER_OK);
	assert_int_equal(b->s.ops->append_end(b->s.impl, a, &validity, &uid),
	    STORE_QUOTA);
	assert_int_equal(mbox_usage(b->m).messages, 1);
}

/* -- pure ------------------------------------------------------------- */

static void
test_room(void **state)
{
	static const struct {
		struct quota	limit, used, more;
		bool		want;
	} rows[] = {
		{ { 0, 0 }, { UINT64_MAX, UINT64_MAX }, { 1, 1 }, true },
		{ { 10, 0 }, { 9, 0 }, { 1, 1 }, true },
		{ { 10, 0 }, { 10, 0 }, { 1, 1 }, false },
		{ { 10, 0 }, { 10, 0 }, { 0, 1 }, true },
		{ { 10, 0 }, { 11, 0 }, { 1, 1 }, false },
		{ { 10, 0 }, { 8, 0 }, { UINT64_MAX, 1 }, false },
		{ { 0, 2 }, { 9, 1 }, { 9, 1 }, true },
		{ { 0, 2 }, { 9, 2 }, { 9, 1 }, false },
		{ { 0, 2 }, { 9, 1 }, { 9, 2 }, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (quota_has_room(rows[i].limit, rows[i].used,
		    rows[i].more) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void
test_news(void **state)
{
	static const struct {
		struct quota	limit, told, used;
		bool		want;
	} rows[] = {
		{ { 0, 0 }, { 5, 5 }, { 5, 5 }, false },
		{ { 0, 0 }, { 0, 0 }, { QUOTA_STEP - 1, 500 }, false },
		{ { 0, 0 }, { 0, 0 }, { QUOTA_STEP, 500 }, true },
		{ { 0, 0 }, { QUOTA_STEP, 500 }, { 0, 0 }, true },
		{ { 1000, 0 }, { 0, 0 }, { 9, 1 }, false },
		{ { 1000, 0 }, { 0, 0 }, { 10, 1 }, true },
		{ { 1001, 0 }, { 0, 0 }, { 10, 1 }, false },
		{ { 10, 0 }, { 5, 5 }, { 5, 6 }, false },
		{ { 10, 0 }, { 5, 5 }, { 6, 6 }, true },
		{ { 0, 200 }, { 5, 5 }, { 6, 6 }, false },
		{ { 0, 200 }, { 5, 5 }, { 6, 7 }, true },
		/* Full, and no longer full. */
		{ { 1000, 0 }, { 999, 5 }, { 1000, 6 }, true },
		{ { 1000, 0 }, { 1000, 5 }, { 999, 6 }, true },
		{ { 0, 1000 }, { 5, 1000 }, { 5, 999 }, true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (quota_is_news(rows[i].limit, rows[i].told,
		    rows[i].used) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sum, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_removed, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_messages, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_two_under_way, set_up,
		    tear_down),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
