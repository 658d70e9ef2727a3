/*
 * imap_parse_test - the words of commands, and where a command ends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imapd/collect.h"
#include "imapd/parse.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

typedef int word_fn(struct parse *, struct str *);

/* NULL: refused.  Behind the word `rest` must be left. */
static const struct {
	word_fn		*read;
	struct str	 in;
	const char	*want, *rest;
} words[] = {
	{ parse_tag, STR_INIT("a1 x"), "a1", " x" },
	{ parse_tag, STR_INIT("a1"), "a1", "" },
	{ parse_tag, STR_INIT("a]1 "), "a]1", " " },
	{ parse_tag, STR_INIT("a+ x"), NULL, "" },
	{ parse_tag, STR_INIT("* x"), NULL, "" },
	{ parse_tag, STR_INIT(" x"), NULL, "" },
	{ parse_tag, STR_INIT(""), NULL, "" },
	{ parse_tag, STR_INIT("a\351 x"), NULL, "" },
	{ parse_tag, STR_INIT("a\tx"), NULL, "" },
	{ parse_atom, STR_INIT("abc)"), "abc", ")" },
	{ parse_atom, STR_INIT("a.b-c$+[x"), "a.b-c$+[x", "" },
	{ parse_atom, STR_INIT("a]"), "a", "]" },
	{ parse_atom, STR_INIT("a\0b"), "a", NULL },
	{ parse_atom, STR_INIT("(a"), NULL, "" },
	{ parse_atom, STR_INIT("\177"), NULL, "" },
	{ parse_word, STR_INIT("BODY.PEEK[x"), "BODY.PEEK", "[x" },
	{ parse_astring, STR_INIT("a]b c"), "a]b", " c" },
	{ parse_astring, STR_INIT("\"a b\" c"), "a b", " c" },
	{ parse_astring, STR_INIT("\"\""), "", "" },
	{ parse_astring, STR_INIT("\"a\\\"b\\\\c\"d"), "a\"b\\c", "d" },
	{ parse_astring, STR_INIT("\"a\\b\""), NULL, "" },
	{ parse_astring, STR_INIT("\"a"), NULL, "" },
	{ parse_astring, STR_INIT("\"a\\"), NULL, "" },
	{ parse_astring, STR_INIT("\"a\rb\""), NULL, "" },
	{ parse_astring, STR_INIT("\"a\nb\""), NULL, "" },
	{ parse_astring, STR_INIT("\"a\0b\""), NULL, "" },
	{ parse_astring, STR_INIT("\"a\351b\""), NULL, "" },
	{ parse_astring, STR_INIT("{3}\r\na\"b c"), "a\"b", " c" },
	{ parse_astring, STR_INIT("{3+}\r\n\r\n c"), "\r\n ", "c" },
	{ parse_astring, STR_INIT("{0}\r\nc"), "", "c" },
	{ parse_astring, STR_INIT("{2}\r\n\351\352"), "\351\352", "" },
	{ parse_astring, STR_INIT("{4}\r\nabc"), NULL, "" },
	{ parse_astring, STR_INIT("{3}abc"), NULL, "" },
	{ parse_astring, STR_INIT("{3\r\nabc"), NULL, "" },
	{ parse_astring, STR_INIT("{}\r\nabc"), NULL, "" },
	{ parse_astring, STR_INIT("{4294967296}\r\nabc"), NULL, "" },
	{ parse_astring, STR_INIT("{3}\r\na\0b"), NULL, "" },
	{ parse_astring, STR_INIT("%"), NULL, "" },
	{ parse_string, STR_INIT("abc"), NULL, "" },
	{ parse_pattern, STR_INIT("a%*b c"), "a%*b", " c" },
	{ parse_pattern, STR_INIT("\"*\""), "*", "" },
	{ parse_set_text, STR_INIT("1:*,4 x"), "1:*,4", " x" },
	{ parse_set_text, STR_INIT("x"), NULL, "" },
	{ parse_flag, STR_INIT("\\Seen)"), "\\Seen", ")" },
	{ parse_flag, STR_INIT("$x "), "$x", " " },
	{ parse_flag, STR_INIT("\\*"), NULL, "" },
	{ parse_flag, STR_INIT("\\"), NULL, "" },
};

