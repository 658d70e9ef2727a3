/*
 * smtp_drive - see smtp_drive.h.
 */
#include "tests/lib/smtp_drive.h"

#include <assert.h>

void
drive_config(uint8_t bits, struct smtp_config *conf)
{
	*conf = (struct smtp_config){ .hostname = STR_INIT("mx.test") };
	conf->kind = bits & 1 ? SMTP_SUBMISSION : SMTP_MX;
	conf->auth = (bits & 2) != 0;
	conf->limits = smtp_limits_default;
	if (bits & 8) {
		conf->limits.command = 64;
		conf->limits.command_close = 128;
		conf->limits.data = (struct smtp_data_limits){ 20, 40, 60, 90 };
		conf->limits.rcpts = 3;
		conf->limits.questions = 2;
		conf->limits.hops = 1;
	}
	if (bits & 16)
		conf->limits.errors = 1000;
}

void
drive_init(struct drive *d, const struct smtp_config *conf,
    enum drive_order order)
{
	*d = (struct drive){ .order = order, .data_verdict = SMTP_OK };
	smtp_init(&d->s, conf);
	smtp_greet(&d->s);
	buf_init(&d->in, SIZE_MAX / 2);
	buf_init(&d->replies, SIZE_MAX / 2);
	buf_init(&d->events, SIZE_MAX / 2);
	buf_init(&d->content, SIZE_MAX / 2);
}

void
drive_clear(struct drive *d)
{
	smtp_clear(&d->s);
	buf_clear(&d->in);
	buf_clear(&d->replies);
	buf_clear(&d->events);
	buf_clear(&d->content);
}

enum smtp_reply
drive_verdict(struct str name)
{
	static const struct {
		const char	*name;
		enum smtp_reply	 reply;
	} rules[] = {
		{ "no", SMTP_NO_USER }, { "relay", SMTP_NO_RELAY },
		{ "temp", SMTP_TEMP }, { "full", SMTP_FULL },
		{ "loop", SMTP_LOOP }, { "policy", SMTP_POLICY },
		{ "many", SMTP_EXPANSION }, { "bye", SMTP_SHUTDOWN },
	};
	size_t	i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (str_eq(name, str_c(rules[i].name)))
			return rules[i].reply;
	}
	return SMTP_OK;
}

static enum smtp_reply
end_verdict(const struct drive *d)
{
	struct hdr_field f;

	if (!hdr_find(buf_str(&d->content), S("X-Verdict"), &f))
		return SMTP_OK;
	return drive_verdict(str_trim(f.value));
}

static enum smtp_reply
auth_verdict(const struct smtp_auth *a)
{
	if (str_eq(a->user, S("temp")))
		return SMTP_TEMP_LOGIN;
	return str_eq(a->user, S("alice")) &&
	    str_eq(a->password, S("secret")) ? SMTP_OK : SMTP_BAD_LOGIN;
}

static void
answer(struct drive *d, const struct smtp_event *ev)
{
	enum smtp_reply	r = SMTP_OK;

	switch (ev->kind) {
	case SMTP_EV_MAIL:
		r = drive_verdict(addr_local(&ev->mail.sender));
		break;
	case SMTP_EV_RCPT:
		r = drive_verdict(addr_local(&ev->rcpt));
		break;
	case SMTP_EV_DATA:
		r = d->data_verdict;
		break;
	case SMTP_EV_END:
		r = end_verdict(d);
		buf_reset(&d->content);
		if (r == SMTP_OK) {
			(void)smtp_answer_queued(&d->s, ev->id, 42);
			return;
		}
		break;
	case SMTP_EV_AUTH:
		r = auth_verdict(ev->auth);
		break;
	case SMTP_EV_NONE:
	case SMTP_EV_BYTES:
	case SMTP_EV_ABORT:
	case SMTP_EV_REFUSED:
	case SMTP_EV_CLOSE:
		return;
	}
	(void)smtp_answer(&d->s, ev->id, r);
}

/* It never turns back, and comes before much of the content has. */
static void
note_headless(struct drive *d, bool headless)
{
	assert(headless || !d->headless || d->content.n == 0);
	assert(!headless || d->headless || d->content.n <= SMTP_OPENING_MAX);
	d->headless = headless;
}

