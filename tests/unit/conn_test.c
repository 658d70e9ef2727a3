/*
 * conn_test - a session in the owner, between a socket and an engine over
 * a model of the store: nothing leaves before it may, frames in pieces, the
 * ends of a session, a client that does not read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/ipc/frame.h"
#include "common/net/stream.h"
#include "mailboxd/conn.h"
#include "tests/lib/model_store.h"

static struct model_store	*model;
static struct conn		*s;
static int			 peer;		/* the front's end */
static struct buf		 got;		/* bytes of DATA */
static struct buf		 raw;		/* not yet whole frames */
static bool			 durable;	/* may output leave? */
static int			 closed;	/* reason of CLOSE, or -1 */
static bool			 ready;

/* The owner's turn. */
static void
on_turn(void *arg)
{
	(void)arg;
	if (s == NULL)
		return;
	if (durable)
		conn_send(s);
	if (conn_is_over(s)) {
		conn_free(s);
		s = NULL;
	} else if (conn_work(s) && durable)
		loop_again();
}

static void
take(void)
{
	struct frame	f;
	size_t		used;
	char		p[4096];
	ssize_t		n;

	while ((n = recv(peer, p, sizeof(p), MSG_DONTWAIT)) > 0)
		buf_add(&raw, str_of(p, (size_t)n));
	while (frame_next(buf_str(&raw), &f, &used) == FRAME_GOT) {
		assert_int_equal(closed, -1);
		if (f.type == FRAME_DATA)
			buf_add(&got, f.body);
		else if (f.type == FRAME_CLOSE)
			closed = (unsigned char)f.body.p[0];
		else {
			assert_int_equal(f.type, FRAME_READY);
			ready = true;
		}
		buf_drop(&raw, used);
	}
}

static void
turns(int n)
{
	while (n-- > 0) {
		loop_turn(0);
		take();
	}
}

static void
say(struct str text)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	frame_add_data(&b, text);
	assert_int_equal(send(peer, buf_cstr(&b), b.n, MSG_NOSIGNAL), b.n);
	buf_clear(&b);
}

static void
begin(enum service service)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    pair), 0);
	model = model_store_new();
	model_store_add(model, "INBOX", S("A: b\r\n\r\nbody\r\n"), 0, 0);
	buf_init(&got, 64 << 20);
	buf_init(&raw, 1 << 20);
	peer = pair[1];
	closed = -1;
	durable = true;
	ready = false;
	s = conn_new(&model->store, pair[0], &(struct msg_owner_session){
	    .sid = 1, .service = (uint8_t)service, .user = S("u"),
	    .client = S("192.0.2.1") });
	assert_non_null(s);
	turns(3);
	assert_true(ready);
}

static void
finish(void)
{
	if (peer != -1)
		close(peer);
	turns(5);
	assert_null(s);
	assert_int_equal(model->opens, 0);
	model_store_free(model);
	buf_clear(&got);
	buf_clear(&raw);
}

static int
setup(void **state)
{
	(void)state;
	log_level(LOG_ERROR);
	conf_defaults();
	loop_init();
	loop_hook(on_turn, NULL);
	stream_init();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	loop_free();
	return 0;
}

/* Not one byte before the turn is durable. */
static void
test_held(void **state)
{
	(void)state;
	begin(SERVICE_POP3);
	durable = false;
	say(S("STAT\r\nDELE 1\r\nQUIT\r\n"));
	turns(10);
	assert_int_equal(got.n + raw.n, 0);
	assert_int_equal(model_store_folder(model, "INBOX")->n, 0);
	durable = true;
	loop_again();
	turns(5);
	assert_string_equal(buf_cstr(&got),
	    "+OK 1 14\r\n+OK marked\r\n+OK bye\r\n");
	assert_int_equal(closed, CLOSE_DONE);
	finish();
}

