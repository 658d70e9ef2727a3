/*
 * work - see work.h.  Runs in queued; believes a worker what it can prove.
 */
#include "queued/work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "queued/queued.h"

enum {
	JOBS_MAX = 10000,	/* that a worker may want at once */
	ROUTE_ATTEMPTS = 1024	/* of a target, told apart */
};

/* -- schedules ----------------------------------------------------------- */

struct sched *
work_sched(struct queued *q, const struct target *t)
{
	return t->state == TARGET_ROUTE ? q->route : q->local;
}

void
work_schedule_target(struct queued *q, struct target *t, int64_t not_before)
{
	const struct message	*m = t->msg;
	int64_t			 due = t->item.due;

	if (due < not_before)
		due = not_before;
	if (t->item.where != SCHED_OUT)
		return;
	if (t->state == TARGET_ROUTE)
		sched_add(q->route, &t->item, m->tenant, m->tenant, 0, due,
		    queue_now(&q->queue));
	else if (t->state == TARGET_LOCAL)
		sched_add(q->local, &t->item, t->mailbox, t->tenant, m->size,
		    due, queue_now(&q->queue));
}

void
work_schedule(struct queued *q, struct message *m, int64_t not_before)
{
	uint32_t i;

	for (i = 0; i < m->n; i++)
		work_schedule_target(q, queue_target(m, i), not_before);
}

/* -- leases -------------------------------------------------------------- */

/*
 * A routing job is named after its first target too: an answer from before a
 * restart must not pass for one about what that answer led to.
 */
struct lease_name
work_lease_name(const struct target *t)
{
	struct lease_name name = {
		.qid = message_qid(t->msg), .target = t->no,
		.attempt = (uint32_t)t->attempts + 1, .kind = LEASE_LOCAL,
	};

	if (t->state == TARGET_ROUTE) {
		name.kind = LEASE_ROUTE;
		name.target = LEASE_ALL;
		name.attempt = t->no * ROUTE_ATTEMPTS +
		    t->attempts % ROUTE_ATTEMPTS + 1;
	}
	return name;
}

static void
end_lease(struct queued *q, struct lease *l)
{
	struct worker *w = l->worker;

	if (w != NULL)
		w->out--;
	leases_end(q->leases, l);
}

void
work_forget_target(struct queued *q, struct target *t)
{
	struct lease_name	 name = work_lease_name(t);
	struct lease		*l = leases_find(q->leases, &name);

	if (name.kind == LEASE_LOCAL && l != NULL)
		end_lease(q, l);
	sched_cancel(work_sched(q, t), &t->item, queue_now(&q->queue));
}

void
work_forget(struct queued *q, struct message *m)
{
	struct lease_name	 name = { .qid = message_qid(m),
	    .target = LEASE_ALL, .kind = LEASE_ROUTE };
	struct lease		*l = leases_find(q->leases, &name);
	uint32_t		 i;

	if (l != NULL)
		end_lease(q, l);
	for (i = 0; i < m->n; i++)
		work_forget_target(q, queue_target(m, i));
}

/* The job's targets may be tried again, under another number. */
static void
lapse(struct queued *q, struct lease *l)
{
	struct message	*m = queue_find(&q->queue, l->name.qid);
	struct target	*t;
	uint32_t	 i;

	log_warn("lease over", L_QID(l->name.qid),
	    L_NUM("attempt", l->name.attempt));
	for (i = 0; m != NULL && i < m->n; i++) {
		t = queue_target(m, i);
		if (t->item.where != SCHED_TAKEN)
			continue;
		if (l->name.kind == LEASE_LOCAL ? t->no != l->name.target :
		    t->state != TARGET_ROUTE)
			continue;
		sched_cancel(work_sched(q, t), &t->item, queue_now(&q->queue));
		if (t->attempts < UINT16_MAX - 1)
			t->attempts++;
	}
	end_lease(q, l);
	if (m != NULL)
		work_schedule(q, m, 0);
}

void
work_tick(struct queued *q)
{
	struct lease *l;

	while ((l = leases_expired(q->leases, queue_now(&q->queue))) != NULL)
		lapse(q, l);
}

/* -- results ------------------------------------------------------------- */

static void
on_durable(const struct journal_entry *e, enum reclog_result r)
{
	assert(r == RECLOG_OK);
	if (e->chan == NULL)
		return;
	chan_send_result_durable(e->chan, &(struct msg_result_durable){
	    .qid = e->id, .target = e->target, .attempt = e->attempt }, -1);
}

static struct journal_entry
answer_for(struct worker *w, const struct lease_name *name)
{
	return (struct journal_entry){
		.id = name->qid, .must = true, .patient = true,
		.fn = on_durable,
		.chan = w->chan, .target = name->target,
		.attempt = name->attempt,
	};
}

/* Nothing to write, but nothing leaves before this turn's commit. */
static void
just_answer(struct worker *w, const struct lease_name *name)
{
	struct journal_entry e = answer_for(w, name);

	journal_add(&w->q->journal, &e, S(""));
}

