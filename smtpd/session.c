/*
 * session - see session.h.  Holds every SMTP connection of this process and
 * its deadlines.  What the engine asks is in question.c, the message under
 * way in message.c.
 */
#include "smtpd/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/conf.h"
#include "common/core/id.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "common/net/peers.h"
#include "smtpd/session_int.h"

enum {
	/*
	 * Of a drain: for an envelope, then for content to end.  The starter
	 * kills after 10 s, and nobody would hear why.
	 */
	DRAIN_MAIL_MS = 2 * 1000,
	DRAIN_DATA_MS = 6 * 1000,
	OUT_KEPT = 4 * 1024	/* bytes of a buffer for the next answer */
};

static struct {
	LIST_HEAD(, session)	 all, dead;
	struct peers		*peers;
	unsigned		 n;
	bool			 draining, hurried;
	struct loop_timer	*drain_timer;
	uint64_t		 next_sid;
	/* One per kind and, for submission, whether AUTH is offered. */
	struct smtp_config	 mx, submission, submission_closed;
} ss;

/* -- settings --------------------------------------------------------- */

static struct smtp_config
make_config(enum smtp_kind kind, bool auth)
{
	struct smtp_config c = { .kind = kind, .auth = auth,
	    .hostname = str_c(conf_text(C_HOSTNAME)),
	    .limits = smtp_limits_default };

	c.limits.command = conf_num(C_SMTP_COMMAND_MAX);
	c.limits.data.line = conf_num(C_SMTP_LINE_MAX);
	c.limits.data.field = conf_num(C_SMTP_FIELD_MAX);
	c.limits.data.header = conf_num(C_SMTP_HEADER_MAX);
	c.limits.data.message = conf_num(C_SMTP_SIZE_MAX);
	c.limits.rcpts = (unsigned)conf_num(C_SMTP_RCPT_MAX);
	c.limits.errors = (unsigned)conf_num(C_SMTP_ERRORS_MAX);
	c.limits.hops = (unsigned)conf_num(C_SMTP_HOPS_MAX);
	c.limits.command_ms = (unsigned)conf_num(C_SMTP_COMMAND_TIME) * 1000;
	c.limits.data_rate = (unsigned)conf_num(C_SMTP_RATE_MIN);
	c.limits.data_ms = (unsigned)conf_num(C_SMTP_RATE_TIME) * 1000;
	c.limits.sessions = (unsigned)conf_num(C_SMTP_SESSIONS_MAX);
	c.limits.sessions_addr =
	    (unsigned)conf_num(C_SMTP_SESSIONS_PER_ADDRESS);
	return c;
}

static const struct smtp_config *
config_for(enum smtp_kind kind, struct str address)
{
	if (kind == SMTP_MX)
		return &ss.mx;
	if (peers_may_log_in(conf_text(C_AUTH_PLAINTEXT), address))
		return &ss.submission;
	return &ss.submission_closed;
}

/* -- life ------------------------------------------------------------- */

static void
session_free(struct session *s)
{
	assert(s->sub == NULL && s->holds == 0);
	LIST_REMOVE(s, dead);
	loop_timer_free(s->timer);
	smtp_clear(&s->smtp);
	buf_wipe(&s->ticket);
	xfree_str(&s->address);
	free(s);
}

static void
end(struct session *s, bool flush)
{
	if (s->is_dead)
		return;
	log_info("session ends", L_SID(s->sid), L_STR("client", s->address),
	    L_NUM("messages", s->accepted), L_NUM("errors", s->smtp.errors));
	s->is_dead = true;
	message_clear(s);
	stream_close(s->stream, flush);
	s->stream = NULL;
	loop_timer_stop(s->timer);
	peers_leave(ss.peers, s->address);
	ss.n--;
	LIST_REMOVE(s, all);
	LIST_INSERT_HEAD(&ss.dead, s, dead);
	loop_again();
	if (ss.draining && ss.n == 0)
		loop_stop();
}

static void
reap(void *arg)
{
	struct session *s, *next;

	(void)arg;
	for (s = LIST_FIRST(&ss.dead); s != NULL; s = next) {
		next = LIST_NEXT(s, dead);
		if (s->holds == 0)
			session_free(s);
	}
}

void
sessions_init(void)
{
	LIST_INIT(&ss.all);
	LIST_INIT(&ss.dead);
	ss.peers = peers_new();
	ss.next_sid = id_random();
	ss.mx = make_config(SMTP_MX, false);
	ss.submission = make_config(SMTP_SUBMISSION, true);
	ss.submission_closed = make_config(SMTP_SUBMISSION, false);
	loop_hook(reap, NULL);
}

