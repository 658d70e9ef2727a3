/*
 * smtp - random walks against a small model (ATTACKS C-04).  The model knows
 * the rules of the session and nothing of the engine; a walk is written with
 * the replies that the model expects, then played in pieces with the
 * questions answered in any order.  WALKS sets how many, SEED where to start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/smtp_drive.h"

enum op {
	OP_EHLO, OP_HELO, OP_EHLO_BAD,
	OP_MAIL, OP_MAIL_NULL, OP_MAIL_BAD, OP_MAIL_NO, OP_MAIL_BIG,
	OP_RCPT, OP_RCPT_2, OP_RCPT_NO, OP_RCPT_TEMP, OP_RCPT_BAD,
	OP_DATA, OP_DATA_NO, OP_DATA_JUNK, OP_DATA_BARE, OP_DATA_BAD,
	OP_RSET, OP_NOOP, OP_VRFY, OP_VRFY_BAD, OP_HELP, OP_EXPN, OP_BDAT,
	OP_STARTTLS, OP_UNKNOWN, OP_LONG, OP_LF, OP_CR, OP_NUL,
	OP_AUTH, OP_AUTH_WRONG, OP_AUTH_LOGIN, OP_AUTH_CANCEL, OP_AUTH_NTLM,
	OP_AUTH_BAD, OP_QUIT,
	OP_COUNT
};

static const struct str lines[OP_COUNT] = {
	[OP_EHLO] = STR_INIT("EHLO a.test\r\n"),
	[OP_HELO] = STR_INIT("HELO a.test\r\n"),
	[OP_EHLO_BAD] = STR_INIT("EHLO\r\n"),
	[OP_MAIL] = STR_INIT("MAIL FROM:<a@b> SIZE=5\r\n"),
	[OP_MAIL_NULL] = STR_INIT("MAIL FROM:<>\r\n"),
	[OP_MAIL_BAD] = STR_INIT("MAIL FROM:a@b\r\n"),
	[OP_MAIL_NO] = STR_INIT("MAIL FROM:<policy@b>\r\n"),
	[OP_MAIL_BIG] = STR_INIT("MAIL FROM:<a@b> SIZE=9999999999\r\n"),
	[OP_RCPT] = STR_INIT("RCPT TO:<a@b>\r\n"),
	[OP_RCPT_2] = STR_INIT("RCPT TO:<c@d>\r\n"),
	[OP_RCPT_NO] = STR_INIT("RCPT TO:<no@b>\r\n"),
	[OP_RCPT_TEMP] = STR_INIT("RCPT TO:<temp@b>\r\n"),
	[OP_RCPT_BAD] = STR_INIT("RCPT TO:<>\r\n"),
	[OP_DATA] = STR_INIT("DATA\r\n"),
	[OP_DATA_NO] = STR_INIT("DATA\r\n"),
	[OP_DATA_JUNK] = STR_INIT("DATA\r\n"),
	[OP_DATA_BARE] = STR_INIT("DATA\r\n"),
	[OP_DATA_BAD] = STR_INIT("DATA now\r\n"),
	[OP_RSET] = STR_INIT("RSET\r\n"),
	[OP_NOOP] = STR_INIT("NOOP\r\n"),
	[OP_VRFY] = STR_INIT("VRFY a\r\n"),
	[OP_VRFY_BAD] = STR_INIT("VRFY\r\n"),
	[OP_HELP] = STR_INIT("HELP\r\n"),
	[OP_EXPN] = STR_INIT("EXPN a\r\n"),
	[OP_BDAT] = STR_INIT("BDAT 3 LAST\r\n"),
	[OP_STARTTLS] = STR_INIT("STARTTLS\r\n"),
	[OP_UNKNOWN] = STR_INIT("FOO\r\n"),
	[OP_LF] = STR_INIT("NOOP\nRSET\r\n"),
	[OP_CR] = STR_INIT("NOOP\rRSET\r\n"),
	[OP_NUL] = STR_INIT("NOOP\0\r\n"),
	[OP_AUTH] = STR_INIT("AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"),
	[OP_AUTH_WRONG] = STR_INIT("AUTH PLAIN AGFsaWNlAHdyb25n\r\n"),
	[OP_AUTH_LOGIN] = STR_INIT("AUTH LOGIN\r\n"),
	[OP_AUTH_CANCEL] = STR_INIT("AUTH PLAIN\r\n"),
	[OP_AUTH_NTLM] = STR_INIT("AUTH NTLM\r\n"),
	[OP_AUTH_BAD] = STR_INIT("AUTH PLAIN =\r\n"),
	[OP_QUIT] = STR_INIT("QUIT\r\n"),
};

struct model {
	bool		submission, greeted, esmtp, authed, mail, closed;
	bool		spoken;
	unsigned	rcpts, errors;
	struct buf	in, codes, ends;
};

static void
say(struct model *m, int code)
{
	if (code >= 500 && code != 521 && ++m->errors > 10) {
		code = 421;
		m->closed = true;
	}
	buf_addf(&m->codes, "%s%d", m->codes.n > 0 ? " " : "", code);
}

static void
fresh(struct model *m)
{
	m->mail = false;
	m->rcpts = 0;
}

static void
model_mail(struct model *m, enum op op)
{
	if (!m->greeted || m->mail)
		say(m, 503);
	else if (m->submission && !m->authed)
		say(m, 530);
	else if (op == OP_MAIL_BAD)
		say(m, 501);
	else if (op == OP_MAIL_NO)
		say(m, 550);
	else if (op == OP_MAIL_BIG)
		say(m, 552);
	else {
		m->mail = true;
		say(m, 250);
	}
}

static void
model_rcpt(struct model *m, enum op op)
{
	if (!m->mail)
		say(m, 503);
	else if (op == OP_RCPT_BAD)
		say(m, 501);
	else if (m->rcpts == 3)
		say(m, 452);
	else if (op == OP_RCPT_NO)
		say(m, 550);
	else if (op == OP_RCPT_TEMP)
		say(m, 451);
	else {
		m->rcpts++;
		say(m, 250);
	}
}

static void
model_data(struct model *m, enum op op)
{
	if (m->rcpts == 0) {
		say(m, 503);
		return;
	}
	if (op == OP_DATA_BAD) {
		say(m, 501);
		return;
	}
	say(m, 354);
	fresh(m);
	switch ((int)op) {
	case OP_DATA:
		buf_addz(&m->in, "S: x\r\n\r\n..\r\nDATA\r\n.\r\n");
		buf_addz(&m->ends, "+");
		say(m, 250);
		break;
	case OP_DATA_NO:
		buf_addz(&m->in, "X-Verdict: policy\r\n.\r\n");
		buf_addz(&m->ends, "+");
		say(m, 550);
		break;
	case OP_DATA_JUNK:
		buf_addz(&m->in, "A: b\r\nno field\r\n\r\n.x\r\n.\r\n");
		say(m, 550);
		break;
	case OP_DATA_BARE:
		buf_addz(&m->in, "S: x\r\n\r\n\n.\r\nRSET\r\n");
		say(m, 521);
		m->closed = true;
		break;
	}
}

static void
model_auth(struct model *m, enum op op)
{
	if (!m->submission) {
		say(m, 502);
		return;
	}
	if (!m->greeted || m->mail || !m->esmtp || m->authed) {
		say(m, 503);
		return;
	}
	switch ((int)op) {
	case OP_AUTH:
		m->authed = true;
		say(m, 235);
		break;
	case OP_AUTH_WRONG:
		say(m, 535);
		break;
	case OP_AUTH_LOGIN:
		buf_addz(&m->in, "YWxpY2U=\r\nc2VjcmV0\r\n");
		say(m, 334);
		say(m, 334);
		m->authed = true;
		say(m, 235);
		break;
	case OP_AUTH_CANCEL:
		buf_addz(&m->in, "*\r\n");
		say(m, 334);
		say(m, 501);
		break;
	case OP_AUTH_NTLM:
		say(m, 504);
		break;
	case OP_AUTH_BAD:
		say(m, 501);
		break;
	}
}

static void
model_helo(struct model *m, enum op op)
{
	if (op == OP_EHLO_BAD) {
		say(m, 501);
		return;
	}
	m->greeted = true;
	m->esmtp = op == OP_EHLO;
	fresh(m);
	say(m, 250);
}

static void
model_other(struct model *m, enum op op)
{
	switch ((int)op) {
	case OP_RSET:
		fresh(m);
		say(m, 250);
		break;
	case OP_NOOP:
		say(m, 250);
		break;
	case OP_VRFY:
		say(m, 252);
		break;
	case OP_VRFY_BAD:
		say(m, 501);
		break;
	case OP_HELP:
		say(m, 214);
		break;
	case OP_EXPN:
	case OP_BDAT:
	case OP_STARTTLS:
		say(m, 502);
		break;
	case OP_QUIT:
		say(m, 221);
		m->closed = true;
		break;
	default:
		/* A line that is none. */
		say(m, 500);
		m->closed = m->closed || !m->spoken;
		break;
	}
}

