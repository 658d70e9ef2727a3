/*
 * rows - see rows.h.
 */
#include "mailboxd/rows.h"

#include <assert.h>
#include <string.h>

enum {
	KEY_MARK = 'A',
	KEY_BODY = 'B',		/* source */
	KEY_COUNTERS = 'C',
	KEY_DELIVERED = 'D',	/* qid */
	KEY_DERIVED = 'E',	/* source, enum store_derived */
	KEY_FOLDER = 'F',	/* folder */
	KEY_MESSAGE = 'M',	/* folder, UID */
	KEY_SNAPSHOT = 'P',	/* id */
	KEY_SUBSCRIPTION = 'S'	/* name */
};

enum {
	CHUNK = 4096		/* rows of a transaction of a rebuild */
};

/* -- keys ------------------------------------------------------------- */

struct key {
	char	p[16];
	size_t	n;
};

static void
key_add(struct key *k, uint64_t v, unsigned bytes)
{
	while (bytes > 0) {
		bytes--;
		k->p[k->n++] = (char)(v >> (8 * bytes) & 0xff);
	}
}

static struct key
key_of(char table, uint64_t id)
{
	struct key k = { .p = { table }, .n = 1 };

	key_add(&k, id, 8);
	return k;
}

static struct str
key_str(const struct key *k)
{
	return str_of(k->p, k->n);
}

/* -- writing ---------------------------------------------------------- */

struct save {
	struct state	*st;
	struct index	*ix;
	struct buf	 value;
	struct buf	 words;
	struct buf	 keys;
	bool		 fresh;		/* may be in several pieces */
	unsigned	 rows;
};

static int
put(struct save *s, struct str key, const struct record *r)
{
	buf_reset(&s->value);
	record_encode(&s->value, r);
	assert(buf_ok(&s->value));
	if (index_put(s->ix, key, buf_str(&s->value)) == -1)
		return -1;
	if (!s->fresh || ++s->rows % CHUNK != 0)
		return 0;
	return index_commit(s->ix) == -1 ? -1 : index_begin(s->ix);
}

static int
note_row(void *arg, struct str key, struct str value)
{
	struct save *s = arg;

	(void)value;
	pack_str(&s->keys, key);
	return buf_ok(&s->keys) ? 0 : -1;
}

/* A scan does not survive that its rows go under it: they go behind it. */
static int
drop_rows(struct save *s, struct str prefix)
{
	struct unpack u;

	buf_reset(&s->keys);
	if (index_scan(s->ix, prefix, note_row, s) == -1)
		return -1;
	u = unpack_of(buf_str(&s->keys));
	while (u.s.n > 0) {
		if (index_del(s->ix, unpack_str(&u, INDEX_KEY_MAX)) == -1)
			return -1;
	}
	return 0;
}

/* Folders that are gone, with their messages. */
static int
save_dropped(struct save *s)
{
	struct key	k;
	size_t		i;

	for (i = 0; i < s->st->ndropped; i++) {
		k = key_of(KEY_FOLDER, s->st->dropped[i]);
		if (index_del(s->ix, key_str(&k)) == -1)
			return -1;
		k = key_of(KEY_MESSAGE, s->st->dropped[i]);
		if (drop_rows(s, key_str(&k)) == -1)
			return -1;
	}
	return 0;
}

static int
save_range(struct save *s, const struct state_range *range)
{
	struct state_folder	*f = state_folder(s->st, range->folder);
	struct record		 r;
	struct key		 k;
	uint64_t		 uid;
	size_t			 at;
	int			 e;

	if (f == NULL)
		return 0;
	at = state_place(f, range->lo);
	for (uid = range->lo; uid <= range->hi; uid++) {
		k = key_of(KEY_MESSAGE, f->id);
		key_add(&k, uid, 4);
		if (at < f->n && f->msgs[at].uid == uid) {
			r = state_row_message(f, at++);
			e = put(s, key_str(&k), &r);
		} else {
			e = index_del(s->ix, key_str(&k));
		}
		if (e == -1)
			return -1;
	}
	return 0;
}

