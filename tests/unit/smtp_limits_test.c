/*
 * smtp_limits_test - the limits of the SMTP engine, each just below, at and
 * above; a client that never reads; how a session ends in each state.
 * ATTACKS ids in comments.
 */
#include "common/core/base64.h"
#include "tests/lib/smtp_confs.h"

static void
fill(struct buf *b, char c, size_t n)
{
	char *p = buf_room(b, n);

	memset(p, c, n);
	buf_grow(b, n);
}

static void
expect(struct drive *d, const char *codes)
{
	struct buf got;

	buf_init(&got, 1 << 24);
	drive_codes(d, false, &got);
	assert_string_equal(buf_cstr(&got), codes);
	buf_clear(&got);
}

/* E-01: a line at 4095, 4096, 4097 bytes with its CRLF; and without end. */
static void
long_commands(void **state)
{
	static const size_t	pieces[] = { 0, 1, 7, 5000 };
	struct buf		in;
	struct drive		d;
	size_t			n, i;

	(void)state;
	buf_init(&in, 1 << 24);
	for (n = 4095; n <= 4097; n++) {
		for (i = 0; i < 4; i++) {
			buf_reset(&in);
			buf_addz(&in, HELO "NOOP ");
			fill(&in, 'x', n - 7);
			buf_addz(&in, "\r\nHELP\r\n");
			drive_init(&d, &mx, DRIVE_AT_ONCE);
			drive_pieces(&d, buf_str(&in), pieces[i], 5);
			expect(&d, n <= 4096 ? "220 250 250 214" :
			    "220 250 500 214");
			assert_true(d.kept < 4096);
			drive_clear(&d);
		}
	}
	for (n = 65536; n <= 65537; n++) {
		buf_reset(&in);
		buf_addz(&in, HELO);
		fill(&in, 'x', n - 2);
		buf_addz(&in, "\r\nHELP\r\n");
		for (i = 0; i < 4; i++) {
			drive_init(&d, &mx, DRIVE_AT_ONCE);
			drive_pieces(&d, buf_str(&in), pieces[i], 5);
			expect(&d, n == 65536 ? "220 250 500 214" :
			    "220 250 500 closed");
			drive_clear(&d);
		}
	}
	/* First of all, and for ever: refused at once. */
	buf_reset(&in);
	buf_addz(&in, "EHLO ");
	fill(&in, 'x', 1 << 20);
	drive_init(&d, &mx, DRIVE_AT_ONCE);
	drive_pieces(&d, buf_str(&in), 1500, 1);
	expect(&d, "220 500 closed");
	drive_clear(&d);
	buf_clear(&in);
}

/* a true end and false ones around the edges of buffers. */
static void
edges(void **state)
{
	static const size_t	edge[] = { 1024, 4096, 8192, 16384, 65536 };
	static const struct str	ends[] = {
		STR_INIT("\r\n.\r\n"), STR_INIT("\n.\n"), STR_INIT("\r.\r"),
		STR_INIT("\r\n.\n"), STR_INIT("\r\n.\r.\r\n"),
	};
	struct buf	in;
	struct drive	d;
	size_t		i, k, at, head = strlen(DATA);

	(void)state;
	buf_init(&in, 1 << 20);
	for (i = 0; i < 5; i++) {
		for (at = edge[i] - 8; at <= edge[i] + 4; at++) {
			for (k = 0; k < 5; k++) {
				buf_reset(&in);
				buf_addz(&in, DATA "A: b\r\n\r\n");
				fill(&in, 'y', at - head - 8);
				buf_add(&in, ends[k]);
				buf_addz(&in, "NOOP\r\n");
				drive_init(&d, &mx, DRIVE_AT_ONCE);
				drive_pieces(&d, buf_str(&in), 0, 0);
				expect(&d, k == 0 ?
				    "220 250 250 250 354 250 250" :
				    "220 250 250 250 354 521 closed");
				drive_clear(&d);
				/* In pieces that end at the edge. */
				drive_init(&d, &mx, DRIVE_AT_ONCE);
				drive_feed(&d, str_sub(buf_str(&in), 0,
				    edge[i]));
				drive_feed(&d, str_from(buf_str(&in),
				    edge[i]));
				expect(&d, k == 0 ?
				    "220 250 250 250 354 250 250" :
				    "220 250 250 250 354 521 closed");
				drive_clear(&d);
			}
		}
	}
	buf_clear(&in);
}

