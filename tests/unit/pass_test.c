/*
 * pass: a message and what came with it; a second descriptor is never kept.
 */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/pass.h"

static int	sv[2], null;

static int
setup(void **state)
{
	(void)state;
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv);
}

static int
teardown(void **state)
{
	(void)state;
	close(null);
	close(sv[0]);
	close(sv[1]);
	return 0;
}

static unsigned
open_fds(void)
{
	unsigned n = 0;
	int	 fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
test_one(void **state)
{
	unsigned	before = open_fds();
	char		p[10];
	int		fd;
	bool		bad;

	(void)state;
	assert_int_equal(pass_receive(sv[1], p, sizeof(p), &fd, &bad), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fd, -1);
	assert_int_equal(pass_send(sv[0], S("plain"), -1, MSG_NOSIGNAL), 0);
	assert_int_equal(pass_send(sv[0], S("with"), null, MSG_NOSIGNAL), 0);
	assert_int_equal(pass_receive(sv[1], p, sizeof(p), &fd, &bad), 5);
	assert_memory_equal(p, "plain", 5);
	assert_int_equal(fd, -1);
	assert_false(bad);
	assert_int_equal(pass_receive(sv[1], p, sizeof(p), &fd, &bad), 4);
	assert_memory_equal(p, "with", 4);
	assert_false(bad);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_int_equal(open_fds(), before);
	shutdown(sv[0], SHUT_RDWR);
	assert_int_equal(pass_receive(sv[1], p, sizeof(p), &fd, &bad), 0);
	assert_int_equal(pass_send(sv[0], S("x"), null, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
}

/* At the length that fits, and one more. */
static void
test_length(void **state)
{
	char	p[4];
	int	fd;
	bool	bad;

	(void)state;
	assert_int_equal(pass_send(sv[0], S("1234"), -1, MSG_NOSIGNAL), 0);
	assert_int_equal(pass_send(sv[0], S("12345"), null, MSG_NOSIGNAL), 0);
	assert_int_equal(pass_receive(sv[1], p, sizeof(p), &fd, &bad), 4);
	assert_false(bad);
	assert_int_equal(pass_receive(sv[1], p, sizeof(p), &fd, &bad), 4);
	assert_true(bad);
	close(fd);
}

static void
send_many(unsigned n)
{
	static char	space[CMSG_SPACE(253 * sizeof(int))];
	struct iovec	iov = { (char[]){ 'x' }, 1 };
	struct msghdr	m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = space, .msg_controllen =
	    CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr	*cm = CMSG_FIRSTHDR(&m);
	unsigned	i;

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(n * sizeof(int));
	for (i = 0; i < n; i++)
		memcpy(CMSG_DATA(cm) + i * sizeof(int), &null, sizeof(int));
	assert_int_equal(sendmsg(sv[0], &m, MSG_NOSIGNAL), 1);
}

static void
test_many(void **state)
{
	static const unsigned	ns[] = { 2, 3, 4, 5, 6, 253 };
	unsigned		before = open_fds();
	size_t			i;
	char			c;
	int			fd;
	bool			bad;

	(void)state;
	for (i = 0; i < LENGTH(ns); i++) {
		send_many(ns[i]);
		assert_int_equal(pass_receive(sv[1], &c, 1, &fd, &bad), 1);
		assert_true(bad);
		assert_int_not_equal(fd, -1);
		assert_int_equal(open_fds(), before + 1);
		close(fd);
	}
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one), TEST(test_length), TEST(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
