/*
 * An owner's way to its helper: asked for when it is needed, once; given up
 * when none comes; let go when it has been idle.
 */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/log.h"
#include "mailboxd/helper.h"
#include "tests/lib/turn.h"

enum { MAILBOX = 17, LONG_MS = 60 * 1000, SHORT_MS = 5 };

static struct bulk	*bulk;
static struct chan	*owner, *monitor;
static unsigned		 wanted, answers;
static int		 error, end;	/* the helper's */
static int		 copy = -1;

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	assert_int_equal(m->type, MSG_HELPER_WANT);
	assert_int_equal(m->helper_want.mailbox, MAILBOX);
	wanted++;
	return 0;
}

static const struct chan_ops ops = { .on_msg = on_msg };

static void
on_answer(void *arg, uint64_t id, int e)
{
	(void)arg;
	(void)id;
	answers++;
	error = e;
}

static void
begin(int64_t wait_ms, int64_t idle_ms)
{
	int sv[2];

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	loop_init();
	chan_init();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	owner = chan_new(sv[0], R_OWNER, R_MAILBOXD, &ops, NULL);
	monitor = chan_new(sv[1], R_MAILBOXD, R_OWNER, &ops, NULL);
	bulk = helper_init(MAILBOX, wait_ms, idle_ms);
	helper_by(owner);
	wanted = answers = 0;
}

static void
finish(void)
{
	helper_clear();
	close(copy);
	chan_close(owner);
	chan_close(monitor);
	loop_turn(0);
	loop_turn(0);
	loop_free();
}

static void
ask(void)
{
	bulk_ask(bulk, &(struct bulk_ask){ .op = BULK_SYNC, .id = 1 },
	    on_answer, NULL);
}

/* What the monitor sends. */
static void
send_one(void)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    sv), 0);
	end = sv[1];
	/* The monitor keeps a copy, by which it can end the helper. */
	copy = dup(sv[0]);
	helper_here(sv[0]);
}

static bool
has_ended(void)
{
	char c;

	return recv(end, &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static void
serve(void)
{
	static const struct bodyfiles files = { AT_FDCWD, "nothing-" };

	assert_true(bulk_serve_one(&files, end, BULK_SYNC));
}

static void
test_asked_once(void **state)
{
	(void)state;
	begin(LONG_MS, LONG_MS);
	loop_turn(0);
	assert_int_equal(wanted, 0);
	ask();
	ask();
	TURN_UNTIL(wanted > 0);
	loop_turn(0);
	assert_int_equal(wanted, 1);
	send_one();
	serve();
	serve();
	TURN_UNTIL(answers == 2);
	assert_int_equal(error, ENOENT);
	assert_false(has_ended());
	close(end);
	finish();
}

static void
test_none_comes(void **state)
{
	(void)state;
	begin(SHORT_MS, LONG_MS);
	ask();
	TURN_UNTIL(answers == 1);
	assert_int_equal(error, ETIMEDOUT);
	/* It comes too late, and is let go. */
	send_one();
	assert_true(has_ended());
	close(end);
	ask();
	TURN_UNTIL(wanted == 2);
	finish();
}

static void
test_idle(void **state)
{
	(void)state;
	begin(LONG_MS, SHORT_MS);
	ask();
	send_one();
	serve();
	TURN_UNTIL(has_ended());
	assert_int_equal(answers, 1);
	close(end);
	ask();
	TURN_UNTIL(wanted == 2);
	finish();
}

/* Busy for longer than it may idle: it stays. */
static void
test_busy(void **state)
{
	int i;

	(void)state;
	begin(LONG_MS, 1);
	ask();
	send_one();
	for (i = 0; i < 5; i++)
		loop_turn(2);
	assert_false(has_ended());
	serve();
	TURN_UNTIL(answers == 1);
	assert_int_equal(error, ENOENT);
	TURN_UNTIL(has_ended());
	close(end);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asked_once),
		cmocka_unit_test(test_none_comes),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
