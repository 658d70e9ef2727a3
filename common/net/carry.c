/*
 * carry - one session of a front; see front_int.h.  First the client talks to
 * the login engine, then its bytes are carried to the owner in frames.
 */
#include "common/net/front_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/core/id.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"
#include "common/net/peers.h"

enum {
	HELLO_TRIES = 20,	/* mailboxd may be starting again */
	HELLO_RETRY_MS = 100
};

static void	pump_login(struct carry *);
static void	pump_client(struct carry *);
static void	pump_owner(struct carry *);

/* -- the end ---------------------------------------------------------- */

static void
close_carry(struct carry *s, bool flush)
{
	if (s->state == CARRY_CLOSED)
		return;
	if (s->state == CARRY_RELAY)
		log_info("session ended", L_SID(s->sid),
		    L_NUM("in", s->bytes_in), L_NUM("out", s->bytes_out));
	else
		log_debug("client left", L_SID(s->sid));
	s->state = CARRY_CLOSED;
	stream_close(s->client, flush);
	if (s->owner != NULL)
		stream_close(s->owner, false);
	loop_again();
}

void
carry_free(struct carry *s)
{
	login_free(s->login);
	buf_wipe(&s->ticket);
	loop_timer_free(s->deadline);
	loop_timer_free(s->retry);
	free(s);
}

/* Bytes that may hold a password go without a trace. */
static void
drop_secret(struct buf *b, size_t n)
{
	if (n > 0)
		explicit_bzero(b->p + b->at, n);
	buf_drop(b, n);
}

/* -- the login -------------------------------------------------------- */

static void
say(struct carry *s)
{
	stream_write(s->client, buf_str(&s->login->out));
	/* Many replies to few bytes; a client that waits keeps none of it. */
	buf_clear(&s->login->out);
}

static void
answer(struct carry *s, enum login_answer a)
{
	login_answer(s->login, a);
	say(s);
	if (a != ANSWER_OK) {
		s->state = CARRY_LOGIN;
		pump_login(s);
		return;
	}
	s->state = CARRY_RELAY;
	login_free(s->login);
	s->login = NULL;
	buf_wipe(&s->ticket);
	loop_timer_stop(s->deadline);
	pump_client(s);
}

static void
pump_login(struct carry *s)
{
	struct buf	*in = stream_in(s->client);
	size_t		 used = login_feed(s->login, buf_str(in));

	drop_secret(in, used);
	say(s);
	switch (s->login->state) {
	case LOGIN_TALKING:
		if (s->client_eof)
			close_carry(s, true);
		return;
	case LOGIN_ASKING:
		s->state = CARRY_ASKED;
		front_ask(s);
		return;
	case LOGIN_IN:
		return;
	case LOGIN_OVER:
		close_carry(s, true);
		return;
	}
}

static void
on_deadline(void *arg)
{
	struct carry *s = arg;

	if (s->state == CARRY_RELAY) {
		log_info("client takes nothing", L_SID(s->sid),
		    L_Z("client", s->address));
		close_carry(s, false);
		return;
	}
	log_often(LOG_INFO, "no login in time", L_SID(s->sid),
	    L_Z("client", s->address));
	login_bye(s->login, BYE_TIME);
	say(s);
	close_carry(s, true);
}

/* -- HELLO ------------------------------------------------------------ */

static void
unavailable(struct carry *s, enum login_answer a, const char *why)
{
	log_warn("mailbox unavailable", L_SID(s->sid), L_Z("user", s->user),
	    L_Z("why", why));
	if (s->owner != NULL)
		stream_close(s->owner, false);
	s->owner = NULL;
	answer(s, a);
}

static void
hello_again(struct carry *s)
{
	if (s->owner != NULL)
		stream_close(s->owner, false);
	s->owner = NULL;
	if (++s->tries == HELLO_TRIES)
		unavailable(s, ANSWER_UNAVAILABLE,
		    "mailboxd does not answer");
	else
		loop_timer_set(s->retry, HELLO_RETRY_MS);
}

