/*
 * str: pieces, comparisons, numbers, UTF-8.
 */
#include "tests/lib/unit.h"

/* A static str may hold NULs: its length is that of the literal. */
#define L(lit)	STR_INIT(lit)

static void
test_compare(void **state)
{
	static const struct {
		struct str	a, b;
		bool		eq, ieq, starts, istarts;
		int		cmp;
	} t[] = {
		{ L(""), L(""), true, true, true, true, 0 },
		{ { NULL, 0 }, L(""), true, true, true, true, 0 },
		{ L("a"), L(""), false, false, true, true, 1 },
		{ L(""), L("a"), false, false, false, false, -1 },
		{ L("abc"), L("abc"), true, true, true, true, 0 },
		{ L("aBc"), L("AbC"), false, true, false, true, 1 },
		{ L("abc"), L("AB"), false, false, false, true, 1 },
		{ L("a\0b"), L("a\0c"), false, false, false, false, -1 },
		{ L("a\0b"), L("A\0B"), false, true, false, true, 1 },
		{ L("@["), L("`{"), false, false, false, false, -1 },
		{ L("\xc0"), L("\xe0"), false, false, false, false, -1 },
		{ L("\x80"), L("a"), false, false, false, false, 1 },
	};
	size_t	i;
	int	c;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		assert_int_equal(str_eq(t[i].a, t[i].b), t[i].eq);
		assert_int_equal(str_ieq(t[i].a, t[i].b), t[i].ieq);
		assert_int_equal(str_starts(t[i].a, t[i].b), t[i].starts);
		assert_int_equal(str_istarts(t[i].a, t[i].b), t[i].istarts);
		c = str_cmp(t[i].a, t[i].b);
		assert_int_equal(c < 0 ? -1 : c > 0, t[i].cmp);
	}
}

static void
test_sub(void **state)
{
	static const struct {
		size_t		 from, n;
		const char	*want;
	} t[] = {
		{ 0, 0, "" }, { 0, 3, "abc" }, { 0, 4, "abc" },
		{ 1, 1, "b" }, { 2, SIZE_MAX, "c" }, { 3, 1, "" },
		{ 4, 1, "" }, { SIZE_MAX, SIZE_MAX, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++)
		assert_str(str_sub(S("abc"), t[i].from, t[i].n), t[i].want);
	assert_str(str_from(S("abc"), 2), "c");
	assert_null(str_from((struct str){ NULL, 0 }, 1).p);
}

static void
test_find(void **state)
{
	static const struct {
		struct str	s, what;
		ptrdiff_t	at, iat;
	} t[] = {
		{ L("abc"), L(""), 0, 0 }, { L(""), L(""), 0, 0 },
		{ L(""), L("a"), -1, -1 }, { L("abc"), L("c"), 2, 2 },
		{ L("abc"), L("C"), -1, 2 }, { L("abc"), L("abcd"), -1, -1 },
		{ L("aabAab"), L("aabA"), 0, 0 },
		{ L("aaAb"), L("aAB"), -1, 1 },
		{ L("a\0b"), L("\0b"), 1, 1 }, { { NULL, 0 }, L("a"), -1, -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		assert_int_equal(str_find(t[i].s, t[i].what), t[i].at);
		assert_int_equal(str_ifind(t[i].s, t[i].what), t[i].iat);
	}
	assert_int_equal(str_chr(S("abab"), 'b'), 1);
	assert_int_equal(str_rchr(S("abab"), 'b'), 3);
	assert_int_equal(str_chr(S("ab"), '\0'), -1);
	assert_int_equal(str_chr((struct str){ NULL, 0 }, 'a'), -1);
	assert_int_equal(str_rchr((struct str){ NULL, 0 }, 'a'), -1);
}

static void
test_trim(void **state)
{
	(void)state;
	assert_str(str_trim(S(" \t a b\t ")), "a b");
	assert_str(str_trim(S(" \t ")), "");
	assert_str(str_trim(S("\n a \r")), "\n a \r");
}

/* Pieces are written behind each other, each in brackets. */
static void
test_cut(void **state)
{
	static const struct {
		const char *s, *want;
	} t[] = {
		{ "", "[]" }, { "a", "[a]" }, { "a,", "[a][]" },
		{ ",", "[][]" }, { "a,b,,c", "[a][b][][c]" },
	};
	struct str	rest, piece;
	char		got[100];
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		rest = str_c(t[i].s);
		got[0] = '\0';
		while (str_cut(&rest, ',', &piece))
			snprintf(got + strlen(got), 20, "[%.*s]", (int)piece.n,
			    piece.p);
		assert_string_equal(got, t[i].want);
	}
	rest = str_c(NULL);
	assert_false(str_cut(&rest, ',', &piece));
}

static void
test_u64(void **state)
{
	static const struct {
		const char	*s;
		uint64_t	 max;
		int		 rc;
		uint64_t	 v;
	} t[] = {
		{ "", 9, -1, 0 }, { "0", 0, 0, 0 }, { "1", 0, -1, 0 },
		{ "99", 100, 0, 99 }, { "100", 100, 0, 100 },
		{ "101", 100, -1, 0 }, { "00099", 99, 0, 99 },
		{ "+1", 9, -1, 0 }, { "-1", 9, -1, 0 }, { " 1", 9, -1, 0 },
		{ "1 ", 9, -1, 0 }, { "0x1", 9, -1, 0 }, { "1a", 99, -1, 0 },
		{ "18446744073709551614", UINT64_MAX, 0, UINT64_MAX - 1 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -1, 0 },
		{ "99999999999999999999", UINT64_MAX, -1, 0 },
		{ "184467440737095516150", UINT64_MAX, -1, 0 },
	};
	uint64_t	v;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		v = 4711;
		assert_int_equal(str_u64(str_c(t[i].s), t[i].max, &v), t[i].rc);
		assert_true(v == (t[i].rc == 0 ? t[i].v : 4711));
	}
	assert_int_equal(str_u64(S("1\0"), 99, &v), -1);
}

