/*
 * bodies - see bodies.h.
 *
 * An open body is its source and nothing of where that is: it is looked up
 * at each read, since a body can be moved meanwhile.  The log keeps it for
 * long after the last message that has it is expunged.
 */
#include "mailboxd/bodies.h"

#include <stdlib.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/mbox.h"

struct store_body {
	uint64_t	source;
};

enum store_result
bodies_open(void *impl, struct store_folder *pub, uint32_t uid,
    struct store_body **out)
{
	struct mbox		*m = impl;
	struct state_folder	*f = ((struct state_pub *)pub)->folder;
	size_t			 at;

	if (m->dead)
		return STORE_ERROR;
	if (!state_has(f, uid, &at))
		return STORE_NO_SUCH;
	*out = xcalloc(1, sizeof(**out));
	(*out)->source = f->sources[at];
	return STORE_OK;
}

enum store_result
bodies_read(void *impl, struct store_body *b, uint32_t from, size_t n,
    struct buf *out)
{
	struct mbox		*m = impl;
	enum store_result	 r = STORE_ERROR;
	struct state_body	 body;
	struct buf		 scratch;

	if (m->dead)
		return STORE_ERROR;
	buf_init(&scratch, INDEX_VALUE_MAX);
	if (mbox_body(m, b->source, &scratch, &body) == 1)
		r = store_read(m, &body, from, n, out);
	else
		log_error("mailbox_read", L_ID("record", b->source));
	buf_clear(&scratch);
	return r;
}

void
bodies_close(void *impl, struct store_body *b)
{
	(void)impl;
	free(b);
}