/* What was not asked about is left out: after a restart that is no crime. */
static int
add_rows(struct queued *q, const struct message *m, struct lease *l,
    struct msg_list rows)
{
	struct rec_route	 row;
	const struct target	*t;
	struct buf		 b;
	uint32_t		 n = 0;
	int			 rc = 0;

	buf_init(&b, MSG_PACKET_MAX);
	while (rc == 0 && rec_next_route(&rows, &row)) {
		t = queue_target(m, row.target);
		if (t == NULL)
			rc = -1;
		else if (route_is_asked(t))
			rec_add_route(&b, &n, &row);
	}
	l->routes.room = route_room(q, m);
	if (rc == 0)
		rc = routes_add(&l->routes, msg_list_of(&b, n));
	buf_clear(&b);
	return rc;
}

static int
on_route_result(struct worker *w, const struct msg_route_result *m)
{
	struct queued		*q = w->q;
	struct lease_name	 name = { .qid = m->qid, .target = LEASE_ALL,
	    .attempt = m->attempt, .kind = LEASE_ROUTE };
	struct journal_entry	 e = answer_for(w, &name);
	struct message		*msg;
	struct lease		*l;

	if (m->last > 1 || !lease_holds(q->key, &name, m->mac))
		return -1;
	q->work.results++;
	msg = queue_find(&q->queue, m->qid);
	l = leases_find(q->leases, &name);
	if (msg == NULL || l == NULL || l->name.attempt != m->attempt ||
	    l->worker != w) {
		if (m->last == 1)
			just_answer(w, &name);
		return 0;
	}
	if (add_rows(q, msg, l, m->routes) == -1)
		return -1;
	if (m->last == 0)
		return 0;
	route_apply(q, msg, l, &e);
	end_lease(q, l);
	/* What waited behind this job, and what it brought. */
	if (msg->open > 0)
		work_schedule(q, msg, 0);
	else
		queued_finish(q, msg, FINISH_DONE);
	return 0;
}

static struct record_result
judge_local(struct queued *q, const struct target *t, enum job_status status,
    struct str detail, struct buf *text)
{
	struct record_result r = {
		.time = queue_time(&q->queue), .no = t->no,
		.attempts = t->attempts < UINT16_MAX ?
		    (uint16_t)(t->attempts + 1) : t->attempts,
		.error = detail,
	};

	switch (status) {
	case JOB_DONE:
		r.state = TARGET_DONE;
		r.error = S("");
		break;
	case JOB_PERM:
		r.state = TARGET_HELD;
		break;
	case JOB_TEMP:
		r.state = TARGET_LOCAL;
		r.delay = sched_backoff(q->local, t->item.delay);
		r.due = r.time.queue + sched_jitter(q->local, r.delay);
		if (r.time.queue - t->msg->born < q->conf.life)
			break;
		r.state = TARGET_HELD;
		buf_addz(text, "5.4.7 delivery was tried for too long: ");
		buf_add(text, str_sub(detail, 0, 400));
		r.error = buf_str(text);
		break;
	}
	return r;
}

static const char *const outcome[] = { "delivered", "deferred", "failed" };

static void
settle_local(struct worker *w, struct target *t, const struct lease_name *name,
    enum job_status status, struct str detail)
{
	struct queued		*q = w->q;
	struct journal_entry	 e = answer_for(w, name);
	struct record_result	 r;
	struct buf		 text;

	buf_init(&text, RECORD_ERROR_MAX);
	r = judge_local(q, t, status, detail, &text);
	log_info(outcome[status], L_QID(name->qid), L_Z("to", t->address),
	    L_NUM("mailbox", t->mailbox), L_NUM("attempt", name->attempt),
	    L_STR("detail", detail));
	queued_result(q, t, &r, &e);
	buf_clear(&text);
}

static int
on_local_result(struct worker *w, const struct msg_local_result *m)
{
	struct queued		*q = w->q;
	struct lease_name	 name = { .qid = m->qid, .target = m->target,
	    .attempt = m->attempt, .kind = LEASE_LOCAL };
	struct message		*msg;
	struct target		*t = NULL;
	struct lease		*l;
	bool			 is_current;

	if (m->status > JOB_PERM || !lease_holds(q->key, &name, m->mac))
		return -1;
	q->work.results++;
	msg = queue_find(&q->queue, m->qid);
	if (msg != NULL)
		t = queue_target(msg, m->target);
	l = leases_find(q->leases, &name);
	is_current = l != NULL && l->name.attempt == m->attempt;
	/* An old job that failed says nothing; one that delivered does. */
	if (t == NULL || !t->routed || record_is_over(t->state) ||
	    (!is_current && m->status != JOB_DONE)) {
		just_answer(w, &name);
		return 0;
	}
	if (is_current && t->item.where == SCHED_TAKEN)
		sched_done(q->local, &t->item, m->status != JOB_TEMP,
		    queue_now(&q->queue));
	else
		sched_cancel(work_sched(q, t), &t->item, queue_now(&q->queue));
	if (l != NULL)
		end_lease(q, l);
	settle_local(w, t, &name, (enum job_status)m->status, m->detail);
	return 0;
}

