/*
 * state - see state.h.  The data and their bookkeeping; apply.c has the
 * records.  Pure.
 */
#include "mailboxd/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

/* One more element at the end of an array that doubles. */
#define GROW(array, n, cap) do { \
	if ((n) == (cap)) { \
		(cap) = (cap) == 0 ? 8 : (cap) * 2; \
		(array) = xrealloc((array), (cap), sizeof(*(array))); \
	} \
	(n)++; \
} while (0)

void
state_init(struct state *st)
{
	*st = (struct state){
		.next_id = 1, .next_folder = 1, .next_uidvalidity = 1
	};
}

/* -- folders ---------------------------------------------------------- */

static size_t
folder_place(const struct state *st, uint64_t id)
{
	size_t lo = 0, hi = st->nfolders, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (st->folders[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct state_folder *
state_folder(const struct state *st, uint64_t id)
{
	size_t i = folder_place(st, id);

	if (i == st->nfolders || st->folders[i]->id != id)
		return NULL;
	return st->folders[i];
}

struct state_folder *
state_named(const struct state *st, struct str name)
{
	const struct name *e = names_find(&st->names, name);

	return e == NULL ? NULL : e->folder;
}

struct state_folder *
state_folder_new(struct state *st, uint64_t id, struct str name)
{
	struct state_folder	*f = xcalloc(1, sizeof(*f));
	size_t			 at = folder_place(st, id);

	GROW(st->folders, st->nfolders, st->folders_cap);
	memmove(st->folders + at + 1, st->folders + at,
	    (st->nfolders - 1 - at) * sizeof(struct state_folder *));
	st->folders[at] = f;
	f->id = id;
	f->modseq = 1;
	f->uidnext = 1;
	f->recent = 1;
	f->loaded = true;
	f->name = names_attach(&st->names, name, f);
	if (id >= st->next_folder)
		st->next_folder = id + 1;
	state_touch(st, f);
	return f;
}

static void
drop_messages(struct state_folder *f)
{
	free(f->msgs);
	free(f->sources);
	f->msgs = NULL;
	f->sources = NULL;
	f->n = 0;
	f->cap = 0;
}

static void
folder_free(struct state_folder *f)
{
	unsigned i;

	drop_messages(f);
	for (i = 0; i < f->nkeywords; i++)
		xfree_str(&f->keywords[i]);
	free(f->keywords);
	free(f->pub);
	free(f);
}

void
state_folder_remove(struct state *st, struct state_folder *f)
{
	size_t at = folder_place(st, f->id);

	st->nfolders--;
	memmove(st->folders + at, st->folders + at + 1,
	    (st->nfolders - at) * sizeof(struct state_folder *));
	names_detach(&st->names, f->name);
	f->name = NULL;
	GROW(st->dropped, st->ndropped, st->dropped_cap);
	st->dropped[st->ndropped - 1] = f->id;
	drop_messages(f);
	state_uncount(st, f, f->size, f->exists);
	f->unseen = 0;
	f->loaded = true;
	if (f->opens == 0) {
		folder_free(f);
		return;
	}
	f->next_gone = st->gone;
	st->gone = f;
	state_publish(f);
}

void
state_publish(struct state_folder *f)
{
	struct store_folder *p;

	if (f->pub == NULL)
		return;
	p = &f->pub->pub;
	p->id = f->id;
	p->modseq = f->modseq;
	p->uidvalidity = f->uidvalidity;
	p->uidnext = f->uidnext;
	p->recent = f->recent;
	p->gone = f->name == NULL;
	p->msgs = f->msgs;
	p->n = f->n;
	if (f->nkeywords > 0)
		memcpy(p->keywords, f->keywords,
		    f->nkeywords * sizeof(*f->keywords));
	p->nkeywords = f->nkeywords;
}

/* -- messages --------------------------------------------------------- */

void
state_count(struct state *st, struct state_folder *f, uint64_t size,
    uint32_t messages)
{
	f->size += size;
	f->exists += messages;
	st->usage.size += size;
	st->usage.messages += messages;
}

void
state_uncount(struct state *st, struct state_folder *f, uint64_t size,
    uint32_t messages)
{
	assert(size <= f->size && messages <= f->exists);
	f->size -= size;
	f->exists -= messages;
	st->usage.size -= size;
	st->usage.messages -= messages;
	st->freed += size;
}

size_t
state_place(const struct state_folder *f, uint32_t uid)
{
	return store_place(f->msgs, f->n, uid);
}

bool
state_has(const struct state_folder *f, uint32_t uid, size_t *at)
{
	*at = state_place(f, uid);
	return *at < f->n && f->msgs[*at].uid == uid;
}

void
state_msg_add(struct state *st, struct state_folder *f,
    const struct store_msg *msg, uint64_t source)
{
	assert(f->n == 0 || msg->uid > f->msgs[f->n - 1].uid);
	if (f->n == f->cap) {
		f->cap = f->cap < 16 ? 16 : f->cap + f->cap / 2;
		f->msgs = xrealloc(f->msgs, f->cap, sizeof(*f->msgs));
		f->sources = xrealloc(f->sources, f->cap,
		    sizeof(*f->sources));
	}
	f->msgs[f->n] = *msg;
	f->sources[f->n] = source;
	f->n++;
	if (msg->id >= st->next_id)
		st->next_id = msg->id + 1;
}

static uint64_t
sizes_of(const struct state_folder *f)
{
	uint64_t	sum = 0;
	size_t		i;

	for (i = 0; i < f->n; i++)
		sum += f->msgs[i].size;
	return sum;
}

/* The load function sees a folder without its tail; we put it back. */
int
state_want(struct state *st, struct state_folder *f)
{
	struct state_folder	tail = *f;
	size_t			i;
	int			r;

	if (f->loaded)
		return 0;
	if (st->load == NULL)
		return -1;
	f->msgs = NULL;
	f->sources = NULL;
	f->n = 0;
	f->cap = 0;
	r = st->load(st->load_arg, f);
	if (f->n + tail.n != f->exists || (f->n > 0 && tail.n > 0 &&
	    f->msgs[f->n - 1].uid >= tail.msgs[0].uid) ||
	    sizes_of(f) + sizes_of(&tail) != f->size)
		r = -1;
	for (i = 0; r == 0 && i < tail.n; i++)
		state_msg_add(st, f, &tail.msgs[i], tail.sources[i]);
	if (r == -1) {
		drop_messages(f);
		f->msgs = tail.msgs;
		f->sources = tail.sources;
		f->n = tail.n;
		f->cap = tail.cap;
		return -1;
	}
	free(tail.msgs);
	free(tail.sources);
	f->loaded = true;
	return 0;
}

int
state_open(struct state *st, struct state_folder *f)
{
	if (state_want(st, f) == -1)
		return -1;
	if (f->pub == NULL) {
		f->pub = xcalloc(1, sizeof(*f->pub));
		f->pub->folder = f;
	}
	f->opens++;
	state_publish(f);
	return 0;
}

/* Out of memory again, when the index has all of it. */
static void
unload(struct state *st, struct state_folder *f)
{
	if (f->opens > 0 || st->load == NULL)
		return;
	free(f->pub);
	f->pub = NULL;
	drop_messages(f);
	f->loaded = f->exists == 0;
}

void
state_close(struct state *st, struct state_folder *f)
{
	struct state_folder **p;

	assert(f->opens > 0);
	f->opens--;
	if (f->opens > 0)
		return;
	if (f->name != NULL) {
		if (!f->dirty)
			unload(st, f);
		return;
	}
	for (p = &st->gone; *p != f; p = &(*p)->next_gone)
		continue;
	*p = f->next_gone;
	folder_free(f);
}

int
state_keyword(const struct state_folder *f, struct str word)
{
	unsigned i;

	for (i = 0; i < f->nkeywords; i++) {
		if (str_ieq(f->keywords[i], word))
			return (int)i;
	}
	return -1;
}

void
state_keyword_add(struct state_folder *f, struct str word)
{
	assert(f->nkeywords < STORE_KEYWORDS_MAX);
	f->keywords = xrealloc(f->keywords, f->nkeywords + 1,
	    sizeof(*f->keywords));
	f->keywords[f->nkeywords++] = xdup(word);
}

/* -- what the index does not have yet --------------------------------- */

void
state_touch(struct state *st, struct state_folder *f)
{
	if (f->dirty)
		return;
	f->dirty = true;
	GROW(st->dirty, st->ndirty, st->dirty_cap);
	st->dirty[st->ndirty - 1] = f->id;
}

void
state_touch_uids(struct state *st, struct state_folder *f, uint32_t lo,
    uint32_t hi)
{
	struct state_range *r;

	state_touch(st, f);
	if (st->nranges > 0) {
		r = &st->ranges[st->nranges - 1];
		if (r->folder == f->id && lo == r->hi + 1) {
			r->hi = hi;
			return;
		}
	}
	GROW(st->ranges, st->nranges, st->ranges_cap);
	st->ranges[st->nranges - 1] = (struct state_range){ f->id, lo, hi };
}

void
state_touch_sub(struct state *st, struct str name)
{
	GROW(st->subs, st->nsubs, st->subs_cap);
	st->subs[st->nsubs - 1] = xdup(name);
}

void
state_body_add(struct state *st, const struct state_body *b)
{
	struct state_body *to;

	if (idmap_find(&st->body_at, b->source) != SIZE_MAX)
		return;
	GROW(st->bodies, st->nbodies, st->bodies_cap);
	to = &st->bodies[st->nbodies - 1];
	*to = *b;
	to->trace = xdup(b->trace);
	to->hash = b->hash.n > 0 ? xdup(b->hash) : str_of(NULL, 0);
	idmap_add(&st->body_at, b->source, st->nbodies - 1);
	if (b->source >= st->next_id)
		st->next_id = b->source + 1;
}

void
state_body_move(struct state *st, const struct state_body *b)
{
	size_t			 at = idmap_find(&st->body_at, b->source);
	struct state_body	*to;

	if (at == SIZE_MAX) {
		state_body_add(st, b);
		return;
	}
	to = &st->bodies[at];
	to->pos = b->pos;
	to->place = b->place;
	to->coding = b->coding;
	to->bytes = b->bytes;
}

const struct state_body *
state_body(const struct state *st, uint64_t source)
{
	size_t at = idmap_find(&st->body_at, source);

	return at == SIZE_MAX ? NULL : &st->bodies[at];
}

void
state_add_delivered(struct state *st, uint64_t qid, uint64_t date)
{
	if (state_is_delivered(st, qid))
		return;
	GROW(st->delivered, st->ndelivered, st->delivered_cap);
	st->delivered[st->ndelivered - 1] =
	    (struct state_delivered){ qid, date };
	idmap_add(&st->delivered_at, qid, st->ndelivered - 1);
}

void
state_add_derived(struct state *st, uint64_t source, enum store_derived what,
    struct str text)
{
	GROW(st->derived, st->nderived, st->derived_cap);
	st->derived[st->nderived - 1] = (struct state_derived){
		.source = source, .what = (uint8_t)what, .text = xdup(text)
	};
}

static void
drop_derived(struct state *st)
{
	size_t i;

	for (i = 0; i < st->nderived; i++)
		xfree_str(&st->derived[i].text);
	free(st->derived);
	st->derived = NULL;
	st->nderived = 0;
	st->derived_cap = 0;
}

bool
state_is_delivered(const struct state *st, uint64_t qid)
{
	return idmap_find(&st->delivered_at, qid) != SIZE_MAX;
}

void
state_committed(struct state *st)
{
	for (; st->ncommitted < st->nbodies; st->ncommitted++)
		st->bodies[st->ncommitted].bytes = str_of(NULL, 0);
}

void
state_spilled(struct state *st)
{
	size_t i;

	for (i = 0; i < st->nbodies; i++) {
		xfree_str(&st->bodies[i].trace);
		xfree_str(&st->bodies[i].hash);
	}
	free(st->bodies);
	st->bodies = NULL;
	st->nbodies = 0;
	st->ncommitted = 0;
	st->bodies_cap = 0;
	idmap_clear(&st->body_at);
	free(st->delivered);
	st->delivered = NULL;
	st->ndelivered = 0;
	st->delivered_cap = 0;
	idmap_clear(&st->delivered_at);
}

void
state_settled(struct state *st, bool keep)
{
	struct state_folder	*f;
	size_t			 i;

	for (i = 0; i < st->ndirty; i++) {
		f = state_folder(st, st->dirty[i]);
		if (f == NULL)
			continue;
		f->dirty = false;
		if (!keep)
			unload(st, f);
	}
	for (i = 0; i < st->nsubs; i++)
		xfree_str(&st->subs[i]);
	st->ndirty = 0;
	st->nranges = 0;
	st->ndropped = 0;
	st->nsubs = 0;
	drop_derived(st);
	if (!keep)
		state_spilled(st);
}

void
state_clear(struct state *st)
{
	struct state_folder	*f;
	size_t			 i;

	state_settled(st, true);
	state_spilled(st);
	for (i = 0; i < st->nfolders; i++)
		folder_free(st->folders[i]);
	while (st->gone != NULL) {
		f = st->gone;
		st->gone = f->next_gone;
		folder_free(f);
	}
	names_clear(&st->names);
	snaps_clear(&st->snaps);
	free(st->folders);
	free(st->ranges);
	free(st->dirty);
	free(st->dropped);
	free(st->subs);
	state_init(st);
}

/* -- rows ------------------------------------------------------------- */

struct record
state_row(const struct state_folder *f, struct buf *words)
{
	unsigned i;

	buf_reset(words);
	for (i = 0; i < f->nkeywords; i++)
		pack_str(words, f->keywords[i]);
	return (struct record){ .type = REC_ROW_FOLDER, .row_folder = {
		.folder = f->id, .uidvalidity = f->uidvalidity,
		.uidnext = f->uidnext, .recent = f->recent,
		.modseq = f->modseq, .exists = f->exists,
		.unseen = f->unseen, .size = f->size, .name = f->name->name,
		.words = buf_str(words)
	} };
}

struct record
state_row_message(const struct state_folder *f, size_t at)
{
	const struct store_msg *m = &f->msgs[at];

	return (struct record){ .type = REC_ROW_MESSAGE, .row_message = {
		.folder = f->id, .uid = m->uid, .id = m->id,
		.source = f->sources[at], .modseq = m->modseq,
		.date = (uint64_t)m->date, .zone = (uint16_t)m->zone,
		.flags = m->flags, .keywords = m->keywords, .size = m->size
	} };
}