/* A-04, E-03: the limits of the table, with the default numbers. */
static void
default_limits(void **state)
{
	static const struct {
		size_t		line, times;
		const char	*head;
		const char	*code;
	} rows[] = {
		{ 997, 1, "\r\n", "250" }, { 998, 1, "\r\n", "250" },
		{ 999, 1, "\r\n", "250" }, { 1001, 1, "\r\n", "250" },
		{ 2048, 1, "\r\n", "250" }, { 99999, 1, "\r\n", "250" },
		{ 100000, 1, "\r\n", "250" }, { 100001, 1, "\r\n", "550" },
		/* One field: "A:" CRLF, then lines that go on. */
		{ 65534, 3, "A:\r\n", "250" },
		{ 65534, 4, "A:\r\n", "552" },
		/* The header: 65536 bytes each. */
		{ 65534, 15, "A: b\r\n\r\n", "250" },
	};
	struct buf	in;
	struct drive	d;
	size_t		i, k;
	bool		fold;
	char		want[80];

	(void)state;
	buf_init(&in, 1 << 24);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&in);
		buf_addz(&in, DATA);
		buf_addz(&in, rows[i].head);
		fold = strcmp(rows[i].head, "A:\r\n") == 0;
		for (k = 0; k < rows[i].times; k++) {
			fill(&in, fold ? ' ' : 'x', rows[i].line);
			buf_addz(&in, "\r\n");
		}
		buf_addz(&in, ".\r\n");
		drive_init(&d, &mx, DRIVE_AT_ONCE);
		drive_pieces(&d, buf_str(&in), 60000, 3);
		snprintf(want, sizeof(want), "220 250 250 250 354 %s",
		    rows[i].code);
		expect(&d, want);
		drive_clear(&d);
	}
	/* Many fields: 1 MiB in all is accepted, a byte more is not. */
	for (k = 0; k < 2; k++) {
		buf_reset(&in);
		buf_addz(&in, DATA);
		for (i = 0; i < 16; i++) {
			buf_addz(&in, "A: ");
			fill(&in, 'x', 65536 - 5 - (i == 0 ? 2 - k : 0));
			buf_addz(&in, "\r\n");
		}
		buf_addz(&in, "\r\n.\r\n");
		drive_init(&d, &mx, DRIVE_AT_ONCE);
		drive_pieces(&d, buf_str(&in), 60000, 3);
		expect(&d, k == 0 ? "220 250 250 250 354 250" :
		    "220 250 250 250 354 552");
		drive_clear(&d);
	}
	buf_clear(&in);
}

/* The size limit at its edge, without the driver: 50 MiB are not kept. */
static void
message_size(void **state)
{
	static char		line[65536];
	struct smtp		s;
	struct smtp_event	ev;
	uint64_t		left, n;
	int			over, codes;
	struct str		piece;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	for (over = 0; over < 2; over++) {
		smtp_init(&s, &mx);
		smtp_greet(&s);
		smtp_feed(&s, S(DATA "\r\n"));
		while (smtp_next(&s, &ev)) {
			if (ev.id != 0)
				assert_int_equal(smtp_answer(&s, ev.id,
				    SMTP_OK), 0);
		}
		left = mx.limits.data.message - 2 + (uint64_t)over;
		while (left > 0) {
			n = left > sizeof(line) ? sizeof(line) : left;
			/* Never cut between CR and LF, nor leave 1 byte. */
			if (left - n == 1)
				n--;
			piece = str_of(line + sizeof(line) - n, n);
			smtp_feed(&s, piece);
			while (smtp_next(&s, &ev))
				assert_true(ev.kind == SMTP_EV_BYTES ||
				    (over && ev.kind == SMTP_EV_ABORT));
			assert_int_equal(smtp_taken(&s), n);
			left -= n;
		}
		smtp_feed(&s, S(".\r\n"));
		codes = 0;
		while (smtp_next(&s, &ev)) {
			codes += ev.kind == SMTP_EV_END;
			if (ev.kind == SMTP_EV_END)
				assert_int_equal(ev.size,
				    mx.limits.data.message);
		}
		assert_int_equal(codes, over ? 0 : 1);
		smtp_clear(&s);
	}
}

