/*
 * sched_test - when is what due, and whose turn is it; virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "queued/sched.h"

enum { MIN = 60, MAX = 3600 };

static const struct sched_conf conf = { MIN, MAX, 4 };

static void
test_backoff(void **state)
{
	static const uint32_t want[] = { 60, 120, 240, 480, 960, 1920, 3600,
	    3600 };
	struct sched	*s = sched_new(&conf, 1);
	uint32_t	 delay = 0;
	size_t		 i;
	int64_t		 ms;
	int		 low = 0, high = 0;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		delay = sched_backoff(s, delay);
		assert_int_equal(delay, want[i]);
	}
	for (i = 0; i < 1000; i++) {
		ms = sched_jitter(s, 80);
		assert_in_range(ms, 70000, 90000);
		low += ms < 75000;
		high += ms > 85000;
	}
	assert_in_range(low, 150, 350);
	assert_in_range(high, 150, 350);
	sched_free(s);
}

/* The same seed gives the same walk. */
static void
test_seed(void **state)
{
	struct sched	*a = sched_new(&conf, 7), *b = sched_new(&conf, 7);
	struct sched	*c = sched_new(&conf, 8);
	int64_t		 x = sched_jitter(a, 1000);

	(void)state;
	assert_int_equal(x, sched_jitter(b, 1000));
	assert_int_not_equal(x, sched_jitter(c, 1000));
	sched_free(a);
	sched_free(b);
	sched_free(c);
}

static void
test_due(void **state)
{
	struct sched		*s = sched_new(&conf, 1);
	struct sched_item	 now = { 0 }, later = { 0 }, last = { 0 };

	(void)state;
	assert_null(sched_next(s, 0));
	assert_true(sched_when(s, 0) == INT64_MAX);
	sched_add(s, &later, 1, 1, 0, 500, 100);
	sched_add(s, &last, 2, 1, 0, 501, 100);
	assert_int_equal(sched_when(s, 100), 500);
	sched_add(s, &now, 1, 1, 0, 100, 100);
	assert_int_equal(sched_when(s, 100), 100);
	assert_ptr_equal(sched_next(s, 100), &now);
	assert_null(sched_next(s, 499));
	assert_ptr_equal(sched_next(s, 500), &later);
	assert_null(sched_next(s, 500));
	assert_ptr_equal(sched_next(s, 501), &last);
	sched_done(s, &now, true, 501);
	sched_done(s, &later, true, 501);
	assert_int_equal(sched_dests(s), 1);
	sched_cancel(s, &last, 501);
	assert_int_equal(sched_dests(s), 0);
	sched_free(s);
}

/* At most dest_jobs of a destination; the others go on. */
static void
test_bound(void **state)
{
	struct sched		*s = sched_new(&conf, 1);
	struct sched_item	 it[6] = { { 0 } }, other = { 0 };
	int			 i;

	(void)state;
	for (i = 0; i < 6; i++)
		sched_add(s, &it[i], 1, 1, 0, 0, 0);
	for (i = 0; i < 4; i++)
		assert_ptr_equal(sched_next(s, 0), &it[i]);
	assert_null(sched_next(s, 0));
	sched_add(s, &other, 2, 1, 0, 0, 0);
	assert_ptr_equal(sched_next(s, 0), &other);
	sched_done(s, &it[2], true, 0);
	assert_ptr_equal(sched_next(s, 0), &it[4]);
	assert_null(sched_next(s, 0));
	sched_free(s);
}

/* A failing destination rests, then one probes, then the others follow. */
static void
test_probe(void **state)
{
	struct sched		*s = sched_new(&conf, 1);
	struct sched_item	 it[4] = { { 0 } };
	int64_t			 now = 0, up, rest;
	int			 i;

	(void)state;
	for (i = 0; i < 4; i++)
		sched_add(s, &it[i], 1, 1, 0, 0, now);
	for (i = 0; i < 4; i++)
		assert_non_null(sched_next(s, now));
	/* All four fail: that is one failure of the destination. */
	for (i = 0; i < 4; i++) {
		sched_done(s, &it[i], false, now);
		sched_add(s, &it[i], 1, 1, 0, now, now);
	}
	for (i = 0, rest = MIN; rest <= 4 * MIN; i++, rest *= 2) {
		assert_null(sched_next(s, now));
		up = sched_when(s, now);
		assert_in_range(up - now, rest * 875, rest * 1125);
		assert_null(sched_next(s, up - 1));
		now = up;
		/* One goes, each time another, and nobody follows it. */
		assert_ptr_equal(sched_next(s, now), &it[i]);
		assert_null(sched_next(s, now));
		sched_done(s, &it[i], false, now);
		sched_add(s, &it[i], 1, 1, 0, now, now);
	}
	now = sched_when(s, now);
	assert_ptr_equal(sched_next(s, now), &it[3]);
	assert_null(sched_next(s, now));
	sched_done(s, &it[3], true, now);
	for (i = 0; i < 3; i++)
		assert_ptr_equal(sched_next(s, now), &it[i]);
	sched_free(s);
}

