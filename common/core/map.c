/*
 * map - see map.h.  Pure.
 *
 * A key is multiplied by an odd constant, which maps the 64-bit numbers one
 * to one; the upper bits choose the slot.  Slots are therefore in the order
 * of the product, whatever their number is.
 */
#include "common/core/map.h"

#include <assert.h>
#include <stdlib.h>

#include "common/core/xalloc.h"

enum { BITS_MIN = 4 };

static uint64_t
mix(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15;
}

static struct map_node **
slot_of(const struct map *m, uint64_t key)
{
	return &m->slot[mix(key) >> (64 - m->bits)];
}

void
map_init(struct map *m)
{
	*m = (struct map){ .bits = BITS_MIN };
	m->slot = xcalloc((size_t)1 << m->bits, sizeof(struct map_node *));
}

void
map_clear(struct map *m)
{
	free(m->slot);
	*m = (struct map){ 0 };
}

void *
map_find(const struct map *m, uint64_t key)
{
	struct map_node *n;

	for (n = *slot_of(m, key); n != NULL; n = n->next) {
		if (n->key == key)
			return n;
	}
	return NULL;
}

static void
grow(struct map *m)
{
	struct map	 old = *m;
	struct map_node	*n, *next, **slot;
	size_t		 i;

	m->bits++;
	m->slot = xcalloc((size_t)1 << m->bits, sizeof(struct map_node *));
	for (i = 0; i < (size_t)1 << old.bits; i++) {
		for (n = old.slot[i]; n != NULL; n = next) {
			next = n->next;
			slot = slot_of(m, n->key);
			n->next = *slot;
			*slot = n;
		}
	}
	free(old.slot);
}

void
map_add(struct map *m, struct map_node *n, uint64_t key)
{
	struct map_node **slot;

	assert(map_find(m, key) == NULL);
	if (m->n >> m->bits != 0)
		grow(m);
	n->key = key;
	slot = slot_of(m, key);
	n->next = *slot;
	*slot = n;
	m->n++;
}

void
map_remove(struct map *m, struct map_node *n)
{
	struct map_node **at = slot_of(m, n->key);

	while (*at != NULL && *at != n)
		at = &(*at)->next;
	assert(*at == n);
	*at = n->next;
	n->next = NULL;
	m->n--;
}

void *
map_walk(const struct map *m, uint64_t *cursor)
{
	struct map_node	*n, *best = NULL;
	size_t		 i = *cursor >> (64 - m->bits);

	/* The cursor is one past the product of the last key seen. */
	for (; i < (size_t)1 << m->bits && best == NULL; i++) {
		for (n = m->slot[i]; n != NULL; n = n->next) {
			if (mix(n->key) >= *cursor && (best == NULL ||
			    mix(n->key) < mix(best->key)))
				best = n;
		}
	}
	if (best == NULL || mix(best->key) == UINT64_MAX)
		*cursor = UINT64_MAX;
	else
		*cursor = mix(best->key) + 1;
	return best;
}
