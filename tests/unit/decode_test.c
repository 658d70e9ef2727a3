/*
 * decode, words and the charsets of text: whole, byte by byte, in odd pieces;
 * and words that are costly.  ATTACKS G-04.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "common/mail/decode.h"
#include "common/mail/text.h"
#include "common/mail/words.h"
#include "imapd/haystack.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const size_t pieces[] = { SIZE_MAX, 1, 2, 3, 5 };

static void
test_kind(void **state)
{
	static const struct {
		const char		*value;
		enum decode_kind	 want;
	} rows[] = {
		{ "base64", DECODE_BASE64 },
		{ " BASE64 (odd)", DECODE_BASE64 },
		{ "(x) Quoted-Printable", DECODE_QUOTED },
		{ "7bit", DECODE_NONE },
		{ "8bit", DECODE_NONE },
		{ "base65", DECODE_NONE },
		{ "base64 x", DECODE_NONE },
		{ "base64;", DECODE_NONE },
		{ "", DECODE_NONE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		assert_int_equal(decode_kind(str_c(rows[i].value)),
		    rows[i].want);
}

static void
test_decode(void **state)
{
	static const struct {
		enum decode_kind kind;
		const char	*in, *want;
	} rows[] = {
		{ DECODE_NONE, "a=41_", "a=41_" },
		{ DECODE_BASE64, "", "" },
		{ DECODE_BASE64, "Zg==", "f" },
		{ DECODE_BASE64, "Zm8=", "fo" },
		{ DECODE_BASE64, "Zm9v", "foo" },
		{ DECODE_BASE64, "Zm\r\n9v\r\n", "foo" },
		{ DECODE_BASE64, " Z!m*9(v", "foo" },
		/* Unpadded; and two of them in a row. */
		{ DECODE_BASE64, "Zg", "f" },
		{ DECODE_BASE64, "Zg==Zm8=", "ffo" },
		{ DECODE_BASE64, "+/+/", "\373\377\277" },
		{ DECODE_QUOTED, "a=41=c3=A9b", "aA\303\251b" },
		{ DECODE_QUOTED, "one=\r\ntwo\r\n", "onetwo\r\n" },
		{ DECODE_QUOTED, "one=\ntwo", "onetwo" },
		{ DECODE_QUOTED, "=4", "=4" },
		{ DECODE_QUOTED, "=", "=" },
		{ DECODE_QUOTED, "=\r", "=\r" },
		{ DECODE_QUOTED, "=4Z=ZZ==41=\rx", "=4Z=ZZ=A=\rx" },
		{ DECODE_QUOTED, "a_b", "a_b" },
	};
	struct decode	d;
	struct str	in, s;
	struct buf	out;
	size_t		i, k;

	(void)state;
	buf_init(&out, 1000);
	for (i = 0; i < COUNT(rows); i++) {
		for (k = 0; k < COUNT(pieces); k++) {
			buf_reset(&out);
			decode_init(&d, rows[i].kind);
			for (in = str_c(rows[i].in); in.n > 0;
			    in = str_from(in, s.n)) {
				s = str_sub(in, 0, pieces[k]);
				decode_feed(&d, s, &out);
			}
			decode_end(&d, &out);
			assert_string_equal(buf_cstr(&out), rows[i].want);
		}
	}
	buf_clear(&out);
}

static void
test_words(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "", "" },
		{ "plain text", "plain text" },
		/* RFC 2047 8. */
		{ "(=?ISO-8859-1?Q?a?=)", "(a)" },
		{ "(=?ISO-8859-1?Q?a?= b)", "(a b)" },
		{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "(=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=)", "(ab)" },
		{ "(=?ISO-8859-1?Q?a_b?=)", "(a b)" },
		{ "(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)" },
		{ "=?utf-8?B?R3LDvMOfZQ==?= Ann", "Gr\303\274\303\237e Ann" },
		{ "=?iso-8859-1?q?caf=E9?=", "caf\303\251" },
		{ "=?KOI8-R?B?0NLJ18XU?=", "\320\277\321\200\320\270\320\262"
		    "\320\265\321\202" },
		{ "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=",
		    "\346\227\245\346\234\254" },
		{ "=?utf-8*de?q?x?=", "x" },
		/* Cut in the middle of a character. */
		{ "=?utf-8?q?caf=C3?= =?UTF-8?q?=A9?=", "caf\303\251" },
		{ "=?utf-8?q?=C3?= x", "\357\277\275 x" },
		/* Nobody knows it: the octets. */
		{ "=?x-none?q?=41b?= c", "Ab c" },
		{ "=?utf-8,version=1?q?=41?=", "A" },
		/* No encoded words. */
		{ "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
		{ "=?utf-8?q?a?", "=?utf-8?q?a?" },
		{ "=?utf-8?q?a", "=?utf-8?q?a" },
		{ "=?utf-8?q", "=?utf-8?q" },
		{ "=?", "=?" },
		{ "=?=?utf-8?q?a?=", "=?a" },
		{ "=?utf-8?q?a?= =?x", "a =?x" },
		{ "=?utf-8?q?" "?=", "" },
	};
	struct buf	out;
	size_t		i;

	(void)state;
	buf_init(&out, 10000);
	for (i = 0; i < COUNT(rows); i++) {
		buf_reset(&out);
		words_decode(str_c(rows[i].in), &out);
		assert_true(buf_ok(&out));
		assert_string_equal(buf_cstr(&out), rows[i].want);
	}
	buf_clear(&out);
}

