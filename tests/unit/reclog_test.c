/*
 * reclog_test - the record log on real files: adding, committing, reading,
 * sealing, recycling, marks and limits.  Damage and death are in
 * reclog_damage_test.c, power cuts in tests/fault/reclog_crash_test.c.
 */
#include "common/disk/io.h"
#include "tests/lib/reclog_rig.h"

static void
there_and_back(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 a, b, c;

	(void)state;
	assert_int_equal(report.segments, 0);
	assert_int_equal(reclog_pending(l), 0);
	assert_int_equal(reclog_commit(l, true), RECLOG_OK);
	a = put(l, 1, S("meta"), S("payload"));
	b = add(l, 2, S(""), S("no meta"));
	c = add(l, 3, S("no payload"), S(""));
	assert_true(reclog_pending(l) > 0);
	assert_int_equal(reclog_commit(l, false), RECLOG_OK);
	assert_false(reclog_is_synced(l));
	assert_int_equal(reclog_commit(l, true), RECLOG_OK);
	assert_true(reclog_is_synced(l));
	expect(l, a, S("meta"), S("payload"));
	expect(l, b, S(""), S("no meta"));
	expect(l, c, S("no payload"), S(""));
	reclog_close(l);
	reclog_close(NULL);

	l = must_open();
	assert_true(is_healthy());
	assert_int_equal(report.records, 3);
	assert_int_equal(report.segments, 1);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[2], 3);
	assert_int_equal(places[1].offset, b.offset);
	expect(l, places[0], S("meta"), S("payload"));
	reclog_close(l);
}

static void
dropped_is_nowhere(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 pos;

	(void)state;
	add(l, 1, S("x"), S("gone"));
	reclog_drop(l);
	assert_int_equal(reclog_pending(l), 0);
	pos = put(l, 2, S("y"), S("stays"));
	reclog_close(l);
	l = must_open();
	assert_int_equal(n_ids, 1);
	assert_int_equal(ids[0], 2);
	expect(l, pos, S("y"), S("stays"));
	reclog_close(l);
}

static void
reads_pieces(void **state)
{
	static const struct {
		uint64_t from;
		size_t n;
		const char *want;
	} table[] = {
		{ 0, 10, "0123456789" }, { 0, 11, "0123456789" },
		{ 0, 9, "012345678" }, { 9, 1, "9" }, { 9, 5, "9" },
		{ 10, 5, "" }, { 11, 1, "" }, { 3, 0, "" },
		{ UINT64_MAX, 5, "" },
	};
	struct reclog	*l = must_open();
	struct recpos	 pos = put(l, 1, S("m"), S("0123456789"));
	struct buf	 b;
	size_t		 i;

	(void)state;
	buf_init(&b, 100);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		buf_reset(&b);
		assert_int_equal(reclog_read(l, pos, table[i].from,
		    table[i].n, &b), 0);
		assert_string_equal(buf_cstr(&b), table[i].want);
	}
	buf_clear(&b);
	reclog_close(l);
}

/* A position that is none: of no segment, or inside a record. */
static void
refuses_false_positions(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 pos = put(l, 1, S("m"), S("0123456789")), wrong;
	struct buf	 b;

	(void)state;
	buf_init(&b, 100);
	wrong = (struct recpos){ pos.segment + 1, pos.offset };
	assert_int_equal(reclog_read(l, wrong, 0, 10, &b), -1);
	assert_int_equal(errno, ENOENT);
	wrong = (struct recpos){ pos.segment, pos.offset + 1 };
	assert_int_equal(reclog_read(l, wrong, 0, 10, &b), -1);
	assert_int_equal(errno, EBADMSG);
	wrong = (struct recpos){ pos.segment, 1 << 30 };
	assert_int_equal(reclog_read(l, wrong, 0, 10, &b), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(b.n, 0);
	buf_clear(&b);
	reclog_close(l);
}

static void
limits(void **state)
{
	static const struct {
		size_t meta, payload;
		int want;
	} table[] = {
		{ RECLOG_META_MAX - 1, 0, 0 },
		{ RECLOG_META_MAX, 0, 0 },
		{ RECLOG_META_MAX + 1, 0, -1 },
		{ 0, RECLOG_PAYLOAD_MAX - 1, 0 },
		{ 0, RECLOG_PAYLOAD_MAX, 0 },
		{ 0, RECLOG_PAYLOAD_MAX + 1, -1 },
	};
	char		*big = xcalloc(1, RECLOG_PAYLOAD_MAX + 1);
	struct reclog	*l = must_open();
	struct recpos	 pos;
	size_t		 i, before;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rec r = { 239, i, str_of(big, table[i].meta),
		    str_of(big, table[i].payload) };

		before = reclog_pending(l);
		assert_int_equal(reclog_add(l, &r, &pos), table[i].want);
		if (table[i].want == -1)
			assert_int_equal(reclog_pending(l), before);
		else
			assert_int_equal(reclog_commit(l, true), RECLOG_OK);
		if (table[i].want == 0)
			expect(l, pos, r.meta, r.payload);
	}
	reclog_close(l);
	l = must_open();
	assert_int_equal(n_ids, 4);
	assert_true(is_healthy());
	reclog_close(l);
	free(big);
}

