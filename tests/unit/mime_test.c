/*
 * mime_test - parts of messages, addresses of fields, and what IMAP says of
 * them.  ATTACKS E-03, G-01, G-02, G-03.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/mail/addrlist.h"
#include "common/mail/mimefield.h"
#include "imapd/structure.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

#define NILS	"NIL NIL NIL NIL"
#define PLAIN(size, lines) \
	"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" " \
	size " " lines " " NILS ")"
#define ENVELOPE	"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"

static const struct {
	const char *text, *want;
} bodies[] = {
	{ "", PLAIN("0", "0") },
	{ "\r\n", PLAIN("0", "0") },
	{ "A: b\r\n\r\nx\r\ny", PLAIN("4", "1") },
	{ "Content-Type: garbage\r\n\r\nx\r\n", PLAIN("3", "1") },
	{ "Content-Type: text/html; charset=utf-8 (yes); x=\"a;\\\"b\"\r\n"
	  "Content-Transfer-Encoding: base64\r\nContent-ID: <i>\r\n"
	  "Content-Description: d\r\n e\r\nContent-MD5: m\r\n"
	  "Content-Disposition: attachment; filename=\"a b\"\r\n"
	  "Content-Language: en, de\r\nContent-Location: loc\r\n\r\nx\r\n",
	  "(\"text\" \"html\" (\"charset\" \"utf-8\" \"x\" \"a;\\\"b\") "
	  "\"<i>\" \"d e\" \"base64\" 3 1 \"m\" (\"attachment\" "
	  "(\"filename\" \"a b\")) (\"en\" \"de\") \"loc\")" },
	{ "Content-Type: image/png\r\n\r\nx\r\n",
	  "(\"image\" \"png\" NIL NIL NIL \"7bit\" 3 " NILS ")" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n"
	  "--b\r\n\r\none\r\n--b \r\nContent-Type: text/x\r\n\r\ntwo\r\n\r\n"
	  "--b--\r\npost\r\n--b\r\nno part\r\n",
	  "(" PLAIN("3", "0") "(\"text\" \"x\" NIL NIL NIL \"7bit\" 5 1 "
	  NILS ") \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)" },
	/* No end, no part, a boundary that is a prefix of another. */
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx",
	  "(" PLAIN("1", "0") " \"mixed\" (\"boundary\" \"b\") NIL NIL "
	  "NIL)" },
	{ "Content-Type: multipart/mixed; boundary=b\r\n\r\nx",
	  "(" PLAIN("0", "0") " \"mixed\" (\"boundary\" \"b\") NIL NIL "
	  "NIL)" },
	{ "Content-Type: multipart/a; boundary=aa\r\n\r\n--aa\r\n"
	  "Content-Type: multipart/b; boundary=a\r\n\r\n--a\r\n\r\nx\r\n"
	  "--aa\r\n\r\ny\r\n--aa--\r\n",
	  "((" PLAIN("1", "0") " \"b\" (\"boundary\" \"a\") NIL NIL NIL)"
	  PLAIN("1", "0") " \"a\" (\"boundary\" \"aa\") NIL NIL NIL)" },
	/* An outer boundary ends what is inside, header or body. */
	{ "Content-Type: multipart/a; boundary=o\r\n\r\n--o\r\n"
	  "Content-Type: multipart/b; boundary=i\r\n\r\n--i\r\nX: y\r\n"
	  "--o--\r\n",
	  "((" PLAIN("0", "0") " \"b\" (\"boundary\" \"i\") NIL NIL NIL) "
	  "\"a\" (\"boundary\" \"o\") NIL NIL NIL)" },
	{ "Content-Type: multipart/a\r\n\r\nx",
	  "(\"multipart\" \"a\" NIL NIL NIL \"7bit\" 1 " NILS ")" },
	{ "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nx\r\n",
	  "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 (NIL \"s\" NIL "
	  "NIL NIL NIL NIL NIL NIL NIL) " PLAIN("3", "1") " 3 " NILS ")" },
	/* The empty line ends the header, also right before a boundary. */
	{ "Content-Type: multipart/a; boundary=b\r\n\r\n--b\r\n"
	  "Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\n--b--",
	  "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 14 (NIL \"s\" NIL "
	  "NIL NIL NIL NIL NIL NIL NIL) " PLAIN("0", "0") " 2 " NILS ") "
	  "\"a\" (\"boundary\" \"b\") NIL NIL NIL)" },
	{ "Content-Type: text/html (a\\) b); c=d\r\n"
	  "Content-Transfer-Encoding: 8 bit\r\n\r\n",
	  "(\"text\" \"html\" (\"c\" \"d\") NIL NIL \"7bit\" 0 0 " NILS
	  ")" },
	{ "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n"
	  "\r\nx\r\n--b--\r\n",
	  "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 3 " ENVELOPE " "
	  PLAIN("1", "0") " 1 " NILS ") \"digest\" (\"boundary\" \"b\") "
	  "NIL NIL NIL)" },
};