static void
test_hurry(void **state)
{
	struct sched		*s = sched_new(&conf, 1);
	struct sched_item	 a = { 0 }, b = { 0 };

	(void)state;
	sched_add(s, &a, 1, 1, 0, 0, 0);
	assert_ptr_equal(sched_next(s, 0), &a);
	sched_done(s, &a, false, 0);
	sched_add(s, &a, 1, 1, 0, 90000, 0);
	sched_add(s, &b, 1, 1, 0, 0, 0);
	assert_null(sched_next(s, 0));
	sched_hurry(s, &a, 0);
	assert_int_equal(sched_take(s, &a), 0);
	assert_int_equal(sched_take(s, &a), -1);
	sched_done(s, &a, true, 0);
	assert_ptr_equal(sched_next(s, 0), &b);
	sched_free(s);
}

/*
 * A tenant with a thousand messages and one with ten get the same, and so do
 * two mailboxes of one tenant; large messages count for what they are.
 */
static void
test_fair(void **state)
{
	static const struct sched_conf wide = { MIN, MAX, 100000 };
	static struct sched_item many[1000], few[200], large[200];
	struct sched		*s = sched_new(&wide, 1);
	struct sched_item	*it;
	unsigned		 n[3] = { 0 };
	int			 i;

	(void)state;
	for (i = 0; i < 1000; i++)
		sched_add(s, &many[i], 10, 1, 0, 0, 0);
	for (i = 0; i < 200; i++)
		sched_add(s, &few[i], 20, 2, 0, 0, 0);
	for (i = 0; i < 200; i++)
		sched_add(s, &large[i], 30, 2, 28 * 1024, 0, 0);
	for (i = 0; i < 600; i++) {
		it = sched_next(s, 0);
		n[it >= many && it < many + 1000 ? 0 :
		    it >= few && it < few + 200 ? 1 : 2]++;
	}
	/*
	 * Costs are 4, 4 and 32: the first tenant's 4 x n0 is the second's
	 * 4 x n1 + 32 x n2, whose halves are equal.
	 */
	assert_in_range(n[0] * 4, n[1] * 4 + n[2] * 32 - 160,
	    n[1] * 4 + n[2] * 32 + 160);
	assert_in_range(n[1] * 4, n[2] * 32 - 96, n[2] * 32 + 96);
	sched_free(s);
}

/* -- a walk against a simple model --------------------------------------- */

enum { ITEMS = 60, DESTS = 7 };

struct model {
	struct sched_item	it;	/* first */
	uint64_t		dest;
	int64_t			due;
};

static void
add_random(struct sched *s, struct model *m, int64_t now)
{
	m->dest = (uint64_t)(random() % DESTS);
	m->due = now + random() % 5000 - 1000;
	sched_add(s, &m->it, m->dest, (uint32_t)m->dest % 3,
	    (size_t)(random() % 100000), m->due, now);
}

/* Nothing starves: with working destinations all of it goes. */
static void
drain(struct sched *s, struct model *m, int64_t now)
{
	int step, i;

	for (step = 0; step < 10000; step++) {
		now += 1000;
		for (i = 0; i < ITEMS; i++) {
			if (m[i].it.where == SCHED_TAKEN)
				sched_done(s, &m[i].it, true, now);
		}
		while (sched_next(s, now) != NULL)
			continue;
	}
	for (i = 0; i < ITEMS; i++) {
		assert_true(m[i].it.where == SCHED_OUT ||
		    m[i].it.where == SCHED_TAKEN);
		sched_cancel(s, &m[i].it, now);
	}
	assert_int_equal(sched_dests(s), 0);
}

static void
test_walk(void **state)
{
	static struct model	 m[ITEMS];
	struct sched		*s = sched_new(&conf, 3);
	struct sched_item	*it;
	unsigned		 busy[DESTS] = { 0 }, taken = 0;
	struct model		*x;
	int64_t			 now = 0;
	int			 step;

	(void)state;
	srandom(5);
	memset(m, 0, sizeof(m));
	for (step = 0; step < 200000; step++) {
		x = &m[random() % ITEMS];
		switch (random() % 6) {
		case 0:
			now += random() % 300;
			break;
		case 1:
			if (x->it.where == SCHED_OUT)
				add_random(s, x, now);
			break;
		case 2:
			if (x->it.where == SCHED_TAKEN) {
				busy[x->dest]--;
				sched_done(s, &x->it, random() % 8 != 0, now);
			}
			break;
		case 3:
			if (random() % 8 == 0) {
				busy[x->dest] -= x->it.where == SCHED_TAKEN;
				sched_cancel(s, &x->it, now);
			}
			break;
		default:
			it = sched_next(s, now);
			if (it == NULL)
				break;
			x = (struct model *)it;
			assert_true(x->due <= now);
			assert_true(++busy[x->dest] <= conf.dest_jobs);
			taken++;
		}
	}
	assert_true(taken > 5000);
	drain(s, m, now);
	sched_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_hurry),
		cmocka_unit_test(test_fair),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
