/*
 * route - the answer to a routing job becomes targets: mailboxes, further
 * addresses to be routed, or failures that wait for an operator.  All of it
 * is one change, in one frame.  Runs in queued.
 *
 * Bounds: queue.depth_max and queue.targets_max.  Two ways to one mailbox
 * deliver one copy.
 */
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "queued/queued.h"

enum { ASK_AGAIN = 1000 };	/* ms */

static const struct str flood =
    STR_INIT("5.4.6 aliases lead to too many recipients");

struct row {
	struct rec_route	r;
	uint32_t		order;	/* as they came */
};

struct routing {
	struct queued		*q;
	struct message		*m;
	struct record_time	 time;
	struct row		*rows;
	uint32_t		 nrows;
	struct map		 mailboxes;	/* that the message has */
	struct map_node		*nodes;
	size_t			 nnodes;
	struct buf		 list;		/* changed targets */
	uint32_t		 nlist;
	bool			 any_piece;
};

static int
compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->r.target != y->r.target)
		return x->r.target < y->r.target ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static void
read_rows(struct routing *g, const struct lease *l)
{
	struct msg_list list = routes_list(&l->routes);

	g->rows = xcalloc((size_t)list.n + 1, sizeof(*g->rows));
	while (rec_next_route(&list, &g->rows[g->nrows].r)) {
		g->rows[g->nrows].order = g->nrows;
		g->nrows++;
	}
	qsort(g->rows, g->nrows, sizeof(*g->rows), compare);
}

/* -- mailboxes ----------------------------------------------------------- */

/* False if the message has it already. */
static bool
claim(struct routing *g, uint64_t mailbox)
{
	if (map_find(&g->mailboxes, mailbox) != NULL)
		return false;
	map_add(&g->mailboxes, &g->nodes[g->nnodes++], mailbox);
	return true;
}

static void
claim_known(struct routing *g)
{
	const struct target	*t;
	uint32_t		 i;

	map_init(&g->mailboxes);
	g->nodes = xcalloc((size_t)g->m->n + g->nrows, sizeof(*g->nodes));
	for (i = 0; i < g->m->n; i++) {
		t = queue_target(g->m, i);
		if (t->routed)
			(void)claim(g, t->mailbox);
	}
}

/* -- changes ------------------------------------------------------------- */

/* Into the journal; several pieces are one frame. */
static void
put_piece(struct routing *g, struct journal_entry e)
{
	struct buf b;

	buf_init(&b, RECLOG_META_MAX);
	record_route(&b, g->time,
	    (struct record_targets){ buf_str(&g->list), g->nlist });
	e.type = REC_ROUTE;
	e.id = message_qid(g->m);
	e.must = true;
	e.joined = g->any_piece;
	journal_add(&g->q->journal, &e, buf_str(&b));
	buf_clear(&b);
	buf_reset(&g->list);
	g->nlist = 0;
	g->any_piece = true;
}

static void
change(struct routing *g, const struct record_target *r)
{
	if (g->list.n >= RECORD_TARGETS_BYTES)
		put_piece(g, (struct journal_entry){ 0 });
	record_add_target(&g->list, &g->nlist, r);
	if (queue_set(&g->q->queue, g->m, r) == -1)
		abort();		/* its number is the next one */
}

static void
held(const struct routing *g, struct record_target *r, struct str why)
{
	r->state = TARGET_HELD;
	r->error = why;
	log_info("failed", L_QID(message_qid(g->m)), L_STR("to", r->address),
	    L_STR("detail", why));
}

static void
mailbox(struct routing *g, struct record_target *r, const struct rec_route *row)
{
	r->routed = true;
	r->mailbox = row->mailbox;
	r->tenant = row->tenant;
	r->shard = row->shard;
	r->attempts = 0;
	r->state = claim(g, row->mailbox) ? TARGET_LOCAL : TARGET_SAME;
	log_info("routed", L_QID(message_qid(g->m)), L_STR("to", r->address),
	    L_NUM("mailbox", row->mailbox), L_NUM("copy",
	    r->state == TARGET_LOCAL));
}

static void
become(struct routing *g, struct record_target *r, const struct rec_route *row)
{
	switch ((enum route_kind)row->kind) {
	case ROUTE_MAILBOX:
		mailbox(g, r, row);
		break;
	case ROUTE_ADDRESS:
		r->state = TARGET_ROUTE;
		break;
	case ROUTE_UNKNOWN:
		held(g, r, S("5.1.1 no such user"));
		break;
	case ROUTE_FOREIGN:
		held(g, r, S("5.7.1 mail for other hosts is not relayed"));
		break;
	case ROUTE_FLOOD:
		held(g, r, flood);
		break;
	case ROUTE_TEMP:
		break;
	}
}

