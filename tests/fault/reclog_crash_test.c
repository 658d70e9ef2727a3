/*
 * reclog_crash_test - the power fails at each system call of the record log
 * in turn, and each call in turn fails in each way that a disk can.  After
 * that the log must open by itself and hold what was promised.
 *
 * The promise, kept in `struct ledger`: a frame whose commit was durable is
 * there once, in order, with its bytes; one that was refused or dropped is
 * not; one that was under way is there whole or not at all, and what one
 * recovery did not find no later one brings back.
 *
 * POSTERN_FAULT_SEEDS=n runs n workloads instead of 2.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/disk/reclog.h"
#include "tests/lib/simdisk.h"

enum {
	FRAMES = 512,
	STEPS = 40,
	RECORDS_MAX = 4096,
	SEGMENT = 6000,
	BYTES = 5000
};

enum fate {
	TRIED,			/* may be there or not */
	SAFE,
	GONE
};

struct frame {
	uint64_t	first, n;	/* its records' ids */
	uint64_t	segment;
	enum fate	fate;
};

struct ledger {
	struct frame	frames[FRAMES];
	size_t		n;
	uint64_t	next;		/* id */
	uint64_t	retired;	/* all segments up to this one */
	uint64_t	retiring;	/* perhaps this one too */
	uint64_t	absent;		/* seen gone, not yet for good */
	uint64_t	rng;
};

struct found {
	uint64_t	ids[RECORDS_MAX];
	struct recpos	pos[RECORDS_MAX];
	size_t		n;
};

static struct ledger	led;
static struct found	found;
static char		scene[200];

#define CHECK(cond) do { \
	if (!(cond)) \
		fail_msg("%s: %s (line %d)", scene, #cond, __LINE__); \
} while (0)

static uint64_t
roll(uint64_t n)
{
	led.rng = led.rng * 6364136223846793005u + 1442695040888963407u;
	return (led.rng >> 33) % n;
}

/* A record's content follows from its id. */
static void
fill(uint64_t id, char *p, struct rec *r)
{
	size_t	i, meta = (size_t)(id * 37 % 90);
	size_t	n = id % 3 == 0 ? 0 : (size_t)(id * 2654435761u % 2500);

	if (id % 17 == 0)
		n = BYTES - meta;
	for (i = 0; i < meta + n; i++)
		p[i] = (char)(id * 31 + i * (id | 1) + (i >> 8));
	*r = (struct rec){
		.type = (uint8_t)(1 + id % 239), .id = id,
		.meta = str_of(p, meta), .payload = str_of(p + meta, n),
	};
}

static int
on_record(void *arg, const struct rec *r, struct recpos pos)
{
	char		p[BYTES];
	struct rec	want;

	(void)arg;
	fill(r->id, p, &want);
	CHECK(str_eq(want.meta, r->meta) && want.type == r->type &&
	    want.payload.n == r->payload.n);
	CHECK(found.n < RECORDS_MAX);
	found.ids[found.n] = r->id;
	found.pos[found.n++] = pos;
	return 0;
}

static struct reclog *
open_log(struct reclog_report *report)
{
	struct reclog_conf conf = {
		.dirfd = SIM_DIRFD, .epoch = 1, .segment_max = SEGMENT,
		.recycle = 1,
	};

	found.n = 0;
	return reclog_open(&conf, on_record, NULL, report);
}

/* Is the frame at found[at]?  All of it or nothing. */
static bool
is_here(const struct frame *f, size_t at)
{
	uint64_t i;

	if (at >= found.n || found.ids[at] != f->first)
		return false;
	for (i = 0; i < f->n; i++)
		CHECK(at + i < found.n && found.ids[at + i] == f->first + i &&
		    found.pos[at + i].segment == f->segment);
	return true;
}

/* Compares what was found with the ledger, and brings that up to date. */
static void
compare(void)
{
	size_t		i, at = 0;
	bool		gap = false, here;
	uint64_t	kept = 0, dropped = 0;

	for (i = 0; i < led.n; i++) {
		struct frame *f = &led.frames[i];

		here = is_here(f, at);
		if (here)
			at += f->n;
		if (f->fate == GONE || f->segment <= led.retired) {
			CHECK(!here);
			continue;
		}
		if (f->segment == led.retiring ||
		    f->segment == led.absent) {
			kept += here;
			dropped += !here;
			continue;
		}
		if (f->fate == SAFE)
			CHECK(here);
		/* Nothing behind a hole. */
		CHECK(!(here && gap));
		gap = gap || !here;
		f->fate = here ? SAFE : GONE;
	}
	CHECK(at == found.n);
	CHECK(kept == 0 || dropped == 0);
	if (led.retiring == 0)
		led.retiring = led.absent;
	led.absent = kept == 0 ? led.retiring : 0;
	led.retiring = 0;
}

