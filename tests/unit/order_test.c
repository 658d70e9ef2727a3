/*
 * order_test - a tree of things beside a plain array of the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/order.h"

enum { N = 4096, PAGE = 100 };

struct thing {
	struct order_node	node;
	bool			is_in;
};

static struct thing	things[N];

/* The page must be what a look at all of them gives. */
static void
check_page(struct order *o, uint64_t after, size_t most)
{
	void	*out[PAGE + 1] = { NULL };
	size_t	 n = order_page(o, after, out, most), i, k = 0;

	for (i = 0; i < N && k < most; i++) {
		if (!things[i].is_in || things[i].node.map.key <= after)
			continue;
		assert_ptr_equal(out[k], &things[i]);
		k++;
	}
	assert_int_equal(n, k);
}

static void
toggle(struct order *o, struct thing *t)
{
	if (t->is_in)
		order_remove(o, &t->node);
	else
		order_add(o, &t->node);
	t->is_in = !t->is_in;
}

static void
test_against_array(void **state)
{
	static const uint64_t	gaps[] = { 1, 2, 1000, UINT64_C(1) << 40 };
	struct order		o;
	size_t			g, i, k;

	(void)state;
	srandom(5);
	for (g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
		o = (struct order){ 0 };
		memset(things, 0, sizeof(things));
		check_page(&o, 0, PAGE);
		for (i = 0; i < N; i++)
			things[i].node.map.key = (i + 1) * gaps[g];
		for (i = 0; i < 4 * N; i++) {
			toggle(&o, &things[(size_t)random() % N]);
			if (i % 64 != 0)
				continue;
			k = (size_t)random() % (N + 2);
			check_page(&o, k * gaps[g], 1);
			check_page(&o, k * gaps[g] - (k > 0), PAGE);
			check_page(&o, 0, 0);
		}
		for (i = 0; i < N; i++) {
			if (things[i].is_in)
				toggle(&o, &things[i]);
		}
		assert_null(o.root);
	}
}

/* Ascending, descending: pages cost what they hold and a path. */
static void
test_steps(void **state)
{
	struct order	o;
	void		*out[PAGE];
	uint64_t	after;
	size_t		i, n, pages;
	int		way;

	(void)state;
	for (way = 0; way < 2; way++) {
		o = (struct order){ 0 };
		memset(things, 0, sizeof(things));
		for (i = 0; i < N; i++) {
			n = way == 0 ? i : N - 1 - i;
			things[n].node.map.key = n + 1;
			toggle(&o, &things[n]);
		}
		after = 0;
		for (pages = 0; after < N; pages++) {
			n = order_page(&o, after, out, PAGE);
			after = ((struct thing *)out[n - 1])->node.map.key;
		}
		assert_int_equal(pages, (N + PAGE - 1) / PAGE);
		assert_in_range(o.steps, N, N + pages * 60);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_array),
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
