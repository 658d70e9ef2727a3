/*
 * Usage and quotas in authd: what the directory keeps, sums of tenants, what
 * a lookup answers, and the messages of the monitor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "authd/authd.h"
#include "common/core/conf.h"
#include "common/core/loop.h"
#include "tests/lib/tmpdir.h"

enum { ANSWERS_MAX = 200 };

static struct tmpdir	 tmp;
static struct dir	*dir;
static struct authd	*authd;

/* What a client heard, in order. */
static struct {
	unsigned	 n;
	struct msg	 m[ANSWERS_MAX];
	char		 letters[ANSWERS_MAX];	/* of lookups */
	unsigned	 ndone, down;
	enum ctl_status	 status;
	struct buf	 row;			/* "key=value " */
} heard;

static void
hear_verdicts(struct msg_list l)
{
	static const char	letters[] = "OUFTNV";
	struct rec_verdict	v;
	size_t			n = strlen(heard.letters);

	while (rec_next_verdict(&l, &v))
		heard.letters[n++] = letters[v.verdict];
}

static void
hear_row(struct msg_list l)
{
	struct rec_column c;

	while (rec_next_column(&l, &c)) {
		buf_add(&heard.row, c.key);
		buf_addc(&heard.row, '=');
		buf_add(&heard.row, c.value);
		buf_addc(&heard.row, ' ');
	}
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	if (m->type == MSG_LOOKED_UP)
		hear_verdicts(m->looked_up.verdicts);
	if (m->type == MSG_CTL_ROW)
		hear_row(m->ctl_row.columns);
	if (m->type == MSG_CTL_DONE) {
		heard.status = m->ctl_done.status;
		heard.ndone++;
	}
	if (m->type == MSG_QUOTA)
		heard.m[heard.n++] = *m;
	return 0;
}

static void
on_down(struct chan *c)
{
	(void)c;
	heard.down++;
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static struct chan *
connect_as(enum role role)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	authd_serve(authd, fds[0], role);
	return chan_new(fds[1], role, R_AUTHD, &ops, NULL);
}

static void
settle(void)
{
	int i;

	for (i = 0; i < 8; i++)
		loop_turn(0);
}

static void
forget(void)
{
	buf_clear(&heard.row);
	memset(&heard, 0, sizeof(heard));
	buf_init(&heard.row, 10000);
}

static void
add_user(const char *address)
{
	assert_int_equal(dir_user_add(dir, str_c(address), S("x"), 1, NULL),
	    DIR_OK);
}

static int
setup(void **state)
{
	(void)state;
	conf_defaults();
	tmpdir_make(&tmp);
	loop_init();
	chan_init();
	dir = dir_open(tmp.fd, 100000);
	authd = authd_new(dir, NULL);
	assert_int_equal(dir_domain_add(dir, S("example.org"), 1), DIR_OK);
	add_user("ann@example.org");
	add_user("bob@example.org");
	forget();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	loop_turn(0);
	authd_free(authd);
	dir_close(dir);
	loop_free();
	buf_clear(&heard.row);
	tmpdir_remove(&tmp);
	return 0;
}

/* authd ends and another begins. */
static void
restart(void)
{
	authd_free(authd);
	dir_close(dir);
	dir = dir_open(tmp.fd, 100000);
	authd = authd_new(dir, NULL);
}

static struct dir_account
account(const char *address)
{
	struct dir_account a;

	assert_int_equal(dir_user_get(dir, str_c(address), &a), DIR_OK);
	return a;
}

static void
report(const char *address, uint64_t size, uint64_t messages)
{
	struct dir_account a = account(address);

	usage_report(authd->usage, &a, (struct dir_quota){ size, messages });
}

static void
assert_is(struct dir_quota q, uint64_t size, uint64_t messages)
{
	assert_int_equal(q.size, size);
	assert_int_equal(q.messages, messages);
}

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

/* -- the monitor ------------------------------------------------------ */

static void
tell(struct chan *c, uint64_t mailbox, uint64_t size, uint64_t messages)
{
	chan_send_usage(c, &(struct msg_usage){ mailbox, size, messages }, -1);
}

