/*
 * smtp - see smtp.h.  The session: states, verbs, questions, and replies in
 * order.  Never does I/O, asks for the time or logs.
 */
#include "smtpd/smtp.h"

#include <assert.h>
#include <string.h>

#include "common/core/id.h"

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

#define BIT(v)	(1U << (v))
#define ANYTIME	(BIT(V_HELO) | BIT(V_EHLO) | BIT(V_RSET) | BIT(V_NOOP) | \
		BIT(V_VRFY) | BIT(V_HELP) | BIT(V_QUIT))

/* Which verbs each state admits; anything else is 503.  RFC 5321 4.1.4. */
static const unsigned admits[SMTP_STATE_COUNT] = {
	[SMTP_ST_GREET] = ANYTIME,
	[SMTP_ST_READY] = ANYTIME | BIT(V_MAIL) | BIT(V_AUTH),
	[SMTP_ST_MAIL] = ANYTIME | BIT(V_RCPT),
	[SMTP_ST_RCPT] = ANYTIME | BIT(V_RCPT) | BIT(V_DATA)
};

/* Verbs that may pass while recipients are being looked up. */
static const unsigned passing = BIT(V_RCPT) | BIT(V_NOOP) | BIT(V_VRFY) |
    BIT(V_HELP) | BIT(V_ELSEWHERE) | BIT(V_BAD);

