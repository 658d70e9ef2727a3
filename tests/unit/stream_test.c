/*
 * stream: events, hold, pause, bounds, and the ways in which one ends.
 */
#include "tests/lib/turn.h"
#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/loop.h"
#include "common/net/stream.h"

static struct stream	*st;
static int		 peer;
static struct buf	 seen;
static char		 trace[64];
static unsigned		 calls;
static bool		 leave, close_inside, busy;

static void
on_event(struct stream *s, enum stream_event e, void *arg)
{
	static const char	letters[] = "DREF";
	size_t			n = strlen(trace);
	struct buf		*in;

	(void)arg;
	/* Never while the owner is inside a call of its own. */
	assert_false(busy);
	calls++;
	if (e != STREAM_DATA && n + 1 < sizeof(trace))
		trace[n] = letters[e];
	if (e == STREAM_DATA && !leave) {
		in = stream_in(s);
		buf_add(&seen, buf_str(in));
		buf_drop(in, in->n);
	}
	if (close_inside) {
		stream_close(s, false);
		st = NULL;
	}
}

static int
setup_pair(int pair[2])
{
	loop_init();
	stream_init();
	memset(trace, 0, sizeof(trace));
	calls = 0;
	leave = close_inside = busy = false;
	buf_init(&seen, 1 << 20);
	st = stream_new(pair[0], on_event, NULL);
	peer = pair[1];
	return 0;
}

static int
setup(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    pair) == -1)
		return -1;
	return setup_pair(pair);
}

/* A connection over the loopback, for what only TCP does. */
static int
setup_tcp(void **state)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET };
	socklen_t		len = sizeof(sin);
	int			l, pair[2];

	(void)state;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(l, (struct sockaddr *)&sin, len) == -1 ||
	    listen(l, 1) == -1 ||
	    getsockname(l, (struct sockaddr *)&sin, &len) == -1)
		return -1;
	pair[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(pair[1], (struct sockaddr *)&sin, len) == -1)
		return -1;
	pair[0] = accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	close(l);
	return setup_pair(pair);
}

static int
teardown(void **state)
{
	(void)state;
	stream_close(st, false);
	st = NULL;
	if (peer != -1)
		close(peer);
	/* One that waits for its peer goes now. */
	loop_turn(0);
	loop_turn(20);
	loop_free();
	buf_clear(&seen);
	return 0;
}

static void
test_bytes(void **state)
{
	static const char	text[] = "HELO x\r\nQUIT\r\n";
	char			back[100];
	size_t			i;

	(void)state;
	for (i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(send(peer, text + i, 1, 0), 1);
		TURN_UNTIL(seen.n == i + 1);
	}
	assert_str(buf_str(&seen), text);
	assert_int_equal(calls, i);
	/* Nothing leaves before the end of the turn. */
	stream_write(st, S("221 "));
	stream_write(st, S("bye\r\n"));
	assert_int_equal(recv(peer, back, sizeof(back), MSG_DONTWAIT), -1);
	assert_int_equal(stream_unsent(st), 9);
	loop_turn(0);
	assert_int_equal(stream_unsent(st), 0);
	assert_int_equal(recv(peer, back, sizeof(back), 0), 9);
	assert_memory_equal(back, "221 bye\r\n", 9);
}

static void
test_eof(void **state)
{
	char back[10];

	(void)state;
	assert_int_equal(send(peer, "last", 4, 0), 4);
	shutdown(peer, SHUT_WR);
	TURN_UNTIL(strcmp(trace, "E") == 0);
	assert_str(buf_str(&seen), "last");
	/* Once; and there is still a way out. */
	loop_turn(20);
	assert_string_equal(trace, "E");
	stream_write(st, S("bye"));
	loop_turn(0);
	assert_int_equal(recv(peer, back, sizeof(back), 0), 3);
}

