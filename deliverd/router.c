/*
 * router - see router.h.
 */
#include "deliverd/router.h"

#include <stdlib.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/map.h"
#include "common/core/xalloc.h"
#include "deliverd/leases.h"

enum { TICK = 1000 };		/* ms */

struct question {
	struct map_node	 node;		/* by the id that authd sees */
	struct lease	*lease;
	int64_t		 deadline;
	struct buf	 targets;	/* encoded, as they came */
	uint32_t	 ntargets;
};

static struct {
	struct leases		 leases;
	struct link		*authd;
	struct map		 questions;
	struct loop_timer	*tick;
	uint64_t		 last_id;
} rt;

static void
question_free(struct question *q)
{
	map_remove(&rt.questions, &q->node);
	buf_clear(&q->targets);
	free(q);
}

static void
finish(struct question *q)
{
	struct lease *l = q->lease;

	question_free(q);
	lease_done_route(&rt.leases, l);
}

/* Every target: not now. */
static void
fail(struct question *q)
{
	struct msg_list		list = { buf_str(&q->targets), q->ntargets };
	struct rec_target	t;
	struct buf		b;
	uint32_t		n = 0;

	log_warn("no answer from the directory", L_QID(q->lease->qid));
	buf_init(&b, MSG_PACKET_MAX);
	while (rec_next_target(&list, &t))
		rec_add_route(&b, &n, &(struct rec_route){
		    .target = t.target, .kind = ROUTE_TEMP });
	routes_reset(&q->lease->routes);
	(void)routes_add(&q->lease->routes, msg_list_of(&b, n));
	buf_clear(&b);
	finish(q);
}

static void
ask(struct question *q)
{
	struct chan *c = link_chan(rt.authd);

	if (c == NULL)
		return;
	routes_reset(&q->lease->routes);
	chan_send_expand(c, &(struct msg_expand){ .id = q->node.key,
	    .targets = msg_list_of(&q->targets, q->ntargets) }, -1);
}

/* -- authd --------------------------------------------------------------- */

static int
on_authd(struct chan *c, const struct msg *m, int fd)
{
	const struct msg_expanded	*e = &m->expanded;
	struct question			*q;

	(void)c;
	(void)fd;			/* none of these carries one */
	if (m->type != MSG_EXPANDED || e->last > 1)
		return -1;
	/* The answer to one that was given up, or asked again since. */
	q = map_find(&rt.questions, e->id);
	if (q == NULL)
		return 0;
	if (routes_add(&q->lease->routes, e->routes) == -1)
		return -1;
	if (e->last == 1) {
		log_info("looked up", L_QID(q->lease->qid),
		    L_NUM("targets", q->ntargets));
		finish(q);
	}
	return 0;
}

static void
on_authd_up(struct chan *c, void *arg)
{
	uint64_t	 cursor = 0;
	struct question	*q;

	(void)c;
	(void)arg;
	/* link_new calls this before it returns; then nothing was asked. */
	if (rt.authd == NULL)
		return;
	while ((q = map_walk(&rt.questions, &cursor)) != NULL)
		ask(q);
}

/* -- queued -------------------------------------------------------------- */

static int
on_job(const struct msg_route_job *m)
{
	struct lease	*l = leases_running(&rt.leases, m->qid, LEASE_ALL);
	struct question	*q;

	/* queued gave up on the one before; this one counts. */
	if (l != NULL) {
		question_free(l->job);
		lease_free(l);
	}
	/* A lease without a question would be presented for ever. */
	if (m->targets.n == 0)
		return -1;
	l = lease_new(&rt.leases, m->qid, LEASE_ALL, m->attempt, m->mac);
	if (l == NULL)
		return -1;
	q = xcalloc(1, sizeof(*q));
	q->lease = l;
	l->routes.room = m->room;
	q->deadline = clock_now() + ROUTE_PATIENCE;
	q->ntargets = m->targets.n;
	buf_init(&q->targets, MSG_PACKET_MAX);
	buf_add(&q->targets, m->targets.raw);
	map_add(&rt.questions, &q->node, ++rt.last_id);
	l->job = q;
	ask(q);
	return 0;
}

static int
on_queued(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;			/* none of these carries one */
	switch ((int)m->type) {
	case MSG_ROUTE_JOB:
		return on_job(&m->route_job);
	case MSG_RESULT_DURABLE:
		leases_durable(&rt.leases, &m->result_durable);
		return 0;
	}
	return -1;
}

static void
on_queued_up(struct chan *c, void *arg)
{
	(void)arg;
	leases_present(&rt.leases, c, ROUTE_JOBS);
}

/* -- life ---------------------------------------------------------------- */

static void
on_tick(void *arg)
{
	uint64_t	 cursor = 0;
	struct question	*q;

	(void)arg;
	while ((q = map_walk(&rt.questions, &cursor)) != NULL) {
		if (q->deadline <= clock_now())
			fail(q);
	}
	loop_timer_set(rt.tick, TICK);
}

static const struct link_ops authd_ops = {
	.on_up = on_authd_up, .on_msg = on_authd,
};
static const struct link_ops queued_ops = {
	.on_up = on_queued_up, .on_msg = on_queued,
};

void
router_start(void)
{
	map_init(&rt.questions);
	leases_init(&rt.leases);
	rt.tick = loop_timer(on_tick, NULL);
	loop_timer_set(rt.tick, TICK);
	rt.authd = link_new("authd", R_ROUTE, R_AUTHD, &authd_ops, NULL);
	rt.leases.queued = link_new("queued", R_ROUTE, R_QUEUED, &queued_ops,
	    NULL);
}
