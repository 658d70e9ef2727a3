/*
 * text: SASLprep and folding.  tests/data/sasl/saslprep.json has the examples
 * of RFC 4013 and more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mail/text.h"
#include "tests/lib/json.h"

static void
test_vectors(void **state)
{
	struct buf	file, in, want, out;
	struct str	rest, object;
	bool		is_good;
	int		n = 0;

	(void)state;
	buf_init(&in, 4096);
	buf_init(&want, 4096);
	buf_init(&out, 4096);
	json_load("tests/data/sasl/saslprep.json", &file);
	rest = buf_str(&file);
	while (json_next(&rest, &object)) {
		assert_true(json_get(object, "input", &in));
		is_good = json_get(object, "output", &want);
		buf_reset(&out);
		if ((text_saslprep(buf_str(&in), true, &out) == 0) != is_good)
			fail_msg("'%s'", buf_cstr(&in));
		if (is_good && !str_eq(buf_str(&out), buf_str(&want)))
			fail_msg("'%s' gave '%s'", buf_cstr(&in),
			    buf_cstr(&out));
		n++;
	}
	assert_true(n >= 14);
	buf_clear(&file);
	buf_clear(&in);
	buf_clear(&want);
	buf_clear(&out);
}

static void
test_saslprep(void **state)
{
	static const struct {
		struct str	in;
		bool		stored;
		const char	*out;		/* NULL: refused */
	} t[] = {
		{ STR_INIT("plain ~!"), true, "plain ~!" },
		{ STR_INIT("a\0b"), true, NULL },
		{ STR_INIT("\x7f"), true, NULL },
		{ STR_INIT("tab\t"), true, NULL },
		{ STR_INIT("\xff"), true, NULL },
		{ STR_INIT("\xc0\xaf"), true, NULL },
		{ STR_INIT("\xed\xa0\x80"), true, NULL },
		{ STR_INIT("\xe2\x80\xa8"), true, NULL },
		{ STR_INIT("\xef\xbf\xbd"), true, NULL },
		{ STR_INIT("\xee\x80\x80"), true, NULL },
		/* Unassigned in Unicode 3.2: a query may have it. */
		{ STR_INIT("\xc8\xa1"), true, NULL },
		{ STR_INIT("\xc8\xa1"), false, "\xc8\xa1" },
		/* Grows: one code point into eighteen. */
		{ STR_INIT("\xef\xb7\xba"), true,
		    "\xd8\xb5\xd9\x84\xd9\x89 \xd8\xa7\xd9\x84\xd9\x84\xd9"
		    "\x87 \xd8\xb9\xd9\x84\xd9\x8a\xd9\x87 \xd9\x88\xd8\xb3"
		    "\xd9\x84\xd9\x85" },
	};
	struct buf	out;
	size_t		i;
	int		rc;

	(void)state;
	buf_init(&out, 256);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_reset(&out);
		rc = text_saslprep(t[i].in, t[i].stored, &out);
		if ((rc == 0) != (t[i].out != NULL) || (rc == 0 &&
		    !str_eq(buf_str(&out), str_c(t[i].out))))
			fail_msg("row %zu: '%s'", i, buf_cstr(&out));
	}
	buf_clear(&out);
}

/* Many code points that grow: the first guess of the room is too small. */
static void
test_growth(void **state)
{
	struct buf	in, out;
	int		i;

	(void)state;
	buf_init(&in, 100000);
	buf_init(&out, 1000 * 33);
	for (i = 0; i < 1000; i++)
		buf_addz(&in, "\xef\xb7\xba");
	assert_int_equal(text_saslprep(buf_str(&in), true, &out), 0);
	assert_int_equal(buf_str(&out).n, 1000 * 33);
	buf_reset(&out);
	buf_addz(&in, "\xef\xb7\xba");
	assert_int_equal(text_saslprep(buf_str(&in), true, &out), -1);
	buf_clear(&in);
	buf_clear(&out);
}

