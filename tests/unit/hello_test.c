/*
 * hello_test - who is let in by the monitor: a real socket and a real loop;
 * only the owner behind it is the test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/ipc/frame.h"
#include "common/ipc/ticket.h"
#include "common/net/stream.h"
#include "mailboxd/hello.h"
#include "mailboxd/monitor.h"

enum { WALL = 1700000000, SID = 77 };

static struct ticket_keys	keys;		/* of the test's authd */
static struct sockaddr_un	door[2];	/* imap, pop3 */
static bool			has_keys;	/* all that there are */
static struct {
	unsigned	n, service;
	uint64_t	mailbox, sid;
	uint32_t	tenant, shard;
	char		user[321], client[65];
} let;

/* In place of the monitor's. */
void
monitor_work(const struct work_for *w)
{
	let.n++;
	let.service = w->service;
	let.mailbox = w->mailbox;
	let.tenant = w->tenant;
	let.shard = w->shard;
	let.sid = w->sid;
	snprintf(let.user, sizeof(let.user), "%.*s", (int)w->user.n,
	    w->user.p);
	snprintf(let.client, sizeof(let.client), "%.*s", (int)w->client.n,
	    w->client.p);
	/* An owner would say so. */
	(void)!write(w->fd, "\2\0\0\0", 4);
	close(w->fd);
}

bool
monitor_has_keys(void)
{
	return has_keys;
}

static int
listen_at(struct sockaddr_un *sun)
{
	socklen_t	len = sizeof(*sun);
	int		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	/* An address of the kernel's choice, in no directory. */
	sun->sun_family = AF_UNIX;
	assert_int_equal(bind(fd, (struct sockaddr *)sun,
	    sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sun, &len), 0);
	return fd;
}

static int
setup(void **state)
{
	(void)state;
	log_level(LOG_ERROR);
	clock_set(1000, (int64_t)WALL * 1000);
	ticket_keys_add(&keys, 1, S("0123456789abcdef0123456789abcdef"));
	loop_init();
	hello_init();
	stream_init();
	hello_listen(listen_at(&door[0]), SERVICE_IMAP);
	hello_listen(listen_at(&door[1]), SERVICE_POP3);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	hello_stop();
	loop_free();
	return 0;
}

static struct ticket
good(void)
{
	return (struct ticket){ .kind = TICKET_LOGIN, .service = SERVICE_IMAP,
	    .serial = 1, .sid = SID, .mailbox = 5, .tenant = 2, .shard = 3,
	    .expires = (int64_t)WALL * 1000 + TICKET_LOGIN_MS,
	    .user = "anna@example.org" };
}

static int
open_door(int which)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&door[which],
	    sizeof(sa_family_t) + 6), 0);
	return fd;
}

/* What the door answers to these bytes; 0 for nothing but the end. */
static int
knock(int which, struct str bytes, size_t piece)
{
	int	fd = open_door(which), turns;
	char	c = 0;
	ssize_t	n = -1;

	while (bytes.n > 0) {
		struct str part = str_sub(bytes, 0, piece);

		assert_int_equal(send(fd, part.p, part.n, MSG_NOSIGNAL),
		    part.n);
		bytes = str_from(bytes, piece);
		if (piece < 1000)
			loop_turn(0);
	}
	for (turns = 0; turns < 20 && n == -1; turns++) {
		loop_turn(0);
		n = recv(fd, &c, 1, MSG_DONTWAIT);
	}
	close(fd);
	loop_turn(0);
	if (n == -1)
		return -1;
	return n == 0 ? 0 : c;
}

static void
make(struct buf *b, const struct ticket *t, enum service service,
    uint64_t sid, struct str resume)
{
	struct buf sealed;

	buf_init(&sealed, TICKET_MAX);
	ticket_seal(&keys, t, &sealed);
	buf_reset(b);
	hello_add(b, &(struct hello){ service, sid, buf_str(&sealed),
	    S("192.0.2.1"), resume });
	buf_clear(&sealed);
}

static void
test_keys(void **state)
{
	struct ticket	t = good();
	struct buf	b;

	(void)state;
	buf_init(&b, 10000);
	make(&b, &t, SERVICE_IMAP, SID, S(""));
	/* No key yet: neither yes nor no. */
	assert_int_equal(knock(0, buf_str(&b), SIZE_MAX), -1);
	hello_key(1, S("0123456789abcdef0123456789abcdef"));
	assert_int_equal(knock(0, buf_str(&b), SIZE_MAX), FRAME_READY);
	assert_int_equal(let.n, 1);
	assert_int_equal(let.mailbox, 5);
	assert_int_equal(let.tenant, 2);
	assert_int_equal(let.shard, 3);
	assert_int_equal(let.sid, SID);
	assert_int_equal(let.service, SERVICE_IMAP);
	assert_string_equal(let.user, "anna@example.org");
	assert_string_equal(let.client, "192.0.2.1");
	/* Once. */
	assert_int_equal(knock(0, buf_str(&b), SIZE_MAX), FRAME_UNAVAILABLE);
	assert_int_equal(let.n, 1);
	buf_clear(&b);
}

