/*
 * mbox_rig - around each test of an open mailbox, and what most of them do.
 */
#ifndef TESTS_MBOX_RIG_H
#define TESTS_MBOX_RIG_H

#include "mailboxd/deliver.h"
#include "tests/lib/mailbox.h"
#include "tests/lib/unit.h"

static inline int
set_up(void **state)
{
	static struct mailbox b;

	mailbox_make(&b);
	mailbox_open(&b);
	*state = &b;
	return 0;
}

static inline int
tear_down(void **state)
{
	mailbox_remove(*state);
	return 0;
}

static inline struct store_folder *
open_folder(struct mailbox *b, const char *name)
{
	struct store_folder *f;

	assert_int_equal(b->s.ops->open(b->s.impl, str_c(name), &f),
	    STORE_OK);
	return f;
}

static inline void
close_folder(struct mailbox *b, struct store_folder *f)
{
	b->s.ops->close(b->s.impl, f);
}

static inline void
put(struct mailbox *b, const char *name, struct str s)
{
	enum store_result r;

	assert_int_not_equal(store_put(b->s, name, s, 0, &r), 0);
}

static inline void
deliver(struct mailbox *b, uint64_t qid, struct str s)
{
	const struct deliver_new new = { .qid = qid, .date = 1,
	    .sender = S(""), .rcpt = S("a@b"), .size = s.n };
	struct deliver		*d;

	assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_OK);
	assert_int_equal(deliver_data(d, s), DELIVER_OK);
	assert_int_equal(deliver_end(d), DELIVER_OK);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

#endif
