/*
 * sched - see sched.h.  Pure.
 *
 * A destination is on its tenant's ring while something of it may go now,
 * and in the heap of timers while something of it waits for a time.
 */
#include "queued/sched.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "common/core/map.h"
#include "common/core/xalloc.h"

enum {
	COST_BASE = 4,		/* KiB that any message is worth */
	SLACK = 1000,		/* ms between two looks at a long list */
	LONG = 16		/* items that make it one */
};

#define NEVER INT64_MAX

struct list {
	struct sched_item	*first, *last;
	size_t			 n;
};

struct tenant;

struct sched_dest {
	struct map_node		 node;		/* by destination */
	TAILQ_ENTRY(sched_dest)	 ring;
	struct tenant		*tenant;
	struct list		 ready, later;
	int64_t			 later_due;	/* the least; NEVER */
	int64_t			 rest_until;	/* 0: not resting */
	int64_t			 wake;		/* key in the heap */
	size_t			 heap_at;	/* its place; 0: not there */
	uint32_t		 rest;		/* s, the last one */
	unsigned		 busy;
	int			 deficit;
	bool			 is_failing, is_active;
};

struct tenant {
	struct map_node		 node;		/* by number */
	TAILQ_ENTRY(tenant)	 ring;
	TAILQ_HEAD(dests, sched_dest) dests;
	size_t			 ndests;	/* all, also those not there */
	int			 deficit;
};

struct sched {
	struct sched_conf	 conf;
	uint64_t		 chance;
	struct map		 dests, tenants;
	TAILQ_HEAD(, tenant)	 ring;
	struct sched_dest	**heap;		/* from 1 */
	size_t			 nheap, capheap;
};

/* -- lists --------------------------------------------------------------- */

static void
list_add(struct list *l, struct sched_item *it)
{
	it->next = NULL;
	it->prev = l->last;
	if (l->last == NULL)
		l->first = it;
	else
		l->last->next = it;
	l->last = it;
	l->n++;
}

static void
list_remove(struct list *l, struct sched_item *it)
{
	if (it->prev == NULL)
		l->first = it->next;
	else
		it->prev->next = it->next;
	if (it->next == NULL)
		l->last = it->prev;
	else
		it->next->prev = it->prev;
	it->next = NULL;
	it->prev = NULL;
	l->n--;
}

/* -- the heap of timers -------------------------------------------------- */

static void
heap_put(struct sched *s, size_t at, struct sched_dest *d)
{
	s->heap[at] = d;
	d->heap_at = at;
}

static void
heap_up(struct sched *s, size_t at)
{
	struct sched_dest *d = s->heap[at];

	for (; at > 1 && s->heap[at / 2]->wake > d->wake; at /= 2)
		heap_put(s, at, s->heap[at / 2]);
	heap_put(s, at, d);
}

static void
heap_down(struct sched *s, size_t at)
{
	struct sched_dest	*d = s->heap[at];
	size_t			 c;

	while ((c = at * 2) <= s->nheap) {
		if (c < s->nheap && s->heap[c + 1]->wake < s->heap[c]->wake)
			c++;
		if (s->heap[c]->wake >= d->wake)
			break;
		heap_put(s, at, s->heap[c]);
		at = c;
	}
	heap_put(s, at, d);
}

static void
heap_remove(struct sched *s, struct sched_dest *d)
{
	size_t			 at = d->heap_at;
	struct sched_dest	*last = s->heap[s->nheap];

	d->heap_at = 0;
	s->nheap--;
	if (last == d)
		return;
	heap_put(s, at, last);
	heap_up(s, at);
	heap_down(s, last->heap_at);
}

/* Puts the destination where its time belongs. */
static void
set_wake(struct sched *s, struct sched_dest *d, int64_t wake)
{
	if (d->heap_at != 0 && d->wake == wake)
		return;
	if (d->heap_at != 0)
		heap_remove(s, d);
	d->wake = wake;
	if (wake == NEVER)
		return;
	if (s->nheap + 1 >= s->capheap) {
		s->capheap = s->capheap == 0 ? 64 : s->capheap * 2;
		s->heap = xrealloc(s->heap, s->capheap, sizeof(*s->heap));
	}
	s->heap[++s->nheap] = d;
	heap_up(s, s->nheap);
}

/* -- destinations -------------------------------------------------------- */

static struct tenant *
find_tenant(struct sched *s, uint32_t id)
{
	struct tenant *t = map_find(&s->tenants, id);

	if (t == NULL) {
		t = xcalloc(1, sizeof(*t));
		TAILQ_INIT(&t->dests);
		map_add(&s->tenants, &t->node, id);
	}
	return t;
}