/* E-02: RCPT without end; memory and answers stay as they are. */
static void
many_recipients(void **state)
{
	struct drive	d;
	unsigned	i, k;
	struct buf	want;
	struct str	r;
	ptrdiff_t	at;

	(void)state;
	for (k = 0; k < 2; k++) {
		drive_init(&d, &mx, k == 0 ? DRIVE_AT_ONCE : DRIVE_REVERSE);
		drive_feed(&d, S(HELO "MAIL FROM:<a@x>\r\n"));
		buf_init(&want, 1 << 24);
		for (i = 0; i < 20000; i++)
			buf_addz(&want, "RCPT TO:<b@y>\r\n");
		drive_pieces(&d, buf_str(&want), 30000, 9);
		buf_clear(&want);
		r = buf_str(&d.replies);
		for (i = 0; (at = str_find(r, S(" 2.1.5 "))) != -1; i++)
			r = str_from(r, (size_t)at + 1);
		assert_int_equal(i, 1000);
		for (i = 0; (at = str_find(r, S("452 4.5.3"))) != -1; i++)
			r = str_from(r, (size_t)at + 1);
		assert_int_equal(i, 19000);
		assert_int_equal(d.most, k == 0 ? 0 : 100);
		drive_clear(&d);
	}
}

/* 99, 100, 101 questions in one packet: a hundred are open, never more. */
static void
questions(void **state)
{
	struct smtp		s;
	struct smtp_event	ev;
	struct buf		in;
	unsigned		n, i, got;
	uint32_t		ids[200];
	size_t			taken;

	(void)state;
	buf_init(&in, 1 << 20);
	for (n = 99; n <= 101; n++) {
		smtp_init(&s, &mx);
		smtp_greet(&s);
		buf_reset(&in);
		buf_addz(&in, HELO "MAIL FROM:<a@x>\r\n");
		smtp_feed(&s, buf_str(&in));
		assert_true(smtp_next(&s, &ev));
		assert_int_equal(ev.kind, SMTP_EV_MAIL);
		assert_false(smtp_next(&s, &ev));
		assert_int_equal(smtp_waits(&s), SMTP_WAITS_ANSWER);
		assert_int_equal(smtp_answer(&s, 2, SMTP_OK), 0);
		assert_int_equal(smtp_answer(&s, 2, SMTP_OK), -1);
		assert_int_equal(smtp_waits(&s), SMTP_WAITS_COMMAND);
		(void)smtp_taken(&s);
		buf_reset(&in);
		for (i = 0; i < n; i++)
			buf_addz(&in, "RCPT TO:<a@x>\r\n");
		smtp_feed(&s, buf_str(&in));
		for (got = 0; smtp_next(&s, &ev); got++)
			ids[got] = ev.id;
		assert_int_equal(got, n > 100 ? 100 : n);
		taken = smtp_taken(&s);
		assert_int_equal(taken, got * strlen("RCPT TO:<a@x>\r\n"));
		/* From the last to the first: nothing leaves until that. */
		buf_drop(&s.out, s.out.n);
		for (i = got - 1; i > 0; i--)
			assert_int_equal(smtp_answer(&s, ids[i], SMTP_OK), 0);
		assert_int_equal(s.out.n, 0);
		assert_int_equal(smtp_answer(&s, ids[0], SMTP_NO_USER), 0);
		assert_true(str_starts(buf_str(&s.out), S("550 5.1.1")));
		assert_int_equal(smtp_answer(&s, ids[0], SMTP_OK), -1);
		assert_int_equal(smtp_answer(&s, 0, SMTP_OK), -1);
		smtp_clear(&s);
	}
	buf_clear(&in);
}

