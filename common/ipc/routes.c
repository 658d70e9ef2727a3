/*
 * routes - see routes.h.  Pure.
 */
#include "common/ipc/routes.h"

#include <stdlib.h>

#include "common/core/xalloc.h"

enum { ROW_MAX = 512 };		/* bytes of a row, with room to spare */

void
routes_init(struct routes *r, uint32_t room)
{
	*r = (struct routes){ .room = room };
	buf_init(&r->b, ROUTES_BYTES_MAX + ROUTES_TARGETS * ROW_MAX);
}

void
routes_clear(struct routes *r)
{
	buf_clear(&r->b);
	free(r->of);
	r->of = NULL;
	r->n = r->used = r->nof = 0;
}

void
routes_reset(struct routes *r)
{
	routes_clear(r);
}

struct msg_list
routes_list(const struct routes *r)
{
	return msg_list_of(&r->b, r->n);
}

/* NULL: one too many. */
static struct routes_of *
find(struct routes *r, uint32_t target)
{
	uint32_t i;

	/* Nearly always the last one. */
	for (i = r->nof; i-- > 0;) {
		if (r->of[i].target == target)
			return &r->of[i];
	}
	if (r->nof == ROUTES_TARGETS)
		return NULL;
	if (r->of == NULL)
		r->of = xcalloc(ROUTES_TARGETS, sizeof(*r->of));
	r->of[r->nof] = (struct routes_of){ .target = target };
	return &r->of[r->nof++];
}

static uint32_t
further(const struct routes_of *of)
{
	return of->is_alias ? of->rows : 0;
}

/* One row in the place of all that it had. */
static void
flood(struct routes *r, struct routes_of *of)
{
	struct msg_list		list = routes_list(r);
	struct rec_route	row;
	struct buf		kept;
	uint32_t		n = 0;

	buf_init(&kept, r->b.max);
	while (rec_next_route(&list, &row)) {
		if (row.target != of->target)
			rec_add_route(&kept, &n, &row);
	}
	rec_add_route(&kept, &n, &(struct rec_route){ .target = of->target,
	    .kind = ROUTE_FLOOD });
	r->used -= further(of);
	buf_clear(&r->b);
	r->b = kept;
	r->n = n;
	*of = (struct routes_of){ .target = of->target, .rows = 1,
	    .is_flood = true };
}

static void
add(struct routes *r, struct routes_of *of, const struct rec_route *row)
{
	struct routes_of after = *of;

	after.rows++;
	after.is_alias = after.rows > 1 || row->kind == ROUTE_ADDRESS;
	if (r->used - further(of) + further(&after) > r->room ||
	    r->b.n + ROW_MAX > ROUTES_BYTES_MAX) {
		flood(r, of);
		return;
	}
	r->used += further(&after) - further(of);
	*of = after;
	rec_add_route(&r->b, &r->n, row);
}

int
routes_add(struct routes *r, struct msg_list list)
{
	struct rec_route	 row;
	struct routes_of	*of;

	while (rec_next_route(&list, &row)) {
		if (row.kind > ROUTE_FLOOD ||
		    (row.kind == ROUTE_ADDRESS && row.address.n == 0))
			return -1;
		of = find(r, row.target);
		if (of == NULL)
			return -1;
		if (!of->is_flood)
			add(r, of, &row);
	}
	return 0;
}
