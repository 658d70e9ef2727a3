/*
 * queue_walk_test - the queue over time: segments that come back, many fronts
 * at once, and a long walk in which it is killed again and again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "tests/lib/queue_world.h"

/* What is finished gives its segments back, also behind an old message. */
static void
test_reclaim(void **state)
{
	static char	big[30000];
	uint64_t	old, qid;
	int		i;

	(void)state;
	world.temp_of_8 = 0;
	old = world_submit("u1");
	rig_turns(8);
	assert_int_equal(world.rig.q.queue.held, 1);
	for (i = 0; i < 400; i++) {
		qid = world_submit("m1");
		rig_turns(1);
		if (i % 4 == 0) {
			qid = front_qid(&world.front);
			front_submit(&world.front, qid, "", "m2",
			    str_of(big, sizeof(big)));
			rig_turns(6);
		}
	}
	rig_turns(20);
	assert_int_equal(world.rig.q.queue.messages.n, 1);
	assert_true(world.rig.q.reclaim.retired > 10);
	assert_true(world.rig.q.reclaim.copied >= 1);
	assert_true(world.rig.q.queue.nsegments < 12);
	world_kill();
	world_connect();
	assert_int_equal(world.rig.q.queue.messages.n, 1);
	assert_int_equal(world_target(old, 0)->state, TARGET_HELD);
	assert_string_equal(target_error(world_target(old, 0)),
	    "5.1.1 no such user");
	/* The reservation of queue ids was not retired with its segment. */
	assert_true(front_qid(&world.front) > qid);
}

/* 64 fronts at once: all answered, by few commits. */
static void
test_group(void **state)
{
	static struct front	f[64];
	uint64_t		qid[64], before;
	int			i;

	(void)state;
	world.keep = true;
	for (i = 0; i < 64; i++)
		front_open(&f[i], &world.rig);
	before = world.rig.q.journal.commits;
	for (i = 0; i < 64; i++) {
		qid[i] = front_qid(&f[i]);
		front_submit(&f[i], qid[i], "", "m1", S("x"));
	}
	rig_turns(6);
	for (i = 0; i < 64; i++)
		assert_int_equal(front_verdict(&f[i], qid[i]), SUBMIT_OK);
	assert_in_range(world.rig.q.journal.commits - before, 1, 4);
	for (i = 0; i < 64; i++)
		front_close(&f[i]);
	world_kill();
	for (i = 0; i < 64; i++)
		assert_non_null(queue_find(&world.rig.q.queue, qid[i]));
	world_connect();
}

/* -- the walk ------------------------------------------------------------ */

enum { WALK = 3000, MESSAGES = 1500 };

static const char *const walk_rcpts[] = {
	"m1", "m2 m3", "a4", "a1 m2", "u1 m5", "d6", "n3", "m7 m7 a7",
	"b150", "t1 m8",
};
enum { NRCPTS = sizeof(walk_rcpts) / sizeof(walk_rcpts[0]) };

static struct {
	uint64_t	qid;
	int		rcpts;
	bool		is_acked;
} sent[MESSAGES];
static unsigned nsent;

static void
note_acks(void)
{
	unsigned i;

	for (i = 0; i < nsent; i++) {
		if (!sent[i].is_acked &&
		    front_verdict(&world.front, sent[i].qid) == SUBMIT_OK)
			sent[i].is_acked = true;
	}
}

/* Acknowledged and not there: still queued, or all its copies delivered. */
static void
check_nothing_lost(void)
{
	static const uint64_t first[] = { 1, 2, 4, 1, 5, 6, 0, 7, 1001, 8 };
	unsigned i;

	for (i = 0; i < nsent; i++) {
		if (!sent[i].is_acked ||
		    queue_find(&world.rig.q.queue, sent[i].qid) != NULL)
			continue;
		if (!world_has(sent[i].qid, first[sent[i].rcpts]))
			fail_msg("message %u (%s) is lost", i,
			    walk_rcpts[sent[i].rcpts]);
	}
}

static void
step(void)
{
	size_t i;

	switch (random() % 12) {
	case 0:
	case 1:
	case 2:
	case 3:
		if (nsent == MESSAGES)
			break;
		sent[nsent].rcpts = (int)(random() % NRCPTS);
		sent[nsent].is_acked = false;
		sent[nsent].qid = world_submit(walk_rcpts[sent[nsent].rcpts]);
		nsent++;
		break;
	case 4:
		note_acks();
		world_kill();
		check_nothing_lost();
		world_connect();
		break;
	case 5:
		rig_pass(&world.rig, random() % 100000);
		break;
	case 6:
		world.keep = random() % 2 == 0;
		break;
	case 7:
		for (i = 0; i < WORLD_JOBS; i++) {
			if (world.held[i] == NULL ||
			    world.held[i]->status != -1 ||
			    world.held[i]->got < world.held[i]->size)
				continue;
			if (world.held[i]->is_route)
				world_answer_route(world.held[i]);
			else
				world_answer_local(world.held[i]);
		}
		break;
	default:
		rig_turns(1 + (int)(random() % 4));
	}
	note_acks();
}

static void
test_walk(void **state)
{
	struct message	*m;
	uint64_t	 cursor = 0;
	unsigned	 i, acked = 0;

	(void)state;
	nsent = 0;
	world.temp_of_8 = 2;
	for (i = 0; i < WALK; i++)
		step();
	world.keep = false;
	world.temp_of_8 = 0;
	world_kill();
	world_connect();
	for (i = 0; i < 40; i++) {
		rig_pass(&world.rig, 3600 * 1000);
		rig_turns(30);
	}
	for (i = 0; i < nsent; i++)
		acked += sent[i].is_acked;
	assert_true(acked > nsent / 2);
	check_nothing_lost();
	/* What is left is held, or the directory never answers for it. */
	while ((m = map_walk(&world.rig.q.queue.messages, &cursor)) != NULL) {
		for (i = 0; i < m->n; i++) {
			if (record_is_over(queue_target(m, i)->state))
				continue;
			if (queue_target(m, i)->state != TARGET_HELD &&
			    queue_target(m, i)->address[0] != 't')
				fail_msg("%s is left in state %d, where %d, "
				    "after %u attempts",
				    queue_target(m, i)->address,
				    queue_target(m, i)->state,
				    queue_target(m, i)->item.where,
				    queue_target(m, i)->attempts);
		}
	}
	assert_int_equal(world.rig.q.intake.memory, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_reclaim), T(test_group), T(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