static struct sched_dest *
find_dest(struct sched *s, uint64_t id, uint32_t tenant)
{
	struct sched_dest *d = map_find(&s->dests, id);

	if (d == NULL) {
		d = xcalloc(1, sizeof(*d));
		d->later_due = NEVER;
		d->wake = NEVER;
		d->tenant = find_tenant(s, tenant);
		d->tenant->ndests++;
		map_add(&s->dests, &d->node, id);
	}
	return d;
}

static void
activate(struct sched *s, struct sched_dest *d)
{
	if (d->is_active)
		return;
	if (TAILQ_EMPTY(&d->tenant->dests))
		TAILQ_INSERT_TAIL(&s->ring, d->tenant, ring);
	TAILQ_INSERT_TAIL(&d->tenant->dests, d, ring);
	d->is_active = true;
}

static void
deactivate(struct sched *s, struct sched_dest *d)
{
	struct tenant *t = d->tenant;

	if (!d->is_active)
		return;
	TAILQ_REMOVE(&t->dests, d, ring);
	d->is_active = false;
	d->deficit = 0;
	if (TAILQ_EMPTY(&t->dests)) {
		TAILQ_REMOVE(&s->ring, t, ring);
		t->deficit = 0;
	}
}

static void
forget(struct sched *s, struct sched_dest *d)
{
	struct tenant *t = d->tenant;

	deactivate(s, d);
	set_wake(s, d, NEVER);
	map_remove(&s->dests, &d->node);
	free(d);
	if (--t->ndests == 0) {
		map_remove(&s->tenants, &t->node);
		free(t);
	}
}

/* Puts a destination where it belongs now; it may be gone after this. */
static void
settle(struct sched *s, struct sched_dest *d, int64_t now)
{
	unsigned	most = d->is_failing ? 1 : s->conf.dest_jobs;
	int64_t		wake = d->later_due;

	if (d->rest_until <= now)
		d->rest_until = 0;
	if (d->rest_until != 0 && d->rest_until < wake)
		wake = d->rest_until;
	if (d->ready.n == 0 && d->later.n == 0 && d->busy == 0 &&
	    d->rest_until == 0) {
		forget(s, d);
		return;
	}
	set_wake(s, d, wake);
	if (d->ready.n > 0 && d->rest_until == 0 && d->busy < most)
		activate(s, d);
	else
		deactivate(s, d);
}

static void
make_ready(struct sched_dest *d, struct sched_item *it)
{
	it->where = SCHED_READY;
	list_add(&d->ready, it);
}

/* A time has come: what is due is ready, and the rest may be over. */
static void
wake_up(struct sched *s, struct sched_dest *d, int64_t now)
{
	struct sched_item	*it, *next;
	int64_t			 least = NEVER;

	if (d->later_due <= now) {
		for (it = d->later.first; it != NULL; it = next) {
			next = it->next;
			if (it->due <= now) {
				list_remove(&d->later, it);
				make_ready(d, it);
			} else if (it->due < least)
				least = it->due;
		}
		if (d->later.n > LONG && least < now + SLACK)
			least = now + SLACK;
		d->later_due = least;
	}
	settle(s, d, now);
}

/* -- outside ------------------------------------------------------------- */

struct sched *
sched_new(const struct sched_conf *conf, uint64_t seed)
{
	struct sched *s = xcalloc(1, sizeof(*s));

	s->conf = *conf;
	s->chance = seed;
	map_init(&s->dests);
	map_init(&s->tenants);
	TAILQ_INIT(&s->ring);
	return s;
}

static void
free_all(struct map *m)
{
	uint64_t	 cursor = 0;
	struct map_node	*n;

	while ((n = map_walk(m, &cursor)) != NULL) {
		map_remove(m, n);
		free(n);
	}
	map_clear(m);
}

void
sched_free(struct sched *s)
{
	if (s == NULL)
		return;
	free_all(&s->dests);
	free_all(&s->tenants);
	free(s->heap);
	free(s);
}

void
sched_add(struct sched *s, struct sched_item *it, uint64_t dest,
    uint32_t tenant, size_t bytes, int64_t due, int64_t now)
{
	struct sched_dest	*d = find_dest(s, dest, tenant);
	size_t			 cost = COST_BASE + bytes / 1024;

	assert(it->where == SCHED_OUT);
	it->dest = d;
	it->due = due;
	it->cost = (uint16_t)(cost > SCHED_COST_MAX ? SCHED_COST_MAX : cost);
	if (due <= now)
		make_ready(d, it);
	else {
		it->where = SCHED_LATER;
		list_add(&d->later, it);
		if (due < d->later_due)
			d->later_due = due;
	}
	settle(s, d, now);
}

