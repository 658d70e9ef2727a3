/*
 * intake - see intake.h.  Runs in queued; trusts nothing that smtpd says but
 * that a message came.
 */
#include "queued/intake.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "queued/queued.h"

struct peer {
	LIST_ENTRY(peer)	 next;
	struct queued		*q;
	struct chan		*chan;
	LIST_HEAD(, incoming)	 incoming;
	size_t			 nincoming, memory;
	struct qids		 qids;
};

enum stage {
	IN_ARRIVING,
	IN_SYNCING,		/* its file is being made durable */
	IN_READY,		/* on the list for the journal */
	IN_JOURNAL
};

struct incoming {
	struct map_node		 node;		/* by qid */
	LIST_ENTRY(incoming)	 same_peer;
	TAILQ_ENTRY(incoming)	 ready;
	struct peer		*peer;
	enum stage		 stage;
	enum submit_verdict	 verdict;	/* not OK: dropped */
	struct record_message	 rec;
	char			 sender[RECORD_ADDRESS_MAX];
	uint32_t		 rcpts;		/* announced */
	uint32_t		 ntargets;	/* that came */
	struct buf		 targets;	/* encoded */
	struct buf		 body;
	size_t			 counted;	/* bytes in the budgets */
	struct bodyfile		*file;
};

/* -- memory -------------------------------------------------------------- */

static void
count_memory(struct incoming *in)
{
	struct intake	*t = &in->peer->q->intake;
	size_t		 now = in->targets.cap + in->body.cap;

	t->memory = t->memory - in->counted + now;
	in->peer->memory = in->peer->memory - in->counted + now;
	in->counted = now;
}

/* Nobody wants it, at whatever stage it is. */
static void
drop_file(struct incoming *in)
{
	struct queued *q = in->peer->q;

	if (in->file == NULL)
		return;
	bulk_forget(q->bulk, in);
	bodyfile_free(in->file);
	in->file = NULL;
	queued_remove_file(q, in->node.key);
}

static void
incoming_free(struct incoming *in)
{
	struct peer	*p = in->peer;
	struct intake	*t = &p->q->intake;

	if (in->stage == IN_READY)
		TAILQ_REMOVE(&t->ready, in, ready);
	drop_file(in);
	buf_clear(&in->targets);
	buf_clear(&in->body);
	t->memory -= in->counted;
	p->memory -= in->counted;
	p->nincoming--;
	LIST_REMOVE(in, same_peer);
	map_remove(&t->incoming, &in->node);
	free(in);
}

/* From here on it is only read to its end. */
static void
give_up(struct incoming *in, enum submit_verdict v)
{
	in->verdict = v;
	drop_file(in);
	buf_clear(&in->targets);
	buf_clear(&in->body);
	count_memory(in);
}

static void
answer(struct incoming *in, enum submit_verdict v)
{
	chan_send_submitted(in->peer->chan, &(struct msg_submitted){
	    .qid = in->node.key, .verdict = (uint8_t)v }, -1);
	incoming_free(in);
}

/* -- queue ids ----------------------------------------------------------- */

/* The reservation is durable: the block may be told. */
static void
on_reserved(const struct journal_entry *e, enum reclog_result r)
{
	assert(r == RECLOG_OK);
	if (e->chan == NULL)
		return;
	chan_send_qid_block(e->chan, &(struct msg_qid_block){
	    .first = e->id, .count = e->target }, -1);
}

static void
lease_qids(struct peer *p, uint32_t count)
{
	struct journal_entry	e = {
		.must = true, .fn = on_reserved, .chan = p->chan,
	};

	if (count > QIDS_BLOCK)
		count = QIDS_BLOCK;
	e.id = queued_qids(p->q, count);
	e.target = count;
	qids_add(&p->qids, e.id, count);
	journal_add(&p->q->journal, &e, S(""));
}

static int
on_want(struct peer *p, const struct msg_qid_want *m)
{
	if (m->count == 0 || qids_is_full(&p->qids))
		return -1;
	lease_qids(p, m->count);
	return 0;
}

/* -- a submission -------------------------------------------------------- */

/* SUBMIT_OK, with who it is, or the reason against it. */
static enum submit_verdict
judge_right(struct peer *p, const struct msg_submit *m,
    struct record_message *rec)
{
	struct ticket		t;
	enum ticket_result	r;
	bool			ok;