static void
assert_quota(unsigned i, uint64_t mailbox, uint64_t size, uint64_t messages)
{
	assert_true(i < heard.n);
	assert_int_equal(heard.m[i].quota.mailbox, mailbox);
	assert_int_equal(heard.m[i].quota.size, size);
	assert_int_equal(heard.m[i].quota.messages, messages);
}

static void
test_monitor(void **state)
{
	struct chan	*c = connect_as(R_MAILBOXD);

	(void)state;
	conf_put(C_QUOTA_MESSAGES, "7");
	dir_user_set_quota(dir, S("ann@example.org"),
	    (struct dir_quota){ 1000, DIR_QUOTA_DEFAULT });
	tell(c, 1, 300, 3);
	tell(c, 2, 40, 4);
	tell(c, 99, 1 << 20, 1);
	settle();
	assert_int_equal(heard.n, 3);
	assert_quota(0, 1, 1000, 7);
	assert_quota(1, 2, 0, 7);
	/* Of nobody: answered, so that no owner waits, and not counted. */
	assert_quota(2, 99, 0, 0);
	assert_is(usage_of_tenant(authd->usage, DIR_TENANT_DEFAULT), 340, 7);
	assert_is(usage_of(authd->usage, 99), 0, 0);
	tell(c, 1, (uint64_t)1 << 50, (uint64_t)1 << 40);
	settle();
	assert_int_equal(heard.down, 0);
	tell(c, 1, ((uint64_t)1 << 50) + 1, 0);
	settle();
	assert_int_equal(heard.down, 1);
	c = connect_as(R_MAILBOXD);
	tell(c, 1, 0, ((uint64_t)1 << 40) + 1);
	settle();
	assert_int_equal(heard.down, 2);
}

static void
test_monitors_max(void **state)
{
	struct chan	*c[AUTHD_MONITORS_MAX + 1];
	unsigned	 i;

	(void)state;
	for (i = 0; i < AUTHD_MONITORS_MAX; i++)
		c[i] = connect_as(R_MAILBOXD);
	settle();
	assert_int_equal(heard.down, 0);
	c[i] = connect_as(R_MAILBOXD);
	settle();
	assert_int_equal(heard.down, 1);
	/* Who leaves makes room. */
	chan_close(c[0]);
	settle();
	c[0] = connect_as(R_MAILBOXD);
	settle();
	assert_int_equal(heard.down, 1);
	for (i = 0; i < AUTHD_MONITORS_MAX; i++)
		chan_close(c[i]);
	settle();
}

/* -- mailctl ---------------------------------------------------------- */

