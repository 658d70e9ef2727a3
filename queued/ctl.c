/*
 * ctl - see ctl.h.  Runs in queued; common/ipc/ctl.h does the talking.
 *
 * A list goes in the order of queue ids, a page at a time; the cursor is the
 * last id.  What changes the queue is answered when it is durable.
 */
#include "queued/ctl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/id.h"
#include "common/core/log.h"
#include "common/ipc/ctl.h"
#include "queued/queued.h"

enum { RETRY_TURN = 1000 };	/* messages of --all in one turn */

/* -- rows ---------------------------------------------------------------- */

static const char *
state_name(enum target_state s)
{
	switch (s) {
	case TARGET_ROUTE:
		return "routing";
	case TARGET_LOCAL:
		return "local";
	case TARGET_HELD:
		return "held";
	case TARGET_DONE:
		return "delivered";
	case TARGET_EXPANDED:
		return "expanded";
	case TARGET_SAME:
		return "duplicate";
	}
	return "?";
}

/* The most that is known: active, waiting for its time, held. */
static const char *
message_state(const struct message *m)
{
	const struct target	*t;
	uint32_t		 i, held = 0, later = 0;

	for (i = 0; i < m->n; i++) {
		t = queue_target(m, i);
		held += t->state == TARGET_HELD;
		later += t->item.where == SCHED_LATER;
	}
	if (held == m->open)
		return "held";
	return held + later == m->open ? "deferred" : "active";
}

static void
put_id(struct ctl_row *r, const char *key, uint64_t id)
{
	ctl_text(r, key, str_c(id_text(id).s));
}

/* Seconds until the first target is due; "" when nothing waits. */
static void
put_next(struct ctl_row *r, int64_t due, int64_t now)
{
	if (due == INT64_MAX)
		ctl_text(r, "next", S(""));
	else
		ctl_num(r, "next", due <= now ? 0 :
		    (uint64_t)(due - now + 999) / 1000);
}

/* The sender is on the disk only. */
static void
put_sender(struct ctl_row *r, struct queued *q, const struct message *m)
{
	struct record_message	rm;
	struct record_targets	l;
	struct rec		rec;
	struct buf		meta;

	buf_init(&meta, RECLOG_META_MAX);
	if (reclog_read_rec(q->log, m->pos, &rec, &meta, NULL) == -1 ||
	    record_message_parse(buf_str(&meta), &rm, &l) == -1)
		ctl_text(r, "sender", S("?"));
	else
		ctl_text(r, "sender", rm.sender);
	buf_clear(&meta);
}

static void
put_message(struct ctl_row *r, struct queued *q, const struct message *m)
{
	int64_t			 now = queue_now(&q->queue), due = INT64_MAX;
	const char		*error = "";
	const struct target	*t;
	uint32_t		 i;

	for (i = 0; i < m->n; i++) {
		t = queue_target(m, i);
		if (t->item.where == SCHED_LATER && t->item.due < due)
			due = t->item.due;
		if (!record_is_over(t->state) && *target_error(t) != '\0')
			error = target_error(t);
	}
	put_id(r, "qid", message_qid(m));
	ctl_text(r, "state", str_c(message_state(m)));
	put_sender(r, q, m);
	ctl_num(r, "recipients", m->open);
	ctl_num(r, "size", m->size);
	ctl_num(r, "age", (uint64_t)(now - m->born) / 1000);
	put_next(r, due, now);
	ctl_text(r, "error", str_c(error));
}

/* -- list ---------------------------------------------------------------- */

static void
on_list(struct ctl_call *call, void *arg)
{
	struct queued	*q = arg;
	void		*found[CTL_ROWS_TURN];
	uint64_t	 after = 0;
	struct ctl_row	 row;
	size_t		 n, i;

	if (call->word[0].n > 0 && id_parse(call->word[0], &after) == -1) {
		ctl_done(call, CTL_USAGE, "not a cursor");
		return;
	}
	n = order_page(&q->queue.in_order, after, found, CTL_ROWS_TURN);
	for (i = 0; i < n; i++) {
		ctl_row_init(&row);
		put_message(&row, q, found[i]);
		ctl_row_send(&row, call);
	}
	if (n == CTL_ROWS_TURN)
		ctl_done_next(call, str_c(id_text(
		    message_qid(found[n - 1])).s));
	else
		ctl_done(call, CTL_OK, "%s", "");
}

/* -- one message --------------------------------------------------------- */

/* NULL when it was answered already. */
static struct message *
find(struct ctl_call *call, struct queued *q, struct str word)
{
	struct message	*m;
	uint64_t	 qid;

	if (id_parse(word, &qid) == -1) {
		ctl_done(call, CTL_USAGE, "%.*s is not a queue id",
		    (int)(word.n > 64 ? 64 : word.n), word.p);
		return NULL;
	}
	m = queue_find(&q->queue, qid);
	if (m == NULL)
		ctl_done(call, CTL_NOT_FOUND, "%s is not in the queue",
		    id_text(qid).s);
	return m;
}

static void
put_target(struct ctl_row *r, struct queued *q, const struct target *t)
{
	ctl_num(r, "target", t->no);
	ctl_text(r, "address", str_c(t->address));
	ctl_text(r, "state", str_c(state_name(t->state)));
	if (t->routed)
		ctl_num(r, "mailbox", t->mailbox);
	else
		ctl_text(r, "mailbox", S(""));
	ctl_num(r, "attempts", t->attempts);
	put_next(r, t->item.where == SCHED_LATER ? t->item.due : INT64_MAX,
	    queue_now(&q->queue));
	ctl_text(r, "error", str_c(target_error(t)));
}

