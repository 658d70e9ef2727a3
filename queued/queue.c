/*
 * queue - see queue.h.
 */
#include "queued/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/xalloc.h"

enum { RECORD_COST = 512 };	/* bytes of a message without content */

void
queue_init(struct queue *q)
{
	*q = (struct queue){ 0 };
	map_init(&q->messages);
	map_init(&q->reasons);
	TAILQ_INIT(&q->segments);
}

/* -- reasons ------------------------------------------------------------- */

static uint64_t
hash(struct str s)
{
	uint64_t	h = 0xcbf29ce484222325;
	size_t		i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
	return h;
}

/* Two texts with one hash do not share: both are right, one is alone. */
static struct reason *
reason_for(struct queue *q, struct str s)
{
	struct reason *r, *other;

	if (str_chr(s, '\0') != -1)
		s.n = (size_t)str_chr(s, '\0');
	if (s.n == 0)
		return NULL;
	other = map_find(&q->reasons, hash(s));
	if (other != NULL && str_eq(str_c(other->text), s)) {
		other->refs++;
		return other;
	}
	r = xcalloc(1, sizeof(*r) + s.n + 1);
	memcpy(r->text, s.p, s.n);
	r->refs = 1;
	r->is_shared = other == NULL;
	if (r->is_shared)
		map_add(&q->reasons, &r->node, hash(s));
	return r;
}

static void
reason_drop(struct queue *q, struct reason *r)
{
	if (r == NULL || --r->refs > 0)
		return;
	if (r->is_shared)
		map_remove(&q->reasons, &r->node);
	free(r);
}

static void
set_error(struct queue *q, struct target *t, struct str text)
{
	struct reason *r = reason_for(q, text);

	reason_drop(q, t->error);
	t->error = r;
}

const char *
target_error(const struct target *t)
{
	return t->error == NULL ? "" : t->error->text;
}

/* -- segments ------------------------------------------------------------ */

/* Nearly always the last one or the first one. */
static struct segment *
find_segment(const struct queue *q, uint64_t id)
{
	struct segment *s;

	s = TAILQ_LAST(&q->segments, segments);
	while (s != NULL && s->id > id)
		s = TAILQ_PREV(s, segments, next);
	return s != NULL && s->id == id ? s : NULL;
}

static struct segment *
make_segment(struct queue *q, uint64_t id)
{
	struct segment *s = find_segment(q, id), *after;

	if (s != NULL)
		return s;
	s = xcalloc(1, sizeof(*s));
	s->id = id;
	after = TAILQ_LAST(&q->segments, segments);
	while (after != NULL && after->id > id)
		after = TAILQ_PREV(after, segments, next);
	if (after == NULL)
		TAILQ_INSERT_HEAD(&q->segments, s, next);
	else
		TAILQ_INSERT_AFTER(&q->segments, after, s, next);
	q->nsegments++;
	return s;
}

/* About what it takes in the log. */
static uint64_t
log_size(const struct message *m)
{
	return RECORD_COST + ((m->flags & RECORD_FILE) != 0 ? 0 : m->size);
}

static void
enter_segment(struct queue *q, const struct message *m)
{
	struct segment *s = make_segment(q, m->pos.segment);

	s->messages++;
	s->bytes += log_size(m);
	q->log_bytes += log_size(m);
}

static void
leave_segment(struct queue *q, const struct message *m)
{
	struct segment *s = find_segment(q, m->pos.segment);

	assert(s != NULL && s->messages > 0);
	s->messages--;
	s->bytes -= log_size(m);
	q->log_bytes -= log_size(m);
}

void
queue_moved(struct queue *q, struct message *m, struct recpos pos)
{
	leave_segment(q, m);
	m->pos = pos;
	enter_segment(q, m);
}

void
queue_retired(struct queue *q, struct segment *s)
{
	assert(s->messages == 0);
	TAILQ_REMOVE(&q->segments, s, next);
	q->nsegments--;
	free(s);
}

/* -- messages and targets ------------------------------------------------ */

struct message *
queue_find(const struct queue *q, uint64_t qid)
{
	return map_find(&q->messages, qid);
}

struct target *
queue_target(const struct message *m, uint32_t no)
{
	if (no >= m->n)
		return NULL;
	return m->cap == 0 ? m->t.one : m->t.many[no];
}

