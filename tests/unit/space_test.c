/*
 * space_test - when mail is taken: at the reserve, one byte on either side,
 * and on the way back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "queued/space.h"

enum { O = QUEUE_OPEN, C = QUEUE_CLOSED };

/* A reserve of 800 bytes or 10 percent, 5 messages. */
static const struct space_conf conf = { 800, 10, 5 };

static const struct space_case {
	const char	*name;
	uint64_t	 free, total, messages;
	int		 before, after;
} cases[] = {
	{ "bytes count, above", 801, 100000, 0, O, O },
	{ "bytes count, at", 800, 100000, 0, O, O },
	{ "bytes count, below", 799, 100000, 0, O, C },
	{ "percent counts, above", 101, 1000, 0, O, O },
	{ "percent counts, at", 100, 1000, 0, O, O },
	{ "percent counts, below", 99, 1000, 0, O, C },
	{ "closed stays so at the reserve", 800, 100000, 0, C, C },
	{ "and an eighth above it, less one", 899, 100000, 0, C, C },
	{ "opens an eighth above", 900, 100000, 0, C, O },
	{ "one message less", 5000, 100000, 4, O, O },
	{ "all messages", 5000, 100000, 5, O, C },
	{ "more than all", 5000, 100000, 6, O, C },
	{ "room for one again", 5000, 100000, 4, C, O },
	{ "a full disk", 0, 1000, 0, O, C },
};

static void
test_judge(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct space s = { cases[i].free, cases[i].total,
		    cases[i].messages };

		if ((int)space_judge(&conf, &s,
		    (enum queue_state)cases[i].before) != cases[i].after)
			fail_msg("%s", cases[i].name);
	}
}

static void
test_no_disk(void **state)
{
	struct space s = { 0 };

	(void)state;
	assert_int_equal(space_free(-1, &s), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_no_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
