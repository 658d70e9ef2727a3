/*
 * oldseg - see oldseg.h.
 */
#include "mailboxd/oldseg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/batch.h"
#include "mailboxd/coding.h"

enum {
	STEP = 2 * 1024 * 1024,	/* bytes of bodies in one step */
	STEP_BODIES = 4096,
	RECORD_COST = 60	/* of a record beside its metadata */
};

/* -- sources ---------------------------------------------------------- */

void
sources_clear(struct sources *s)
{
	free(s->list);
	*s = (struct sources){ 0 };
}

void
sources_add(struct sources *s, uint64_t source)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->list = xrealloc(s->list, s->cap, sizeof(*s->list));
	}
	s->list[s->n++] = source;
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void
sources_sort(struct sources *s)
{
	size_t i, to = 0;

	if (s->n > 0)
		qsort(s->list, s->n, sizeof(*s->list), compare);
	for (i = 0; i < s->n; i++) {
		if (to == 0 || s->list[to - 1] != s->list[i])
			s->list[to++] = s->list[i];
	}
	s->n = to;
}

bool
sources_has(const struct sources *s, uint64_t source)
{
	return s->n > 0 && bsearch(&source, s->list, s->n, sizeof(*s->list),
	    compare) != NULL;
}

/* -- looking ---------------------------------------------------------- */

void
oldseg_clear(struct oldseg *r)
{
	free(r->bodies);
	sources_clear(&r->dead);
	sources_clear(&r->dead_files);
	*r = (struct oldseg){ 0 };
}

static void
add_live(struct oldseg *r, uint64_t source, struct recpos pos,
    uint64_t bytes)
{
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 64 : r->cap * 2;
		r->bodies = xrealloc(r->bodies, r->cap, sizeof(*r->bodies));
	}
	r->bodies[r->n++] = (struct oldseg_body){ source, pos };
	r->live_bytes += bytes;
}

/*
 * A body is live if the base has it and the index says that it is just here;
 * it is dead if the base does not have it, wherever it is.
 */
static int
on_record(void *arg, const struct rec *rec, struct recpos pos)
{
	struct oldseg		*r = arg;
	struct state_body	 body;
	struct buf		 scratch;
	uint64_t		 bytes;
	int			 x;

	bytes = RECORD_COST + rec->meta.n + rec->payload.n;
	r->bytes += bytes;
	if (rec->type != REC_MESSAGE && rec->type != REC_BODY)
		return 0;
	buf_init(&scratch, INDEX_VALUE_MAX);
	x = mbox_body(r->m, rec->id, &scratch, &body);
	buf_clear(&scratch);
	if (x == 0 && sources_has(r->live, rec->id))
		r->keep = true;
	if (x != 1)
		return x;
	if (!sources_has(r->live, rec->id)) {
		sources_add(&r->dead, rec->id);
		if (body.place == BODY_FILE)
			sources_add(&r->dead_files, rec->id);
	} else if (body.pos.segment == pos.segment &&
	    body.pos.offset == pos.offset)
		add_live(r, rec->id, pos, bytes);
	return 0;
}

int
oldseg_begin(struct oldseg *r, struct mbox *m, uint64_t segment,
    const struct sources *live)
{
	uint64_t	lost;
	int		x;

	oldseg_clear(r);
	r->segment = segment;
	r->m = m;
	r->live = live;
	x = reclog_walk(m->log, segment, on_record, r, &lost);
	/* What damage hid in it may be found by other means. */
	if (x == -1 || lost > 0) {
		log_warn("segment damaged", L_NUM("segment", segment));
		r->keep = true;
	}
	if (r->live_bytes * 2 >= r->bytes)
		r->keep = true;
	r->m = NULL;
	r->live = NULL;
	return x;
}

/* -- moving ----------------------------------------------------------- */

/* The payload of a body as it is to be stored. */
static int
load(struct mbox *m, const struct state_body *body, struct record_body *to,
    struct buf *out)
{
	struct buf	b;
	int		x;

