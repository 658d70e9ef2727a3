/*
 * view - see view.h.  Pure.
 */
#include "imapd/view.h"

#include <stdlib.h>

#include "common/core/xalloc.h"

static void
add(struct view *v, const struct store_msg *msg)
{
	bool recent = msg->uid >= v->folder->recent;

	if (v->n == v->cap) {
		v->cap = v->cap == 0 ? 16 : v->cap * 2;
		v->m = xrealloc(v->m, v->cap, sizeof(*v->m));
	}
	v->m[v->n++] = (struct view_msg){ msg->modseq, msg->uid, recent };
	v->nrecent += recent;
}

/* \Recent is for the first session that may write, RFC 3501 2.3.2. */
static void
claim_recent(struct view *v, const struct store *store)
{
	if (!v->readonly && v->folder->recent < v->folder->uidnext)
		store->ops->seen_recent(store->impl, v->folder);
}

void
view_open(struct view *v, const struct store *store, struct store_folder *f,
    bool readonly)
{
	size_t i;

	*v = (struct view){ .folder = f, .readonly = readonly };
	v->cap = f->n;
	if (v->cap > 0)
		v->m = xcalloc(v->cap, sizeof(*v->m));
	for (i = 0; i < f->n; i++)
		add(v, &f->msgs[i]);
	v->flags_at = v->gone_at = f->modseq;
	claim_recent(v, store);
}

void
view_close(struct view *v, const struct store *store)
{
	if (v->folder == NULL)
		return;
	store->ops->close(store->impl, v->folder);
	free(v->m);
	*v = (struct view){ 0 };
}

const struct store_msg *
view_msg(const struct view *v, size_t i)
{
	const struct store_folder	*f = v->folder;
	uint32_t			 uid = v->m[i].uid;
	size_t				 at = i;

	/* Mostly nothing is gone and the places are the same. */
	if (at >= f->n || f->msgs[at].uid != uid)
		at = store_place(f->msgs, f->n, uid);
	return at < f->n && f->msgs[at].uid == uid ? &f->msgs[at] : NULL;
}

size_t
view_from_uid(const struct view *v, uint32_t uid)
{
	size_t lo = 0, hi = v->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (v->m[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t
view_last_uid(const struct view *v)
{
	return v->n == 0 ? 0 : v->m[v->n - 1].uid;
}

void
view_told(struct view *v, size_t i, uint64_t modseq)
{
	v->m[i].modseq = modseq;
}

bool
view_is_stale(const struct view *v, bool gone)
{
	if (v->folder == NULL)
		return false;
	/* A folder that was deleted has no modseq to tell of it. */
	if (gone && v->folder->gone && v->n > 0)
		return true;
	return v->flags_at != v->folder->modseq ||
	    (gone && v->gone_at != v->folder->modseq);
}

size_t
view_take_gone(struct view *v, uint32_t *numbers, size_t max)
{
	const struct store_folder	*f = v->folder;
	size_t				 i, at = 0, to = 0, n = 0;

	for (i = 0; i < v->n && n < max; i++) {
		while (at < f->n && f->msgs[at].uid < v->m[i].uid)
			at++;
		if (at < f->n && f->msgs[at].uid == v->m[i].uid) {
			v->m[to++] = v->m[i];
			continue;
		}
		v->nrecent -= v->m[i].recent;
		numbers[n++] = (uint32_t)to + 1;
	}
	for (; i < v->n; i++)
		v->m[to++] = v->m[i];
	v->n = to;
	if (n < max)
		v->gone_at = f->modseq;
	return n;
}

bool
view_take_new(struct view *v, const struct store *store)
{
	const struct store_folder	*f = v->folder;
	size_t				 i, before = v->n;
	uint32_t			 last = view_last_uid(v);

	if (last == UINT32_MAX)
		return false;
	for (i = store_place(f->msgs, f->n, last + 1); i < f->n; i++)
		add(v, &f->msgs[i]);
	claim_recent(v, store);
	return v->n > before;
}

size_t
view_take_changed(struct view *v, size_t *indexes, size_t max)
{
	const struct store_folder	*f = v->folder;
	size_t				 i, at = 0, n = 0;

	for (i = 0; i < v->n && n < max; i++) {
		while (at < f->n && f->msgs[at].uid < v->m[i].uid)
			at++;
		if (at == f->n)
			break;
		if (f->msgs[at].uid != v->m[i].uid ||
		    f->msgs[at].modseq == v->m[i].modseq)
			continue;
		v->m[i].modseq = f->msgs[at].modseq;
		indexes[n++] = i;
	}
	if (n < max)
		v->flags_at = f->modseq;
	return n;
}
