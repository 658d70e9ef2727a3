/*
 * mail_seeds_test - what the seeds of addr_fuzz, date_fuzz and mutf7_fuzz
 * reach: each answer of each reader, and each form that it takes.
 */
#include "tests/lib/unit.h"

#include "common/mail/addr.h"
#include "common/mail/date.h"
#include "common/mail/esmtp.h"
#include "common/mail/mutf7.h"
#include "tests/lib/seeds.h"

/* -- addresses -------------------------------------------------------- */

static bool paths[SEEDS_STATES], bare[SEEDS_STATES], hosts[SEEDS_STATES];
static bool path_kinds[SEEDS_STATES], bare_kinds[SEEDS_STATES];
static bool addrs[SEEDS_STATES];

static const char *
addr_result_name(unsigned r)
{
	switch ((enum addr_result)r) {
		SEEDS_NAME(ADDR_OK);
		SEEDS_NAME(ADDR_SYNTAX);
		SEEDS_NAME(ADDR_NOT_ASCII);
		SEEDS_NAME(ADDR_LOCAL_LONG);
		SEEDS_NAME(ADDR_DOMAIN_LONG);
		SEEDS_NAME(ADDR_PATH_LONG);
	}
	return NULL;
}

/* It has neither a local part nor brackets. */
static const char *
host_result_name(unsigned r)
{
	return r == ADDR_LOCAL_LONG || r == ADDR_PATH_LONG ? NULL :
	    addr_result_name(r);
}

static const char *
path_kind_name(unsigned k)
{
	switch ((enum addr_kind)k) {
		SEEDS_NAME(ADDR_NULL);
		SEEDS_NAME(ADDR_POSTMASTER);
		SEEDS_NAME(ADDR_NAME);
		SEEDS_NAME(ADDR_IP4);
		SEEDS_NAME(ADDR_IP6);
		SEEDS_NAME(ADDR_LITERAL);
	}
	return NULL;
}

/* The two before ADDR_NAME only stand in brackets. */
static const char *
bare_kind_name(unsigned k)
{
	return path_kind_name(k < ADDR_NAME ? SEEDS_STATES : k);
}

enum addr_fact {
	PATH_ROUTED, LOCAL_QUOTED, LOCAL_TAGGED, PARAM_BARE, PARAM_VALUE,
	PARAM_BAD, XTEXT_TAKEN, XTEXT_REFUSED
};

static const char *
addr_fact_name(unsigned f)
{
	switch ((enum addr_fact)f) {
		SEEDS_NAME(PATH_ROUTED);
		SEEDS_NAME(LOCAL_QUOTED);
		SEEDS_NAME(LOCAL_TAGGED);
		SEEDS_NAME(PARAM_BARE);
		SEEDS_NAME(PARAM_VALUE);
		SEEDS_NAME(PARAM_BAD);
		SEEDS_NAME(XTEXT_TAKEN);
		SEEDS_NAME(XTEXT_REFUSED);
	}
	return NULL;
}

static void
play_taken(const struct addr *a)
{
	char		text[ADDR_TEXT_MAX];
	struct str	user, tag;

	addrs[PATH_ROUTED] |= a->routed;
	addrs[LOCAL_QUOTED] |= str_starts(addr_text(a, text), S("\""));
	addrs[LOCAL_TAGGED] |= addr_split_tag(addr_local(a), '+', &user, &tag);
}

static void
play_params(struct str rest)
{
	struct esmtp_param	p;
	char			out[4096];
	size_t			n;
	int			r;

	while ((r = esmtp_param(&rest, &p)) == 1) {
		addrs[p.value.p == NULL ? PARAM_BARE : PARAM_VALUE] = true;
		if (p.value.n <= sizeof(out))
			addrs[xtext_decode(p.value, out, &n) == 0 ?
			    XTEXT_TAKEN : XTEXT_REFUSED] = true;
	}
	addrs[PARAM_BAD] |= r == -1;
}

static void
play_addr(struct str s)
{
	struct addr		a;
	struct str		rest;
	enum addr_result	r;

	r = addr_parse(s, &a);
	bare[r] = true;
	if (r == ADDR_OK) {
		bare_kinds[a.kind] = true;
		play_taken(&a);
	}
	hosts[addr_parse_host(s)] = true;
	r = addr_parse_path(s, &a, &rest);
	paths[r] = true;
	if (r != ADDR_OK)
		return;
	path_kinds[a.kind] = true;
	play_taken(&a);
	play_params(rest);
}

