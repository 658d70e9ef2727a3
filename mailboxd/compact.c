/*
 * compact - see compact.h.  What is due, and one pass over the segments
 * before the base; oldseg.h has what happens to each.
 */
#include "mailboxd/compact.h"

#include <malloc.h>
#include <stdlib.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/oldseg.h"
#include "mailboxd/snapshot.h"

enum {
	FULL_WAIT_MS = 60 * 1000,	/* after the disk was full */
	FAIL_WAIT_MS = 3600 * 1000,	/* after a segment was unreadable */
	INDEX_ROOM = 1024 * 1024,	/* bytes that a step may add to it */
	PIECES = 8,			/* of a snapshot in one step */
	SNAPSHOT_COST = 4,	/* it is at most this part of what is new */
	PASS_COST = 8		/* a pass may look at so many segments for
				   each that it may win */
};

/* A pass. */
struct compact {
	struct snap	 base;
	struct snapshot	 snapshot;
	size_t		 read;		/* of its pieces */
	struct sources	 live;
	uint64_t	 segment;	/* done so far */
	struct oldseg	 work;
	int64_t		 wait;		/* a segment stays that may go later */
};

void
compact_free(struct compact *c)
{
	if (c == NULL)
		return;
	snapshot_clear(&c->snapshot);
	sources_clear(&c->live);
	oldseg_clear(&c->work);
	free(c);
}

/* -- what is due ------------------------------------------------------ */

static uint64_t
wall(void)
{
	return (uint64_t)clock_wall() / 1000;
}

/* What must have happened since a snapshot for another one to be due. */
static uint64_t
snapshot_every(const struct mbox *m, const struct snap *last)
{
	uint64_t n = last->bytes * SNAPSHOT_COST;

	return n > m->conf.segment_max ? n : m->conf.segment_max;
}

/*
 * Whether a pass with this base is likely to win anything: of segments that
 * went by and octets that went since the last one.
 */
static bool
is_worth(const struct mbox *m, const struct snap *base)
{
	const struct snaps	*s = &m->st.snaps;
	const struct snap	*judged = NULL;
	uint64_t		 id, have = 0, win;
	size_t			 i;

	for (id = reclog_sealed(m->log, 0); id != 0 &&
	    id < base->at.segment; id = reclog_sealed(m->log, id))
		have++;
	for (i = 0; i < s->n; i++) {
		if (s->list[i].id == m->st.judged)
			judged = &s->list[i];
	}
	if (have == 0 || judged == NULL)
		return have > 0;
	win = base->at.segment - judged->at.segment +
	    (base->freed - judged->freed) / m->conf.segment_max;
	return win * PASS_COST >= have;
}

static const struct snap *
due_base(const struct mbox *m)
{
	const struct snap *base = snaps_base(&m->st.snaps, wall(),
	    m->conf.undelete);

	if (base == NULL || base->id <= m->st.judged || !is_worth(m, base))
		return NULL;
	return base;
}

/*
 * The last snapshot would be a base that frees something, if only another
 * were behind it: a mailbox from which much went and to which little comes.
 */
static bool
wants_second(const struct mbox *m)
{
	const struct snaps	*s = &m->st.snaps;
	const struct snap	*last = snaps_last(s), *base;

	if (last == NULL || snaps_old(s, wall(), m->conf.undelete) != last)
		return false;
	base = snaps_base(s, wall(), m->conf.undelete);
	return last->freed - (base == NULL ? 0 : base->freed) >=
	    m->conf.segment_max && is_worth(m, last);
}

static bool
wants_snapshot(const struct mbox *m)
{
	const struct snap	*last = snaps_last(&m->st.snaps);
	uint64_t		 every, sealed;

	if (last == NULL)
		return reclog_sealed(m->log, 0) != 0;
	if (m->st.next_id == last->id + 1)
		return wants_second(m);
	every = snapshot_every(m, last);
	sealed = reclog_segment(m->log) - last->end;
	return sealed * m->conf.segment_max >= every ||
	    m->st.freed - last->freed >= every || wants_second(m);
}

static bool
is_ready(const struct mbox *m)
{
	return !m->dead && m->ix != NULL && !m->changed &&
	    reclog_pending(m->log) == 0 && reclog_is_synced(m->log);
}

