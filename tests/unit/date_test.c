/*
 * date - both ways of writing a date, against rows and against libc's
 * calendar.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/mail/date.h"

static const struct {
	const char	*text;
	int64_t		 t;
	int		 zone;
} mail[] = {
	{ "Fri, 20 Nov 2026 10:11:12 +0000", 1795169472, 0 },
	{ "Fri, 20 Nov 2026 11:11:12 +0100", 1795169472, 60 },
	{ "20 Nov 2026 00:11:12 -1000", 1795169472, -600 },
	{ "1 Jan 1970 00:00 GMT", 0, 0 },
	{ "Thu,1 jan 1970 00:00:00 UT", 0, 0 },
	{ "31 Dec 1969 23:59:59 -0000", -1, 0 },
	{ "21 Nov 97 09:55:06 -0600", 880127706, -360 },
	{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360 },
	{ "Thu,\r\n  13\r\n    Feb\r\n      1969\r\n  23:32\r\n   -0330 "
	  "(Newfoundland Time)", -27723480, -210 },
	{ "(a(b\\)c)) 1 Jan 1970 00:00:00 +0000 (x)", 0, 0 },
	{ "1 Jan 00 00:00:00 +0000", 946684800, 0 },
	{ "1 Jan 49 00:00:00 +0000", 2493072000, 0 },
	{ "1 Jan 50 00:00:00 +0000", -631152000, 0 },
	{ "1 Jan 103 00:00:00 +0000", 1041379200, 0 },
	{ "1 Jan 1970 05:00:00 EST", 36000, -300 },
	{ "1 Jan 1970 05:00:00 EDT", 32400, -240 },
	{ "1 Jan 1970 00:00:00 pst", 28800, -480 },
	{ "1 Jan 1970 00:00:00 Z", 0, 0 },
	{ "1 Jan 1970 00:00:00 A", 0, 0 },
	{ "1 Jan 1970 00:00:00 CEST", 0, 0 },
	{ "29 Feb 2000 00:00:00 +0000", 951782400, 0 },
	{ "31 Dec 1998 23:59:60 +0000", 915148800, 0 },
	{ "1 Jan 0001 00:00:00 +0000", -62135596800, 0 },
	{ "31 Dec 9999 23:59:59 +0000", 253402300799, 0 },
	{ "Mon, 1 Jan 1970 00:00:00 +0000", 0, 0 },	/* was a Thursday */
};

static const char *const bad_mail[] = {
	"", " ", "Fri", "Fri,", "20 Nov", "20 Nov 2026", "20 Nov 2026 10",
	"20 Nov 2026 10:11", "20 Nov 2026 10:11:12",
	"Fri 20 Nov 2026 10:11:12 +0000", "Foo, 20 Nov 2026 10:11:12 +0000",
	"20 Foo 2026 10:11:12 +0000", "0 Nov 2026 10:11:12 +0000",
	"31 Nov 2026 10:11:12 +0000", "29 Feb 1900 00:00:00 +0000",
	"29 Feb 2026 00:00:00 +0000", "1 Nov 2026 24:00:00 +0000",
	"1 Nov 2026 00:60:00 +0000", "1 Nov 2026 00:00:61 +0000",
	"1 Nov 2026 00:00:00 +000", "1 Nov 2026 00:00:00 +00000",
	"1 Nov 2026 00:00:00 +0060", "1 Nov 2026 00:00:00 +0000 x",
	"1 Nov 99999999999 00:00:00 +0000", "1 Nov 5 00:00:00 +0000",
	"1 Nov 0000 00:00:00 +0000", "1 Nov 10000 00:00:00 +0000",
	"1 Nov 2026 0:0:0 +0000", "111 Nov 2026 00:00:00 +0000",
	"1 Nov 2026 00:00:00 (+0000", "1 Nov 2026 00:00:00 +0000 (a\\",
	"1 Nov 2026 00:00:00 +0000 )", "-1 Nov 2026 00:00:00 +0000",
	"1 Nov 2026 00:00:00 +00-1", "1 November 2026 00:00:00 +0000",
	/* ATTACKS G-04: what would wrap. */
	"1 Nov 99999999999 00:00:00 +0000", "1 Nov 4294969322 00:00:00 +0000",
	"1 Nov 18446744073709553642 00:00:00 +0000",
	"4294967297 Nov 2026 00:00:00 +0000",
	"1 Nov 2026 4294967296:00:00 +0000",
	"1 Nov 2026 00:00:00 +4294967296",
	"1 Nov -2026 00:00:00 +0000", "1 Nov 2026 00:00:00 +000000000000000",
};

