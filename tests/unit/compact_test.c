/*
 * Snapshots and compaction of a mailbox's log: what is reclaimed, what is
 * kept and for how long, and that bodies read the same.
 */
#include "tests/lib/compact_rig.h"

#include "common/core/id.h"

/* -- what is reclaimed ------------------------------------------------ */

/* A hundred times more comes and goes than stays. */
static void
test_space(void **state)
{
	struct mailbox	*b = *state;
	struct stat	 st;
	unsigned	 i, k, files;
	size_t		 size, most = 0;

	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("kept")), STORE_OK);
	for (i = 0; i < 30; i++)
		put(b, "kept", noise(i, 1000 + i * 100));
	for (i = 0; i < 300; i++) {
		for (k = 0; k < 10; k++)
			put(b, "INBOX", noise(i, 2500));
		expunge_all(b, "INBOX");
		(void)upkeep(b);
		size = log_size(b, "0000", &files);
		most = size > most ? size : most;
	}
	/* 75 KB stay, of 7.5 MB; at most half of what there is is dead. */
	print_message("%zu bytes at most, %zu now, %u files\n", most, size,
	    files);
	assert_true(most < 2 * 75000 + 12 * b->conf.segment_max);
	assert_true(b->m->st.snaps.n < 20);
	check_reopen(b);
	mailbox_close(b);
	assert_int_equal(fstatat(b->dirfd, "index/index.db", &st, 0), 0);
	assert_true(st.st_size < 256 * 1024);
}

static bool
has_file(const struct mailbox *b, uint64_t id)
{
	char name[64];

	snprintf(name, sizeof(name), "log/body-%s", id_text(id).s);
	return faccessat(b->dirfd, name, F_OK, 0) == 0;
}

/* A file stays as long as a copy of its message does. */
static void
test_files(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	uint64_t		 id;
	uint32_t		 validity;
	unsigned		 files;
	const uint32_t		 one = 1;

	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	put(b, "INBOX", noise(1, 20000));
	put(b, "INBOX", noise(2, 20000));
	f = open_folder(b, "INBOX");
	id = f->msgs[0].id;
	assert_int_equal(b->s.ops->copy(b->s.impl, f, &one, 1, S("a"),
	    &validity, NULL), STORE_OK);
	b->s.ops->close(b->s.impl, f);
	fill(b, "INBOX", 3);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	assert_true(has_file(b, id));
	(void)log_size(b, "body-", &files);
	assert_int_equal(files, 1);
	check_reopen(b);
	f = open_folder(b, "a");
	assert_int_equal(f->n, 1);
	b->s.ops->close(b->s.impl, f);
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	fill(b, "INBOX", 6);
	(void)upkeep(b);
	fill(b, "INBOX", 6);
	(void)upkeep(b);
	assert_false(has_file(b, id));
	check_reopen(b);
}

/* Everything goes and nothing comes: its space comes back all the same. */
static void
test_quiet(void **state)
{
	struct mailbox	*b = *state;
	unsigned	 files;
	size_t		 before;

	mailbox_open(b);
	fill(b, "INBOX", 20);
	(void)upkeep(b);
	before = log_size(b, "0000", &files);
	assert_true(before > 20 * b->conf.segment_max);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_true(log_size(b, "0000", &files) < before / 5);
	check_reopen(b);
	/* So does that of a folder. */
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	fill(b, "a", 20);
	(void)upkeep(b);
	assert_true(log_size(b, "0000", &files) > before * 9 / 10);
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	mailbox_turn(b);
	(void)upkeep(b);
	assert_true(log_size(b, "0000", &files) < before / 5);
	check_reopen(b);
}

/* With nothing new there is nothing to do, whatever was before. */
static void
test_rest(void **state)
{
	struct mailbox	*b = *state;
	unsigned	 files;
	size_t		 size;

	mailbox_open(b);
	assert_false(mbox_wants_upkeep(b->m));
	fill(b, "INBOX", 5);
	assert_true(mbox_wants_upkeep(b->m));
	assert_true(upkeep(b) > 0);
	size = log_size(b, "", &files);
	at_day(30);
	assert_int_equal(upkeep(b), 0);
	reopen(b, false);
	assert_int_equal(upkeep(b), 0);
	mailbox_close(b);
	/* Closing leaves an end mark, nothing else. */
	assert_true(log_size(b, "", &files) - size < 200);
	mailbox_open(b);
}

/* -- what is kept ----------------------------------------------------- */