/* Who is still at it: first those without content under way, then all. */
static void
on_drain_timer(void *arg)
{
	struct session *s, *next;

	(void)arg;
	for (s = LIST_FIRST(&ss.all); s != NULL; s = next) {
		next = LIST_NEXT(s, all);
		if (s->smtp.state == SMTP_ST_DATA && !ss.hurried)
			continue;
		smtp_end(&s->smtp, SMTP_SHUTDOWN);
		session_run(s);
	}
	if (!ss.hurried)
		loop_timer_set(ss.drain_timer, DRAIN_DATA_MS);
	ss.hurried = true;
}

void
sessions_drain(void)
{
	struct session *s, *next;

	ss.draining = true;
	ss.drain_timer = loop_timer(on_drain_timer, NULL);
	loop_timer_set(ss.drain_timer, DRAIN_MAIL_MS);
	for (s = LIST_FIRST(&ss.all); s != NULL; s = next) {
		next = LIST_NEXT(s, all);
		session_run(s);
	}
	if (ss.n == 0)
		loop_stop();
}

/* Content for which queued has no room yet stays with the client. */
static bool
is_blocked(const struct session *s)
{
	return s->sub != NULL && s->end_id == 0 && pool_is_full(s->sub);
}

/* -- deadlines -------------------------------------------------------- */

/* A new deadline whenever the client has something new to do. */
static void
set_deadline(struct session *s, bool progress)
{
	enum smtp_waits w = smtp_waits(&s->smtp);

	if (s->wait_id != 0 || (w == s->waits && !progress))
		return;
	s->waits = w;
	s->window_bytes = 0;
	switch (w) {
	case SMTP_WAITS_COMMAND:
	case SMTP_WAITS_OUTPUT:
		loop_timer_set(s->timer, s->smtp.conf->limits.command_ms);
		break;
	case SMTP_WAITS_DATA:
		loop_timer_set(s->timer, s->smtp.conf->limits.data_ms);
		break;
	case SMTP_WAITS_ANSWER:
	case SMTP_WAITS_NOTHING:
		loop_timer_stop(s->timer);
		break;
	}
}

/* Enough came in the last window of time, as far as it was taken? */
static bool
is_fast_enough(const struct session *s)
{
	const struct smtp_limits *l = &s->smtp.conf->limits;

	return is_blocked(s) ||
	    s->window_bytes >= (uint64_t)l->data_rate * l->data_ms / 1000;
}

static void
on_timer(void *arg)
{
	struct session	*s = arg;
	uint32_t	 id = s->wait_id;

	if (id != 0) {
		s->wait_id = 0;
		smtp_answer(&s->smtp, id, SMTP_TEMP);
	} else if (s->waits == SMTP_WAITS_DATA && is_fast_enough(s)) {
		s->window_bytes = 0;
		loop_timer_set(s->timer, s->smtp.conf->limits.data_ms);
		return;
	} else
		smtp_timeout(&s->smtp);
	session_run(s);
}

/* -- the pump --------------------------------------------------------- */

/*
 * The client sent more behind this and it waits only for verdicts: the
 * replies of a group leave as a unit.  RFC 2920 3.2.
 */
static bool
is_in_group(const struct session *s)
{
	return smtp_waits(&s->smtp) == SMTP_WAITS_ANSWER &&
	    stream_in(s->stream)->n > 0;
}

static void
push_output(struct session *s)
{
	if (stream_unsent(s->stream) > STREAM_OUT_SOFT || is_in_group(s))
		return;
	stream_write(s->stream, buf_str(&s->smtp.out));
	/* An idle client keeps little. */
	if (s->smtp.out.cap > OUT_KEPT)
		buf_clear(&s->smtp.out);
	else
		buf_reset(&s->smtp.out);
}

static void
take_input(struct session *s)
{
	struct buf	*in = stream_in(s->stream);
	size_t		 n = smtp_taken(&s->smtp);

	/* A password must not lie about here, nor what was to be one. */
	if (n > 0)
		explicit_bzero(in->p + in->at, n);
	buf_drop(in, n);
	/* Content counts that is refused already: its sender cannot know. */
	s->window_bytes += n;
}