static const struct {
	const char	*text;
	int64_t		 t;
	int		 zone;
} imap[] = {
	{ "20-Nov-2026 10:11:12 +0000", 1795169472, 0 },
	{ " 1-Jan-1970 01:00:00 +0100", 0, 60 },
	{ "01-jan-1970 00:00:00 +0000", 0, 0 },
	{ "17-Jul-1996 02:44:25 -0700", 837596665, -420 },
};

static const char *const bad_imap[] = {
	"", "1-Jan-1970 00:00:00 +0000", "1 -Jan-1970 00:00:00 +0000",
	"  1-Jan-1970 00:00:00 +000", "31-Feb-2026 00:00:00 +0000",
	"20-Nov-2026 10:11:12 +000", "20-Nov-2026 10:11:12 +00000",
	"20-Nov-2026  0:11:12 +0000", "20-Nov-26 10:11:12 +0000  ",
	"20-Nov-2026 10:11:12  0000", "20-Nov-2026T10:11:12 +0000",
	" 0-Jan-1970 00:00:00 +0000", "20-Nov-2026 10:11:12 +0099",
	"20-Nov-99999999999 10:11:12 +0000", "20-Nov-0000 10:11:12 +0000",
};

static void
reading_mail(void **state)
{
	int64_t	t;
	size_t	i;
	int	zone;

	(void)state;
	for (i = 0; i < sizeof(mail) / sizeof(mail[0]); i++) {
		if (date_parse_mail(str_c(mail[i].text), &t, &zone) == -1 ||
		    t != mail[i].t || zone != mail[i].zone)
			fail_msg("%s: %jd", mail[i].text, (intmax_t)t);
	}
	for (i = 0; i < sizeof(bad_mail) / sizeof(bad_mail[0]); i++) {
		if (date_parse_mail(str_c(bad_mail[i]), &t, &zone) != -1)
			fail_msg("%s", bad_mail[i]);
	}
}

static void
reading_imap(void **state)
{
	int64_t	t;
	size_t	i;
	int	zone;

	(void)state;
	for (i = 0; i < sizeof(imap) / sizeof(imap[0]); i++) {
		if (date_parse_imap(str_c(imap[i].text), &t, &zone) == -1 ||
		    t != imap[i].t || zone != imap[i].zone)
			fail_msg("%s", imap[i].text);
	}
	for (i = 0; i < sizeof(bad_imap) / sizeof(bad_imap[0]); i++) {
		if (date_parse_imap(str_c(bad_imap[i]), &t, &zone) != -1)
			fail_msg("%s", bad_imap[i]);
	}
}

/* Cut anywhere, nothing is read past the end; most of it is no date. */
static void
prefixes(void **state)
{
	const char	*s;
	size_t		 i, n;
	int64_t		 t;
	int		 zone;
	char		*p;

	(void)state;
	for (i = 0; i < sizeof(mail) / sizeof(mail[0]); i++) {
		s = mail[i].text;
		for (n = 0; n < strlen(s); n++) {
			p = malloc(n + (n == 0));
			memcpy(p, s, n);
			(void)date_parse_mail(str_of(p, n), &t, &zone);
			(void)date_parse_imap(str_of(p, n), &t, &zone);
			free(p);
		}
	}
}