static void
step(struct model *m, enum op op)
{
	unsigned i;

	if (op == OP_LONG) {
		buf_addz(&m->in, "NOOP ");
		for (i = 0; i < 5000; i++)
			buf_addc(&m->in, 'x');
		buf_addz(&m->in, "\r\n");
	}
	buf_add(&m->in, lines[op]);
	if (op <= OP_EHLO_BAD)
		model_helo(m, op);
	else if (op <= OP_MAIL_BIG)
		model_mail(m, op);
	else if (op <= OP_RCPT_BAD)
		model_rcpt(m, op);
	else if (op <= OP_DATA_BAD)
		model_data(m, op);
	else if (op >= OP_AUTH && op <= OP_AUTH_BAD)
		model_auth(m, op);
	else
		model_other(m, op);
	m->spoken = true;
}

static unsigned long long random_state;

static unsigned
pick(unsigned n)
{
	random_state = random_state * 6364136223846793005u +
	    1442695040888963407u;
	return (unsigned)(random_state >> 33) % n;
}

/* Half of the time what leads on from here, else anything. */
static enum op
next_op(const struct model *m)
{
	static const enum op rcpt[] = {
		OP_RCPT, OP_RCPT_2, OP_RCPT_NO, OP_RCPT_TEMP
	};
	static const enum op data[] = {
		OP_DATA, OP_DATA_NO, OP_DATA_JUNK, OP_DATA_BARE, OP_DATA,
		OP_DATA
	};

	if (pick(3) == 0)
		return pick(OP_COUNT);
	if (!m->greeted)
		return OP_EHLO;
	if (m->submission && !m->authed)
		return pick(2) == 0 ? OP_AUTH : OP_AUTH_LOGIN;
	if (!m->mail)
		return pick(2) == 0 ? OP_MAIL : OP_MAIL_NULL;
	if (m->rcpts == 0 || pick(2) == 0)
		return rcpt[pick(4)];
	return data[pick(6)];
}

