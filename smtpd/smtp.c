/*
 * smtp - see smtp.h.  Input: lines and data, in the order in which they come.
 * Never does I/O, asks for the time or logs.
 */
#include "smtpd/smtp.h"

#include <string.h>

#include "smtpd/smtp_turn.h"
#include "smtpd/smtp_verb.h"

const struct smtp_limits smtp_limits_default = {
	.command = 4096,
	.command_close = 64 * 1024,
	.data = {
		.line = 100000,
		.field = 256 * 1024,
		.header = 1024 * 1024,
		.message = 50 * 1024 * 1024
	},
	.rcpts = 1000,
	.questions = SMTP_QUESTIONS_MAX,
	.errors = 10,
	.hops = 50,
	.command_ms = 300 * 1000,
	.data_rate = 100,
	.data_ms = 60 * 1000,
	.sessions = 4000,
	.sessions_addr = 100
};

enum {
	OUT_MAX = SMTP_UNSENT_MAX + SMTP_SLOTS * 128 + 4096
};

void
smtp_init(struct smtp *s, const struct smtp_config *conf)
{
	*s = (struct smtp){ .conf = conf, .first = 1 };
	buf_init(&s->out, OUT_MAX);
	smtp_auth_init(&s->auth);
}

void
smtp_greet(struct smtp *s)
{
	buf_addu(&s->out, (uint64_t)smtp_code(SMTP_BANNER));
	buf_addc(&s->out, ' ');
	buf_add(&s->out, s->conf->hostname);
	buf_addz(&s->out, smtp_text(SMTP_BANNER));
	buf_addz(&s->out, "\r\n");
}

void
smtp_clear(struct smtp *s)
{
	smtp_auth_wipe(&s->auth);
	buf_clear(&s->out);
}

struct str
smtp_helo(const struct smtp *s)
{
	return str_of(s->helo, s->helo_n);
}

/*
 * Lines.
 */
enum line {
	LINE_MORE,
	LINE_WHOLE,
	LINE_BAD	/* too long, or a CR, LF or NUL in it */
};

static void
take(struct smtp *s, size_t n)
{
	s->in = str_from(s->in, n);
	s->taken += n;
}

/* Looks, takes nothing.  A bad line is known as soon as it can be. */
static enum line
find_line(const struct smtp *s, struct str *line)
{
	struct str	in = str_sub(s->in, 0, s->conf->limits.command);
	bool		full = in.n == s->conf->limits.command;
	size_t		i;

	for (i = 0; i < in.n; i++) {
		if (in.p[i] == '\n' || in.p[i] == '\0')
			return LINE_BAD;
		if (in.p[i] == '\r')
			break;
	}
	if (i + 1 >= in.n)
		return full ? LINE_BAD : LINE_MORE;
	if (in.p[i + 1] != '\n')
		return LINE_BAD;
	*line = str_sub(in, 0, i);
	return LINE_WHOLE;
}

/* Takes the rest of a refused line; false when it does not end yet. */
static bool
skip_line(struct smtp *s)
{
	ptrdiff_t	at = str_find(s->in, S("\r\n"));
	size_t		n = at == -1 ? s->in.n : (size_t)at + 2;

	/* A last CR stays: the LF may follow. */
	if (at == -1 && n > 0 && s->in.p[n - 1] == '\r')
		n--;
	take(s, n);
	s->skipped += n;
	if (s->skipped > s->conf->limits.command_close)
		turn_stop(s, SMTP_BAD_LINE);
	s->skipping = at == -1;
	return at != -1;
}

static void
refuse_line(struct smtp *s)
{
	/* The first words of a session in another protocol, say. */
	if (!s->spoken) {
		smtp_end(s, SMTP_BAD_LINE);
		return;
	}
	if (s->state == SMTP_ST_AUTH) {
		smtp_auth_wipe(&s->auth);
		turn_enter(s, SMTP_ST_READY);
	}
	s->skipping = true;
	s->skipped = 0;
	turn_reply(s, SMTP_BAD_LINE);
}

/* One line: 1 an event, 0 go on, -1 nothing more now. */
static int
command_step(struct smtp *s, struct smtp_event *ev)
{
	struct str	line;
	int		got;

	if (s->skipping)
		return skip_line(s) ? 0 : -1;
	switch (find_line(s, &line)) {
	case LINE_MORE:
		return -1;
	case LINE_BAD:
		refuse_line(s);
		return 0;
	case LINE_WHOLE:
		break;
	}
	if (s->state == SMTP_ST_AUTH) {
		take(s, line.n + 2);
		return verb_on_auth(s, smtp_auth_line(&s->auth, line), ev);
	}
	got = verb_run(s, line, ev);
	if (got != -1)
		take(s, line.n + 2);
	return got;
}

