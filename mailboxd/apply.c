/*
 * apply - what each record of the log does to the state (state.h).  Pure.
 *
 * A record is checked against the state before it changes anything.
 */
#include "mailboxd/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

static bool
is_dropped(const struct state *st, uint64_t id)
{
	size_t i;

	for (i = 0; i < st->ndropped; i++) {
		if (st->dropped[i] == id)
			return true;
	}
	return false;
}

/*
 * The folder of a record.  In a damaged log the record that made it may be
 * missing: then its messages are shown under a name of our own.
 */
static struct state_folder *
the_folder(struct state *st, uint64_t id)
{
	struct state_folder	*f = state_folder(st, id);
	char			 name[40];

	if (f != NULL || !st->lenient)
		return f;
	snprintf(name, sizeof(name), "Recovered-%llu",
	    (unsigned long long)id);
	if (is_dropped(st, id) || state_named(st, str_c(name)) != NULL)
		return NULL;
	f = state_folder_new(st, id, str_c(name));
	f->uidvalidity = st->next_uidvalidity++;
	return f;
}

static void
count_in(struct state *st, struct state_folder *f,
    const struct store_msg *msg, uint64_t source)
{
	state_msg_add(st, f, msg, source);
	state_count(st, f, msg->size, 1);
	f->unseen += (msg->flags & STORE_SEEN) == 0;
	f->uidnext = msg->uid + 1;
	if (msg->modseq > f->modseq)
		f->modseq = msg->modseq;
	state_touch_uids(st, f, msg->uid, msg->uid);
}

static void
body_of_message(struct state *st, const struct record_message *r,
    const struct rec *rec, struct recpos pos)
{
	state_body_add(st, &(struct state_body){
		.source = rec->id, .length = r->length, .pos = pos,
		.trace = r->trace, .bytes = rec->payload, .place = r->place,
		.hash = r->hash
	});
}

static int
on_body(struct state *st, const struct record_body *r,
    const struct rec *rec, struct recpos pos)
{
	state_body_move(st, &(struct state_body){
		.source = rec->id, .length = r->length, .pos = pos,
		.trace = r->trace, .place = r->place, .coding = r->coding,
		.hash = r->hash
	});
	return 0;
}

static int
on_message(struct state *st, const struct record_message *r,
    const struct rec *rec, struct recpos pos)
{
	struct state_folder	*f = the_folder(st, r->folder);
	struct store_msg	 m;

	if (f == NULL || r->uid < f->uidnext || r->uid == UINT32_MAX)
		return -1;
	body_of_message(st, r, rec, pos);
	m = (struct store_msg){
		.id = rec->id, .modseq = r->modseq, .keywords = r->keywords,
		.date = (int64_t)r->date, .uid = r->uid, .size = r->size,
		.zone = (int16_t)r->zone, .flags = r->flags
	};
	count_in(st, f, &m, rec->id);
	state_publish(f);
	return 0;
}

static void
change(struct state_folder *f, struct store_msg *m,
    const struct record_flags *r)
{
	f->unseen -= (m->flags & STORE_SEEN) == 0;
	m->flags = (uint8_t)store_combine(r->how, m->flags, r->flags);
	m->keywords = store_combine(r->how, m->keywords, r->keywords);
	m->modseq = r->modseq;
	f->unseen += (m->flags & STORE_SEEN) == 0;
}

static int
on_flags(struct state *st, const struct record_flags *r)
{
	struct state_folder	*f = the_folder(st, r->folder);
	struct uids		 u = uids_of(r->uids);
	uint32_t		 lo, hi;
	size_t			 i;

	if (f == NULL || state_want(st, f) == -1)
		return -1;
	while (uids_next(&u, &lo, &hi)) {
		for (i = state_place(f, lo); i < f->n && f->msgs[i].uid <= hi;
		    i++) {
			change(f, &f->msgs[i], r);
			state_touch_uids(st, f, f->msgs[i].uid,
			    f->msgs[i].uid);
		}
	}
	if (r->modseq > f->modseq)
		f->modseq = r->modseq;
	state_touch(st, f);
	state_publish(f);
	return 0;
}