/* C-07: a client that never reads is not read from either. */
static void
never_reads(void **state)
{
	struct smtp		s;
	struct smtp_event	ev;
	struct buf		in;
	size_t			all = 0, n;

	(void)state;
	buf_init(&in, 1 << 24);
	while (in.n < 1 << 20)
		buf_addz(&in, "NOOP\r\n");
	smtp_init(&s, &mx);
	smtp_greet(&s);
	for (;;) {
		smtp_feed(&s, str_from(buf_str(&in), all));
		assert_false(smtp_next(&s, &ev));
		n = smtp_taken(&s);
		if (n == 0)
			break;
		all += n;
	}
	assert_int_equal(smtp_waits(&s), SMTP_WAITS_OUTPUT);
	assert_in_range(s.out.n, SMTP_UNSENT_MAX, SMTP_UNSENT_MAX + 512);
	buf_drop(&s.out, 4096);
	assert_int_equal(smtp_waits(&s), SMTP_WAITS_COMMAND);
	smtp_feed(&s, str_from(buf_str(&in), all));
	assert_false(smtp_next(&s, &ev));
	assert_true(smtp_taken(&s) > 0);
	smtp_clear(&s);
	buf_clear(&in);
}

static enum smtp_reply
ends_with(struct smtp *s, bool *aborted)
{
	struct smtp_event ev, none;

	assert_true(smtp_next(s, &ev));
	*aborted = ev.kind == SMTP_EV_ABORT;
	if (*aborted)
		assert_true(smtp_next(s, &ev));
	assert_int_equal(ev.kind, SMTP_EV_CLOSE);
	assert_false(smtp_next(s, &none));
	assert_int_equal(smtp_waits(s), SMTP_WAITS_NOTHING);
	return ev.why;
}

/* What the caller's clock, and the client's absence, end: in each state. */
static void
ends(void **state)
{
	static const struct {
		const char	*in;
		bool		 open;
		enum smtp_waits	 waits;
	} rows[] = {
		{ "", false, SMTP_WAITS_COMMAND },
		{ HELO, false, SMTP_WAITS_COMMAND },
		{ TX, true, SMTP_WAITS_COMMAND },
		{ TX "RCPT TO:<hal", true, SMTP_WAITS_COMMAND },
		{ DATA, true, SMTP_WAITS_DATA },
		{ DATA "A: b\r\n\r\n.", true, SMTP_WAITS_DATA },
		{ DATA "x\r\n.\r\n", false, SMTP_WAITS_COMMAND },
	};
	struct drive	d;
	size_t		i;
	bool		aborted;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		drive_init(&d, &mx, DRIVE_AT_ONCE);
		drive_feed(&d, str_c(rows[i].in));
		assert_int_equal(smtp_waits(&d.s), rows[i].waits);
		smtp_timeout(&d.s);
		smtp_timeout(&d.s);
		smtp_hangup(&d.s);
		assert_string_equal(buf_cstr(&d.s.out),
		    "421 4.4.2 timeout, closing\r\n");
		assert_int_equal(ends_with(&d.s, &aborted), SMTP_TIMEOUT);
		assert_int_equal(aborted, rows[i].open);
		drive_clear(&d);

		drive_init(&d, &mx, DRIVE_AT_ONCE);
		drive_feed(&d, str_c(rows[i].in));
		smtp_hangup(&d.s);
		assert_int_equal(d.s.out.n, 0);
		assert_int_equal(ends_with(&d.s, &aborted), SMTP_NONE);
		assert_int_equal(aborted, rows[i].open);
		drive_clear(&d);
	}
}

/* Nobody is greeted for whom there is no place. */
static void
no_place(void **state)
{
	struct smtp	s;
	bool		aborted;

	(void)state;
	smtp_init(&s, &mx);
	smtp_end(&s, SMTP_BUSY);
	assert_string_equal(buf_cstr(&s.out),
	    "421 4.7.0 too many sessions, closing\r\n");
	assert_int_equal(ends_with(&s, &aborted), SMTP_BUSY);
	assert_false(aborted);
	smtp_clear(&s);
}

