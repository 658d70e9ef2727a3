/*
 * authd_login_test - logins, by a real worker and from the cache; tickets and
 * their keys; a worker that stands still.
 */
#include "tests/lib/authd_rig.h"

static void
test_login(void **state)
{
	struct peer		*p = peer_new(R_IMAPD);
	struct msg_logged_in	*m;
	char			 big[CRED_PASSWORD_MAX + 1];
	size_t			 i;
	static const char *const bad[][2] = {
		{ "ann@example.org", "pencil " }, { "ann@example.org", "" },
		{ "ann@example.org", "eraser" }, { "ann", "pencil" },
		{ "nobody@example.org", "pencil" }, { "", "pencil" },
		{ "", "" }, { "ann+x@example.org", "pencil" },
		{ "@example.org", "pencil" },
		{ "ann@example.net", "pencil" },
		{ "ann@example.org ", "pencil" },
		{ "\xef\xbd\x81nn@example.org", "pencil" },
		{ "*)(uid=*", "pencil" },
	};

	(void)state;
	assert_int_equal(try_login(p, SERVICE_IMAP, "Ann@EXAMPLE.org",
	    "pencil"), LOGIN_OK);
	m = &p->m[p->n - 1].logged_in;
	assert_int_equal(m->account, 1);
	assert_true(str_eq(m->user, S("ann@example.org")));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (try_login(p, SERVICE_IMAP, bad[i][0], bad[i][1]) !=
		    LOGIN_BAD)
			fail_msg("row %zu", i);
		m = &p->m[p->n - 1].logged_in;
		assert_int_equal(m->account, 0);
		assert_int_equal(m->user.n, 0);
		assert_int_equal(m->ticket.n, 0);
	}
	memset(big, 'x', sizeof(big) - 1);
	big[CRED_PASSWORD_MAX] = '\0';
	assert_int_equal(try_login(p, SERVICE_IMAP, "ann@example.org", big),
	    LOGIN_BAD);
	peer_free(p);
}

static struct ticket_keys
keys_of(struct peer *p)
{
	struct ticket_keys k = { .n = 0 };

	wait_for(p, 1);
	assert_int_equal(p->n, 1);
	assert_int_equal(p->m[0].type, MSG_TICKET_KEY);
	ticket_keys_add(&k, p->m[0].ticket_key.kid, p->m[0].ticket_key.key);
	return k;
}

static void
test_tickets(void **state)
{
	struct peer		*m = peer_new(R_MAILBOXD);
	struct peer		*q = peer_new(R_QUEUED);
	struct peer		*pop = peer_new(R_POP3D);
	struct peer		*smtp = peer_new(R_SMTPD);
	struct ticket_keys	 km = keys_of(m), kq = keys_of(q);
	struct ticket		 t;
	struct str		 s;
	int64_t			 wall;

	(void)state;
	assert_int_equal(try_login(pop, SERVICE_POP3, "ann@example.org",
	    "pencil"), LOGIN_OK);
	s = pop->m[0].logged_in.ticket;
	wall = clock_wall();
	assert_int_equal(ticket_open(&kq, s, wall, &t), TICKET_UNKNOWN);
	assert_int_equal(ticket_open(&km, s, wall, &t), TICKET_GOOD);
	assert_int_equal(t.kind, TICKET_LOGIN);
	assert_int_equal(t.service, SERVICE_POP3);
	assert_int_equal(t.sid, 99);
	assert_int_equal(t.mailbox, 1);
	assert_int_equal(t.tenant, DIR_TENANT_DEFAULT);
	assert_string_equal(t.user, "ann@example.org");
	assert_in_range(t.expires, wall + TICKET_LOGIN_MS - DEADLINE,
	    wall + TICKET_LOGIN_MS);

	assert_int_equal(try_login(smtp, SERVICE_SUBMISSION,
	    "bob@example.org", "eraser"), LOGIN_OK);
	s = smtp->m[0].logged_in.ticket;
	wall = clock_wall();
	assert_int_equal(ticket_open(&km, s, wall, &t), TICKET_UNKNOWN);
	assert_int_equal(ticket_open(&kq, s, wall, &t), TICKET_GOOD);
	assert_int_equal(t.kind, TICKET_SUBMIT);
	assert_int_equal(t.mailbox, 2);
	assert_in_range(t.expires, wall + 3600000 - DEADLINE,
	    wall + 3600000);
	peer_free(m);
	peer_free(q);
	peer_free(pop);
	peer_free(smtp);
}