void
smtp_init(struct smtp *s, const struct smtp_config *conf)
{
	*s = (struct smtp){ .conf = conf, .first = 1 };
	buf_init(&s->out, OUT_MAX);
	smtp_auth_init(&s->auth);
	buf_addu(&s->out, (uint64_t)smtp_code(SMTP_BANNER));
	buf_addc(&s->out, ' ');
	buf_add(&s->out, conf->hostname);
	buf_addz(&s->out, " ESMTP Postern\r\n");
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

static bool
offers_auth(const struct smtp *s)
{
	return s->conf->kind == SMTP_SUBMISSION && s->conf->auth;
}

/* The only place that changes the state. */
static void
enter(struct smtp *s, enum smtp_state state)
{
	s->state = state;
	if (state == SMTP_ST_READY || state == SMTP_ST_MAIL)
		s->rcpts = 0;
	if (state == SMTP_ST_DATA)
		smtp_data_init(&s->data);
}

/* The transaction is over without a message. */
static void
forget(struct smtp *s, enum smtp_reply why)
{
	if (s->open) {
		s->aborted = true;
		s->why = why;
	}
	s->open = false;
}

/* Ends the session; nothing that still waits will leave. */
static void
stop(struct smtp *s, enum smtp_reply why)
{
	forget(s, why);
	s->why = why;
	s->slots = 0;
	s->asked = 0;
	s->holds = false;
	smtp_auth_wipe(&s->auth);
	enter(s, SMTP_ST_CLOSED);
}

void
smtp_end(struct smtp *s, enum smtp_reply why)
{
	if (s->state == SMTP_ST_CLOSED)
		return;
	smtp_reply_add(&s->out, why, S(""));
	stop(s, why);
}

void
smtp_timeout(struct smtp *s)
{
	smtp_end(s, SMTP_TIMEOUT);
}

void
smtp_hangup(struct smtp *s)
{
	if (s->state != SMTP_ST_CLOSED)
		stop(s, SMTP_NONE);
}

/*
 * Replies.
 */
static void
add_ehlo(struct smtp *s)
{
	struct buf *out = &s->out;

	buf_addz(out, "250-");
	buf_add(out, s->conf->hostname);
	buf_addz(out, "\r\n250-PIPELINING\r\n250-SIZE ");
	buf_addu(out, s->conf->limits.data.message);
	buf_addz(out, "\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n");
	if (offers_auth(s))
		buf_addz(out, "250-AUTH PLAIN LOGIN\r\n");
	buf_addz(out, "250 HELP\r\n");
}

static bool
closes(enum smtp_reply r)
{
	return smtp_code(r) == 421 || smtp_code(r) == 521 ||
	    smtp_code(r) == 221;
}

static void
emit(struct smtp *s, enum smtp_reply r)
{
	struct id_text qid;

	if (smtp_code(r) / 100 == 5 && s->errors++ >= s->conf->limits.errors) {
		smtp_end(s, SMTP_ERRORS);
		return;
	}
	if (closes(r)) {
		smtp_end(s, r);
		return;
	}
	if (r == SMTP_EHLO) {
		add_ehlo(s);
	} else if (r == SMTP_HELO) {
		smtp_reply_add(&s->out, r, s->conf->hostname);
	} else if (r == SMTP_QUEUED) {
		qid = id_text(s->qid);
		smtp_reply_add(&s->out, r, str_c(qid.s));
	} else {
		smtp_reply_add(&s->out, r, S(""));
	}
}

static struct smtp_slot *
slot_at(struct smtp *s, uint32_t id)
{
	return &s->slot[id % SMTP_SLOTS];
}

/* Sends what has come to its turn. */
static void
flush(struct smtp *s)
{
	struct smtp_slot *slot;

	while (s->slots > 0) {
		slot = slot_at(s, s->first);
		if (slot->reply == SMTP_NONE)
			break;
		s->first++;
		s->slots--;
		/* May end the session, and all slots with it. */
		emit(s, slot->reply);
	}
}

static uint32_t
add_slot(struct smtp *s, enum smtp_event_kind asks, enum smtp_reply r)
{
	uint32_t id = s->first + s->slots;

	assert(s->slots < SMTP_SLOTS);
	*slot_at(s, id) = (struct smtp_slot){ (uint8_t)asks, (uint8_t)r };
	s->slots++;
	return id;
}

static void
reply(struct smtp *s, enum smtp_reply r)
{
	add_slot(s, SMTP_EV_NONE, r);
	flush(s);
}

static bool
ask(struct smtp *s, enum smtp_event_kind kind, struct smtp_event *ev)
{
	ev->kind = kind;
	ev->id = add_slot(s, kind, SMTP_NONE);
	if (kind == SMTP_EV_RCPT)
		s->asked++;
	else
		s->holds = true;
	return true;
}

/*
 * Answers.
 */
static void
on_end(struct smtp *s)
{
	/* Taken or refused, the caller knows; nothing is left to abort. */
	s->open = false;
	enter(s, SMTP_ST_READY);
}

static enum smtp_reply
on_answer(struct smtp *s, enum smtp_event_kind kind, enum smtp_reply r)
{
	bool ok = r == SMTP_OK;

	switch (kind) {
	case SMTP_EV_MAIL:
		s->open = ok;
		if (ok)
			enter(s, SMTP_ST_MAIL);
		return ok ? SMTP_MAIL_OK : r;
	case SMTP_EV_RCPT:
		if (ok) {
			s->rcpts++;
			enter(s, SMTP_ST_RCPT);
		}
		return ok ? SMTP_RCPT_OK : r;
	case SMTP_EV_DATA:
		if (ok)
			enter(s, SMTP_ST_DATA);
		return ok ? SMTP_GO : r;
	case SMTP_EV_END:
		on_end(s);
		return r;
	case SMTP_EV_AUTH:
		smtp_auth_wipe(&s->auth);
		s->authed = ok;
		enter(s, SMTP_ST_READY);
		return ok ? SMTP_AUTH_OK : r;
	case SMTP_EV_NONE:
	case SMTP_EV_BYTES:
	case SMTP_EV_ABORT:
	case SMTP_EV_CLOSE:
		break;
	}
	assert(false);
	return r;
}

static int
answer(struct smtp *s, uint32_t id, enum smtp_reply r)
{
	struct smtp_slot	*slot = slot_at(s, id);
	enum smtp_event_kind	 kind;

	/* Unsigned: an id before the first is far beyond the last. */
	if (id - s->first >= s->slots || slot->reply != SMTP_NONE)
		return -1;
	kind = slot->asks;
	assert(r != SMTP_QUEUED || kind == SMTP_EV_END);
	if (kind == SMTP_EV_RCPT)
		s->asked--;
	else
		s->holds = false;
	slot->reply = (uint8_t)on_answer(s, kind, r);
	flush(s);
	return 0;
}

int
smtp_answer(struct smtp *s, uint32_t id, enum smtp_reply r)
{
	assert(r == SMTP_OK || smtp_code(r) >= 400);
	return answer(s, id, r);
}

int
smtp_answer_queued(struct smtp *s, uint32_t id, uint64_t qid)
{
	s->qid = qid;
	return answer(s, id, SMTP_QUEUED);
}

/*
 * Verbs.  True: there is an event.
 */
static bool
do_helo(struct smtp *s, enum smtp_verb v, struct str arg)
{
	if (!smtp_is_helo(arg)) {
		reply(s, SMTP_ARGUMENT);
		return false;
	}
	memcpy(s->helo, arg.p, arg.n);
	s->helo_n = (uint8_t)arg.n;
	s->esmtp = v == V_EHLO;
	forget(s, SMTP_OK);
	enter(s, SMTP_ST_READY);
	reply(s, s->esmtp ? SMTP_EHLO : SMTP_HELO);
	return false;
}

static bool
do_mail(struct smtp *s, struct str arg, struct smtp_event *ev)
{
	enum smtp_reply r = SMTP_NEED_AUTH;

	if (s->conf->kind == SMTP_MX || s->authed)
		r = smtp_parse_mail(arg, s->conf->limits.data.message,
		    offers_auth(s), &ev->mail);
	if (r == SMTP_NONE)
		return ask(s, SMTP_EV_MAIL, ev);
	reply(s, r);
	return false;
}

static bool
do_rcpt(struct smtp *s, struct str arg, struct smtp_event *ev)
{
	enum smtp_reply r;

	r = smtp_parse_rcpt(arg, &ev->rcpt);
	if (r == SMTP_NONE && s->rcpts >= s->conf->limits.rcpts)
		r = SMTP_RCPTS;
	if (r == SMTP_NONE)
		return ask(s, SMTP_EV_RCPT, ev);
	reply(s, r);
	return false;
}

static bool
on_auth(struct smtp *s, enum smtp_reply r, struct smtp_event *ev)
{
	if (r == SMTP_NONE) {
		ev->auth = &s->auth;
		return ask(s, SMTP_EV_AUTH, ev);
	}
	enter(s, smtp_code(r) == 334 ? SMTP_ST_AUTH : SMTP_ST_READY);
	reply(s, r);
	return false;
}

static bool
do_auth(struct smtp *s, struct str arg, struct smtp_event *ev)
{
	if (offers_auth(s) && s->esmtp && !s->authed)
		return on_auth(s, smtp_auth_start(&s->auth, arg), ev);
	reply(s, offers_auth(s) ? SMTP_ORDER : SMTP_NOT_HERE);
	return false;
}

static bool
do_verb(struct smtp *s, enum smtp_verb v, struct str arg,
    struct smtp_event *ev)
{
	switch (v) {
	case V_HELO:
	case V_EHLO:
		return do_helo(s, v, arg);
	case V_MAIL:
		return do_mail(s, arg, ev);
	case V_RCPT:
		return do_rcpt(s, arg, ev);
	case V_DATA:
		if (arg.n == 0)
			return ask(s, SMTP_EV_DATA, ev);
		reply(s, SMTP_ARGUMENT);
		return false;
	case V_RSET:
		if (arg.n > 0) {
			reply(s, SMTP_ARGUMENT);
			return false;
		}
		forget(s, SMTP_OK);
		if (s->state != SMTP_ST_GREET)
			enter(s, SMTP_ST_READY);
		reply(s, SMTP_OK);
		return false;
	case V_NOOP:
		reply(s, SMTP_OK);
		return false;
	case V_VRFY:
		reply(s, arg.n > 0 ? SMTP_VRFY : SMTP_ARGUMENT);
		return false;
	case V_HELP:
		reply(s, SMTP_HELP);
		return false;
	case V_QUIT:
		reply(s, arg.n > 0 ? SMTP_ARGUMENT : SMTP_BYE);
		return false;
	case V_AUTH:
		return do_auth(s, arg, ev);
	case V_ELSEWHERE:
		reply(s, SMTP_NOT_HERE);
		return false;
	case V_BAD:
		break;
	}
	reply(s, SMTP_UNKNOWN);
	return false;
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
		stop(s, SMTP_BAD_LINE);
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
		enter(s, SMTP_ST_READY);
	}
	s->skipping = true;
	s->skipped = 0;
	reply(s, SMTP_BAD_LINE);
}

