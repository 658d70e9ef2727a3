/*
 * Which snapshots of a log are whole, and which is old enough.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailboxd/snaps.h"

/* B begin, R a piece of two rows, r the first piece again, E end, x other. */
static const struct {
	const char	*log;		/* the digit is the id */
	unsigned	 n;
	uint64_t	 last;
} logs[] = {
	{ "", 0, 0 },
	{ "1B1R1E", 1, 1 },
	{ "1B1R1R1E", 1, 1 },
	{ "1B1E", 1, 1 },
	{ "1B1R", 0, 0 },
	{ "1B1R9x1E", 0, 0 },		/* something in between */
	{ "1B1R1R2B2R2E", 1, 2 },	/* cut short */
	{ "1B1R1E9x2B2R2E", 2, 2 },
	{ "1R1E", 0, 0 },
	{ "1B2R1E", 0, 0 },		/* of another */
	{ "1B1R2E", 0, 0 },
	{ "1B1R1r1E", 0, 0 },		/* a piece twice */
	{ "1B1R1E1E", 1, 1 },
	{ "2B2R2E1B1R1E", 1, 2 },	/* ids count up */
};

static void
feed(struct snaps *s, const char *log)
{
	struct recpos	pos = { 1, 0 };
	struct record	r;
	struct rec	rec = { .payload = { NULL, 10 } };
	uint32_t	pieces = 0;

	for (; *log != '\0'; log += 2) {
		rec.id = (uint64_t)(log[0] - '0');
		r = (struct record){ .type = REC_DELIVERED };
		pos.offset += 10;
		if (log[1] == 'B') {
			pieces = 0;
			r.type = REC_SNAPSHOT_BEGIN;
			r.snapshot_begin.date = rec.id * 100;
		} else if (log[1] == 'R' || log[1] == 'r') {
			r.type = REC_SNAPSHOT_ROWS;
			r.snapshot_rows.piece = log[1] == 'r' ? 0 : pieces++;
			r.snapshot_rows.rows = 2;
		} else if (log[1] == 'E') {
			r.type = REC_SNAPSHOT_END;
			r.snapshot_end.pieces = pieces;
			r.snapshot_end.rows = pieces * 2;
		}
		snaps_record(s, &r, &rec, pos);
	}
}

static void
test_whole(void **state)
{
	struct snaps	s = { 0 };
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		feed(&s, logs[i].log);
		if (s.n != logs[i].n)
			print_message("%s\n", logs[i].log);
		assert_int_equal(s.n, logs[i].n);
		assert_int_equal(s.dirty, s.n > 0);
		if (s.n > 0) {
			assert_int_equal(snaps_last(&s)->id, logs[i].last);
			assert_int_equal(snaps_last(&s)->date,
			    logs[i].last * 100);
		} else {
			assert_null(snaps_last(&s));
		}
		snaps_clear(&s);
	}
}

static void
test_counts(void **state)
{
	struct snaps	s = { 0 };
	struct record	r = { .type = REC_SNAPSHOT_BEGIN };
	struct rec	rec = { .id = 5, .payload = { NULL, 10 } };

	(void)state;
	/* An end that counts otherwise. */
	snaps_record(&s, &r, &rec, (struct recpos){ 1, 10 });
	r = (struct record){ .type = REC_SNAPSHOT_ROWS,
	    .snapshot_rows = { 0, 3, 9, 0 } };
	snaps_record(&s, &r, &rec, (struct recpos){ 2, 10 });
	r = (struct record){ .type = REC_SNAPSHOT_END,
	    .snapshot_end = { 1, 2 } };
	snaps_record(&s, &r, &rec, (struct recpos){ 3, 10 });
	assert_int_equal(s.n, 0);
	feed(&s, "6B6R6R6E");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.list[0].bytes, 20);
	assert_int_equal(s.list[0].at.segment, 1);
	assert_int_equal(s.list[0].at.offset, 10);
	snaps_clear(&s);
}