	if (m->right == RIGHT_MX)
		return SUBMIT_OK;
	r = ticket_open(&p->q->keys, m->ticket, clock_wall(), &t);
	/* authd's keys have not come yet: it may be good. */
	if (p->q->keys.n == 0)
		return SUBMIT_TEMP;
	ok = r == TICKET_GOOD && t.kind == TICKET_SUBMIT &&
	    t.service == SERVICE_SUBMISSION && t.sid == m->sid;
	if (ok) {
		rec->account = t.mailbox;
		rec->tenant = t.tenant;
	} else
		log_warn("submission denied", L_SID(m->sid), L_QID(m->qid));
	sodium_memzero(&t, sizeof(t));
	return ok ? SUBMIT_OK : SUBMIT_DENIED;
}

static int
on_submit(struct peer *p, const struct msg_submit *m)
{
	struct intake_conf	*c = &p->q->conf.intake;
	struct incoming		*in;

	if (m->rcpts == 0 || m->rcpts > c->rcpt_max || m->eightbit > 1 ||
	    m->right > RIGHT_TICKET || p->nincoming == INTAKE_OPEN_MAX ||
	    qids_use(&p->qids, m->qid) == -1)
		return -1;
	in = xcalloc(1, sizeof(*in));
	in->peer = p;
	in->rcpts = m->rcpts;
	in->rec = (struct record_message){
		.sid = m->sid, .received = clock_wall(),
		.flags = m->eightbit ? RECORD_EIGHTBIT : 0,
		.sender = { in->sender, m->sender.n },
	};
	memcpy(in->sender, m->sender.p, m->sender.n);
	buf_init(&in->targets, (size_t)c->rcpt_max * 512);
	buf_init(&in->body, c->by_value);
	LIST_INSERT_HEAD(&p->incoming, in, same_peer);
	p->nincoming++;
	map_add(&p->q->intake.incoming, &in->node, m->qid);
	in->verdict = judge_right(p, m, &in->rec);
	if (in->verdict == SUBMIT_OK && p->q->state == QUEUE_CLOSED)
		in->verdict = SUBMIT_FULL;
	return 0;
}

static struct incoming *
find_arriving(struct peer *p, uint64_t qid)
{
	struct incoming *in = map_find(&p->q->intake.incoming, qid);

	if (in == NULL || in->peer != p || in->stage != IN_ARRIVING)
		return NULL;
	return in;
}

static int
on_rcpts(struct peer *p, const struct msg_submit_rcpts *m)
{
	struct incoming		*in = find_arriving(p, m->qid);
	struct msg_list		 l = m->rcpts;
	struct rec_address	 a;
	struct record_target	 t = { .state = TARGET_ROUTE };

	if (in == NULL || l.n > in->rcpts - in->ntargets)
		return -1;
	while (rec_next_address(&l, &a)) {
		if (a.address.n == 0)
			return -1;
		t.no = in->ntargets;
		t.address = a.address;
		if (in->verdict == SUBMIT_OK)
			record_add_target(&in->targets, &in->ntargets, &t);
		else
			in->ntargets++;
	}
	count_memory(in);
	return 0;
}

/* -- content ------------------------------------------------------------- */

/* What is in memory becomes the beginning of a file. */
static int
spill(struct incoming *in)
{
	in->file = bodyfile_create(&in->peer->q->files, in->node.key);
	if (in->file == NULL)
		return -1;
	in->rec.flags |= RECORD_FILE;
	if (bodyfile_write(in->file, buf_str(&in->body)) == -1)
		return -1;
	buf_clear(&in->body);
	return 0;
}

static bool
is_over_budget(const struct incoming *in, size_t more)
{
	const struct peer		*p = in->peer;
	const struct intake_conf	*c = &p->q->conf.intake;

	return in->body.n + more > c->by_value ||
	    p->memory + more > c->channel_memory ||
	    p->q->intake.memory + more > c->total_memory;
}

