/*
 * listen: connections and their addresses, pausing, and no descriptors left.
 */
#include "tests/lib/turn.h"
#include "tests/lib/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/net/listen.h"

enum { MANY = 100 };

static struct listener	*l;
static int		 fd, null, accepted[MANY * 2];
static unsigned		 n;
static char		 address[100];
static struct sockaddr_storage where;
static socklen_t	 where_len;

static void
on_connection(void *arg, int c, struct str a)
{
	(void)arg;
	assert_true((fcntl(c, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(c, F_GETFD) & FD_CLOEXEC) != 0);
	snprintf(address, sizeof(address), "%.*s", (int)a.n, a.p);
	accepted[n++] = c;
}

static int
open_listener(int family)
{
	struct sockaddr_in6	*in6 = (void *)&where;
	struct sockaddr_in	*in = (void *)&where;

	memset(&where, 0, sizeof(where));
	where.ss_family = (sa_family_t)family;
	if (family == AF_INET)
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		in6->sin6_addr = in6addr_any;
	where_len = family == AF_INET ? sizeof(*in) : sizeof(*in6);
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&where, where_len) == -1 ||
	    listen(fd, 512) == -1)
		return -1;
	getsockname(fd, (struct sockaddr *)&where, &where_len);
	l = listen_new(fd, on_connection, NULL);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_to(null);
	loop_init();
	n = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	listen_free(l);
	l = NULL;
	if (fd != -1)
		close(fd);
	while (n > 0)
		close(accepted[--n]);
	loop_free();
	log_to(2);
	close(null);
	return 0;
}

static int
dial(void)
{
	int c = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(c != -1);
	assert_int_equal(connect(c, (struct sockaddr *)&where, where_len), 0);
	return c;
}

static void
test_addresses(void **state)
{
	struct sockaddr_in6	*in6 = (void *)&where;
	int			c;

	(void)state;
	assert_int_equal(open_listener(AF_INET), 0);
	c = dial();
	TURN_UNTIL(n == 1);
	assert_string_equal(address, "127.0.0.1");
	close(c);
	listen_free(l);
	l = NULL;
	close(fd);
	if (open_listener(AF_INET6) == -1)
		skip_because("test_addresses", "no IPv6 here");
	in6->sin6_addr = in6addr_loopback;
	c = dial();
	TURN_UNTIL(n == 2);
	assert_string_equal(address, "IPv6:::1");
	close(c);
	/* IPv4 through an IPv6 socket is IPv4. */
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &in6->sin6_addr);
	c = dial();
	TURN_UNTIL(n == 3);
	assert_string_equal(address, "127.0.0.1");
	close(c);
}

static void
test_many_and_pause(void **state)
{
	int c[MANY], i;

	(void)state;
	assert_int_equal(open_listener(AF_INET), 0);
	listen_pause(l, true);
	for (i = 0; i < MANY; i++)
		c[i] = dial();
	loop_turn(0);
	loop_turn(20);
	assert_int_equal(n, 0);
	listen_pause(l, false);
	loop_turn(50);
	assert_int_equal(n, 64);
	TURN_UNTIL(n == MANY);
	for (i = 0; i < MANY; i++)
		close(c[i]);
}

/* Without descriptors one is turned away, the rest wait; then they come. */
static void
test_emfile(void **state)
{
	struct pollfd	p = { .events = POLLIN };
	struct rlimit	was, few;
	int		c[3], i, top;
	char		byte;

	(void)state;
	assert_int_equal(open_listener(AF_INET), 0);
	for (i = 0; i < 3; i++)
		c[i] = dial();
	getrlimit(RLIMIT_NOFILE, &was);
	few = was;
	top = dup(null);
	few.rlim_cur = (rlim_t)top;
	close(top);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	alarm(100);
	loop_turn(20);
	loop_turn(20);
	alarm(0);
	assert_int_equal(n, 0);
	p.fd = c[0];
	assert_int_equal(poll(&p, 1, DEADLINE), 1);
	assert_int_equal(recv(c[0], &byte, 1, 0), 0);
	setrlimit(RLIMIT_NOFILE, &was);
	TURN_UNTIL(n == 2);
	/* And it can be done again: the reserve is there. */
	top = dup(null);
	few.rlim_cur = (rlim_t)top;
	close(top);
	close(c[0]);
	c[0] = dial();
	setrlimit(RLIMIT_NOFILE, &few);
	loop_turn(20);
	p.fd = c[0];
	if (poll(&p, 1, 0) == 0)
		TURN_UNTIL(poll(&p, 1, 0) == 1);
	setrlimit(RLIMIT_NOFILE, &was);
	for (i = 0; i < 3; i++)
		close(c[i]);
}

#define LISTEN_TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LISTEN_TEST(test_addresses),
		LISTEN_TEST(test_many_and_pause),
		LISTEN_TEST(test_emfile),
	};

	alarm(300);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
