/*
 * front_test - a front between a client, an authd and a mailboxd that are all
 * the test's, in one process and one loop: limits, login, HELLO, carrying in
 * both directions, going down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/ipc/chan.h"
#include "common/ipc/frame.h"
#include "common/net/front.h"
#include "common/net/stream.h"
#include "pop3d/login.h"

enum { SESSIONS = 4, PER_ADDRESS = 3 };

static char			dir[] = "/tmp/front_test.XXXXXX";
static struct sockaddr_in	door;
static int			authd_fd, mailboxd_fd;
static struct chan		*authd;		/* the test's end of a link */
static struct chan_listener	*authd_listener;
static struct msg_login		asked;		/* the last question */
static char			user[321], password[1025];
static unsigned			questions;
static bool			mute;		/* authd answers nothing */

/* -- the test's authd: "ok" is let in, "temp" is not now --------------- */

static int
on_login(struct chan *c, const struct msg *m, int fd)
{
	enum login_verdict v = LOGIN_BAD;

	(void)fd;
	assert_int_equal(m->type, MSG_LOGIN);
	asked = m->login;
	snprintf(user, sizeof(user), "%.*s", (int)asked.user.n, asked.user.p);
	snprintf(password, sizeof(password), "%.*s", (int)asked.password.n,
	    asked.password.p);
	questions++;
	if (mute)
		return 0;
	if (strcmp(user, "ok") == 0)
		v = LOGIN_OK;
	else if (strcmp(user, "temp") == 0)
		v = LOGIN_TEMP;
	chan_send_logged_in(c, &(struct msg_logged_in){ .id = asked.id,
	    .verdict = (uint8_t)v, .account = 9, .user = S("canonical"),
	    .ticket = S("the ticket") }, -1);
	return 0;
}

static void
on_authd_down(struct chan *c)
{
	(void)c;
	authd = NULL;
}

static const struct chan_ops authd_ops = { .on_msg = on_login,
    .on_down = on_authd_down };

static int
on_authd_accept(struct chan *c, void *arg)
{
	(void)arg;
	authd = c;
	return 0;
}

/* -- set-up ------------------------------------------------------------ */

static int
listen_unix(const char *name, int type)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", name);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static int
listen_inet(void)
{
	socklen_t	len = sizeof(door);
	int		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	door.sin_family = AF_INET;
	door.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&door, sizeof(door)), 0);
	assert_int_equal(listen(fd, 16), 0);
	getsockname(fd, (struct sockaddr *)&door, &len);
	return fd;
}

static int
setup(void **state)
{
	(void)state;
	log_level(LOG_ERROR);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	authd_fd = listen_unix("authd", SOCK_SEQPACKET);
	mailboxd_fd = listen_unix("mailboxd", SOCK_STREAM);
	loop_init();
	front_init(&(struct front_conf){ .name = "pop3d", .self = R_POP3D,
	    .service = SERVICE_POP3, .login = &pop3_login_ops,
	    .listener = listen_inet(), .sessions_max = SESSIONS,
	    .sessions_per_address = PER_ADDRESS,
	    .login_ms = 60000, .stall_ms = 1000,
	    .plaintext = "loopback", .hostname = "mx.example" });
	chan_init();
	stream_init();
	authd_listener = chan_listen(authd_fd, R_AUTHD, R_POP3D, &authd_ops,
	    on_authd_accept, NULL);
	front_start();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink("authd");
	unlink("mailboxd");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

/* -- client and owner -------------------------------------------------- */

static void
turns(int n)
{
	while (n-- > 0)
		loop_turn(0);
}

static int
dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&door, sizeof(door)),
	    0);
	turns(3);
	return fd;
}

static void
say(int fd, struct str s)
{
	assert_int_equal(send(fd, s.p, s.n, MSG_NOSIGNAL), s.n);
	turns(10);
}

/* What is there, as a string; "(end)" behind it when that is all. */
static const char *
hear(int fd)
{
	static char	text[4096];
	size_t		n = 0;
	ssize_t		r;

	turns(3);
	while ((r = recv(fd, text + n, sizeof(text) - n - 8,
	    MSG_DONTWAIT)) > 0)
		n += (size_t)r;
	text[n] = '\0';
	if (r == 0)
		memcpy(text + n, "(end)", sizeof("(end)"));
	return text;
}

