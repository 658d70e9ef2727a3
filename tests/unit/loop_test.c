/*
 * loop: descriptors, timers, hooks in order, signals, and turns that wait.
 */
#include "tests/lib/unit.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/loop.h"

/* An argument for note; lives as long as the block. */
#define T(lit)	((char[]){ lit })

static char		 trace[200];
static int		 pair[2];
static struct loop_fd	*watch;
static struct loop_timer *timer;

static int
setup(void **state)
{
	(void)state;
	loop_init();
	trace[0] = '\0';
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
}

static int
teardown(void **state)
{
	(void)state;
	loop_unwatch(watch);
	watch = NULL;
	loop_timer_free(timer);
	timer = NULL;
	loop_free();
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void
note(void *arg)
{
	size_t n = strlen(trace);

	snprintf(trace + n, sizeof(trace) - n, "%s", (const char *)arg);
}

static void
on_fd(void *arg, int events)
{
	char c[8];

	(void)arg;
	if ((events & LOOP_READ) != 0) {
		note(T("r"));
		assert_true(read(pair[0], c, sizeof(c)) >= 0);
	}
	if ((events & LOOP_WRITE) != 0) {
		note(T("w"));
		loop_want(watch, LOOP_READ);
	}
}

static void
test_watch(void **state)
{
	(void)state;
	watch = loop_watch(pair[0], LOOP_READ, on_fd, NULL);
	loop_turn(0);
	assert_string_equal(trace, "");
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_turn(-1);
	assert_string_equal(trace, "r");
	loop_want(watch, LOOP_READ | LOOP_WRITE);
	loop_turn(-1);
	loop_turn(0);
	assert_string_equal(trace, "rw");
	/* Nothing wanted: what is ready waits, and is told later. */
	loop_want(watch, 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_turn(0);
	assert_string_equal(trace, "rw");
	loop_want(watch, LOOP_READ);
	loop_turn(-1);
	assert_string_equal(trace, "rwr");
}

static void
leave_it(void *arg, int events)
{
	(void)arg;
	(void)events;
	note(T("l"));
}

/* What stays ready comes once a turn, whether the turn may wait or not. */
static void
test_left_ready(void **state)
{
	(void)state;
	watch = loop_watch(pair[0], LOOP_READ, leave_it, NULL);
	assert_int_equal(write(pair[1], "x", 1), 1);
	alarm(100);
	loop_turn(0);
	loop_turn(-1);
	loop_again();
	loop_turn(-1);
	alarm(0);
	assert_string_equal(trace, "lll");
}

static void
unwatch_self(void *arg, int events)
{
	(void)arg;
	(void)events;
	note(T("u"));
	loop_unwatch(watch);
	watch = NULL;
}

static void
test_unwatch_inside(void **state)
{
	(void)state;
	watch = loop_watch(pair[0], LOOP_READ, unwatch_self, NULL);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_turn(-1);
	loop_turn(0);
	assert_string_equal(trace, "u");
	loop_unwatch(NULL);
}

static void
test_timer(void **state)
{
	(void)state;
	timer = loop_timer(note, T("t"));
	assert_false(loop_timer_pending(timer));
	loop_turn(0);
	assert_string_equal(trace, "");
	loop_timer_set(timer, 3600000);
	assert_true(loop_timer_pending(timer));
	/* Setting it again moves it; what is past is now. */
	loop_timer_set(timer, -5);
	loop_turn(-1);
	assert_string_equal(trace, "t");
	assert_false(loop_timer_pending(timer));
	loop_timer_set(timer, 0);
	loop_timer_stop(timer);
	assert_false(loop_timer_pending(timer));
	loop_turn(0);
	assert_string_equal(trace, "t");
	loop_timer_set(timer, 1);
	loop_turn(-1);
	assert_string_equal(trace, "tt");
	loop_timer_free(NULL);
}

static void
again_once(void *arg)
{
	static int times;

	note(arg);
	if (times++ == 0)
		loop_again();
}

/* Hooks run in order, once a turn; work left over makes a turn not wait. */
static void
test_hooks(void **state)
{
	(void)state;
	loop_hook(note, T("1"));
	loop_hook(again_once, T("2"));
	loop_hook(note, T("3"));
	watch = loop_watch(pair[0], LOOP_READ, on_fd, NULL);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_turn(-1);
	assert_string_equal(trace, "r123");
	alarm(100);
	loop_turn(-1);
	alarm(0);
	assert_string_equal(trace, "r123123");
}

/* A turn that ended early must not leave its limit behind for a later one. */
static void
test_limit_does_not_stay(void **state)
{
	int64_t before;

	(void)state;
	watch = loop_watch(pair[0], LOOP_READ, on_fd, NULL);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_turn(30);
	assert_string_equal(trace, "r");
	/* The first limit would end this turn, with nothing that happened. */
	timer = loop_timer(note, T("t"));
	clock_tick();
	before = clock_now();
	loop_timer_set(timer, 200);
	loop_turn(-1);
	assert_string_equal(trace, "rt");
	assert_true(clock_now() - before >= 150);
}

static void
stop(void *arg)
{
	note(arg);
	loop_stop();
}

static void
test_signal(void **state)
{
	(void)state;
	loop_signal(SIGUSR1, stop, T("s"));
	raise(SIGUSR1);
	assert_int_equal(loop_run(), 0);
	assert_string_equal(trace, "s");
}

/* What start-up left in hooks is done before the first wait. */
static void
test_run_starts_with_hooks(void **state)
{
	(void)state;
	loop_hook(stop, T("h"));
	alarm(100);
	assert_int_equal(loop_run(), 0);
	alarm(0);
	assert_string_equal(trace, "h");
}

#define LOOP_TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOOP_TEST(test_watch),
		LOOP_TEST(test_left_ready),
		LOOP_TEST(test_unwatch_inside),
		LOOP_TEST(test_timer),
		LOOP_TEST(test_hooks),
		LOOP_TEST(test_limit_does_not_stay),
		LOOP_TEST(test_signal),
		LOOP_TEST(test_run_starts_with_hooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
