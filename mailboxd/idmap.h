/*
 * idmap - from a 64-bit id to a place in an array.  Open addressing; only
 * grows, until it is cleared as a whole.  Pure.
 */
#ifndef MAILBOXD_IDMAP_H
#define MAILBOXD_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap {
	struct idmap_slot	*slots;
	size_t			 n, cap;
};

void	idmap_clear(struct idmap *);
/* SIZE_MAX when it is not there. */
size_t	idmap_find(const struct idmap *, uint64_t id);
/* The id must not be there (assert). */
void	idmap_add(struct idmap *, uint64_t id, size_t at);

#endif
