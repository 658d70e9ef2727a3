/*
 * map - things found by a 64-bit number: a hash table whose links live inside
 * the things themselves.
 *
 *	struct thing { struct map_node node; ... };
 *
 * The node is the first member, so that a pointer to it is a pointer to the
 * thing.  The map owns nothing.  Keys are unique, and are numbers of ours,
 * never a client's choice.  A walk goes in an order that stays the same when
 * the table grows, so it may be left and taken up again by its cursor.
 */
#ifndef CORE_MAP_H
#define CORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_node {
	struct map_node	*next;
	uint64_t	 key;
};

struct map {
	struct map_node	**slot;
	size_t		  n;
	unsigned	  bits;		/* 2^bits slots */
};

void	 map_init(struct map *);
void	 map_clear(struct map *);	/* frees the table only */
/* NULL when it is not there. */
void	*map_find(const struct map *, uint64_t key);
/* The key must not be there yet (assert). */
void	 map_add(struct map *, struct map_node *, uint64_t key);
/* It must be there (assert). */
void	 map_remove(struct map *, struct map_node *);

/*
 * The next thing at or behind *cursor (0 at first), which moves past it;
 * NULL at the end.  The map may change between calls: what stays in it the
 * whole time is seen once.
 */
void	*map_walk(const struct map *, uint64_t *cursor);

#endif