static void
postpone(struct routing *g, struct record_target *r)
{
	if (g->time.queue - g->m->born >= g->q->conf.life) {
		held(g, r, S("5.4.7 the directory did not answer for too "
		    "long"));
		return;
	}
	if (r->attempts < UINT16_MAX)
		r->attempts++;
	r->delay = sched_backoff(g->q->route, r->delay);
	r->due = g->time.queue + sched_jitter(g->q->route, r->delay);
	r->error = S("4.4.3 the directory does not answer");
}

/* Not in the answer: after a restart it may not have been in the job. */
static void
ask_again(struct routing *g, struct record_target *r)
{
	if (g->time.queue - g->m->born >= g->q->conf.life)
		postpone(g, r);
	else
		r->due = g->time.queue + ASK_AGAIN;
}

/* The alias is over; what it stands for takes its place. */
static void
expand(struct routing *g, struct record_target *r, const struct row *rows,
    uint32_t n)
{
	struct record_target	next;
	uint32_t		i;

	r->state = TARGET_EXPANDED;
	for (i = 0; i < n; i++) {
		next = (struct record_target){
			.no = g->m->n,
			.depth = (uint8_t)(r->depth + 1),
			.address = rows[i].r.address.n > 0 ?
			    rows[i].r.address : r->address,
		};
		become(g, &next, &rows[i].r);
		change(g, &next);
	}
	log_info("expanded", L_QID(message_qid(g->m)),
	    L_STR("to", r->address), L_NUM("targets", n));
}

static bool
is_expansion(const struct row *rows, uint32_t n)
{
	return n > 1 || rows[0].r.kind == ROUTE_ADDRESS;
}

static bool
has_temp(const struct row *rows, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (rows[i].r.kind == ROUTE_TEMP)
			return true;
	}
	return false;
}

static void
route_expansion(struct routing *g, struct record_target *r,
    const struct row *rows, uint32_t n)
{
	if (r->depth + 1u > g->q->conf.depth_max) {
		held(g, r, S("5.4.6 aliases are nested too deeply"));
	} else if (n > route_room(g->q, g->m)) {
		held(g, r, flood);
	} else
		expand(g, r, rows, n);
}

static void
route_one(struct routing *g, struct target *t, const struct row *rows,
    uint32_t n)
{
	struct record_target r = queue_record(t);

	r.error = S("");
	r.due = 0;
	if (n == 0) {
		ask_again(g, &r);
	} else if (has_temp(rows, n)) {
		postpone(g, &r);
	} else if (!is_expansion(rows, n)) {
		become(g, &r, &rows[0].r);
	} else
		route_expansion(g, &r, rows, n);
	change(g, &r);
}

/* The rows of this target; they are sorted and so are the calls. */
static const struct row *
rows_of(const struct routing *g, uint32_t *at, uint32_t no, uint32_t *n)
{
	const struct row *first;

	while (*at < g->nrows && g->rows[*at].r.target < no)
		(*at)++;
	first = &g->rows[*at];
	*n = 0;
	while (*at < g->nrows && g->rows[*at].r.target == no) {
		(*at)++;
		(*n)++;
	}
	return first;
}

bool
route_is_asked(const struct target *t)
{
	return t->state == TARGET_ROUTE && t->item.where == SCHED_TAKEN;
}

uint32_t
route_room(const struct queued *q, const struct message *m)
{
	return m->n < q->conf.targets_max ? q->conf.targets_max - m->n : 0;
}

static void
route_all(struct routing *g)
{
	const struct row	*rows;
	struct target		*t;
	uint32_t		 i, n, at = 0, before = g->m->n;

	for (i = 0; i < before; i++) {
		t = queue_target(g->m, i);
		if (!route_is_asked(t))
			continue;
		rows = rows_of(g, &at, t->no, &n);
		/* One address that fails is no reason for others to rest. */
		sched_done(g->q->route, &t->item, true,
		    queue_now(&g->q->queue));
		route_one(g, t, rows, n);
	}
}

void
route_apply(struct queued *q, struct message *m, const struct lease *l,
    const struct journal_entry *answer)
{
	struct routing g = { .q = q, .m = m, .time = queue_time(&q->queue) };

	buf_init(&g.list, 2 * RECORD_TARGETS_BYTES);
	read_rows(&g, l);
	claim_known(&g);
	route_all(&g);
	put_piece(&g, *answer);
	map_clear(&g.mailboxes);
	buf_clear(&g.list);
	free(g.nodes);
	free(g.rows);
}
