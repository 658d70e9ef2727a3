/*
 * seqset_test - sets of messages.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imapd/seqset.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

/* NULL: refused. */
static const struct {
	const char	*text;
	uint32_t	 star;
	const char	*want;
} sets[] = {
	{ "1", 9, "1" },
	{ "1:3", 9, "1:3" },
	{ "3:1", 9, "1:3" },
	{ "*", 9, "9" },
	{ "*:7", 9, "7:9" },
	{ "7:*", 9, "7:9" },
	{ "12:*", 9, "9:12" },
	{ "*:*", 9, "9" },
	{ "5,1,3", 9, "1,3,5" },
	{ "1,2,3,4", 9, "1:4" },
	{ "1:5,3:8,10", 9, "1:8,10" },
	{ "1:2,4:5,3", 9, "1:5" },
	{ "1:4294967295", 9, "1:4294967295" },
	{ "4294967295,4294967294", 9, "4294967294:4294967295" },
	{ "4294967295,1:4294967295,7", 9, "1:4294967295" },
	{ "1,1,1,1", 9, "1" },
	{ "*", 0, "" },
	{ "1:*", 0, "" },
	{ "1:*,4", 0, "4" },
	{ "", 9, NULL },
	{ "0", 9, NULL },
	{ "0:1", 9, NULL },
	{ "1:0", 9, NULL },
	{ "01", 9, NULL },
	{ "4294967296", 9, NULL },
	{ "1:4294967296", 9, NULL },
	{ "99999999999999999999999", 9, NULL },
	{ "1,", 9, NULL },
	{ ",1", 9, NULL },
	{ "1,,2", 9, NULL },
	{ "1:", 9, NULL },
	{ ":1", 9, NULL },
	{ "1:2:3", 9, NULL },
	{ "-1", 9, NULL },
	{ "1 2", 9, NULL },
	{ "**", 9, NULL },
	{ "1a", 9, NULL },
};

static void
test_text(void **state)
{
	struct seqset	set;
	struct buf	out;
	size_t		i;

	(void)state;
	for (i = 0; i < COUNT(sets); i++) {
		buf_init(&out, 1000);
		if (seqset_parse(&set, str_c(sets[i].text)) == -1) {
			if (sets[i].want != NULL)
				fail_msg("%s: refused", sets[i].text);
			continue;
		}
		if (sets[i].want == NULL)
			fail_msg("%s: not refused", sets[i].text);
		seqset_resolve(&set, sets[i].star);
		seqset_format(&set, &out);
		assert_string_equal(buf_cstr(&out), sets[i].want);
		buf_clear(&out);
		seqset_clear(&set);
	}
}

static void
test_members(void **state)
{
	struct seqset	set;
	uint32_t	v;

	(void)state;
	assert_int_equal(seqset_parse(&set, S("3:5,9,20:*")), 0);
	seqset_resolve(&set, 30);
	assert_false(seqset_has(&set, 2));
	assert_true(seqset_has(&set, 3));
	assert_true(seqset_has(&set, 5));
	assert_false(seqset_has(&set, 6));
	assert_true(seqset_has(&set, 9));
	assert_true(seqset_has(&set, 30));
	assert_false(seqset_has(&set, 31));
	assert_int_equal(seqset_max(&set), 30);
	assert_true(seqset_next(&set, 1, &v));
	assert_int_equal(v, 3);
	assert_true(seqset_next(&set, 6, &v));
	assert_int_equal(v, 9);
	assert_true(seqset_next(&set, 25, &v));
	assert_int_equal(v, 25);
	assert_false(seqset_next(&set, 31, &v));
	seqset_clear(&set);
	assert_false(seqset_next(&set, 1, &v));
	assert_int_equal(seqset_max(&set), 0);
}

static void
test_push(void **state)
{
	static const uint32_t	v[] = { 1, 2, 3, 7, 9, 10, UINT32_MAX };
	struct seqset		set = { 0 };
	struct buf		out;
	size_t			i;

	(void)state;
	buf_init(&out, 1000);
	for (i = 0; i < COUNT(v); i++)
		seqset_push(&set, v[i]);
	seqset_format(&set, &out);
	assert_string_equal(buf_cstr(&out), "1:3,7,9:10,4294967295");
	seqset_clear(&set);
	buf_clear(&out);
}

/* The cap on intervals: one less, as many, one more. */
static void
test_limit(void **state)
{
	struct seqset	set;
	struct buf	text;
	size_t		n, i;

	(void)state;
	for (n = SEQSET_MAX - 1; n <= SEQSET_MAX + 1; n++) {
		buf_init(&text, 10 * SEQSET_MAX);
		for (i = 0; i < n; i++)
			buf_addz(&text, i == 0 ? "1" : ",1");
		assert_int_equal(seqset_parse(&set, buf_str(&text)),
		    n > SEQSET_MAX ? -1 : 0);
		seqset_clear(&set);
		buf_clear(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_push),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests_name("seqset", tests, NULL, NULL);
}
