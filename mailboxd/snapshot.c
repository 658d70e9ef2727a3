/*
 * snapshot - see snapshot.h.
 */
#include "mailboxd/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/batch.h"
#include "mailboxd/coding.h"

enum {
	FOLDER_COST = 2048,	/* bytes, about; and of deliveries, below */
	MESSAGE_COST = 100
};

/* -- writing ---------------------------------------------------------- */

struct writer {
	struct mbox		*m;
	struct batch		 batch;
	uint64_t		 id;
	struct buf		 run;		/* rows of the next piece */
	uint32_t		 rows;		/* in it */
	uint32_t		 pieces;
	uint64_t		 total;		/* rows so far */
	uint64_t		 bytes;
	uint64_t		 forget;	/* deliveries before this */
	uint64_t		*qids;		/* those */
	size_t			 nqids, qids_cap;
	enum reclog_result	 result;
};

static int
flush(struct writer *w, bool last)
{
	struct record	r = { .type = REC_SNAPSHOT_ROWS, .snapshot_rows = {
		.piece = w->pieces, .rows = w->rows,
		.length = (uint32_t)w->run.n
	} };
	struct record	end = { .type = REC_SNAPSHOT_END };
	struct buf	b;

	buf_init(&b, RECORD_RUN_MAX);
	if (w->rows > 0) {
		r.snapshot_rows.coding = (uint8_t)coding_pack(
		    buf_str(&w->run), &b);
		w->bytes += b.n;
		w->total += w->rows;
		w->pieces++;
		batch_add(&w->batch, &r, w->id, &b);
	}
	buf_reset(&w->run);
	w->rows = 0;
	if (last) {
		end.snapshot_end.pieces = w->pieces;
		end.snapshot_end.rows = w->total;
		batch_add(&w->batch, &end, w->id, NULL);
	}
	if (mbox_room(w->m, w->batch.bytes, NEED_SMALL) != STORE_OK)
		w->result = RECLOG_FULL;
	else
		w->result = batch_commit(&w->batch, last);
	buf_clear(&b);
	return w->result == RECLOG_OK ? 0 : -1;
}

/* Whether this delivery is so long ago that nobody asks again. */
static bool
is_forgotten(struct writer *w, struct str value)
{
	struct record r;

	if (record_decode(REC_DELIVERED, value, &r) == -1 ||
	    r.delivered.date >= w->forget)
		return false;
	if (w->nqids == w->qids_cap) {
		w->qids_cap = w->qids_cap == 0 ? 64 : w->qids_cap * 2;
		w->qids = xrealloc(w->qids, w->qids_cap, sizeof(*w->qids));
	}
	w->qids[w->nqids++] = r.delivered.qid;
	return true;
}

static int
on_row(void *arg, enum record_type type, struct str value)
{
	struct writer *w = arg;

	if (type == REC_DELIVERED && is_forgotten(w, value))
		return 0;
	if (w->run.n + 1 + 4 + value.n > RECORD_RUN_MAX &&
	    flush(w, false) == -1)
		return -1;
	pack_u8(&w->run, (uint8_t)type);
	pack_str(&w->run, value);
	w->rows++;
	return 0;
}

static void
begin(struct writer *w, uint64_t now)
{
	const struct state	*st = &w->m->st;
	struct record		 r = { .type = REC_SNAPSHOT_BEGIN,
	    .snapshot_begin = {
		.date = now, .folder = st->next_folder,
		.uidvalidity = st->next_uidvalidity, .freed = st->freed
	} };

	batch_add(&w->batch, &r, w->id, NULL);
}

static void
write_rows(struct writer *w)
{
	struct mbox *m = w->m;

	if (rows_each(m->ix, on_row, w) == -1) {
		if (w->result == RECLOG_OK) {
			mbox_index_failed(m);
			w->result = RECLOG_DEAD;
		}
		return;
	}
	if (flush(w, true) == -1)
		return;
	if (rows_forget(m->ix, NULL, 0, w->qids, w->nqids) == -1) {
		mbox_index_failed(m);
		w->result = RECLOG_DEAD;
	}
}

/* What it may take at most; an unfinished one would help nobody. */
static uint64_t
most(const struct state *st)
{
	uint64_t	n = 0;
	size_t		i;

	for (i = 0; i < st->nfolders; i++)
		n += FOLDER_COST + MESSAGE_COST *
		    (uint64_t)st->folders[i]->exists;
	return n;
}

