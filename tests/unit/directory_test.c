/*
 * directory_test - what is stored, what an address leads to, lists.
 */
#include "common/core/log.h"
#include "tests/lib/directory_rig.h"

static void
reopen(void)
{
	dir_close(dir);
	dir = dir_open(tmp.fd, IDS);
}

static enum dir_result
alias(const char *address, const char *target)
{
	struct str t = str_c(target);

	return dir_alias_add(dir, str_c(address), &t, 1, 1);
}

/* -- names ------------------------------------------------------------ */

static void
test_canon(void **state)
{
	static const struct {
		const char	*in;
		enum dir_result	 r;
		const char	*out;
	} t[] = {
		{ "user@example.org", DIR_OK, "user@example.org" },
		{ "User@EXAMPLE.Org", DIR_OK, "user@example.org" },
		{ "\"user\"@example.org", DIR_OK, "user@example.org" },
		{ "\"a b\"@example.org", DIR_OK, "\"a b\"@example.org" },
		{ "a+t@example.org", DIR_OK, "a+t@example.org" },
		{ "@Example.org", DIR_OK, "@example.org" },
		{ "@", DIR_BAD, "" },
		{ "", DIR_BAD, "" },
		{ "user", DIR_BAD, "" },
		{ "user@", DIR_BAD, "" },
		{ "\"\"@example.org", DIR_BAD, "" },
		{ "user @example.org", DIR_BAD, "" },
		{ "user@example.org ", DIR_BAD, "" },
		{ "user@example.org.", DIR_BAD, "" },
		{ "user@[192.0.2.1]", DIR_BAD, "" },
		{ "@[192.0.2.1]", DIR_BAD, "" },
		{ "us\xc3\xa9r@example.org", DIR_NOT_ASCII, "" },
		{ "user@b\xc3\xbc" "cher.example", DIR_NOT_ASCII, "" },
		{ "@b\xc3\xbc" "cher.example", DIR_NOT_ASCII, "" },
		{ "user@XN--bcher-kva.example", DIR_OK,
		    "user@xn--bcher-kva.example" },
		{ "user\xe2\x80\x8b@example.org", DIR_NOT_ASCII, "" },
	};
	char	out[DIR_TEXT_MAX + 1];
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		out[0] = '\0';
		if (dir_canon(str_c(t[i].in), out) != t[i].r ||
		    (t[i].r == DIR_OK && strcmp(out, t[i].out) != 0))
			fail_msg("row %zu: '%s' gave '%s'", i, t[i].in, out);
	}
	assert_int_equal(dir_canon(S("a\0@example.org"), out), DIR_BAD);
}

static void
test_domains(void **state)
{
	struct dir_domain d;

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("Example.ORG"), 5), DIR_OK);
	assert_int_equal(dir_domain_add(dir, S("example.org"), 6),
	    DIR_EXISTS);
	assert_int_equal(dir_domain_add(dir, S("b\xc3\xbc" "cher.example"),
	    6), DIR_NOT_ASCII);
	assert_int_equal(dir_domain_add(dir, S("[192.0.2.1]"), 6), DIR_BAD);
	assert_int_equal(dir_domain_add(dir, S(""), 6), DIR_BAD);
	assert_int_equal(dir_domain_get(dir, S("EXAMPLE.org"), &d), DIR_OK);
	assert_string_equal(d.name, "example.org");
	assert_int_equal(d.tenant, DIR_TENANT_DEFAULT);
	assert_int_equal(d.created, 5);
	assert_int_equal(dir_domain_get(dir, S("example.or"), &d),
	    DIR_NOT_FOUND);
	assert_int_equal(dir_domain_remove(dir, S("example.com")),
	    DIR_NOT_FOUND);

	user("u@example.org");
	assert_int_equal(dir_domain_remove(dir, S("example.org")),
	    DIR_IN_USE);
	assert_int_equal(dir_user_remove(dir, S("u@example.org")), DIR_OK);
	assert_int_equal(alias("@example.org", "x@example.com"), DIR_OK);
	assert_int_equal(dir_domain_remove(dir, S("example.org")),
	    DIR_IN_USE);
	assert_int_equal(dir_alias_remove(dir, S("@example.org"), NULL, 0),
	    DIR_OK);
	/* A domain whose name only begins so is no reason to refuse. */
	assert_int_equal(dir_domain_add(dir, S("example.org.uk"), 5), DIR_OK);
	user("u@example.org.uk");
	assert_int_equal(dir_domain_remove(dir, S("example.org")), DIR_OK);
	assert_int_equal(dir_domain_get(dir, S("example.org"), &d),
	    DIR_NOT_FOUND);
}

