/*
 * chan and link: packets over socket pairs, descriptors, peers that lie,
 * back-pressure, and servers that go away and come back.
 */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/ipc/chan.h"

enum { DEADLINE = 10000 };		/* ms */

static struct chan	*left;		/* R_QUEUED, peer R_LOCAL */
static int		 raw;		/* its peer's end */
static unsigned		 msgs, downs, rooms;
static uint64_t		 last_qid;
static int		 last_fd = -1, verdict;
static bool		 close_inside, pause_inside, drop_inside;
static int		 null;

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	msgs++;
	switch ((unsigned)m->type) {
	case MSG_LOCAL_RESULT:
		last_qid = m->local_result.qid;
		break;
	case MSG_LOCAL_JOB:
		last_qid = m->local_job.qid;
		break;
	}
	if (fd != -1) {
		if (last_fd != -1)
			close(last_fd);
		last_fd = fd;
	}
	if (close_inside)
		chan_close(c);
	if (drop_inside)
		chan_drop(c, "test");
	if (pause_inside)
		chan_pause(c, true);
	return verdict;
}

static void
on_down(struct chan *c)
{
	downs++;
	if (c == left)
		left = NULL;
}

static void
on_room(struct chan *c)
{
	(void)c;
	rooms++;
}

static const struct chan_ops ops = { on_msg, on_down, on_room };

static unsigned
open_fds(void)
{
	unsigned n = 0;
	int	 fd;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static unsigned fds_before;

static int
setup(void **state)
{
	int pair[2];

	(void)state;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	log_to(null);
	loop_init();
	chan_init();
	msgs = downs = rooms = 0;
	verdict = 0;
	close_inside = pause_inside = drop_inside = false;
	last_fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, pair) == -1)
		return -1;
	raw = pair[1];
	left = chan_new(pair[0], R_QUEUED, R_LOCAL, &ops, NULL);
	fds_before = open_fds();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	chan_close(left);
	left = NULL;
	loop_turn(0);
	loop_turn(0);
	if (last_fd != -1)
		close(last_fd);
	close(raw);
	loop_free();
	log_to(2);
	close(null);
	return 0;
}

/* Turns until the condition holds; a test that waits for ever fails. */
#define TURN_UNTIL(condition) \
	do { \
		int64_t end_ = 0; \
		clock_tick(); \
		end_ = clock_now() + DEADLINE; \
		while (!(condition) && clock_now() < end_) \
			loop_turn(50); \
		assert_true(condition); \
	} while (0)

static void
send_result(struct chan *c, uint64_t qid)
{
	chan_send_local_result(c, &(struct msg_local_result){ .qid = qid }, -1);
}

static void
encode_result(struct buf *b, uint64_t qid)
{
	struct msg m = { .type = MSG_LOCAL_RESULT,
	    .local_result = { .qid = qid } };

	msg_encode(b, &m);
}

/* From the raw end, with n descriptors of /dev/null. */
static void
send_raw(struct str bytes, unsigned n)
{
	static char	space[CMSG_SPACE(253 * sizeof(int))];
	struct iovec	iov = { (char *)(uintptr_t)bytes.p, bytes.n };
	struct msghdr	m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cm;
	unsigned	i;

	if (n > 0) {
		m.msg_control = space;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (i = 0; i < n; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &null,
			    sizeof(int));
	}
	assert_int_equal(sendmsg(raw, &m, MSG_NOSIGNAL), bytes.n);
}

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

/* -- listening and links ------------------------------------------------- */

static char		 dir[64], path[80];
static struct chan	*served;
static unsigned		 ups, link_downs, accepts;
static bool		 refuse;

static int
on_accept(struct chan *c, void *arg)
{
	(void)arg;
	accepts++;
	assert_int_equal(chan_uid(c), getuid());
	assert_int_equal(chan_peer(c), R_LOCAL);
	served = c;
	return refuse ? -1 : 0;
}

static void
server_down(struct chan *c)
{
	if (c == served)
		served = NULL;
}

static const struct chan_ops server_ops = { on_msg, server_down, NULL };

static void
link_up(struct chan *c, void *arg)
{
	(void)arg;
	ups++;
	send_result(c, ups);
}

static void
link_down(void *arg)
{
	(void)arg;
	link_downs++;
}

static const struct link_ops link_ops = { link_up, on_msg, link_down,
    on_room };

static int
server_socket(void)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, SOCK_SEQPACKET |
				    SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static int
link_setup(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/postern-chan-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/s", dir);
	ups = link_downs = accepts = 0;
	refuse = false;
	served = NULL;
	return setup(state);
}

static int
link_teardown(void **state)
{
	unlink(path);
	rmdir(dir);
	return teardown(state);
}