static void
test_gone(void **state)
{
	struct snaps	s = { 0 };
	uint64_t	i;

	(void)state;
	for (i = 1; i <= 4; i++)
		snaps_add(&s, &(struct snap){ .id = i,
		    .at = { i * 10, 0 }, .end = i * 10 + 2 });
	snaps_retired(&s, 9);
	snaps_retired(&s, 13);
	assert_int_equal(s.n, 4);
	snaps_retired(&s, 12);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.list[0].id, 2);
	snaps_retired(&s, 30);
	assert_int_equal(s.n, 2);
	snaps_drop(&s, 3);
	assert_int_equal(s.n, 2);
	snaps_drop(&s, 4);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.list[0].id, 2);
	snaps_clear(&s);
}

/* Dates in the order of the log; the number of the snapshot, 0 for none. */
static const struct {
	uint64_t	dates[5];
	uint64_t	now, window;
	uint64_t	old, base;
} times[] = {
	{ { 0 }, 1000, 0, 0, 0 },
	{ { 100 }, 1000, 0, 1, 0 },
	{ { 100, 200 }, 1000, 0, 2, 1 },
	/* The base needs a snapshot that shows that so much time went by. */
	{ { 100, 200 }, 1000, 800, 2, 0 },
	{ { 100, 200, 886 }, 1000, 800, 2, 2 },
	{ { 100, 200, 887 }, 1000, 800, 2, 0 },
	{ { 100, 200, 785 }, 1000, 800, 2, 0 },
	{ { 100, 200, 786 }, 1000, 800, 2, 1 },
	{ { 100, 200, 886, 990 }, 1000, 800, 2, 2 },
	{ { 100, 200, 886, 5000 }, 1000, 800, 2, 2 },
	{ { 100, 200 }, 1000, 801, 1, 0 },
	{ { 100, 200 }, 1000, 901, 0, 0 },
	{ { 100, 200 }, 1000, 1000, 0, 0 },
	{ { 100, 200 }, 1000, 2000, 0, 0 },
	{ { 100, 200, 900, 950 }, 1000, 200, 2, 2 },
	{ { 900, 950 }, 1000, 200, 0, 0 },
	/* The clock went back: 3 is no older than 2. */
	{ { 100, 900, 50, 960 }, 1000, 200, 1, 1 },
	{ { 100, 900, 50, 960 }, 1100, 200, 3, 1 },
	{ { 100, 900, 50, 960, 1080 }, 1110, 200, 3, 3 },
	/* It was ahead: nothing can be said of 2, and 3 counts. */
	{ { 100, 5000, 300, 960 }, 1000, 200, 3, 3 },
	{ { 5000, 5001 }, 1000, 0, 0, 0 },
	/* It is ahead, and was before; but not for a seventh of the window. */
	{ { 100, 700, 790, 5000, 5080 }, 5090, 700, 3, 1 },
	{ { 100, 4000, 4700, 700, 790 }, 9000, 700, 5, 1 },
	/* For so long it is right. */
	{ { 100, 700, 790, 5000, 5080 }, 5100, 700, 3, 3 },
	/* It is back where it never was. */
	{ { 500, 600 }, 50, 0, 0, 0 },
};

static void
test_times(void **state)
{
	const struct snap	*p;
	struct snaps		 s = { 0 };
	size_t			 i, k;

	(void)state;
	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		for (k = 0; k < 5 && times[i].dates[k] != 0; k++)
			snaps_add(&s, &(struct snap){ .id = k + 1,
			    .date = times[i].dates[k] });
		p = snaps_old(&s, times[i].now, times[i].window);
		if ((p == NULL ? 0 : p->id) != times[i].old)
			print_message("case %zu\n", i);
		assert_int_equal(p == NULL ? 0 : p->id, times[i].old);
		p = snaps_base(&s, times[i].now, times[i].window);
		if ((p == NULL ? 0 : p->id) != times[i].base)
			print_message("case %zu\n", i);
		assert_int_equal(p == NULL ? 0 : p->id, times[i].base);
		snaps_clear(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