static void
test_reset(void **state)
{
	struct linger l = { 1, 0 };

	(void)state;
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(peer);
	peer = -1;
	TURN_UNTIL(strcmp(trace, "F") == 0);
	stream_write(st, S("to nobody"));
	assert_int_equal(stream_unsent(st), 0);
	loop_turn(20);
	assert_string_equal(trace, "F");
}

static void
test_hold(void **state)
{
	char back[10];

	(void)state;
	stream_hold(st, true);
	stream_write(st, S("250 ok"));
	loop_turn(0);
	loop_turn(20);
	assert_int_equal(recv(peer, back, sizeof(back), MSG_DONTWAIT), -1);
	stream_hold(st, false);
	loop_turn(0);
	assert_int_equal(recv(peer, back, sizeof(back), MSG_DONTWAIT), 6);
}

/* Closing does not let out what is not durable; giving it free does. */
static void
test_hold_and_close(void **state)
{
	char	back[10];
	struct stream *s = st;

	(void)state;
	stream_hold(st, true);
	stream_write(st, S("250 ok"));
	stream_close(st, true);
	st = NULL;
	loop_turn(0);
	loop_turn(20);
	assert_int_equal(recv(peer, back, sizeof(back), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	stream_hold(s, false);
	TURN_UNTIL(recv(peer, back, sizeof(back), MSG_DONTWAIT | MSG_PEEK) ==
	    6);
	assert_int_equal(recv(peer, back, sizeof(back), 0), 6);
	assert_int_equal(recv(peer, back, sizeof(back), 0), 0);
}

static void
test_pause(void **state)
{
	(void)state;
	stream_pause(st, true);
	assert_int_equal(send(peer, "abc", 3, 0), 3);
	loop_turn(0);
	loop_turn(20);
	assert_int_equal(seen.n, 0);
	stream_pause(st, false);
	TURN_UNTIL(seen.n == 3);
}

/* Input nobody takes stops at its bound, and goes on when taken. */
static void
test_input_full(void **state)
{
	static char	block[8192];
	struct buf	*in;
	size_t		sent = 0;
	ssize_t		n;

	(void)state;
	leave = true;
	while (stream_in(st)->n < STREAM_IN_MAX) {
		n = send(peer, block, sizeof(block), MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		loop_turn(0);
	}
	while ((n = send(peer, block, sizeof(block), MSG_DONTWAIT)) > 0)
		sent += (size_t)n;
	loop_turn(0);
	loop_turn(20);
	in = stream_in(st);
	assert_int_equal(in->n, STREAM_IN_MAX);
	/* One byte of room is room. */
	buf_drop(in, 1);
	loop_turn(0);
	TURN_UNTIL(stream_in(st)->n == STREAM_IN_MAX);
	leave = false;
	in = stream_in(st);
	buf_add(&seen, buf_str(in));
	buf_drop(in, in->n);
	TURN_UNTIL(seen.n == sent - 1);
}

static size_t
drain(void)
{
	static char	block[65536];
	size_t		total = 0;
	ssize_t		n;

	while ((n = recv(peer, block, sizeof(block), MSG_DONTWAIT)) > 0)
		total += (size_t)n;
	return total;
}

/* Over the soft bound, read off, STREAM_ROOM once. */
static void
test_room(void **state)
{
	static char	big[1 << 20];
	size_t		got = 0;

	(void)state;
	stream_write(st, str_of(big, sizeof(big)));
	loop_turn(0);
	assert_true(stream_unsent(st) > 0);
	assert_string_equal(trace, "");
	while (got < sizeof(big)) {
		got += drain();
		loop_turn(10);
	}
	loop_turn(10);
	assert_int_equal(got, sizeof(big));
	assert_string_equal(trace, "R");
}

/* max - 1, max, max + 1 of unsent output; the end comes from the loop. */
static void
test_output_limit(void **state)
{
	static char	big[STREAM_OUT_MAX + 1];
	int		over;

	for (over = -1; over <= 1; over++) {
		stream_hold(st, true);
		busy = true;
		stream_write(st, str_of(big, STREAM_OUT_MAX - 1));
		stream_write(st, str_of(big, (size_t)over + 1));
		busy = false;
		loop_turn(0);
		assert_string_equal(trace, over == 1 ? "F" : "");
		assert_int_equal(stream_unsent(st), over == 1 ? 0 :
		    STREAM_OUT_MAX + over);
		loop_turn(0);
		assert_string_equal(trace, over == 1 ? "F" : "");
		teardown(state);
		setup(state);
	}
}

static void
test_close_flushes(void **state)
{
	static char	big[1 << 20];
	size_t		got = 0;

	(void)state;
	stream_write(st, str_of(big, sizeof(big)));
	stream_close(st, true);
	stream_close(st, true);
	stream_write(st, S("too late"));
	st = NULL;
	while (got < sizeof(big)) {
		got += drain();
		loop_turn(10);
	}
	assert_int_equal(got, sizeof(big));
	TURN_UNTIL(recv(peer, big, 1, MSG_DONTWAIT) == 0);
	assert_int_equal(calls, 0);
}

static void
test_close_discards(void **state)
{
	char c;

	(void)state;
	stream_hold(st, true);
	stream_write(st, S("never"));
	stream_close(st, false);
	st = NULL;
	loop_turn(0);
	assert_int_equal(recv(peer, &c, 1, 0), 0);
}

static void
test_close_inside(void **state)
{
	char c;

	(void)state;
	close_inside = true;
	assert_int_equal(send(peer, "abc", 3, 0), 3);
	TURN_UNTIL(calls == 1);
	loop_turn(0);
	assert_int_equal(recv(peer, &c, 1, 0), 0);
	assert_int_equal(calls, 1);
}

/* One that was handed to another process ends here, and only here. */
static void
test_close_of_a_shared_one(void **state)
{
	int	other = dup(stream_fd(st));
	char	c;

	(void)state;
	stream_close(st, true);
	st = NULL;
	loop_turn(0);
	loop_turn(20);
	assert_int_equal(send(other, "x", 1, MSG_NOSIGNAL), 1);
	assert_int_equal(recv(peer, &c, 1, MSG_DONTWAIT), 1);
	close(other);
}

/* Input that nobody read must not turn the last reply into a reset. */
static void
test_close_with_input_left(void **state)
{
	char	back[100];
	ssize_t	n;

	(void)state;
	stream_pause(st, true);
	assert_int_equal(send(peer, "garbage\r\n", 9, 0), 9);
	stream_write(st, S("421 bye\r\n"));
	stream_close(st, true);
	st = NULL;
	loop_turn(0);
	loop_turn(20);
	/* The peer goes on talking before it looks. */
	assert_int_equal(send(peer, "more\r\n", 6, MSG_NOSIGNAL), 6);
	loop_turn(20);
	assert_int_equal(send(peer, "more\r\n", 6, MSG_NOSIGNAL), 6);
	n = recv(peer, back, sizeof(back), 0);
	assert_int_equal(n, 9);
	assert_int_equal(recv(peer, back, sizeof(back), 0), 0);
	close(peer);
	peer = -1;
	loop_turn(20);
}

#define STREAM_TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TCP_TEST(f)	cmocka_unit_test_setup_teardown(f, setup_tcp, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STREAM_TEST(test_bytes),
		STREAM_TEST(test_eof),
		TCP_TEST(test_eof),
		TCP_TEST(test_reset),
		STREAM_TEST(test_hold),
		STREAM_TEST(test_hold_and_close),
		STREAM_TEST(test_pause),
		STREAM_TEST(test_input_full),
		STREAM_TEST(test_room),
		STREAM_TEST(test_output_limit),
		STREAM_TEST(test_close_flushes),
		STREAM_TEST(test_close_discards),
		STREAM_TEST(test_close_inside),
		STREAM_TEST(test_close_of_a_shared_one),
		TCP_TEST(test_close_with_input_left),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