static enum smtp_state
expected_state(const struct model *m)
{
	if (m->closed)
		return SMTP_ST_CLOSED;
	if (m->mail)
		return m->rcpts > 0 ? SMTP_ST_RCPT : SMTP_ST_MAIL;
	return m->greeted ? SMTP_ST_READY : SMTP_ST_GREET;
}

static unsigned
count_ends(const struct drive *d)
{
	struct str	rest = buf_str(&d->events);
	unsigned	n = 0;
	ptrdiff_t	at;

	for (; (at = str_find(rest, S("end 0 "))) != -1; n++)
		rest = str_from(rest, (size_t)at + 1);
	return n;
}

static unsigned
walk(struct smtp_config *conf, unsigned number)
{
	struct model	m = { .submission = conf->kind == SMTP_SUBMISSION };
	struct drive	d;
	struct buf	got;
	unsigned	i, n = 1 + pick(60);

	buf_init(&m.in, 1 << 24);
	buf_init(&m.codes, 1 << 20);
	buf_init(&m.ends, 1 << 20);
	buf_init(&got, 1 << 20);
	say(&m, 220);
	for (i = 0; i < n && !m.closed; i++)
		step(&m, next_op(&m));
	if (m.closed)
		buf_addz(&m.codes, " closed");
	drive_init(&d, conf, pick(3));
	drive_pieces(&d, buf_str(&m.in), pick(2) == 0 ? 0 : 1 + pick(400),
	    number);
	drive_codes(&d, false, &got);
	if (!str_eq(buf_str(&got), buf_str(&m.codes)) ||
	    d.s.state != expected_state(&m) || d.s.authed != m.authed ||
	    count_ends(&d) != m.ends.n)
		fail_msg("walk %u: %s\nmodel %s\nengine %s", number,
		    buf_cstr(&m.in), buf_cstr(&m.codes), buf_cstr(&got));
	drive_clear(&d);
	buf_clear(&m.in);
	buf_clear(&m.codes);
	buf_clear(&m.ends);
	buf_clear(&got);
	return i;
}

static unsigned long
setting(const char *name, unsigned long fallback)
{
	const char *s = getenv(name);

	return s == NULL ? fallback : strtoul(s, NULL, 10);
}

static void
walks(void **state)
{
	static struct smtp_config	conf;
	unsigned long			n = setting("WALKS", 70000);
	unsigned long			steps = 0, i;

	(void)state;
	random_state = setting("SEED", 1);
	conf.hostname = S("mx.test");
	conf.limits = smtp_limits_default;
	conf.limits.rcpts = 3;
	for (i = 0; i < n; i++) {
		conf.kind = i % 2 == 0 ? SMTP_MX : SMTP_SUBMISSION;
		conf.auth = conf.kind == SMTP_SUBMISSION;
		steps += walk(&conf, (unsigned)i);
	}
	print_message("%lu steps in %lu walks\n", steps, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
