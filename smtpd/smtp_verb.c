/*
 * smtp_verb - see smtp_verb.h.  Pure.
 */
#include "smtpd/smtp_verb.h"

#include <string.h>

#include "smtpd/smtp_turn.h"

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

/* Verbs.  True: there is an event. */
static bool
do_helo(struct smtp *s, enum smtp_verb v, struct str arg)
{
	if (!smtp_is_helo(arg)) {
		turn_reply(s, SMTP_ARGUMENT);
		return false;
	}
	memcpy(s->helo, arg.p, arg.n);
	s->helo_n = (uint8_t)arg.n;
	s->esmtp = v == V_EHLO;
	turn_forget(s, SMTP_OK);
	turn_enter(s, SMTP_ST_READY);
	turn_reply(s, s->esmtp ? SMTP_EHLO : SMTP_HELO);
	return false;
}

static bool
do_mail(struct smtp *s, struct str arg, struct smtp_event *ev)
{
	enum smtp_reply r = SMTP_NEED_AUTH;

	if (s->conf->kind == SMTP_MX || s->authed)
		r = smtp_parse_mail(arg, s->conf->limits.data.message,
		    turn_offers_auth(s), &ev->mail);
	if (r == SMTP_NONE)
		return turn_ask(s, SMTP_EV_MAIL, ev);
	turn_reply(s, r);
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
		return turn_ask(s, SMTP_EV_RCPT, ev);
	turn_reply(s, r);
	return false;
}

bool
verb_on_auth(struct smtp *s, enum smtp_reply r, struct smtp_event *ev)
{
	if (r == SMTP_NONE) {
		ev->auth = &s->auth;
		return turn_ask(s, SMTP_EV_AUTH, ev);
	}
	turn_enter(s, smtp_code(r) == 334 ? SMTP_ST_AUTH : SMTP_ST_READY);
	turn_reply(s, r);
	return false;
}

static bool
do_auth(struct smtp *s, struct str arg, struct smtp_event *ev)
{
	if (turn_offers_auth(s) && s->esmtp && !s->authed)
		return verb_on_auth(s, smtp_auth_start(&s->auth, arg), ev);
	turn_reply(s, turn_offers_auth(s) ? SMTP_ORDER : SMTP_NOT_HERE);
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
			return turn_ask(s, SMTP_EV_DATA, ev);
		turn_reply(s, SMTP_ARGUMENT);
		return false;
	case V_RSET:
		if (arg.n > 0) {
			turn_reply(s, SMTP_ARGUMENT);
			return false;
		}
		turn_forget(s, SMTP_OK);
		if (s->state != SMTP_ST_GREET)
			turn_enter(s, SMTP_ST_READY);
		turn_reply(s, SMTP_OK);
		return false;
	case V_NOOP:
		turn_reply(s, SMTP_OK);
		return false;
	case V_VRFY:
		turn_reply(s, arg.n > 0 ? SMTP_VRFY : SMTP_ARGUMENT);
		return false;
	case V_HELP:
		turn_reply(s, SMTP_HELP);
		return false;
	case V_QUIT:
		turn_reply(s, arg.n > 0 ? SMTP_ARGUMENT : SMTP_BYE);
		return false;
	case V_AUTH:
		return do_auth(s, arg, ev);
	case V_ELSEWHERE:
		turn_reply(s, SMTP_NOT_HERE);
		return false;
	case V_BAD:
		break;
	}
	turn_reply(s, SMTP_UNKNOWN);
	return false;
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

int
verb_run(struct smtp *s, struct str line, struct smtp_event *ev)
{
	struct str	arg;
	enum smtp_verb	v = smtp_verb(line, &arg);

	if (must_wait(s, v))
		return -1;
	/* The first words of a session in another protocol, say. */
	if (v == V_BAD && !s->spoken) {
		smtp_end(s, SMTP_UNKNOWN);
		return 0;
	}
	s->spoken = true;
	if (v >= V_ELSEWHERE || (admits[s->state] & BIT(v)))
		return do_verb(s, v, arg, ev);
	turn_reply(s, v == V_AUTH && !turn_offers_auth(s) ? SMTP_NOT_HERE :
	    SMTP_ORDER);
	return 0;
}
