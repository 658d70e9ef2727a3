/*
 * usage_rig - around each test of usage and quotas: authd with two users and
 * no password workers, clients of it, and what they heard in order.
 */
#ifndef TESTS_USAGE_RIG_H
#define TESTS_USAGE_RIG_H

#include "tests/lib/unit.h"

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

static inline void
hear_verdicts(struct msg_list l)
{
	static const char	letters[] = "OUFTNV";
	struct rec_verdict	v;
	size_t			n = strlen(heard.letters);

	while (rec_next_verdict(&l, &v))
		heard.letters[n++] = letters[v.verdict];
}

static inline void
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

static inline int
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

static inline void
on_down(struct chan *c)
{
	(void)c;
	heard.down++;
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static inline struct chan *
connect_as(enum role role)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	authd_serve(authd, fds[0], role);
	return chan_new(fds[1], role, R_AUTHD, &ops, NULL);
}

static inline void
settle(void)
{
	int i;

	for (i = 0; i < 8; i++)
		loop_turn(0);
}

static inline void
forget(void)
{
	buf_clear(&heard.row);
	memset(&heard, 0, sizeof(heard));
	buf_init(&heard.row, 10000);
}

static inline void
add_user(const char *address)
{
	assert_int_equal(dir_user_add(dir, str_c(address), S("x"), 1, NULL),
	    DIR_OK);
}

static inline int
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

static inline int
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
static inline void
restart(void)
{
	authd_free(authd);
	dir_close(dir);
	dir = dir_open(tmp.fd, 100000);
	authd = authd_new(dir, NULL);
}

static inline struct dir_account
account(const char *address)
{
	struct dir_account a;

	assert_int_equal(dir_user_get(dir, str_c(address), &a), DIR_OK);
	return a;
}

static inline void
report(const char *address, uint64_t size, uint64_t messages)
{
	struct dir_account a = account(address);

	usage_report(authd->usage, &a, (struct dir_quota){ size, messages });
}

static inline void
assert_is(struct dir_quota q, uint64_t size, uint64_t messages)
{
	assert_int_equal(q.size, size);
	assert_int_equal(q.messages, messages);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