static int
on_data(struct peer *p, const struct msg_submit_data *m)
{
	struct incoming	*in = find_arriving(p, m->qid);
	int		 rc = 0;

	if (in == NULL || in->ntargets != in->rcpts)
		return -1;
	in->rec.size += m->chunk.n;
	if (in->rec.size > p->q->conf.intake.size_max)
		return -1;
	if (in->verdict != SUBMIT_OK)
		return 0;
	if (in->file == NULL && is_over_budget(in, m->chunk.n))
		rc = spill(in);
	if (rc == 0 && in->file != NULL)
		rc = bodyfile_write(in->file, m->chunk);
	else if (rc == 0)
		buf_add(&in->body, m->chunk);
	if (rc == -1 || !buf_ok(&in->body)) {
		log_warn("content not staged", L_QID(m->qid), L_ERRNO);
		give_up(in, errno == ENOSPC || errno == EDQUOT ?
		    SUBMIT_FULL : SUBMIT_TEMP);
		return 0;
	}
	count_memory(in);
	return 0;
}

static void
make_ready(struct incoming *in)
{
	struct intake *t = &in->peer->q->intake;

	in->stage = IN_READY;
	TAILQ_INSERT_TAIL(&t->ready, in, ready);
	loop_again();
}

static void
on_synced(void *arg, uint64_t qid, int error)
{
	struct incoming *in = arg;

	(void)qid;
	if (error != 0) {
		log_error("content not durable", L_QID(in->node.key),
		    L_Z("error", strerror(error)));
		answer(in, error == ENOSPC ? SUBMIT_FULL : SUBMIT_TEMP);
		return;
	}
	make_ready(in);
}

static int
on_end(struct peer *p, const struct msg_submit_end *m)
{
	struct incoming *in = find_arriving(p, m->qid);

	if (in == NULL || in->ntargets != in->rcpts || in->rec.size != m->size)
		return -1;
	if (in->verdict != SUBMIT_OK) {
		answer(in, in->verdict);
	} else if (in->file != NULL) {
		bodyfile_end(in->file, in->rec.hash);
		in->stage = IN_SYNCING;
		bulk_ask(p->q->bulk, &(struct bulk_ask){ .op = BULK_SYNC,
		    .id = m->qid }, on_synced, in);
	} else
		make_ready(in);
	return 0;
}

static int
on_abort(struct peer *p, const struct msg_submit_abort *m)
{
	struct incoming *in = map_find(&p->q->intake.incoming, m->qid);

	/* It may have crossed our answer on the way. */
	if (in == NULL)
		return 0;
	if (in->peer != p)
		return -1;
	incoming_free(in);
	return 0;
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	struct peer *p = chan_arg(c);

	(void)fd;			/* none of these carries one */
	switch ((int)m->type) {
	case MSG_QID_WANT:
		return on_want(p, &m->qid_want);
	case MSG_SUBMIT:
		return on_submit(p, &m->submit);
	case MSG_SUBMIT_RCPTS:
		return on_rcpts(p, &m->submit_rcpts);
	case MSG_SUBMIT_DATA:
		return on_data(p, &m->submit_data);
	case MSG_SUBMIT_END:
		return on_end(p, &m->submit_end);
	case MSG_SUBMIT_ABORT:
		return on_abort(p, &m->submit_abort);
	}
	return -1;
}

/* -- to the journal ------------------------------------------------------ */

/* Durable: it is a message now, and somebody is told so. */
static void
accept_message(struct incoming *in, struct recpos pos)
{
	struct queued		*q = in->peer->q;
	struct record_targets	 l = { buf_str(&in->targets), in->ntargets };
	struct record_target	 r;
	struct message		*m;

	m = queue_add(&q->queue, in->node.key, pos, &in->rec);
	while (record_next(&l, &r)) {
		if (queue_set(&q->queue, m, &r) == -1)
			abort();	/* numbered here, a moment ago */
	}
	bodyfile_free(in->file);
	in->file = NULL;
	q->intake.accepted++;
	q->intake.accepted_at = clock_now();
	log_info("queued", L_SID(in->rec.sid), L_QID(in->node.key),
	    L_STR("from", in->rec.sender), L_NUM("rcpts", in->ntargets),
	    L_NUM("size", in->rec.size));
	work_schedule(q, m, 0);
}

static void
on_committed(const struct journal_entry *e, enum reclog_result r)
{
	struct incoming *in = e->arg;

	if (r == RECLOG_OK)
		accept_message(in, e->pos);
	answer(in, r == RECLOG_OK ? SUBMIT_OK : SUBMIT_FULL);
}

