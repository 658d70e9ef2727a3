/*
 * question - what a session's engine asks for, whom that is put to, and what
 * comes back: a pool that may be full, authd (asking.h), queued (message.c).
 * When the engine goes on is session.c's.
 */
#include "common/core/id.h"
#include "common/core/log.h"
#include "smtpd/asking.h"
#include "smtpd/session_int.h"

enum { WAIT_POOL_MS = 10 * 1000 };

/* -- what the engine wants -------------------------------------------- */

static void
on_mail(struct session *s, const struct smtp_event *ev)
{
	char text[ADDR_TEXT_MAX];

	if (!pool_is_open()) {
		smtp_answer(&s->smtp, ev->id, SMTP_FULL);
		return;
	}
	message_sender(s, &ev->mail);
	if (s->account == 0 || ev->mail.sender.kind == ADDR_NULL) {
		smtp_answer(&s->smtp, ev->id, SMTP_OK);
		return;
	}
	s->holds++;
	asking_sender(s, ev->id, s->account,
	    addr_text(&ev->mail.sender, text));
}

static void
on_rcpt(struct session *s, const struct smtp_event *ev)
{
	char		text[ADDR_TEXT_MAX + 1];
	struct str	address = rcpt_text(&ev->rcpt, text);

	message_rcpt_add(s, ev->id, address);
	s->holds++;
	asking_recipient(s, ev->id, address, s->announced);
}

void
session_data(struct session *s, uint32_t id)
{
	if (!pool_is_open()) {
		smtp_answer(&s->smtp, id, SMTP_FULL);
		return;
	}
	if (message_begin(s)) {
		s->wait_id = 0;
		smtp_answer(&s->smtp, id, SMTP_OK);
		return;
	}
	s->wait_id = id;
	loop_timer_set(s->timer, WAIT_POOL_MS);
}

static void
on_end(struct session *s, const struct smtp_event *ev)
{
	/* Refused, or the channel went down, while it was being sent. */
	if (s->sub == NULL) {
		smtp_answer(&s->smtp, ev->id, s->refusal);
		message_clear(s);
		return;
	}
	if (ev->headless)
		message_headless(s);
	s->end_id = ev->id;
	message_end(s);
}

static void
on_auth(struct session *s, const struct smtp_event *ev)
{
	const struct smtp_auth *a = ev->auth;

	/* RFC 4616 2: nobody here may act for somebody else. */
	if (a->authzid.n > 0 && !str_ieq(a->authzid, a->user)) {
		smtp_answer(&s->smtp, ev->id, SMTP_BAD_LOGIN);
		return;
	}
	s->holds++;
	asking_login(s, ev->id, s->sid, s->address, a->user, a->password);
}

void
session_act(struct session *s, const struct smtp_event *ev)
{
	switch (ev->kind) {
	case SMTP_EV_NONE:
		break;
	case SMTP_EV_MAIL:
		on_mail(s, ev);
		break;
	case SMTP_EV_RCPT:
		on_rcpt(s, ev);
		break;
	case SMTP_EV_DATA:
		session_data(s, ev->id);
		break;
	case SMTP_EV_BYTES:
		if (ev->headless)
			message_headless(s);
		message_bytes(s, ev->bytes);
		break;
	case SMTP_EV_END:
		on_end(s, ev);
		break;
	case SMTP_EV_ABORT:
		message_clear(s);
		break;
	case SMTP_EV_REFUSED:
		log_info("message refused", L_SID(s->sid),
		    L_NUM("code", smtp_code(ev->why)),
		    L_Z("status", smtp_status(ev->why)),
		    L_STR("client", s->address));
		break;
	case SMTP_EV_AUTH:
		on_auth(s, ev);
		break;
	case SMTP_EV_CLOSE:
		break;
	}
}

/* -- answers ---------------------------------------------------------- */

void
session_answered(struct session *s, uint32_t id, enum smtp_reply reply,
    uint32_t targets)
{
	s->holds--;
	if (s->is_dead)
		return;
	reply = message_rcpt_answered(s, id, reply, targets);
	smtp_answer(&s->smtp, id, reply);
	session_run(s);
}

void
session_logged_in(struct session *s, uint32_t id,
    const struct msg_logged_in *m)
{
	enum smtp_reply reply = SMTP_OK;

	s->holds--;
	if (s->is_dead)
		return;
	if (m->verdict == LOGIN_BAD)
		reply = SMTP_BAD_LOGIN;
	else if (m->verdict != LOGIN_OK || m->account == 0)
		reply = SMTP_TEMP_LOGIN;
	if (smtp_answer(&s->smtp, id, reply) == 0 && reply == SMTP_OK) {
		s->account = m->account;
		buf_add(&s->ticket, m->ticket);
		log_info("logged in", L_SID(s->sid), L_STR("user", m->user),
		    L_STR("client", s->address));
	} else
		log_warn("login failed", L_SID(s->sid),
		    L_STR("client", s->address));
	session_run(s);
}

static void
on_durable(struct session *s, uint32_t id, uint64_t qid)
{
	char sender[ADDR_TEXT_MAX];

	s->accepted++;
	log_info("accepted", L_SID(s->sid), L_QID(qid),
	    L_STR("from", addr_text(&s->sender, sender)),
	    L_NUM("rcpts", s->nrcpts), L_NUM("size", s->sent),
	    L_STR("client", s->address));
	s->end_id = 0;
	message_clear(s);
	smtp_answer_queued(&s->smtp, id, qid);
}

void
session_submitted(struct session *s, uint64_t qid, unsigned verdict)
{
	uint32_t id = s->end_id;

	s->sub = NULL;
	s->refusal = message_refusal(verdict);
	if (id == 0) {
		/* The rest of DATA is read away. */
		buf_clear(&s->chunk);
		session_run(s);
		return;
	}
	if (verdict == SUBMIT_OK)
		on_durable(s, id, qid);
	else {
		log_warn("not accepted", L_SID(s->sid), L_QID(qid),
		    L_NUM("verdict", verdict));
		s->end_id = 0;
		message_clear(s);
		smtp_answer(&s->smtp, id, s->refusal);
	}
	session_run(s);
}