/* RFC 3629 section 4, each bound from both sides. */
static void
test_utf8(void **state)
{
	static const struct {
		struct str s;
		bool ok;
	} t[] = {
		{ L(""), true }, { L("a\x7f\x01"), true }, { L("a\0"), false },
		{ L("\x80"), false }, { L("\xbf"), false },
		{ L("\xc0\x80"), false }, { L("\xc1\xbf"), false },
		{ L("\xc2\x80"), true }, { L("\xdf\xbf"), true },
		{ L("\xc2\x7f"), false }, { L("\xc2\xc0"), false },
		{ L("\xc2"), false }, { L("\xe0\x9f\xbf"), false },
		{ L("\xe0\xa0\x80"), true }, { L("\xed\x9f\xbf"), true },
		{ L("\xed\xa0\x80"), false }, { L("\xee\x80\x80"), true },
		{ L("\xef\xbf\xbf"), true }, { L("\xef\xbf"), false },
		{ L("\xf0\x8f\xbf\xbf"), false },
		{ L("\xf0\x90\x80\x80"), true },
		{ L("\xf4\x8f\xbf\xbf"), true },
		{ L("\xf4\x90\x80\x80"), false },
		{ L("\xf5\x80\x80\x80"), false }, { L("\xff"), false },
		{ L("\xf0\x90\x80"), false }, { L("\xf0\x90\x80\xc0"), false },
		{ L("ok \xe2\x80\xae ok"), true }, { L("\xe2\x80" "a"), false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		if (str_is_utf8(t[i].s) != t[i].ok)
			fail_msg("row %zu", i);
	}
}

static void
test_classes(void **state)
{
	int	i;
	char	c;

	(void)state;
	for (i = 0; i < 256; i++) {
		c = (char)i;
		assert_int_equal(str_is_print(str_of(&c, 1)),
		    i >= 0x20 && i <= 0x7e);
		assert_int_equal(ascii_isdigit(c), i >= '0' && i <= '9');
		assert_int_equal(ascii_isalpha(c), (i >= 'A' && i <= 'Z') ||
		    (i >= 'a' && i <= 'z'));
		assert_int_equal((unsigned char)ascii_lower(c),
		    i >= 'A' && i <= 'Z' ? i + 32 : i);
		assert_int_equal((unsigned char)ascii_upper(c),
		    i >= 'a' && i <= 'z' ? i - 32 : i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_sub),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_u64),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
