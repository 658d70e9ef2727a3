/*
 * mutf7_test - modified UTF-7, with the vectors of tests/data/imap-names.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/mail/mutf7.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct {
	const char	*utf8;		/* NULL: not a name */
	const char	*wire;
} rows[] = {
#include "tests/data/imap-names/mutf7.inc"
	/* Ours. */
	{ "", "" },
	{ NULL, "&AOkA-" },		/* bits of half a unit */
	{ NULL, "&A-" },
	{ NULL, "&AO-" },
	{ NULL, "&2D3YPQ-" },		/* two high surrogates */
	{ NULL, "&3gA-" },		/* a low one first */
	{ NULL, "&AOk-&AOk-" },
	{ "\303\251&\303\251", "&AOk-&-&AOk-" },
	{ NULL, "a\tb" },
	{ NULL, "a\177" },
	{ NULL, "&AO k-" },
	{ NULL, "&AOk/-" },
	{ "\177", "&AH8-" },
	{ "\360\220\200\200", "&2ADcAA-" },
	{ "\364\217\277\277", "&2,,f,w-" },
};

static void
test_decode(void **state)
{
	struct buf	out;
	size_t		i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		buf_init(&out, 1000);
		buf_addz(&out, "x");
		if (mutf7_decode(str_c(rows[i].wire), &out) == -1) {
			if (rows[i].utf8 != NULL)
				fail_msg("%s: refused", rows[i].wire);
			assert_string_equal(buf_cstr(&out), "x");
		} else {
			if (rows[i].utf8 == NULL)
				fail_msg("%s: not refused", rows[i].wire);
			assert_string_equal(buf_cstr(&out) + 1,
			    rows[i].utf8);
		}
		buf_clear(&out);
	}
}

static void
test_encode(void **state)
{
	struct buf	out;
	size_t		i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (rows[i].utf8 == NULL)
			continue;
		buf_init(&out, 1000);
		assert_int_equal(mutf7_encode(str_c(rows[i].utf8), &out), 0);
		assert_string_equal(buf_cstr(&out), rows[i].wire);
		buf_clear(&out);
	}
}

static void
test_not_utf8(void **state)
{
	static const struct str	bad[] = {
		STR_INIT("\351"), STR_INIT("\300\257"),
		STR_INIT("\355\240\200"), STR_INIT("a\0b"),
		STR_INIT("\364\220\200\200"),
	};
	struct buf	out;
	size_t		i;

	(void)state;
	buf_init(&out, 100);
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(mutf7_encode(bad[i], &out), -1);
	assert_int_equal(out.n, 0);
	/* A buffer that is too small is no name either. */
	buf_clear(&out);
	buf_init(&out, 3);
	assert_int_equal(mutf7_encode(S("abcd"), &out), -1);
	buf_clear(&out);
}

/* Every character alone comes back, and has one spelling. */
static void
test_all_characters(void **state)
{
	struct buf	wire, back;
	char		u[4];
	uint32_t	c;
	size_t		n;

	(void)state;
	buf_init(&wire, 100);
	buf_init(&back, 100);
	for (c = 1; c <= 0x10ffff; c += c < 0x3000 ? 1 : 97) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		n = 0;
		if (c < 0x80) {
			u[n++] = (char)c;
		} else if (c < 0x800) {
			u[n++] = (char)(0xc0 | c >> 6);
		} else if (c < 0x10000) {
			u[n++] = (char)(0xe0 | c >> 12);
			u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		} else {
			u[n++] = (char)(0xf0 | c >> 18);
			u[n++] = (char)(0x80 | (c >> 12 & 0x3f));
			u[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		}
		if (c >= 0x80)
			u[n++] = (char)(0x80 | (c & 0x3f));
		buf_reset(&wire);
		buf_reset(&back);
		assert_int_equal(mutf7_encode(str_of(u, n), &wire), 0);
		assert_true(str_is_print(buf_str(&wire)));
		assert_int_equal(mutf7_decode(buf_str(&wire), &back), 0);
		assert_true(str_eq(buf_str(&back), str_of(u, n)));
	}
	buf_clear(&wire);
	buf_clear(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_encode),
		cmocka_unit_test(test_not_utf8),
		cmocka_unit_test(test_all_characters),
	};

	return cmocka_run_group_tests_name("mutf7", tests, NULL, NULL);
}