/* The owner's answer, which opens the mailbox or not. */
static void
pump_hello(struct carry *s)
{
	struct buf	*in = stream_in(s->owner);
	struct frame	 f;
	size_t		 used;

	switch (frame_next(buf_str(in), &f, &used)) {
	case FRAME_MORE:
		return;
	case FRAME_BAD:
		unavailable(s, ANSWER_UNAVAILABLE, "malformed frame");
		return;
	case FRAME_GOT:
		break;
	}
	if (f.type == FRAME_READY) {
		buf_drop(in, used);
		log_info("logged in", L_SID(s->sid), L_Z("user", s->user),
		    L_Z("client", s->address));
		answer(s, ANSWER_OK);
		pump_owner(s);
		return;
	}
	/* MOVED is for later; other frames have no business here. */
	if (f.type == FRAME_UNAVAILABLE && f.body.n == 1 &&
	    f.body.p[0] == UNAVAILABLE_IN_USE)
		unavailable(s, ANSWER_IN_USE, "in use");
	else
		unavailable(s, ANSWER_UNAVAILABLE,
		    f.type == FRAME_UNAVAILABLE ? "refused" :
		    f.type == FRAME_MOVED ? "moved" : "frame out of place");
}

static void
on_owner(struct stream *st, enum stream_event ev, void *arg)
{
	struct carry *s = arg;

	/* One that was given up, or that a new try has replaced. */
	if (st != s->owner || s->state == CARRY_CLOSED)
		return;
	switch (ev) {
	case STREAM_DATA:
		if (s->state == CARRY_HELLO)
			pump_hello(s);
		else
			pump_owner(s);
		return;
	case STREAM_ROOM:
		stream_pause(s->client, false);
		pump_client(s);
		return;
	case STREAM_EOF:
	case STREAM_FAILED:
		if (s->state == CARRY_HELLO) {
			hello_again(s);
			return;
		}
		pump_owner(s);
		if (s->state != CARRY_CLOSED) {
			log_warn("the owner is gone", L_SID(s->sid));
			close_carry(s, true);
		}
		return;
	}
}

static void
hello(void *arg)
{
	struct carry	*s = arg;
	struct hello	 h = { .service = s->conf->service, .sid = s->sid,
	    .ticket = buf_str(&s->ticket), .client = str_c(s->address) };
	struct buf	 b;
	int		 fd = chan_dial("mailboxd", SOCK_STREAM);

	if (fd == -1) {
		hello_again(s);
		return;
	}
	s->owner = stream_new(fd, on_owner, s);
	buf_init(&b, FRAME_HEADER + FRAME_MAX);
	hello_add(&b, &h);
	stream_write(s->owner, buf_str(&b));
	buf_wipe(&b);
}

void
carry_answer(struct carry *s, const struct msg_logged_in *m)
{
	if (m->verdict == LOGIN_OK) {
		memcpy(s->user, m->user.p, m->user.n);
		s->user[m->user.n] = '\0';
		buf_wipe(&s->ticket);
		buf_add(&s->ticket, m->ticket);
		s->state = CARRY_HELLO;
		s->tries = 0;
		hello(s);
		return;
	}
	log_often(LOG_INFO, "login failed", L_SID(s->sid),
	    L_Z("client", s->address),
	    L_STR("user", buf_str(&s->login->user)),
	    L_Z("why", m->verdict == LOGIN_BAD ? "credentials" : "temporary"));
	answer(s, m->verdict == LOGIN_BAD ? ANSWER_BAD : ANSWER_TEMP);
}

/* -- relay ------------------------------------------------------------ */

static bool
is_full(const struct stream *st)
{
	return stream_unsent(st) > STREAM_OUT_SOFT;
}

static void
send_close(struct carry *s, enum close_reason reason)
{
	struct buf b;

	s->close_sent = true;
	buf_init(&b, 64);
	frame_add_close(&b, reason);
	stream_write(s->owner, buf_str(&b));
	buf_clear(&b);
}