static void
test_users(void **state)
{
	struct dir_account a;

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	assert_int_equal(dir_user_add(dir, S("u@other.org"), S("c"), 1, &a),
	    DIR_NO_DOMAIN);
	assert_int_equal(dir_user_add(dir, S("@example.org"), S("c"), 1, &a),
	    DIR_BAD);
	assert_int_equal(user("One@example.org"), 1);
	assert_int_equal(user("two@example.org"), 2);
	assert_int_equal(dir_user_add(dir, S("ONE@example.org"), S("c"), 1,
	    &a), DIR_EXISTS);
	assert_int_equal(alias("one@example.org", "two@example.org"),
	    DIR_EXISTS);
	assert_int_equal(alias("al@example.org", "two@example.org"), DIR_OK);
	assert_int_equal(dir_user_add(dir, S("al@example.org"), S("c"), 1,
	    &a), DIR_EXISTS);

	assert_int_equal(dir_user_get(dir, S("one@Example.org"), &a), DIR_OK);
	assert_string_equal(a.address, "one@example.org");
	assert_int_equal(a.mailbox, 1);
	assert_int_equal(a.tenant, DIR_TENANT_DEFAULT);
	assert_int_equal(a.shard, 0);
	assert_int_equal(a.created, 77);
	assert_int_equal(dir_user_by_id(dir, 2, &a), DIR_OK);
	assert_string_equal(a.address, "two@example.org");
	assert_int_equal(dir_user_by_id(dir, 3, &a), DIR_NOT_FOUND);

	assert_true(str_eq(dir_user_creds(dir, 1), S("creds")));
	assert_int_equal(dir_user_set_creds(dir, S("one@example.org"),
	    S("other")), DIR_OK);
	assert_true(str_eq(dir_user_creds(dir, 1), S("other")));
	assert_true(str_eq(dir_user_creds(dir, 2), S("creds")));
	assert_int_equal(dir_user_set_creds(dir, S("no@example.org"),
	    S("x")), DIR_NOT_FOUND);
	assert_int_equal(dir_user_creds(dir, 99).n, 0);
}

/* An id is never given out twice, whatever is removed, also when reopened. */
static void
test_ids(void **state)
{
	struct dir_account	a;
	char			name[40];
	int			i;

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	assert_int_equal(user("u@example.org"), 1);
	assert_int_equal(dir_user_remove(dir, S("u@example.org")), DIR_OK);
	assert_int_equal(dir_user_remove(dir, S("u@example.org")),
	    DIR_NOT_FOUND);
	assert_int_equal(dir_user_by_id(dir, 1, &a), DIR_NOT_FOUND);
	assert_int_equal(dir_user_creds(dir, 1).n, 0);
	reopen();
	assert_int_equal(user("u@example.org"), 2);
	for (i = 3; i < IDS; i++) {
		snprintf(name, sizeof(name), "u%d@example.org", i);
		assert_int_equal(user(name), i);
	}
	assert_int_equal(dir_user_add(dir, S("last@example.org"), S("c"), 1,
	    &a), DIR_FULL);
	assert_int_equal(dir_user_get(dir, S("last@example.org"), &a),
	    DIR_NOT_FOUND);
}

/* -- aliases ---------------------------------------------------------- */

/* The targets, each with a blank behind it. */
static const char *
targets(const char *address)
{
	static struct buf	out;
	struct dir_alias	a;
	struct str		t;

	buf_clear(&out);
	buf_init(&out, 2000);
	if (dir_alias_get(dir, str_c(address), &a) != DIR_OK)
		return "none";
	while (dir_alias_next(&a, &t)) {
		buf_add(&out, t);
		buf_addc(&out, ' ');
	}
	return buf_cstr(&out);
}

static void
test_aliases(void **state)
{
	struct str	two[] = { S("B@example.org"), S("c@Else.where") };
	struct str	bad[] = { S("d@example.org"), S("no address") };
	struct str	gone[] = { S("b@example.org"), S("z@example.org") };

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	assert_int_equal(alias("al@other.org", "b@example.org"),
	    DIR_NO_DOMAIN);
	assert_int_equal(dir_alias_add(dir, S("Al@example.org"), two, 2, 9),
	    DIR_OK);
	assert_string_equal(targets("al@example.org"),
	    "b@example.org c@else.where ");
	/* Again, and one more. */
	assert_int_equal(alias("al@example.org", "b@EXAMPLE.org"), DIR_OK);
	assert_int_equal(alias("al@example.org", "e@example.org"), DIR_OK);
	assert_string_equal(targets("al@example.org"),
	    "b@example.org c@else.where e@example.org ");
	/* All or nothing. */
	assert_int_equal(dir_alias_add(dir, S("al@example.org"), bad, 2, 9),
	    DIR_BAD);
	assert_int_equal(alias("al@example.org", "@example.org"), DIR_BAD);
	assert_int_equal(dir_alias_remove(dir, S("al@example.org"), gone, 2),
	    DIR_NOT_FOUND);
	reopen();
	assert_string_equal(targets("al@example.org"),
	    "b@example.org c@else.where e@example.org ");

	assert_int_equal(dir_alias_remove(dir, S("al@example.org"), two, 2),
	    DIR_OK);
	assert_string_equal(targets("al@example.org"), "e@example.org ");
	two[0] = S("e@example.org");
	assert_int_equal(dir_alias_remove(dir, S("al@example.org"), two, 1),
	    DIR_OK);
	assert_string_equal(targets("al@example.org"), "none");
	assert_int_equal(dir_alias_remove(dir, S("al@example.org"), NULL, 0),
	    DIR_NOT_FOUND);
}

