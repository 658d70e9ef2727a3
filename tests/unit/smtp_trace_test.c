/*
 * trace - the Received field: its form, and that no name can break out of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mail/addr.h"
#include "common/mail/date.h"
#include "common/mail/rfc5322.h"
#include "smtpd/trace.h"

static const struct {
	struct smtp_trace	 t;
	const char		*want;
} rows[] = {
	{ { .helo = STR_INIT("c.test"), .ip = STR_INIT("192.0.2.1"),
	    .hostname = STR_INIT("mx.test"), .esmtp = true, .qid = 42,
	    .time = 1795169472 },
	  "Received: from c.test ([192.0.2.1])\r\n"
	  "\tby mx.test (Postern) with ESMTP id 000000000001a;\r\n"
	  "\tFri, 20 Nov 2026 10:11:12 +0000\r\n" },
	{ { .helo = STR_INIT("[IPv6:::1]"), .ip = STR_INIT("IPv6:::1"),
	    .hostname = STR_INIT("mx.test"), .esmtp = true, .authed = true,
	    .rcpt = STR_INIT("\"a b\"@x.test"), .qid = 42, .zone = -90 },
	  "Received: from [IPv6:::1] ([IPv6:::1])\r\n"
	  "\tby mx.test (Postern) with ESMTPA id 000000000001a\r\n"
	  "\tfor <\"a b\"@x.test>;\r\n"
	  "\tWed, 31 Dec 1969 22:30:00 -0130\r\n" },
	{ { .helo = STR_INIT("a b)(\r\nX: \xff\0@;\"\\"),
	    .ip = STR_INIT("IPv6:::1\r\n"), .hostname = STR_INIT("mx.test"),
	    .rcpt = STR_INIT("a@b\r\nX: y"), .qid = 42 },
	  "Received: from a?b????X:??????? ([IPv6:::1??])\r\n"
	  "\tby mx.test (Postern) with SMTP id 000000000001a;\r\n"
	  "\tThu, 1 Jan 1970 00:00:00 +0000\r\n" },
	{ { .hostname = STR_INIT("mx.test"), .esmtp = true, .tls = true },
	  "Received: from unknown ([unknown])\r\n"
	  "\tby mx.test (Postern) with ESMTPS id 0000000000000;\r\n"
	  "\tThu, 1 Jan 1970 00:00:00 +0000\r\n" },
	{ { .hostname = STR_INIT("mx.test"), .esmtp = true, .tls = true,
	    .authed = true },
	  "Received: from unknown ([unknown])\r\n"
	  "\tby mx.test (Postern) with ESMTPSA id 0000000000000;\r\n"
	  "\tThu, 1 Jan 1970 00:00:00 +0000\r\n" },
};

static void
table(void **state)
{
	struct hdr_field	f;
	struct str		rest, word;
	struct buf		b;
	size_t			i;
	int64_t			t;
	int			zone;

	(void)state;
	buf_init(&b, SMTP_TRACE_MAX);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		smtp_trace(&b, &rows[i].t);
		assert_string_equal(buf_cstr(&b), rows[i].want);
		/* One field, and a date behind the last semicolon. */
		rest = buf_str(&b);
		assert_int_equal(hdr_next(&rest, &f), HDR_FIELD);
		assert_true(str_eq(f.name, S("Received")));
		assert_int_equal(rest.n, 0);
		word = str_from(f.value, (size_t)str_rchr(f.value, ';') + 1);
		assert_int_equal(date_parse_mail(word, &t, &zone), 0);
		assert_true(t == rows[i].t.time && zone == rows[i].t.zone);
	}
	buf_clear(&b);
}

/* The longest of everything fits. */
static void
longest(void **state)
{
	char			x[1000];
	struct smtp_trace	t = { .esmtp = true };
	struct buf		b;

	(void)state;
	memset(x, 'x', sizeof(x));
	t.helo = t.ip = t.hostname = str_of(x, sizeof(x));
	t.rcpt = str_of(x, ADDR_TEXT_MAX);
	buf_init(&b, SMTP_TRACE_MAX * 2);
	smtp_trace(&b, &t);
	assert_true(buf_ok(&b) && b.n <= SMTP_TRACE_MAX * 2);
	buf_clear(&b);
	/* Real names: a host name has 255 bytes, an address text 45. */
	t.ip = str_of(x, 45);
	t.hostname = str_of(x, 255);
	buf_init(&b, SMTP_TRACE_MAX);
	smtp_trace(&b, &t);
	assert_true(buf_ok(&b));
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