/*
 * Data.
 */
static enum smtp_reply
data_fault(const struct smtp *s)
{
	const struct smtp_data *d = &s->data;

	if (d->too_big)
		return SMTP_TOO_BIG;
	if (d->header_big)
		return SMTP_HEADER_BIG;
	if (d->long_line)
		return SMTP_LONG_DATA;
	if (d->header.junk && d->opening == OPENING_HEADER)
		return SMTP_BAD_HEADER;
	if (d->header.received > s->conf->limits.hops)
		return SMTP_LOOP;
	return SMTP_NONE;
}

static int
data_end(struct smtp *s, struct smtp_event *ev)
{
	enum smtp_reply r = data_fault(s);

	if (r == SMTP_NONE) {
		ev->headless = s->data.opening == OPENING_BODY;
		ev->size = s->data.size;
		ev->hops = s->data.header.received;
		return turn_ask(s, SMTP_EV_END, ev);
	}
	turn_forget(s, SMTP_NONE);
	s->refused = r;
	turn_enter(s, SMTP_ST_READY);
	turn_reply(s, r);
	return 0;
}

static int
data_step(struct smtp *s, struct smtp_event *ev)
{
	enum smtp_data_kind	kind;
	size_t			before = s->in.n;

	kind = smtp_data_next(&s->data, &s->conf->limits.data, &s->in,
	    &ev->bytes);
	s->taken += before - s->in.n;
	switch (kind) {
	case DATA_MORE:
		return -1;
	case DATA_CHUNK:
		/* What is wrong with it depends on what is still to come. */
		if (data_fault(s) != SMTP_NONE)
			turn_forget(s, SMTP_NONE);
		if (!s->open)
			return 0;
		ev->kind = SMTP_EV_BYTES;
		ev->headless = s->data.opening == OPENING_BODY;
		return 1;
	case DATA_END:
		return data_end(s, ev);
	case DATA_BARE:
		smtp_end(s, SMTP_BARE);
		return 0;
	}
	return -1;
}

/*
 * Feed and next.
 */
void
smtp_feed(struct smtp *s, struct str in)
{
	s->in = in;
	s->taken = 0;
}

size_t
smtp_taken(struct smtp *s)
{
	size_t n = s->taken;

	s->in = (struct str){ NULL, 0 };
	s->taken = 0;
	return n;
}

enum smtp_waits
smtp_waits(const struct smtp *s)
{
	if (s->state == SMTP_ST_CLOSED)
		return SMTP_WAITS_NOTHING;
	if (s->out.n > SMTP_UNSENT_MAX)
		return SMTP_WAITS_OUTPUT;
	if (s->holds || s->slots == SMTP_SLOTS)
		return SMTP_WAITS_ANSWER;
	if (s->state == SMTP_ST_DATA)
		return SMTP_WAITS_DATA;
	return s->asked > 0 ? SMTP_WAITS_ANSWER : SMTP_WAITS_COMMAND;
}

/* What must be told before anything else is read. */
static bool
tell(struct smtp *s, struct smtp_event *ev)
{
	ev->why = s->why;
	if (s->aborted) {
		ev->kind = SMTP_EV_ABORT;
		s->aborted = false;
	} else if (s->refused != SMTP_NONE) {
		ev->kind = SMTP_EV_REFUSED;
		ev->why = s->refused;
		s->refused = SMTP_NONE;
	} else if (s->state == SMTP_ST_CLOSED && !s->closed) {
		ev->kind = SMTP_EV_CLOSE;
		s->closed = true;
	}
	return ev->kind != SMTP_EV_NONE;
}

bool
smtp_next(struct smtp *s, struct smtp_event *ev)
{
	int got = 0;

	while (got == 0) {
		memset(ev, 0, sizeof(*ev));
		if (!buf_ok(&s->out) && s->state != SMTP_ST_CLOSED)
			turn_stop(s, SMTP_LOST);
		if (tell(s, ev))
			return true;
		if (s->state == SMTP_ST_CLOSED) {
			take(s, s->in.n);
			return false;
		}
		if (s->holds || s->slots == SMTP_SLOTS ||
		    s->out.n > SMTP_UNSENT_MAX)
			return false;
		if (s->state == SMTP_ST_DATA)
			got = data_step(s, ev);
		else
			got = command_step(s, ev);
	}
	return got == 1;
}
