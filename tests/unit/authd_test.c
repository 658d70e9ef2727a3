/*
 * authd: its peers' questions over real channels, with real workers.  One
 * loop serves both ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authd/authd.h"
#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/mail/text.h"
#include "tests/lib/tmpdir.h"

enum { DEADLINE = 20000, MSGS_MAX = 600 };

static struct tmpdir	 tmp;
static struct dir	*dir;
static struct hash	*hash;
static struct authd	*authd;

/* A peer of authd, and what it was told, in order. */
struct peer {
	struct chan	*c;
	bool		 down;
	unsigned	 n;
	struct msg	 m[MSGS_MAX];
	struct buf	 bytes;		/* strs of m point here */
};

static struct str
keep(struct peer *p, struct str s)
{
	const char *at = p->bytes.p + p->bytes.n;

	buf_add(&p->bytes, s);
	return str_of(at, s.n);
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	struct peer	*p = chan_arg(c);
	struct msg	*to = &p->m[p->n++];

	assert_int_equal(fd, -1);
	assert_true(p->n < MSGS_MAX);
	*to = *m;
	if (m->type == MSG_LOOKED_UP)
		to->looked_up.verdicts.raw = keep(p,
		    m->looked_up.verdicts.raw);
	if (m->type == MSG_EXPANDED)
		to->expanded.routes.raw = keep(p, m->expanded.routes.raw);
	if (m->type == MSG_LOGGED_IN) {
		to->logged_in.user = keep(p, m->logged_in.user);
		to->logged_in.ticket = keep(p, m->logged_in.ticket);
	}
	if (m->type == MSG_TICKET_KEY)
		to->ticket_key.key = keep(p, m->ticket_key.key);
	if (m->type == MSG_CTL_ROW)
		to->ctl_row.columns.raw = keep(p, m->ctl_row.columns.raw);
	if (m->type == MSG_CTL_DONE) {
		to->ctl_done.text = keep(p, m->ctl_done.text);
		to->ctl_done.next = keep(p, m->ctl_done.next);
	}
	return 0;
}

static void
on_down(struct chan *c)
{
	struct peer *p = chan_arg(c);

	p->down = true;
	p->c = NULL;
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static struct peer *
peer_new(enum role role)
{
	struct peer	*p = calloc(1, sizeof(*p));
	int		 fds[2];

	assert_non_null(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	buf_init(&p->bytes, 1 << 20);
	/* All of it now: pointers into it must stay. */
	assert_non_null(buf_room(&p->bytes, 1 << 20));
	authd_serve(authd, fds[0], role);
	p->c = chan_new(fds[1], role, R_AUTHD, &ops, p);
	return p;
}

static void
wait_for(struct peer *p, unsigned n)
{
	int64_t until = clock_now() + DEADLINE;

	while (p->n < n && !p->down) {
		if (clock_now() > until)
			fail_msg("%u of %u messages", p->n, n);
		loop_turn(100);
	}
}

/* There and back again: what can be answered now is. */
static void
settle(void)
{
	int i;

	for (i = 0; i < 6; i++)
		loop_turn(0);
}

static void
peer_free(struct peer *p)
{
	chan_close(p->c);
	loop_turn(0);
	buf_clear(&p->bytes);
	free(p);
}

static void
add_user(const char *address, const char *password)
{
	const struct cred_cost	cost = { conf_num(C_AUTH_MEMORY),
	    conf_num(C_AUTH_PASSES) };
	struct buf		list;

	buf_init(&list, CRED_MAX);
	assert_int_equal(cred_make(str_c(password), &cost, &list), 0);
	assert_int_equal(dir_user_add(dir, str_c(address), buf_str(&list), 1,
	    NULL), DIR_OK);
	buf_clear(&list);
}

static int
setup(void **state)
{
	(void)state;
	conf_defaults();
	conf_put(C_AUTH_MEMORY, "64K");
	conf_put(C_AUTH_PASSES, "1");
	conf_put(C_AUTH_QUEUE_MAX, "10");
	clock_release();
	tmpdir_make(&tmp);
	loop_init();
	chan_init();
	hash = hash_fork(&(struct hash_conf){ .workers = { .n = 1,
	    .cost = { conf_num(C_AUTH_MEMORY), 1 } },
	    .queue_max = (unsigned)conf_num(C_AUTH_QUEUE_MAX) }, -1);
	hash_start(hash);
	dir = dir_open(tmp.fd, 1000);
	authd = authd_new(dir, hash);
	assert_int_equal(dir_domain_add(dir, S("example.org"), 1), DIR_OK);
	add_user("ann@example.org", "pencil");
	add_user("bob@example.org", "eraser");
	return 0;
}

static int
teardown(void **state)
{
	int status;

	(void)state;
	/* One that a failed test left stopped would never end. */
	if (hash_pid(hash, 0) > 0)
		kill(hash_pid(hash, 0), SIGCONT);
	loop_turn(0);
	authd_free(authd);
	hash_free(hash);
	dir_close(dir);
	loop_free();
	tmpdir_remove(&tmp);
	return wait(&status) == -1;
}

/* -- lookups ---------------------------------------------------------- */

static void
lookup(struct peer *p, uint64_t account, const char *const *names)
{
	struct buf	b;
	uint32_t	n = 0;

	buf_init(&b, 100000);
	for (; *names != NULL; names++)
		rec_add_address(&b, &n, &(struct rec_address){
		    str_c(*names) });
	chan_send_lookup(p->c, &(struct msg_lookup){ .id = 5,
	    .account = account, .addresses = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
}

static void
assert_verdicts(struct peer *p, unsigned i, const char *want)
{
	static const char	*letters = "OUFT";
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

/* -- logins ----------------------------------------------------------- */

static void
login(struct peer *p, enum service service, const char *user,
    struct str password)
{
	chan_send_login(p->c, &(struct msg_login){ .id = 1, .sid = 99,
	    .service = (uint8_t)service, .client = S("192.0.2.1"),
	    .user = str_c(user), .password = password }, -1);
}

/* The verdict of the next answer. */
static int
try_login(struct peer *p, enum service service, const char *user,
    const char *password)
{
	login(p, service, user, str_c(password));
	wait_for(p, p->n + 1);
	assert_false(p->down);
	assert_int_equal(p->m[p->n - 1].type, MSG_LOGGED_IN);
	assert_int_equal(p->m[p->n - 1].logged_in.id, 1);
	return p->m[p->n - 1].logged_in.verdict;
}

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

/* Stops the worker when it is there and idle. */
static int
freeze(void)
{
	int64_t until = clock_now() + DEADLINE;

	while (hash_pid(hash, 0) == 0) {
		assert_true(clock_now() <= until);
		loop_turn(100);
	}
	kill(hash_pid(hash, 0), SIGSTOP);
	return hash_pid(hash, 0);
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
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_lookup), T(test_expand), T(test_login),
		T(test_tickets), T(test_services), T(test_no_stall),
		T(test_cache), T(test_cache_expires), T(test_changed),
		T(test_rehash), T(test_gone), T(test_ctl),
		T(test_ctl_password), T(test_ctl_pages),
	};

	if (sodium_init() == -1)
		return 1;
	alarm(120);
	log_to(open("/dev/null", O_WRONLY));
	if (text_init() == -1)
		return 1;
	return cmocka_run_group_tests_name("authd", tests, NULL, NULL);
}
