/*
 * reading - see reading.h.
 *
 * A folder is counted by its row.  An open body is its source and nothing of
 * where that is: it is looked up at each read, since a body can be moved
 * meanwhile.  The log keeps it for long after the last message that has it
 * is expunged.
 */
#include "mailboxd/reading.h"

#include <stdlib.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/mbox.h"

/* -- folders ---------------------------------------------------------- */

enum store_result
reading_next(void *impl, struct str after, struct store_name *out)
{
	struct mbox		*m = impl;
	const struct name	*e = names_next(&m->st.names, after);

	if (e == NULL)
		return STORE_NO_SUCH;
	*out = (struct store_name){
		.name = e->name, .exists = e->folder != NULL,
		.subscribed = e->subscribed,
		.has_children = names_has_children(&m->st.names, e->name)
	};
	return STORE_OK;
}

static enum store_result
count_recent(struct mbox *m, const struct state_folder *f, struct str name,
    uint32_t *n)
{
	struct store_folder	*pub;
	enum store_result	 r;

	*n = 0;
	if (f->recent >= f->uidnext || f->exists == 0)
		return STORE_OK;
	r = store_open(m, name, &pub);
	if (r != STORE_OK)
		return r;
	*n = (uint32_t)(f->n - state_place(f, f->recent));
	store_close(m, pub);
	return STORE_OK;
}

enum store_result
reading_status(void *impl, struct str name, bool recent,
    struct store_status *out)
{
	struct mbox		*m = impl;
	struct state_folder	*f = store_named(m, name);

	if (f == NULL)
		return STORE_NO_SUCH;
	*out = (struct store_status){
		.messages = f->exists, .unseen = f->unseen,
		.uidnext = f->uidnext, .uidvalidity = f->uidvalidity
	};
	return recent ? count_recent(m, f, name, &out->recent) : STORE_OK;
}

/* -- bodies ----------------------------------------------------------- */

enum store_result
reading_body_open(void *impl, struct store_folder *pub, uint32_t uid,
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
	LIST_INSERT_HEAD(&m->reading, *out, link);
	return STORE_OK;
}

enum store_result
reading_body_read(void *impl, struct store_body *b, uint32_t from, size_t n,
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
reading_body_close(void *impl, struct store_body *b)
{
	(void)impl;
	LIST_REMOVE(b, link);
	free(b);
}