static void
test_words(void **state)
{
	struct parse	p;
	struct str	got;
	char		in[100];
	size_t		i;

	(void)state;
	for (i = 0; i < COUNT(words); i++) {
		memcpy(in, words[i].in.p, words[i].in.n);
		p = parse_of(in, words[i].in.n);
		if (words[i].read(&p, &got) == -1) {
			if (words[i].want != NULL)
				fail_msg("%s: refused", words[i].in.p);
			assert_non_null(p.error);
			continue;
		}
		if (words[i].want == NULL)
			fail_msg("%s: not refused", words[i].in.p);
		assert_true(str_eq(got, str_c(words[i].want)));
		if (words[i].rest != NULL)
			assert_true(str_eq(str_of(p.p + p.at, p.n - p.at),
			    str_c(words[i].rest)));
	}
}

static void
test_tag_limit(void **state)
{
	struct parse	p;
	struct str	tag;
	char		in[PARSE_TAG_MAX + 2];
	size_t		n;

	(void)state;
	memset(in, 'a', sizeof(in));
	for (n = PARSE_TAG_MAX - 1; n <= PARSE_TAG_MAX + 1; n++) {
		p = parse_of(in, n);
		assert_int_equal(parse_tag(&p, &tag),
		    n > PARSE_TAG_MAX ? -1 : 0);
	}
}

static void
test_numbers(void **state)
{
	static const struct {
		const char	*in;
		int		 result;
		uint32_t	 want;
	} rows[] = {
		{ "0", 0, 0 }, { "007", 0, 7 },
		{ "4294967295", 0, UINT32_MAX }, { "4294967296", -1, 0 },
		{ "99999999999999999999", -1, 0 }, { "", -1, 0 },
		{ "-1", -1, 0 }, { "+1", -1, 0 },
	};
	struct parse	p;
	char		in[40];
	uint32_t	v;
	size_t		i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		memcpy(in, rows[i].in, strlen(rows[i].in));
		p = parse_of(in, strlen(rows[i].in));
		assert_int_equal(parse_number(&p, &v), rows[i].result);
		if (rows[i].result == 0)
			assert_int_equal(v, rows[i].want);
	}
}

static void
test_literal_at_end(void **state)
{
	static const struct {
		const char	*line;
		bool		 is;
		uint64_t	 n;
		bool		 sync;
	} rows[] = {
		{ "a {3}", true, 3, true },
		{ "a {3+}", true, 3, false },
		{ "{0}", true, 0, true },
		{ "a{003}", true, 3, true },
		{ "a {18446744073709551615}", true, UINT64_MAX, true },
		{ "a {99999999999999999999999+}", true, UINT64_MAX, false },
		{ "a \"b\" {3}", true, 3, true },
		{ "a \"b\\\" {3}", false, 0, false },
		{ "a \"b {3}", false, 0, false },
		{ "a \"{3}\"", false, 0, false },
		{ "a {3} ", false, 0, false },
		{ "a {-3}", false, 0, false },
		{ "a {}", false, 0, false },
		{ "a {+}", false, 0, false },
		{ "a {3++}", false, 0, false },
		{ "a 3}", false, 0, false },
		{ "}", false, 0, false },
		{ "", false, 0, false },
	};
	struct literal	l;
	size_t		i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		if (parse_literal_at_end(str_c(rows[i].line), &l) !=
		    rows[i].is)
			fail_msg("%s", rows[i].line);
		if (!rows[i].is)
			continue;
		assert_true(l.n == rows[i].n);
		assert_int_equal(l.sync, rows[i].sync);
	}
}

