/*
 * print: tables, lines, JSON; and that a daemon which lies cannot reach the
 * terminal or break the JSON.
 */
#include "tests/lib/unit.h"

#include <unistd.h>

#include "mailctl/print.h"

static struct buf	raw;
static uint32_t		count;
static char		got[8 * 1024 * 1024];

static void
add(struct str key, struct str value, enum column_kind kind)
{
	rec_add_column(&raw, &count, &(struct rec_column){ .key = key,
	    .value = value, .kind = (uint8_t)kind });
}

static void
row(struct printer *p)
{
	print_row(p, msg_list_of(&raw, count));
	buf_reset(&raw);
	count = 0;
}

static FILE	*spool;
static int	 saved;

static struct printer *
begin(enum print_shape shape, bool json)
{
	buf_init(&raw, 1024 * 1024);
	count = 0;
	spool = tmpfile();
	fflush(stdout);
	saved = dup(1);
	dup2(fileno(spool), 1);
	return print_new(shape, json);
}

static const char *
end(struct printer *p)
{
	size_t n;

	print_end(p);
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	rewind(spool);
	n = fread(got, 1, sizeof(got) - 1, spool);
	got[n] = '\0';
	assert_int_equal(strlen(got), n);
	fclose(spool);
	buf_clear(&raw);
	return got;
}

static const char *
two_rows(enum print_shape shape, bool json)
{
	struct printer *p = begin(shape, json);

	add(S("name"), S("a@b"), COLUMN_TEXT);
	add(S("size"), S("5"), COLUMN_NUMBER);
	add(S("note"), S("x y"), COLUMN_TEXT);
	row(p);
	add(S("name"), S("longer@b"), COLUMN_TEXT);
	add(S("size"), S("12345"), COLUMN_NUMBER);
	add(S("note"), S(""), COLUMN_TEXT);
	row(p);
	return end(p);
}

static void
test_shapes(void **state)
{
	(void)state;
	assert_string_equal(two_rows(PRINT_TABLE, false),
	    "NAME       SIZE  NOTE\n"
	    "a@b           5  x y\n"
	    "longer@b  12345  \n");
	assert_string_equal(two_rows(PRINT_TABLE, true),
	    "[{\"name\": \"a@b\", \"size\": 5, \"note\": \"x y\"},\n"
	    " {\"name\": \"longer@b\", \"size\": 12345, \"note\": \"\"}]\n");
	assert_string_equal(two_rows(PRINT_ONE, false),
	    "name  a@b\nsize  5\nnote  x y\n\n"
	    "name  longer@b\nsize  12345\nnote  \n");
}

static void
test_empty(void **state)
{
	(void)state;
	assert_string_equal(end(begin(PRINT_TABLE, false)), "");
	assert_string_equal(end(begin(PRINT_TABLE, true)), "[]\n");
	assert_string_equal(end(begin(PRINT_ONE, false)), "");
	assert_string_equal(end(begin(PRINT_ONE, true)), "{}\n");
}

/* ATTACKS M-03: in values and in keys, in every shape. */
static void
test_terminal(void **state)
{
	static const struct str hostile[] = {
		STR_INIT("\x1b[2J"), STR_INIT("a\r\nb"), STR_INIT("\t"),
		STR_INIT("\xc2\x9b" "2J"), STR_INIT("\xe2\x80\xae" "gpj"),
		STR_INIT("\x9b"), STR_INIT("\xff\xfe"), STR_INIT("\x7f"),
	};
	struct printer	*p;
	const char	*s;
	size_t		 i;
	int		 shape, json;

	(void)state;
	for (i = 0; i < LENGTH(hostile) * 4; i++) {
		shape = i % 4 / 2;
		json = i % 2;
		p = begin(shape == 0 ? PRINT_TABLE : PRINT_ONE, json == 1);
		add(hostile[i / 4], S("v"), COLUMN_TEXT);
		add(S("k"), hostile[i / 4], COLUMN_TEXT);
		add(S("n"), hostile[i / 4], COLUMN_NUMBER);
		row(p);
		for (s = end(p); *s != '\0'; s++) {
			if (*s != '\n' && (*s < 0x20 || *s > 0x7e))
				fail_msg("row %zu: byte %02x", i / 4,
				    (unsigned char)*s);
		}
	}
}

static void
test_json_str(void **state)
{
	static const struct {
		struct str s;
		const char *want;
	} t[] = {
		{ STR_INIT(""), "\"\"" },
		{ STR_INIT("a\"\\/"), "\"a\\\"\\\\/\"" },
		{ STR_INIT("\n\0\x1f"), "\"\\u000a\\u0000\\u001f\"" },
		{ STR_INIT("\x7f"), "\"\\u007f\"" },
		{ STR_INIT("\xc3\xa9"), "\"\\u00e9\"" },
		{ STR_INIT("\xe2\x82\xac"), "\"\\u20ac\"" },
		{ STR_INIT("\xef\xbf\xbf"), "\"\\uffff\"" },
		{ STR_INIT("\xf0\x9f\x98\x80" "x"), "\"\\ud83d\\ude00x\"" },
		{ STR_INIT("\xf4\x8f\xbf\xbf"), "\"\\udbff\\udfff\"" },
		/* No UTF-8: byte by byte. */
		{ STR_INIT("\xc3\xa9\xff"), "\"\\u00c3\\u00a9\\u00ff\"" },
	};
	struct buf	b;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		buf_init(&b, 1000);
		print_json_str(&b, t[i].s);
		assert_string_equal(buf_cstr(&b), t[i].want);
		buf_clear(&b);
	}
}