static void
writing(void **state)
{
	(void)state;
	assert_string_equal(date_mail(1795169472, 0).s,
	    "Fri, 20 Nov 2026 10:11:12 +0000");
	assert_string_equal(date_mail(1795169472, -210).s,
	    "Fri, 20 Nov 2026 06:41:12 -0330");
	assert_string_equal(date_mail(0, 0).s,
	    "Thu, 1 Jan 1970 00:00:00 +0000");
	assert_string_equal(date_mail(-1, 0).s,
	    "Wed, 31 Dec 1969 23:59:59 +0000");
	assert_string_equal(date_imap(0, 60).s, " 1-Jan-1970 01:00:00 +0100");
	assert_string_equal(date_imap(1795169472, 0).s,
	    "20-Nov-2026 10:11:12 +0000");
	/* The ends of what can be written. */
	assert_string_equal(date_mail(INT64_MAX, 0).s,
	    "Fri, 31 Dec 9999 23:59:59 +0000");
	assert_string_equal(date_mail(INT64_MAX, 600).s,
	    "Fri, 31 Dec 9999 23:59:59 +1000");
	assert_string_equal(date_imap(INT64_MIN, -600).s,
	    " 1-Jan-0001 00:00:00 -1000");
	assert_string_equal(date_mail(0, 100000).s,
	    "Thu, 1 Jan 1970 00:00:00 +0000");
	assert_int_equal(strlen(date_mail(INT64_MAX, -5999).s),
	    DATE_MAIL_LEN);
}

/* What is written is read again, and libc sees the same calendar. */
static void
round_trip(void **state)
{
	static const int	zones[] = { 0, 60, -210, 5999, -5999, 345 };
	uint64_t		seed = 7;
	int64_t			t, back;
	struct tm		tm;
	time_t			local;
	char			want[40];
	int			i, zone;
	struct date_text	text;

	(void)state;
	for (i = 0; i < 200000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		t = (int64_t)(seed >> 16) % 250000000000;
		t -= i % 4 == 0 ? 62000000000 : 0;
		if (t > 253000000000)
			continue;
		zone = zones[i % 6];
		text = date_mail(t, zone);
		assert_int_equal(date_parse_mail(str_c(text.s), &back, &zone),
		    0);
		assert_true(back == t && zone == zones[i % 6]);
		local = (time_t)(t + zone * 60);
		assert_non_null(gmtime_r(&local, &tm));
		(void)strftime(want, sizeof(want), "%a, ", &tm);
		assert_memory_equal(text.s, want, 5);
		assert_int_equal(strtol(text.s + 5, NULL, 10), tm.tm_mday);
		text = date_imap(t, zone);
		assert_int_equal(strlen(text.s), DATE_IMAP_LEN);
		assert_int_equal(date_parse_imap(str_c(text.s), &back, &zone),
		    0);
		assert_true(back == t);
	}
}

static void
days(void **state)
{
	static const struct {
		const char	*text;
		int32_t		 day;
		int		 result;
	} rows[] = {
		{ "1-Jan-1970", 0, 0 }, { "01-Jan-1970", 0, 0 },
		{ "2-jan-1970", 1, 0 }, { "31-Dec-1969", -1, 0 },
		{ "20-Nov-2026", 20777, 0 }, { "001-Jan-1970", 0, -1 },
		{ "1-Jan-70", 0, -1 }, { "30-Feb-2000", 0, -1 },
		{ "1-Jan-1970 ", 0, -1 }, { "-Jan-1970", 0, -1 },
		{ "", 0, -1 }, { " 1-Jan-1970", 0, -1 },
	};
	int32_t	day;
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(date_parse_day(str_c(rows[i].text), &day),
		    rows[i].result);
		if (rows[i].result == 0)
			assert_int_equal(day, rows[i].day);
	}
	assert_int_equal(date_day(0, 0), 0);
	assert_int_equal(date_day(-1, 0), -1);
	assert_int_equal(date_day(86399, 0), 0);
	assert_int_equal(date_day(86399, 1), 1);
	assert_int_equal(date_day(0, -1), -1);
	assert_int_equal(date_day(1795169472, 0), 20777);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_mail),
		cmocka_unit_test(reading_imap),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(writing),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