/* A front that logs in to a service that is not its own is dropped. */
static void
test_services(void **state)
{
	static const struct {
		enum role	role;
		unsigned	service;
	} t[] = {
		{ R_IMAPD, SERVICE_POP3 }, { R_IMAPD, SERVICE_SUBMISSION },
		{ R_POP3D, SERVICE_IMAP }, { R_SMTPD, SERVICE_IMAP },
		{ R_IMAPD, 0 }, { R_IMAPD, 4 }, { R_SMTPD, 255 },
	};
	struct peer	*p;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		p = peer_new(t[i].role);
		login(p, (enum service)t[i].service, "ann@example.org",
		    S("pencil"));
		wait_for(p, 1);
		assert_true(p->down);
		assert_int_equal(p->n, 0);
		peer_free(p);
	}
	p = peer_new(R_IMAPD);
	assert_int_equal(try_login(p, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_OK);
	peer_free(p);
}

static void
set_password(const char *address, const char *password)
{
	const struct cred_cost	cost = { conf_num(C_AUTH_MEMORY), 1 };
	struct buf		list;

	buf_init(&list, CRED_MAX);
	assert_int_equal(cred_make(str_c(password), &cost, &list), 0);
	assert_int_equal(dir_user_set_creds(dir, str_c(address),
	    buf_str(&list)), DIR_OK);
	buf_clear(&list);
}

/* What was checked is remembered: for its service, until it changes. */
static void
test_cache(void **state)
{
	struct peer	*imap = peer_new(R_IMAPD);
	struct peer	*pop = peer_new(R_POP3D);
	int		 pid;

	(void)state;
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_OK);
	pid = freeze();
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_OK);
	/* All of these need the worker. */
	login(imap, SERVICE_IMAP, "ann@example.org", S("pencil "));
	login(pop, SERVICE_POP3, "ann@example.org", S("pencil"));
	settle();
	set_password("ann@example.org", "paper");
	login(imap, SERVICE_IMAP, "ann@example.org", S("pencil"));
	assert_int_equal(try_login(pop, SERVICE_POP3, "", ""), LOGIN_BAD);
	settle();
	assert_int_equal(imap->n, 2);
	assert_int_equal(pop->n, 1);
	kill(pid, SIGCONT);
	wait_for(imap, 4);
	wait_for(pop, 2);
	assert_int_equal(imap->m[2].logged_in.verdict, LOGIN_BAD);
	assert_int_equal(imap->m[3].logged_in.verdict, LOGIN_BAD);
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "paper"), LOGIN_OK);
	freeze();
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "paper"), LOGIN_OK);
	/* A removed account is gone, remembered or not. */
	assert_int_equal(dir_user_remove(dir, S("ann@example.org")), DIR_OK);
	kill(pid, SIGCONT);
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "paper"), LOGIN_BAD);
	peer_free(imap);
	peer_free(pop);
}