static void
take(struct sched_dest *d, struct sched_item *it)
{
	list_remove(&d->ready, it);
	it->where = SCHED_TAKEN;
	d->busy++;
	d->deficit -= it->cost;
	d->tenant->deficit -= it->cost;
}

/* Each pass over a ring gives its members a quantum, so this ends. */
static struct sched_item *
pick(struct sched *s)
{
	struct tenant		*t;
	struct sched_dest	*d;
	struct sched_item	*it;

	while ((t = TAILQ_FIRST(&s->ring)) != NULL) {
		d = TAILQ_FIRST(&t->dests);
		it = d->ready.first;
		if (t->deficit < it->cost) {
			t->deficit += SCHED_QUANTUM;
			TAILQ_REMOVE(&s->ring, t, ring);
			TAILQ_INSERT_TAIL(&s->ring, t, ring);
		} else if (d->deficit < it->cost) {
			d->deficit += SCHED_QUANTUM;
			TAILQ_REMOVE(&t->dests, d, ring);
			TAILQ_INSERT_TAIL(&t->dests, d, ring);
		} else
			return it;
	}
	return NULL;
}

struct sched_item *
sched_next(struct sched *s, int64_t now)
{
	struct sched_item *it;

	while (s->nheap > 0 && s->heap[1]->wake <= now)
		wake_up(s, s->heap[1], now);
	it = pick(s);
	if (it == NULL)
		return NULL;
	take(it->dest, it);
	settle(s, it->dest, now);
	return it;
}

int
sched_take(struct sched *s, struct sched_item *it)
{
	if (it->where != SCHED_READY)
		return -1;
	take(it->dest, it);
	if (it->dest->ready.n == 0)
		deactivate(s, it->dest);
	return 0;
}

void
sched_done(struct sched *s, struct sched_item *it, bool works, int64_t now)
{
	struct sched_dest *d = it->dest;

	assert(it->where == SCHED_TAKEN);
	it->where = SCHED_OUT;
	it->dest = NULL;
	d->busy--;
	if (works) {
		d->is_failing = false;
		d->rest = 0;
		d->rest_until = 0;
	} else if (d->rest_until == 0) {
		/* Others that went at the same time add nothing. */
		d->is_failing = true;
		d->rest = sched_backoff(s, d->rest);
		d->rest_until = now + sched_jitter(s, d->rest);
	}
	settle(s, d, now);
}

void
sched_cancel(struct sched *s, struct sched_item *it, int64_t now)
{
	struct sched_dest *d = it->dest;

	switch ((enum sched_where)it->where) {
	case SCHED_OUT:
		return;
	case SCHED_READY:
		list_remove(&d->ready, it);
		break;
	case SCHED_LATER:
		list_remove(&d->later, it);
		if (d->later.n == 0)
			d->later_due = NEVER;
		break;
	case SCHED_TAKEN:
		d->busy--;
		break;
	}
	it->where = SCHED_OUT;
	it->dest = NULL;
	settle(s, d, now);
}

void
sched_hurry(struct sched *s, struct sched_item *it, int64_t now)
{
	struct sched_dest *d = it->dest;

	if (it->where == SCHED_LATER) {
		/* later_due may now be early; a look too many does no harm. */
		list_remove(&d->later, it);
		if (d->later.n == 0)
			d->later_due = NEVER;
		it->due = now;
		make_ready(d, it);
	}
	if (it->where == SCHED_READY) {
		d->rest_until = 0;
		settle(s, d, now);
	}
}

uint32_t
sched_backoff(const struct sched *s, uint32_t before)
{
	if (before < s->conf.retry_min)
		return s->conf.retry_min;
	if (before >= s->conf.retry_max / 2)
		return s->conf.retry_max;
	return before * 2;
}

/* splitmix64: the seed makes every walk of a test the same. */
static uint64_t
chance(struct sched *s)
{
	uint64_t x = s->chance += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

int64_t
sched_jitter(struct sched *s, uint32_t seconds)
{
	int64_t ms = (int64_t)seconds * 1000, eighth = ms / 8;

	if (eighth == 0)
		return ms;
	return ms - eighth + (int64_t)(chance(s) % (uint64_t)(2 * eighth + 1));
}

int64_t
sched_when(struct sched *s, int64_t now)
{
	if (!TAILQ_EMPTY(&s->ring))
		return now;
	return s->nheap == 0 ? NEVER : s->heap[1]->wake;
}

size_t
sched_dests(const struct sched *s)
{
	return s->dests.n;
}