static int
accept_owner(void)
{
	int fd, i;

	for (i = 0; i < 50; i++) {
		fd = accept4(mailboxd_fd, NULL, NULL, SOCK_NONBLOCK);
		if (fd != -1)
			return fd;
		loop_turn(1);
	}
	return -1;
}

static void
expect_hello(int fd)
{
	struct frame	f;
	struct hello	h;
	char		p[2000];
	size_t		used;
	ssize_t		n;

	turns(3);
	n = recv(fd, p, sizeof(p), MSG_DONTWAIT);
	assert_true(n > 0);
	assert_int_equal(frame_next(str_of(p, (size_t)n), &f, &used),
	    FRAME_GOT);
	assert_int_equal(used, n);
	assert_int_equal(f.type, FRAME_HELLO);
	assert_int_equal(hello_parse(f.body, &h), 0);
	assert_int_equal(h.service, SERVICE_POP3);
	assert_int_equal(h.sid, asked.sid);
	assert_true(str_eq(h.ticket, S("the ticket")));
	assert_true(str_eq(h.client, S("127.0.0.1")));
}

/* A client that is logged in, and its owner. */
static int
log_in(int *owner)
{
	int fd = dial();

	assert_string_equal(hear(fd), "+OK mx.example POP3\r\n");
	say(fd, S("USER ok\r\nPASS pw\r\n"));
	*owner = accept_owner();
	assert_int_not_equal(*owner, -1);
	expect_hello(*owner);
	/* Not before the owner has said so. */
	assert_string_equal(hear(fd), "+OK now PASS\r\n");
	say(*owner, S("\2\0\0\0"));
	assert_string_equal(hear(fd), "+OK logged in\r\n");
	return fd;
}

static void
test_login(void **state)
{
	int	fd, owner;
	char	p[100];

	(void)state;
	fd = log_in(&owner);
	assert_string_equal(user, "ok");
	assert_string_equal(password, "pw");
	assert_int_equal(asked.service, SERVICE_POP3);
	say(fd, S("STAT\r\n"));
	assert_int_equal(recv(owner, p, sizeof(p), 0), 10);
	assert_memory_equal(p, "\5\6\0\0STAT\r\n", 10);
	say(owner, S("\5\5\0\0+OK\r\n\5\1\0\0x\6\1\0\0\0"));
	assert_string_equal(hear(fd), "+OK\r\nx(end)");
	close(fd);
	close(owner);
	turns(3);
}

/* What the client sent behind its password is the owner's first DATA. */
static void
test_pipelined(void **state)
{
	int	fd = dial(), owner;
	char	p[100];

	(void)state;
	say(fd, S("USER x\r\nPASS y\r\nUSER ok\r\nPASS pw\r\nSTAT\r\nRE"));
	owner = accept_owner();
	assert_int_not_equal(owner, -1);
	expect_hello(owner);
	say(owner, S("\2\0\0\0"));
	assert_int_equal(recv(owner, p, sizeof(p), 0), 12);
	assert_memory_equal(p, "\5\10\0\0STAT\r\nRE", 12);
	/* The end of the client's bytes is told. */
	shutdown(fd, SHUT_WR);
	turns(5);
	assert_int_equal(recv(owner, p, sizeof(p), 0), 5);
	assert_memory_equal(p, "\6\1\0\0\1", 5);
	say(owner, S("\5\3\0\0bye\6\1\0\0\0"));
	assert_non_null(strstr(hear(fd), "logged in\r\nbye(end)"));
	close(fd);
	close(owner);
	turns(3);
}