/* A message that the store is not done with: what is behind it waits. */
static void
test_append_waits(void **state)
{
	(void)state;
	begin(SERVICE_IMAP);
	model->slow = true;
	say(S("a APPEND INBOX {3+}\r\nxyz\r\nb NOOP\r\n"));
	turns(5);
	say(S("c LOGOUT\r\n"));
	turns(5);
	assert_int_equal(got.n, 0);
	assert_int_equal(model_store_folder(model, "INBOX")->n, 1);
	model->slow = false;
	loop_again();
	turns(9);
	assert_true(str_starts(buf_str(&got),
	    S("a OK [APPENDUID 1 2] appended\r\nb OK")));
	assert_int_equal(model_store_folder(model, "INBOX")->n, 2);
	assert_int_equal(closed, CLOSE_DONE);
	finish();
}

static void
test_pieces(void **state)
{
	struct str	text = S("STAT\r\nRETR 1\r\nNOOP\r\n");
	struct buf	b;
	size_t		i;

	(void)state;
	begin(SERVICE_POP3);
	buf_init(&b, 1 << 16);
	for (i = 0; i < text.n; i += 3)
		frame_add(&b, FRAME_DATA, str_sub(text, i, 3));
	for (i = 0; i < b.n; i++) {
		assert_int_equal(send(peer, b.p + b.at + i, 1, 0), 1);
		turns(1);
	}
	turns(3);
	assert_string_equal(buf_cstr(&got), "+OK 1 14\r\n+OK 14 octets\r\n"
	    "A: b\r\n\r\nbody\r\n.\r\n+OK done\r\n");
	buf_clear(&b);
	finish();
}

static void
test_imap(void **state)
{
	(void)state;
	begin(SERVICE_IMAP);
	say(S("a SELECT INBOX\r\nb FETCH 1 BODY.PEEK[TEXT]\r\nc LOGOUT\r\n"));
	turns(10);
	assert_true(str_find(buf_str(&got), S("* 1 EXISTS\r\n")) != -1);
	assert_true(str_find(buf_str(&got), S("{6}\r\nbody\r\n)")) != -1);
	assert_true(str_find(buf_str(&got), S("\r\nc OK ")) != -1);
	assert_int_equal(closed, CLOSE_DONE);
	finish();
}

/* What another session or a delivery changes is pushed, without input. */
static void
test_push(void **state)
{
	(void)state;
	begin(SERVICE_IMAP);
	say(S("a SELECT INBOX\r\nb IDLE\r\n"));
	turns(5);
	buf_reset(&got);
	model_store_add(model, "INBOX", S("new"), 0, 0);
	loop_again();
	turns(5);
	assert_true(str_find(buf_str(&got), S("* 2 EXISTS\r\n")) != -1);
	finish();
}

/* The client closed its side: its commands still get their answers. */
static void
test_half_closed(void **state)
{
	struct buf b;

	(void)state;
	begin(SERVICE_POP3);
	buf_init(&b, 1000);
	frame_add_data(&b, S("STAT\r\nRETR 1\r\nDELE 1\r\nNO"));
	frame_add_close(&b, CLOSE_LOST);
	assert_int_equal(send(peer, buf_cstr(&b), b.n, 0), b.n);
	turns(10);
	assert_string_equal(buf_cstr(&got), "+OK 1 14\r\n+OK 14 octets\r\n"
	    "A: b\r\n\r\nbody\r\n.\r\n+OK marked\r\n");
	assert_int_equal(closed, CLOSE_DONE);
	/* That was no QUIT. */
	assert_int_equal(model_store_folder(model, "INBOX")->n, 1);
	buf_clear(&b);
	finish();
}

static void
test_stopping(void **state)
{
	struct buf b;

	(void)state;
	begin(SERVICE_IMAP);
	buf_init(&b, 1000);
	frame_add_close(&b, CLOSE_STOPPING);
	assert_int_equal(send(peer, buf_cstr(&b), b.n, 0), b.n);
	turns(5);
	assert_true(str_starts(buf_str(&got), S("* BYE ")));
	assert_int_equal(closed, CLOSE_DONE);
	buf_clear(&b);
	finish();
}

/* A session that has done something gets this, and ends without a word. */
static void
ends_by(struct str frame)
{
	begin(SERVICE_POP3);
	say(S("DELE 1\r\n"));
	turns(3);
	buf_reset(&got);
	assert_int_equal(send(peer, frame.p, frame.n, 0), frame.n);
	turns(3);
	assert_null(s);
	assert_int_equal(got.n, 0);
	assert_int_equal(model_store_folder(model, "INBOX")->n, 1);
}

