/*
 * link_test - listening sockets of channels, and servers that go away and
 * come back.
 */
#include <sys/resource.h>
#include <sys/un.h>

#include "common/core/xalloc.h"
#include "tests/lib/chan_rig.h"

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

/*
 * A client that comes again and again and never leaves: there is room for so
 * many of a role, and the others' descriptors stay free.  ATTACKS M-01.
 */
static void
test_listen_limit(void **state)
{
	struct chan_listener	*l;
	struct rlimit		 r;
	int			 fd = server_socket(), *held;
	unsigned		 n;
	char			 c;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &r);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	held = xcalloc(CHAN_PEERS_MAX + 1, sizeof(*held));
	l = chan_listen(fd, R_QUEUED, R_LOCAL, &server_ops, on_accept, NULL);
	for (n = 0; n <= CHAN_PEERS_MAX; n++) {
		held[n] = chan_dial(path, SOCK_SEQPACKET);
		assert_true(held[n] != -1);
		loop_turn(0);
	}
	assert_int_equal(accepts, CHAN_PEERS_MAX);
	assert_int_equal(recv(held[n - 1], &c, 1, MSG_DONTWAIT), 0);
	assert_int_equal(recv(held[n - 2], &c, 1, MSG_DONTWAIT), -1);
	/* One that leaves makes room for one. */
	close(held[0]);
	loop_turn(0);
	loop_turn(0);
	held[0] = chan_dial(path, SOCK_SEQPACKET);
	TURN_UNTIL(accepts == CHAN_PEERS_MAX + 1);
	/* They may outlive their listener. */
	chan_listen_stop(l);
	for (n = 0; n <= CHAN_PEERS_MAX; n++)
		close(held[n]);
	TURN_UNTIL(served == NULL);
	free(held);
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
	alarm(100);
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

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, link_setup, link_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_link),
		TEST(test_link_backs_off),
		TEST(test_link_freed_full),
		TEST(test_listen_limit),
		TEST(test_listen_emfile),
		TEST(test_dial),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