static void
test_refused(void **state)
{
	static const struct {
		struct str	 in;		/* mailboxd's answer */
		const char	*want;
	} rows[] = {
		{ STR_INIT("\3\0\0\0"), "-ERR [SYS/TEMP] the mailbox is not "
		    "available now\r\n" },
		{ STR_INIT("\3\1\0\0\0"), "-ERR [SYS/TEMP] the mailbox is not "
		    "available now\r\n" },
		{ STR_INIT("\3\1\0\0\1"), "-ERR [IN-USE] another session has "
		    "the mailbox open\r\n" },
		{ STR_INIT("\3\1\0\0\2"), "-ERR [SYS/TEMP] the mailbox is not "
		    "available now\r\n" },
		{ STR_INIT("\4\0\0\0"), "-ERR [SYS/TEMP] the mailbox is not "
		    "available now\r\n" },
		{ STR_INIT("\5\1\0\0x"), "-ERR [SYS/TEMP] the mailbox is not "
		    "available now\r\n" },
		{ STR_INIT("HTTP/1.1"), "-ERR [SYS/TEMP] the mailbox is not "
		    "available now\r\n" },
	};
	int	fd, owner;
	size_t	i;

	(void)state;
	fd = dial();
	say(fd, S("USER no\r\nPASS y\r\n"));
	assert_string_equal(hear(fd), "+OK mx.example POP3\r\n"
	    "+OK now PASS\r\n-ERR [AUTH] wrong user or password\r\n");
	say(fd, S("USER temp\r\nPASS y\r\n"));
	assert_string_equal(hear(fd), "+OK now PASS\r\n"
	    "-ERR [SYS/TEMP] no login now, try again later\r\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(fd, S("USER ok\r\nPASS y\r\n"));
		owner = accept_owner();
		assert_int_not_equal(owner, -1);
		expect_hello(owner);
		hear(fd);
		say(owner, rows[i].in);
		assert_string_equal(hear(fd), rows[i].want);
		assert_int_equal(recv(owner, &(char){ 0 }, 1, 0), 0);
		close(owner);
	}
	say(fd, S("QUIT\r\n"));
	assert_string_equal(hear(fd), "+OK bye\r\n(end)");
	close(fd);
	turns(3);
}

/* mailboxd dies before it answers: HELLO is said again. */
static void
test_again(void **state)
{
	int fd = dial(), owner, i;

	(void)state;
	hear(fd);
	say(fd, S("USER ok\r\nPASS pw\r\n"));
	owner = accept_owner();
	expect_hello(owner);
	close(owner);
	owner = -1;
	for (i = 0; i < 6000 && owner == -1; i++) {
		loop_turn(10);
		owner = accept4(mailboxd_fd, NULL, NULL, SOCK_NONBLOCK);
	}
	assert_int_not_equal(owner, -1);
	expect_hello(owner);
	say(owner, S("\2\0\0\0"));
	assert_string_equal(hear(fd), "+OK now PASS\r\n+OK logged in\r\n");
	/* From here on its end is the session's end. */
	close(owner);
	assert_string_equal(hear(fd), "(end)");
	close(fd);
	turns(3);
}

/* authd dies with the question: a new one is asked again. */
static void
test_authd_again(void **state)
{
	int fd = dial(), owner, i;

	(void)state;
	mute = true;
	say(fd, S("USER ok\r\nPASS pw\r\n"));
	mute = false;
	questions = 0;
	chan_close(authd);
	authd = NULL;
	for (i = 0; i < 6000 && questions == 0; i++)
		loop_turn(10);
	assert_int_equal(questions, 1);
	assert_string_equal(password, "pw");
	owner = accept_owner();
	expect_hello(owner);
	close(fd);
	turns(3);
	close(owner);
	turns(3);
}

static void
test_limits(void **state)
{
	int fd[PER_ADDRESS], extra, i;

	(void)state;
	for (i = 0; i < PER_ADDRESS; i++)
		fd[i] = dial();
	extra = dial();
	assert_string_equal(hear(extra), "-ERR [SYS/TEMP] too many "
	    "connections from your address\r\n(end)");
	close(extra);
	close(fd[0]);
	turns(3);
	fd[0] = dial();
	assert_string_equal(hear(fd[0]), "+OK mx.example POP3\r\n");
	for (i = 0; i < PER_ADDRESS; i++)
		close(fd[i]);
	turns(5);
}

/* Frames that no owner sends end the session. */
static void
test_hostile_owner(void **state)
{
	static const struct str rows[] = {
		STR_INIT("\1\0\0\0"), STR_INIT("\2\0\0\0"),
		STR_INIT("\3\0\0\0"), STR_INIT("\7\0\0\0"),
		STR_INIT("\11\0\0\0"), STR_INIT("\77\0\0\0"),
		STR_INIT("\5\377\377\377"),
	};
	int	fd, owner;
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fd = log_in(&owner);
		say(owner, rows[i]);
		assert_string_equal(hear(fd), "(end)");
		close(fd);
		close(owner);
		turns(3);
	}
}