/* A header that is words and nothing else: begin, n times what, end. */
static const struct {
	const char	*begin, *what;
	unsigned	 n;
	const char	*end;
	size_t		 want;		/* octets */
} costly[] = {
	{ "", "=?utf-8?q?a?= ", 100000, "", 100001 },
	{ "", "=?utf-8?q?a?= =?x-none?q?b?= ", 50000, "", 100001 },
	/* Each a charset of its own to set up. */
	{ "", "=?iso-8859-1?q?=E9?= =?iso-8859-15?q?=A4?= ", 50000, "",
	  250001 },
	{ "", "=?iso-2022-jp?b?GyRC?= =?gb18030?b?1tA=?= ", 50000, "",
	  150001 },
	/* Octets that are no character become three. */
	{ "=?utf-8?q?", "=C3", 100000, "?=", 300000 },
	{ "=?utf-8?b?", "////", 100000, "?=", 900000 },
	{ "", "=?utf-8?q?=C3?= ", 100000, "", 300001 },
	/* No charset has such a name: as it came. */
	{ "=?", "a", 4096, "?q?x?=", 4104 },
	{ "", "=?", 500000, "", 1000000 },
	{ "", "=?a?q?", 100000, "", 600000 },
	{ "", "=?a?q?b?", 100000, "", 400000 },
	{ "=?utf-8?q?", "?", 1000000, "", 1000010 },
	{ "=?utf-8?q?", "_", 1000000, "", 1000010 },
	{ "=?utf-8?q?a?=", " ", 1000000, "=?utf-8?q?a?=", 2 },
};

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
test_costly_words(void **state)
{
	struct buf	text, out;
	double		from, took;
	unsigned	k;
	size_t		i;

	(void)state;
	buf_init(&text, 16 << 20);
	buf_init(&out, 16 << 20);
	for (i = 0; i < COUNT(costly); i++) {
		buf_reset(&text);
		buf_reset(&out);
		buf_addz(&text, costly[i].begin);
		for (k = 0; k < costly[i].n; k++)
			buf_addz(&text, costly[i].what);
		buf_addz(&text, costly[i].end);
		assert_true(buf_ok(&text));
		from = cpu();
		words_decode(buf_str(&text), &out);
		if (out.n != costly[i].want)
			fail_msg("%.9s%.20s: %zu octets", costly[i].begin,
			    costly[i].what, out.n);
		/* As SEARCH sees it: there is always room. */
		buf_reset(&out);
		haystack_field(&(struct hdr_field){ .name = S("Subject"),
		    .value = buf_str(&text) }, &out);
		assert_true(out.n > 0 && buf_ok(&out));
		took = cpu() - from;
		/* Under a second with sanitizers; else minutes. */
		if (took > 3)
			fail_msg("%.9s%.20s: %.1f s", costly[i].begin,
			    costly[i].what, took);
	}
	buf_clear(&text);
	buf_clear(&out);
}

static void
test_charsets(void **state)
{
	static const struct {
		const char *name, *in, *want;	/* want NULL: not known */
	} rows[] = {
		{ "utf-8", "caf\303\251 \360\237\230\200",
		    "caf\303\251 \360\237\230\200" },
		{ "UTF-8", "a\377b", "a\357\277\275b" },
		{ "US-ASCII", "abc", "abc" },
		{ "windows-1252", "\200", "\342\202\254" },
		{ "gb18030", "\326\320", "\344\270\255" },
		{ "shift_jis", "\223\372", "\346\227\245" },
		{ "utf-16be", "\330=\336\002a!", "\360\237\230\202\346\204"
		    "\241" },
		{ "", "", NULL },
		{ "nonesuch", "", NULL },
		{ "utf-8,x", "", NULL },
		{ "../../etc/passwd", "", NULL },
		{ "utf-8-but-with-a-name-that-is-longer-than-sixty-octets"
		    "-which-is-much", "", NULL },
	};
	struct text_charset	*c;
	struct str		 in, s;
	struct buf		 out;
	size_t			 i, k;

	(void)state;
	buf_init(&out, 10000);
	for (i = 0; i < COUNT(rows) * COUNT(pieces); i++) {
		k = i / COUNT(pieces);
		c = text_charset_open(str_c(rows[k].name));
		assert_int_equal(c == NULL, rows[k].want == NULL);
		if (c == NULL)
			continue;
		buf_reset(&out);
		for (in = str_c(rows[k].in); in.n > 0; in = str_from(in, s.n)) {
			s = str_sub(in, 0, pieces[i % COUNT(pieces)]);
			assert_int_equal(text_charset_feed(c, s, false, &out),
			    0);
		}
		assert_int_equal(text_charset_feed(c, S(""), true, &out), 0);
		assert_string_equal(buf_cstr(&out), rows[k].want);
		text_charset_close(c);
	}
	/* No room. */
	buf_clear(&out);
	buf_init(&out, 10);
	c = text_charset_open(S("utf-8"));
	assert_int_equal(text_charset_feed(c, S("abcdefghijklm"), true, &out),
	    -1);
	text_charset_close(c);
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_costly_words),
		cmocka_unit_test(test_charsets),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
