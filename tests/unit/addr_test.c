/*
 * addr, esmtp - envelope addresses: the vectors of tests/data/addresses, the
 * odd ones of ATTACKS D, and each limit at its edge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/mail/addr.h"
#include "common/mail/esmtp.h"
#include "tests/lib/vectors.h"

/* Reads what it wrote; the result is the same address. */
static void
round_trip(const struct addr *a)
{
	char		text[ADDR_TEXT_MAX], again[ADDR_TEXT_MAX];
	struct addr	b;
	struct str	s = addr_text(a, text);

	if (a->kind == ADDR_NULL || a->kind == ADDR_POSTMASTER)
		return;
	assert_int_equal(addr_parse(s, &b), ADDR_OK);
	assert_int_equal(a->kind, b.kind);
	assert_true(str_eq(addr_local(a), addr_local(&b)));
	assert_true(str_eq(addr_domain(a), addr_domain(&b)));
	assert_true(str_eq(s, addr_text(&b, again)));
}

static void
path_vectors(void **state)
{
	struct vectors		vs;
	const struct vector	*v;
	const struct str	*path, *want;
	struct addr		a;
	struct str		rest = { NULL, 0 };
	enum addr_result	r;
	unsigned		i;

	(void)state;
	vectors_read(&vs, "tests/data/addresses/paths.json");
	assert_true(vs.n >= 49);
	for (i = 0; i < vs.n; i++) {
		v = &vs.v[i];
		path = vector_get(v, "path");
		r = addr_parse_path(*path, &a, &rest);
		/* Nothing is soft here: what is invalid is refused. */
		if ((r == ADDR_OK) != vector_is(v, "valid"))
			fail_msg("%.*s: %d", (int)path->n, path->p, r);
		if (vector_is(v, "smtputf8"))
			assert_int_equal(r, ADDR_NOT_ASCII);
		if (r != ADDR_OK)
			continue;
		assert_int_equal(a.kind == ADDR_NULL,
		    vector_is(v, "mail_only"));
		assert_int_equal(a.kind == ADDR_POSTMASTER,
		    vector_is(v, "rcpt_only"));
		want = vector_get(v, "local");
		if (want != NULL && a.kind != ADDR_POSTMASTER)
			assert_true(str_eq(*want, addr_local(&a)));
		want = vector_get(v, "domain");
		if (want != NULL)
			assert_true(str_eq(*want, addr_domain(&a)));
		want = vector_get(v, "param");
		if (want != NULL)
			assert_true(str_eq(*want, str_from(rest, 1)));
		else
			assert_int_equal(rest.n, 0);
		round_trip(&a);
	}
	vectors_clear(&vs);
}

/* Comments, folds and obsolete forms are for headers, not for paths. */
static bool
is_valid(struct str category, struct str diagnosis)
{
	return str_eq(category, S("ISEMAIL_VALID_CATEGORY")) ||
	    str_eq(category, S("ISEMAIL_DNSWARN")) ||
	    str_starts(diagnosis, S("ISEMAIL_RFC5321_"));
}

static void
isemail_vectors(void **state)
{
	struct vectors		vs;
	const struct str	*address, *category;
	struct addr		a;
	unsigned		i, good = 0, bad = 0;
	bool			ok, want;

	(void)state;
	vectors_read(&vs, "tests/data/addresses/isemail.json");
	assert_true(vs.n >= 160);
	for (i = 0; i < vs.n; i++) {
		address = vector_get(&vs.v[i], "address");
		category = vector_get(&vs.v[i], "category");
		ok = addr_parse(*address, &a) == ADDR_OK;
		want = is_valid(*category, *vector_get(&vs.v[i],
		    "diagnosis"));
		if (ok != want)
			fail_msg("%u %.*s: %d, %.*s", i + 1, (int)address->n,
			    address->p, ok, (int)category->n, category->p);
		if (ok)
			round_trip(&a);
		good += ok;
		bad += !ok;
	}
	assert_true(good > 30 && bad > 80);
	vectors_clear(&vs);
}

