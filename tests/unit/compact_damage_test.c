/*
 * Compaction of a mailbox that is damaged: nothing that might be a message
 * is thrown away, and what can be read still can.
 */
#include "tests/lib/compact_rig.h"

#include "mailboxd/snapshot.h"

/* Flips a bit in the middle of the payload of a snapshot's first piece. */
static void
damage(struct mailbox *b, const struct snap *snap)
{
	struct snapshot s;

	assert_int_equal(snapshot_find(b->m->log, snap, &s), 0);
	assert_true(s.n > 0);
	mailbox_flip(b, s.pieces[0].segment, (off_t)s.pieces[0].offset + 120);
	snapshot_clear(&s);
}

static void
test_damaged(void **state)
{
	struct mailbox	*b = *state;
	struct snaps	*s;
	struct buf	 x, y;

	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	fill(b, "a", 6);
	fill(b, "INBOX", 6);
	(void)upkeep(b);
	expunge_all(b, "INBOX");
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "a", 1);
	s = &b->m->st.snaps;
	assert_true(s->n >= 2);
	assert_false(has_segment(b, 7));
	dump(b, &x, true);
	/* The last one: that before it has the same to say. */
	damage(b, &s->list[s->n - 1]);
	reopen(b, true);
	assert_int_equal(b->report.bad_snapshots, 1);
	dump(b, &y, true);
	assert_same_dump(&x, &y, "without the last");
	buf_clear(&y);
	(void)upkeep(b);
	fill(b, "a", 3);
	(void)upkeep(b);
	check_reopen(b);
	buf_clear(&x);
	/* The base: what is behind it does. */
	s = &b->m->st.snaps;
	assert_true(s->n >= 2);
	damage(b, &s->list[s->n - 2]);
	fill(b, "a", 3);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	check_reopen(b);
	/* All: the mailbox opens, and has what the log has. */
	for (s = &b->m->st.snaps; s->n > 0; s->n--)
		damage(b, &s->list[s->n - 1]);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_true(b->report.bad_snapshots >= 2);
	put(b, "INBOX", S("new"));
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	check_reopen(b);
}

/*
 * Whatever of an old segment is damaged is not thrown away with it: neither
 * a live body nor, `dead`, a record that is lost and might be anything.
 */
static void
damage_segment(struct mailbox *b, bool dead)
{
	struct store_folder	*f;
	struct state_body	 body;
	struct buf		 scratch;

	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	put(b, dead ? "INBOX" : "a", noise(5, 3000));
	f = open_folder(b, dead ? "INBOX" : "a");
	buf_init(&scratch, INDEX_VALUE_MAX);
	assert_int_equal(mbox_body(b->m, f->msgs[0].id, &scratch, &body), 1);
	buf_clear(&scratch);
	b->s.ops->close(b->s.impl, f);
	if (dead)
		mailbox_flip(b, 1, (off_t)body.pos.offset + 70);
	fill(b, "INBOX", 3);
	expunge_all(b, "INBOX");
	if (!dead)
		mailbox_flip(b, 1, (off_t)body.pos.offset + 2000);
	fill(b, "INBOX", 3);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_true(has_segment(b, 1));
	assert_false(has_segment(b, 2));
}

static void
test_damaged_body(void **state)
{
	damage_segment(*state, false);
}

static void
test_damaged_record(void **state)
{
	damage_segment(*state, true);
}

/* Without an index nothing is done, and nothing breaks. */
static void
test_no_index(void **state)
{
	struct mailbox *b = *state;

	mailbox_open(b);
	fill(b, "INBOX", 3);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	assert_int_equal(mkdirat(b->dirfd, "index", 0700), 0);
	assert_int_equal(mkdirat(b->dirfd, "index/DB_CONFIG", 0700), 0);
	mailbox_open(b);
	assert_true(b->report.no_index);
	assert_false(mbox_wants_upkeep(b->m));
	assert_int_equal(mbox_upkeep(b->m), MBOX_OK);
	put(b, "INBOX", S("x"));
	assert_int_equal(upkeep(b), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_damaged),
		TEST(test_damaged_body),
		TEST(test_damaged_record),
		TEST(test_no_index),
	};

	log_quietly();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