/* One byte less, as much, and one byte more than a frame may have. */
static void
frame_limit(void **state)
{
	char		*big = xcalloc(1, RECLOG_PAYLOAD_MAX);
	struct reclog	*l;
	struct rec	 r;
	struct recpos	 pos;
	size_t		 left;
	int		 over, i;

	(void)state;
	for (over = -1; over <= 1; over++) {
		empty_dir();
		l = must_open();
		for (i = 0; i < 3; i++)
			add(l, 1, S(""), str_of(big, RECLOG_PAYLOAD_MAX));
		left = RECLOG_FRAME_MAX - reclog_pending(l) - 64;
		r = (struct rec){ 1, 2, S(""),
		    str_of(big, left + (size_t)over) };
		assert_int_equal(reclog_add(l, &r, &pos), over == 1 ? -1 : 0);
		assert_int_equal(reclog_commit(l, true), RECLOG_OK);
		reclog_close(l);
		l = must_open();
		assert_int_equal(n_ids, over == 1 ? 3 : 4);
		assert_true(is_healthy());
		reclog_close(l);
	}
	free(big);
}

/* More pieces than one pwritev takes. */
static void
many_records(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 pos[3000];
	uint64_t	 i;

	(void)state;
	conf.segment_max = 1 << 20;
	for (i = 0; i < 3000; i++)
		pos[i] = add(l, i, S("meta"), str_from(S("payload"), i % 7));
	assert_int_equal(reclog_commit(l, true), RECLOG_OK);
	assert_int_equal(reclog_mark(l).sequence, 1);
	for (i = 0; i < 3000; i += 97)
		expect(l, pos[i], S("meta"), str_from(S("payload"), i % 7));
	reclog_close(l);
	l = must_open();
	assert_int_equal(n_ids, 3000);
	for (i = 0; i < 3000; i++)
		assert_int_equal(ids[i], i);
	reclog_close(l);
}