static int
save_folders(struct save *s)
{
	struct state_folder	*f;
	struct record		 r;
	struct key		 k;
	size_t			 i;

	for (i = 0; i < s->st->nranges; i++) {
		if (save_range(s, &s->st->ranges[i]) == -1)
			return -1;
	}
	for (i = 0; i < s->st->ndirty; i++) {
		f = state_folder(s->st, s->st->dirty[i]);
		if (f == NULL)
			continue;
		r = state_row(f, &s->words);
		k = key_of(KEY_FOLDER, f->id);
		if (put(s, key_str(&k), &r) == -1)
			return -1;
	}
	return 0;
}

static int
save_subscriptions(struct save *s)
{
	const struct name	*e;
	struct buf		 key;
	struct record		 r;
	size_t			 i;
	int			 x = 0;

	buf_init(&key, INDEX_KEY_MAX);
	for (i = 0; x == 0 && i < s->st->nsubs; i++) {
		buf_reset(&key);
		buf_addc(&key, KEY_SUBSCRIPTION);
		buf_add(&key, s->st->subs[i]);
		e = names_find(&s->st->names, s->st->subs[i]);
		r = (struct record){ .type = REC_SUBSCRIBE, .subscribe = {
			.on = 1, .name = s->st->subs[i]
		} };
		if (e != NULL && e->subscribed)
			x = put(s, buf_str(&key), &r);
		else
			x = index_del(s->ix, buf_str(&key));
	}
	buf_clear(&key);
	return x;
}

static int
save_bodies(struct save *s)
{
	const struct state_delivered	*d;
	const struct state_body		*b;
	struct record			 r;
	struct key			 k;
	size_t				 i;

	for (i = 0; i < s->st->nbodies; i++) {
		b = &s->st->bodies[i];
		r = (struct record){ .type = REC_ROW_BODY, .row_body = {
			.source = b->source, .segment = b->pos.segment,
			.offset = b->pos.offset, .place = b->place,
			.coding = b->coding, .length = b->length,
			.trace = b->trace, .hash = b->hash
		} };
		k = key_of(KEY_BODY, b->source);
		if (put(s, key_str(&k), &r) == -1)
			return -1;
	}
	for (i = 0; i < s->st->ndelivered; i++) {
		d = &s->st->delivered[i];
		r = (struct record){ .type = REC_DELIVERED, .delivered = {
			.qid = d->qid, .date = d->date
		} };
		k = key_of(KEY_DELIVERED, d->qid);
		if (put(s, key_str(&k), &r) == -1)
			return -1;
	}
	return 0;
}

static struct key
key_derived(uint64_t source, enum store_derived what)
{
	struct key k = key_of(KEY_DERIVED, source);

	key_add(&k, (uint64_t)what, 1);
	return k;
}

static int
save_derived(struct save *s)
{
	const struct state_derived	*d;
	struct key			 k;
	size_t				 i;

	for (i = 0; i < s->st->nderived; i++) {
		d = &s->st->derived[i];
		k = key_derived(d->source, d->what);
		if (index_put(s->ix, key_str(&k), d->text) == -1)
			return -1;
	}
	return 0;
}

/* They are few. */
static int
save_snapshots(struct save *s)
{
	const struct key	 all = { .p = { KEY_SNAPSHOT }, .n = 1 };
	struct snaps		*l = &s->st->snaps;
	const struct snap	*p;
	struct record		 r;
	struct key		 k;
	size_t			 i;

	if (!l->dirty)
		return 0;
	if (drop_rows(s, key_str(&all)) == -1)
		return -1;
	for (i = 0; i < l->n; i++) {
		p = &l->list[i];
		r = (struct record){ .type = REC_ROW_SNAPSHOT, .row_snapshot = {
			.id = p->id, .date = p->date, .freed = p->freed,
			.segment = p->at.segment, .offset = p->at.offset,
			.end = p->end, .bytes = p->bytes
		} };
		k = key_of(KEY_SNAPSHOT, p->id);
		if (put(s, key_str(&k), &r) == -1)
			return -1;
	}
	l->dirty = false;
	return 0;
}