static void
test_targets_max(void **state)
{
	struct dir_alias	a;
	char			name[40];
	int			i;

	(void)state;
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	for (i = 0; i < DIR_TARGETS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d@example.org", i);
		assert_int_equal(alias("al@example.org", name), DIR_OK);
	}
	assert_int_equal(alias("al@example.org", "t0@example.org"), DIR_OK);
	assert_int_equal(alias("al@example.org", "more@example.org"),
	    DIR_FULL);
	assert_int_equal(dir_alias_get(dir, S("al@example.org"), &a), DIR_OK);
	assert_int_equal(a.n, DIR_TARGETS_MAX);
}

/* -- what an address leads to ----------------------------------------- */

static void
test_find(void **state)
{
	static const struct {
		const char	*address;
		enum dir_kind	 kind;
		const char	*what;
	} t[] = {
		{ "ann@example.org", DIR_MAILBOX, "ann@example.org" },
		{ "ANN@Example.Org", DIR_MAILBOX, "ann@example.org" },
		{ "\"ann\"@example.org", DIR_MAILBOX, "ann@example.org" },
		{ "ann+x@example.org", DIR_MAILBOX, "ann@example.org" },
		{ "ann+x+y@example.org", DIR_MAILBOX, "ann@example.org" },
		{ "ann+@example.org", DIR_MAILBOX, "ann@example.org" },
		/* Exact entries win over the form without +tag. */
		{ "ann+acc@example.org", DIR_MAILBOX, "ann+acc@example.org" },
		{ "ann+al@example.org", DIR_ALIAS, "ann+al@example.org" },
		{ "team@example.org", DIR_ALIAS, "team@example.org" },
		{ "team+x@example.org", DIR_ALIAS, "team@example.org" },
		{ "+x@example.org", DIR_UNKNOWN, "" },
		{ "bob@example.org", DIR_UNKNOWN, "" },
		{ "an@example.org", DIR_UNKNOWN, "" },
		{ "ann@example.com", DIR_MAILBOX, "ann@example.com" },
		{ "bob@example.com", DIR_ALIAS, "@example.com" },
		{ "bob+x@example.com", DIR_ALIAS, "@example.com" },
		{ "+x@example.com", DIR_ALIAS, "@example.com" },
		{ "ann@sub.example.org", DIR_FOREIGN, "" },
		{ "ann@example.net", DIR_FOREIGN, "" },
		{ "ann@[192.0.2.1]", DIR_FOREIGN, "" },
		{ "", DIR_FOREIGN, "" },
		{ "ann", DIR_FOREIGN, "" },
		{ "@example.com", DIR_FOREIGN, "" },
		{ "\"\"@example.com", DIR_UNKNOWN, "" },
	};
	struct dir_found	f;
	const char		*what;
	size_t			i;

	(void)state;
	dir_domain_add(dir, S("example.org"), 5);
	dir_domain_add(dir, S("example.com"), 5);
	user("ann@example.org");
	user("ann+acc@example.org");
	user("ann@example.com");
	assert_int_equal(alias("ann+al@example.org", "x@y.z"), DIR_OK);
	assert_int_equal(alias("team@example.org", "x@y.z"), DIR_OK);
	assert_int_equal(alias("@example.com", "x@y.z"), DIR_OK);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		what = "";
		if (dir_find(dir, str_c(t[i].address), &f) == DIR_MAILBOX)
			what = f.account.address;
		else if (f.kind == DIR_ALIAS)
			what = f.alias.address;
		if (f.kind != t[i].kind || strcmp(what, t[i].what) != 0)
			fail_msg("row %zu: %s: %d %s", i, t[i].address,
			    (int)f.kind, what);
	}
}