static int
on_expunge(struct state *st, const struct record_expunge *r)
{
	struct state_folder	*f = the_folder(st, r->folder);
	struct uids		 u = uids_of(r->uids);
	uint32_t		 lo = 0, hi = 0;
	size_t			 i, to = 0;
	bool			 more;

	if (f == NULL || state_want(st, f) == -1)
		return -1;
	more = uids_next(&u, &lo, &hi);
	for (i = 0; i < f->n; i++) {
		while (more && f->msgs[i].uid > hi)
			more = uids_next(&u, &lo, &hi);
		if (more && f->msgs[i].uid >= lo) {
			state_uncount(st, f, f->msgs[i].size, 1);
			f->unseen -= (f->msgs[i].flags & STORE_SEEN) == 0;
			state_touch_uids(st, f, f->msgs[i].uid,
			    f->msgs[i].uid);
			continue;
		}
		if (to != i) {
			f->msgs[to] = f->msgs[i];
			f->sources[to] = f->sources[i];
		}
		to++;
	}
	if (r->modseq > f->modseq)
		f->modseq = r->modseq;
	f->n = to;
	state_touch(st, f);
	state_publish(f);
	return 0;
}

/* Which bit in `to` each keyword of `from` has; 0 where there is none. */
static void
keyword_map(const struct state_folder *from, const struct state_folder *to,
    uint64_t *map)
{
	unsigned	i;
	int		k;

	for (i = 0; i < from->nkeywords; i++) {
		k = state_keyword(to, from->keywords[i]);
		map[i] = k == -1 ? 0 : (uint64_t)1 << k;
	}
}

static uint64_t
map_keywords(const uint64_t *map, unsigned n, uint64_t set)
{
	uint64_t	out = 0;
	unsigned	i;

	for (i = 0; i < n; i++) {
		if (set & (uint64_t)1 << i)
			out |= map[i];
	}
	return out;
}

/*
 * A copy's UID follows from the place of its source's in the set, so that
 * all the others keep theirs when a damaged log has lost one.
 */
static void
copy_range(struct state *st, struct state_folder *from,
    struct state_folder *to, const struct store_msg *first,
    const uint64_t *map, const uint32_t range[2])
{
	struct store_msg	m;
	uint32_t		k;
	size_t			i, n = from->n;

	/* Into itself, too: n is of before, and the array may move. */
	for (i = state_place(from, range[0]);
	    i < n && from->msgs[i].uid <= range[1]; i++) {
		m = from->msgs[i];
		k = m.uid - range[0];
		m.id = first->id + k;
		m.uid = first->uid + k;
		m.modseq = first->modseq + k;
		m.keywords = map_keywords(map, from->nkeywords, m.keywords);
		count_in(st, to, &m, from->sources[i]);
	}
}

static int
on_copy(struct state *st, const struct record_copy *r, uint64_t id)
{
	struct state_folder	*from = the_folder(st, r->folder);
	struct state_folder	*to = the_folder(st, r->to);
	struct store_msg	 first = {
		.id = id, .uid = r->uid, .modseq = r->modseq
	};
	uint64_t		 map[STORE_KEYWORDS_MAX] = { 0 };
	struct uids		 u = uids_of(r->uids);
	uint32_t		 range[2], n;

	if (from == NULL || to == NULL || r->uid < to->uidnext ||
	    state_want(st, from) == -1 ||
	    uids_count(r->uids) >= UINT32_MAX - r->uid)
		return -1;
	keyword_map(from, to, map);
	while (uids_next(&u, &range[0], &range[1])) {
		copy_range(st, from, to, &first, map, range);
		n = range[1] - range[0] + 1;
		first.id += n;
		first.uid += n;
		first.modseq += n;
	}
	to->uidnext = first.uid;
	state_touch(st, to);
	state_publish(to);
	return 0;
}

