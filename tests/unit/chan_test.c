/*
 * chan_test - packets over socket pairs, descriptors, peers that lie,
 * back-pressure.  Listening and links are in link_test.c.
 */
#include "tests/lib/chan_rig.h"

/* What a turn sends is one packet, in the order in which it was sent. */
static void
test_packing(void **state)
{
	static char	p[MSG_PACKET_MAX];
	struct msg	m;
	struct str	s;
	uint64_t	i;
	ssize_t		n;

	(void)state;
	for (i = 0; i < 100; i++)
		chan_send_result_durable(left, &(struct msg_result_durable){
		    .qid = i }, -1);
	assert_int_equal(recv(raw, p, sizeof(p), 0), -1);
	loop_turn(0);
	n = recv(raw, p, sizeof(p), 0);
	assert_true(n > 0);
	s = str_of(p, (size_t)n);
	for (i = 0; i < 100; i++) {
		assert_int_equal(msg_decode(&s, R_QUEUED, R_LOCAL, &m), 0);
		assert_true(m.result_durable.qid == i);
	}
	assert_int_equal(s.n, 0);
	assert_int_equal(recv(raw, p, sizeof(p), 0), -1);
	/* A full packet leaves room for the next; chan_flush does not wait. */
	memset(p, 'x', sizeof(p));
	for (i = 0; i < 4; i++)
		chan_send_local_data(left, &(struct msg_local_data){
		    .chunk = str_of(p, 30000) }, -1);
	chan_flush(left);
	assert_true(recv(raw, p, sizeof(p), 0) > 60000);
	assert_true(recv(raw, p, sizeof(p), 0) > 60000);
	assert_int_equal(recv(raw, p, sizeof(p), 0), -1);
}

/* What has come and was not handled yet, the end included, is to be seen. */
static void
test_quiet(void **state)
{
	struct buf b;

	(void)state;
	assert_true(chan_is_quiet(left));
	buf_init(&b, 1000);
	encode_result(&b, 1);
	send_raw(buf_str(&b), 0);
	assert_false(chan_is_quiet(left));
	loop_turn(0);
	assert_int_equal(msgs, 1);
	assert_true(chan_is_quiet(left));
	shutdown(raw, SHUT_RDWR);
	assert_false(chan_is_quiet(left));
	loop_turn(0);
	assert_int_equal(downs, 1);
	buf_clear(&b);
}

static void
test_receive(void **state)
{
	struct buf	b;
	uint64_t	i;

	(void)state;
	buf_init(&b, MSG_PACKET_MAX);
	for (i = 0; i < 1000; i++)
		encode_result(&b, i);
	send_raw(buf_str(&b), 0);
	TURN_UNTIL(msgs == 1000);
	assert_true(last_qid == 999);
	assert_int_equal(downs, 0);
	buf_clear(&b);
}

/* The descriptor of a message reaches its handler, duplicated once. */
static void
test_descriptor(void **state)
{
	struct chan	*right;
	int		 pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, pair), 0);
	right = chan_new(pair[0], R_LOCAL, R_QUEUED, &ops, NULL);
	chan_close(left);
	left = chan_new(pair[1], R_QUEUED, R_LOCAL, &ops, NULL);
	chan_send_result_durable(left, &(struct msg_result_durable){ 0 }, -1);
	chan_send_local_job(left, &(struct msg_local_job){ .qid = 5 }, null);
	chan_send_result_durable(left, &(struct msg_result_durable){ 0 }, -1);
	chan_send_local_job(left, &(struct msg_local_job){ .qid = 6 }, -1);
	TURN_UNTIL(msgs == 4);
	assert_int_equal(downs, 0);
	assert_true(last_qid == 6);
	assert_true(last_fd != -1 && last_fd != null);
	assert_true((fcntl(last_fd, F_GETFD) & FD_CLOEXEC) != 0);
	chan_close(right);
}

/*
 * Packets that must end the channel: on_down once, nobody exits, and no
 * descriptor stays open.
 */
static void
test_bad_packets(void **state)
{
	static const struct {
		const char	*name;
		unsigned	 good;		/* results in front */
		struct str	 tail;
		unsigned	 fds, handled;
	} t[] = {
		{ "half a header", 0, STR_INIT("\x2e\0\0"), 0, 0 },
		{ "garbage", 0, STR_INIT("GET / HTTP/1.0\r\n\r\n"), 0, 0 },
		{ "good, then garbage", 2, STR_INIT("garbage and more"), 0, 2 },
		{ "good, then half", 1, STR_INIT("\x2e\0\0\0\x20\0\0\0x"),
		    0, 1 },
		{ "a descriptor nobody asked for", 1, STR_INIT(""), 1, 0 },
		{ "two", 1, STR_INIT(""), 2, 0 },
		{ "five", 1, STR_INIT(""), 5, 0 },
		{ "253", 1, STR_INIT(""), 253, 0 },
		{ "one with garbage", 0, STR_INIT("xxxxxxxxx"), 1, 0 },
		{ "one with two messages", 2, STR_INIT(""), 1, 0 },
		{ "an empty packet", 0, STR_INIT(""), 0, 0 },
		{ "an empty packet with one", 0, STR_INIT(""), 1, 0 },
		{ "an empty packet with 253", 0, STR_INIT(""), 253, 0 },
	};
	struct buf	b;
	size_t		i;
	unsigned	k;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		if (i > 0)
			assert_int_equal(setup(state), 0);
		buf_init(&b, 65536);
		for (k = 0; k < t[i].good; k++)
			encode_result(&b, k);
		buf_add(&b, t[i].tail);
		send_raw(buf_str(&b), t[i].fds);
		buf_clear(&b);
		TURN_UNTIL(downs == 1);
		loop_turn(0);
		if (msgs != t[i].handled || downs != 1 ||
		    open_fds() != fds_before - 1)
			fail_msg("%s: %u messages, %u fds, %u before",
			    t[i].name, msgs, open_fds(), fds_before);
		if (i + 1 < LENGTH(t))
			teardown(state);
	}
}

