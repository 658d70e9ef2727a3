/*
 * lease - see lease.h.
 */
#include "queued/lease.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "common/core/map.h"
#include "common/core/pack.h"
#include "common/core/xalloc.h"

/* The leases of one message. */
struct group {
	struct map_node	 node;
	struct lease	*first;
};

struct leases {
	struct map	groups;
	size_t		n;
};

void
lease_mac(const uint8_t key[LEASE_KEY], const struct lease_name *name,
    uint8_t mac[LEASE_MAC])
{
	uint8_t in[17];

	in[0] = (uint8_t)name->kind;
	put_u64(in + 1, name->qid);
	put_u32(in + 9, name->target);
	put_u32(in + 13, name->attempt);
	crypto_generichash(mac, LEASE_MAC, in, sizeof(in), key, LEASE_KEY);
}

bool
lease_holds(const uint8_t key[LEASE_KEY], const struct lease_name *name,
    struct str mac)
{
	uint8_t ours[LEASE_MAC];

	if (mac.n != LEASE_MAC)
		return false;
	lease_mac(key, name, ours);
	return sodium_memcmp(ours, mac.p, LEASE_MAC) == 0;
}

/* -- the table ----------------------------------------------------------- */

struct leases *
leases_new(void)
{
	struct leases *ls = xcalloc(1, sizeof(*ls));

	map_init(&ls->groups);
	return ls;
}

void
leases_free(struct leases *ls)
{
	uint64_t	 cursor;
	struct group	*g;

	if (ls == NULL)
		return;
	for (;;) {
		cursor = 0;
		g = map_walk(&ls->groups, &cursor);
		if (g == NULL)
			break;
		leases_end(ls, g->first);
	}
	map_clear(&ls->groups);
	free(ls);
}

struct lease *
leases_find(const struct leases *ls, const struct lease_name *name)
{
	struct group	*g = map_find(&ls->groups, name->qid);
	struct lease	*l;

	if (g == NULL)
		return NULL;
	for (l = g->first; l != NULL; l = l->next) {
		if (l->name.target == name->target &&
		    l->name.kind == name->kind)
			return l;
	}
	return NULL;
}

struct lease *
leases_add(struct leases *ls, const struct lease_name *name, void *worker,
    int64_t deadline)
{
	struct group	*g = map_find(&ls->groups, name->qid);
	struct lease	*l = xcalloc(1, sizeof(*l));

	assert(leases_find(ls, name) == NULL);
	if (g == NULL) {
		g = xcalloc(1, sizeof(*g));
		map_add(&ls->groups, &g->node, name->qid);
	}
	l->name = *name;
	l->worker = worker;
	l->deadline = deadline;
	routes_init(&l->routes, 0);
	l->next = g->first;
	g->first = l;
	ls->n++;
	return l;
}

void
leases_end(struct leases *ls, struct lease *l)
{
	struct group	 *g = map_find(&ls->groups, l->name.qid);
	struct lease	**at = &g->first;

	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (g->first == NULL) {
		map_remove(&ls->groups, &g->node);
		free(g);
	}
	routes_clear(&l->routes);
	free(l);
	ls->n--;
}

void
leases_orphan(struct leases *ls, void *worker, int64_t deadline)
{
	uint64_t	 cursor = 0;
	struct group	*g;
	struct lease	*l;

	while ((g = map_walk(&ls->groups, &cursor)) != NULL) {
		for (l = g->first; l != NULL; l = l->next) {
			if (l->worker != worker)
				continue;
			l->worker = NULL;
			l->deadline = deadline;
			/* An answer that broke off begins anew. */
			routes_reset(&l->routes);
		}
	}
}

struct lease *
leases_expired(const struct leases *ls, int64_t now)
{
	uint64_t	 cursor = 0;
	struct group	*g;
	struct lease	*l;

	while ((g = map_walk(&ls->groups, &cursor)) != NULL) {
		for (l = g->first; l != NULL; l = l->next) {
			if (l->deadline <= now)
				return l;
		}
	}
	return NULL;
}

size_t
leases_count(const struct leases *ls)
{
	return ls->n;
}

size_t
leases_of(const struct leases *ls, const void *worker)
{
	uint64_t	 cursor = 0;
	struct group	*g;
	struct lease	*l;
	size_t		 n = 0;

	while ((g = map_walk(&ls->groups, &cursor)) != NULL) {
		for (l = g->first; l != NULL; l = l->next) {
			if (l->worker == worker)
				n++;
		}
	}
	return n;
}
