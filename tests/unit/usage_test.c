/*
 * Usage and quotas in authd: what the directory keeps, sums of tenants, what
 * a lookup answers.
 */
#include "tests/lib/usage_rig.h"

/* -- the directory ---------------------------------------------------- */

static void
test_kept(void **state)
{
	const struct dir_quota	 q = { 5000, DIR_QUOTA_DEFAULT };
	struct dir_tenant	 t;
	struct dir_usage	 row;

	(void)state;
	assert_is(account("ann@example.org").quota, DIR_QUOTA_DEFAULT,
	    DIR_QUOTA_DEFAULT);
	assert_int_equal(dir_user_set_quota(dir, S("Ann@example.org"), q),
	    DIR_OK);
	assert_int_equal(dir_user_set_quota(dir, S("no@example.org"), q),
	    DIR_NOT_FOUND);
	assert_int_equal(dir_user_set_quota(dir, S("@example.org"), q),
	    DIR_BAD);
	assert_int_equal(dir_tenant_set_quota(dir, S("default"),
	    (struct dir_quota){ 7, 8 }), DIR_OK);
	assert_int_equal(dir_tenant_set_quota(dir, S("other"), q),
	    DIR_NOT_FOUND);
	assert_int_equal(dir_tenant_get(dir, S(""), &t), DIR_BAD);
	report("ann@example.org", 100, 2);
	restart();
	assert_is(account("ann@example.org").quota, 5000, DIR_QUOTA_DEFAULT);
	assert_is(account("bob@example.org").quota, DIR_QUOTA_DEFAULT,
	    DIR_QUOTA_DEFAULT);
	assert_int_equal(dir_tenant_next(dir, S(""), &t), DIR_OK);
	assert_string_equal(t.name, "default");
	assert_is(t.quota, 7, 8);
	assert_int_equal(dir_tenant_next(dir, str_c(t.name), &t),
	    DIR_NOT_FOUND);
	/* The end of one authd writes what waits. */
	assert_true(dir_usage_get(dir, 1, &row));
	assert_is(row.used, 100, 2);
	assert_false(dir_usage_get(dir, 2, &row));
	assert_is(usage_of(authd->usage, 1), 100, 2);
	assert_is(usage_of_tenant(authd->usage, DIR_TENANT_DEFAULT), 100, 2);
}

static void
test_sums(void **state)
{
	struct dir_account	a = account("ann@example.org");
	struct dir_usage	row;

	(void)state;
	report("ann@example.org", 100, 2);
	report("bob@example.org", 1000, 5);
	report("ann@example.org", 50, 1);
	assert_is(usage_of_tenant(authd->usage, DIR_TENANT_DEFAULT), 1050, 6);
	assert_is(usage_of(authd->usage, a.mailbox), 50, 1);
	/* Not yet: a write has its time. */
	assert_false(dir_usage_get(dir, a.mailbox, &row));
	usage_write(authd->usage);
	assert_true(dir_usage_get(dir, a.mailbox, &row));
	assert_is(row.used, 50, 1);
	report("ann@example.org", 0, 0);
	assert_is(usage_of_tenant(authd->usage, DIR_TENANT_DEFAULT), 1000, 5);
	report("ann@example.org", 70, 1);
	usage_forget(authd->usage, &a);
	assert_int_equal(dir_user_remove(dir, S("ann@example.org")), DIR_OK);
	assert_is(usage_of_tenant(authd->usage, DIR_TENANT_DEFAULT), 1000, 5);
	assert_is(usage_of(authd->usage, a.mailbox), 0, 0);
	restart();
	assert_false(dir_usage_get(dir, a.mailbox, &row));
	assert_is(usage_of_tenant(authd->usage, DIR_TENANT_DEFAULT), 1000, 5);
}

/* So many wait, and one more does not. */
static void
test_many(void **state)
{
	struct dir_account	a = account("ann@example.org");
	struct dir_usage	row;
	unsigned		i;

	(void)state;
	for (i = 1; i <= USAGE_WAIT_MAX; i++) {
		a.mailbox = i;
		assert_false(dir_usage_get(dir, 1, &row));
		usage_report(authd->usage, &a, (struct dir_quota){ i, 1 });
	}
	assert_true(dir_usage_get(dir, 1, &row));
	assert_true(dir_usage_get(dir, USAGE_WAIT_MAX, &row));
	assert_is(row.used, USAGE_WAIT_MAX, 1);
	restart();
	assert_is(usage_of_tenant(authd->usage, DIR_TENANT_DEFAULT),
	    (uint64_t)USAGE_WAIT_MAX * (USAGE_WAIT_MAX + 1) / 2,
	    USAGE_WAIT_MAX);
}

/* -- limits ----------------------------------------------------------- */