/* Client to owner. */
static void
pump_client(struct carry *s)
{
	struct buf	*in = stream_in(s->client), b;

	if (s->close_sent)
		return;
	if (is_full(s->owner)) {
		stream_pause(s->client, true);
		return;
	}
	if (in->n > 0) {
		buf_init(&b, 2 * STREAM_IN_MAX);
		frame_add_data(&b, buf_str(in));
		s->bytes_in += in->n;
		buf_drop(in, in->n);
		stream_write(s->owner, buf_str(&b));
		buf_clear(&b);
	}
	if (s->client_eof)
		send_close(s, CLOSE_LOST);
}

/* Owner to client. */
static void
pump_owner(struct carry *s)
{
	struct buf	*in = stream_in(s->owner);
	struct frame	 f;
	size_t		 used;
	enum frame_result r;

	while (!is_full(s->client)) {
		r = frame_next(buf_str(in), &f, &used);
		if (r == FRAME_MORE) {
			stream_pause(s->owner, false);
			return;
		}
		if (r == FRAME_GOT && f.type == FRAME_CLOSE) {
			close_carry(s, true);
			return;
		}
		if (r == FRAME_BAD || f.type != FRAME_DATA) {
			log_warn("frame out of place", L_SID(s->sid),
			    L_NUM("type", r == FRAME_BAD ? 0 : f.type));
			close_carry(s, false);
			return;
		}
		s->bytes_out += f.body.n;
		stream_write(s->client, f.body);
		buf_drop(in, used);
	}
	stream_pause(s->owner, true);
	/* From now until there is room: it would hold its mailbox for ever. */
	if (!loop_timer_pending(s->deadline))
		loop_timer_set(s->deadline, s->conf->stall_ms);
}

static void
on_client(struct stream *st, enum stream_event ev, void *arg)
{
	struct carry *s = arg;

	(void)st;
	if (s->state == CARRY_CLOSED)
		return;
	if (ev == STREAM_FAILED) {
		close_carry(s, false);
		return;
	}
	if (ev == STREAM_EOF)
		s->client_eof = true;
	switch (s->state) {
	case CARRY_LOGIN:
		pump_login(s);
		return;
	case CARRY_ASKED:
	case CARRY_HELLO:
		/* Waits in the stream until there is an answer. */
		return;
	case CARRY_RELAY:
		if (ev == STREAM_ROOM) {
			loop_timer_stop(s->deadline);
			pump_owner(s);
		} else
			pump_client(s);
		return;
	case CARRY_CLOSED:
		return;
	}
}

/* -- life ------------------------------------------------------------- */

struct carry *
carry_new(const struct front_conf *conf, uint64_t id, int fd,
    struct str address)
{
	struct carry *s = xcalloc(1, sizeof(*s));

	s->conf = conf;
	s->id = id;
	s->sid = id_random();
	memcpy(s->address, address.p, address.n < sizeof(s->address) ?
	    address.n : sizeof(s->address) - 1);
	buf_init(&s->ticket, TICKET_MAX);
	s->client = stream_new(fd, on_client, s);
	s->deadline = loop_timer(on_deadline, s);
	s->retry = loop_timer(hello, s);
	loop_timer_set(s->deadline, conf->login_ms);
	s->login = login_new(conf->login, conf->hostname,
	    peers_may_log_in(conf->plaintext, address));
	log_debug("client", L_SID(s->sid), L_STR("client", address));
	login_greet(s->login);
	say(s);
	return s;
}

void
carry_stop(struct carry *s)
{
	switch (s->state) {
	case CARRY_LOGIN:
	case CARRY_ASKED:
	case CARRY_HELLO:
		login_bye(s->login, BYE_STOPPING);
		say(s);
		close_carry(s, true);
		return;
	case CARRY_RELAY:
		/* The owner knows what its protocol has to say. */
		if (!s->close_sent)
			send_close(s, CLOSE_STOPPING);
		return;
	case CARRY_CLOSED:
		return;
	}
}