static void
structure(struct buf *out, struct str text, size_t piece)
{
	struct mime	m;
	struct str	s;

	mime_init(&m);
	while (text.n > 0) {
		s = str_sub(text, 0, piece);
		mime_feed(&m, s);
		text = str_from(text, s.n);
	}
	mime_end(&m);
	structure_body(out, &m, true);
	mime_clear(&m);
}

static void
test_structure(void **state)
{
	struct buf	out;
	size_t		i, piece;

	(void)state;
	buf_init(&out, 10000);
	for (i = 0; i < COUNT(bodies); i++) {
		for (piece = 1; piece < 20; piece++) {
			buf_reset(&out);
			structure(&out, str_c(bodies[i].text), piece);
			assert_string_equal(buf_cstr(&out), bodies[i].want);
		}
	}
	buf_clear(&out);
}

/* Where the parts of the example of RFC 3501 6.4.5 lie. */
static void
test_find(void **state)
{
	static const char text[] =
	    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	    "--b\r\n\r\none\r\n"
	    "--b\r\nContent-Type: message/rfc822\r\n\r\n"
	    "Content-Type: multipart/x; boundary=c\r\n\r\n"
	    "--c\r\n\r\ntwo-one\r\n--c\r\n\r\ntwo-two\r\n--c--\r\n"
	    "--b\r\nContent-Type: message/rfc822\r\n\r\n"
	    "S: t\r\n\r\nthree\r\n--b--\r\n";
	static const struct {
		uint32_t	numbers[3];
		unsigned	n;
		const char	*want;
	} rows[] = {
		{ { 1 }, 1, "one" },
		{ { 1, 1 }, 2, NULL },
		{ { 2, 1 }, 2, "two-one" },
		{ { 2, 2 }, 2, "two-two" },
		{ { 2, 3 }, 2, NULL },
		{ { 2, 2, 1 }, 3, NULL },
		{ { 3 }, 1, "S: t\r\n\r\nthree" },
		{ { 3, 1 }, 2, "three" },
		{ { 3, 1, 1 }, 3, NULL },
		{ { 4 }, 1, NULL },
		{ { UINT32_MAX }, 1, NULL },
	};
	const struct mime_part	*p;
	struct mime		 m;
	size_t			 i;

	(void)state;
	mime_init(&m);
	mime_feed(&m, S(text));
	mime_end(&m);
	for (i = 0; i < COUNT(rows); i++) {
		p = mime_find(&m, rows[i].numbers, rows[i].n);
		if (rows[i].want == NULL) {
			assert_null(p);
			continue;
		}
		assert_non_null(p);
		assert_true(str_eq(str_of(text + p->body, p->body_n),
		    str_c(rows[i].want)));
	}
	mime_clear(&m);
}