/* As many targets as one record takes; the rest follow in the same frame. */
static struct record_targets
cut_targets(struct record_targets *rest)
{
	struct record_targets	 cut = { rest->raw, 0 };
	struct record_target	 t;

	while (rest->n > 0 &&
	    cut.raw.n - rest->raw.n < RECORD_TARGETS_BYTES) {
		record_next(rest, &t);
		cut.n++;
	}
	cut.raw.n -= rest->raw.n;
	return cut;
}

/* The first one of the group is told: its position is the message's. */
static size_t
journal_message(struct incoming *in)
{
	struct queued		*q = in->peer->q;
	struct record_targets	 rest = { buf_str(&in->targets), in->ntargets };
	struct record_targets	 cut = cut_targets(&rest);
	struct journal_entry	 e = {
		.type = REC_MESSAGE, .id = in->node.key,
		.payload = buf_str(&in->body),
		.fn = on_committed, .arg = in,
	};

	in->stage = IN_JOURNAL;
	in->rec.time = queue_time(&q->queue);
	in->rec.born = in->rec.time.queue;
	buf_reset(&q->scratch);
	record_message(&q->scratch, &in->rec, cut);
	journal_add(&q->journal, &e, buf_str(&q->scratch));
	e = (struct journal_entry){ .type = REC_TARGETS, .id = in->node.key,
	    .joined = true };
	while (rest.n > 0) {
		cut = cut_targets(&rest);
		buf_reset(&q->scratch);
		record_route(&q->scratch, in->rec.time, cut);
		journal_add(&q->journal, &e, buf_str(&q->scratch));
	}
	return in->body.n + in->targets.n;
}

void
intake_collect(struct queued *q)
{
	struct intake_conf	*c = &q->conf.intake;
	struct incoming		*in;
	size_t			 n = 0, bytes = 0;

	while ((in = TAILQ_FIRST(&q->intake.ready)) != NULL) {
		if (n == c->turn_messages || bytes >= c->turn_bytes) {
			loop_again();
			return;
		}
		TAILQ_REMOVE(&q->intake.ready, in, ready);
		n++;
		if (q->state == QUEUE_CLOSED) {
			in->stage = IN_JOURNAL;
			answer(in, SUBMIT_FULL);
		} else
			bytes += journal_message(in);
	}
}

/* -- channels ------------------------------------------------------------ */

static void
on_down(struct chan *c)
{
	struct peer	*p = chan_arg(c);
	struct incoming	*in, *next;

	/* The hook before this one left none in the journal. */
	for (in = LIST_FIRST(&p->incoming); in != NULL; in = next) {
		next = LIST_NEXT(in, same_peer);
		assert(in->stage != IN_JOURNAL);
		incoming_free(in);
	}
	journal_forget(&p->q->journal, c);
	LIST_REMOVE(p, next);
	free(p);
}

static void
send_state(struct peer *p)
{
	chan_send_queue_state(p->chan, &(struct msg_queue_state){
	    .state = (uint8_t)p->q->state }, -1);
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

const struct chan_ops *
intake_ops(void)
{
	return &ops;
}

int
intake_accept(struct chan *c, void *queued)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	p->q = queued;
	p->chan = c;
	chan_set_arg(c, p);
	LIST_INIT(&p->incoming);
	LIST_INSERT_HEAD(&p->q->intake.peers, p, next);
	send_state(p);
	lease_qids(p, QIDS_BLOCK);
	return 0;
}

void
intake_push_state(struct queued *q)
{
	struct peer *p;

	LIST_FOREACH(p, &q->intake.peers, next)
		send_state(p);
}

void
intake_init(struct intake *t)
{
	*t = (struct intake){ 0 };
	map_init(&t->incoming);
	LIST_INIT(&t->peers);
	TAILQ_INIT(&t->ready);
}

void
intake_clear(struct queued *q)
{
	struct peer	*p, *next_peer;
	struct incoming	*in, *next;

	for (p = LIST_FIRST(&q->intake.peers); p != NULL; p = next_peer) {
		next_peer = LIST_NEXT(p, next);
		for (in = LIST_FIRST(&p->incoming); in != NULL; in = next) {
			next = LIST_NEXT(in, same_peer);
			incoming_free(in);
		}
		LIST_REMOVE(p, next);
		chan_close(p->chan);
		free(p);
	}
	map_clear(&q->intake.incoming);
}
