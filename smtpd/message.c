/*
 * message - the envelope that a session gathers, and its way to queued.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/id.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "smtpd/session_int.h"
#include "smtpd/trace.h"

enum {
	CHUNK_MAX = 60000,		/* SUBMIT_DATA's cap */
	RCPTS_A_MSG = 100,		/* in one SUBMIT_RCPTS */
	REFUSED_LOGGED = 100		/* recipients of a session */
};

struct str
rcpt_text(const struct addr *a, char out[ADDR_TEXT_MAX + 1])
{
	struct buf	b;
	struct str	s;

	if (a->kind != ADDR_POSTMASTER)
		return addr_text(a, out);
	/* RFC 5321 4.5.1: postmaster without a domain is ours. */
	buf_init(&b, ADDR_TEXT_MAX);
	buf_addz(&b, "postmaster@");
	buf_addz(&b, conf_text(C_HOSTNAME));
	s = buf_str(&b);
	memcpy(out, s.p, s.n);
	buf_clear(&b);
	return (struct str){ out, s.n };
}

void
message_sender(struct session *s, const struct smtp_mail *m)
{
	s->sender = m->sender;
	s->eight = m->eight;
	s->announced = m->size;
}

void
message_rcpt_add(struct session *s, uint32_t id, struct str text)
{
	s->rcpts = xrealloc(s->rcpts, s->nrcpts + 1, sizeof(*s->rcpts));
	s->rcpts[s->nrcpts].id = id;
	s->rcpts[s->nrcpts].text = xdup(text);
	s->nrcpts++;
}

/* A client may ask for one full mailbox as often as it likes. */
static void
log_refused(struct session *s, struct str to, enum smtp_reply reply)
{
	if (++s->refused > REFUSED_LOGGED)
		return;
	log_often(LOG_INFO, "recipient refused", L_SID(s->sid),
	    L_STR("to", to), L_NUM("code", smtp_code(reply)),
	    L_Z("status", smtp_status(reply)), L_STR("client", s->address));
}

/* False, and not counted: with them the message had too many. */
static bool
add_targets(struct session *s, uint32_t n)
{
	uint32_t most = (uint32_t)conf_num(C_QUEUE_TARGETS_MAX);

	assert(s->targets <= most);
	if (n > most - s->targets)
		return false;
	s->targets += n;
	return true;
}

enum smtp_reply
message_rcpt_answered(struct session *s, uint32_t id, enum smtp_reply reply,
    uint32_t targets)
{
	unsigned i = s->nrcpts;

	/* Open questions stand near the end; the sender's is not here. */
	while (i > 0 && s->rcpts[i - 1].id != id)
		i--;
	if (i-- == 0)
		return reply;
	s->rcpts[i].id = 0;
	if (reply == SMTP_OK && add_targets(s, targets))
		return reply;
	if (reply == SMTP_OK)
		reply = SMTP_EXPANSION;
	log_refused(s, s->rcpts[i].text, reply);
	xfree_str(&s->rcpts[i].text);
	s->nrcpts--;
	memmove(&s->rcpts[i], &s->rcpts[i + 1],
	    (s->nrcpts - i) * sizeof(*s->rcpts));
	return reply;
}

/* -- to queued ------------------------------------------------------------- */

static void
send_rcpts(struct session *s)
{
	struct msg		m = { .type = MSG_SUBMIT_RCPTS };
	struct rec_address	r;
	struct buf		list;
	uint32_t		n = 0;
	unsigned		i;

	buf_init(&list, 64 * 1024);
	for (i = 0; i < s->nrcpts; i++) {
		r.address = s->rcpts[i].text;
		rec_add_address(&list, &n, &r);
		if (n < RCPTS_A_MSG && i + 1 < s->nrcpts)
			continue;
		m.submit_rcpts = (struct msg_submit_rcpts){
		    .qid = s->sub->node.key, .rcpts = msg_list_of(&list, n) };
		pool_send(s->sub, &m);
		buf_reset(&list);
		n = 0;
	}
	buf_clear(&list);
}