/*
 * True if this verb must wait: it depends on how the recipients before it
 * fare.  The limit of recipients does when it might be reached.
 */
static bool
must_wait(const struct smtp *s, enum smtp_verb v)
{
	const struct smtp_limits *l = &s->conf->limits;

	if (s->asked == 0)
		return false;
	if (!(passing & BIT(v)))
		return true;
	return v == V_RCPT && (s->asked >= l->questions ||
	    s->asked >= SMTP_QUESTIONS_MAX || s->rcpts + s->asked >= l->rcpts);
}

/* One line: 1 an event, 0 go on, -1 nothing more now. */
static int
command_step(struct smtp *s, struct smtp_event *ev)
{
	struct str	line, arg;
	enum smtp_verb	v;
	bool		event;

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
		return on_auth(s, smtp_auth_line(&s->auth, line), ev);
	}
	v = smtp_verb(line, &arg);
	if (must_wait(s, v))
		return -1;
	take(s, line.n + 2);
	if (v == V_BAD && !s->spoken) {
		smtp_end(s, SMTP_UNKNOWN);
		return 0;
	}
	s->spoken = true;
	if (v < V_ELSEWHERE && !(admits[s->state] & BIT(v))) {
		reply(s, v == V_AUTH && !offers_auth(s) ? SMTP_NOT_HERE :
		    SMTP_ORDER);
		return 0;
	}
	event = do_verb(s, v, arg, ev);
	return event;
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
	if (d->header.junk && !s->conf->junk_header)
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
		ev->size = s->data.size;
		ev->hops = s->data.header.received;
		return ask(s, SMTP_EV_END, ev);
	}
	forget(s, r);
	enter(s, SMTP_ST_READY);
	reply(s, r);
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
		/* Once it cannot be taken any more, forget it early. */
		if (data_fault(s) != SMTP_NONE)
			forget(s, data_fault(s));
		if (!s->open)
			return 0;
		ev->kind = SMTP_EV_BYTES;
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
	if (!s->aborted && (s->state != SMTP_ST_CLOSED || s->closed))
		return false;
	ev->kind = s->aborted ? SMTP_EV_ABORT : SMTP_EV_CLOSE;
	ev->why = s->why;
	s->closed = !s->aborted;
	s->aborted = false;
	return true;
}

bool
smtp_next(struct smtp *s, struct smtp_event *ev)
{
	int got = 0;

	while (got == 0) {
		memset(ev, 0, sizeof(*ev));
		if (!buf_ok(&s->out) && s->state != SMTP_ST_CLOSED)
			stop(s, SMTP_LOST);
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