/* Nothing of the last seven days goes, whatever the clock says meanwhile. */
static void
test_window(void **state)
{
	struct mailbox	*b = *state;
	uint64_t	 first;
	unsigned	 day;

	b->conf.undelete = 7 * DAY;
	mailbox_open(b);
	fill(b, "INBOX", 4);
	(void)upkeep(b);
	at_day(1);
	fill(b, "INBOX", 1);
	(void)upkeep(b);
	first = reclog_segment(b->m->log);
	fill(b, "INBOX", 1);
	at_day(2);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	/* The clock goes back: what is made now does not look old later. */
	at_day(-400);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	expunge_all(b, "INBOX");
	for (day = 2; day < 9; day++) {
		at_day(day + 0.9);
		fill(b, "INBOX", 1);
		(void)upkeep(b);
		assert_true(has_segment(b, first));
		assert_true(has_segment(b, 1));
	}
	/* Day 9.9: what was expunged on day 2 goes. */
	at_day(day + 0.9);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	assert_false(has_segment(b, first));
	check_reopen(b);
}

/* A clock that was far ahead for a while delays nothing for long. */
static void
test_future(void **state)
{
	struct mailbox *b = *state;

	b->conf.undelete = 7 * DAY;
	at_day(5000);
	mailbox_open(b);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	at_day(0);
	fill(b, "INBOX", 2);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_true(has_segment(b, 1));
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	at_day(7.5);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	at_day(8.6);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	check_reopen(b);
}

/*
 * For less than a seventh of the window, again and again, it is far ahead:
 * what the log shows of time has not passed.
 */
static void
test_jump(void **state)
{
	struct mailbox	*b = *state;
	unsigned	 day;

	b->conf.undelete = 7 * DAY;
	b->conf.delivered = 12 * DAY;
	mailbox_open(b);
	assert_int_equal(deliver(b, 1, NOW, noise(1, 1500)), DELIVER_OK);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	at_day(1);
	fill(b, "INBOX", 2);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	for (day = 1; day < 7; day++) {
		at_day(day * 1000);
		fill(b, "INBOX", 3);
		(void)upkeep(b);
		at_day(day * 1000 + 0.9);
		fill(b, "INBOX", 3);
		(void)upkeep(b);
		assert_true(has_segment(b, 1));
		assert_int_equal(deliver(b, 1, NOW, S("x")), DELIVER_AGAIN);
		at_day(day + 0.5);
		fill(b, "INBOX", 3);
		(void)upkeep(b);
		assert_true(has_segment(b, 1));
	}
	check_reopen(b);
	assert_int_equal(deliver(b, 1, NOW, S("x")), DELIVER_AGAIN);
	/* And nothing is kept for ever. */
	for (; day < 16; day++) {
		at_day(day + 0.5);
		fill(b, "INBOX", 3);
		(void)upkeep(b);
	}
	assert_false(has_segment(b, 1));
	reopen(b, true);
	assert_int_equal(deliver(b, 1, NOW, S("x")), DELIVER_OK);
}

/* A delivery is known by its queue id until nobody can ask again. */
static void
test_delivered(void **state)
{
	struct mailbox	*b = *state;
	uint64_t	 qid;

	b->conf.delivered = 12 * DAY;
	mailbox_open(b);
	for (qid = 1; qid <= 40; qid++) {
		at_day((double)qid * 60 / DAY);
		assert_int_equal(deliver(b, qid, NOW,
		    noise((uint32_t)qid, 1500)), DELIVER_OK);
	}
	expunge_all(b, "INBOX");
	at_day(11.9);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	for (qid = 1; qid <= 40; qid++)
		assert_int_equal(deliver(b, qid, NOW, S("x")),
		    DELIVER_AGAIN);
	check_reopen(b);
	for (qid = 1; qid <= 40; qid++)
		assert_int_equal(deliver(b, qid, NOW, S("x")),
		    DELIVER_AGAIN);
	/* 12 days after the 20th, as the one before shows. */
	at_day(12 * 6 / 7.0 + 20 * 60.5 / DAY);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	at_day(12 + 20 * 60.5 / DAY);
	expunge_all(b, "INBOX");
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	reopen(b, true);
	for (qid = 1; qid <= 40; qid++)
		assert_int_equal(deliver(b, qid, NOW, S("x")),
		    qid <= 20 ? DELIVER_OK : DELIVER_AGAIN);
}

/*
 * A message that was held for long is delivered: it is as young as any, since
 * what the queue has of it may get lost now.
 */
