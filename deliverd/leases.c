/*
 * leases - see leases.h.
 */
#include "deliverd/leases.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

enum { ROWS_PART = 100 };		/* rows of one message */

void
leases_init(struct leases *ls)
{
	*ls = (struct leases){ 0 };
	LIST_INIT(&ls->all);
}

struct lease *
lease_new(struct leases *ls, uint64_t qid, uint32_t target, uint32_t attempt,
    struct str mac)
{
	struct lease *l;

	if (mac.n != LEASE_MAC)
		return NULL;
	l = xcalloc(1, sizeof(*l));
	l->qid = qid;
	l->target = target;
	l->attempt = attempt;
	memcpy(l->mac, mac.p, LEASE_MAC);
	buf_init(&l->detail, LEASE_DETAIL);
	routes_init(&l->routes, 0);
	LIST_INSERT_HEAD(&ls->all, l, next);
	return l;
}

void
lease_free(struct lease *l)
{
	LIST_REMOVE(l, next);
	buf_clear(&l->detail);
	routes_clear(&l->routes);
	free(l);
}

struct lease *
leases_running(const struct leases *ls, uint64_t qid, uint32_t target)
{
	struct lease *l;

	LIST_FOREACH(l, &ls->all, next) {
		if (l->qid == qid && l->target == target && !l->is_done)
			return l;
	}
	return NULL;
}

/* -- results ------------------------------------------------------------- */

static void
send_local(const struct lease *l, struct chan *c)
{
	chan_send_local_result(c, &(struct msg_local_result){
	    .qid = l->qid, .target = l->target, .attempt = l->attempt,
	    .mac = str_of(l->mac, LEASE_MAC), .status = l->status,
	    .detail = buf_str(&l->detail) }, -1);
}

static void
send_route(const struct lease *l, struct chan *c)
{
	struct msg_list		list = routes_list(&l->routes);
	struct msg_route_result	m = { .qid = l->qid, .attempt = l->attempt,
	    .mac = str_of(l->mac, LEASE_MAC) };
	struct rec_route	r;
	struct buf		b;
	uint32_t		n;

	buf_init(&b, MSG_PACKET_MAX);
	do {
		n = 0;
		buf_reset(&b);
		while (n < ROWS_PART && rec_next_route(&list, &r))
			rec_add_route(&b, &n, &r);
		m.routes = msg_list_of(&b, n);
		m.last = list.n == 0;
		chan_send_route_result(c, &m, -1);
	} while (m.last == 0);
	buf_clear(&b);
}

static void
send_result(const struct lease *l, struct chan *c)
{
	if (l->target == LEASE_ALL)
		send_route(l, c);
	else
		send_local(l, c);
}

static void
done(struct leases *ls, struct lease *l)
{
	struct chan *c = ls->queued == NULL ? NULL : link_chan(ls->queued);

	assert(!l->is_done);
	l->is_done = true;
	l->job = NULL;
	if (c != NULL)
		send_result(l, c);
}

void
lease_done_local(struct leases *ls, struct lease *l, enum job_status status,
    struct str detail)
{
	l->status = (uint8_t)status;
	buf_add(&l->detail, str_sub(detail, 0, LEASE_DETAIL));
	done(ls, l);
}

void
lease_done_route(struct leases *ls, struct lease *l)
{
	done(ls, l);
}

void
leases_durable(struct leases *ls, const struct msg_result_durable *m)
{
	struct lease *l;

	LIST_FOREACH(l, &ls->all, next) {
		if (l->qid == m->qid && l->target == m->target &&
		    l->attempt == m->attempt && l->is_done) {
			lease_free(l);
			return;
		}
	}
}

void
leases_present(struct leases *ls, struct chan *c, uint32_t jobs)
{
	struct lease *l;

	LIST_FOREACH(l, &ls->all, next)
		chan_send_lease(c, &(struct msg_lease){
		    .qid = l->qid, .target = l->target,
		    .attempt = l->attempt,
		    .mac = str_of(l->mac, LEASE_MAC) }, -1);
	chan_send_worker_ready(c, &(struct msg_worker_ready){ .jobs = jobs },
	    -1);
	LIST_FOREACH(l, &ls->all, next) {
		if (l->is_done)
			send_result(l, c);
	}
}