static void
put_target(struct message *m, struct target *t)
{
	struct target *one;

	if (m->n == 0) {
		m->t.one = t;
	} else if (m->cap == 0) {
		one = m->t.one;
		m->cap = 4;
		m->t.many = xcalloc(m->cap, sizeof(*m->t.many));
		m->t.many[0] = one;
		m->t.many[1] = t;
	} else {
		if (m->n == m->cap) {
			m->cap *= 2;
			m->t.many = xrealloc(m->t.many, m->cap,
			    sizeof(*m->t.many));
		}
		m->t.many[m->n] = t;
	}
	m->n++;
}

static void
free_targets(struct queue *q, struct message *m)
{
	struct target	**t = m->cap == 0 ? &m->t.one : m->t.many;
	uint32_t	  i;

	for (i = 0; i < m->n; i++) {
		assert(t[i]->item.where == SCHED_OUT);
		if (t[i]->state == TARGET_HELD)
			q->held--;
		reason_drop(q, t[i]->error);
		free(t[i]);
	}
	if (m->cap != 0)
		free(m->t.many);
}

struct message *
queue_add(struct queue *q, uint64_t qid, struct recpos pos,
    const struct record_message *r)
{
	struct message *m = queue_find(q, qid);

	if (m != NULL)
		queue_finish(q, m);
	m = xcalloc(1, sizeof(*m));
	m->pos = pos;
	m->born = r->born;
	m->size = (uint32_t)r->size;
	m->tenant = r->tenant;
	m->flags = r->flags;
	map_add(&q->messages, &m->node.map, qid);
	order_add(&q->in_order, &m->node);
	q->bytes += m->size;
	enter_segment(q, m);
	return m;
}

void
queue_finish(struct queue *q, struct message *m)
{
	leave_segment(q, m);
	q->bytes -= m->size;
	free_targets(q, m);
	order_remove(&q->in_order, &m->node);
	map_remove(&q->messages, &m->node.map);
	free(m);
}

/* The one place where a target enters a state. */
static void
set_state(struct queue *q, struct target *t, enum target_state state)
{
	if (!record_is_over(t->state))
		t->msg->open--;
	if (t->state == TARGET_HELD)
		q->held--;
	t->state = (uint8_t)state;
	if (!record_is_over(state))
		t->msg->open++;
	if (state == TARGET_HELD)
		q->held++;
}

static struct target *
new_target(struct message *m, const struct record_target *r)
{
	struct target *t = xcalloc(1, sizeof(*t) + r->address.n + 1);

	memcpy(t->address, r->address.p, r->address.n);
	t->msg = m;
	t->no = r->no;
	t->state = TARGET_DONE;		/* counts for nothing until set */
	put_target(m, t);
	return t;
}

int
queue_set(struct queue *q, struct message *m, const struct record_target *r)
{
	struct target *t = queue_target(m, r->no);

	if (t == NULL) {
		if (r->no != m->n)
			return -1;
		t = new_target(m, r);
	}
	t->depth = r->depth & 0x7fu;
	t->routed = r->routed;
	t->attempts = r->attempts;
	t->mailbox = r->mailbox;
	t->tenant = r->tenant;
	t->shard = r->shard;
	t->item.due = r->due;
	t->item.delay = r->delay;
	set_error(q, t, r->error);
	set_state(q, t, r->state);
	return 0;
}

int
queue_result(struct queue *q, struct message *m,
    const struct record_result *r)
{
	struct target *t = queue_target(m, r->no);

	if (t == NULL || (r->state == TARGET_LOCAL && !t->routed))
		return -1;
	t->attempts = r->attempts;
	t->item.due = r->due;
	t->item.delay = r->delay;
	set_error(q, t, r->error);
	set_state(q, t, r->state);
	return 0;
}

struct record_target
queue_record(const struct target *t)
{
	return (struct record_target){
		.no = t->no, .state = t->state, .depth = t->depth,
		.routed = t->routed, .attempts = t->attempts,
		.mailbox = t->mailbox, .tenant = t->tenant,
		.shard = t->shard, .due = t->item.due,
		.delay = t->item.delay, .address = str_c(t->address),
		.error = str_c(target_error(t)),
	};
}