/* Deep and many: at the caps the rest is opaque, and time is linear. */
static void
test_caps(void **state)
{
	struct mime	m;
	struct buf	text, out;
	unsigned	i;

	(void)state;
	buf_init(&text, 64 << 20);
	buf_init(&out, 64 << 20);
	for (i = 0; i < 100000; i++)
		buf_addf(&text, "Content-Type: multipart/mixed; "
		    "boundary=b%06u\r\n\r\n--b%06u\r\n", i, i);
	mime_init(&m);
	mime_feed(&m, buf_str(&text));
	mime_end(&m);
	assert_int_equal(m.n, MIME_DEPTH_MAX);
	structure_body(&out, &m, true);
	assert_true(buf_ok(&out));
	mime_clear(&m);
	buf_reset(&text);
	buf_addz(&text, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (i = 0; i < 100000; i++)
		buf_addz(&text, "--b\r\n\r\nx\r\n");
	mime_init(&m);
	mime_feed(&m, buf_str(&text));
	mime_end(&m);
	assert_int_equal(m.n, MIME_PARTS_MAX);
	mime_clear(&m);
	/* Messages in messages. */
	buf_reset(&text);
	for (i = 0; i < 100000; i++)
		buf_addz(&text, "Content-Type: message/rfc822\r\n\r\n");
	buf_reset(&out);
	structure(&out, buf_str(&text), 4096);
	assert_true(buf_ok(&out));
	buf_clear(&text);
	buf_clear(&out);
}

static double
cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Appends `n` times `rep`. */
static void
repeat(struct buf *b, const char *rep, unsigned n)
{
	while (n-- > 0)
		buf_addz(b, rep);
}

/*
 * Headers that are costly to read: begin, n times what, end, then m times a
 * line of the body.  ATTACKS E-03, G-01, G-02, G-03.
 */
static const struct {
	const char	*begin, *what;
	unsigned	 n;
	const char	*end, *line;
	unsigned	 m;
} costly[] = {
	{ "Content-Type: a/b ", "x", 1 << 21, ";\r\n\r\n", "", 0 },
	{ "Content-Type: a/b ", "\"", 1 << 21, ";\r\n\r\n", "", 0 },
	{ "Content-Type: a/b ", "; ", 1 << 19, ";\r\n\r\n", "", 0 },
	{ "Content-Type: a/b ", ";x*0*=y", 1 << 17, "\r\n\r\n", "", 0 },
	{ "Content-Type: a/b ", ";x=(", 1 << 18, "\r\n\r\n", "", 0 },
	{ "Content-Type: a/b ", "(", 1 << 20, ";\r\n\r\n", "", 0 },
	{ "Content-Type: a/b ", "()", 1 << 19, ";x=y\r\n\r\n", "", 0 },
	{ "Content-Disposition: a ", "x", 1 << 21, ";\r\n\r\n", "", 0 },
	{ "Content-Language: a", ",a", 1 << 19, "\r\n\r\n", "", 0 },
	{ "To: ", "a,", 1 << 19, "\r\n\r\n", "", 0 },
	{ "To: ", "a(b)", 1 << 18, "\r\n\r\n", "", 0 },
	{ "To: ", "(", 1 << 20, "\r\n\r\n", "", 0 },
	{ "To: ", "<", 1 << 20, "\r\n\r\n", "", 0 },
	{ "To: ", ":;", 1 << 19, "\r\n\r\n", "", 0 },
	{ "Subject: a\r\n", " b\r\n", 1 << 18, "\r\n", "", 0 },
	{ "", "x\r\n", 1 << 18, "\r\n", "", 0 },
	/* The header of the whole is no work for each of its parts. */
	{ "", "a:\r\n", 1 << 18,
	  "Content-Type: multipart/mixed; boundary=b\r\n\r\n", "--b\r\n",
	  MIME_PARTS_MAX },
	{ "Content-Type: ", "()", 1 << 19,
	  "multipart/mixed; boundary=b\r\n\r\n", "--b\r\n",
	  MIME_PARTS_MAX },
};

static void
test_costly(void **state)
{
	struct mime	m;
	struct buf	text, out;
	double		from, took;
	size_t		i;

	(void)state;
	buf_init(&text, 64 << 20);
	buf_init(&out, 64 << 20);
	for (i = 0; i < COUNT(costly); i++) {
		buf_reset(&text);
		buf_reset(&out);
		buf_addz(&text, costly[i].begin);
		repeat(&text, costly[i].what, costly[i].n);
		buf_addz(&text, costly[i].end);
		repeat(&text, costly[i].line, costly[i].m);
		assert_true(buf_ok(&text));
		from = cpu();
		mime_init(&m);
		mime_feed(&m, buf_str(&text));
		mime_end(&m);
		structure_body(&out, &m, true);
		structure_envelope(&out, buf_str(&text));
		took = cpu() - from;
		/* Under a second with sanitizers; else minutes. */
		if (took > 3)
			print_message("%s%s...: %.1f s\n", costly[i].begin,
			    costly[i].what, took);
		assert_true(took <= 3);
		assert_true(buf_ok(&out));
		mime_clear(&m);
	}
	buf_clear(&text);
	buf_clear(&out);
}

static const struct {
	const char *value, *want;
} addresses[] = {
	{ "a@b", "((NIL NIL \"a\" \"b\"))" },
	{ "Ann B. <a@b>", "((\"Ann B.\" NIL \"a\" \"b\"))" },
	{ "\"Ann \\\"B\\\"\" <a@b>, c@d",
	  "((\"Ann \\\"B\\\"\" NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))" },
	{ "a@b (Ann)", "((\"Ann\" NIL \"a\" \"b\"))" },
	{ "a (x) @ b (Ann (B))", "((\"Ann (B)\" NIL \"a\" \"b\"))" },
	{ "<@x,@y:a@b>", "((NIL \"@x,@y\" \"a\" \"b\"))" },
	{ "a@[192.0.2.1]", "((NIL NIL \"a\" \"[192.0.2.1]\"))" },
	{ "\"a b\"@c", "((NIL NIL \"a b\" \"c\"))" },
	{ "g: a@b, c@d;, e@f",
	  "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")"
	  "(NIL NIL NIL NIL)(NIL NIL \"e\" \"f\"))" },
	{ "undisclosed:;", "((NIL NIL \"undisclosed\" NIL)(NIL NIL NIL NIL))" },
	{ "g: a@b", "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL "
	  "NIL))" },
	{ "g: a: b@c;", "((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"\")(NIL NIL "
	  "NIL NIL))" },
	{ "a", "((NIL NIL \"a\" \"\"))" },
	{ ",, a@b ,,", "((NIL NIL \"a\" \"b\"))" },
	{ "a@b c@d, e@f", "((NIL NIL \"a\" \"bc\")(NIL NIL \"e\" \"f\"))" },
	{ "", "NIL" },
	{ "(only a comment", "NIL" },
	{ "caf\303\251 <a@b>", "(({5}\r\ncaf\303\251 NIL \"a\" \"b\"))" },
};