static int
save_mark(struct save *s, struct recmark mark)
{
	const struct key	k = { .p = { KEY_MARK }, .n = 1 };
	const struct key	c = { .p = { KEY_COUNTERS }, .n = 1 };
	struct record		r = { .type = REC_COUNTERS, .counters = {
		.id = s->st->next_id, .folder = s->st->next_folder,
		.uidvalidity = s->st->next_uidvalidity,
		.freed = s->st->freed, .judged = s->st->judged
	} };
	char			m[20];

	s->fresh = false;
	put_u64(m, mark.segment);
	put_u64(m + 8, mark.sequence);
	put_u32(m + 16, mark.checksum);
	if (put(s, key_str(&c), &r) == -1)
		return -1;
	return index_put(s->ix, key_str(&k), str_of(m, sizeof(m)));
}

static void
save_init(struct save *s, struct state *st, struct index *ix, bool fresh)
{
	*s = (struct save){ .st = st, .ix = ix, .fresh = fresh };
	buf_init(&s->value, RECORD_ROW_MAX);
	buf_init(&s->words, RECORD_ROW_MAX);
	buf_init(&s->keys, SIZE_MAX / 2);
}

static void
save_clear(struct save *s)
{
	buf_clear(&s->value);
	buf_clear(&s->words);
	buf_clear(&s->keys);
}

int
rows_save(struct state *st, struct index *ix, struct recmark mark,
    bool fresh)
{
	struct save	s;
	int		r = -1;

	save_init(&s, st, ix, fresh);
	if (index_begin(ix) == 0 && save_dropped(&s) == 0 &&
	    save_folders(&s) == 0 && save_subscriptions(&s) == 0 &&
	    save_bodies(&s) == 0 && save_derived(&s) == 0 &&
	    save_snapshots(&s) == 0 &&
	    save_mark(&s, mark) == 0)
		r = index_commit(ix);
	save_clear(&s);
	return r;
}

int
rows_spill(struct state *st, struct index *ix)
{
	struct save	s;
	int		r = -1;

	save_init(&s, st, ix, true);
	if (index_begin(ix) == 0 && save_bodies(&s) == 0)
		r = index_commit(ix);
	save_clear(&s);
	if (r == 0)
		state_spilled(st);
	return r;
}

/* -- reading ---------------------------------------------------------- */

int
rows_mark(struct index *ix, struct recmark *mark)
{
	const struct key	k = { .p = { KEY_MARK }, .n = 1 };
	struct unpack		u;
	struct buf		b;
	int			r;

	buf_init(&b, RECORD_ROW_MAX);
	r = index_get(ix, key_str(&k), &b);
	if (r == 1) {
		u = unpack_of(buf_str(&b));
		mark->segment = unpack_u64(&u);
		mark->sequence = unpack_u64(&u);
		mark->checksum = unpack_u32(&u);
		r = unpack_done(&u) ? 1 : -1;
	}
	buf_clear(&b);
	return r;
}

struct load {
	struct state	*st;
	uint8_t		 type;
};

static int
load_row(void *arg, struct str key, struct str value)
{
	struct load	*l = arg;
	struct rec	 rec = { .type = l->type, .meta = value };

	(void)key;
	return state_apply(l->st, &rec, (struct recpos){ 0, 0 });
}

static int
load_table(struct state *st, struct index *ix, struct str prefix,
    enum record_type type)
{
	struct load l = { st, (uint8_t)type };

	return index_scan(ix, prefix, load_row, &l);
}