/* A key that we do not hold is waited for, but not when there is none. */
static void
test_unknown_key(void **state)
{
	struct ticket_keys	one = keys;
	struct ticket		t = good();
	struct buf		b;
	unsigned		before = let.n;
	int			fd;
	char			c = 0;

	(void)state;
	t.serial = 50;
	ticket_keys_add(&keys, 2, S("fedcba9876543210fedcba9876543210"));
	buf_init(&b, 10000);
	make(&b, &t, SERVICE_IMAP, SID, S(""));
	keys = one;

	has_keys = true;
	assert_int_equal(knock(0, buf_str(&b), SIZE_MAX), FRAME_UNAVAILABLE);
	assert_int_equal(knock(0, buf_str(&b), 1), FRAME_UNAVAILABLE);

	/* authd is away, and what is back has another key. */
	has_keys = false;
	fd = open_door(0);
	assert_int_equal(send(fd, buf_cstr(&b), b.n, MSG_NOSIGNAL), b.n);
	loop_turn(0);
	loop_turn(0);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
	hello_key(1, S("0123456789abcdef0123456789abcdef"));
	has_keys = true;
	loop_turn(0);
	loop_turn(0);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 1);
	assert_int_equal(c, FRAME_UNAVAILABLE);
	close(fd);

	/* It has this one: whoever waits is let in. */
	has_keys = false;
	fd = open_door(0);
	assert_int_equal(send(fd, buf_cstr(&b), b.n, MSG_NOSIGNAL), b.n);
	loop_turn(0);
	loop_turn(0);
	assert_int_equal(let.n, before);
	has_keys = true;
	hello_key(2, S("fedcba9876543210fedcba9876543210"));
	assert_int_equal(let.n, before + 1);
	loop_turn(0);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 1);
	assert_int_equal(c, FRAME_READY);
	close(fd);
	loop_turn(0);
	buf_clear(&b);
}

static void
test_refused(void **state)
{
	struct ticket	t;
	struct buf	b;
	uint64_t	serial = 100;
	unsigned	before = let.n;

	(void)state;
	buf_init(&b, 10000);
#define TRY(door_, change, service_, sid_, resume_, want) do { \
		t = good(); \
		t.serial = serial++; \
		change; \
		make(&b, &t, service_, sid_, resume_); \
		assert_int_equal(knock(door_, buf_str(&b), SIZE_MAX), want); \
	} while (0)
	TRY(1, (void)0, SERVICE_IMAP, SID, S(""), FRAME_UNAVAILABLE);
	TRY(1, (void)0, SERVICE_POP3, SID, S(""), FRAME_UNAVAILABLE);
	TRY(0, (void)0, SERVICE_POP3, SID, S(""), FRAME_UNAVAILABLE);
	TRY(0, t.service = SERVICE_SUBMISSION, SERVICE_IMAP, SID, S(""),
	    FRAME_UNAVAILABLE);
	TRY(0, t.kind = TICKET_SUBMIT, SERVICE_IMAP, SID, S(""),
	    FRAME_UNAVAILABLE);
	TRY(0, (void)0, SERVICE_IMAP, SID + 1, S(""), FRAME_UNAVAILABLE);
	TRY(0, t.expires = (int64_t)WALL * 1000 - 1, SERVICE_IMAP, SID, S(""),
	    FRAME_UNAVAILABLE);
	TRY(0, (void)0, SERVICE_IMAP, SID, S("parked"), FRAME_UNAVAILABLE);
	assert_int_equal(let.n, before);
	TRY(0, (void)0, SERVICE_IMAP, SID, S(""), FRAME_READY);
	TRY(1, t.service = SERVICE_POP3, SERVICE_POP3, SID, S(""),
	    FRAME_READY);
	assert_int_equal(let.n, before + 2);
	buf_clear(&b);
}

static void
test_malformed(void **state)
{
	struct ticket	t = good();
	struct buf	b;
	unsigned	before = let.n;

	(void)state;
	buf_init(&b, 10000);
	t.serial = 200;
	make(&b, &t, SERVICE_IMAP, SID, S(""));
	/* Byte by byte it is as good. */
	assert_int_equal(knock(0, buf_str(&b), 1), FRAME_READY);
	assert_int_equal(let.n, before + 1);
	t.serial = 201;
	make(&b, &t, SERVICE_IMAP, SID, S(""));
	buf_addc(&b, FRAME_DATA);		/* not before the answer */
	assert_int_equal(knock(0, buf_str(&b), SIZE_MAX), 0);
	assert_int_equal(knock(0, S("\5\1\0\0x"), SIZE_MAX), 0);
	assert_int_equal(knock(0, S("GET / HTTP/1.1\r\n"), SIZE_MAX), 0);
	assert_int_equal(knock(0, S("\1\0\0\0"), SIZE_MAX), 0);
	assert_int_equal(knock(0, S("\1\377\377\377"), SIZE_MAX), 0);
	/* Cut short: it waits for more. */
	assert_int_equal(knock(0, str_sub(buf_str(&b), 0, b.n / 2), SIZE_MAX),
	    -1);
	assert_int_equal(let.n, before + 1);
	/* Tampered with in each byte of the ticket: refused at once. */
	make(&b, &t, SERVICE_IMAP, SID, S(""));
	for (size_t i = FRAME_HEADER + 1 + 8 + 4; i < b.n - 17; i += 7) {
		b.p[b.at + i] ^= 1;
		assert_int_equal(knock(0, buf_str(&b), SIZE_MAX),
		    FRAME_UNAVAILABLE);
		b.p[b.at + i] ^= 1;
	}
	assert_int_equal(let.n, before + 1);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_unknown_key),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_malformed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