/* Who does not read is not read from; later all of it arrives. */
static void
flow(int from, int to, bool frames)
{
	static char	piece[4096], sink[65536];
	size_t		sent = 0, got = 0, i, stalled;
	ssize_t		n;
	struct buf	b;

	buf_init(&b, 10000);
	frame_add_data(&b, str_of(piece, sizeof(piece) - 4));
	for (i = 0; i < 20000; i++) {
		n = frames ? send(from, buf_cstr(&b), b.n,
		    MSG_DONTWAIT | MSG_NOSIGNAL) : send(from, piece,
		    sizeof(piece), MSG_DONTWAIT | MSG_NOSIGNAL);
		/* A part of a frame is no frame. */
		while (frames && n > 0 && (size_t)n < b.n) {
			ssize_t m = send(from, b.p + b.at + n, b.n -
			    (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);

			if (m > 0)
				n += m;
			turns(1);
			if (m <= 0)
				break;
		}
		if (n > 0)
			sent += (size_t)n;
		if (n != (ssize_t)b.n && n != (ssize_t)sizeof(piece))
			break;
		turns(1);
	}
	stalled = sent;
	/* Both sockets' buffers and the front's own: not all of 80 MB. */
	assert_true(stalled > 100000);
	assert_true(stalled < 40 * 1000 * 1000);
	for (i = 0; i < 200000 && got < stalled - 2 * sizeof(piece); i++) {
		n = recv(to, sink, sizeof(sink), MSG_DONTWAIT);
		if (n > 0)
			got += (size_t)n;
		turns(1);
	}
	assert_true(got >= stalled - stalled / 1000 - 2 * sizeof(piece));
	buf_clear(&b);
}

static void
test_back_pressure(void **state)
{
	int fd, owner;

	(void)state;
	fd = log_in(&owner);
	flow(fd, owner, false);
	close(fd);
	close(owner);
	turns(5);
	fd = log_in(&owner);
	flow(owner, fd, true);
	close(fd);
	close(owner);
	turns(5);
}

/*
 * Fills what is between an owner and a client that reads nothing; `at` is
 * what is sent of the frame under way.
 */
static void
fill(int owner, size_t *at)
{
	static char	piece[4096];
	struct buf	b;
	ssize_t		n;

	buf_init(&b, 10000);
	frame_add_data(&b, str_of(piece, sizeof(piece)));
	while ((n = send(owner, b.p + b.at + *at, b.n - *at,
	    MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
		*at = (*at + (size_t)n) % b.n;
		turns(2);
	}
	buf_clear(&b);
}

static bool
is_gone(int fd)
{
	char p[1];

	return recv(fd, p, 1, MSG_DONTWAIT) != -1 || errno != EAGAIN;
}

/*
 * ATTACKS C-07, E-04: who takes nothing is left, after a time, and does not
 * keep his owner; who takes a little now and then is not.
 */
static void
test_stall(void **state)
{
	static char	sink[1 << 20];
	int		fd, owner, i;
	size_t		at = 0;
	int64_t		start;
	bool		gone = false;

	(void)state;
	fd = log_in(&owner);
	fill(owner, &at);
	clock_tick();
	for (start = clock_now(); clock_now() - start < 1500;) {
		/* The kernel has much of it: until the front can go on. */
		for (i = 0; i < 20; i++) {
			recv(fd, sink, sizeof(sink), MSG_DONTWAIT);
			turns(2);
		}
		fill(owner, &at);
		loop_turn(50);
	}
	assert_false(is_gone(owner));
	for (start = clock_now(); clock_now() - start < 5000 && !gone;) {
		fill(owner, &at);
		loop_turn(50);
		gone = is_gone(owner);
	}
	assert_true(gone);
	assert_true(clock_now() - start >= 900);
	close(fd);
	close(owner);
	turns(3);
}

/* Last: who talks is told, who is logged in is left to its owner. */
static void
test_stop(void **state)
{
	int	fd, owner, talking;
	char	p[100];

	(void)state;
	fd = log_in(&owner);
	talking = dial();
	hear(talking);
	front_stop(NULL);
	assert_string_equal(hear(talking),
	    "-ERR [SYS/TEMP] going down\r\n(end)");
	assert_int_equal(recv(owner, p, sizeof(p), MSG_DONTWAIT), 5);
	assert_memory_equal(p, "\6\1\0\0\2", 5);
	assert_string_equal(hear(fd), "");
	say(owner, S("\5\3\0\0bye\6\1\0\0\0"));
	assert_string_equal(hear(fd), "bye(end)");
	/* The loop ends by itself. */
	assert_int_equal(loop_run(), 0);
	close(fd);
	close(owner);
	close(talking);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_authd_again),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hostile_owner),
		cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