static void
seals_and_recycles(void **state)
{
	struct reclog	*l;
	char		 text[1000] = { 1 };
	uint64_t	 i, first, sealed;

	(void)state;
	conf.segment_max = 10000;
	l = must_open();
	first = reclog_segment(l);
	for (i = 0; reclog_segment(l) < first + 4; i++)
		put(l, i, S("meta"), str_of(text, sizeof(text)));
	sealed = i;
	/* The newest file keeps the count of segments: it must stay. */
	assert_int_equal(reclog_retire(l, first + 3), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(reclog_retire(l, reclog_segment(l)), -1);
	assert_int_equal(errno, EBUSY);
	put(l, i++, S("meta"), str_of(text, sizeof(text)));
	sealed++;
	/* What the caller copied out of it must be durable before it goes. */
	add(l, i++, S("meta"), str_of(text, sizeof(text)));
	sealed++;
	assert_int_equal(reclog_commit(l, false), RECLOG_OK);
	assert_int_equal(reclog_retire(l, first), 0);
	assert_true(reclog_is_synced(l));
	assert_int_equal(reclog_retire(l, first), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(reclog_retire(l, first + 1), 0);
	assert_int_equal(reclog_retire(l, first + 2), 0);
	assert_int_equal(count_files("spare-"), 2);
	assert_int_equal(count_files("0000"), 2);
	assert_int_equal(reclog_seal(l), RECLOG_OK);
	put(l, i++, S("in a spare"), S("x"));
	assert_int_equal(count_files("spare-"), 1);
	reclog_close(l);

	l = must_open();
	assert_true(is_healthy());
	assert_int_equal(report.segments, 3);
	assert_int_equal(n_ids, (sealed - 2) / 4 + 3);
	assert_int_equal(ids[n_ids - 1], i - 1);
	expect(l, places[n_ids - 1], S("in a spare"), S("x"));
	expect(l, places[0], S("meta"), str_of(text, sizeof(text)));
	assert_int_equal(reclog_segment(l), first + 5);
	reclog_close(l);
	conf.recycle = 0;
	reclog_close(must_open());
	assert_int_equal(count_files("spare-"), 0);
}

/* Segments one by one, and whether one is missing. */
static void
walks_segments(void **state)
{
	struct reclog	*l = must_open();
	uint64_t	 first = reclog_segment(l), lost;
	unsigned	 i;

	(void)state;
	assert_int_equal(reclog_sealed(l, 0), 0);
	assert_true(reclog_is_whole(l, first));
	assert_int_equal(reclog_walk(l, first, on_record, NULL, &lost), -1);
	assert_int_equal(errno, ENOENT);
	for (i = 0; i < 6; i++) {
		put(l, 10 + i, S("meta"), S("payload"));
		if (i % 2 == 1)
			assert_int_equal(reclog_seal(l), RECLOG_OK);
	}
	put(l, 16, S("meta"), S("payload"));
	n_ids = 0;
	assert_int_equal(reclog_walk(l, first + 1, on_record, NULL, &lost),
	    0);
	assert_int_equal(lost, 0);
	assert_int_equal(n_ids, 2);
	assert_int_equal(ids[0], 12);
	assert_int_equal(ids[1], 13);
	assert_int_equal(reclog_walk(l, first + 3, on_record, NULL, &lost),
	    0);
	assert_int_equal(n_ids, 3);
	assert_int_equal(ids[2], 16);
	assert_int_equal(reclog_retire(l, first + 1), 0);
	assert_int_equal(reclog_walk(l, first + 1, on_record, NULL, &lost),
	    -1);
	assert_int_equal(reclog_sealed(l, 0), first);
	assert_int_equal(reclog_sealed(l, first), first + 2);
	assert_int_equal(reclog_sealed(l, first + 2), 0);
	assert_false(reclog_is_whole(l, first));
	assert_true(reclog_is_whole(l, first + 2));
	assert_true(reclog_is_whole(l, first + 3));
	assert_false(reclog_is_whole(l, first + 4));
	reclog_close(l);
}

static void
seal_by_hand(void **state)
{
	struct reclog	*l = must_open();
	uint64_t	 first = reclog_segment(l);

	(void)state;
	assert_int_equal(reclog_seal(l), RECLOG_OK);
	assert_int_equal(reclog_segment(l), first);
	add(l, 1, S("a"), S("pending goes along"));
	assert_int_equal(reclog_seal(l), RECLOG_OK);
	assert_int_equal(reclog_segment(l), first + 1);
	reclog_close(l);
	l = must_open();
	assert_true(is_healthy());
	assert_int_equal(n_ids, 1);
	assert_int_equal(reclog_segment(l), first + 1);
	reclog_close(l);
}

static void
epochs(void **state)
{
	static const struct {
		uint64_t epoch;
		int want;
	} table[] = {
		{ 4, EPERM }, { 5, 0 }, { 6, 0 },
	};
	struct reclog	*l;
	size_t		 i;
	int		 sealed;

	(void)state;
	for (sealed = 0; sealed < 2; sealed++)
		for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			empty_dir();
			conf.epoch = 5;
			l = must_open();
			put(l, 1, S("a"), S("b"));
			if (sealed)
				reclog_seal(l);
			reclog_close(l);
			conf.epoch = table[i].epoch;
			l = open_log();
			if (table[i].want == 0)
				assert_non_null(l);
			else {
				assert_null(l);
				assert_int_equal(errno, table[i].want);
			}
			reclog_close(l);
		}
}

static void
replay_may_refuse(void **state)
{
	struct reclog *l = must_open();

	(void)state;
	put(l, 1, S("a"), S("b"));
	reclog_close(l);
	refuse = true;
	assert_null(open_log());
	assert_int_equal(errno, EINVAL);
	refuse = false;
	reclog_close(must_open());
	assert_int_equal(n_ids, 1);
}

static void
marks(void **state)
{
	struct recmark	 mark[40], none = { 0, 0, 0 }, wrong;
	struct reclog	*l;
	size_t		 i;
	int		 again;

	(void)state;
	conf.segment_max = 4000;
	l = must_open();
	assert_false(reclog_has(l, reclog_mark(l)));
	for (i = 0; i < 40; i++) {
		put(l, i, S("0123456789"), S("some payload or other"));
		mark[i] = reclog_mark(l);
	}
	assert_true(reclog_segment(l) > 1);
	for (again = 0; again < 2; again++) {
		for (i = 0; i < 40; i++) {
			assert_true(reclog_has(l, mark[i]));
			wrong = mark[i];
			wrong.checksum ^= 1;
			assert_false(reclog_has(l, wrong));
			wrong = mark[i];
			wrong.segment += 100;
			assert_false(reclog_has(l, wrong));
			n_ids = 0;
			assert_int_equal(reclog_replay_from(l, mark[i],
			    on_record, NULL), 0);
			assert_int_equal(n_ids, 39 - i);
			if (n_ids > 0)
				assert_int_equal(ids[0], i + 1);
		}
		n_ids = 0;
		assert_int_equal(reclog_replay_from(l, none, on_record,
		    NULL), 0);
		assert_int_equal(n_ids, 40);
		assert_int_equal(places[0].segment, 1);
		reclog_close(l);
		l = must_open();
		assert_int_equal(reclog_mark(l).checksum, mark[39].checksum);
	}
	refuse = true;
	assert_int_equal(reclog_replay_from(l, none, on_record, NULL), -1);
	reclog_close(l);
}

/* BLAKE2b sees what has the right checksums: here, once per process. */
static void
first_read_hashes(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 pos = put(l, 1, S("m"), S("0123456789"));
	struct buf	 b;
	int		 fd;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), 0);
	fd = openat(dirfd_, "0000000000000001.seg", O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, (off_t)pos.offset + 61), 1);
	close(fd);
	/* Seen already: a piece is not checked again, the whole is. */
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), 0);
	assert_int_equal(reclog_read(l, pos, 0, 10, &b), -1);
	assert_int_equal(errno, EBADMSG);
	reclog_close(l);
	l = must_open();
	buf_reset(&b);
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(b.n, 0);
	/* Metadata is checked at each read. */
	fd = openat(dirfd_, "0000000000000001.seg", O_WRONLY);
	assert_int_equal(pwrite(fd, "X0", 2, (off_t)pos.offset + 60), 2);
	close(fd);
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), -1);
	assert_int_equal(errno, EBADMSG);
	fd = openat(dirfd_, "0000000000000001.seg", O_WRONLY);
	assert_int_equal(pwrite(fd, "m", 1, (off_t)pos.offset + 60), 1);
	close(fd);
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), 0);
	buf_clear(&b);
	reclog_close(l);
}