bool
mbox_wants_upkeep(const struct mbox *m)
{
	if (!is_ready(m) || clock_now() < m->upkeep_at)
		return false;
	return m->compact != NULL || wants_snapshot(m) || due_base(m) != NULL;
}

/* -- a pass ----------------------------------------------------------- */

static void
end_pass(struct mbox *m)
{
	compact_free(m->compact);
	m->compact = NULL;
	/* Else what it took stays with a process that has nothing to do. */
	(void)malloc_trim(0);
}

static void
begin_pass(struct mbox *m, const struct snap *base)
{
	m->compact = xcalloc(1, sizeof(*m->compact));
	m->compact->base = *base;
	if (snapshot_find(m->log, base, &m->compact->snapshot) == 0)
		return;
	log_error("mailbox_snapshot", L_ID("snapshot", base->id));
	snaps_drop(&m->st.snaps, m->compact->base.id);
	m->changed = true;
	end_pass(m);
}

static int
on_live(void *arg, enum record_type type, struct str meta)
{
	struct compact	*c = arg;
	struct record	 r;

	if (record_decode((uint8_t)type, meta, &r) == -1)
		return -1;
	if (type == REC_ROW_MESSAGE)
		sources_add(&c->live, r.row_message.source);
	return 0;
}

/* Reads on in the base, for the bodies that are live. */
static void
read_base(struct mbox *m)
{
	struct compact		*c = m->compact;
	const struct store_body	*b;
	size_t			 i;

	for (i = 0; i < PIECES && c->read < c->snapshot.n; i++) {
		if (snapshot_read(m->log, &c->snapshot, c->read, on_live,
		    c) == -1) {
			/* An older one, or a later, will do. */
			log_error("mailbox_snapshot", L_ID("snapshot",
			    c->base.id));
			snaps_drop(&m->st.snaps, c->base.id);
			m->changed = true;
			end_pass(m);
			return;
		}
		c->read++;
	}
	if (c->read < c->snapshot.n)
		return;
	/* What is opened from here on is in the base, or came after it. */
	LIST_FOREACH(b, &m->reading, link)
		sources_add(&c->live, b->source);
	sources_sort(&c->live);
}

static void
next_segment(struct mbox *m)
{
	struct compact	*c = m->compact;
	uint64_t	 id = reclog_sealed(m->log, c->segment);

	if (id == 0 || id >= c->base.at.segment) {
		if (c->wait > 0) {
			m->upkeep_at = clock_now() + c->wait;
		} else {
			m->st.judged = c->base.id;
			m->changed = true;
		}
		end_pass(m);
		return;
	}
	c->segment = id;
	if (oldseg_begin(&c->work, m, id, &c->live) == -1)
		c->wait = FAIL_WAIT_MS;
}

static void
step_pass(struct mbox *m)
{
	struct compact *c = m->compact;

	if (c->read < c->snapshot.n) {
		read_base(m);
		return;
	}
	if (c->work.segment == 0) {
		next_segment(m);
		return;
	}
	if (oldseg_step(&c->work, m) == RECLOG_FULL) {
		/* One that is dead as a whole makes room. */
		oldseg_clear(&c->work);
		c->wait = FULL_WAIT_MS;
	}
}

/* -- all -------------------------------------------------------------- */

static void
step(struct mbox *m)
{
	const struct snap *base;

	if (mbox_room(m, INDEX_ROOM, NEED_SMALL) != STORE_OK) {
		m->upkeep_at = clock_now() + FULL_WAIT_MS;
		return;
	}
	if (m->compact != NULL) {
		step_pass(m);
		return;
	}
	/* With no room for a snapshot, a base before it may make some. */
	if (wants_snapshot(m) && snapshot_write(m) != RECLOG_FULL)
		return;
	base = due_base(m);
	if (base != NULL)
		begin_pass(m, base);
	else
		m->upkeep_at = clock_now() + FULL_WAIT_MS;
}

enum mbox_result
mbox_upkeep(struct mbox *m)
{
	if (m->dead)
		return MBOX_DEAD;
	if (!mbox_wants_upkeep(m))
		return MBOX_OK;
	step(m);
	return mbox_turn(m);
}