int
rows_load(struct state *st, struct index *ix)
{
	if (load_table(st, ix, S("C"), REC_COUNTERS) == -1 ||
	    load_table(st, ix, S("F"), REC_ROW_FOLDER) == -1 ||
	    load_table(st, ix, S("S"), REC_SUBSCRIBE) == -1 ||
	    load_table(st, ix, S("P"), REC_ROW_SNAPSHOT) == -1)
		return -1;
	st->snaps.dirty = false;
	state_settled(st, true);
	return 0;
}

int
rows_load_folder(struct state *st, struct index *ix, struct state_folder *f)
{
	const struct key k = key_of(KEY_MESSAGE, f->id);

	return load_table(st, ix, key_str(&k), REC_ROW_MESSAGE);
}

int
rows_body(struct index *ix, uint64_t source, struct buf *scratch,
    struct state_body *body)
{
	const struct key	k = key_of(KEY_BODY, source);
	struct record		r;
	int			x;

	buf_reset(scratch);
	x = index_get(ix, key_str(&k), scratch);
	if (x != 1)
		return x;
	if (record_decode(REC_ROW_BODY, buf_str(scratch), &r) == -1 ||
	    r.row_body.source != source)
		return -1;
	*body = (struct state_body){
		.source = source, .length = r.row_body.length,
		.pos = { r.row_body.segment, r.row_body.offset },
		.trace = r.row_body.trace, .place = r.row_body.place,
		.coding = r.row_body.coding, .hash = r.row_body.hash
	};
	return 1;
}

int
rows_derived(struct index *ix, uint64_t source, enum store_derived what,
    struct buf *out)
{
	const struct key k = key_derived(source, what);

	return index_get(ix, key_str(&k), out);
}

int
rows_is_delivered(struct index *ix, uint64_t qid)
{
	const struct key	k = key_of(KEY_DELIVERED, qid);
	struct buf		b;
	int			r;

	buf_init(&b, RECORD_ROW_MAX);
	r = index_get(ix, key_str(&k), &b);
	buf_clear(&b);
	return r;
}

/* -- snapshots -------------------------------------------------------- */

struct each {
	rows_fn		*fn;
	void		*arg;
	enum record_type type;
};

static int
give_row(void *arg, struct str key, struct str value)
{
	const struct each *e = arg;

	(void)key;
	return e->fn(e->arg, e->type, value);
}

int
rows_each(struct index *ix, rows_fn *fn, void *arg)
{
	struct each e = { fn, arg, REC_ROW_FOLDER };

	if (index_scan(ix, S("F"), give_row, &e) == -1)
		return -1;
	e.type = REC_SUBSCRIBE;
	if (index_scan(ix, S("S"), give_row, &e) == -1)
		return -1;
	e.type = REC_ROW_MESSAGE;
	if (index_scan(ix, S("M"), give_row, &e) == -1)
		return -1;
	e.type = REC_DELIVERED;
	return index_scan(ix, S("D"), give_row, &e);
}

static int
del_id(struct index *ix, char table, uint64_t id)
{
	struct key	k = key_of(table, id);
	unsigned	what;

	if (index_del(ix, key_str(&k)) == -1)
		return -1;
	for (what = 0; table == KEY_BODY && what < STORE_DERIVED; what++) {
		k = key_derived(id, what);
		if (index_del(ix, key_str(&k)) == -1)
			return -1;
	}
	return 0;
}

static int
del_ids(struct index *ix, char table, const uint64_t *ids, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (del_id(ix, table, ids[i]) == -1)
			return -1;
		/* No transaction is large. */
		if ((i + 1) % CHUNK == 0 && (index_commit(ix) == -1 ||
		    index_begin(ix) == -1))
			return -1;
	}
	return 0;
}

int
rows_forget(struct index *ix, const uint64_t *sources, size_t nsources,
    const uint64_t *qids, size_t nqids)
{
	if (nsources + nqids == 0)
		return 0;
	if (index_begin(ix) == -1 ||
	    del_ids(ix, KEY_BODY, sources, nsources) == -1 ||
	    del_ids(ix, KEY_DELIVERED, qids, nqids) == -1)
		return -1;
	return index_commit(ix);
}