struct row {
	struct str		path;
	enum addr_result	result;
	const char		*text;
	const char		*key;
};

static const struct row rows[] = {
	{ STR_INIT("<>"), ADDR_OK, "", "" },
	{ STR_INIT("<POSTmaster>"), ADDR_OK, "postmaster", "postmaster" },
	{ STR_INIT("<Ab.C@D.E>"), ADDR_OK, "Ab.C@d.e", "ab.c@d.e" },
	{ STR_INIT("<\"Ab\"@d>"), ADDR_OK, "Ab@d", "ab@d" },
	{ STR_INIT("<\"A\\b\"@d>"), ADDR_OK, "Ab@d", "ab@d" },
	{ STR_INIT("<\"a b\"@d>"), ADDR_OK, "\"a b\"@d", "\"a b\"@d" },
	{ STR_INIT("<\"a.\"@d>"), ADDR_OK, "\"a.\"@d", "\"a.\"@d" },
	{ STR_INIT("<\"a@b\"@d>"), ADDR_OK, "\"a@b\"@d", "\"a@b\"@d" },
	{ STR_INIT("<\"a\\\"\\\\\"@d>"), ADDR_OK, "\"a\\\"\\\\\"@d",
	  "\"a\\\"\\\\\"@d" },
	{ STR_INIT("<\"\"@d>"), ADDR_OK, "\"\"@d", "\"\"@d" },
	{ STR_INIT("<a@[IPv6:2001:DB8::1]>"), ADDR_OK, "a@[ipv6:2001:db8::1]",
	  "a@[ipv6:2001:db8::1]" },
	{ STR_INIT("<@x,@y:a@d>"), ADDR_OK, "a@d", "a@d" },
	{ STR_INIT("<@[192.0.2.1]:a@d>"), ADDR_OK, "a@d", "a@d" },
	{ STR_INIT("<a%b@d>"), ADDR_OK, "a%b@d", "a%b@d" },
	{ STR_INIT("<a!b@d>"), ADDR_OK, "a!b@d", "a!b@d" },
	{ STR_INIT("<=?utf-8?q?a=40b?=@c>"), ADDR_OK, "=?utf-8?q?a=40b?=@c",
	  "=?utf-8?q?a=40b?=@c" },
	{ STR_INIT("<|x@d>"), ADDR_OK, "|x@d", "|x@d" },
	{ STR_INIT(""), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@b"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@d@e>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<@x,@y,a@d>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<@x:>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<@:a@d>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<\"a\0b\"@d>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a\0b@d>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@d\0>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<\"a\\\0\"@d>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<\"a\nb\"@d>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<\"a\"b@d>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<\"a\\"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<\"a\x7f\"@d>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[]>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[IPv6:]>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[IPv6:::1%lo]>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[2001:db8::1]>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[1.2.3.4>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[1.2.3.4]x>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[1.2.3.4\0]>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[x-:y]>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[:y]>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@[x:]>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<postmaster@>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<abuse>"), ADDR_SYNTAX, NULL, NULL },
	{ STR_INIT("<a@\xc3\xa9>"), ADDR_NOT_ASCII, NULL, NULL },
	{ STR_INIT("<\"\xc3\xa9\"@d>"), ADDR_NOT_ASCII, NULL, NULL },
	{ STR_INIT("<\xff@d>"), ADDR_NOT_ASCII, NULL, NULL },
	{ STR_INIT("<a@[x:\xc3\xa9]>"), ADDR_NOT_ASCII, NULL, NULL },
};

