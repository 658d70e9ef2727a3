/*
 * logframe_fuzz - opens a log whose one segment is what the fuzzer says, on the
 * disk in memory (see log_seed.h), reads it and scrubs it.
 *
 * Must not crash, loop or read outside; a log that opens must take a record
 * and give it back after the next open, unless it rots meanwhile.
 */
#include <assert.h>

#include "tests/lib/log_seed.h"
#include "tests/lib/simdisk.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct recpos	places[64];
static size_t		n_places;
static uint64_t		last_id;

static int
on_record(void *arg, const struct rec *r, struct recpos pos)
{
	(void)arg;
	if (n_places < 64)
		places[n_places++] = pos;
	last_id = r->id;
	return 0;
}

static struct reclog *
open_log(void)
{
	struct reclog_report report;

	n_places = 0;
	return log_seed_open(on_record, NULL, &report);
}

static void
on_damage(void *arg, const struct scrub_damage *d)
{
	(void)arg;
	assert(scrub_part_name(d->part) != NULL && d->pos.segment != 0);
}

/* Comes to an end, whatever there is. */
static void
scrub(struct reclog *l, uint64_t budget)
{
	const struct scrub_ops	 ops = {
		.damage = on_damage, .file_of = log_seed_file_of
	};
	struct scrub		*s = scrub_new(l, &ops);
	unsigned		 steps = 0;

	while (scrub_step(s, l, budget)) {
		steps++;
		assert(steps < 1000000);
	}
	scrub_free(s);
}

static void
use(struct reclog *l)
{
	struct rec	r = { 1, 4711, S("meta"), S("payload") };
	struct recpos	pos;
	struct buf	b;
	size_t		i;

	buf_init(&b, 1 << 20);
	for (i = 0; i < n_places; i++)
		(void)reclog_read(l, places[i], 0, 1 << 16, &b);
	(void)reclog_has(l, reclog_mark(l));
	scrub(l, 300);
	buf_reset(&b);
	assert(reclog_add(l, &r, &pos) == 0);
	assert(reclog_commit(l, true) == RECLOG_OK);
	assert(reclog_read(l, pos, 0, 100, &b) == 0);
	assert(str_eq(buf_str(&b), S("payload")));
	buf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	struct str	seed = str_of(in, n);
	struct reclog	*l;

	if (!log_seed_put(seed))
		return 0;
	l = open_log();
	if (l != NULL) {
		log_seed_rot(seed);
		use(l);
		reclog_close(l);
		last_id = 0;
		l = open_log();
		assert((in[0] & LOG_ROTS) != 0 ||
		    (l != NULL && last_id == 4711));
		reclog_close(l);
	}
	sim_reset(1);
	return 0;
}
