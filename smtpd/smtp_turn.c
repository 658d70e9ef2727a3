/*
 * smtp_turn - see smtp_turn.h.  Pure.
 */
#include "smtpd/smtp_turn.h"

#include <assert.h>

#include "common/core/id.h"

bool
turn_offers_auth(const struct smtp *s)
{
	return s->conf->kind == SMTP_SUBMISSION && s->conf->auth;
}

void
turn_enter(struct smtp *s, enum smtp_state state)
{
	s->state = state;
	if (state == SMTP_ST_READY || state == SMTP_ST_MAIL)
		s->rcpts = 0;
	if (state == SMTP_ST_DATA)
		smtp_data_init(&s->data);
}

void
turn_forget(struct smtp *s, enum smtp_reply why)
{
	if (s->open) {
		s->aborted = true;
		s->why = why;
	}
	s->open = false;
}

void
turn_stop(struct smtp *s, enum smtp_reply why)
{
	turn_forget(s, why);
	s->why = why;
	s->slots = 0;
	s->asked = 0;
	s->holds = false;
	smtp_auth_wipe(&s->auth);
	turn_enter(s, SMTP_ST_CLOSED);
}

void
smtp_end(struct smtp *s, enum smtp_reply why)
{
	if (s->state == SMTP_ST_CLOSED)
		return;
	smtp_reply_add(&s->out, why, S(""));
	turn_stop(s, why);
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
		turn_stop(s, SMTP_NONE);
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
	if (turn_offers_auth(s))
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

void
turn_reply(struct smtp *s, enum smtp_reply r)
{
	add_slot(s, SMTP_EV_NONE, r);
	flush(s);
}

bool
turn_ask(struct smtp *s, enum smtp_event_kind kind, struct smtp_event *ev)
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
	turn_enter(s, SMTP_ST_READY);
}

static enum smtp_reply
on_answer(struct smtp *s, enum smtp_event_kind kind, enum smtp_reply r)
{
	bool ok = r == SMTP_OK;

	switch (kind) {
	case SMTP_EV_MAIL:
		s->open = ok;
		if (ok)
			turn_enter(s, SMTP_ST_MAIL);
		return ok ? SMTP_MAIL_OK : r;
	case SMTP_EV_RCPT:
		if (ok) {
			s->rcpts++;
			turn_enter(s, SMTP_ST_RCPT);
		}
		return ok ? SMTP_RCPT_OK : r;
	case SMTP_EV_DATA:
		if (ok)
			turn_enter(s, SMTP_ST_DATA);
		return ok ? SMTP_GO : r;
	case SMTP_EV_END:
		/* To accept is to name the qid. */
		assert(!ok);
		on_end(s);
		return r;
	case SMTP_EV_AUTH:
		smtp_auth_wipe(&s->auth);
		s->authed = ok;
		turn_enter(s, SMTP_ST_READY);
		return ok ? SMTP_AUTH_OK : r;
	case SMTP_EV_NONE:
	case SMTP_EV_BYTES:
	case SMTP_EV_ABORT:
	case SMTP_EV_REFUSED:
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