static const char *
alias(enum print_shape shape, bool json)
{
	struct printer *p = begin(shape, json);

	add(S("address"), S("a@b"), COLUMN_TEXT);
	add(S("targets"), S("c@d\n\"e f\"@g"), COLUMN_LIST);
	row(p);
	add(S("address"), S("a@b"), COLUMN_TEXT);
	add(S("targets"), S("h@i"), COLUMN_LIST);
	row(p);
	return end(p);
}

/* Values of one column: an array; what goes on in a row of its own, too. */
static void
test_list(void **state)
{
	struct printer *p;

	(void)state;
	assert_string_equal(alias(PRINT_ONE, false),
	    "address  a@b\ntargets  c@d \"e f\"@g\n\n"
	    "address  a@b\ntargets  h@i\n");
	assert_string_equal(alias(PRINT_ONE, true), "{\"address\": \"a@b\", "
	    "\"targets\": [\"c@d\", \"\\\"e f\\\"@g\", \"h@i\"]}\n");
	assert_string_equal(alias(PRINT_TABLE, true),
	    "[{\"address\": \"a@b\", "
	    "\"targets\": [\"c@d\", \"\\\"e f\\\"@g\"]},\n"
	    " {\"address\": \"a@b\", \"targets\": [\"h@i\"]}]\n");
	p = begin(PRINT_ONE, true);
	add(S("targets"), S(""), COLUMN_LIST);
	row(p);
	assert_string_equal(end(p), "{\"targets\": []}\n");
}

/* One thing is one object, whatever it is made of. */
static void
test_parts(void **state)
{
	struct printer	*p;
	const char	*s;
	size_t		 i, n = 0;

	(void)state;
	assert_string_equal(two_rows(PRINT_ONE, true),
	    "{\"name\": \"a@b\", \"size\": 5, \"note\": \"x y\", "
	    "\"targets\": [\n {\"name\": \"longer@b\", \"size\": 12345, "
	    "\"note\": \"\"}]}\n");
	p = begin(PRINT_ONE, true);
	print_text(p, S("2 \"removed\""));
	assert_string_equal(end(p), "{\"text\": \"2 \\\"removed\\\"\"}\n");
	p = begin(PRINT_ONE, true);
	for (i = 0; i <= 10000; i++) {
		add(S("n"), i == 0 ? S("0") : S("1"), COLUMN_NUMBER);
		row(p);
	}
	print_text(p, S("more"));
	s = end(p);
	assert_true(str_starts(str_c(s), S("{\"n\": 0, \"targets\": [\n {")));
	assert_non_null(strstr(s, "{\"n\": 1}], \"text\": \"more\"}\n"));
	while ((s = strstr(s, "\n {")) != NULL) {
		s++;
		n++;
	}
	assert_int_equal(n, 10000);
}

/* What is said to be a number and is none stays inside its quotes. */
static void
test_json_number(void **state)
{
	static const struct {
		const char *v, *want;
	} t[] = {
		{ "0", "0" }, { "-5", "-5" }, { "18446744073709551615",
		    "18446744073709551615" },
		{ "", "\"\"" }, { "-", "\"-\"" }, { "05", "\"05\"" },
		{ "1}", "\"1}\"" }, { "1, \"x\": 2", "\"1, \\\"x\\\": 2\"" },
		{ "1 ", "\"1 \"" }, { "--1", "\"--1\"" },
		{ "null", "\"null\"" },
	};
	struct printer	*p;
	char		 want[100];
	size_t		 i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		p = begin(PRINT_ONE, true);
		add(S("n"), str_c(t[i].v), COLUMN_NUMBER);
		row(p);
		snprintf(want, sizeof(want), "{\"n\": %s}\n", t[i].want);
		assert_string_equal(end(p), want);
	}
}

/* One huge value among many rows must not pad the answer out of memory. */
static void
test_wide(void **state)
{
	enum { ROWS = 3000, WIDE = 2048 };
	static char	wide[WIDE];
	struct printer	*p;
	const char	*s;
	size_t		i;

	(void)state;
	memset(wide, 1, sizeof(wide));
	p = begin(PRINT_TABLE, false);
	for (i = 0; i < ROWS; i++) {
		add(S("a"), i == 5 ? str_of(wide, WIDE) : S("x"), COLUMN_TEXT);
		add(S("b"), i == 7 ? str_of(wide, WIDE) : S("y"), COLUMN_TEXT);
		row(p);
	}
	s = end(p);
	for (i = 0; (s = strchr(s, '\n')) != NULL; s++)
		i++;
	assert_int_equal(i, ROWS + 1);
	assert_true(strlen(got) < 1024 * 1024);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_json_str),
		cmocka_unit_test(test_json_number),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_wide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