static void
table(void **state)
{
	char		text[ADDR_TEXT_MAX];
	struct addr	a;
	struct str	rest;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (addr_parse_path(rows[i].path, &a, &rest) !=
		    rows[i].result)
			fail_msg("%.*s", (int)rows[i].path.n,
			    rows[i].path.p);
		if (rows[i].result != ADDR_OK)
			continue;
		assert_true(str_eq(addr_text(&a, text),
		    str_c(rows[i].text)));
		assert_true(str_eq(addr_key(&a, text), str_c(rows[i].key)));
		assert_int_equal(a.routed, str_starts(rows[i].path,
		    S("<@")));
		round_trip(&a);
	}
}

/* Every prefix of every row is read without going over its end. */
static void
prefixes(void **state)
{
	struct addr	a;
	struct str	rest;
	size_t		i, n;
	char		*p;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (n = 0; n < rows[i].path.n; n++) {
			p = malloc(n + (n == 0));
			memcpy(p, rows[i].path.p, n);
			assert_int_not_equal(addr_parse_path(str_of(p, n), &a,
			    &rest), ADDR_OK);
			(void)addr_parse(str_of(p, n), &a);
			free(p);
		}
	}
}

/* local@domain of those lengths; the domain in labels of at most 63. */
static struct str
make(char *out, size_t local, size_t domain, bool brackets)
{
	size_t	i, n = 0;

	if (brackets)
		out[n++] = '<';
	for (i = 0; i < local; i++)
		out[n++] = 'l';
	out[n++] = '@';
	for (i = 0; i < domain; i++)
		out[n++] = i % 64 == 63 && i + 1 < domain ? '.' : 'd';
	if (brackets)
		out[n++] = '>';
	return str_of(out, n);
}

static void
limits(void **state)
{
	static const struct {
		size_t			local, domain;
		bool			brackets;
		enum addr_result	result;
	} edge[] = {
		{ 63, 9, true, ADDR_OK }, { 64, 9, true, ADDR_OK },
		{ 65, 9, true, ADDR_LOCAL_LONG },
		{ 300, 9, true, ADDR_LOCAL_LONG },
		{ 1, 252, true, ADDR_OK }, { 1, 251, true, ADDR_OK },
		{ 1, 253, true, ADDR_PATH_LONG },
		{ 64, 189, true, ADDR_OK }, { 64, 190, true, ADDR_PATH_LONG },
		{ 1, 251, false, ADDR_OK }, { 1, 252, false, ADDR_OK },
		{ 1, 253, false, ADDR_PATH_LONG },
		{ 1, 255, false, ADDR_PATH_LONG },
		{ 64, 257, false, ADDR_DOMAIN_LONG },
		{ 1, 257, true, ADDR_DOMAIN_LONG },
		{ 1, 4000, true, ADDR_DOMAIN_LONG },
	};
	char		text[8192];
	struct addr	a;
	struct str	s, rest;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(edge) / sizeof(edge[0]); i++) {
		s = make(text, edge[i].local, edge[i].domain,
		    edge[i].brackets);
		if ((edge[i].brackets ? addr_parse_path(s, &a, &rest) :
		    addr_parse(s, &a)) != edge[i].result)
			fail_msg("row %zu", i);
		if (edge[i].result == ADDR_OK)
			round_trip(&a);
	}
	/* Quotes and backslashes count, since they are written again. */
	memset(text, 'q', sizeof(text));
	text[0] = text[63] = '"';
	memcpy(text + 64, "@d", 2);
	assert_int_equal(addr_parse(str_of(text, 66), &a), ADDR_OK);
	text[63] = 'q';
	text[64] = '"';
	memcpy(text + 65, "@d", 2);
	assert_int_equal(addr_parse(str_of(text, 67), &a), ADDR_LOCAL_LONG);
	/* A label of 63 and one of 64. */
	memcpy(text, "a@", 2);
	memset(text + 2, 'd', 64);
	assert_int_equal(addr_parse(str_of(text, 65), &a), ADDR_OK);
	assert_int_equal(addr_parse(str_of(text, 66), &a), ADDR_SYNTAX);
}