static void
on_show(struct ctl_call *call, void *arg)
{
	struct queued	*q = arg;
	struct message	*m = find(call, q, call->word[0]);
	struct ctl_row	 row;
	uint32_t	 i;

	if (m == NULL)
		return;
	ctl_row_init(&row);
	put_message(&row, q, m);
	ctl_row_send(&row, call);
	for (i = 0; i < m->n && !chan_is_full(call->chan); i++) {
		ctl_row_init(&row);
		put_target(&row, q, queue_target(m, i));
		ctl_row_send(&row, call);
	}
	ctl_done(call, CTL_OK, "%s", i < m->n ? "more targets not shown" : "");
}

/* -- changes ------------------------------------------------------------- */

static void
on_durable(const struct journal_entry *e, enum reclog_result r)
{
	struct ctl_call	call = { .chan = e->chan, .id = e->id };
	struct ctl_row	row;

	assert(r == RECLOG_OK);
	if (e->chan == NULL)
		return;
	ctl_row_init(&row);
	ctl_num(&row, e->attempt == CTL_QUEUE_RETRY ? "retried" : "removed",
	    e->target);
	ctl_row_send(&row, &call);
	ctl_done(&call, CTL_OK, "%s", "");
}

/* Done when what was journalled before it is durable. */
static void
done_later(struct ctl_call *call, struct queued *q, unsigned n)
{
	struct journal_entry e = {
		.id = call->id, .must = true, .fn = on_durable,
		.chan = call->chan, .target = n, .attempt = call->verb,
	};

	journal_add(&q->journal, &e, S(""));
	loop_again();
}

/* Held targets begin anew; what waits need not. */
static void
retry(struct queued *q, struct message *m)
{
	struct record_result	 r = { .time = queue_time(&q->queue) };
	struct target		*t;
	uint32_t		 i;

	for (i = 0; i < m->n; i++) {
		t = queue_target(m, i);
		if (t->state == TARGET_HELD) {
			r.no = t->no;
			r.state = t->routed ? TARGET_LOCAL : TARGET_ROUTE;
			r.attempts = t->attempts;
			r.error = str_c(target_error(t));
			queued_result(q, t, &r, NULL);
		} else if (t->state == TARGET_ROUTE)
			sched_hurry(q->route, &t->item,
			    queue_now(&q->queue));
		else if (t->state == TARGET_LOCAL)
			sched_hurry(q->local, &t->item,
			    queue_now(&q->queue));
	}
}

void
queue_ctl_turn(struct queued *q)
{
	struct message	*m;
	int		 i;

	for (i = 0; q->is_retrying && i < RETRY_TURN; i++) {
		m = map_walk(&q->queue.messages, &q->retry_at);
		if (m == NULL)
			q->is_retrying = false;
		else
			retry(q, m);
	}
	if (q->is_retrying)
		loop_again();
}

static void
on_retry(struct ctl_call *call, void *arg)
{
	struct queued	*q = arg;
	struct message	*m;
	unsigned	 i;

	if (call->n == 1 && str_eq(call->word[0], S("--all"))) {
		q->is_retrying = true;
		q->retry_at = 0;
		done_later(call, q, (unsigned)q->queue.messages.n);
		return;
	}
	for (i = 0; i < call->n; i++) {
		if (find(call, q, call->word[i]) == NULL)
			return;
	}
	for (i = 0; i < call->n; i++) {
		m = find(call, q, call->word[i]);
		retry(q, m);
	}
	done_later(call, q, call->n);
}

static void
on_remove(struct ctl_call *call, void *arg)
{
	struct queued	*q = arg;
	struct message	*m;
	uint64_t	 qid;
	unsigned	 i, n = 0;

	for (i = 0; i < call->n; i++) {
		if (find(call, q, call->word[i]) == NULL)
			return;
	}
	for (i = 0; i < call->n; i++) {
		/* One id may have been given twice. */
		if (id_parse(call->word[i], &qid) == -1)
			continue;
		m = queue_find(&q->queue, qid);
		if (m == NULL)
			continue;
		queued_finish(q, m, FINISH_REMOVED);
		n++;
	}
	done_later(call, q, n);
}

/* -- channels ------------------------------------------------------------ */

static const struct ctl_handler verbs[] = {
	{ CTL_QUEUE_LIST, on_list },
	{ CTL_QUEUE_SHOW, on_show },
	{ CTL_QUEUE_RETRY, on_retry },
	{ CTL_QUEUE_REMOVE, on_remove },
	{ CTL_QUEUE_SCRUB, queue_scrub_call },
};

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)fd;			/* none of these carries one */
	if (m->type != MSG_CTL)
		return -1;
	ctl_dispatch(c, &m->ctl, "queued", verbs,
	    sizeof(verbs) / sizeof(verbs[0]), chan_arg(c));
	return 0;
}

static void
on_down(struct chan *c)
{
	struct queued *q = chan_arg(c);

	journal_forget(&q->journal, c);
	queue_scrub_forget(q, c);
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

const struct chan_ops *
queue_ctl_ops(void)
{
	return &ops;
}

int
queue_ctl_accept(struct chan *c, void *queued)
{
	if (!ctl_allowed(chan_uid(c)))
		return -1;
	chan_set_arg(c, queued);
	return 0;
}
