/*
 * owners_test - the table of owners and the handshake by which one goes: no
 * order of events may lose work or leave an owner that nobody can end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailboxd/owners.h"

static void
test_table(void **state)
{
	struct owners	*t = owners_new(3);
	struct owner	*a, *b, *c;

	(void)state;
	a = owners_add(t, 7, 1, 2);
	b = owners_add(t, 7 + 4096, 1, 2);	/* the same bucket */
	c = owners_add(t, 8, 3, 4);
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	assert_null(owners_add(t, 9, 1, 1));
	assert_ptr_equal(owners_find(t, 7), a);
	assert_ptr_equal(owners_find(t, 7 + 4096), b);
	assert_null(owners_find(t, 9));
	assert_int_equal(owners_count(t), 3);
	owners_remove(t, a);
	assert_null(owners_find(t, 7));
	assert_ptr_equal(owners_find(t, 7 + 4096), b);
	assert_non_null(owners_add(t, 9, 1, 1));
	assert_ptr_equal(owners_next(t, NULL), b);
	assert_ptr_equal(owners_next(t, b), c);
	owners_free(t);
}

/*
 * Events by letter: p work is passed or waits (P expected: now, w: waits),
 * u work of a monitor before us, r ready, i idle with the true count (G: may
 * go), I idle with one less.
 */
static void
test_states(void **state)
{
	static const struct {
		const char	*name, *events, *want;
		bool		 adopted;
	} rows[] = {
		{ "work waits for ready", "prp", "w.P", false },
		{ "idle", "ri", ".G", false },
		{ "idle after work", "rppi", ".PPG", false },
		{ "work in flight", "rppIi", ".PP.G", false },
		{ "nothing to one that goes", "rip", ".Gw", false },
		{ "idle twice", "rii", ".G.", false },
		{ "idle before it is ready", "i", ".", false },
		{ "it stays after all", "ripri", ".Gw.G", false },
		{ "adopted", "pi", "PG", true },
		{ "adopted, work in flight", "iprpi", "Gw.PG", true },
		{ "adopted, work we know nothing of", "iuri", "G..G", true },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct owners	*t = owners_new(1);
		struct owner	*o = owners_add(t, 1, 1, 1);
		uint64_t	 n = rows[i].adopted ? 40 : 0;
		char		 got[32] = "";

		if (rows[i].adopted)
			owner_adopt(o);
		for (k = 0; rows[i].events[k] != '\0'; k++) {
			got[k] = '.';
			switch (rows[i].events[k]) {
			case 'p':
				got[k] = owner_pass(o) ? 'P' : 'w';
				n += got[k] == 'P';
				break;
			case 'r':
				owner_ready(o);
				break;
			case 'u':
				n++;
				break;
			case 'i':
				if (owner_idle(o, n))
					got[k] = 'G';
				break;
			case 'I':
				if (owner_idle(o, n - 1))
					got[k] = 'G';
				break;
			}
		}
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].name, got);
		owners_free(t);
	}
}

/*
 * A model of both ends with queues between them, driven at random: an owner
 * goes only when it has received all, and work is never lost.
 */
struct world {
	struct owner	*o;
	unsigned	 to_owner, to_monitor[64], n_up;
	unsigned	 received, passed, busy;
	bool		 asked, go_sent, gone;
};

static void
step(struct world *w, int what)
{
	switch (what) {
	case 0:		/* work for the mailbox */
		if (owner_pass(w->o)) {
			assert_false(w->gone);
			w->passed++;
			w->to_owner++;
		}
		return;
	case 1:		/* the owner reads */
		if (w->to_owner > 0 && !w->gone) {
			w->to_owner--;
			w->received++;
			w->busy++;
			w->asked = false;
		} else if (w->go_sent) {
			/* Behind all work, as the socket keeps order. */
			assert_int_equal(w->received, w->passed);
			assert_int_equal(w->busy, 0);
			w->gone = true;
		}
		return;
	case 2:		/* it finishes something */
		if (w->busy > 0)
			w->busy--;
		return;
	case 3:		/* it asks to go */
		if (w->busy == 0 && !w->asked && !w->gone && w->n_up < 64) {
			w->asked = true;
			w->to_monitor[w->n_up++] = w->received;
		}
		return;
	case 4:		/* the monitor reads */
		if (w->n_up == 0)
			return;
		if (owner_idle(w->o, w->to_monitor[0]))
			w->go_sent = true;
		memmove(w->to_monitor, w->to_monitor + 1,
		    --w->n_up * sizeof(w->to_monitor[0]));
		return;
	}
}

static void
test_race(void **state)
{
	unsigned seed, i, gone = 0;

	(void)state;
	for (seed = 1; seed <= 2000; seed++) {
		struct owners	*t = owners_new(1);
		struct world	 w = { .o = owners_add(t, 1, 1, 1) };

		owner_ready(w.o);
		srandom(seed);
		for (i = 0; i < 300 && !w.gone; i++)
			step(&w, (int)(random() % 5));
		/* Left alone, it goes. */
		for (i = 0; i < 400 && !w.gone; i++)
			step(&w, 1 + (int)(i % 4));
		assert_true(w.gone);
		gone += w.passed > 0;
		owners_free(t);
	}
	assert_true(gone > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
