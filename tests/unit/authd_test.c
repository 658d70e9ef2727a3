/*
 * authd_test - questions of authd's peers over real channels: lookups,
 * expansion, and what mailctl asks.  Logins are in authd_login_test.c.
 */
#include "tests/lib/authd_rig.h"

/* -- lookups ---------------------------------------------------------- */

static void
lookup_sized(struct peer *p, uint64_t account, const char *const *names,
    uint64_t size)
{
	struct buf	b;
	uint32_t	n = 0;

	buf_init(&b, 100000);
	for (; *names != NULL; names++)
		rec_add_asked(&b, &n, &(struct rec_asked){
		    str_c(*names), size });
	chan_send_lookup(p->c, &(struct msg_lookup){ .id = 5,
	    .account = account, .addresses = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
}

static void
lookup(struct peer *p, uint64_t account, const char *const *names)
{
	lookup_sized(p, account, names, 0);
}

static void
assert_verdicts(struct peer *p, unsigned i, const char *want)
{
	static const char	*letters = "OUFTnv";
	struct msg_looked_up	*m = &p->m[i].looked_up;
	struct rec_verdict	 v;
	char			 out[101];
	unsigned		 n = 0;

	assert_int_equal(p->m[i].type, MSG_LOOKED_UP);
	assert_int_equal(m->id, 5);
	while (rec_next_verdict(&m->verdicts, &v))
		out[n++] = letters[v.verdict];
	out[n] = '\0';
	assert_string_equal(out, want);
}

static void
test_lookup(void **state)
{
	static const char *const names[] = { "ann@example.org",
	    "ANN+x@example.org", "nobody@example.org", "ann@example.net", "",
	    "team@example.org", NULL };
	static const char *const none[] = { NULL };
	struct str	 t = S("bob@example.org");
	struct peer	*p = peer_new(R_SMTPD);

	(void)state;
	dir_alias_add(dir, S("team@example.org"), &t, 1, 1);
	lookup(p, 0, names);
	lookup(p, 1, names);
	lookup(p, 2, names);
	lookup(p, 0, none);
	wait_for(p, 4);
	assert_verdicts(p, 0, "OOUFFO");
	assert_verdicts(p, 1, "OOUFFU");
	assert_verdicts(p, 2, "UUUFFO");
	assert_verdicts(p, 3, "");
	peer_free(p);
}

/* -- expansion -------------------------------------------------------- */

static void
test_expand(void **state)
{
	struct peer	*p = peer_new(R_ROUTE);
	struct rec_route r;
	struct buf	 b;
	struct str	 t;
	char		 name[40];
	uint32_t	 n = 0;
	unsigned	 i, total = 0;

	(void)state;
	for (i = 0; i < 250; i++) {
		snprintf(name, sizeof(name), "t%u@else.where", i);
		t = str_c(name);
		assert_int_equal(dir_alias_add(dir, S("all@example.org"), &t,
		    1, 1), DIR_OK);
	}
	buf_init(&b, 10000);
	rec_add_target(&b, &n, &(struct rec_target){ 7,
	    S("Ann+tag@example.org") });
	rec_add_target(&b, &n, &(struct rec_target){ 8,
	    S("nobody@example.org") });
	rec_add_target(&b, &n, &(struct rec_target){ 9, S("x@else.where") });
	rec_add_target(&b, &n, &(struct rec_target){ 10,
	    S("all@example.org") });
	chan_send_expand(p->c, &(struct msg_expand){ .id = 3,
	    .targets = msg_list_of(&b, n) }, -1);
	chan_send_expand(p->c, &(struct msg_expand){ .id = 4 }, -1);
	buf_clear(&b);
	wait_for(p, 4);

	assert_true(rec_next_route(&p->m[0].expanded.routes, &r));
	assert_int_equal(r.target, 7);
	assert_int_equal(r.kind, ROUTE_MAILBOX);
	assert_int_equal(r.mailbox, 1);
	assert_int_equal(r.tenant, DIR_TENANT_DEFAULT);
	assert_true(str_eq(r.address, S("ann@example.org")));
	assert_true(rec_next_route(&p->m[0].expanded.routes, &r));
	assert_int_equal(r.kind, ROUTE_UNKNOWN);
	assert_int_equal(r.target, 8);
	assert_true(rec_next_route(&p->m[0].expanded.routes, &r));
	assert_int_equal(r.kind, ROUTE_FOREIGN);
	assert_true(str_eq(r.address, S("x@else.where")));
	for (i = 0; i < 3; i++) {
		assert_int_equal(p->m[i].expanded.id, 3);
		assert_int_equal(p->m[i].expanded.last, i == 2);
		while (rec_next_route(&p->m[i].expanded.routes, &r)) {
			assert_int_equal(r.kind, ROUTE_ADDRESS);
			assert_int_equal(r.target, 10);
			snprintf(name, sizeof(name), "t%u@else.where",
			    total++);
			assert_true(str_eq(r.address, str_c(name)));
		}
	}
	assert_int_equal(total, 250);
	assert_int_equal(p->m[3].expanded.id, 4);
	assert_int_equal(p->m[3].expanded.last, 1);
	assert_int_equal(p->m[3].expanded.routes.n, 0);
	peer_free(p);
}

/* Lookups go on while logins wait; too many logins are put off. */
static void
test_no_stall(void **state)
{
	static const char *const names[] = { "ann@example.org", NULL };
	struct peer	*p = peer_new(R_SMTPD);
	unsigned	 i, temp = 0;
	int		 pid = freeze();

	(void)state;
	/* One in the worker, ten wait. */
	for (i = 0; i < 14; i++)
		login(p, SERVICE_SUBMISSION, "ann@example.org", S("pencil"));
	lookup(p, 0, names);
	wait_for(p, 4);
	assert_int_equal(p->n, 4);
	for (i = 0; i < 3; i++) {
		assert_int_equal(p->m[i].type, MSG_LOGGED_IN);
		assert_int_equal(p->m[i].logged_in.verdict, LOGIN_TEMP);
	}
	assert_verdicts(p, 3, "O");
	kill(pid, SIGCONT);
	wait_for(p, 15);
	for (i = 4; i < 15; i++)
		temp += p->m[i].logged_in.verdict != LOGIN_OK;
	assert_int_equal(temp, 0);
	peer_free(p);
}

/* -- mailctl ---------------------------------------------------------- */

/* Words are cut at '|'; the answer as "status rows text". */
static const char *
ctl(struct peer *p, enum ctl_verb verb, const char *words)
{
	static struct buf out;
	struct buf	b;
	struct str	rest = str_c(words), w;
	uint32_t	n = 0;
	unsigned	first = p->n, i;
	struct rec_column col;
	struct msg_ctl_done *d;

	buf_init(&b, 10000);
	while (str_cut(&rest, '|', &w))
		rec_add_word(&b, &n, &(struct rec_word){ w });
	chan_send_ctl(p->c, &(struct msg_ctl){ .id = 6,
	    .verb = (uint16_t)verb, .words = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
	do
		wait_for(p, p->n + 1);
	while (p->m[p->n - 1].type == MSG_CTL_ROW);
	d = &p->m[p->n - 1].ctl_done;
	buf_clear(&out);
	buf_init(&out, 8000);
	buf_addu(&out, d->status);
	for (i = first; i + 1 < p->n; i++) {
		/* The first two columns are enough to know a row by. */
		buf_addz(&out, " [");
		assert_true(rec_next_column(&p->m[i].ctl_row.columns, &col));
		buf_add(&out, col.value);
		buf_addz(&out, " ");
		assert_true(rec_next_column(&p->m[i].ctl_row.columns, &col));
		buf_add(&out, col.value);
		buf_addz(&out, "]");
	}
	if (d->next.n > 0) {
		buf_addz(&out, " next ");
		buf_add(&out, d->next);
	}
	return buf_cstr(&out);
}

static const struct {
	enum ctl_verb	 verb;
	const char	*words;
	const char	*want;
} calls[] = {
	{ CTL_DOMAIN_ADD, "Example.COM", "0" },
	{ CTL_DOMAIN_ADD, "example.com", "4" },
	{ CTL_DOMAIN_ADD, "b\xc3\xbc" "cher.example", "2" },
	{ CTL_DOMAIN_ADD, "no domain", "2" },
	{ CTL_DOMAIN_ADD, "", "2" },
	{ CTL_DOMAIN_SHOW, "example.com", "0 [example.com 1]" },
	{ CTL_DOMAIN_SHOW, "example.net", "3" },
	{ CTL_DOMAIN_LIST, "", "0 [example.com 1] [example.org 1]" },
	{ CTL_DOMAIN_LIST, "example.com", "0 [example.org 1]" },
	{ CTL_USER_ADD, "Cid@example.com|pass word", "0" },
	{ CTL_USER_ADD, "cid@example.com|other", "4" },
	{ CTL_USER_ADD, "cid@example.net|other", "3" },
	{ CTL_USER_ADD, "dan@example.com|", "1" },
	{ CTL_USER_ADD, "@example.com|x", "2" },
	{ CTL_USER_ADD, "d\xc3\xa4n@example.com|x", "2" },
	{ CTL_USER_ADD, "rubbish|x", "2" },
	{ CTL_USER_ADD, "dan@example.com", "2" },
	{ CTL_USER_SHOW, "CID@example.com", "0 [cid@example.com 3]" },
	{ CTL_USER_SHOW, "dan@example.com", "3" },
	{ CTL_USER_LIST, "",
	    "0 [cid@example.com 3] [ann@example.org 1] "
	    "[bob@example.org 2]" },
	{ CTL_USER_LIST, "example.org|",
	    "0 [ann@example.org 1] [bob@example.org 2]" },
	{ CTL_USER_LIST, "example.org|ann@example.org",
	    "0 [bob@example.org 2]" },
	{ CTL_USER_LIST, "example.net|", "3" },
	{ CTL_USER_PASSWD, "cid@example.com|new", "0" },
	{ CTL_USER_PASSWD, "dan@example.com|new", "3" },
	{ CTL_USER_PASSWD, "cid@example.com|", "1" },
	{ CTL_ALIAS_ADD, "all@example.com|a@b.c|d@e.f", "0" },
	{ CTL_ALIAS_ADD, "cid@example.com|a@b.c", "4" },
	{ CTL_ALIAS_ADD, "@example.com|cid@example.com", "0" },
	{ CTL_ALIAS_ADD, "x@example.net|a@b.c", "3" },
	{ CTL_ALIAS_ADD, "x@example.com|rubbish", "2" },
	{ CTL_ALIAS_SHOW, "all@example.com",
	    "0 [all@example.com a@b.c\nd@e.f]" },
	{ CTL_ALIAS_LIST, "",
	    "0 [@example.com cid@example.com] "
	    "[all@example.com a@b.c\nd@e.f]" },
	{ CTL_ALIAS_REMOVE, "all@example.com|a@b.c", "0" },
	{ CTL_ALIAS_REMOVE, "all@example.com|a@b.c", "3" },
	{ CTL_ALIAS_LIST, "example.com|@example.com",
	    "0 [all@example.com d@e.f]" },
	{ CTL_ALIAS_REMOVE, "all@example.com", "0" },
	{ CTL_ALIAS_SHOW, "all@example.com", "3" },
	{ CTL_DOMAIN_REMOVE, "example.com", "4" },
	{ CTL_USER_REMOVE, "cid@example.com", "0" },
	{ CTL_USER_REMOVE, "cid@example.com", "3" },
	{ CTL_ALIAS_REMOVE, "@example.com", "0" },
	{ CTL_DOMAIN_REMOVE, "example.com", "0" },
	{ CTL_DOMAIN_REMOVE, "example.com", "3" },
	{ CTL_QUEUE_LIST, "", "2" },
};

static void
test_ctl(void **state)
{
	struct peer	*p = peer_new(R_MAILCTL);
	const char	*got;
	size_t		 i;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		got = ctl(p, calls[i].verb, calls[i].words);
		if (strcmp(got, calls[i].want) != 0)
			fail_msg("row %zu: %s gave '%s'", i,
			    calls[i].words, got);
	}
	peer_free(p);
}

/* A password set by mailctl lets in; the one before it no more. */
static void
test_ctl_password(void **state)
{
	struct peer	*p = peer_new(R_MAILCTL), *imap = peer_new(R_IMAPD);
	struct buf	 b;
	uint32_t	 n = 0;
	int		 pid;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_OK);
	assert_string_equal(ctl(p, CTL_USER_PASSWD, "ann@example.org|paper"),
	    "0");
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "pencil"), LOGIN_BAD);
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "paper"), LOGIN_OK);
	/* mailctl does not wait for its answer: it is done all the same. */
	pid = freeze();
	rec_add_word(&b, &n, &(struct rec_word){ S("bob@example.org") });
	rec_add_word(&b, &n, &(struct rec_word){ S("glue") });
	chan_send_ctl(p->c, &(struct msg_ctl){ .id = 6,
	    .verb = CTL_USER_PASSWD, .words = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
	settle();
	peer_free(p);
	loop_turn(0);
	kill(pid, SIGCONT);
	assert_int_equal(try_login(imap, SERVICE_IMAP, "ann@example.org",
	    "wrong"), LOGIN_BAD);
	assert_int_equal(try_login(imap, SERVICE_IMAP, "bob@example.org",
	    "glue"), LOGIN_OK);
	peer_free(imap);
}

static void
test_ctl_pages(void **state)
{
	struct peer	*p = peer_new(R_MAILCTL);
	char		 name[40];
	const char	*got;
	int		 i;

	(void)state;
	for (i = 0; i < 198; i++) {
		snprintf(name, sizeof(name), "u%03d@example.org", i);
		assert_int_equal(dir_user_add(dir, str_c(name), S(""), 1,
		    NULL), DIR_OK);
	}
	got = ctl(p, CTL_USER_LIST, "");
	assert_non_null(strstr(got, " next u097@example.org"));
	assert_int_equal(p->n, 101);
	got = ctl(p, CTL_USER_LIST, "u097@example.org");
	assert_non_null(strstr(got, " next u197@example.org"));
	got = ctl(p, CTL_USER_LIST, "u197@example.org");
	assert_string_equal(got, "0");
	peer_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lookup), T(test_expand), T(test_no_stall), T(test_ctl),
		T(test_ctl_password), T(test_ctl_pages),
	};

	return cmocka_run_group_tests_name("authd", tests, begin, NULL);
}
