/*
 * conn - see conn.h.
 */
#include "mailboxd/conn.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"
#include "common/ipc/frame.h"
#include "common/net/stream.h"
#include "imapd/imap.h"
#include "mailboxd/hello.h"
#include "pop3d/pop3.h"

enum {
	IN_SOFT = 64 * 1024,	/* client bytes that wait: take no more */
	SEND_MAX = 256 * 1024,	/* bytes made into frames at a time */
	STEPS = 4		/* of an engine in a turn */
};

struct conn {
	TAILQ_ENTRY(conn)	 next;
	uint64_t		 sid;
	struct stream		*front;
	struct buf		 in;		/* taken out of frames */
	struct imap		*imap;		/* one of the two */
	struct pop3		*pop3;
	struct loop_timer	*idle;
	int64_t			 idle_ms;
	bool			 frames_left;	/* not taken: in was full */
	bool			 again;		/* there is work at once */
	bool			 eof;		/* no more input will come */
	bool			 lost;		/* nobody is there to send to */
	bool			 sent_close;
};

/* -- the two engines as one ------------------------------------------- */

enum want {
	WANT_INPUT,
	WANT_STEP,
	WANT_ROOM,
	WANT_STORE,
	WANT_END
};

static struct buf *
out(struct conn *s)
{
	return s->imap != NULL ? imap_out(s->imap) : pop3_out(s->pop3);
}

static size_t
feed(struct conn *s)
{
	return s->imap != NULL ? imap_feed(s->imap, buf_str(&s->in)) :
	    pop3_feed(s->pop3, buf_str(&s->in));
}

static enum want
wants_imap(const struct conn *s)
{
	switch (imap_wants(s->imap)) {
	case IMAP_WANT_INPUT:
		return WANT_INPUT;
	case IMAP_WANT_STEP:
		return WANT_STEP;
	case IMAP_WANT_ROOM:
		return WANT_ROOM;
	case IMAP_WANT_STORE:
		return WANT_STORE;
	case IMAP_WANT_END:
		return WANT_END;
	}
	return WANT_END;
}

/* One bounded piece of work, and what the engine wants now. */
static enum want
step(struct conn *s)
{
	bool more;

	if (s->imap != NULL) {
		if (wants_imap(s) == WANT_STEP)
			imap_step(s->imap, clock_wall() / 1000);
		return wants_imap(s);
	}
	more = pop3_step(s->pop3);
	if (pop3_done(s->pop3))
		return WANT_END;
	/* A step ends with its answer or with a full buffer. */
	return more || pop3_out(s->pop3)->n >= POP3_OUT_SOFT ? WANT_ROOM :
	    WANT_INPUT;
}

static bool
is_full(const struct conn *s)
{
	return stream_unsent(s->front) > STREAM_OUT_SOFT;
}

/* -- input ------------------------------------------------------------ */

static void
on_close(struct conn *s, struct str body)
{
	s->eof = true;
	if (body.n != 1 || body.p[0] != CLOSE_STOPPING)
		return;
	if (s->imap != NULL)
		imap_bye(s->imap, "server is going down");
	else
		pop3_timeout(s->pop3);
}

static void
lose(struct conn *s, const char *why)
{
	if (why != NULL)
		log_warn("session dropped", L_SID(s->sid), L_Z("why", why));
	s->eof = s->lost = true;
}

/* Frames that have a number already and no meaning yet. */
static bool
is_reserved(enum frame_type type)
{
	return type == FRAME_COMPRESS || type == FRAME_UNAUTHENTICATE ||
	    type == FRAME_PARK || type == FRAME_MOVED;
}

static void
refuse(struct conn *s)
{
	struct buf b;

	log_info("reserved frame refused", L_SID(s->sid));
	buf_init(&b, 64);
	frame_add_close(&b, CLOSE_REFUSED);
	stream_write(s->front, buf_str(&b));
	buf_clear(&b);
	s->eof = s->sent_close = true;
}

static void
take_frames(struct conn *s)
{
	struct buf	*in = stream_in(s->front);
	struct frame	 f;
	size_t		 used;

	while (!s->eof) {
		s->frames_left = s->in.n >= IN_SOFT;
		if (s->frames_left)
			return;
		switch (frame_next(buf_str(in), &f, &used)) {
		case FRAME_MORE:
			return;
		case FRAME_BAD:
			lose(s, "malformed frame");
			return;
		case FRAME_GOT:
			break;
		}
		if (f.type == FRAME_DATA)
			buf_add(&s->in, f.body);
		else if (f.type == FRAME_CLOSE)
			on_close(s, f.body);
		else if (is_reserved(f.type))
			refuse(s);
		else
			lose(s, "frame out of place");
		buf_drop(in, used);
	}
}

/* Feeds and steps until it wants something that is not there. */
static void
run(struct conn *s)
{
	enum want	w = step(s);
	size_t		used;
	int		i;

	for (i = 0; i < STEPS; i++) {
		if (w == WANT_INPUT && s->in.n > 0) {
			used = feed(s);
			buf_drop(&s->in, used);
			if (used == 0)
				break;
		} else if (w != WANT_STEP)
			break;
		w = step(s);
	}
	s->again = i == STEPS;
}

