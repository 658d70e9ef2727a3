/*
 * id: the text of 64-bit names.
 */
#include "tests/lib/unit.h"

#include "common/core/id.h"

static void
test_round_trip(void **state)
{
	static const struct {
		uint64_t v;
		const char *text;
	} t[] = {
		{ 0, "0000000000000" }, { 1, "0000000000001" },
		{ 31, "000000000000z" }, { 32, "0000000000010" },
		{ 0x8000000000000000, "8000000000000" },
		{ UINT64_MAX - 1, "fzzzzzzzzzzzy" },
		{ UINT64_MAX, "fzzzzzzzzzzzz" },
	};
	uint64_t	v;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		assert_string_equal(id_text(t[i].v).s, t[i].text);
		assert_int_equal(id_parse(str_c(t[i].text), &v), 0);
		assert_true(v == t[i].v);
		if (i > 0)
			assert_true(strcmp(t[i - 1].text, t[i].text) < 0);
	}
	assert_int_equal(id_parse(S("FZZZZZZZZZZZZ"), &v), 0);
	assert_true(v == UINT64_MAX);
}

static void
test_refused(void **state)
{
	static const struct str t[] = {
		STR_INIT(""), STR_INIT("000000000000"),
		STR_INIT("00000000000000"), STR_INIT("g000000000000"),
		STR_INIT("zzzzzzzzzzzzz"), STR_INIT("000000000000i"),
		STR_INIT("000000000000L"), STR_INIT("000000000000o"),
		STR_INIT("000000000000u"), STR_INIT("000000000000-"),
		STR_INIT("000000000000\0"), STR_INIT("000000000000\x80"),
		STR_INIT(" 000000000000"),
	};
	uint64_t	v = 7;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++)
		assert_int_equal(id_parse(t[i], &v), -1);
	assert_true(v == 7);
}

static void
test_random(void **state)
{
	uint64_t seen = 0, v, last = 0;
	int	 i;

	(void)state;
	for (i = 0; i < 200; i++) {
		v = id_random();
		assert_true(v != last);
		last = v;
		seen |= v;
	}
	assert_true(seen == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