	to->coding = CODING_PLAIN;
	if (body->place == BODY_FILE)
		return 0;
	buf_init(&b, RECLOG_PAYLOAD_MAX);
	x = reclog_read(m->log, body->pos, 0, SIZE_MAX, &b);
	if (x == 0 && body->coding == CODING_PLAIN) {
		to->coding = (uint8_t)coding_pack(buf_str(&b), out);
	} else if (x == 0) {
		to->coding = (uint8_t)body->coding;
		buf_add(out, buf_str(&b));
	}
	buf_clear(&b);
	return x == 0 && buf_ok(out) ? 0 : -1;
}

static int
move_one(struct batch *batch, const struct oldseg_body *from)
{
	struct record		r = { .type = REC_BODY };
	struct state_body	body;
	struct buf		scratch, payload;
	int			x;

	buf_init(&scratch, INDEX_VALUE_MAX);
	buf_init(&payload, RECLOG_PAYLOAD_MAX);
	x = mbox_body(batch->m, from->source, &scratch, &body) == 1 ? 0 : -1;
	if (x == 0)
		x = load(batch->m, &body, &r.body, &payload);
	if (x == 0) {
		r.body.place = (uint8_t)body.place;
		r.body.length = body.length;
		r.body.trace = body.trace;
		r.body.hash = body.hash;
		batch_add(batch, &r, from->source, &payload);
	} else {
		log_error("mailbox_read", L_ID("record", from->source),
		    L_ERRNO);
	}
	buf_clear(&scratch);
	buf_clear(&payload);
	return x;
}

/* Some of the bodies go to the end of the log, durably. */
static enum reclog_result
move_some(struct oldseg *r, struct mbox *m)
{
	enum reclog_result	x = RECLOG_OK;
	struct batch		b;
	size_t			i;

	batch_init(&b, m);
	for (i = 0; i < STEP_BODIES && r->moved < r->n && b.bytes < STEP;
	    i++) {
		/* One that is damaged keeps the whole segment. */
		if (move_one(&b, &r->bodies[r->moved++]) == -1)
			r->keep = true;
		if (m->dead)
			break;
	}
	r->moved_bytes += b.bytes;
	if (m->dead)
		x = RECLOG_DEAD;
	else if (mbox_room(m, b.bytes, NEED_SMALL) != STORE_OK)
		x = RECLOG_FULL;
	else
		x = batch_commit(&b, true);
	batch_clear(&b);
	return x;
}

/* -- the end ---------------------------------------------------------- */

/* Bodies that are dead for good leave the index, and their files go. */
static void
forget(struct oldseg *r, struct mbox *m)
{
	size_t i;

	for (i = 0; i < r->dead_files.n; i++)
		(void)bodyfile_remove(&m->large.files,
		    r->dead_files.list[i]);
	if (rows_forget(m->ix, r->dead.list, r->dead.n, NULL, 0) == -1)
		mbox_index_failed(m);
}

static void
retire(struct oldseg *r, struct mbox *m)
{
	if (reclog_retire(m->log, r->segment) == -1) {
		log_error("segment not retired", L_NUM("segment",
		    r->segment), L_ERRNO);
		m->dead = m->dead || !reclog_is_synced(m->log);
		return;
	}
	snaps_retired(&m->st.snaps, r->segment);
	m->changed = true;
	log_info("segment retired", L_NUM("segment", r->segment),
	    L_NUM("bytes", r->bytes), L_NUM("bodies", r->n),
	    L_NUM("kept_bytes", r->moved_bytes));
}

enum reclog_result
oldseg_step(struct oldseg *r, struct mbox *m)
{
	if (!r->keep && r->moved < r->n)
		return move_some(r, m);
	forget(r, m);
	if (!r->keep && !m->dead)
		retire(r, m);
	oldseg_clear(r);
	return m->dead ? RECLOG_DEAD : RECLOG_OK;
}