static int
on_folder(struct state *st, const struct record_folder *r)
{
	struct state_folder *f;

	if (r->folder < st->next_folder || state_named(st, r->name) != NULL)
		return -1;
	f = state_folder_new(st, r->folder, r->name);
	f->uidvalidity = r->uidvalidity;
	if (r->uidvalidity >= st->next_uidvalidity)
		st->next_uidvalidity = r->uidvalidity + 1;
	return 0;
}

static int
on_rename(struct state *st, const struct record_rename *r)
{
	struct state_folder	*f = the_folder(st, r->folder);
	struct name		*old;

	if (f == NULL || state_named(st, r->name) != NULL)
		return -1;
	old = f->name;
	f->name = names_attach(&st->names, r->name, f);
	names_detach(&st->names, old);
	f->uidvalidity = r->uidvalidity;
	if (r->uidvalidity >= st->next_uidvalidity)
		st->next_uidvalidity = r->uidvalidity + 1;
	state_touch(st, f);
	state_publish(f);
	return 0;
}

static int
on_remove(struct state *st, const struct record_remove *r)
{
	struct state_folder *f = state_folder(st, r->folder);

	if (f == NULL)
		return -1;
	state_folder_remove(st, f);
	return 0;
}

static int
on_subscribe(struct state *st, const struct record_subscribe *r)
{
	struct name *e = names_get(&st->names, r->name);

	e->subscribed = r->on == 1;
	state_touch_sub(st, r->name);
	if (!e->subscribed)
		names_prune(&st->names, r->name);
	return 0;
}

static int
on_keyword(struct state *st, const struct record_keyword *r)
{
	struct state_folder	*f = the_folder(st, r->folder);
	char			 name[24];

	if (f == NULL || r->number < f->nkeywords)
		return -1;
	/* Of a damaged log: the numbers count, they are in messages. */
	while (st->lenient && f->nkeywords < r->number) {
		snprintf(name, sizeof(name), "recovered-%u", f->nkeywords);
		state_keyword_add(f, str_c(name));
	}
	if (r->number != f->nkeywords)
		return -1;
	state_keyword_add(f, r->word);
	state_touch(st, f);
	state_publish(f);
	return 0;
}

static int
on_recent(struct state *st, const struct record_recent *r)
{
	struct state_folder *f = the_folder(st, r->folder);

	if (f == NULL || r->uid > f->uidnext)
		return -1;
	f->recent = r->uid;
	state_touch(st, f);
	state_publish(f);
	return 0;
}

/* -- rows ------------------------------------------------------------- */

static int
on_counters(struct state *st, const struct record_counters *r)
{
	if (r->id > st->next_id)
		st->next_id = r->id;
	if (r->folder > st->next_folder)
		st->next_folder = r->folder;
	if (r->uidvalidity > st->next_uidvalidity)
		st->next_uidvalidity = r->uidvalidity;
	if (r->freed > st->freed)
		st->freed = r->freed;
	if (r->judged > st->judged)
		st->judged = r->judged;
	return 0;
}

/* What the counters were then; the log has brought them there already. */
static int
on_snapshot_begin(struct state *st, const struct record_snapshot_begin *r)
{
	return on_counters(st, &(struct record_counters){
		.folder = r->folder, .uidvalidity = r->uidvalidity,
		.freed = r->freed
	});
}

static int
on_row_folder(struct state *st, const struct record_row_folder *r)
{
	struct unpack		 u = unpack_of(r->words);
	struct state_folder	*f;

	if (state_folder(st, r->folder) != NULL ||
	    state_named(st, r->name) != NULL || r->unseen > r->exists ||
	    r->exists >= r->uidnext ||
	    r->size > (uint64_t)r->exists * UINT32_MAX)
		return -1;
	f = state_folder_new(st, r->folder, r->name);
	f->uidvalidity = r->uidvalidity;
	f->uidnext = r->uidnext;
	f->recent = r->recent;
	f->modseq = r->modseq;
	state_count(st, f, r->size, r->exists);
	f->unseen = r->unseen;
	f->loaded = r->exists == 0;
	while (u.s.n > 0)
		state_keyword_add(f, unpack_str(&u, STORE_KEYWORD_MAX));
	return 0;
}