static void
add_trace(struct session *s)
{
	struct smtp_trace t = {
	    .helo = smtp_helo(&s->smtp), .ip = s->address,
	    .hostname = str_c(conf_text(C_HOSTNAME)),
	    .esmtp = s->smtp.esmtp, .authed = s->account != 0,
	    .qid = s->sub->node.key, .time = clock_wall() / 1000 };

	if (s->nrcpts == 1)
		t.rcpt = s->rcpts[0].text;
	smtp_trace(&s->chunk, &t);
	s->trace_n = s->chunk.n;
	s->headless = false;
}

/*
 * The envelope goes with the first of the content: most messages are one
 * packet then.
 */
static void
send_envelope(struct session *s)
{
	struct msg	m = { .type = MSG_SUBMIT };
	char		sender[ADDR_TEXT_MAX];

	if (s->told)
		return;
	s->told = true;
	m.submit = (struct msg_submit){
	    .qid = s->sub->node.key, .sid = s->sid,
	    .right = s->account != 0 ? RIGHT_TICKET : RIGHT_MX,
	    .ticket = buf_str(&s->ticket),
	    .sender = addr_text(&s->sender, sender),
	    .eightbit = s->eight, .rcpts = s->nrcpts };
	pool_send(s->sub, &m);
	send_rcpts(s);
}

bool
message_begin(struct session *s)
{
	s->sub = pool_begin(s);
	if (s->sub == NULL)
		return false;
	s->told = false;
	s->sent = 0;
	add_trace(s);
	return true;
}

static void
send_chunk(struct session *s)
{
	struct msg m = { .type = MSG_SUBMIT_DATA };

	if (s->chunk.n == 0)
		return;
	send_envelope(s);
	m.submit_data = (struct msg_submit_data){ .qid = s->sub->node.key,
	    .chunk = buf_str(&s->chunk) };
	pool_send(s->sub, &m);
	s->sent += s->chunk.n;
	buf_reset(&s->chunk);
}

void
message_bytes(struct session *s, struct str bytes)
{
	struct str piece;

	while (s->sub != NULL && bytes.n > 0) {
		piece = str_sub(bytes, 0, CHUNK_MAX - s->chunk.n);
		buf_add(&s->chunk, piece);
		bytes = str_from(bytes, piece.n);
		if (s->chunk.n == CHUNK_MAX)
			send_chunk(s);
	}
}

/* Our trace is its header then, and ends here.  RFC 5322 3.5. */
void
message_headless(struct session *s)
{
	char	tail[SMTP_OPENING_MAX];
	size_t	n;

	if (s->sub == NULL || s->headless)
		return;
	s->headless = true;
	n = s->chunk.n - s->trace_n;
	assert(n <= sizeof(tail) && s->sent == 0);
	memcpy(tail, buf_str(&s->chunk).p + s->trace_n, n);
	buf_trunc(&s->chunk, s->trace_n);
	buf_addz(&s->chunk, "\r\n");
	buf_add(&s->chunk, str_of(tail, n));
}

void
message_end(struct session *s)
{
	struct msg m = { .type = MSG_SUBMIT_END };

	send_chunk(s);
	m.submit_end = (struct msg_submit_end){ .qid = s->sub->node.key,
	    .size = s->sent };
	pool_send(s->sub, &m);
	buf_clear(&s->chunk);
}

enum smtp_reply
message_refusal(unsigned verdict)
{
	if (verdict == SUBMIT_FULL)
		return SMTP_FULL;
	return verdict == SUBMIT_DENIED ? SMTP_EXPIRED : SMTP_TEMP;
}

void
message_clear(struct session *s)
{
	unsigned i;

	if (s->sub != NULL && s->end_id != 0)
		pool_abandon(s->sub);
	else if (s->sub != NULL) {
		/* Or queued would wait for its qid. */
		send_envelope(s);
		pool_abort(s->sub);
	}
	s->sub = NULL;
	s->end_id = 0;
	s->wait_id = 0;
	buf_clear(&s->chunk);
	for (i = 0; i < s->nrcpts; i++)
		xfree_str(&s->rcpts[i].text);
	free(s->rcpts);
	s->rcpts = NULL;
	s->nrcpts = 0;
	s->targets = 0;
	if (s->is_dead && s->refused > REFUSED_LOGGED)
		log_often(LOG_INFO, "recipients refused", L_SID(s->sid),
		    L_NUM("count", s->refused), L_STR("client", s->address));
}