/* Feeds as far as the next event. */
static void
feed(struct collect *c, struct str *s, size_t piece)
{
	size_t took;

	while (c->event == COLLECT_MORE && s->n > 0) {
		took = collect_feed(c, str_sub(*s, 0, piece));
		*s = str_from(*s, took);
	}
}

static void
test_collect(void **state)
{
	static const char	text[] = "a X {3}\r\n\r\nb {2+}\r\n{1\r\n"
	    "b NOOP\r\nc";
	struct collect		c;
	struct parse		p;
	struct str		in;
	size_t			piece;

	(void)state;
	for (piece = 1; piece < sizeof(text); piece++) {
		collect_init(&c);
		in = str_of(text, sizeof(text) - 1);
		feed(&c, &in, piece);
		assert_int_equal(c.event, COLLECT_LITERAL);
		assert_true(c.literal.sync);
		assert_int_equal(collect_accept(&c), 0);
		feed(&c, &in, piece);
		assert_int_equal(c.event, COLLECT_LITERAL);
		assert_false(c.literal.sync);
		assert_int_equal(collect_accept(&c), 0);
		feed(&c, &in, piece);
		assert_int_equal(c.event, COLLECT_COMMAND);
		p = collect_command(&c);
		assert_true(str_eq(str_of(p.p, p.n),
		    S("a X {3}\r\n\r\nb {2+}\r\n{1")));
		collect_next(&c);
		feed(&c, &in, piece);
		assert_int_equal(c.event, COLLECT_COMMAND);
		p = collect_command(&c);
		assert_true(str_eq(str_of(p.p, p.n), S("b NOOP")));
		collect_next(&c);
		feed(&c, &in, piece);
		assert_int_equal(c.event, COLLECT_MORE);
		collect_clear(&c);
	}
}

/* A line of n bytes with its CRLF. */
static enum collect_event
collect_line(size_t n, size_t piece)
{
	enum collect_event	event;
	struct collect		c;
	struct buf		line;
	struct str		in;
	size_t			i;

	collect_init(&c);
	buf_init(&line, 1 << 20);
	for (i = 0; i < n - 2; i++)
		buf_addc(&line, 'x');
	buf_add(&line, S("\r\n"));
	in = buf_str(&line);
	feed(&c, &in, piece);
	event = c.event;
	buf_clear(&line);
	collect_clear(&c);
	return event;
}

static void
test_collect_limits(void **state)
{
	struct collect	c;
	struct str	in;
	unsigned	i;
	uint64_t	n;

	(void)state;
	for (i = 0; i < 2; i++) {
		size_t piece = i == 0 ? SIZE_MAX : 1000;

		assert_int_equal(collect_line(COLLECT_LINES_MAX - 1, piece),
		    COLLECT_COMMAND);
		assert_int_equal(collect_line(COLLECT_LINES_MAX, piece),
		    COLLECT_COMMAND);
		assert_int_equal(collect_line(COLLECT_LINES_MAX + 1, piece),
		    COLLECT_TOO_LONG);
	}
	for (n = COLLECT_LITERAL_MAX - 1; n <= COLLECT_LITERAL_MAX + 1; n++) {
		collect_init(&c);
		in = S("{9}\r\n");
		feed(&c, &in, 100);
		c.literal.n = n;
		assert_int_equal(collect_accept(&c),
		    n > COLLECT_LITERAL_MAX ? -1 : 0);
		collect_clear(&c);
	}
	collect_init(&c);
	for (i = 0; i <= COLLECT_LITERALS_MAX; i++) {
		in = S(" {1}\r\n");
		feed(&c, &in, 100);
		assert_int_equal(collect_accept(&c),
		    i < COLLECT_LITERALS_MAX ? 0 : -1);
		in = S("x");
		feed(&c, &in, 100);
	}
	collect_clear(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_tag_limit),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_literal_at_end),
		cmocka_unit_test(test_collect),
		cmocka_unit_test(test_collect_limits),
	};

	return cmocka_run_group_tests_name("imap_parse", tests, NULL, NULL);
}
