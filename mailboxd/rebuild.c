/*
 * rebuild - see rebuild.h.
 */
#include "mailboxd/rebuild.h"

#include <errno.h>

#include "common/core/log.h"
#include "mailboxd/snapshot.h"

enum { SPILL = 16 * 1024 };	/* bodies of a rebuild in memory */

/* -- which there are -------------------------------------------------- */

static int
look(void *arg, const struct rec *rec, struct recpos pos)
{
	struct rebuild	*b = arg;
	struct record	 r;

	if (rec->type >= REC_SNAPSHOT_BEGIN && rec->type <= REC_SNAPSHOT_ROWS &&
	    record_decode(rec->type, rec->meta, &r) == 0)
		snaps_record(&b->snaps, &r, rec, pos);
	else
		b->snaps.is_open = false;
	return 0;
}

int
rebuild_init(struct rebuild *b, struct mbox *m, struct mbox_report *report)
{
	*b = (struct rebuild){ .m = m, .report = report };
	if (reclog_replay_from(m->log, (struct recmark){ 0 }, look, b) == -1)
		return -1;
	b->n = b->snaps.n;
	return 0;
}

void
rebuild_clear(struct rebuild *b)
{
	snaps_clear(&b->snaps);
}

/* -- applying --------------------------------------------------------- */

int
rebuild_apply(struct rebuild *b, const struct rec *rec, struct recpos pos)
{
	struct mbox *m = b->m;

	if (state_apply(&m->st, rec, pos) == -1)
		return -1;
	b->report->replayed++;
	m->changed = true;
	return 0;
}

static int
spill(struct rebuild *b)
{
	struct mbox *m = b->m;

	if (m->ix == NULL || m->st.nbodies < SPILL ||
	    rows_spill(&m->st, m->ix) == 0)
		return 0;
	b->index_failed = true;
	return -1;
}

static int
load_row(void *arg, enum record_type type, struct str meta)
{
	struct rebuild		*b = arg;
	struct state		*st = &b->m->st;
	struct rec		 rec = { .type = (uint8_t)type, .meta = meta };
	struct state_folder	*f;
	struct record		 r;

	if (state_apply(st, &rec, (struct recpos){ 0, 0 }) == -1)
		return -1;
	if (type == REC_ROW_MESSAGE &&
	    record_decode(rec.type, meta, &r) == 0) {
		f = state_folder(st, r.row_message.folder);
		state_touch_uids(st, f, r.row_message.uid, r.row_message.uid);
	}
	return spill(b);
}

/* All its rows, and every folder has all its messages. */
static int
load_snapshot(struct rebuild *b)
{
	struct state		*st = &b->m->st;
	struct state_folder	*f;
	size_t			 i;

	st->lenient = false;
	for (i = 0; i < b->snapshot->n; i++) {
		if (snapshot_read(b->m->log, b->snapshot, i, load_row,
		    b) == -1)
			return -1;
	}
	for (i = 0; i < st->nfolders; i++) {
		f = st->folders[i];
		if (f->n != f->exists)
			return -1;
		f->loaded = true;
	}
	st->lenient = true;
	return 0;
}

/* Before, at or behind the snapshot: below, equal to or above 0. */
static int
side(const struct rebuild *b, struct recpos pos)
{
	struct recpos at;

	if (b->n == 0)
		return 1;
	at = b->snaps.list[b->n - 1].at;
	if (pos.segment != at.segment)
		return pos.segment < at.segment ? -1 : 1;
	if (pos.offset != at.offset)
		return pos.offset < at.offset ? -1 : 1;
	return 0;
}

static int
replay(void *arg, const struct rec *rec, struct recpos pos)
{
	struct rebuild	*b = arg;
	int		 at = side(b, pos);

	if (at < 0) {
		(void)state_apply_body(&b->m->st, rec, pos);
		return spill(b);
	}
	if (at == 0 && load_snapshot(b) == -1) {
		b->is_bad = !b->index_failed;
		return -1;
	}
	/* Snapshots behind this one are those that could not be read. */
	if (rec->type == REC_SNAPSHOT_ROWS || rec->type == REC_SNAPSHOT_END)
		return 0;
	if (rebuild_apply(b, rec, pos) == -1)
		return -1;
	return spill(b);
}

static enum rebuild_result
run(struct rebuild *b)
{
	struct state	*st = &b->m->st;
	size_t		 i;
	int		 r;

	st->lenient = true;
	b->is_bad = false;
	r = reclog_replay_from(b->m->log, (struct recmark){ 0 }, replay, b);
	if (b->is_bad)
		return REBUILD_AGAIN;
	if (r == -1)
		return b->index_failed ? REBUILD_NO_INDEX : REBUILD_NO_LOG;
	for (i = 0; i < b->n; i++)
		snaps_add(&st->snaps, &b->snaps.list[i]);
	b->report->skipped = st->skipped;
	st->lenient = false;
	return REBUILD_OK;
}

enum rebuild_result
rebuild_run(struct rebuild *b)
{
	struct snapshot		 snapshot = { 0 };
	enum rebuild_result	 r = REBUILD_AGAIN;

	b->snapshot = &snapshot;
	if (b->n == 0 || snapshot_find(b->m->log, &b->snaps.list[b->n - 1],
	    &snapshot) == 0)
		r = run(b);
	if (r == REBUILD_AGAIN) {
		log_error("mailbox_snapshot", L_ID("snapshot",
		    b->snaps.list[b->n - 1].id));
		b->report->bad_snapshots++;
		b->n--;
	}
	b->snapshot = NULL;
	snapshot_clear(&snapshot);
	return r;
}