static void
test_verdict(void **state)
{
	static const struct {
		struct dir_quota	limit, used;
		uint64_t		size;
		enum usage_verdict	want;
	} rows[] = {
		{ { 0, 0 }, { UINT64_MAX, UINT64_MAX }, 9, USAGE_OK },
		{ { 1000, 0 }, { 899, 9 }, 0, USAGE_OK },
		{ { 1000, 0 }, { 900, 9 }, 0, USAGE_NEAR },
		{ { 1000, 0 }, { 999, 9 }, 0, USAGE_NEAR },
		{ { 1000, 0 }, { 999, 9 }, 1, USAGE_NEAR },
		{ { 1000, 0 }, { 999, 9 }, 2, USAGE_OVER },
		{ { 1000, 0 }, { 1000, 9 }, 0, USAGE_OVER },
		{ { 1000, 0 }, { 1001, 9 }, 0, USAGE_OVER },
		{ { 1000, 0 }, { 0, 9 }, 1000, USAGE_OK },
		{ { 1000, 0 }, { 0, 9 }, 1001, USAGE_OVER },
		{ { 1000, 0 }, { 0, 9 }, UINT64_MAX, USAGE_OVER },
		{ { 0, 2 }, { 9, 1 }, 5, USAGE_OK },
		{ { 0, 2 }, { 9, 2 }, 5, USAGE_OVER },
		{ { 1, 0 }, { 0, 0 }, 0, USAGE_OK },
		{ { 1, 0 }, { 1, 1 }, 0, USAGE_OVER },
		{ { 1000, 20 }, { 10, 19 }, 0, USAGE_NEAR },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (usage_of_limit(rows[i].limit, rows[i].used,
		    rows[i].size) != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void
test_default(void **state)
{
	struct dir_account a = account("ann@example.org");

	(void)state;
	assert_is(usage_limit(&a), 0, 0);
	conf_put(C_QUOTA_DEFAULT, "2K");
	conf_put(C_QUOTA_MESSAGES, "7");
	assert_is(usage_limit(&a), 2048, 7);
	a.quota = (struct dir_quota){ 0, DIR_QUOTA_DEFAULT };
	assert_is(usage_limit(&a), 0, 7);
	a.quota = (struct dir_quota){ 5, 0 };
	assert_is(usage_limit(&a), 5, 0);
}

static void
ask(struct chan *c, const char *const *names, uint64_t size)
{
	struct buf	b;
	uint32_t	n = 0;

	buf_init(&b, 10000);
	for (; *names != NULL; names++)
		rec_add_asked(&b, &n, &(struct rec_asked){ str_c(*names),
		    size });
	chan_send_lookup(c, &(struct msg_lookup){ .id = 1,
	    .addresses = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
	settle();
}

static void
assert_letters(const char *want)
{
	assert_string_equal(heard.letters, want);
	memset(heard.letters, 0, sizeof(heard.letters));
}

static void
test_lookup(void **state)
{
	static const char *const names[] = { "ann@example.org",
	    "ann+x@example.org", "bob@example.org", "one@example.org",
	    "two@example.org", "no@example.org", NULL };
	struct str	 targets[] = { S("ann@example.org"),
	    S("bob@example.org") };
	struct chan	*c = connect_as(R_SMTPD);

	(void)state;
	dir_alias_add(dir, S("one@example.org"), targets, 1, 1);
	dir_alias_add(dir, S("two@example.org"), targets, 2, 1);
	dir_user_set_quota(dir, S("ann@example.org"),
	    (struct dir_quota){ 1000, 0 });
	ask(c, names, 0);
	assert_letters("OOOOOU");
	ask(c, names, 1001);
	assert_letters("VVOVOU");
	report("ann@example.org", 900, 1);
	ask(c, names, 0);
	assert_letters("NNONOU");
	report("ann@example.org", 1000, 1);
	ask(c, names, 0);
	assert_letters("VVOVOU");
	report("ann@example.org", 100, 1);
	ask(c, names, 0);
	assert_letters("OOOOOU");
	/* Now the tenant: bob has the rest of what it may have. */
	usage_set_tenant(authd->usage, DIR_TENANT_DEFAULT,
	    (struct dir_quota){ 2000, 0 });
	report("bob@example.org", 1899, 1);
	ask(c, names, 0);
	assert_letters("NNNNOU");
	ask(c, names, 2);
	assert_letters("VVVVOU");
	report("bob@example.org", 1900, 1);
	ask(c, names, 0);
	assert_letters("VVVVOU");
	report("bob@example.org", 0, 0);
	ask(c, names, 0);
	assert_letters("OOOOOU");
	chan_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_kept), T(test_sums), T(test_many), T(test_verdict),
		T(test_default), T(test_lookup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