static int	interrupts;

static ssize_t
interrupted_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	if (interrupts-- > 0) {
		errno = EINTR;
		return -1;
	}
	return disk_io_real.pwritev(fd, v, n, at);
}

static void
goes_on_when_interrupted(void **state)
{
	struct disk_io	 io = disk_io_real;
	struct reclog	*l = must_open();

	(void)state;
	io.pwritev = interrupted_pwritev;
	interrupts = 3;
	disk_io = &io;
	put(l, 1, S("a"), S("b"));
	assert_int_equal(interrupts, -1);
	reclog_close(l);
	disk_io = &disk_io_real;
}

static void
names_are_safe(void **state)
{
	struct reclog	*l;

	(void)state;
	/* Not names of the log: left alone. */
	close(openat(dirfd_, "0000000000000001.segx", O_CREAT | O_WRONLY,
	    0600));
	close(openat(dirfd_, "000000000000000G.seg", O_CREAT | O_WRONLY,
	    0600));
	close(openat(dirfd_, "note", O_CREAT | O_WRONLY, 0600));
	l = must_open();
	assert_int_equal(report.segments, 0);
	reclog_close(l);
	/* A link is never followed. */
	assert_int_equal(symlinkat("note", dirfd_, "0000000000000002.seg"),
	    0);
	assert_null(open_log());
	assert_int_equal(errno, ELOOP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_and_back), TEST(dropped_is_nowhere),
		TEST(reads_pieces), TEST(refuses_false_positions),
		TEST(limits), TEST(frame_limit), TEST(many_records),
		TEST(seals_and_recycles), TEST(walks_segments),
		TEST(seal_by_hand), TEST(epochs),
		TEST(replay_may_refuse), TEST(marks), TEST(first_read_hashes),
		TEST(goes_on_when_interrupted), TEST(names_are_safe),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
