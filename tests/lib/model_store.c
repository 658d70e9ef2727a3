/*
 * model_store - see model_store.h.
 */
#include "tests/lib/model_int.h"

#include <assert.h>
#include <stdlib.h>

#include "common/core/xalloc.h"

static void
model_sync(void *impl)
{
	struct model_store *m = impl;

	m->syncs++;
}

static void
model_quota(void *impl, struct store_quota *q)
{
	struct model_store	*m = impl;
	size_t			 i;

	*q = (struct store_quota){ .size = m->used,
	    .messages_max = m->messages_max };
	if (m->quota < UINT64_MAX / 2)
		q->size_max = m->quota;
	for (i = 0; i < m->nentries; i++) {
		if (m->entries[i].folder != NULL)
			q->messages += m->entries[i].folder->pub.n;
	}
}

static const struct store_ops ops = {
	.next = model_next,
	.create = model_create,
	.remove = model_remove,
	.rename = model_rename,
	.subscribe = model_subscribe,
	.status = model_status,
	.open = model_open,
	.close = model_close,
	.seen_recent = model_seen_recent,
	.keyword = model_keyword,
	.flags = model_flags,
	.expunge = model_expunge,
	.copy = model_copy,
	.append = model_append,
	.append_data = model_append_data,
	.append_whole = model_append_whole,
	.append_ready = model_append_ready,
	.append_end = model_append_end,
	.append_abort = model_append_abort,
	.body_open = model_body_open,
	.body_read = model_body_read,
	.body_close = model_body_close,
	.sync = model_sync,
	.quota = model_quota,
};

struct model_store *
model_store_new(void)
{
	struct model_store *m = xcalloc(1, sizeof(*m));

	m->store = (struct store){ &ops, m };
	m->append_max = 64 * 1024 * 1024;
	m->quota = UINT64_MAX / 2;
	m->next_id = 1;
	m->next_validity = 1;
	model_create(m, S("INBOX"));
	return m;
}

void
model_store_free(struct model_store *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->nentries; i++) {
		if (m->entries[i].folder != NULL)
			model_folder_gone(m, &m->entries[i]);
		xfree_str(&m->entries[i].name);
	}
	free(m->entries);
	free(m);
}

uint32_t
model_store_add(struct model_store *m, const char *folder, struct str text,
    uint8_t flags, int64_t date)
{
	struct store_msg	msg = { .flags = flags, .date = date };
	struct model_folder	*f;

	model_create(m, str_c(folder));
	f = model_find(m, str_c(folder));
	assert(f != NULL);
	return model_add(m, f, msg, xdup(text));
}

const struct store_folder *
model_store_folder(const struct model_store *m, const char *name)
{
	struct model_folder *f = model_find(m, str_c(name));

	return f == NULL ? NULL : &f->pub;
}

struct str
model_store_text(const struct model_store *m, const char *folder, size_t i)
{
	struct model_folder *f = model_find(m, str_c(folder));

	assert(f != NULL && i < f->pub.n);
	return f->texts[i];
}