/* Counted in the folder's row already. */
static int
on_row_message(struct state *st, const struct record_row_message *r)
{
	struct state_folder	*f = state_folder(st, r->folder);
	struct store_msg	 m;

	if (f == NULL || f->loaded || f->n >= f->exists ||
	    r->uid >= f->uidnext ||
	    (f->n > 0 && r->uid <= f->msgs[f->n - 1].uid))
		return -1;
	m = (struct store_msg){
		.id = r->id, .modseq = r->modseq, .keywords = r->keywords,
		.date = (int64_t)r->date, .uid = r->uid, .size = r->size,
		.zone = (int16_t)r->zone, .flags = r->flags
	};
	state_msg_add(st, f, &m, r->source);
	return 0;
}

static int
on_row_body(struct state *st, const struct record_row_body *r)
{
	state_body_add(st, &(struct state_body){
		.source = r->source, .length = r->length,
		.pos = { r->segment, r->offset }, .trace = r->trace,
		.place = r->place, .coding = r->coding, .hash = r->hash
	});
	return 0;
}

static int
on_row_snapshot(struct state *st, const struct record_row_snapshot *r)
{
	snaps_add(&st->snaps, &(struct snap){
		.id = r->id, .date = r->date, .freed = r->freed,
		.at = { r->segment, r->offset }, .end = r->end,
		.bytes = r->bytes
	});
	return 0;
}

/* -- all -------------------------------------------------------------- */

static int
apply(struct state *st, const struct record *r, const struct rec *rec,
    struct recpos pos)
{
	switch (r->type) {
	case REC_MESSAGE:
		return on_message(st, &r->message, rec, pos);
	case REC_FLAGS:
		return on_flags(st, &r->flags);
	case REC_EXPUNGE:
		return on_expunge(st, &r->expunge);
	case REC_COPY:
		return on_copy(st, &r->copy, rec->id);
	case REC_FOLDER:
		return on_folder(st, &r->folder);
	case REC_RENAME:
		return on_rename(st, &r->rename);
	case REC_REMOVE:
		return on_remove(st, &r->remove);
	case REC_SUBSCRIBE:
		return on_subscribe(st, &r->subscribe);
	case REC_KEYWORD:
		return on_keyword(st, &r->keyword);
	case REC_RECENT:
		return on_recent(st, &r->recent);
	case REC_DELIVERED:
		state_add_delivered(st, r->delivered.qid, r->delivered.date);
		return 0;
	case REC_BODY:
		return on_body(st, &r->body, rec, pos);
	case REC_SNAPSHOT_BEGIN:
		return on_snapshot_begin(st, &r->snapshot_begin);
	case REC_SNAPSHOT_ROWS:
	case REC_SNAPSHOT_END:
		return 0;
	case REC_COUNTERS:
		return on_counters(st, &r->counters);
	case REC_ROW_FOLDER:
		return on_row_folder(st, &r->row_folder);
	case REC_ROW_MESSAGE:
		return on_row_message(st, &r->row_message);
	case REC_ROW_BODY:
		return on_row_body(st, &r->row_body);
	case REC_ROW_SNAPSHOT:
		return on_row_snapshot(st, &r->row_snapshot);
	}
	return -1;
}

int
state_apply(struct state *st, const struct rec *rec, struct recpos pos)
{
	struct record r;

	if (record_decode(rec->type, rec->meta, &r) == 0 &&
	    apply(st, &r, rec, pos) == 0) {
		snaps_record(&st->snaps, &r, rec, pos);
		if (rec->id >= st->next_id)
			st->next_id = rec->id + 1;
		return 0;
	}
	if (!st->lenient)
		return -1;
	st->skipped++;
	return 0;
}

int
state_apply_body(struct state *st, const struct rec *rec, struct recpos pos)
{
	struct record r;

	if ((rec->type != REC_MESSAGE && rec->type != REC_BODY) ||
	    record_decode(rec->type, rec->meta, &r) == -1)
		return -1;
	if (r.type == REC_BODY)
		return on_body(st, &r.body, rec, pos);
	body_of_message(st, &r.message, rec, pos);
	return 0;
}