static void
test_addr(void **state)
{
	(void)state;
	seeds_play("addr", play_addr);
	seeds_need("addr (path)", addr_result_name, paths);
	seeds_need("addr (bare)", addr_result_name, bare);
	seeds_need("addr (host)", host_result_name, hosts);
	seeds_need("addr (path)", path_kind_name, path_kinds);
	seeds_need("addr (bare)", bare_kind_name, bare_kinds);
	seeds_need("addr", addr_fact_name, addrs);
}

/* -- dates ------------------------------------------------------------ */

enum date_fact {
	MAIL_TAKEN, MAIL_REFUSED, IMAP_TAKEN, IMAP_REFUSED, DAY_TAKEN,
	DAY_REFUSED, MAIL_COMMENT, MAIL_FOLDED, MAIL_NO_WEEKDAY,
	MAIL_NO_SECONDS, MAIL_LEAP_SECOND, MAIL_LEAP_DAY, MAIL_YEAR_2_OLD,
	MAIL_YEAR_2_NEW, MAIL_YEAR_3, MAIL_FIRST_YEAR, MAIL_LAST_YEAR,
	IMAP_SPACE
};

static bool dates[SEEDS_STATES], zones[SEEDS_STATES];

static const char *
date_fact_name(unsigned f)
{
	switch ((enum date_fact)f) {
		SEEDS_NAME(MAIL_TAKEN);
		SEEDS_NAME(MAIL_REFUSED);
		SEEDS_NAME(IMAP_TAKEN);
		SEEDS_NAME(IMAP_REFUSED);
		SEEDS_NAME(DAY_TAKEN);
		SEEDS_NAME(DAY_REFUSED);
		SEEDS_NAME(MAIL_COMMENT);
		SEEDS_NAME(MAIL_FOLDED);
		SEEDS_NAME(MAIL_NO_WEEKDAY);
		SEEDS_NAME(MAIL_NO_SECONDS);
		SEEDS_NAME(MAIL_LEAP_SECOND);
		SEEDS_NAME(MAIL_LEAP_DAY);
		SEEDS_NAME(MAIL_YEAR_2_OLD);
		SEEDS_NAME(MAIL_YEAR_2_NEW);
		SEEDS_NAME(MAIL_YEAR_3);
		SEEDS_NAME(MAIL_FIRST_YEAR);
		SEEDS_NAME(MAIL_LAST_YEAR);
		SEEDS_NAME(IMAP_SPACE);
	}
	return NULL;
}

/* Zones as they may be written; the last is for one that nobody knows. */
static const char *
zone_name(unsigned z)
{
	static const char *const names[] = {
		" EST", " EDT", " CST", " CDT", " MST", " MDT", " PST",
		" PDT", " +", " -", " Z"
	};

	return z < LENGTH(names) ? names[z] : NULL;
}

static bool
has(struct str s, const char *what)
{
	return str_find(s, str_c(what)) != -1;
}

static void
play_mail_date(struct str s, int64_t t, int zone)
{
	struct date_text	text = date_mail(t, zone);
	struct str		again = str_c(text.s);
	unsigned		z;

	dates[MAIL_COMMENT] |= has(s, "(");
	dates[MAIL_FOLDED] |= has(s, "\r\n");
	dates[MAIL_NO_WEEKDAY] |= ascii_isdigit(s.p[0]);
	dates[MAIL_NO_SECONDS] |= str_find(s, S(":")) == str_rchr(s, ':');
	dates[MAIL_LEAP_SECOND] |= has(s, ":60");
	dates[MAIL_LEAP_DAY] |= has(again, " 29 Feb ");
	dates[MAIL_YEAR_2_OLD] |= has(s, " 50 ") && has(again, " 1950 ");
	dates[MAIL_YEAR_2_NEW] |= has(s, " 49 ") && has(again, " 2049 ");
	dates[MAIL_YEAR_3] |= has(s, " 103 ") && has(again, " 2003 ");
	dates[MAIL_FIRST_YEAR] |= has(again, " 0001 ");
	dates[MAIL_LAST_YEAR] |= has(again, " 9999 ");
	for (z = 0; zone_name(z) != NULL; z++)
		zones[z] |= has(s, zone_name(z));
}

