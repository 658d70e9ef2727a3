/*
 * expansion - how many targets mail for an alias leads to, before any of it is
 * accepted: what queued will count when it routes (queue.targets_max,
 * queue.depth_max).
 *
 * The walk is bounded by the two settings.  What a large alias came to is
 * remembered until the directory changes, so that a client that names it again
 * and again costs one walk.
 */
#ifndef AUTHD_EXPANSION_H
#define AUTHD_EXPANSION_H

#include "authd/directory.h"

struct expansion;

/*
 * Borrows the directory.  depth_max: of aliases in aliases, from 1;
 * targets_max: what is counted to, from 1.
 */
struct expansion	*expansion_new(struct dir *, unsigned depth_max,
			    uint32_t targets_max);
void			 expansion_free(struct expansion *);

/*
 * The alias itself, each target of it, each target of those that are aliases,
 * and so on; who is reached by two ways counts twice, an alias nested too
 * deeply once.  From 1 to targets_max + 1, which is "too many".  Ends the loan
 * of the alias.
 */
uint32_t		 expansion_count(struct expansion *,
			    const struct dir_alias *);

#endif
