/*
 * order - what a map (map.h) has, in the order of its keys as well: a tree
 * whose links live inside the things, 16 bytes each.
 *
 *	struct thing { struct order_node node; ... };
 *
 * The node is the first member.  Its key is that of the map node within it,
 * so a thing is put into the map first and leaves it last.  The tree owns
 * nothing, and is balanced by chance: keys are never a client's choice.
 *
 * Pure.
 */
#ifndef CORE_ORDER_H
#define CORE_ORDER_H

#include "common/core/map.h"

struct order_node {
	struct map_node		 map;		/* first */
	struct order_node	*less, *more;
};

struct order {
	struct order_node	*root;
	uint64_t		 steps;		/* nodes seen by order_page */
};

/* No other of that key may be there. */
void	 order_add(struct order *, struct order_node *);
/* It must be there (assert). */
void	 order_remove(struct order *, struct order_node *);
/*
 * The things with the least keys above `after`, ascending; how many.  Looks
 * at few more than it finds.
 */
size_t	 order_page(struct order *, uint64_t after, void **out, size_t most);

#endif
