/*
 * batch - see batch.h.
 */
#include "mailboxd/batch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"

enum { METAS_MAX = 16 * 1024 * 1024 };

void
batch_init(struct batch *b, struct mbox *m)
{
	*b = (struct batch){ .m = m };
	buf_init(&b->metas, METAS_MAX);
}

static void
empty(struct batch *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		buf_clear(&b->list[i].payload);
	b->n = 0;
	b->bytes = 0;
	buf_reset(&b->metas);
}

void
batch_clear(struct batch *b)
{
	empty(b);
	buf_clear(&b->metas);
	free(b->list);
	b->list = NULL;
	b->cap = 0;
}

void
batch_add(struct batch *b, const struct record *r, uint64_t id,
    struct buf *payload)
{
	struct batch_record *e;

	if (b->n == b->cap) {
		b->cap = b->cap == 0 ? 16 : b->cap * 2;
		b->list = xrealloc(b->list, b->cap, sizeof(*b->list));
	}
	e = &b->list[b->n++];
	*e = (struct batch_record){
		.rec = { .type = (uint8_t)r->type, .id = id },
		.at = b->metas.n
	};
	record_encode(&b->metas, r);
	assert(buf_ok(&b->metas));
	e->rec.meta.n = b->metas.n - e->at;
	if (payload == NULL)
		return;
	e->payload = *payload;
	b->bytes += payload->n;
	buf_init(payload, payload->max);
}

static enum reclog_result
write_all(struct batch *b, bool sync)
{
	struct batch_record	*e;
	size_t			 i;

	assert(reclog_pending(b->m->log) == 0);
	for (i = 0; i < b->n; i++) {
		e = &b->list[i];
		e->rec.meta.p = b->metas.p + b->metas.at + e->at;
		e->rec.payload = buf_str(&e->payload);
		if (reclog_add(b->m->log, &e->rec, &e->pos) == -1) {
			reclog_drop(b->m->log);
			return RECLOG_DEAD;
		}
	}
	return reclog_commit(b->m->log, sync);
}

enum reclog_result
batch_commit(struct batch *b, bool sync)
{
	struct mbox		*m = b->m;
	enum reclog_result	 r = write_all(b, sync);
	size_t			 i;

	if (r == RECLOG_DEAD) {
		log_error("mailbox_log_failed", L_ERRNO);
		m->dead = true;
	}
	for (i = 0; r == RECLOG_OK && i < b->n; i++) {
		/* These need no folder, so they cannot fail. */
		b->list[i].rec.payload.p = NULL;
		if (state_apply(&m->st, &b->list[i].rec,
		    b->list[i].pos) == -1)
			abort();
		m->changed = true;
	}
	empty(b);
	return r;
}
