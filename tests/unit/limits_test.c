/*
 * Limits between owners, monitor and authd: what each end hears, and when;
 * that no owner is held back for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/core/clock.h"
#include "common/core/loop.h"
#include "mailboxd/limits.h"
#include "mailboxd/report.h"
#include "tests/lib/mailbox.h"

enum { HEARD_MAX = 40, DEADLINE = 60000 };

static struct owners	*owners;
static struct chan	*near_authd, *far_authd;

/* What went to authd (mailbox and size) and to owners (the same). */
static struct heard {
	unsigned	n;
	uint64_t	mailbox[HEARD_MAX], size[HEARD_MAX];
	unsigned	down;
} at_authd, at_owner, at_monitor;

static unsigned		 gone;		/* calls of go() */
static struct owner	*went;

static void
hear(struct heard *h, uint64_t mailbox, uint64_t size)
{
	assert_true(h->n < HEARD_MAX);
	h->mailbox[h->n] = mailbox;
	h->size[h->n++] = size;
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	if (m->type == MSG_USAGE)
		hear(&at_authd, m->usage.mailbox, m->usage.size);
	else if (m->type == MSG_OWNER_QUOTA)
		hear(&at_owner, m->owner_quota.mailbox, m->owner_quota.size);
	else if (m->type == MSG_OWNER_USAGE)
		hear(&at_monitor, m->owner_usage.mailbox,
		    m->owner_usage.size);
	else
		return -1;
	return 0;
}

static const struct chan_ops ops = { .on_msg = on_msg };

static void
pair(enum role near_role, enum role far_role, struct chan **near,
    struct chan **far)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	*near = chan_new(fds[0], near_role, far_role, &ops, NULL);
	*far = chan_new(fds[1], far_role, near_role, &ops, NULL);
}

static void
settle(void)
{
	int i;

	for (i = 0; i < 4; i++)
		loop_turn(0);
}

static void
go(struct owner *o)
{
	gone++;
	went = o;
	owner_ready(o);
}

static struct chan *far_owner[3];

/* What a monitor makes once. */
static int
set_up_all(void **state)
{
	(void)state;
	clock_release();
	loop_init();
	chan_init();
	owners = owners_new(10);
	limits_init(owners, go);
	report_prepare();
	return 0;
}

static int
tear_down_all(void **state)
{
	(void)state;
	owners_free(owners);
	loop_free();
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	memset(&at_authd, 0, sizeof(at_authd));
	memset(&at_owner, 0, sizeof(at_owner));
	memset(&at_monitor, 0, sizeof(at_monitor));
	gone = 0;
	pair(R_MAILBOXD, R_AUTHD, &near_authd, &far_authd);
	return 0;
}

static int
tear_down(void **state)
{
	struct owner	*o;
	int		 i;

	(void)state;
	limits_link(NULL);
	while ((o = owners_next(owners, NULL)) != NULL) {
		chan_close(o->ctl);
		owners_remove(owners, o);
	}
	for (i = 0; i < 3; i++) {
		chan_close(far_owner[i]);
		far_owner[i] = NULL;
	}
	chan_close(near_authd);
	chan_close(far_authd);
	loop_turn(0);
	return 0;
}

static struct owner *
owner_of(uint64_t mailbox)
{
	struct owner *o = owners_add(owners, mailbox, 1, 0);

	assert_non_null(o);
	pair(R_MAILBOXD, R_OWNER, &o->ctl, &far_owner[mailbox % 3]);
	return o;
}

static int
say(struct owner *o, uint64_t size)
{
	return limits_used(o, &(struct msg_owner_usage){ o->mailbox, size,
	    1 });
}

static void
answer(uint64_t mailbox, uint64_t size)
{
	limits_told(&(struct msg_quota){ mailbox, size, 0 });
	settle();
}

static void
assert_heard(const struct heard *h, unsigned n, uint64_t mailbox,
    uint64_t size)
{
	assert_int_equal(h->n, n);
	assert_int_equal(h->mailbox[n - 1], mailbox);
	assert_int_equal(h->size[n - 1], size);
}

/* -- the monitor ------------------------------------------------------ */

static void
test_relay(void **state)
{
	struct owner *o = owner_of(1);

	(void)state;
	limits_link(near_authd);
	assert_int_equal(say(o, 10), 0);
	settle();
	assert_heard(&at_authd, 1, 1, 10);
	/* One at a time; of what comes meanwhile, the last. */
	say(o, 20);
	say(o, 30);
	settle();
	assert_int_equal(at_authd.n, 1);
	answer(1, 500);
	assert_heard(&at_authd, 2, 1, 30);
	assert_heard(&at_owner, 1, 1, 500);
	/* The same limit again is no news, another one is. */
	answer(1, 500);
	assert_int_equal(at_owner.n, 1);
	assert_int_equal(at_authd.n, 2);
	answer(1, 600);
	assert_heard(&at_owner, 2, 1, 600);
	answer(1, 0);
	assert_heard(&at_owner, 3, 1, 0);
	say(o, 40);
	settle();
	assert_heard(&at_authd, 3, 1, 40);
	/* Of a mailbox without an owner. */
	answer(9, 1);
	assert_int_equal(at_owner.n, 3);
}

static void
test_lies(void **state)
{
	const uint64_t	 size = (uint64_t)1 << 50, n = (uint64_t)1 << 40;
	struct owner	*o = owner_of(1);

	(void)state;
	limits_link(near_authd);
	assert_int_equal(limits_used(o, &(struct msg_owner_usage){ 2, 1, 1 }),
	    -1);
	assert_int_equal(limits_used(o, &(struct msg_owner_usage){ 1,
	    size + 1, 1 }), -1);
	assert_int_equal(limits_used(o, &(struct msg_owner_usage){ 1, 1,
	    n + 1 }), -1);
	settle();
	assert_int_equal(at_authd.n, 0);
	assert_int_equal(limits_used(o, &(struct msg_owner_usage){ 1, size,
	    n }), 0);
	settle();
	assert_heard(&at_authd, 1, 1, size);
}

