/*
 * Quotas between authd, the monitor of mailboxd and mailctl: what is reported
 * and told, and what an operator may ask.
 */
#include "tests/lib/usage_rig.h"

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
	const struct CMUnitTest tests[] = {
		T(test_monitor), T(test_monitors_max), T(test_ctl),
		T(test_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