static void
test_may_send(void **state)
{
	static const struct {
		const char	*address;
		enum dir_kind	 kind;
	} t[] = {
		{ "ann@example.org", DIR_MAILBOX },
		{ "Ann+tag@example.org", DIR_MAILBOX },
		{ "bob@example.org", DIR_UNKNOWN },
		{ "bob+ann@example.org", DIR_UNKNOWN },
		{ "only@example.org", DIR_MAILBOX },
		{ "tagged@example.org", DIR_MAILBOX },
		{ "copy@example.org", DIR_MAILBOX },
		{ "both@example.org", DIR_UNKNOWN },
		{ "nested@example.org", DIR_UNKNOWN },
		{ "away@example.org", DIR_UNKNOWN },
		{ "nobody@example.org", DIR_UNKNOWN },
		{ "any@catch.org", DIR_MAILBOX },
		{ "ann@example.net", DIR_FOREIGN },
	};
	struct str	copy[] = { S("ann@example.org"), S("x@else.where") };
	struct str	both[] = { S("ann@example.org"),
	    S("bob@example.org") };
	uint64_t	ann;
	size_t		i;

	(void)state;
	dir_domain_add(dir, S("example.org"), 5);
	dir_domain_add(dir, S("catch.org"), 5);
	ann = user("ann@example.org");
	user("bob@example.org");
	alias("only@example.org", "ann@example.org");
	alias("tagged@example.org", "ann+list@example.org");
	dir_alias_add(dir, S("copy@example.org"), copy, 2, 1);
	dir_alias_add(dir, S("both@example.org"), both, 2, 1);
	alias("nested@example.org", "only@example.org");
	alias("away@example.org", "x@else.where");
	alias("@catch.org", "ann@example.org");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (dir_may_send(dir, ann, str_c(t[i].address)) != t[i].kind)
			fail_msg("row %zu: %s", i, t[i].address);
	}
	assert_int_equal(dir_may_send(dir, 99, S("ann@example.org")),
	    DIR_UNKNOWN);
}

/* -- lists ------------------------------------------------------------ */

static void
test_lists(void **state)
{
	struct dir_account	a = { .address = "" };
	struct dir_domain	d = { .name = "" };
	struct dir_alias	l = { .address = "" };
	struct buf		seen;

	(void)state;
	buf_init(&seen, 400);
	dir_domain_add(dir, S("b.org"), 5);
	dir_domain_add(dir, S("a.org"), 5);
	dir_domain_add(dir, S("a.org.uk"), 5);
	user("z@a.org");
	user("m@b.org");
	user("b@a.org");
	user("k@a.org.uk");
	alias("@a.org", "x@y.z");
	alias("al@a.org", "x@y.z");
	alias("al@b.org", "x@y.z");
	while (dir_domain_next(dir, str_c(d.name), &d) == DIR_OK)
		buf_addf(&seen, "%s ", d.name);
	while (dir_user_next(dir, S(""), str_c(a.address), &a) == DIR_OK)
		buf_addf(&seen, "%s ", a.address);
	buf_addz(&seen, "| ");
	a.address[0] = '\0';
	while (dir_user_next(dir, S("A.org"), str_c(a.address), &a) == DIR_OK)
		buf_addf(&seen, "%s ", a.address);
	buf_addz(&seen, "| ");
	while (dir_alias_list_next(dir, S(""), str_c(l.address), &l) ==
	    DIR_OK)
		buf_addf(&seen, "%s ", l.address);
	buf_addz(&seen, "| ");
	l.address[0] = '\0';
	while (dir_alias_list_next(dir, S("a.org"), str_c(l.address), &l) ==
	    DIR_OK)
		buf_addf(&seen, "%s ", l.address);
	assert_string_equal(buf_cstr(&seen),
	    "a.org a.org.uk b.org "
	    "b@a.org z@a.org k@a.org.uk m@b.org | b@a.org z@a.org | "
	    "@a.org al@a.org al@b.org | @a.org al@a.org ");
	buf_clear(&seen);

	/* A cursor whose row is gone goes on behind it. */
	assert_int_equal(dir_user_remove(dir, S("b@a.org")), DIR_OK);
	assert_int_equal(dir_user_next(dir, S(""), S("b@a.org"), &a), DIR_OK);
	assert_string_equal(a.address, "z@a.org");
	assert_int_equal(dir_user_next(dir, S(""), S("rubbish"), &a),
	    DIR_BAD);
	assert_int_equal(dir_user_next(dir, S("\xff"), S(""), &a), DIR_BAD);
	/* Of another domain: the list begins at its own. */
	assert_int_equal(dir_alias_list_next(dir, S("a.org"), S("z@b.org"),
	    &l), DIR_OK);
	assert_string_equal(l.address, "@a.org");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_canon),
		TEST(test_domains),
		TEST(test_users),
		TEST(test_ids),
		TEST(test_aliases),
		TEST(test_targets_max),
		TEST(test_find),
		TEST(test_may_send),
		TEST(test_lists),
	};

	log_level(LOG_ERROR);
	return cmocka_run_group_tests_name("directory", tests, NULL, NULL);
}