bool
queue_has_mailbox(const struct message *m, const struct target *but,
    uint64_t mailbox)
{
	const struct target	*t;
	uint32_t		 i;

	for (i = 0; i < m->n; i++) {
		t = queue_target(m, i);
		if (t != but && t->routed && t->mailbox == mailbox)
			return true;
	}
	return false;
}

void
queue_clear(struct queue *q)
{
	uint64_t	 cursor = 0;
	struct message	*m;
	struct segment	*s, *next;

	while ((m = map_walk(&q->messages, &cursor)) != NULL)
		queue_finish(q, m);
	for (s = TAILQ_FIRST(&q->segments); s != NULL; s = next) {
		next = TAILQ_NEXT(s, next);
		queue_retired(q, s);
	}
	map_clear(&q->messages);
	map_clear(&q->reasons);
}

/* -- time ---------------------------------------------------------------- */

static void
note_time(struct queue *q, struct record_time t)
{
	if (t.queue >= q->last.queue)
		q->last = t;
}

int64_t
queue_now(const struct queue *q)
{
	return q->base_queue + (clock_now() - q->base_now);
}

struct record_time
queue_time(const struct queue *q)
{
	return (struct record_time){ queue_now(q), clock_wall() };
}

bool
queue_start(struct queue *q)
{
	int64_t	down = 0, wall = clock_wall();
	bool	odd = false;

	if (q->last.wall != 0) {
		odd = wall < q->last.wall ||
		    (uint64_t)wall - (uint64_t)q->last.wall > QUEUE_DOWN_MAX;
		down = odd ? 0 : wall - q->last.wall;
	}
	q->base_queue = q->last.queue + down;
	q->base_now = clock_now();
	return odd;
}

/* -- replay -------------------------------------------------------------- */

/*
 * A target out of order is left out: a record of this message was damaged
 * and quarantined, and what is left of it must not stop the queue.
 */
static void
set_all(struct queue *q, struct message *m, struct record_targets l)
{
	struct record_target r;

	while (record_next(&l, &r))
		(void)queue_set(q, m, &r);
}

static int
replay_message(struct queue *q, const struct rec *r, struct recpos pos)
{
	struct record_message	m;
	struct record_targets	l;
	struct message		*added;

	if (record_message_parse(r->meta, &m, &l) == -1)
		return -1;
	note_time(q, m.time);
	added = queue_add(q, r->id, pos, &m);
	set_all(q, added, l);
	return 0;
}

static int
replay_route(struct queue *q, const struct rec *r)
{
	struct record_time	 time;
	struct record_targets	 l;
	struct message		*m = queue_find(q, r->id);

	if (record_route_parse(r->meta, &time, &l) == -1)
		return -1;
	note_time(q, time);
	if (m != NULL)
		set_all(q, m, l);
	return 0;
}

static int
replay_result(struct queue *q, const struct rec *r)
{
	struct record_result	 res;
	struct message		*m = queue_find(q, r->id);

	if (record_result_parse(r->meta, &res) == -1)
		return -1;
	note_time(q, res.time);
	if (m != NULL)
		(void)queue_result(q, m, &res);
	return 0;
}

static int
replay_finished(struct queue *q, const struct rec *r)
{
	struct record_time	 time;
	enum finish_why		 why;
	struct message		*m = queue_find(q, r->id);

	if (record_finished_parse(r->meta, &time, &why) == -1)
		return -1;
	note_time(q, time);
	if (m != NULL)
		queue_finish(q, m);
	return 0;
}

static int
replay_qids(struct queue *q, const struct rec *r, struct recpos pos)
{
	struct record_time	time;
	uint64_t		next;

	if (record_qids_parse(r->meta, &time, &next) == -1)
		return -1;
	note_time(q, time);
	q->qid_next = next;
	q->qid_end = next;
	q->qid_segment = pos.segment;
	return 0;
}

int
queue_replay(void *arg, const struct rec *r, struct recpos pos)
{
	struct queue *q = arg;

	make_segment(q, pos.segment);
	switch (r->type) {
	case REC_MESSAGE:
		return replay_message(q, r, pos);
	case REC_TARGETS:
	case REC_ROUTE:
		return replay_route(q, r);
	case REC_RESULT:
		return replay_result(q, r);
	case REC_FINISHED:
		return replay_finished(q, r);
	case REC_QIDS:
		return replay_qids(q, r, pos);
	}
	return -1;
}