/* Not there; comes; goes, with its channel; comes back. */
static void
test_link(void **state)
{
	struct chan_listener	*l;
	struct link		*k;
	int			fd, i;

	(void)state;
	k = link_new(path, R_LOCAL, R_QUEUED, &link_ops, NULL);
	assert_null(link_chan(k));
	for (i = 1; i <= 3; i++) {
		fd = server_socket();
		l = chan_listen(fd, R_QUEUED, R_LOCAL, &server_ops, on_accept,
		    NULL);
		TURN_UNTIL(msgs == (unsigned)i && link_chan(k) != NULL);
		assert_true(last_qid == (uint64_t)i);
		assert_int_equal(accepts, i);
		assert_true(chan_is_quiet(link_chan(k)));
		chan_listen_stop(l);
		close(fd);
		unlink(path);
		chan_close(served);
		TURN_UNTIL(link_downs == (unsigned)i);
		assert_null(link_chan(k));
	}
	link_free(k);
	link_free(NULL);
}

/* A server that lets nobody stay is not asked a hundred times a second. */
static void
test_link_backs_off(void **state)
{
	struct chan_listener	*l;
	struct link		*k;
	int			fd = server_socket();
	int64_t			began;

	(void)state;
	refuse = true;
	l = chan_listen(fd, R_QUEUED, R_LOCAL, &server_ops, on_accept, NULL);
	k = link_new(path, R_LOCAL, R_QUEUED, &link_ops, NULL);
	clock_tick();
	began = clock_now();
	TURN_UNTIL(link_downs >= 6);
	/* 10 + 20 + 40 + 80 + 160 ms lie between six tries. */
	assert_true(clock_now() - began >= 300);
	link_free(k);
	loop_turn(0);
	chan_listen_stop(l);
	close(fd);
}

/* Freed while full, in a turn that then sends what waits. */
static void
test_link_freed_full(void **state)
{
	static char		 chunk[512];
	struct chan_listener	*l;
	struct link		*k;
	int			 fd = server_socket();

	(void)state;
	l = chan_listen(fd, R_QUEUED, R_LOCAL, &server_ops, on_accept, NULL);
	k = link_new(path, R_LOCAL, R_QUEUED, &link_ops, NULL);
	TURN_UNTIL(served != NULL && msgs == 1);
	chan_pause(served, true);
	memset(chunk, 'x', sizeof(chunk));
	while (!chan_is_full(link_chan(k)))
		chan_send_local_result(link_chan(k),
		    &(struct msg_local_result){ .detail = str_of(chunk,
		    sizeof(chunk)) }, -1);
	link_free(k);
	loop_turn(0);
	loop_turn(0);
	chan_listen_stop(l);
	chan_close(served);
	loop_turn(0);
	close(fd);
}

/* Out of descriptors, somebody at the door: no spin, and let in later. */
static void
test_listen_emfile(void **state)
{
	struct chan_listener	*l;
	struct rlimit		 was, few;
	int			 fd = server_socket(), i, hold;
	int			 client;

	(void)state;
	l = chan_listen(fd, R_QUEUED, R_LOCAL, &server_ops, on_accept, NULL);
	client = chan_dial(path, SOCK_SEQPACKET);
	assert_true(client != -1);
	hold = dup(0);
	getrlimit(RLIMIT_NOFILE, &was);
	few = was;
	few.rlim_cur = (rlim_t)hold;
	close(hold);
	setrlimit(RLIMIT_NOFILE, &few);
	for (i = 0; i < 3; i++)
		loop_turn(0);
	assert_int_equal(accepts, 0);
	/* The listener now waits for its timer, not for the socket. */
	alarm(20);
	loop_turn(30);
	loop_turn(30);
	alarm(0);
	setrlimit(RLIMIT_NOFILE, &was);
	TURN_UNTIL(accepts == 1);
	chan_listen_stop(l);
	chan_close(served);
	loop_turn(0);
	close(client);
	close(fd);
}

static void
test_dial(void **state)
{
	char name[200];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	errno = 0;
	assert_int_equal(chan_dial(name, SOCK_STREAM), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(chan_dial(path, SOCK_STREAM), -1);
	assert_int_equal(errno, ENOENT);
	close(server_socket());
	assert_int_equal(chan_dial(path, SOCK_SEQPACKET), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

#define CHAN_TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
#define LINK_TEST(f) \
	cmocka_unit_test_setup_teardown(f, link_setup, link_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CHAN_TEST(test_packing),
		CHAN_TEST(test_quiet),
		CHAN_TEST(test_receive),
		CHAN_TEST(test_descriptor),
		CHAN_TEST(test_bad_packets),
		CHAN_TEST(test_too_large),
		CHAN_TEST(test_missing_descriptor),
		CHAN_TEST(test_handler_says_no),
		CHAN_TEST(test_inside_handler),
		CHAN_TEST(test_close_sends),
		CHAN_TEST(test_pause),
		CHAN_TEST(test_back_pressure),
		CHAN_TEST(test_hard_bound),
		CHAN_TEST(test_release),
		LINK_TEST(test_link),
		LINK_TEST(test_link_backs_off),
		LINK_TEST(test_link_freed_full),
		LINK_TEST(test_listen_emfile),
		LINK_TEST(test_dial),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