enum reclog_result
snapshot_write(struct mbox *m)
{
	uint64_t	now = (uint64_t)clock_wall() / 1000;
	uint64_t	past = snaps_time(&m->st.snaps, now,
			    m->conf.delivered);
	struct writer	w = { .m = m, .id = m->st.next_id };

	if (mbox_room(m, most(&m->st), NEED_SMALL) != STORE_OK)
		return m->dead ? RECLOG_DEAD : RECLOG_FULL;
	if (past > m->conf.delivered)
		w.forget = past - m->conf.delivered;
	batch_init(&w.batch, m);
	buf_init(&w.run, RECORD_RUN_MAX);
	begin(&w, now);
	write_rows(&w);
	if (w.result == RECLOG_OK)
		log_info("snapshot", L_NUM("rows", w.total),
		    L_NUM("bytes", w.bytes), L_NUM("forgotten", w.nqids));
	batch_clear(&w.batch);
	buf_clear(&w.run);
	free(w.qids);
	return w.result;
}

/* -- reading ---------------------------------------------------------- */

struct search {
	const struct snap	*snap;
	struct snapshot		*to;
	bool			 begun, found;
};

static int
on_record(void *arg, const struct rec *rec, struct recpos pos)
{
	struct search	*s = arg;
	struct snapshot	*to = s->to;
	struct record	 r;

	if (!s->begun) {
		s->begun = pos.segment == s->snap->at.segment &&
		    pos.offset == s->snap->at.offset;
		return 0;
	}
	if (rec->id == to->id && rec->type == REC_SNAPSHOT_ROWS) {
		if (to->n == to->cap) {
			to->cap = to->cap == 0 ? 16 : to->cap * 2;
			to->pieces = xrealloc(to->pieces, to->cap,
			    sizeof(*to->pieces));
		}
		to->pieces[to->n++] = pos;
		return 0;
	}
	s->found = rec->id == to->id && rec->type == REC_SNAPSHOT_END &&
	    record_decode(rec->type, rec->meta, &r) == 0 &&
	    r.snapshot_end.pieces == to->n;
	return -1;
}

int
snapshot_find(struct reclog *l, const struct snap *snap, struct snapshot *to)
{
	struct search		s = { .snap = snap, .to = to };
	const struct recmark	from = { .segment = snap->at.segment };

	*to = (struct snapshot){ .id = snap->id };
	(void)reclog_replay_from(l, from, on_record, &s);
	if (s.found)
		return 0;
	snapshot_clear(to);
	return -1;
}

void
snapshot_clear(struct snapshot *s)
{
	free(s->pieces);
	*s = (struct snapshot){ 0 };
}

static int
each_row(struct str run, uint32_t rows, snapshot_row_fn *fn, void *arg)
{
	struct unpack		u = unpack_of(run);
	enum record_type	type;
	struct str		meta;

	for (; rows > 0; rows--) {
		type = (enum record_type)unpack_u8(&u);
		meta = unpack_str(&u, RECORD_ROW_MAX);
		if (u.bad || fn(arg, type, meta) == -1)
			return -1;
	}
	return unpack_done(&u) ? 0 : -1;
}

int
snapshot_read(struct reclog *l, const struct snapshot *s, size_t piece,
    snapshot_row_fn *fn, void *arg)
{
	struct buf	meta, payload, run;
	struct record	r;
	struct rec	rec;
	int		x = -1;

	buf_init(&meta, RECORD_META_MAX);
	buf_init(&payload, RECORD_RUN_MAX);
	buf_init(&run, RECORD_RUN_MAX);
	if (reclog_read_rec(l, s->pieces[piece], &rec, &meta,
	    &payload) == 0 && rec.type == REC_SNAPSHOT_ROWS &&
	    rec.id == s->id && record_decode(rec.type, rec.meta, &r) == 0 &&
	    r.snapshot_rows.piece == piece &&
	    coding_unpack((enum coding)r.snapshot_rows.coding, rec.payload,
	    r.snapshot_rows.length, &run) == 0)
		x = each_row(buf_str(&run), r.snapshot_rows.rows, fn, arg);
	buf_clear(&meta);
	buf_clear(&payload);
	buf_clear(&run);
	return x;
}