static void
hosts(void **state)
{
	(void)state;
	assert_int_equal(addr_parse_host(S("a-b.c")), ADDR_OK);
	assert_int_equal(addr_parse_host(S("[192.0.2.1]")), ADDR_OK);
	assert_int_equal(addr_parse_host(S("my_pc")), ADDR_SYNTAX);
	assert_int_equal(addr_parse_host(S("a b")), ADDR_SYNTAX);
	assert_int_equal(addr_parse_host(S("")), ADDR_SYNTAX);
	assert_int_equal(addr_parse_host(S("a.")), ADDR_SYNTAX);
}

static void
tags(void **state)
{
	static const struct {
		const char	*local, *user, *tag;
		bool		 split;
	} t[] = {
		{ "user+tag", "user", "tag", true },
		{ "user+a+b", "user", "a+b", true },
		{ "user+", "user", "", true },
		{ "user", "user", "", false },
		{ "+tag", "+tag", "", false },
		{ "+a+b", "+a", "b", true },
		{ "+", "+", "", false },
		{ "", "", "", false },
	};
	struct str	user, tag;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(addr_split_tag(str_c(t[i].local), '+', &user,
		    &tag), t[i].split);
		assert_true(str_eq(user, str_c(t[i].user)));
		assert_true(str_eq(tag, str_c(t[i].tag)));
	}
}

static void
params(void **state)
{
	static const struct {
		const char	*in, *want;	/* key=value|..., ! for bad */
	} t[] = {
		{ "", "" }, { "  ", "" }, { " A", "A|" }, { " A=b", "A=b|" },
		{ " A=b  c-1=d", "A=b|c-1=d|" }, { " A=b ", "A=b|" },
		{ "A", "!" }, { " =", "!" }, { " A=", "!" }, { " A=b=c", "!" },
		{ " -a", "!" }, { " a_b", "!" }, { " A=\x7f", "!" },
		{ " A=\xc3", "!" }, { " A B=", "A|!" }, { " A\t", "!" },
	};
	struct esmtp_param	p;
	struct buf		got;
	struct str		rest;
	size_t			i;
	int			r;

	(void)state;
	buf_init(&got, 1000);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_reset(&got);
		rest = str_c(t[i].in);
		while ((r = esmtp_param(&rest, &p)) == 1) {
			buf_add(&got, p.key);
			if (p.value.p != NULL) {
				buf_addc(&got, '=');
				buf_add(&got, p.value);
			}
			buf_addc(&got, '|');
		}
		if (r == -1)
			buf_addc(&got, '!');
		assert_string_equal(buf_cstr(&got), t[i].want);
	}
	buf_clear(&got);
}

static void
xtext(void **state)
{
	static const struct {
		const char	*in, *want;
	} t[] = {
		{ "", "" }, { "abc", "abc" }, { "a+2Bb", "a+b" },
		{ "+3D", "=" }, { "+20x", " x" }, { "+C3+A9", "\xc3\xa9" },
		{ "+0A", NULL }, { "a+0D+0Ab", NULL }, { "+00", NULL },
		{ "+7F", NULL }, { "+1F", NULL }, { "+", NULL },
		{ "+2", NULL }, { "+2b", NULL }, { "+G0", NULL },
		{ "a=b", NULL }, { "a b", NULL }, { "\xc3", NULL },
	};
	char	out[64];
	size_t	i, n;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(xtext_decode(str_c(t[i].in), out, &n),
		    t[i].want == NULL ? -1 : 0);
		if (t[i].want != NULL)
			assert_true(str_eq(str_of(out, n),
			    str_c(t[i].want)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(path_vectors),
		cmocka_unit_test(isemail_vectors),
		cmocka_unit_test(table),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(limits),
		cmocka_unit_test(hosts),
		cmocka_unit_test(tags),
		cmocka_unit_test(params),
		cmocka_unit_test(xtext),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