/* -- workers ------------------------------------------------------------- */

/* Takes a waiting target out of its schedule, as a job would. */
static void
take_now(struct queued *q, struct target *t)
{
	struct sched *s = work_sched(q, t);

	sched_hurry(s, &t->item, queue_now(&q->queue));
	(void)sched_take(s, &t->item);
}

/*
 * What a routing job held is not in the log; it is chosen again as send_route
 * chose it, and what has no answer in the end is asked about again.
 */
static void
adopt(struct worker *w, struct message *m, const struct lease_name *name)
{
	struct queued		*q = w->q;
	enum target_state	 state = name->kind == LEASE_ROUTE ?
	    TARGET_ROUTE : TARGET_LOCAL;
	struct target		*t, *first = NULL;
	uint32_t		 i, n = 0;

	for (i = 0; i < m->n && n < WORK_ROUTE_BATCH; i++) {
		t = queue_target(m, i);
		if (t->state != state || (state == TARGET_LOCAL &&
		    t->no != name->target))
			continue;
		if (first == NULL &&
		    work_lease_name(t).attempt != name->attempt)
			continue;
		if (first == NULL)
			first = t;
		if (t->depth != first->depth)
			continue;
		take_now(q, t);
		n++;
	}
	if (n == 0)
		return;
	leases_add(q->leases, name, w, queue_now(&q->queue) + QUEUED_LEASE);
	w->out++;
}

static int
on_lease(struct worker *w, const struct msg_lease *m)
{
	struct queued		*q = w->q;
	bool			 is_route = chan_peer(w->chan) == R_ROUTE;
	struct lease_name	 name = { .qid = m->qid, .target = m->target,
	    .attempt = m->attempt,
	    .kind = is_route ? LEASE_ROUTE : LEASE_LOCAL };
	struct message		*msg;
	struct lease		*l;

	if (w->jobs != 0 || !lease_holds(q->key, &name, m->mac))
		return -1;
	msg = queue_find(&q->queue, m->qid);
	if (msg == NULL)
		return 0;
	l = leases_find(q->leases, &name);
	if (l == NULL) {
		adopt(w, msg, &name);
	} else if (l->worker == NULL && l->name.attempt == m->attempt) {
		l->worker = w;
		l->deadline = queue_now(&q->queue) + QUEUED_LEASE;
		w->out++;
	}
	return 0;
}

static int
on_worker_ready(struct worker *w, const struct msg_worker_ready *m)
{
	if (w->jobs != 0 || m->jobs == 0 || m->jobs > JOBS_MAX)
		return -1;
	w->jobs = m->jobs;
	log_info("worker ready", L_Z("role", role_name(chan_peer(w->chan))),
	    L_NUM("jobs", w->jobs), L_NUM("leases", w->out));
	return 0;
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	struct worker *w = chan_arg(c);

	(void)fd;			/* none of these carries one */
	switch ((int)m->type) {
	case MSG_LEASE:
		return on_lease(w, &m->lease);
	case MSG_WORKER_READY:
		return on_worker_ready(w, &m->worker_ready);
	case MSG_ROUTE_RESULT:
		return on_route_result(w, &m->route_result);
	case MSG_LOCAL_RESULT:
		return on_local_result(w, &m->local_result);
	}
	return -1;
}

static void
on_down(struct chan *c)
{
	struct worker *w = chan_arg(c);
	struct queued *q = w->q;

	log_info("worker gone", L_Z("role", role_name(chan_peer(c))),
	    L_NUM("leases", w->out));
	leases_orphan(q->leases, w, queue_now(&q->queue) + QUEUED_ORPHAN);
	journal_forget(&q->journal, c);
	LIST_REMOVE(w, next);
	free(w);
}

/* Room again: the hook of this turn has gone by. */
static void
on_room(struct chan *c)
{
	(void)c;
	loop_again();
}

static const struct chan_ops ops = {
	.on_msg = on_msg, .on_down = on_down, .on_room = on_room,
};

const struct chan_ops *
work_ops(void)
{
	return &ops;
}

int
work_accept(struct chan *c, void *queued)
{
	struct worker *w = xcalloc(1, sizeof(*w));

	w->q = queued;
	w->chan = c;
	chan_set_arg(c, w);
	LIST_INSERT_HEAD(&w->q->work.workers, w, next);
	return 0;
}

void
work_clear(struct queued *q)
{
	struct worker *w;

	while ((w = LIST_FIRST(&q->work.workers)) != NULL) {
		LIST_REMOVE(w, next);
		chan_close(w->chan);
		free(w);
	}
}