static void
test_limits(void **state)
{
	struct buf	out;
	char		*big = malloc(TEXT_MAX + 1);

	(void)state;
	assert_non_null(big);
	memset(big, 'A', TEXT_MAX + 1);
	buf_init(&out, TEXT_MAX + 1);
	assert_int_equal(text_fold(str_of(big, TEXT_MAX), &out), 0);
	assert_int_equal(out.n, TEXT_MAX);
	assert_true(str_eq(str_sub(buf_str(&out), 0, 2), S("aa")));
	buf_reset(&out);
	assert_int_equal(text_fold(str_of(big, TEXT_MAX + 1), &out), -1);
	buf_reset(&out);
	assert_int_equal(text_saslprep(str_of(big, TEXT_MAX), true, &out), 0);
	buf_reset(&out);
	assert_int_equal(text_saslprep(str_of(big, TEXT_MAX + 1), true, &out),
	    -1);
	buf_clear(&out);
	buf_init(&out, 3);
	assert_int_equal(text_fold(S("abcd"), &out), -1);
	buf_reset(&out);
	assert_int_equal(text_fold(S("abc"), &out), 0);
	buf_reset(&out);
	assert_int_equal(text_fold(S("\xc3\xa4\xc3\xa4"), &out), -1);
	buf_clear(&out);
	free(big);
}

static void
test_fold(void **state)
{
	static const struct {
		const char	*a, *b;
		bool		 equal;
	} t[] = {
		{ "", "", true },
		{ "Hello @[`{", "hELLO @[`{", true },
		{ "a", "b", false },
		{ "\xc3\x84rger", "\xc3\xa4RGER", true },
		{ "\xc3\xa4", "a\xcc\x88", true },
		{ "stra\xc3\x9f" "e", "STRASSE", true },
		{ "\xce\xa3", "\xcf\x82", true },
		{ "\xc4\xb0", "i", false },
		{ "\xef\xbc\xa1", "a", true },
		{ "\xef\xac\x81", "FI", true },
		{ "\xc3\xa4", "a", false },
		{ "x\xff", "X\xef\xbf\xbd", true },
	};
	struct buf	a, b;
	size_t		i;

	(void)state;
	buf_init(&a, 256);
	buf_init(&b, 256);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_reset(&a);
		buf_reset(&b);
		assert_int_equal(text_fold(str_c(t[i].a), &a), 0);
		assert_int_equal(text_fold(str_c(t[i].b), &b), 0);
		if (str_eq(buf_str(&a), buf_str(&b)) != t[i].equal)
			fail_msg("row %zu: '%s' '%s'", i, buf_cstr(&a),
			    buf_cstr(&b));
	}
	buf_clear(&a);
	buf_clear(&b);
}

/*
 * A run of combining marks is put in order, which takes time by the square of
 * its length: so it is done in short pieces, whatever somebody mails us.
 */
static void
test_marks(void **state)
{
	struct buf	in, out, again;
	struct str	s;
	ptrdiff_t	at;
	int		i;

	(void)state;
	buf_init(&in, TEXT_MAX);
	buf_init(&out, TEXT_MAX);
	buf_init(&again, TEXT_MAX);
	buf_addc(&in, 'a');
	for (i = 0; i < 20000; i++)
		buf_addz(&in, "\xcc\x81\xcc\xa3");
	assert_int_equal(text_fold(buf_str(&in), &out), 0);
	assert_int_equal(out.n, in.n);	/* U+1EA1 for "a" and the first */
	/* U+0323 comes before U+0301, but not all of them. */
	at = str_find(buf_str(&out), S("\xcc\x81"));
	assert_true(at > 100 && at < 2000);
	/* Elsewhere the pieces do not show. */
	buf_reset(&in);
	buf_reset(&out);
	for (i = 0; i < 5000; i++)
		buf_addf(&in, "%.*se\xcc\x81\xf0\x9f\x98\x80", i % 7,
		    "xxxxxxx");
	assert_int_equal(text_fold(buf_str(&in), &out), 0);
	for (i = 0; i < 5000; i++)
		buf_addf(&again, "%.*s\xc3\xa9\xf0\x9f\x98\x80", i % 7,
		    "xxxxxxx");
	s = buf_str(&again);
	assert_true(str_eq(buf_str(&out), s));
	buf_clear(&in);
	buf_clear(&out);
	buf_clear(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_saslprep),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_marks),
	};

	if (text_init() == -1)
		return 1;
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
