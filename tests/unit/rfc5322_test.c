/*
 * rfc5322 - headers: what is a field, what is junk, where the body begins;
 * and that the scan of passing bytes agrees with the walk, cut anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mail/rfc5322.h"

static const struct {
	struct str	 in;
	/* name=value for a field, !raw for junk, then > and the body. */
	const char	*want;
} rows[] = {
	{ STR_INIT(""), ">" },
	{ STR_INIT("\r\n"), ">" },
	{ STR_INIT("\r\nbody"), ">body" },
	{ STR_INIT("A: b\r\n\r\nbody\r\n"), "A= b|>body\r\n" },
	{ STR_INIT("A:\r\n\r\n"), "A=|>" },
	{ STR_INIT("A:"), "A=|>" },
	{ STR_INIT("A: b"), "A= b|>" },
	{ STR_INIT("A: b\r\n"), "A= b|>" },
	{ STR_INIT("A: b\r"), "A= b\r|>" },
	{ STR_INIT("A : b\r\nC\t:d\r\n\r\n"), "A= b|C=d|>" },
	{ STR_INIT("A: b\r\n c\r\n\td\r\nE: f\r\n\r\n"),
	  "A= b\r\n c\r\n\td|E= f|>" },
	{ STR_INIT("A: b\r\n \r\nC: d\r\n\r\nx"), "A= b\r\n |C= d|>x" },
	{ STR_INIT("A: b\r\n \r\n\r\nx"), "A= b\r\n |>x" },
	{ STR_INIT("A: b:c\r\n:x\r\n\r\n"), "A= b:c|!:x\r\n|>" },
	{ STR_INIT("hello\r\nA: b\r\n\r\n"), "!hello\r\n|A= b|>" },
	{ STR_INIT("hello\r\n A: b\r\n\r\n"), "!hello\r\n|! A: b\r\n|>" },
	{ STR_INIT(" A: b\r\nC: d\r\n\r\n"), "! A: b\r\n|C= d|>" },
	{ STR_INIT("From\r\n : a@b\r\n\r\n"), "!From\r\n|! : a@b\r\n|>" },
	{ STR_INIT("From x@y Mon\r\nA: b\r\n\r\n"),
	  "!From x@y Mon\r\n|A= b|>" },
	{ STR_INIT("A b: c\r\n\r\n"), "!A b: c\r\n|>" },
	{ STR_INIT("A\xc3: c\r\n\r\n"), "!A\xc3: c\r\n|>" },
	{ STR_INIT("hello"), "!hello|>" },
	{ STR_INIT("A"), "!A|>" },
	{ STR_INIT("A "), "!A |>" },
	{ STR_INIT("\r"), "!\r|>" },
	{ STR_INIT("\n\nbody"), "!\n\nbody|>" },
	{ STR_INIT("A: b\n\nX: y\r\n\r\nbody"), "A= b\n\nX: y|>body" },
	{ STR_INIT("A: b\r\n\nX: y\r\n\r\nbody"), "A= b|!\nX: y\r\n|>body" },
	{ STR_INIT("A: b\r\n\rX: y\r\n\r\n"), "A= b|!\rX: y\r\n|>" },
	{ STR_INIT("A: b\r\r\n\r\n"), "A= b\r|>" },
	{ STR_INIT("A: b\r\n\r\r\n\r\n"), "A= b|!\r\r\n|>" },
	{ STR_INIT("A: b\r\n\r"), "A= b|!\r|>" },
	{ STR_INIT("A\r\r\nB: c\r\n\r\n"), "!A\r\r\n|B= c|>" },
	{ STR_INIT("A\n: b\r\n\r\n"), "!A\n: b\r\n|>" },
	{ STR_INIT("Received: a\r\nreceived:b\r\nRECEIVED :\r\n c\r\n"
	  "Receive: d\r\nReceivedx: e\r\nxReceived: f\r\nReceived\r\n\r\n"
	  "Received: g\r\n"),
	  "Received= a|received=b|RECEIVED=\r\n c|Receive= d|Receivedx= e|"
	  "xReceived= f|!Received\r\n|>Received: g\r\n" },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

struct counts {
	uint64_t	size, field_max;
	uint32_t	fields, received;
	bool		junk;
};

static struct counts
walk(struct str s, struct buf *out)
{
	struct counts		c = { .size = 0 };
	struct hdr_field	f;
	struct str		all = s;
	enum hdr_kind		kind;

	while ((kind = hdr_next(&s, &f)) != HDR_END) {
		if (kind == HDR_FIELD) {
			buf_add(out, f.name);
			buf_addc(out, '=');
			buf_add(out, f.value);
			c.fields++;
			c.received += str_ieq(f.name, S("received"));
			if (f.raw.n > c.field_max)
				c.field_max = f.raw.n;
		} else {
			buf_addc(out, '!');
			buf_add(out, f.raw);
			c.junk = true;
			if (f.raw.n > c.field_max)
				c.field_max = f.raw.n;
		}
		buf_addc(out, '|');
	}
	buf_addc(out, '>');
	buf_add(out, s);
	c.size = all.n - s.n;
	return c;
}

static void
table(void **state)
{
	struct buf	out;
	size_t		i;

	(void)state;
	buf_init(&out, 10000);
	for (i = 0; i < ROWS; i++) {
		buf_reset(&out);
		(void)walk(rows[i].in, &out);
		assert_string_equal(buf_cstr(&out), rows[i].want);
		assert_int_equal(hdr_size(rows[i].in), rows[i].in.n -
		    (out.n - 1 - (size_t)str_rchr(buf_str(&out), '>')));
	}
	buf_clear(&out);
}

static void
agree(struct str s, size_t piece)
{
	struct hdr_scan	h = { .size = 0 };
	struct counts	c;
	struct buf	out;
	size_t		at;

	buf_init(&out, 100000);
	c = walk(s, &out);
	for (at = 0; at < s.n; at += piece)
		hdr_scan(&h, str_sub(s, at, piece));
	hdr_scan_end(&h);
	assert_int_equal(h.size, c.size);
	assert_int_equal(h.fields, c.fields);
	assert_int_equal(h.received, c.received);
	assert_int_equal(h.junk, c.junk);
	assert_int_equal(h.field_max, c.field_max);
	buf_clear(&out);
}

static void
scan_agrees(void **state)
{
	size_t i, n, piece;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		for (piece = 1; piece < 8; piece++)
			agree(rows[i].in, piece);
		for (n = 0; n <= rows[i].in.n; n++)
			agree(str_sub(rows[i].in, 0, n), 1000);
	}
}

