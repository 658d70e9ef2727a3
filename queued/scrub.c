/*
 * scrub - see scrub.h.  Runs in queued.
 *
 * The cursor of an answer to mailctl is the number of the run and how many
 * damages were told; a call waits until there is news or the next tick.
 */
#include "queued/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "common/ipc/scrubrow.h"
#include "queued/queued.h"

/* NULL: not one of ours. */
static const char *
record_name(uint8_t type)
{
	switch (type) {
	case REC_MESSAGE:
		return "message";
	case REC_TARGETS:
		return "targets";
	case REC_ROUTE:
		return "route";
	case REC_RESULT:
		return "result";
	case REC_FINISHED:
		return "finished";
	case REC_QIDS:
		return "qids";
	}
	return NULL;
}

/* -- a run --------------------------------------------------------------- */

static void
on_damage(void *arg, const struct scrub_damage *d)
{
	struct queued		*q = arg;
	struct queue_scrub	*u = &q->scrub;
	const char		*name = record_name(d->type);

	/* A log that is nothing but damage: the rest is counted. */
	if (u->nfound == SCRUBROW_MAX)
		return;
	u->found[u->nfound++] = *d;
	if (name != NULL)
		log_error("log damaged", L_Z("part", scrub_part_name(d->part)),
		    L_NUM("segment", d->pos.segment),
		    L_NUM("offset", d->pos.offset), L_Z("record", name),
		    L_QID(d->id), L_NUM("queued", queue_find(&q->queue,
		    d->id) != NULL));
	else
		log_error("log damaged", L_Z("part", scrub_part_name(d->part)),
		    L_NUM("segment", d->pos.segment),
		    L_NUM("offset", d->pos.offset));
}

/* A content that is a file, of a message that is still queued. */
static bool
file_of(void *arg, const struct rec *r, struct recpos pos,
    struct scrub_file *f)
{
	struct queued		*q = arg;
	const struct message	*m = queue_find(&q->queue, r->id);
	struct record_message	 rm;
	struct record_targets	 l;

	if (r->type != REC_MESSAGE || m == NULL ||
	    (m->flags & RECORD_FILE) == 0 ||
	    m->pos.segment != pos.segment || m->pos.offset != pos.offset ||
	    record_message_parse(r->meta, &rm, &l) == -1)
		return false;
	*f = (struct scrub_file){ .dirfd = q->files.dir, .size = rm.size,
	    .has_hash = true };
	snprintf(f->name, sizeof(f->name), "%s",
	    bodyfile_name(&q->files, r->id).s);
	memcpy(f->hash, rm.hash, HASH_LEN);
	return true;
}

static void
begin(struct queued *q, bool is_asked)
{
	struct queue_scrub	*u = &q->scrub;
	const struct scrub_ops	 ops = { on_damage, file_of, q };

	scrub_free(u->s);
	u->s = scrub_new(q->log, &ops);
	u->is_asked = is_asked;
	u->run++;
	u->began = clock_now();
	u->nfound = 0;
	if (u->found == NULL)
		u->found = xcalloc(SCRUBROW_MAX, sizeof(*u->found));
	log_info("scrub begins", L_NUM("asked", is_asked));
}

static void
set_due(struct queued *q, int64_t wait)
{
	q->scrub.due = q->conf.scrub == 0 ? INT64_MAX : clock_now() + wait;
}

static void
end(struct queued *q)
{
	struct queue_scrub	*u = &q->scrub;
	struct scrub_counts	*c = &u->counts;

	*c = *scrub_counts(u->s);
	scrub_free(u->s);
	u->s = NULL;
	set_due(q, q->conf.scrub);
	log_info("scrub done", L_NUM("segments", c->segments),
	    L_NUM("frames", c->frames), L_NUM("records", c->records),
	    L_NUM("files", c->files), L_NUM("bytes", c->bytes),
	    L_NUM("damaged", c->damaged),
	    L_NUM("ms", clock_now() - u->began));
}

/* -- who asked ----------------------------------------------------------- */

static void
call_free(struct queued *q, struct scrub_call *w)
{
	LIST_REMOVE(w, next);
	q->scrub.ncalls--;
	free(w);
}

static void
answer_end(struct queued *q, const struct ctl_call *call)
{
	const struct scrub_counts *c = &q->scrub.counts;

	scrubrow_total(call, S("queue"), c);
	if (c->damaged == 0)
		ctl_done(call, CTL_OK, "%s", "");
	else
		ctl_done(call, CTL_FAILED, "%llu damaged%s; nothing was "
		    "changed", (unsigned long long)c->damaged,
		    c->damaged > SCRUBROW_MAX ? ", not all are shown" : "");
}

