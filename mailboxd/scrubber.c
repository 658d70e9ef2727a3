/*
 * scrubber - see scrubber.h.  Runs in the owner.
 */
#include "mailboxd/scrubber.h"

#include <stdio.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/disk/scrub.h"
#include "common/ipc/chan.h"
#include "common/ipc/scrubrow.h"
#include "mailboxd/mbox.h"

enum {
	TURN_BYTES = 512 * 1024,
	NEWS_MS = 1000
};

static struct {
	struct mbox	*m;
	struct chan	*monitor;
	struct scrub	*s;		/* NULL: nothing to do */
	uint64_t	 n;
	unsigned	 found;
	bool		 is_over;
	int64_t		 told;
} sc;

static void
on_damage(void *arg, const struct scrub_damage *d)
{
	(void)arg;
	/* A log that is nothing but damage: the rest is counted. */
	if (sc.found++ >= SCRUBROW_MAX)
		return;
	log_error("log damaged", L_Z("part", scrub_part_name(d->part)),
	    L_NUM("segment", d->pos.segment), L_NUM("offset", d->pos.offset),
	    L_Z("record", d->type == 0 ? "" : record_name(d->type)),
	    L_ID("id", d->id));
	chan_send_owner_damage(sc.monitor, &(struct msg_owner_damage){
	    .n = sc.n, .part = (uint8_t)d->part,
	    .segment = d->pos.segment, .offset = d->pos.offset,
	    .record = d->type, .id = d->id }, -1);
}

/*
 * A body that is a file, of a message that is still there; the record is the
 * one that names it last.
 */
static bool
file_of(void *arg, const struct rec *r, struct recpos pos,
    struct scrub_file *f)
{
	struct state_body	 body;
	struct buf		 scratch;
	bool			 is_wanted;

	(void)arg;
	if ((r->type != REC_MESSAGE && r->type != REC_BODY) || sc.m->dead)
		return false;
	buf_init(&scratch, INDEX_VALUE_MAX);
	is_wanted = mbox_body(sc.m, r->id, &scratch, &body) == 1 &&
	    body.place == BODY_FILE && body.pos.segment == pos.segment &&
	    body.pos.offset == pos.offset;
	if (is_wanted) {
		*f = (struct scrub_file){ .dirfd = sc.m->logfd,
		    .size = body.length,
		    .has_hash = body.hash.n == HASH_LEN };
		snprintf(f->name, sizeof(f->name), "%s",
		    bodyfile_name(&sc.m->large.files, r->id).s);
		if (f->has_hash)
			memcpy(f->hash, body.hash.p, HASH_LEN);
	}
	buf_clear(&scratch);
	return is_wanted;
}

void
scrubber_begin(struct mbox *m, struct chan *monitor, uint64_t n)
{
	const struct scrub_ops ops = { on_damage, file_of, NULL };

	scrubber_end();
	sc.m = m;
	sc.monitor = monitor;
	sc.n = n;
	sc.found = 0;
	sc.s = scrub_new(m->log, &ops);
	sc.told = clock_now();
}

void
scrubber_end(void)
{
	scrub_free(sc.s);
	sc.s = NULL;
}

bool
scrubber_is_idle(void)
{
	return sc.s == NULL;
}

static void
tell(bool is_over)
{
	const struct scrub_counts *c = scrub_counts(sc.s);

	sc.told = clock_now();
	chan_send_owner_scrubbed(sc.monitor, &(struct msg_owner_scrubbed){
	    .n = sc.n, .last = is_over, .segments = c->segments,
	    .frames = c->frames, .records = c->records,
	    .files = c->files, .bytes = c->bytes,
	    .damaged = c->damaged }, -1);
}

bool
scrubber_turn(void)
{
	if (sc.s == NULL || chan_is_full(sc.monitor))
		return false;
	if (scrub_step(sc.s, sc.m->log, TURN_BYTES)) {
		if (clock_now() - sc.told >= NEWS_MS)
			tell(false);
		return true;
	}
	tell(true);
	scrubber_end();
	sc.is_over = true;
	return false;
}

bool
scrubber_is_over(void)
{
	bool is_over = sc.is_over;

	sc.is_over = false;
	return is_over;
}