/* Random headers out of the bytes that matter. */
static void
scan_agrees_random(void **state)
{
	static const char	bytes[] = "\r\n\r\n\r\n :\tAr\n\r";
	char			text[40];
	unsigned		seed = 1, i, k, n;

	(void)state;
	for (i = 0; i < 200000; i++) {
		n = 0;
		for (k = 0; k < sizeof(text); k++) {
			seed = seed * 1103515245 + 12345;
			text[k] = bytes[(seed >> 16) % (sizeof(bytes) - 1)];
			n = (seed >> 8) % sizeof(text);
		}
		agree(str_of(text, n), 1 + i % 5);
	}
}

static void
finding(void **state)
{
	struct str		m = S("A: 1\r\nB: 2\r\n x\r\nb: 3\r\n\r\n"
				    "C: 4\r\n");
	struct hdr_field	f;
	struct buf		b;

	(void)state;
	buf_init(&b, 1000);
	assert_true(hdr_find(m, S("b"), &f));
	assert_true(str_eq(f.raw, S("B: 2\r\n x\r\n")));
	hdr_unfold(&b, f.value);
	assert_string_equal(buf_cstr(&b), "2 x");
	assert_false(hdr_find(m, S("C"), &f));
	assert_false(hdr_find(m, S(""), &f));
	buf_reset(&b);
	hdr_unfold(&b, S(" \r\n a\r\n\tb\rc\r\n "));
	assert_string_equal(buf_cstr(&b), "\r\n a\tb\rc" + 2);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(scan_agrees),
		cmocka_unit_test(scan_agrees_random),
		cmocka_unit_test(finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