static void
read_all(struct reclog *l)
{
	char		p[BYTES];
	struct buf	meta, payload;
	struct rec	want, r;
	size_t		i;

	buf_init(&meta, BYTES);
	buf_init(&payload, BYTES);
	for (i = 0; i < found.n; i++) {
		fill(found.ids[i], p, &want);
		buf_reset(&meta);
		buf_reset(&payload);
		CHECK(reclog_read_rec(l, found.pos[i], &r, &meta, &payload)
		    == 0);
		CHECK(r.id == want.id && str_eq(r.meta, want.meta) &&
		    str_eq(r.payload, want.payload));
	}
	buf_clear(&meta);
	buf_clear(&payload);
}

/* Opens without faults and checks everything. */
static struct reclog *
open_checked(bool torn_ok)
{
	struct reclog_report	 report;
	struct reclog		*l = open_log(&report);

	CHECK(l != NULL);
	CHECK(report.quarantined == 0 && report.damaged == 0);
	CHECK(report.records == found.n);
	if (!torn_ok)
		CHECK(report.torn_bytes == 0 && report.footers_rebuilt == 0);
	compare();
	read_all(l);
	return l;
}

static void
settle_ledger(struct reclog *l)
{
	size_t i;

	if (!reclog_is_synced(l))
		return;
	for (i = 0; i < led.n; i++)
		if (led.frames[i].fate == TRIED)
			led.frames[i].fate = SAFE;
}

/* Bytes of the file that is written, or 0. */
static size_t
written_bytes(struct reclog *l)
{
	char	name[64];
	size_t	n = 0;

	snprintf(name, sizeof(name), "%016llx.seg",
	    (unsigned long long)reclog_segment(l));
	return sim_file(name, &n) == NULL ? 0 : n;
}

/* Whatever is asked of a dead log: no call reaches the disk. */
static void
check_dead(struct reclog *l)
{
	uint64_t before = sim_calls();

	CHECK(reclog_commit(l, true) == RECLOG_DEAD);
	CHECK(reclog_seal(l) == RECLOG_DEAD);
	CHECK(reclog_retire(l, 1) == -1);
	CHECK(!reclog_is_synced(l));
	CHECK(sim_calls() == before);
}

/* Adds some records; false if the log died. */
static bool
step_commit(struct reclog *l)
{
	char			p[4][BYTES];
	struct frame		*f = &led.frames[led.n];
	struct rec		r;
	struct recpos		pos;
	enum reclog_result	result;
	size_t			size;
	uint64_t		i, n = 1 + roll(4);
	bool			drop = roll(8) == 0, sync = roll(10) < 7;

	CHECK(led.n < FRAMES);
	*f = (struct frame){ .first = led.next, .n = n };
	for (i = 0; i < n; i++) {
		fill(led.next++, p[i], &r);
		CHECK(reclog_add(l, &r, &pos) == 0);
		f->segment = pos.segment;
	}
	led.n++;
	if (drop) {
		reclog_drop(l);
		CHECK(reclog_pending(l) == 0);
		f->fate = GONE;
		return true;
	}
	size = written_bytes(l);
	result = reclog_commit(l, sync);
	CHECK(reclog_pending(l) == 0);
	if (result == RECLOG_FULL) {
		f->fate = GONE;
		/* The file is put back; one that recycles keeps its size. */
		CHECK(size == 0 || written_bytes(l) == size ||
		    led.retired > 0);
	}
	if (result == RECLOG_DEAD)
		check_dead(l);
	if (result == RECLOG_OK && sync) {
		f->fate = SAFE;
		if (led.absent != 0)
			led.retired = led.absent;
		led.absent = 0;
	}
	if (result != RECLOG_DEAD)
		settle_ledger(l);
	return result != RECLOG_DEAD;
}

static uint64_t
oldest_segment(void)
{
	size_t i;

	for (i = 0; i < led.n; i++)
		if (led.frames[i].fate == SAFE &&
		    led.frames[i].segment > led.retired &&
		    led.frames[i].segment != led.absent)
			return led.frames[i].segment;
	return 0;
}

static bool
step_retire(struct reclog *l)
{
	uint64_t	id = oldest_segment();
	int		r;

	if (id == 0)
		return true;
	/* What is being written cannot go, whatever happens. */
	if (id != reclog_segment(l))
		led.retiring = id;
	r = reclog_retire(l, id);
	if (r == 0) {
		led.retired = id;
		led.absent = 0;
	}
	if (r == 0 || errno == EBUSY)
		led.retiring = 0;
	settle_ledger(l);
	return r == 0 || errno == EBUSY;
}

/* One step of the workload.  False: the log is dead, or did not open. */
static bool
step(struct reclog **l)
{
	struct reclog_report	report;
	enum reclog_result	r;

	switch (roll(10)) {
	case 0:
		r = reclog_seal(*l);
		if (r != RECLOG_DEAD)
			settle_ledger(*l);
		return r != RECLOG_DEAD;
	case 1:
	case 2:
		return step_retire(*l);
	case 3:
		reclog_close(*l);
		*l = open_log(&report);
		if (*l == NULL)
			return false;
		compare();
		return true;
	default:
		return step_commit(*l);
	}
}

static void
begin(uint64_t seed)
{
	sim_reset(seed);
	led = (struct ledger){ .next = 1, .rng = seed * 77 + 5 };
}