static void
play_date(struct str s)
{
	int64_t	t;
	int32_t	day;
	int	zone;

	if (date_parse_mail(s, &t, &zone) == -1) {
		dates[MAIL_REFUSED] = true;
	} else {
		dates[MAIL_TAKEN] = true;
		play_mail_date(s, t, zone);
	}
	if (date_parse_imap(s, &t, &zone) == 0) {
		dates[IMAP_TAKEN] = true;
		dates[IMAP_SPACE] |= s.p[0] == ' ';
	} else if (s.n == DATE_IMAP_LEN) {
		dates[IMAP_REFUSED] = true;
	}
	if (date_parse_day(s, &day) == 0)
		dates[DAY_TAKEN] = true;
	else if (str_chr(s, '-') == 2 && s.n == 11)
		dates[DAY_REFUSED] = true;
}

static void
refuse_mail_date(struct str s)
{
	int64_t	t;
	int	zone;

	assert_int_equal(date_parse_mail(s, &t, &zone), -1);
}

static void
test_date(void **state)
{
	/* Each but for one thing is a date. */
	static const char *const bad[] = {
		"bad-weekday", "bad-weekday-comma", "bad-month", "bad-day",
		"bad-hour", "bad-minute", "bad-second", "bad-year",
		"bad-year-digits", "bad-minute-digits", "bad-second-digits",
		"bad-comment", "bad-zone", "bad-zone-minutes", "bad-no-zone",
		"bad-left-over",
	};
	size_t i;

	(void)state;
	seeds_play("date", play_date);
	seeds_need("date", date_fact_name, dates);
	seeds_need("date", zone_name, zones);
	for (i = 0; i < LENGTH(bad); i++)
		seeds_play_one("date", bad[i], refuse_mail_date);
}

/* -- names of folders ------------------------------------------------- */

enum mutf7_fact {
	DECODE_TAKEN, DECODE_REFUSED, ENCODE_TAKEN, ENCODE_REFUSED,
	DECODE_AMPERSAND, DECODE_SHIFT, DECODE_SURROGATES
};

static bool names[SEEDS_STATES];

static const char *
mutf7_fact_name(unsigned f)
{
	switch ((enum mutf7_fact)f) {
		SEEDS_NAME(DECODE_TAKEN);
		SEEDS_NAME(DECODE_REFUSED);
		SEEDS_NAME(ENCODE_TAKEN);
		SEEDS_NAME(ENCODE_REFUSED);
		SEEDS_NAME(DECODE_AMPERSAND);
		SEEDS_NAME(DECODE_SHIFT);
		SEEDS_NAME(DECODE_SURROGATES);
	}
	return NULL;
}

static void
play_mutf7(struct str s)
{
	struct buf out;

	buf_init(&out, 64 * 1024);
	if (mutf7_decode(s, &out) == 0) {
		names[DECODE_TAKEN] = true;
		names[DECODE_AMPERSAND] |= has(buf_str(&out), "&");
		names[DECODE_SHIFT] |= !str_is_print(buf_str(&out));
		names[DECODE_SURROGATES] |= has(buf_str(&out), "\xf0");
	} else {
		names[DECODE_REFUSED] = true;
	}
	buf_reset(&out);
	names[mutf7_encode(s, &out) == 0 ? ENCODE_TAKEN : ENCODE_REFUSED] =
	    true;
	buf_clear(&out);
}

static void
refuse_wire(struct str s)
{
	struct buf out;

	buf_init(&out, 64 * 1024);
	assert_int_equal(mutf7_decode(s, &out), -1);
	buf_clear(&out);
}

static void
test_mutf7(void **state)
{
	/* What mutf7.h says that it refuses. */
	static const char *const bad[] = {
		"bad-8bit", "bad-control", "bad-shift-open", "bad-base64",
		"bad-ascii-encoded", "bad-two-shifts", "bad-padding",
		"bad-spare-digit", "bad-high-alone", "bad-high-last",
		"bad-low-alone", "bad-nul",
	};
	size_t i;

	(void)state;
	seeds_play("mutf7", play_mutf7);
	seeds_need("mutf7", mutf7_fact_name, names);
	for (i = 0; i < LENGTH(bad); i++)
		seeds_play_one("mutf7", bad[i], refuse_wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_mutf7),
	};

	return cmocka_run_group_tests_name("mail_seeds", tests, NULL, NULL);
}
