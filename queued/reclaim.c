/*
 * reclaim - see reclaim.h.  Runs in queued.
 */
#include "queued/reclaim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "queued/queued.h"

enum {
	SPARE = 4,		/* segments that are never worth a copy */
	FACTOR = 3,		/* log against what is alive in it */
	TURN_BYTES = 4 * 1024 * 1024,
	TURN_SEGMENTS = 4	/* each costs a sync of the directory */
};

struct copy {
	struct queued	*q;
	uint64_t	 qid;
	struct buf	 body;
};

static void
on_copied(const struct journal_entry *e, enum reclog_result r)
{
	struct copy	*c = e->arg;
	struct message	*m = queue_find(&c->q->queue, c->qid);

	if (r == RECLOG_OK && m != NULL) {
		queue_moved(&c->q->queue, m, e->pos);
		c->q->reclaim.copied++;
	}
	buf_clear(&c->body);
	free(c);
}

/* All targets as they are now, in as many records as it takes. */
static void
journal_copy(struct queued *q, struct message *m, struct record_message *rm,
    struct copy *c)
{
	struct journal_entry	 e = {
		.type = REC_MESSAGE, .id = c->qid, .fn = on_copied, .arg = c,
		.payload = buf_str(&c->body),
	};
	struct record_targets	 l;
	struct record_target	 t;
	struct buf		 list;
	uint32_t		 i = 0;

	buf_init(&list, 2 * RECORD_TARGETS_BYTES);
	rm->time = queue_time(&q->queue);
	do {
		buf_reset(&list);
		l.n = 0;
		while (i < m->n && list.n < RECORD_TARGETS_BYTES) {
			t = queue_record(queue_target(m, i++));
			record_add_target(&list, &l.n, &t);
		}
		l.raw = buf_str(&list);
		buf_reset(&q->scratch);
		if (e.type == REC_MESSAGE)
			record_message(&q->scratch, rm, l);
		else
			record_route(&q->scratch, rm->time, l);
		journal_add(&q->journal, &e, buf_str(&q->scratch));
		e = (struct journal_entry){ .type = REC_TARGETS, .id = c->qid,
		    .joined = true };
	} while (i < m->n);
	buf_clear(&list);
}

/* Bytes that it costs; 0 when the message cannot be read. */
static size_t
copy_message(struct queued *q, struct message *m)
{
	struct copy		*c = xcalloc(1, sizeof(*c));
	struct record_message	 rm;
	struct record_targets	 l;
	struct rec		 r;
	struct buf		 meta;
	size_t			 n = 0;

	c->q = q;
	c->qid = message_qid(m);
	buf_init(&c->body, RECLOG_PAYLOAD_MAX);
	buf_init(&meta, RECLOG_META_MAX);
	if (reclog_read_rec(q->log, m->pos, &r, &meta, &c->body) == -1 ||
	    r.id != c->qid || r.type != REC_MESSAGE ||
	    record_message_parse(buf_str(&meta), &rm, &l) == -1) {
		log_error("message not readable", L_QID(c->qid), L_ERRNO);
		buf_clear(&c->body);
		free(c);
	} else {
		journal_copy(q, m, &rm, c);
		n = c->body.n + meta.n + 1;
	}
	buf_clear(&meta);
	return n;
}

/* The messages of a segment, once, by a walk over all. */
static void
list_messages(struct queued *q, uint64_t segment)
{
	struct reclaim	*r = &q->reclaim;
	struct message	*m;
	uint64_t	 cursor = 0;

	r->segment = segment;
	r->n = 0;
	r->at = 0;
	while ((m = map_walk(&q->queue.messages, &cursor)) != NULL) {
		if (m->pos.segment != segment)
			continue;
		if (r->n == r->cap) {
			r->cap = r->cap == 0 ? 256 : r->cap * 2;
			r->qids = xrealloc(r->qids, r->cap, sizeof(*r->qids));
		}
		r->qids[r->n++] = message_qid(m);
	}
}

static void
empty_segment(struct queued *q, const struct segment *s)
{
	struct reclaim	*r = &q->reclaim;
	struct message	*m;
	size_t		 bytes = 0, n;

	if (r->segment != s->id)
		list_messages(q, s->id);
	while (r->at < r->n && bytes < TURN_BYTES) {
		m = queue_find(&q->queue, r->qids[r->at++]);
		if (m == NULL || m->pos.segment != s->id)
			continue;
		n = copy_message(q, m);
		/* It stays until an operator removes that message. */
		if (n == 0)
			r->refused = s->id;
		bytes += n;
	}
	/* Copies that the disk refused are made in another round. */
	if (bytes == 0)
		r->segment = UINT64_MAX;
	loop_again();
}

static bool
is_worth_it(const struct queued *q, const struct segment *s)
{
	const struct queue	*u = &q->queue;
	uint64_t		 all = u->nsegments * q->conf.segment;

	return s->id != q->reclaim.refused && q->state == QUEUE_OPEN &&
	    u->nsegments > SPARE && all > FACTOR * u->log_bytes +
	    SPARE * q->conf.segment;
}

void
reclaim_turn(struct queued *q)
{
	struct segment	*s;
	int		 n;

	for (n = 0; n < TURN_SEGMENTS; n++) {
		s = TAILQ_FIRST(&q->queue.segments);
		if (s == NULL || s->id == reclog_segment(q->log))
			return;
		if (s->messages > 0) {
			if (is_worth_it(q, s))
				empty_segment(q, s);
			return;
		}
		if (s->id == q->queue.qid_segment) {
			queued_reserve(q);
			loop_again();
			return;
		}
		if (reclog_retire(q->log, s->id) == -1) {
			if (errno != EBUSY)
				fatal("retire segment %llu",
				    (unsigned long long)s->id);
			return;
		}
		q->reclaim.retired++;
		queue_retired(&q->queue, s);
	}
	loop_again();
}

void
reclaim_clear(struct reclaim *r)
{
	free(r->qids);
	*r = (struct reclaim){ 0 };
}
