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
	if (l->bulk != NULL)
		bulk_forget(l->bulk, l);
	forget_checked(l);
	map_clear(&l->checked);
}

/* -- writing ------------------------------------------------------------- */

static void
on_durable(void *arg, uint64_t id, int error)
{
	struct large *l = arg;

	l->waiting--;
	if (error == 0)
		return;
	log_error("mailbox_body", L_ID("record", id), L_Z("call", "sync"),
	    L_Z("error", strerror(error)));
	l->failed = true;
}

int
large_hold(struct large *l, const struct intake *in)
{
	if (in->place == BODY_INLINE)
		return 0;
	if (l->bulk == NULL)
		return bodyfile_sync(&l->files, in->id);
	l->waiting++;
	bulk_ask(l->bulk, &(struct bulk_ask){ .op = BULK_SYNC, .id = in->id },
	    on_durable, l);
	return 0;
}

/* -- reading ------------------------------------------------------------- */

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
