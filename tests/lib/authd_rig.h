/*
 * authd_rig - authd with two users and a real worker, and peers of it.  One
 * loop serves both ends.
 */
#ifndef TESTS_AUTHD_RIG_H
#define TESTS_AUTHD_RIG_H

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
#include "tests/lib/unit.h"

enum { DEADLINE = 60000, MSGS_MAX = 600 };

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

static inline struct str
keep(struct peer *p, struct str s)
{
	const char *at = p->bytes.p + p->bytes.n;

	buf_add(&p->bytes, s);
	return str_of(at, s.n);
}

static inline int
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

static inline void
on_down(struct chan *c)
{
	struct peer *p = chan_arg(c);

	p->down = true;
	p->c = NULL;
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static inline struct peer *
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

static inline void
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
static inline void
settle(void)
{
	int i;

	for (i = 0; i < 6; i++)
		loop_turn(0);
}

static inline void
peer_free(struct peer *p)
{
	chan_close(p->c);
	loop_turn(0);
	buf_clear(&p->bytes);
	free(p);
}

static inline void
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

static inline int
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

static inline int
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

static inline void
login(struct peer *p, enum service service, const char *user,
    struct str password)
{
	chan_send_login(p->c, &(struct msg_login){ .id = 1, .sid = 99,
	    .service = (uint8_t)service, .client = S("192.0.2.1"),
	    .user = str_c(user), .password = password }, -1);
}

/* The verdict of the next answer. */
static inline int
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

/* Stops the worker when it is there and idle. */
static inline int
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

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Before any test of a program. */
static inline int
begin(void **state)
{
	(void)state;
	alarm(300);
	log_to(open("/dev/null", O_WRONLY));
	return sodium_init() == -1 || text_init() == -1 ? -1 : 0;
}

#endif