/* What is new of the run, in as many rows as one answer may have. */
static void
answer(struct queued *q, struct scrub_call *w)
{
	struct queue_scrub	*u = &q->scrub;
	char			 next[64];
	unsigned		 n;

	for (n = 0; w->told < u->nfound && n < CTL_ROWS_TURN; n++, w->told++)
		scrubrow_damage(&w->call, S("queue"),
		    record_name(u->found[w->told].type), &u->found[w->told]);
	if (u->s == NULL && w->told == u->nfound) {
		answer_end(q, &w->call);
	} else {
		snprintf(next, sizeof(next), "%llu %zu",
		    (unsigned long long)u->run, w->told);
		ctl_done_more(&w->call, str_c(next),
		    "%llu of %zu segments", u->s == NULL ? 0 :
		    (unsigned long long)scrub_counts(u->s)->segments,
		    q->queue.nsegments);
	}
	call_free(q, w);
}

/* Those who have waited long enough; with `now` everybody. */
static void
answer_all(struct queued *q, bool now)
{
	struct queue_scrub	*u = &q->scrub;
	struct scrub_call	*w, *after;

	for (w = LIST_FIRST(&u->calls); w != NULL; w = after) {
		after = LIST_NEXT(w, next);
		if (now || w->told < u->nfound)
			answer(q, w);
	}
}

static int
parse_cursor(struct str cursor, uint64_t *run, uint64_t *told)
{
	struct str part;

	if (!str_cut(&cursor, ' ', &part) ||
	    str_u64(part, UINT64_MAX, run) == -1)
		return -1;
	return str_u64(cursor, SCRUBROW_MAX, told);
}

void
queue_scrub_call(struct ctl_call *call, void *arg)
{
	struct queued		*q = arg;
	struct queue_scrub	*u = &q->scrub;
	struct scrub_call	*w;
	uint64_t		 run, told = 0;

	if (u->ncalls == QUEUE_SCRUB_CALLS) {
		ctl_done(call, CTL_FAILED, "too many are asking for it");
		return;
	}
	if (call->word[0].n == 0) {
		/* What began by itself has seen a part of it days ago. */
		if (u->s == NULL || !u->is_asked)
			begin(q, true);
	} else if (parse_cursor(call->word[0], &run, &told) == -1 ||
	    run != u->run || told > u->nfound) {
		ctl_done(call, CTL_FAILED, "that scrub is not under way any "
		    "more; the log has what it found");
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->call = *call;
	w->call.n = 0;			/* words are borrowed */
	w->told = (size_t)told;
	LIST_INSERT_HEAD(&u->calls, w, next);
	u->ncalls++;
	if (u->s == NULL)
		answer(q, w);
	loop_again();
}

void
queue_scrub_forget(struct queued *q, const struct chan *c)
{
	struct scrub_call *w, *after;

	for (w = LIST_FIRST(&q->scrub.calls); w != NULL; w = after) {
		after = LIST_NEXT(w, next);
		if (w->call.chan == c)
			call_free(q, w);
	}
}

/* -- time ---------------------------------------------------------------- */

static void
step(struct queued *q, uint64_t bytes)
{
	if (scrub_step(q->scrub.s, q->log, bytes)) {
		answer_all(q, false);
	} else {
		end(q);
		answer_all(q, true);
	}
}

void
queue_scrub_turn(struct queued *q)
{
	if (q->scrub.s == NULL || !q->scrub.is_asked)
		return;
	step(q, QUEUE_SCRUB_STEP);
	loop_again();
}

static void
on_pace(void *arg)
{
	struct queued *q = arg;

	if (q->scrub.s == NULL || q->scrub.is_asked)
		return;
	step(q, QUEUE_SCRUB_PIECE);
	loop_timer_set(q->scrub.pace, QUEUE_SCRUB_PACE);
}

void
queue_scrub_tick(struct queued *q)
{
	answer_all(q, true);
	if (q->scrub.s != NULL || clock_now() < q->scrub.due)
		return;
	if (q->queue.messages.n == 0) {
		set_due(q, q->conf.scrub);
		return;
	}
	begin(q, false);
	loop_timer_set(q->scrub.pace, QUEUE_SCRUB_PACE);
}

void
queue_scrub_start(struct queued *q)
{
	LIST_INIT(&q->scrub.calls);
	q->scrub.pace = loop_timer(on_pace, q);
	set_due(q, q->conf.scrub < QUEUE_SCRUB_FIRST ? q->conf.scrub :
	    QUEUE_SCRUB_FIRST);
}

void
queue_scrub_clear(struct queued *q)
{
	struct scrub_call *w, *after;

	for (w = LIST_FIRST(&q->scrub.calls); w != NULL; w = after) {
		after = LIST_NEXT(w, next);
		call_free(q, w);
	}
	loop_timer_free(q->scrub.pace);
	scrub_free(q->scrub.s);
	free(q->scrub.found);
	q->scrub = (struct queue_scrub){ 0 };
}