/* The next event; a message under way ends before a drain ends the session. */
static bool
next_event(struct session *s, struct smtp_event *ev)
{
	bool got = !is_blocked(s) && smtp_next(&s->smtp, ev);

	if (got || !ss.draining || (s->smtp.state != SMTP_ST_GREET &&
	    s->smtp.state != SMTP_ST_READY))
		return got;
	smtp_end(&s->smtp, SMTP_SHUTDOWN);
	return smtp_next(&s->smtp, ev);
}

/* The client says no more, and what it said is dealt with. */
static bool
is_over(const struct session *s)
{
	enum smtp_waits w = smtp_waits(&s->smtp);

	return s->eof && !is_blocked(s) && s->wait_id == 0 &&
	    (w == SMTP_WAITS_COMMAND || w == SMTP_WAITS_DATA);
}

void
session_run(struct session *s)
{
	struct smtp_event	ev;
	bool			progress = false, closing = false;

	/* An answer that came from within: the loop below sees it. */
	if (s->running || s->is_dead)
		return;
	s->running = true;
	smtp_feed(&s->smtp, buf_str(stream_in(s->stream)));
	while (next_event(s, &ev)) {
		if (ev.kind != SMTP_EV_BYTES)
			progress = true;
		if (ev.kind == SMTP_EV_CLOSE)
			closing = true;
		session_act(s, &ev);
	}
	if (smtp_waits(&s->smtp) == SMTP_WAITS_COMMAND &&
	    s->smtp.out.n > 0)
		progress = true;
	take_input(s);
	push_output(s);
	s->running = false;
	if (closing || is_over(s)) {
		smtp_hangup(&s->smtp);
		end(s, true);
	} else
		set_deadline(s, progress);
}

static void
on_stream(struct stream *st, enum stream_event ev, void *arg)
{
	struct session *s = arg;

	(void)st;
	switch (ev) {
	case STREAM_DATA:
	case STREAM_ROOM:
		session_run(s);
		break;
	case STREAM_EOF:
		/* It may still read what it is answered. */
		s->eof = true;
		session_run(s);
		break;
	case STREAM_FAILED:
		smtp_hangup(&s->smtp);
		end(s, false);
		break;
	}
}

void
sessions_retry(void)
{
	struct session	*s, *next;
	uint32_t	 id;

	for (s = LIST_FIRST(&ss.all); s != NULL; s = next) {
		next = LIST_NEXT(s, all);
		id = s->wait_id;
		if (id != 0) {
			session_data(s, id);
			session_run(s);
		} else if (s->sub != NULL && s->end_id == 0)
			session_run(s);
	}
}

/* -- new ones --------------------------------------------------------- */

static void
refuse(int fd, struct str address)
{
	struct buf b;

	buf_init(&b, 256);
	smtp_reply_add(&b, ss.draining ? SMTP_SHUTDOWN : SMTP_BUSY,
	    (struct str){ "", 0 });
	/* If it does not fit the socket, the client loses only the reason. */
	if (write(fd, buf_str(&b).p, b.n) == -1)
		log_debug("refusal not sent");
	buf_clear(&b);
	close(fd);
	log_info("session refused", L_STR("client", address),
	    L_NUM("sessions", ss.n));
}

/*
 * Strangers never take the last tenth: users, who can be told apart only
 * when they are in, come by the other listener.
 */
static bool
is_full(enum smtp_kind kind, const struct smtp_limits *l)
{
	unsigned spare = kind == SMTP_MX ? l->sessions / 10 : 0;

	return ss.n >= l->sessions - spare;
}

void
session_new(enum smtp_kind kind, int fd, struct str address)
{
	const struct smtp_config	*c = config_for(kind, address);
	struct session			*s;

	if (ss.draining || is_full(kind, &c->limits) ||
	    !peers_enter(ss.peers, address, c->limits.sessions_addr)) {
		refuse(fd, address);
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->sid = ss.next_sid++;
	s->kind = kind;
	s->address = xdup(address);
	s->waits = SMTP_WAITS_NOTHING;
	buf_init(&s->ticket, 512);
	buf_init(&s->chunk, 64 * 1024);
	s->timer = loop_timer(on_timer, s);
	s->stream = stream_new(fd, on_stream, s);
	smtp_init(&s->smtp, c);
	smtp_greet(&s->smtp);
	LIST_INSERT_HEAD(&ss.all, s, all);
	ss.n++;
	log_info("session begins", L_SID(s->sid), L_STR("client", address),
	    L_Z("listener", kind == SMTP_MX ? "mx" : "submission"));
	session_run(s);
}
