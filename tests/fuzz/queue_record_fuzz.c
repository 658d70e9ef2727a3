/*
 * queue_record: foreign bytes as a record of the queue's log.  The first byte
 * is the record's type and the second chooses its id; the rest is metadata.
 * What is read is written again and must read the same; then it is replayed
 * twice into a queue that has a message already.
 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/core/clock.h"
#include "queued/queue.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Targets one by one give the same bytes. */
static void
rewrite_targets(struct record_targets l)
{
	struct record_targets	rest = l;
	struct record_target	t;
	struct buf		b;
	uint32_t		n = 0;

	buf_init(&b, 1 << 20);
	while (record_next(&rest, &t))
		record_add_target(&b, &n, &t);
	assert(n == l.n && str_eq(buf_str(&b), l.raw));
	buf_clear(&b);
}

static void
rewrite(uint8_t type, struct str s, struct buf *b)
{
	struct record_message	m;
	struct record_targets	l;
	struct record_time	t;
	struct record_result	r;
	enum finish_why		why;
	uint64_t		next;

	if (type == REC_MESSAGE && record_message_parse(s, &m, &l) == 0) {
		rewrite_targets(l);
		record_message(b, &m, l);
	}
	if ((type == REC_TARGETS || type == REC_ROUTE) &&
	    record_route_parse(s, &t, &l) == 0) {
		rewrite_targets(l);
		record_route(b, t, l);
	}
	if (type == REC_RESULT && record_result_parse(s, &r) == 0)
		record_result(b, &r);
	if (type == REC_FINISHED && record_finished_parse(s, &t, &why) == 0)
		record_finished(b, t, why);
	if (type == REC_QIDS && record_qids_parse(s, &t, &next) == 0)
		record_qids(b, t, next);
	assert(b->n == 0 || str_eq(buf_str(b), s));
}

static void
add_message(struct queue *q)
{
	struct record_message	m = { .time = { 1, 1 }, .sender = S("s") };
	struct record_target	t = { .address = S("a@x.test") };
	struct record_targets	l = { .n = 0 };
	struct buf		list, b;
	struct rec		r = { .type = REC_MESSAGE, .id = 1 };

	buf_init(&list, 4096);
	buf_init(&b, 4096);
	record_add_target(&list, &l.n, &t);
	l.raw = buf_str(&list);
	record_message(&b, &m, l);
	r.meta = buf_str(&b);
	assert(queue_replay(q, &r, (struct recpos){ 1, 0 }) == 0);
	buf_clear(&list);
	buf_clear(&b);
}

static void
check(const struct queue *q)
{
	struct message	*m;
	struct segment	*s;
	uint64_t	 cursor = 0, messages = 0, held = 0, open;
	uint32_t	 i;

	while ((m = map_walk(&q->messages, &cursor)) != NULL) {
		for (i = 0, open = 0; i < m->n; i++) {
			open += !record_is_over(queue_target(m, i)->state);
			held += queue_target(m, i)->state == TARGET_HELD;
			assert(queue_target(m, i)->no == i);
		}
		assert(open == m->open);
	}
	TAILQ_FOREACH(s, &q->segments, next)
		messages += s->messages;
	assert(messages == q->messages.n && held == q->held);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct queue	q;
	struct buf	b;
	struct rec	r;

	if (n < 2 || n > 65536)
		return 0;
	clock_set(1000, 1000);
	buf_init(&b, 1 << 20);
	r = (struct rec){ .type = p[0], .id = p[1],
	    .meta = str_of(p + 2, n - 2) };
	rewrite(p[0], r.meta, &b);
	queue_init(&q);
	add_message(&q);
	if (queue_replay(&q, &r, (struct recpos){ 2, 0 }) == 0)
		assert(b.n > 0);
	(void)queue_replay(&q, &r, (struct recpos){ 2, 9 });
	check(&q);
	(void)queue_start(&q);
	queue_clear(&q);
	buf_clear(&b);
	return 0;
}
