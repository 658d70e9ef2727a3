/*
 * idmap - see idmap.h.
 */
#include "mailboxd/idmap.h"

#include <assert.h>
#include <stdlib.h>

#include "common/core/xalloc.h"

struct idmap_slot {
	uint64_t	id;
	size_t		at;		/* one more than it; 0: free */
};

/* The slot of the id, or the free one where it belongs. */
static struct idmap_slot *
slot_of(const struct idmap *m, uint64_t id)
{
	size_t i = (size_t)((id * 0x9e3779b97f4a7c15u) >> 20) & (m->cap - 1);

	while (m->slots[i].at != 0 && m->slots[i].id != id)
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

void
idmap_clear(struct idmap *m)
{
	free(m->slots);
	*m = (struct idmap){ 0 };
}

size_t
idmap_find(const struct idmap *m, uint64_t id)
{
	if (m->n == 0)
		return SIZE_MAX;
	return slot_of(m, id)->at - 1;
}

static void
grow(struct idmap *m)
{
	struct idmap	old = *m;
	size_t		i;

	m->cap = old.cap == 0 ? 64 : old.cap * 2;
	m->slots = xcalloc(m->cap, sizeof(*m->slots));
	for (i = 0; i < old.cap; i++) {
		if (old.slots[i].at != 0)
			*slot_of(m, old.slots[i].id) = old.slots[i];
	}
	free(old.slots);
}

void
idmap_add(struct idmap *m, uint64_t id, size_t at)
{
	struct idmap_slot *s;

	if (m->n >= m->cap / 4 * 3)
		grow(m);
	s = slot_of(m, id);
	assert(s->at == 0);
	*s = (struct idmap_slot){ id, at + 1 };
	m->n++;
}