/* authd goes and comes: it hears the last of everybody. */
static void
test_away(void **state)
{
	struct owner *a = owner_of(1), *b = owner_of(2);

	(void)state;
	say(a, 10);
	say(a, 11);
	settle();
	assert_int_equal(at_authd.n, 0);
	assert_false(limits_hold(a));
	limits_link(near_authd);
	settle();
	assert_heard(&at_authd, 1, 1, 11);
	say(b, 20);
	limits_link(NULL);
	say(b, 21);
	settle();
	limits_link(near_authd);
	settle();
	assert_int_equal(at_authd.n, 4);
	assert_int_equal(at_authd.mailbox[2], 1);
	assert_int_equal(at_authd.size[2], 11);
	assert_heard(&at_authd, 4, 2, 21);
}

static void
test_hold(void **state)
{
	struct owner	*a = owner_of(1), *b = owner_of(2);
	int64_t		 until;

	(void)state;
	limits_link(near_authd);
	say(a, 10);
	assert_true(limits_hold(a));
	assert_true(limits_hold(a));
	assert_false(owner_pass(a));
	answer(1, 100);
	assert_int_equal(gone, 1);
	assert_ptr_equal(went, a);
	assert_true(owner_pass(a));
	/* It knows its limit now. */
	say(a, 20);
	assert_false(limits_hold(a));
	/* authd goes away. */
	say(b, 10);
	assert_true(limits_hold(b));
	limits_link(NULL);
	assert_int_equal(gone, 2);
	assert_ptr_equal(went, b);
	/* authd does not answer. */
	limits_link(near_authd);
	owner_again(b);
	say(b, 10);
	assert_true(limits_hold(b));
	until = clock_now() + DEADLINE;
	while (gone == 2 && clock_now() < until)
		loop_turn(100);
	assert_int_equal(gone, 3);
	assert_in_range(until - clock_now(), 1, DEADLINE - LIMITS_WAIT_MS);
	/* It comes late, and is told on. */
	answer(2, 700);
	assert_heard(&at_owner, 2, 2, 700);
	assert_int_equal(gone, 3);
}

/* One whose process died is held back no longer, nor told about. */
static void
test_forget(void **state)
{
	struct owner *a = owner_of(1);

	(void)state;
	limits_link(near_authd);
	say(a, 10);
	assert_true(limits_hold(a));
	limits_forget(a);
	owner_again(a);
	answer(1, 100);
	assert_int_equal(gone, 0);
	/* The new process is told although the limit is the same. */
	owner_again(a);
	say(a, 10);
	assert_true(limits_hold(a));
	answer(1, 100);
	assert_int_equal(gone, 1);
	assert_int_equal(at_owner.n, 2);
}

/* -- the owner -------------------------------------------------------- */

static char text[QUOTA_STEP];

static void
put(struct mailbox *b, size_t n)
{
	enum store_result r;

	store_put(b->s, "INBOX", str_of(text, n), 0, &r);
	assert_int_equal(r, STORE_OK);
	mailbox_turn(b);
	report_turn();
	settle();
}

static void
test_report(void **state)
{
	struct chan		*owner, *monitor;
	enum store_result	 r;
	struct mailbox		 b;

	(void)state;
	memset(text, 'x', sizeof(text));
	mailbox_make(&b);
	mailbox_open(&b);
	store_put(b.s, "INBOX", str_of(text, 100), 0, &r);
	pair(R_OWNER, R_MAILBOXD, &owner, &monitor);
	report_start(b.m, 5, owner);
	settle();
	assert_heard(&at_monitor, 1, 5, 100);
	put(&b, QUOTA_STEP - 1);
	assert_int_equal(at_monitor.n, 1);
	put(&b, 1);
	assert_heard(&at_monitor, 2, 5, 100 + QUOTA_STEP);
	report_turn();
	report_rest();
	settle();
	assert_int_equal(at_monitor.n, 2);
	put(&b, 7);
	report_rest();
	settle();
	assert_heard(&at_monitor, 3, 5, 107 + QUOTA_STEP);
	/* Of another mailbox; then a limit, which is kept and is a measure. */
	assert_int_equal(report_limit(&(struct msg_owner_quota){ 6, 1, 1 }),
	    -1);
	assert_int_equal(report_ask(&(struct msg_owner_ask){ 6 }), -1);
	put(&b, 1);
	assert_int_equal(at_monitor.n, 3);
	assert_int_equal(report_limit(&(struct msg_owner_quota){ 5,
	    108 + QUOTA_STEP + 50, 0 }), 0);
	put(&b, 50);
	assert_heard(&at_monitor, 4, 5, 158 + QUOTA_STEP);
	/* Asked in the middle of a turn: what is not durable is not told. */
	assert_int_equal(report_limit(&(struct msg_owner_quota){ 5, 0, 0 }),
	    0);
	store_put(b.s, "INBOX", str_of(text, 9), 0, &r);
	assert_int_equal(r, STORE_OK);
	assert_int_equal(report_ask(&(struct msg_owner_ask){ 5 }), 0);
	settle();
	assert_int_equal(at_monitor.n, 4);
	mailbox_turn(&b);
	report_turn();
	settle();
	assert_heard(&at_monitor, 5, 5, 167 + QUOTA_STEP);
	chan_close(owner);
	chan_close(monitor);
	loop_turn(0);
	mailbox_remove(&b);
}

int
main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_relay), T(test_lies), T(test_away), T(test_hold),
		T(test_forget), T(test_report),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
