/*
 * large - see large.h.
 */
#include "mailboxd/large.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/state.h"

enum { CHECKED_MAX = 4096 };	/* remembered; then it starts anew */

void
large_init(struct large *l, struct bulk *bulk)
{
	*l = (struct large){ .files = { -1, BODY_PREFIX }, .bulk = bulk };
	map_init(&l->checked);
}

static void
forget_checked(struct large *l)
{
	struct map_node	*n;
	uint64_t	 cursor = 0;

	while ((n = map_walk(&l->checked, &cursor)) != NULL) {
		map_remove(&l->checked, n);
		free(n);
	}
}

void
large_clear(struct large *l)
{
	forget_checked(l);
	map_clear(&l->checked);
}

static int
check(struct large *l, const struct state_body *b)
{
	struct map_node *n;

	if (map_find(&l->checked, b->source) != NULL)
		return 0;
	if (b->hash.n != HASH_LEN) {
		errno = EBADMSG;
		return -1;
	}
	if (bodyfile_check(l->files.dir, bodyfile_name(&l->files,
	    b->source).s, b->length, (const unsigned char *)b->hash.p) == -1)
		return -1;
	if (l->checked.n == CHECKED_MAX)
		forget_checked(l);
	n = xcalloc(1, sizeof(*n));
	map_add(&l->checked, n, b->source);
	return 0;
}

int
large_read(struct large *l, const struct state_body *b, uint64_t from,
    size_t n, struct buf *out)
{
	return check(l, b) == -1 ? -1 :
	    bodyfile_read(&l->files, b->source, from, n, out);
}
