/*
 * log_seeds_test - what the seeds of logframe_fuzz reach: every kind of
 * frame, what an open can say, and each damage that a scrub can find.
 */
#include "tests/lib/unit.h"

#include <errno.h>

#include "tests/lib/log_seed.h"
#include "tests/lib/seeds.h"
#include "tests/lib/simdisk.h"

static bool kinds[SEEDS_STATES], sights[SEEDS_STATES];
static bool damages[SEEDS_STATES], facts[SEEDS_STATES];

static const char *
kind_name(unsigned k)
{
	switch ((enum frame_kind)k) {
		SEEDS_NAME(FRAME_DATA);
		SEEDS_NAME(FRAME_FOOTER);
		SEEDS_NAME(FRAME_END);
	}
	return NULL;
}

static const char *
sight_name(unsigned s)
{
	switch ((enum frame_sight)s) {
		SEEDS_NAME(FRAME_GOOD);
		SEEDS_NAME(FRAME_BAD);
		SEEDS_NAME(FRAME_FOREIGN);
	}
	return NULL;
}

static const char *
damage_name(unsigned d)
{
	switch ((enum scrub_part)d) {
		SEEDS_NAME(SCRUB_HEAD);
		SEEDS_NAME(SCRUB_FRAME);
		SEEDS_NAME(SCRUB_RECORD);
		SEEDS_NAME(SCRUB_PAYLOAD);
		SEEDS_NAME(SCRUB_FILE);
		SEEDS_NAME(SCRUB_TRAILER);
		SEEDS_NAME(SCRUB_FOOTER);
		SEEDS_NAME(SCRUB_TAIL);
	case SCRUB_UNREADABLE:		/* takes a disk that fails */
		break;
	}
	return NULL;
}

enum fact {
	OPEN_EMPTY, OPEN_RECORDS, OPEN_FOREIGN, OPEN_LATER_EPOCH,
	OPEN_QUARANTINED, OPEN_DAMAGED, OPEN_TORN, OPEN_FOOTER_REBUILT,
	OPEN_FOOTER_USED, OPEN_RECYCLED, OPEN_HEADS_LOST, OPEN_SECOND,
	READ_GOOD, READ_DAMAGED
};

static const char *
fact_name(unsigned f)
{
	switch ((enum fact)f) {
		SEEDS_NAME(OPEN_EMPTY);
		SEEDS_NAME(OPEN_RECORDS);
		SEEDS_NAME(OPEN_FOREIGN);
		SEEDS_NAME(OPEN_LATER_EPOCH);
		SEEDS_NAME(OPEN_QUARANTINED);
		SEEDS_NAME(OPEN_DAMAGED);
		SEEDS_NAME(OPEN_TORN);
		SEEDS_NAME(OPEN_FOOTER_REBUILT);
		SEEDS_NAME(OPEN_FOOTER_USED);
		SEEDS_NAME(OPEN_RECYCLED);
		SEEDS_NAME(OPEN_HEADS_LOST);
		SEEDS_NAME(OPEN_SECOND);
		SEEDS_NAME(READ_GOOD);
		SEEDS_NAME(READ_DAMAGED);
	}
	return NULL;
}

static struct recpos	places[64];
static size_t		nplaces;

static int
on_record(void *arg, const struct rec *r, struct recpos pos)
{
	(void)arg;
	if (r->payload.n > 0 && nplaces < LENGTH(places))
		places[nplaces++] = pos;
	return 0;
}

static void
on_damage(void *arg, const struct scrub_damage *d)
{
	(void)arg;
	damages[d->part] = true;
}

/* The heads that are on the disk, wherever they lie. */
static bool
look(bool *footer)
{
	struct frame_head	h;
	struct seg_head		s;
	size_t			n, at;
	const char		*p = (char *)sim_file("0000000000000001.seg",
				    &n);
	bool			found = false;

	for (at = 0; at <= SEG_COPY && at + SEG_COPY <= n; at += SEG_COPY) {
		found |= seg_head_get(p + at, &s) == FRAME_GOOD;
		sights[seg_head_get(p + at, &s)] = true;
		facts[OPEN_RECYCLED] |= found && s.recycled;
	}
	for (at = SEG_HEAD; at + FRAME_HEAD <= n; at++) {
		if (frame_head_get(p + at, &h) != FRAME_GOOD)
			continue;
		kinds[h.kind] = true;
		*footer |= h.kind == FRAME_FOOTER;
	}
	return found;
}

static void
note_report(const struct reclog_report *r, bool has_head, bool has_footer)
{
	facts[OPEN_EMPTY] |= r->records == 0;
	facts[OPEN_RECORDS] |= r->records > 1;
	facts[OPEN_QUARANTINED] |= r->quarantined > 0;
	facts[OPEN_DAMAGED] |= r->damaged > 0;
	facts[OPEN_TORN] |= r->torn_bytes > 0;
	facts[OPEN_FOOTER_REBUILT] |= r->footers_rebuilt > 0;
	facts[OPEN_FOOTER_USED] |= has_footer && r->footers_rebuilt == 0 &&
	    r->records > 0;
	facts[OPEN_HEADS_LOST] |= !has_head && r->records > 0;
	facts[OPEN_SECOND] |= r->segments == 2 && r->records > 0;
}

static void
use(struct reclog *l)
{
	const struct scrub_ops	 ops = {
		.damage = on_damage, .file_of = log_seed_file_of
	};
	struct scrub		*s = scrub_new(l, &ops);
	struct buf		 b;
	size_t			 i;

	buf_init(&b, 1 << 20);
	for (i = 0; i < nplaces; i++)
		facts[reclog_read(l, places[i], 0, 1 << 16, &b) == 0 ?
		    READ_GOOD : READ_DAMAGED] = true;
	while (scrub_step(s, l, 300))
		continue;
	scrub_free(s);
	buf_clear(&b);
}

static void
play(struct str seed)
{
	struct reclog_report	 report;
	struct reclog		*l;
	bool			 has_head, has_footer = false;

	assert_true(log_seed_put(seed));
	has_head = look(&has_footer);
	nplaces = 0;
	l = log_seed_open(on_record, NULL, &report);
	if (l != NULL) {
		note_report(&report, has_head, has_footer);
		log_seed_rot(seed);
		use(l);
		reclog_close(l);
	} else {
		facts[OPEN_FOREIGN] |= errno == EINVAL;
		facts[OPEN_LATER_EPOCH] |= errno == EPERM;
	}
	sim_reset(1);
}

static void
test_log(void **state)
{
	static const char target[] = "logframe";

	(void)state;
	seeds_play(target, play);
	seeds_need(target, kind_name, kinds);
	seeds_need(target, sight_name, sights);
	seeds_need(target, fact_name, facts);
	seeds_need(target, damage_name, damages);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests_name("log_seeds", tests, NULL, NULL);
}