/* Frames that no front sends: the session ends without a word. */
static void
test_hostile(void **state)
{
	static const struct str rows[] = {
		STR_INIT("\1\0\0\0"), STR_INIT("\2\0\0\0"),
		STR_INIT("\3\0\0\0"), STR_INIT("\12\0\0\0"),
		STR_INIT("\5\377\377\377"), STR_INIT("\0\0\0\0"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ends_by(rows[i]);
		finish();
	}
}

/* COMPRESS, UNAUTHENTICATE, PARK, MOVED: a clear no, and the end. */
static void
test_reserved(void **state)
{
	static const struct str rows[] = {
		STR_INIT("\7\0\0\0"), STR_INIT("\10\0\0\0"),
		STR_INIT("\11\0\0\0"), STR_INIT("\4\0\0\0"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ends_by(rows[i]);
		assert_int_equal(closed, CLOSE_REFUSED);
		finish();
	}
}

static char big[8 << 20];

/* A client that reads nothing costs a bounded amount, then gets it all. */
static void
test_slow(void **state)
{
	unsigned	before, stalled;
	int		i;

	(void)state;
	memset(big, 'x', sizeof(big));
	begin(SERVICE_IMAP);
	model_store_add(model, "INBOX", str_of(big, sizeof(big)), 0, 0);
	say(S("a SELECT INBOX\r\n"));
	turns(5);
	buf_reset(&got);
	before = model->reads;
	say(S("b FETCH 2 BODY.PEEK[]\r\n"));
	for (i = 0; i < 300; i++)
		loop_turn(0);
	/* The socket's buffer, the stream, the engine: far from 8 MiB. */
	stalled = model->reads - before;
	assert_true(stalled > 0);
	for (i = 0; i < 200000 && got.n < sizeof(big); i++)
		turns(1);
	assert_true(got.n > sizeof(big));
	assert_true(stalled < (model->reads - before) / 2);
	finish();
}

/* A session that is silent for a second is over; a large message under way. */
static void
begin_impatient(enum service service)
{
	conf_put(C_MAILBOX_POP3_IDLE, "1");
	conf_put(C_MAILBOX_IMAP_IDLE, "1");
	begin(service);
	conf_defaults();
	memset(big, 'x', sizeof(big));
	model_store_add(model, "big", str_of(big, sizeof(big)), 0, 0);
}

/* A client that takes a large message slowly says nothing for long. */
static void
test_slow_is_not_silent(void **state)
{
	int64_t	start, now;

	(void)state;
	begin_impatient(SERVICE_IMAP);
	say(S("a SELECT big\r\nb FETCH 1 BODY.PEEK[]\r\n"));
	clock_tick();
	start = clock_now();
	while ((now = clock_now() - start) < 2500) {
		assert_non_null(s);
		if (got.n < (size_t)now * 2500)
			take();
		loop_turn(50);
	}
	assert_true(got.n < sizeof(big));
	while (s != NULL && got.n < sizeof(big))
		turns(1);
	assert_true(got.n > sizeof(big));
	assert_int_equal(str_find(buf_str(&got), S("BYE")), -1);
	finish();
}

/* One that takes none of it does not stay for ever. */
static void
test_takes_nothing(void **state)
{
	int64_t start;

	(void)state;
	begin_impatient(SERVICE_IMAP);
	say(S("a SELECT big\r\nb FETCH 1 BODY.PEEK[]\r\n"));
	clock_tick();
	for (start = clock_now(); s != NULL && clock_now() - start < 5000;)
		loop_turn(50);
	assert_null(s);
	finish();
}

/* The front is gone: so is the session, at once, with nothing deleted. */
static void
test_front_gone(void **state)
{
	(void)state;
	begin(SERVICE_POP3);
	say(S("DELE 1\r\n"));
	turns(3);
	close(peer);
	peer = -1;
	turns(3);
	assert_null(s);
	assert_int_equal(model_store_folder(model, "INBOX")->n, 1);
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_append_waits),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_imap),
		cmocka_unit_test(test_push),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_stopping),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_slow_is_not_silent),
		cmocka_unit_test(test_takes_nothing),
		cmocka_unit_test(test_front_gone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