static void
ctl(struct chan *c, enum ctl_verb verb, const char *words)
{
	struct str	rest = str_c(words), w;
	unsigned	done = heard.ndone;
	struct buf	b;
	uint32_t	n = 0;

	buf_reset(&heard.row);
	buf_init(&b, 10000);
	while (str_cut(&rest, ' ', &w))
		rec_add_word(&b, &n, &(struct rec_word){ w });
	chan_send_ctl(c, &(struct msg_ctl){ .id = 1, .verb = (uint16_t)verb,
	    .words = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
	settle();
	assert_int_equal(heard.ndone, done + 1);
}

static const struct {
	enum ctl_verb	 verb;
	const char	*words;
	enum ctl_status	 status;
	const char	*row;		/* a part of it */
} calls[] = {
	{ CTL_USER_QUOTA, "ann@example.org", CTL_OK, "address="
	    "ann@example.org quota=default quota_messages=default "
	    "limit=0 limit_messages=0 used=100 used_messages=2 "
	    "state=ok " },
	{ CTL_USER_QUOTA, "ann@example.org 110", CTL_OK, "" },
	{ CTL_USER_SHOW, "ann@example.org", CTL_OK, "quota=110 "
	    "quota_messages=default limit=110 limit_messages=0 "
	    "used=100 used_messages=2 state=near " },
	{ CTL_USER_QUOTA, "ann@example.org 100 2", CTL_OK, "" },
	{ CTL_USER_QUOTA, "ann@example.org", CTL_OK, "quota=100 "
	    "quota_messages=2 limit=100 limit_messages=2 used=100 "
	    "used_messages=2 state=over " },
	{ CTL_USER_QUOTA, "ann@example.org 3K none", CTL_OK, "" },
	{ CTL_USER_QUOTA, "ann@example.org", CTL_OK, "quota=3K "
	    "quota_messages=none limit=3072 limit_messages=0 " },
	{ CTL_USER_QUOTA, "ann@example.org 2048M default", CTL_OK, "" },
	{ CTL_USER_QUOTA, "ann@example.org", CTL_OK, "quota=2G "
	    "quota_messages=default " },
	{ CTL_USER_QUOTA, "ann@example.org 0", CTL_USAGE, "" },
	{ CTL_USER_QUOTA, "ann@example.org -1", CTL_USAGE, "" },
	{ CTL_USER_QUOTA, "ann@example.org 5T", CTL_USAGE, "" },
	{ CTL_USER_QUOTA, "ann@example.org 1048577G", CTL_USAGE, "" },
	{ CTL_USER_QUOTA, "ann@example.org 1 2K", CTL_USAGE, "" },
	{ CTL_USER_QUOTA, "ann@example.org 1 2 3", CTL_USAGE, "" },
	{ CTL_USER_QUOTA, "ann@example.org", CTL_OK, "quota=2G " },
	{ CTL_USER_QUOTA, "ann@example.org 1048576G", CTL_OK, "" },
	{ CTL_USER_QUOTA, "no@example.org 5", CTL_NOT_FOUND, "" },
	{ CTL_TENANT_SHOW, "default", CTL_OK, "tenant=default "
	    "number=1 quota=none quota_messages=none limit=0 " },
	{ CTL_TENANT_QUOTA, "default 5K 9", CTL_OK, "" },
	{ CTL_TENANT_QUOTA, "default", CTL_OK, "quota=5K "
	    "quota_messages=9 limit=5120 limit_messages=9 used=100 "
	    "used_messages=2 state=ok " },
	{ CTL_TENANT_QUOTA, "default default", CTL_USAGE, "" },
	{ CTL_TENANT_QUOTA, "other 5K", CTL_NOT_FOUND, "" },
	{ CTL_TENANT_SHOW, "other", CTL_NOT_FOUND, "" },
	{ CTL_TENANT_LIST, "", CTL_OK, "tenant=default number=1 " },
	{ CTL_USER_REMOVE, "ann@example.org", CTL_OK, "" },
	{ CTL_TENANT_SHOW, "default", CTL_OK, "used=0 " },
};

static void
test_ctl(void **state)
{
	struct chan	*c = connect_as(R_MAILCTL);
	size_t		 i;

	(void)state;
	report("ann@example.org", 100, 2);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		ctl(c, calls[i].verb, calls[i].words);
		if (heard.status != calls[i].status ||
		    strstr(buf_cstr(&heard.row), calls[i].row) == NULL)
			fail_msg("%s: %d %s", calls[i].words, heard.status,
			    buf_cstr(&heard.row));
	}
	chan_close(c);
}

/* What an operator changes is told at once, and only when it is right. */
static void
test_push(void **state)
{
	struct chan	*c = connect_as(R_MAILCTL);
	struct chan	*m = connect_as(R_MAILBOXD);

	(void)state;
	ctl(c, CTL_USER_QUOTA, "bob@example.org 5K");
	assert_int_equal(heard.n, 1);
	assert_quota(0, 2, 5120, 0);
	ctl(c, CTL_USER_QUOTA, "bob@example.org");
	ctl(c, CTL_USER_QUOTA, "bob@example.org 5T");
	ctl(c, CTL_USER_QUOTA, "no@example.org 5K");
	assert_int_equal(heard.n, 1);
	chan_close(m);
	settle();
	ctl(c, CTL_USER_QUOTA, "bob@example.org none 3");
	m = connect_as(R_MAILBOXD);
	tell(m, 2, 1, 1);
	settle();
	assert_int_equal(heard.n, 2);
	assert_quota(1, 2, 0, 3);
	chan_close(m);
	chan_close(c);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_kept), T(test_sums), T(test_many), T(test_verdict),
		T(test_default), T(test_lookup), T(test_monitor),
		T(test_monitors_max), T(test_ctl), T(test_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
