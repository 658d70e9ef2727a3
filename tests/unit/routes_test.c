/*
 * routes_test - rows of a routing answer: who is over, and that nobody else
 * pays for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "common/ipc/routes.h"

enum { ROOM = 10 };

/* n rows of a target. */
struct part {
	uint32_t	target, n;
	enum route_kind	kind;
};

#define BOX	ROUTE_MAILBOX
#define ADR	ROUTE_ADDRESS

static const struct scene {
	const char	*name;
	struct part	 part[7];	/* n 0: no more */
	uint32_t	 kept[4];	/* rows of target 0 to 3 */
	unsigned	 flood;		/* bits */
} scenes[] = {
	{ "plain ones take no room", { { 0, 1, BOX }, { 1, 1, BOX } },
	    { 1, 1 }, 0 },
	{ "one address does", { { 0, 9, BOX }, { 1, 1, ADR }, { 2, 1, ADR } },
	    { 9, 1, 1 }, 4 },
	{ "limit - 1", { { 0, 9, BOX }, { 1, 1, BOX } }, { 9, 1 }, 0 },
	{ "limit", { { 0, 10, BOX }, { 1, 1, BOX } }, { 10, 1 }, 0 },
	{ "limit + 1", { { 0, 11, BOX }, { 1, 1, BOX } }, { 1, 1 }, 1 },
	{ "room again", { { 0, 500, ADR }, { 1, 10, BOX } }, { 1, 10 }, 1 },
	{ "two guilty", { { 0, 11, BOX }, { 1, 10, ADR }, { 2, 12, ADR },
	    { 3, 1, BOX } }, { 1, 10, 1, 1 }, 5 },
	{ "together", { { 0, 6, BOX }, { 1, 5, BOX }, { 2, 4, BOX } },
	    { 6, 1, 4 }, 2 },
	{ "in turns", { { 0, 6, ADR }, { 1, 4, ADR }, { 0, 1, ADR },
	    { 2, 6, ADR }, { 0, 3, ADR }, { 1, 1, ADR } }, { 1, 1, 6 }, 3 },
	{ "said so", { { 0, 1, ROUTE_FLOOD }, { 1, 10, BOX } },
	    { 1, 10 }, 1 },
};

static int
put(struct routes *r, uint32_t target, uint32_t n, enum route_kind kind)
{
	struct buf	b;
	uint32_t	i, count = 0;
	int		rc;

	buf_init(&b, MSG_PACKET_MAX);
	for (i = 0; i < n; i++)
		rec_add_route(&b, &count, &(struct rec_route){
		    .target = target, .kind = (uint8_t)kind, .mailbox = i,
		    .address = kind == ADR ? S("a@x.test") : S("") });
	rc = routes_add(r, msg_list_of(&b, count));
	buf_clear(&b);
	return rc;
}

static void
check(const struct scene *s, const struct routes *r)
{
	struct msg_list		list = routes_list(r);
	struct rec_route	row;
	uint32_t		n[4] = { 0 };
	unsigned		flood = 0, i;

	while (rec_next_route(&list, &row)) {
		n[row.target]++;
		if (row.kind == ROUTE_FLOOD)
			flood |= 1u << row.target;
	}
	for (i = 0; i < 4; i++) {
		if (n[i] != s->kept[i])
			fail_msg("%s: %u rows of %u", s->name, n[i], i);
	}
	if (flood != s->flood)
		fail_msg("%s: over are %x", s->name, flood);
}

/* Each part at once, then row by row. */
static void
test_scenes(void **state)
{
	const struct scene	*s;
	const struct part	*p;
	struct routes		 r;
	size_t			 i;
	uint32_t		 k;

	(void)state;
	for (i = 0; i < 2 * sizeof(scenes) / sizeof(scenes[0]); i++) {
		s = &scenes[i / 2];
		routes_init(&r, ROOM);
		for (p = s->part; p->n > 0; p++) {
			for (k = 0; k < (i % 2 == 0 ? 1 : p->n); k++)
				assert_int_equal(put(&r, p->target,
				    i % 2 == 0 ? p->n : 1, p->kind), 0);
		}
		check(s, &r);
		/* And from the start. */
		routes_reset(&r);
		assert_int_equal(routes_list(&r).n, 0);
		assert_int_equal(put(&r, 0, ROOM, ADR), 0);
		assert_int_equal(routes_list(&r).n, ROOM);
		routes_clear(&r);
	}
}

static void
test_refused(void **state)
{
	struct routes	r;
	uint32_t	i;

	(void)state;
	routes_init(&r, ROOM);
	for (i = 0; i < ROUTES_TARGETS; i++)
		assert_int_equal(put(&r, 7 * i, 1, BOX), 0);
	assert_int_equal(put(&r, 1, 1, BOX), -1);
	assert_int_equal(put(&r, 7, 1, BOX), 0);
	assert_int_equal(put(&r, 7, 1, ROUTE_FLOOD + 1), -1);
	routes_clear(&r);
}

/* Whatever comes, what is kept has a bound. */
static void
test_bytes(void **state)
{
	static char		long_one[320];
	struct rec_route	row = { .kind = ADR };
	struct routes		r;
	struct buf		b;
	uint32_t		i, n;

	(void)state;
	memset(long_one, 'a', sizeof(long_one));
	row.address = str_of(long_one, sizeof(long_one));
	routes_init(&r, UINT32_MAX / 2);
	assert_int_equal(put(&r, 0, 3, ADR), 0);
	row.target = 1;
	for (i = 0; i < ROUTES_BYTES_MAX / 32000 + 2; i++) {
		buf_init(&b, MSG_PACKET_MAX);
		for (n = 0; n < 100;)
			rec_add_route(&b, &n, &row);
		assert_int_equal(routes_add(&r, msg_list_of(&b, n)), 0);
		buf_clear(&b);
		assert_true(r.b.n <= ROUTES_BYTES_MAX);
	}
	assert_int_equal(routes_list(&r).n, 4);
	assert_int_equal(r.used, 3);
	routes_clear(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