/* A workload from an empty disk; *l is what is left of the log, or NULL. */
static void
run(struct reclog **l, int steps)
{
	struct reclog_report	report;
	int			i;

	if (*l == NULL)
		*l = open_log(&report);
	if (*l == NULL)
		return;
	for (i = 0; i < steps; i++)
		if (!step(l))
			return;
}

/* The power comes back, fails once more in recovery, and comes back. */
static void
recover_twice(uint64_t n, enum sim_keep keep)
{
	struct reclog_report	 report;
	struct reclog		*l;

	sim_power(keep);
	sim_arm(SIM_STOP_AFTER, n, 1);
	l = open_log(&report);
	if (l != NULL)
		compare();
	reclog_close(l);
	sim_power(SIM_KEEP_SOME);
}

/* What follows each fault: recovery, more work, another cut, recovery. */
static void
prove(uint64_t n, enum sim_keep keep)
{
	struct reclog *l;

	if (n % 3 == 0)
		recover_twice(1 + n % 29, keep);
	else
		sim_power(keep);
	l = open_checked(true);
	reclog_close(l);
	/* Nothing is left to repair; opening changes nothing. */
	l = open_checked(false);
	run(&l, 6);
	reclog_close(l);
	sim_power(n % 2 == 0 ? SIM_KEEP_NONE : SIM_KEEP_SOME);
	l = open_checked(true);
	reclog_close(l);
	CHECK(sim_open_fds() == 0);
}

static uint64_t
count_calls(uint64_t seed)
{
	struct reclog	*l = NULL;
	uint64_t	 n;

	snprintf(scene, sizeof(scene), "seed %llu, no fault",
	    (unsigned long long)seed);
	begin(seed);
	run(&l, STEPS);
	CHECK(l != NULL);
	reclog_close(l);
	n = sim_calls();
	l = open_checked(false);
	reclog_close(l);
	return n;
}

static uint64_t
seeds(void)
{
	const char *s = getenv("POSTERN_FAULT_SEEDS");
	uint64_t    n;

	return s != NULL && str_u64(str_c(s), 100000, &n) == 0 ? n : 2;
}

/* POSTERN_FAULT_FIRST=n begins at workload n, to look at one again. */
static uint64_t
first_seed(void)
{
	const char *s = getenv("POSTERN_FAULT_FIRST");
	uint64_t    n;

	return s != NULL && str_u64(str_c(s), 100000, &n) == 0 ? n : 1;
}

static void
crash_at_each_call(void **state)
{
	static const enum sim_keep keep[] = {
		SIM_KEEP_NONE, SIM_KEEP_ALL, SIM_KEEP_SOME, SIM_KEEP_SOME,
	};
	struct reclog	*l;
	uint64_t	 seed, n, calls;
	int		 k;

	(void)state;
	for (seed = first_seed(); seed <= seeds(); seed++) {
		calls = count_calls(seed);
		for (n = 1; n <= calls; n++)
			for (k = 0; k < 8; k++) {
				begin(seed);
				snprintf(scene, sizeof(scene),
				    "seed %llu, power cut at call %llu, "
				    "way %d", (unsigned long long)seed,
				    (unsigned long long)n, k);
				sim_arm(k < 4 ? SIM_STOP : SIM_STOP_AFTER, n,
				    1);
				l = NULL;
				run(&l, STEPS);
				reclog_close(l);
				prove(n, keep[k % 4]);
			}
	}
}

static void
fail_each_call(void **state)
{
	static const struct {
		enum sim_fault	fault;
		uint64_t	times;
	} table[] = {
		{ SIM_EIO, 1 }, { SIM_EIO, 1000 }, { SIM_ENOSPC, 1 },
		{ SIM_ENOSPC, 20 }, { SIM_EDQUOT, 3 }, { SIM_EINTR, 1 },
		{ SIM_SHORT, 1 }, { SIM_SHORT, 1000 }, { SIM_PART_FULL, 1 },
		{ SIM_PART_FULL, 20 },
	};
	struct reclog	*l;
	uint64_t	 seed, n, calls;
	size_t		 k;

	(void)state;
	for (seed = first_seed(); seed <= seeds(); seed++) {
		calls = count_calls(seed);
		for (n = 1; n <= calls; n++)
			for (k = 0; k < sizeof(table) / sizeof(table[0]);
			    k++) {
				begin(seed);
				snprintf(scene, sizeof(scene),
				    "seed %llu, fault %d x %llu at call %llu",
				    (unsigned long long)seed,
				    (int)table[k].fault,
				    (unsigned long long)table[k].times,
				    (unsigned long long)n);
				sim_arm(table[k].fault, n, table[k].times);
				l = NULL;
				run(&l, STEPS);
				reclog_close(l);
				CHECK(sim_open_fds() == 0);
				/* The process starts again, the power stays. */
				sim_arm(SIM_NONE, 0, 0);
				l = open_checked(true);
				run(&l, 3);
				reclog_close(l);
				prove(n, k % 2 == 0 ? SIM_KEEP_NONE :
				    SIM_KEEP_SOME);
			}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crash_at_each_call),
		cmocka_unit_test(fail_each_call),
	};
	int r;

	disk_io = &sim_io;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	sim_reset(0);
	return r;
}