static void
test_addresses(void **state)
{
	struct buf	header, out, want;
	size_t		i;

	(void)state;
	buf_init(&header, 1000);
	buf_init(&out, 1000);
	buf_init(&want, 1000);
	for (i = 0; i < COUNT(addresses); i++) {
		buf_reset(&header);
		buf_reset(&out);
		buf_reset(&want);
		buf_addf(&header, "To: %s\r\n\r\n", addresses[i].value);
		buf_addf(&want, "(NIL NIL NIL NIL NIL %s NIL NIL NIL NIL)",
		    addresses[i].want);
		structure_envelope(&out, buf_str(&header));
		assert_string_equal(buf_cstr(&out), buf_cstr(&want));
	}
	buf_reset(&out);
	structure_envelope(&out, S("From: a@b\r\nSubject: x\r\n y\r\n"
	    "Date: d\r\nMessage-ID: <m>\r\nIn-Reply-To: <r>\r\n\r\n"));
	assert_string_equal(buf_cstr(&out), "(\"d\" \"x y\" "
	    "((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) "
	    "((NIL NIL \"a\" \"b\")) NIL NIL NIL \"<r>\" \"<m>\")");
	buf_clear(&header);
	buf_clear(&out);
	buf_clear(&want);
}

static void
test_hostile_addresses(void **state)
{
	static const char	fill[] = "(<@,:;\"\\[>)";
	struct addrlist		l;
	struct buf		value;
	unsigned		i, k, n;

	(void)state;
	buf_init(&value, 1 << 20);
	for (k = 0; k < sizeof(fill) - 1; k++) {
		buf_reset(&value);
		for (i = 0; i < 100000; i++)
			buf_addc(&value, fill[k]);
		addrlist_init(&l, buf_str(&value));
		for (n = 0; addrlist_next(&l) != ADDRLIST_END; n++)
			assert_true(n <= 2 * ADDRLIST_MAX);
		addrlist_clear(&l);
	}
	/* The cap. */
	buf_reset(&value);
	for (i = 0; i < 2 * ADDRLIST_MAX; i++)
		buf_addz(&value, "a@b,");
	addrlist_init(&l, buf_str(&value));
	for (n = 0; addrlist_next(&l) != ADDRLIST_END; n++)
		;
	assert_in_range(n, ADDRLIST_MAX / 2, ADDRLIST_MAX + 1);
	addrlist_clear(&l);
	buf_clear(&value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_costly),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_hostile_addresses),
	};

	return cmocka_run_group_tests_name("mime", tests, NULL, NULL);
}