/* A packet larger than any may be. */
static void
test_too_large(void **state)
{
	static char big[MSG_PACKET_MAX + 1];

	(void)state;
	send_raw(str_of(big, sizeof(big)), 0);
	TURN_UNTIL(downs == 1);
	assert_int_equal(msgs, 0);
}

/* OWNER_WANT without its descriptor, LOCAL_JOB with one behind another. */
static void
test_missing_descriptor(void **state)
{
	struct chan	*zygote;
	struct msg	 m = { .type = MSG_OWNER_WANT };
	struct buf	 b;
	int		 pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, pair), 0);
	zygote = chan_new(pair[0], R_ZYGOTE, R_MAILBOXD, &ops, NULL);
	(void)zygote;
	close(raw);
	raw = pair[1];
	buf_init(&b, 1000);
	msg_encode(&b, &m);
	send_raw(buf_str(&b), 0);
	TURN_UNTIL(downs == 2);		/* left as well: its peer went */
	assert_int_equal(msgs, 0);
	buf_clear(&b);
}

static void
test_handler_says_no(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	encode_result(&b, 1);
	encode_result(&b, 2);
	verdict = -1;
	send_raw(buf_str(&b), 0);
	TURN_UNTIL(downs == 1);
	assert_int_equal(msgs, 1);
	buf_clear(&b);
}

static void
test_inside_handler(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	encode_result(&b, 1);
	encode_result(&b, 2);
	close_inside = true;
	send_raw(buf_str(&b), 0);
	TURN_UNTIL(msgs == 1);
	loop_turn(0);
	assert_int_equal(msgs, 1);
	assert_int_equal(downs, 0);
	left = NULL;
	teardown(state);
	setup(state);
	drop_inside = close_inside = true;
	send_raw(buf_str(&b), 0);
	TURN_UNTIL(msgs == 1);
	loop_turn(0);
	assert_int_equal(downs, 0);
	left = NULL;
	teardown(state);
	setup(state);
	drop_inside = true;
	send_raw(buf_str(&b), 0);
	TURN_UNTIL(downs == 1);
	assert_int_equal(msgs, 1);
	buf_clear(&b);
}

/* What was sent before a close still leaves. */
static void
test_close_sends(void **state)
{
	char p[1000];

	(void)state;
	chan_send_result_durable(left, &(struct msg_result_durable){ 0 }, -1);
	chan_close(left);
	chan_send_result_durable(left, &(struct msg_result_durable){ 0 }, -1);
	left = NULL;
	loop_turn(0);
	assert_int_equal(recv(raw, p, sizeof(p), 0), MSG_HEADER + 16);
	assert_int_equal(recv(raw, p, sizeof(p), 0), 0);
}

static void
test_pause(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	encode_result(&b, 1);
	pause_inside = true;
	send_raw(buf_str(&b), 0);
	send_raw(buf_str(&b), 0);
	TURN_UNTIL(msgs == 1);
	loop_turn(0);
	loop_turn(0);
	assert_int_equal(msgs, 1);
	pause_inside = false;
	chan_pause(left, false);
	TURN_UNTIL(msgs == 2);
	buf_clear(&b);
}

static void
send_chunk(void)
{
	static char chunk[60000];

	chan_send_local_data(left, &(struct msg_local_data){
	    .chunk = str_of(chunk, sizeof(chunk)) }, -1);
}

/* Full at the soft bound, on_room once when it is below again. */
static void
test_back_pressure(void **state)
{
	static char	p[MSG_PACKET_MAX];
	unsigned	n = 0;

	(void)state;
	while (!chan_is_full(left)) {
		send_chunk();
		loop_turn(0);
		assert_true(++n < 100);
	}
	assert_true(n * 60000 > CHAN_SOFT_MAX);
	assert_int_equal(rooms, 0);
	while (rooms == 0) {
		while (recv(raw, p, sizeof(p), 0) > 0)
			continue;
		loop_turn(50);
	}
	assert_false(chan_is_full(left));
	while (recv(raw, p, sizeof(p), 0) > 0)
		loop_turn(0);
	assert_int_equal(rooms, 1);
	assert_int_equal(downs, 0);
}

/* A peer that never reads costs its own channel. */
static void
test_hard_bound(void **state)
{
	unsigned n;

	(void)state;
	for (n = 0; downs == 0 && n < 300; n++) {
		send_chunk();
		loop_turn(0);
	}
	assert_int_equal(downs, 1);
	assert_true(n * 60000 > CHAN_HARD_MAX);
	assert_true(n * 60000 < CHAN_HARD_MAX + 1024 * 1024);
}

static void
test_release(void **state)
{
	char	c[4];
	int	fd = chan_release(left);

	(void)state;
	left = NULL;
	loop_turn(0);
	assert_int_equal(send(raw, "abc", 3, 0), 3);
	assert_int_equal(recv(fd, c, sizeof(c), 0), 3);
	assert_int_equal(downs, 0);
	close(fd);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_packing),
		TEST(test_quiet),
		TEST(test_receive),
		TEST(test_descriptor),
		TEST(test_bad_packets),
		TEST(test_too_large),
		TEST(test_missing_descriptor),
		TEST(test_handler_says_no),
		TEST(test_inside_handler),
		TEST(test_close_sends),
		TEST(test_pause),
		TEST(test_back_pressure),
		TEST(test_hard_bound),
		TEST(test_release),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