static void
test_delivered_late(void **state)
{
	struct mailbox *b = *state;

	b->conf.delivered = 12 * DAY;
	mailbox_open(b);
	at_day(30);
	assert_int_equal(deliver(b, 1, NOW, noise(1, 1500)), DELIVER_OK);
	assert_int_equal(deliver(b, 2, NOW + 90 * DAY, noise(2, 1500)),
	    DELIVER_OK);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	assert_int_equal(deliver(b, 1, NOW, S("x")), DELIVER_AGAIN);
	assert_int_equal(deliver(b, 2, NOW, S("x")), DELIVER_AGAIN);
	check_reopen(b);
	assert_int_equal(deliver(b, 1, NOW, S("x")), DELIVER_AGAIN);
	/* A received date in the future keeps none for ever. */
	at_day(42.5);
	fill(b, "INBOX", 6);
	(void)upkeep(b);
	assert_int_equal(deliver(b, 1, NOW, S("x")), DELIVER_AGAIN);
	at_day(44.5);
	fill(b, "INBOX", 6);
	(void)upkeep(b);
	reopen(b, true);
	assert_int_equal(deliver(b, 1, NOW, S("x")), DELIVER_OK);
	assert_int_equal(deliver(b, 2, NOW, S("x")), DELIVER_OK);
}

/* -- bodies ----------------------------------------------------------- */

/* Coded bodies, in pieces of all sizes. */
static void
test_pieces(void **state)
{
	static char		 text[2000];
	struct mailbox		*b = *state;
	struct store_folder	*f;
	struct state_body	 body;
	struct buf		 out, scratch;
	size_t			 i, at, n;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i / 7 % 20);
	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("kept")), STORE_OK);
	put(b, "kept", str_of(text, sizeof(text)));
	put(b, "kept", S("short"));
	put(b, "kept", S(""));
	put(b, "kept", noise(1, 100));
	fill(b, "INBOX", 6);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	reopen(b, false);
	buf_init(&out, 100000);
	buf_init(&scratch, INDEX_VALUE_MAX);
	f = open_folder(b, "kept");
	assert_int_equal(mbox_body(b->m, f->msgs[0].id, &scratch, &body), 1);
	assert_int_equal(body.coding, CODING_ZSTD);
	assert_int_equal(mbox_body(b->m, f->msgs[1].id, &scratch, &body), 1);
	assert_int_equal(body.coding, CODING_PLAIN);
	for (n = 1; n < 2100; n = n * 3 + 1) {
		buf_reset(&out);
		for (at = 0; at < sizeof(text) + n; at += n)
			assert_int_equal(store_octets(b->s, f, 1,
			    (uint32_t)at, n, &out), STORE_OK);
		assert_true(str_eq(buf_str(&out), str_of(text,
		    sizeof(text))));
		mailbox_turn(b);
	}
	/* Forgotten when a turn has not read it. */
	mailbox_turn(b);
	assert_int_equal(b->m->unpacked.source, 0);
	b->s.ops->close(b->s.impl, f);
	buf_clear(&out);
	buf_clear(&scratch);
	/* And moved once more, as they are stored. */
	fill(b, "INBOX", 6);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	check_reopen(b);
}

/* A body stays while somebody reads it, expunged or not. */
static void
test_reader(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	struct store_body	*body[2];
	struct buf		 out;
	unsigned		 i, files;

	mailbox_open(b);
	put(b, "INBOX", noise(1, 3000));
	put(b, "INBOX", noise(2, 9000));
	f = open_folder(b, "INBOX");
	for (i = 0; i < 2; i++)
		assert_int_equal(b->s.ops->body_open(b->s.impl, f, i + 1,
		    &body[i]), STORE_OK);
	b->s.ops->close(b->s.impl, f);
	fill(b, "INBOX", 6);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_false(has_segment(b, 2));
	buf_init(&out, 100000);
	for (i = 0; i < 2; i++) {
		buf_reset(&out);
		assert_int_equal(b->s.ops->body_read(b->s.impl, body[i], 0,
		    SIZE_MAX, &out), STORE_OK);
		assert_true(str_eq(buf_str(&out), noise(i + 1,
		    i == 0 ? 3000 : 9000)));
		b->s.ops->body_close(b->s.impl, body[i]);
	}
	buf_clear(&out);
	fill(b, "INBOX", 6);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	(void)log_size(b, "body-", &files);
	assert_int_equal(files, 0);
	assert_false(has_segment(b, 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_space),
		TEST(test_files),
		TEST(test_quiet),
		TEST(test_rest),
		TEST(test_window),
		TEST(test_future),
		TEST(test_jump),
		TEST(test_delivered),
		TEST(test_delivered_late),
		TEST(test_pieces),
		TEST(test_reader),
	};

	log_quietly();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