static void
note(struct drive *d, const struct smtp_event *ev)
{
	char		text[ADDR_TEXT_MAX];
	struct buf	*b = &d->events;

	switch (ev->kind) {
	case SMTP_EV_MAIL:
		buf_addz(b, "mail <");
		buf_add(b, addr_text(&ev->mail.sender, text));
		buf_addf(b, "> %ju%s", (uintmax_t)ev->mail.size,
		    ev->mail.eight ? " 8" : "");
		break;
	case SMTP_EV_RCPT:
		buf_addz(b, "rcpt <");
		buf_add(b, addr_text(&ev->rcpt, text));
		buf_addz(b, ev->rcpt.routed ? "> routed" : ">");
		break;
	case SMTP_EV_DATA:
		buf_addz(b, "data");
		break;
	case SMTP_EV_BYTES:
		assert(ev->bytes.n > 0);
		note_headless(d, ev->headless);
		buf_add(&d->content, ev->bytes);
		return;
	case SMTP_EV_END:
		assert(ev->size == d->content.n);
		note_headless(d, ev->headless);
		buf_addf(b, "end %u %s", ev->hops,
		    ev->headless ? "headless " : "");
		buf_add(b, buf_str(&d->content));
		break;
	case SMTP_EV_ABORT:
		buf_addf(b, "abort %d", smtp_code(ev->why));
		buf_reset(&d->content);
		break;
	case SMTP_EV_REFUSED:
		buf_addf(b, "refused %d", smtp_code(ev->why));
		break;
	case SMTP_EV_AUTH:
		buf_addf(b, "auth %d ", ev->auth->mech);
		buf_add(b, ev->auth->authzid);
		buf_addc(b, '|');
		buf_add(b, ev->auth->user);
		buf_addc(b, '|');
		buf_add(b, ev->auth->password);
		break;
	case SMTP_EV_CLOSE:
		buf_addf(b, "close %d", smtp_code(ev->why));
		assert(!d->closed);
		d->closed = true;
		break;
	case SMTP_EV_NONE:
		assert(false);
	}
	buf_addc(b, '\n');
}

/* Takes what the engine has to say; true if it got any further. */
static bool
turn(struct drive *d)
{
	struct smtp_event	ev;
	bool			moved = false;
	size_t			n;

	smtp_feed(&d->s, buf_str(&d->in));
	while (smtp_next(&d->s, &ev)) {
		d->states |= 1U << d->s.state;
		moved = true;
		note(d, &ev);
		if (ev.id == 0)
			continue;
		if (d->order == DRIVE_AT_ONCE) {
			answer(d, &ev);
		} else {
			assert(d->opened < SMTP_SLOTS);
			d->open[d->opened++] = ev;
		}
	}
	d->states |= 1U << d->s.state;
	n = smtp_taken(&d->s);
	assert(n <= d->in.n);
	buf_drop(&d->in, n);
	if (d->in.n > d->kept)
		d->kept = d->in.n;
	if (d->opened > d->most)
		d->most = d->opened;
	moved = moved || n > 0 || d->s.out.n > 0;
	/* A client that reads everything. */
	assert(d->s.out.n <= SMTP_UNSENT_MAX + SMTP_SLOTS * 128);
	buf_add(&d->replies, buf_str(&d->s.out));
	buf_drop(&d->s.out, d->s.out.n);
	return moved;
}

void
drive_feed(struct drive *d, struct str s)
{
	unsigned i, n;

	buf_add(&d->in, s);
	while (turn(d) || d->opened > 0) {
		n = d->opened;
		d->opened = 0;
		for (i = 0; i < n; i++)
			answer(d, &d->open[d->order == DRIVE_REVERSE ?
			    n - 1 - i : i]);
	}
}

void
drive_pieces(struct drive *d, struct str s, size_t max, unsigned seed)
{
	size_t n;

	if (max == 0) {
		drive_feed(d, s);
		return;
	}
	drive_feed(d, S(""));
	while (s.n > 0) {
		seed = seed * 1103515245 + 12345;
		n = 1 + (seed >> 16) % max;
		drive_feed(d, str_sub(s, 0, n));
		s = str_from(s, n);
	}
}

void
drive_codes(const struct drive *d, bool status, struct buf *out)
{
	struct str	rest = buf_str(&d->replies), line, word;

	while (rest.n > 0 && str_cut(&rest, '\n', &line)) {
		if (line.n < 4 || line.p[3] == '-')
			continue;
		if (out->n > 0)
			buf_addc(out, ' ');
		buf_add(out, str_sub(line, 0, 3));
		if (status && line.n > 9 && line.p[5] == '.') {
			buf_addc(out, '/');
			line = str_from(line, 4);
			(void)str_cut(&line, ' ', &word);
			buf_add(out, word);
		}
	}
	if (d->closed)
		buf_addz(out, out->n > 0 ? " closed" : "closed");
}