/* C-05: an exchange ended by the clock leaves no secret and no question. */
static void
auth_ended(void **state)
{
	struct smtp		s;
	struct smtp_event	ev;
	bool			aborted;

	(void)state;
	smtp_init(&s, &sub);
	smtp_greet(&s);
	smtp_feed(&s, S(HELO "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"));
	assert_true(smtp_next(&s, &ev));
	assert_int_equal(ev.kind, SMTP_EV_AUTH);
	assert_non_null(s.auth.secret.p);
	smtp_timeout(&s);
	assert_null(s.auth.secret.p);
	assert_int_equal(smtp_answer(&s, ev.id, SMTP_OK), -1);
	assert_false(s.authed);
	assert_int_equal(ends_with(&s, &aborted), SMTP_TIMEOUT);
	smtp_clear(&s);

	smtp_init(&s, &sub);
	smtp_greet(&s);
	smtp_feed(&s, S(HELO "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"));
	assert_true(smtp_next(&s, &ev));
	assert_int_equal(smtp_answer(&s, ev.id, SMTP_BAD_LOGIN), 0);
	assert_null(s.auth.secret.p);
	smtp_clear(&s);
}

/* The code that ends the exchange; a question is answered OK. */
static const char *
auth_outcome(struct smtp *s, struct str in)
{
	static char		code[4];
	struct smtp_event	ev;
	struct str		out;

	smtp_feed(s, in);
	while (smtp_next(s, &ev)) {
		assert_int_equal(ev.kind, SMTP_EV_AUTH);
		assert_in_range(ev.auth->user.n, 1, 320);
		assert_in_range(ev.auth->password.n, 1, 1024);
		assert_int_equal(smtp_answer(s, ev.id, SMTP_OK), 0);
	}
	out = buf_str(&s->out);
	assert_true(str_find(out, S("\r\n250 HELP\r\n")) != -1);
	out = str_from(out, (size_t)str_find(out, S("250 HELP")) + 10);
	if (str_starts(out, S("334")))
		out = str_from(out, (size_t)str_find(out, S("\r\n")) + 2);
	memcpy(code, out.p, 3);
	return code;
}

/*
 * AUTH: what no account has, and what no message to authd can carry, is a
 * failed login; it never gets as far as a question.
 */
static void
auth_lengths(void **state)
{
	static const struct {
		size_t		user, password;
		bool		nul;	/* in the user; LOGIN only */
		const char	*code;
	} rows[] = {
		{ 319, 9, false, "235" }, { 320, 9, false, "235" },
		{ 321, 9, false, "535" }, { 2000, 9, false, "535" },
		{ 9, 1023, false, "235" }, { 9, 1024, false, "235" },
		{ 9, 1025, false, "535" }, { 9, 2900, false, "535" },
		{ 9, 9, true, "535" },
	};
	static char	secret[4096];
	struct smtp	s;
	struct buf	in;
	size_t		i, k;

	(void)state;
	buf_init(&in, 1 << 16);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]) * 2; i++) {
		k = i / 2;
		if (i % 2 == 0 && rows[k].nul)
			continue;
		buf_reset(&in);
		memset(secret, 'u', sizeof(secret));
		if (i % 2 == 0) {
			buf_addz(&in, HELO "AUTH PLAIN ");
			secret[0] = secret[rows[k].user + 1] = '\0';
			base64_encode(&in, str_of(secret, rows[k].user +
			    rows[k].password + 2));
		} else {
			buf_addz(&in, HELO "AUTH LOGIN ");
			if (rows[k].nul)
				secret[4] = '\0';
			base64_encode(&in, str_of(secret, rows[k].user));
			buf_addz(&in, "\r\n");
			base64_encode(&in, str_of(secret + 10,
			    rows[k].password));
		}
		buf_addz(&in, "\r\n");
		smtp_init(&s, &sub);
		smtp_greet(&s);
		assert_string_equal(auth_outcome(&s, buf_str(&in)),
		    rows[k].code);
		assert_null(s.auth.secret.p);
		smtp_clear(&s);
	}
	buf_clear(&in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_commands),
		cmocka_unit_test(edges),
		cmocka_unit_test(default_limits),
		cmocka_unit_test(message_size),
		cmocka_unit_test(many_recipients),
		cmocka_unit_test(questions),
		cmocka_unit_test(never_reads),
		cmocka_unit_test(ends),
		cmocka_unit_test(no_place),
		cmocka_unit_test(auth_ended),
		cmocka_unit_test(auth_lengths),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