bool
conn_work(struct conn *s)
{
	if (s->imap != NULL && !s->lost && imap_changed(s->imap))
		s->again = true;
	if (s->frames_left)
		take_frames(s);
	if (s->again && !s->lost)
		run(s);
	return s->again || s->lost || s->sent_close ||
	    (out(s)->n > 0 && !is_full(s)) || (s->eof && out(s)->n == 0);
}

static void
on_front(struct stream *st, enum stream_event ev, void *arg)
{
	struct conn *s = arg;

	(void)st;
	switch (ev) {
	case STREAM_DATA:
		loop_timer_set(s->idle, s->idle_ms);
		s->frames_left = s->again = true;
		break;
	case STREAM_ROOM:
		/* Who takes a large message is not silent. */
		loop_timer_set(s->idle, s->idle_ms);
		s->again = true;
		break;
	case STREAM_EOF:
		/* Without CLOSE: the front died, and with it the client. */
		if (!s->eof)
			lose(s, NULL);
		break;
	case STREAM_FAILED:
		lose(s, NULL);
		break;
	}
	(void)conn_work(s);
	loop_again();
}

static void
on_idle(void *arg)
{
	struct conn *s = arg;

	log_info("session timed out", L_SID(s->sid));
	/* What nobody takes has no end to wait for. */
	if (is_full(s))
		s->lost = true;
	if (s->imap != NULL)
		imap_timeout(s->imap);
	else
		pop3_timeout(s->pop3);
	s->eof = s->again = true;
	loop_again();
}

/* -- output ----------------------------------------------------------- */

static bool
has_ended(struct conn *s)
{
	enum want w = s->imap != NULL ? wants_imap(s) :
	    pop3_done(s->pop3) ? WANT_END : WANT_INPUT;

	/* The client's last command may want no more than its answer. */
	return w == WANT_END || (w == WANT_INPUT && s->eof && !s->again);
}

void
conn_send(struct conn *s)
{
	struct buf	*o = out(s), b;
	size_t		 n;

	if (s->lost || s->sent_close)
		return;
	buf_init(&b, 2 * SEND_MAX);
	while (o->n > 0 && !is_full(s)) {
		n = o->n < SEND_MAX ? o->n : SEND_MAX;
		frame_add_data(&b, str_sub(buf_str(o), 0, n));
		stream_write(s->front, buf_str(&b));
		buf_reset(&b);
		buf_drop(o, n);
		/* What was waiting for room goes on, in the next turn. */
		s->again = true;
	}
	if (o->n == 0 && has_ended(s)) {
		frame_add_close(&b, CLOSE_DONE);
		stream_write(s->front, buf_str(&b));
		s->sent_close = true;
	}
	buf_clear(&b);
}

/* -- life ------------------------------------------------------------- */

struct conn *
conn_new(const struct store *store, int fd,
    const struct msg_owner_session *m)
{
	struct conn	*s = xcalloc(1, sizeof(*s));
	struct buf	 b;

	s->sid = m->sid;
	if (m->service == SERVICE_IMAP)
		s->imap = imap_new(store,
		    (uint32_t)conf_num(C_MAILBOX_MESSAGE_MAX));
	else
		s->pop3 = pop3_new(store);
	if (s->imap == NULL && s->pop3 == NULL) {
		log_error("no session", L_SID(m->sid));
		hello_refuse(fd, UNAVAILABLE_NOW);
		free(s);
		return NULL;
	}
	log_info("session", L_SID(m->sid), L_STR("user", m->user),
	    L_STR("client", m->client),
	    L_Z("service", s->imap != NULL ? "imap" : "pop3"));
	buf_init(&s->in, IN_SOFT + FRAME_MAX);
	s->front = stream_new(fd, on_front, s);
	s->idle = loop_timer(on_idle, s);
	s->idle_ms = 1000 * (int64_t)conf_num(s->imap != NULL ?
	    C_MAILBOX_IMAP_IDLE : C_MAILBOX_POP3_IDLE);
	loop_timer_set(s->idle, s->idle_ms);
	buf_init(&b, 64);
	frame_add(&b, FRAME_READY, S(""));
	stream_write(s->front, buf_str(&b));
	buf_clear(&b);
	return s;
}

void
conn_free(struct conn *s)
{
	if (s == NULL)
		return;
	log_info("session closed", L_SID(s->sid));
	stream_close(s->front, !s->lost);
	imap_free(s->imap);
	pop3_free(s->pop3);
	loop_timer_free(s->idle);
	buf_clear(&s->in);
	free(s);
}

bool
conn_is_pop3(const struct conn *s)
{
	return s->pop3 != NULL;
}

bool
conn_is_over(const struct conn *s)
{
	return s->lost || s->sent_close;
}

struct conn *
conn_next(const struct conn *s)
{
	return TAILQ_NEXT(s, next);
}

void
conn_link(struct conns *l, struct conn *s)
{
	TAILQ_INSERT_TAIL(l, s, next);
}

void
conn_unlink(struct conns *l, struct conn *s)
{
	TAILQ_REMOVE(l, s, next);
}