static void
test_cache_expires(void **state)
{
	struct peer	*p = peer_new(R_IMAPD);
	int		 pid;

	(void)state;
	/* From here on time passes as we say. */
	clock_set(clock_now(), clock_wall());
	assert_int_equal(try_login(p, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_OK);
	pid = freeze();
	clock_set(clock_now() + 59000, clock_wall());
	assert_int_equal(try_login(p, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_OK);
	/* The cache does not live longer for being used. */
	clock_set(clock_now() + 2000, clock_wall());
	login(p, SERVICE_IMAP, "ann@example.org", S("pencil"));
	settle();
	assert_int_equal(p->n, 2);
	kill(pid, SIGCONT);
	clock_release();
	wait_for(p, 3);
	assert_int_equal(p->m[2].logged_in.verdict, LOGIN_OK);
	peer_free(p);
}

/* RFC 4954 5, and what a clock must not tell: nobody is worked for alike. */
static void
test_equal_work(void **state)
{
	static const char *const users[] = { "nobody@example.org",
	    "ann@else.where", "ann", "ann@example.org" };
	struct peer	*p = peer_new(R_IMAPD);
	unsigned	 i;
	int		 pid = freeze();

	(void)state;
	for (i = 0; i < LENGTH(users); i++)
		login(p, SERVICE_IMAP, users[i], S("wrong"));
	settle();
	assert_int_equal(p->n, 0);
	kill(pid, SIGCONT);
	wait_for(p, LENGTH(users));
	for (i = 0; i < LENGTH(users); i++) {
		assert_int_equal(p->m[i].logged_in.verdict, LOGIN_BAD);
		assert_int_equal(p->m[i].logged_in.account, 0);
	}
	peer_free(p);
}

/* The password changes, or the account goes, while a worker computes. */
static void
test_changed(void **state)
{
	struct peer	*p = peer_new(R_IMAPD);
	int		 pid = freeze();

	(void)state;
	login(p, SERVICE_IMAP, "ann@example.org", S("pencil"));
	login(p, SERVICE_IMAP, "bob@example.org", S("eraser"));
	settle();
	set_password("ann@example.org", "paper");
	assert_int_equal(dir_user_remove(dir, S("bob@example.org")), DIR_OK);
	kill(pid, SIGCONT);
	wait_for(p, 2);
	assert_int_equal(p->m[0].logged_in.verdict, LOGIN_BAD);
	assert_int_equal(p->m[1].logged_in.verdict, LOGIN_BAD);
	peer_free(p);
}

/* A hash of another cost is made again when its password is good. */
static void
test_rehash(void **state)
{
	const struct cred_cost	 cost = { conf_num(C_AUTH_MEMORY), 1 };
	const struct cred_cost	 old = { 128 * 1024, 2 };
	struct peer		*p = peer_new(R_IMAPD);
	struct buf		 list;

	(void)state;
	buf_init(&list, CRED_MAX);
	assert_int_equal(cred_make(S("pencil"), &old, &list), 0);
	dir_user_set_creds(dir, S("ann@example.org"), buf_str(&list));
	buf_clear(&list);
	assert_int_equal(try_login(p, SERVICE_IMAP, "ann@example.org",
	    "wrong"), LOGIN_BAD);
	assert_true(cred_is_stale(dir_user_creds(dir, 1), &cost));
	assert_int_equal(try_login(p, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_OK);
	assert_false(cred_is_stale(dir_user_creds(dir, 1), &cost));
	assert_int_equal(try_login(p, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_OK);
	peer_free(p);
}

/* The front goes while its login waits; others are served. */
static void
test_gone(void **state)
{
	struct peer	*p = peer_new(R_IMAPD), *other = peer_new(R_IMAPD);
	int		 pid = freeze();

	(void)state;
	login(p, SERVICE_IMAP, "ann@example.org", S("pencil"));
	settle();
	peer_free(p);
	loop_turn(0);
	kill(pid, SIGCONT);
	assert_int_equal(try_login(other, SERVICE_IMAP, "bob@example.org",
	    "eraser"), LOGIN_OK);
	peer_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_login), T(test_tickets), T(test_services), T(test_cache),
		T(test_cache_expires), T(test_changed), T(test_rehash),
		T(test_gone), T(test_equal_work),
	};

	return cmocka_run_group_tests_name("authd_login", tests, begin, NULL);
}
