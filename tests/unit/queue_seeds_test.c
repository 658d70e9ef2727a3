/*
 * queue_seeds_test - what the seeds of queue_record_fuzz reach: every record
 * of the queue's log read and refused, every state of a target, and what a
 * replay makes of them.
 */
#include "tests/lib/unit.h"

#include "common/core/clock.h"
#include "queued/queue.h"
#include "tests/lib/seeds.h"

static bool taken[SEEDS_STATES], refused[SEEDS_STATES];
static bool listed[SEEDS_STATES], results[SEEDS_STATES];
static bool finishes[SEEDS_STATES], facts[SEEDS_STATES];

static const char *
type_name(unsigned t)
{
	switch ((enum record_type)t) {
		SEEDS_NAME(REC_MESSAGE);
		SEEDS_NAME(REC_TARGETS);
		SEEDS_NAME(REC_ROUTE);
		SEEDS_NAME(REC_RESULT);
		SEEDS_NAME(REC_FINISHED);
		SEEDS_NAME(REC_QIDS);
	}
	return NULL;
}

static const char *
state_name(unsigned s)
{
	switch ((enum target_state)s) {
		SEEDS_NAME(TARGET_ROUTE);
		SEEDS_NAME(TARGET_LOCAL);
		SEEDS_NAME(TARGET_HELD);
		SEEDS_NAME(TARGET_DONE);
		SEEDS_NAME(TARGET_EXPANDED);
		SEEDS_NAME(TARGET_SAME);
	}
	return NULL;
}

static const char *
finish_name(unsigned w)
{
	switch ((enum finish_why)w) {
		SEEDS_NAME(FINISH_DONE);
		SEEDS_NAME(FINISH_REMOVED);
	}
	return NULL;
}

enum fact {
	TYPE_UNKNOWN, MESSAGE_PLAIN, MESSAGE_EIGHTBIT, MESSAGE_FILE,
	TARGETS_NONE, TARGETS_MANY, TARGET_ROUTED, TARGET_UNROUTED,
	TARGET_ERROR, CLOCK_BACK, CLOCK_FAR
};

static const char *
fact_name(unsigned f)
{
	switch ((enum fact)f) {
		SEEDS_NAME(TYPE_UNKNOWN);
		SEEDS_NAME(MESSAGE_PLAIN);
		SEEDS_NAME(MESSAGE_EIGHTBIT);
		SEEDS_NAME(MESSAGE_FILE);
		SEEDS_NAME(TARGETS_NONE);
		SEEDS_NAME(TARGETS_MANY);
		SEEDS_NAME(TARGET_ROUTED);
		SEEDS_NAME(TARGET_UNROUTED);
		SEEDS_NAME(TARGET_ERROR);
		SEEDS_NAME(CLOCK_BACK);
		SEEDS_NAME(CLOCK_FAR);
	}
	return NULL;
}

static void
note_targets(struct record_targets l)
{
	struct record_target t;

	facts[TARGETS_NONE] |= l.n == 0;
	facts[TARGETS_MANY] |= l.n > 4;
	while (record_next(&l, &t)) {
		listed[t.state] = true;
		facts[t.routed ? TARGET_ROUTED : TARGET_UNROUTED] = true;
		facts[TARGET_ERROR] |= t.error.n > 0;
	}
}

static void
note_flags(uint8_t flags)
{
	facts[MESSAGE_PLAIN] |= flags == 0;
	facts[MESSAGE_EIGHTBIT] |= (flags & RECORD_EIGHTBIT) != 0;
	facts[MESSAGE_FILE] |= (flags & RECORD_FILE) != 0;
}

/* Whether the parser of its type takes it. */
static bool
read_record(uint8_t type, struct str s)
{
	struct record_message	m;
	struct record_targets	l;
	struct record_time	t;
	struct record_result	r;
	enum finish_why		why;
	uint64_t		next;

	switch ((enum record_type)type) {
	case REC_MESSAGE:
		if (record_message_parse(s, &m, &l) == -1)
			return false;
		note_flags(m.flags);
		note_targets(l);
		return true;
	case REC_TARGETS:
	case REC_ROUTE:
		if (record_route_parse(s, &t, &l) == -1)
			return false;
		note_targets(l);
		return true;
	case REC_RESULT:
		if (record_result_parse(s, &r) == -1)
			return false;
		results[r.state] = true;
		return true;
	case REC_FINISHED:
		if (record_finished_parse(s, &t, &why) == -1)
			return false;
		finishes[why] = true;
		return true;
	case REC_QIDS:
		return record_qids_parse(s, &t, &next) == 0;
	}
	facts[TYPE_UNKNOWN] = true;
	return false;
}

static void
play(struct str seed)
{
	struct rec	r = { .type = (uint8_t)seed.p[0],
	    .id = (uint8_t)seed.p[1], .meta = str_from(seed, 2) };
	struct queue	q;
	bool		ok = read_record(r.type, r.meta);

	(ok ? taken : refused)[r.type] = true;
	clock_set(1000, 1000);
	queue_init(&q);
	assert_int_equal(queue_replay(&q, &r, (struct recpos){ 2, 0 }),
	    ok ? 0 : -1);
	if (queue_start(&q))
		facts[q.last.wall > 1000 ? CLOCK_BACK : CLOCK_FAR] = true;
	queue_clear(&q);
}

static void
test_queue_record(void **state)
{
	(void)state;
	seeds_play("queue_record", play);
	seeds_need("queue_record (taken)", type_name, taken);
	seeds_need("queue_record (refused)", type_name, refused);
	seeds_need("queue_record (targets)", state_name, listed);
	seeds_need("queue_record (results)", state_name, results);
	seeds_need("queue_record", finish_name, finishes);
	seeds_need("queue_record", fact_name, facts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_record),
	};

	return cmocka_run_group_tests_name("queue_seeds", tests, NULL, NULL);
}
