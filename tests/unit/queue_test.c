/*
 * queue_test - the queue as a whole: routing, delivery, retry, leases, and
 * clocks that jump; in the world of tests/lib/queue_world.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "tests/lib/queue_world.h"

/* -- scenes -------------------------------------------------------------- */

static const struct scene {
	const char	*rcpts;
	unsigned	 copies;
	unsigned	 held;		/* targets left, all held */
	const char	*error;
} scenes[] = {
	{ "m1", 1, 0, "" },
	{ "m1 m2 m3", 3, 0, "" },
	{ "m1 m1", 1, 0, "" },
	{ "a1", 2, 0, "" },
	{ "a1 a2 m1", 3, 0, "" },
	{ "d1", 1, 0, "" },
	{ "n19", 1, 0, "" },
	{ "n20", 0, 1, "5.4.6 aliases are nested too deeply" },
	{ "u1", 0, 1, "5.1.1 no such user" },
	{ "f1", 0, 1, "5.7.1 mail for other hosts is not relayed" },
	{ "m1 u1", 1, 1, "5.1.1 no such user" },
	{ "b9998", 9998, 0, "" },
	{ "b9999", 9999, 0, "" },
	{ "b10000", 0, 1, "5.4.6 aliases lead to too many recipients" },
	{ "b10001", 0, 1, "5.4.6 aliases lead to too many recipients" },
	{ "m1 b9998", 9999, 0, "" },
	{ "m1 b9999", 1, 1, "5.4.6 aliases lead to too many recipients" },
	/* One that leads to too many is held; the others are not. */
	{ "m1 b9996 a2", 9997, 1, "5.4.6 aliases lead to too many recipients" },
	{ "m1 a2 b9994", 9997, 0, "" },
	{ "m1 a2 b9995", 9998, 0, "" },
	{ "m1 a2 b9996", 3, 1, "5.4.6 aliases lead to too many recipients" },
	{ "m1 b9998 a2", 3, 1, "5.4.6 aliases lead to too many recipients" },
	{ "b10001 m1 a2", 3, 1, "5.4.6 aliases lead to too many recipients" },
	{ "b10001 m1 b10002", 1, 2,
	    "5.4.6 aliases lead to too many recipients" },
	{ "b6000 b6000 m1", 6001, 1,
	    "5.4.6 aliases lead to too many recipients" },
};

/* Of the first target that is not over. */
static const char *
open_error(const struct message *m)
{
	uint32_t i;

	for (i = 0; i < m->n; i++) {
		if (!record_is_over(queue_target(m, i)->state))
			return target_error(queue_target(m, i));
	}
	return "";
}

static void
test_scenes(void **state)
{
	const struct scene	*s;
	struct message		*m;
	uint64_t		 qid;
	size_t			 i;
	int			 k;

	(void)state;
	for (i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		s = &scenes[i];
		world.ncopies = 0;
		qid = world_submit(s->rcpts);
		for (k = 0; k < 3000; k++) {
			rig_turns(1);
			m = queue_find(&world.rig.q.queue, qid);
			if (front_verdict(&world.front, qid) != -1 &&
			    (m == NULL ||
			    (m->open == s->held && world.ncopies == s->copies &&
			    world.rig.q.queue.held == s->held)))
				break;
		}
		rig_turns(10);
		if (world.ncopies != s->copies)
			fail_msg("%s: %zu copies", s->rcpts, world.ncopies);
		m = queue_find(&world.rig.q.queue, qid);
		if ((m == NULL ? 0 : m->open) != s->held)
			fail_msg("%s: %u open", s->rcpts,
			    m == NULL ? 0 : m->open);
		assert_int_equal(m != NULL, s->held > 0);
		if (m == NULL)
			continue;
		assert_int_equal(world.rig.q.queue.held, s->held);
		assert_string_equal(open_error(m), s->error);
		/* Held is held after a restart too, with its reason. */
		world_kill();
		world_connect();
		m = queue_find(&world.rig.q.queue, qid);
		assert_int_equal(m->open, s->held);
		assert_string_equal(open_error(m), s->error);
		queued_finish(&world.rig.q, m, FINISH_REMOVED);
		rig_turns(3);
	}
	assert_int_equal(world.repeats, 0);
	assert_int_equal(leases_count(world.rig.q.leases), 0);
}

/* Deferred: the waits double, and survive a kill. */
static void
test_retry(void **state)
{
	uint64_t	qid;
	int64_t		wait, base = 60, k;
	int		i;

	(void)state;
	world.temp_of_8 = 8;
	qid = world_submit("m1");
	rig_turns(10);
	for (i = 1; i <= 8; i++) {
		assert_int_equal(world_target(qid, 0)->attempts, i);
		assert_string_equal(target_error(world_target(qid, 0)),
		    "4.2.1 not now, says the test");
		wait = world_target(qid, 0)->item.due -
		    queue_now(&world.rig.q.queue);
		assert_in_range(wait, base * 875 - 10, base * 1125 + 10);
		if (i == 3) {
			rig_pass(&world.rig, 10000);
			world_kill();
			world_connect();
			wait -= 10000;
			assert_in_range(world_target(qid, 0)->item.due -
			    queue_now(&world.rig.q.queue), wait - 1500, wait);
			wait = world_target(qid, 0)->item.due -
			    queue_now(&world.rig.q.queue);
		}
		rig_pass(&world.rig, wait - 100);
		assert_int_equal(world_target(qid, 0)->attempts, i);
		/* The mailbox may rest a little longer than the message. */
		for (k = 0; k < base / 4 + 2 &&
		    world_target(qid, 0)->attempts == i; k++) {
			rig_pass(&world.rig, 1000);
			rig_turns(6);
		}
		base = base * 2 > 3600 ? 3600 : base * 2;
	}
	world.temp_of_8 = 0;
	rig_pass(&world.rig, 2 * 3600 * 1000);
	rig_turns(6);
	assert_null(queue_find(&world.rig.q.queue, qid));
	assert_true(world_has(qid, 1));
}

/* At the end of queue.life it is held with the reason, not lost. */
static void
test_life(void **state)
{
	uint64_t	qid;
	int		i;

	(void)state;
	world.temp_of_8 = 8;
	qid = world_submit("m1");
	rig_turns(10);
	for (i = 0; i < 5 * 24 * 2 + 10; i++)
		rig_pass(&world.rig, 1800 * 1000);
	assert_int_equal(world_target(qid, 0)->state, TARGET_HELD);
	assert_string_equal(target_error(world_target(qid, 0)),
	    "5.4.7 delivery was tried for too long: "
	    "4.2.1 not now, says the test");
}

/*
 * G10: a clock that jumps, while queued runs and while it is down, makes
 * nothing due and nothing old.
 */
static const struct jump {
	const char	*name;
	int64_t		 by;		/* ms */
} jumps[] = {
	{ "-1 h", -3600000 },
	{ "+10 y", INT64_C(315576000000) },
	{ "-10 y", -INT64_C(315576000000) },
	{ "to 2038", INT64_C(347483647000) },
	{ "to 1970", -INT64_C(1800000000000) },
	{ "DST", 3600000 },
};

static void
test_jumps(void **state)
{
	uint64_t	qid[sizeof(jumps) / sizeof(jumps[0])][2];
	int64_t		wall, wait, now = 1000000;
	size_t		i;
	int		down;
	unsigned	jobs;

	(void)state;
	world.temp_of_8 = 8;
	for (i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		for (down = 0; down < 2; down++) {
			wall = INT64_C(1800000000000);
			clock_set(now, wall);
			qid[i][down] = world_submit("m1");
			rig_turns(10);
			sched_hurry(world.rig.q.local,
			    (struct sched_item *)(uintptr_t)&world_target(
			    qid[i][down], 0)->item, queue_now(
			    &world.rig.q.queue));
			rig_turns(6);
			wait = world_target(qid[i][down], 0)->item.due -
			    queue_now(&world.rig.q.queue);
			if (wait <= 0)
				fail_msg("%s: not deferred", jumps[i].name);
			jobs = world.jobs;
			if (down)
				world_kill();
			clock_set(now, wall + jumps[i].by);
			if (down) {
				/* A new process finds another clock. */
				world_kill();
				world_connect();
			}
			rig_turns(6);
			/* An hour down may be true, and is believed. */
			if (down && jumps[i].by == 3600000) {
				assert_in_range(jobs, 1, world.jobs);
				continue;
			}
			if (world.jobs != jobs)
				fail_msg("%s: %u jobs", jumps[i].name,
				    world.jobs - jobs);
			assert_in_range(
			    world_target(qid[i][down], 0)->item.due -
			    queue_now(&world.rig.q.queue), wait - 2000, wait);
			assert_int_equal(world.rig.q.queue.held, 0);
			/* And what was accepted is neither lost nor old. */
			queued_finish(&world.rig.q,
			    queue_find(&world.rig.q.queue,
			    qid[i][down]), FINISH_REMOVED);
			rig_turns(2);
		}
	}
}

/* Leased before a restart: nobody else gets it until it is presented. */
static void
test_leases(void **state)
{
	struct hand	newcomer;
	uint64_t	qid;
	unsigned	jobs;
	size_t		i;

	(void)state;
	world.keep = true;
	qid = world_submit("m1");
	rig_turns(6);
	assert_int_equal(world.jobs, 1);
	world_kill();
	/* One that comes first and holds nothing does not get it either. */
	hand_open(&newcomer, &world.rig, R_ROUTE, world_on_route, NULL);
	chan_send_worker_ready(newcomer.chan, &(struct msg_worker_ready){ 9 },
	    -1);
	rig_turns(6);
	assert_int_equal(world.jobs, 1);
	world_connect();
	hand_close(&newcomer);
	/* The router presented it: it is not asked again. */
	rig_pass(&world.rig, 60 * 1000);
	assert_int_equal(world.jobs, 1);
	assert_int_equal(leases_count(world.rig.q.leases), 1);
	world.keep = false;
	for (i = 0; i < WORLD_JOBS; i++) {
		if (world.held[i] != NULL)
			world_answer_route(world.held[i]);
	}
	world.keep = true;
	rig_turns(6);
	assert_int_equal(world.jobs, 2);
	/* Delivered while queued was down: the result comes with the lease. */
	jobs = world.jobs;
	for (i = 0; i < WORLD_JOBS; i++) {
		if (world.held[i] != NULL && !world.held[i]->is_route) {
			world.held[i]->status = JOB_DONE;
			world_deliver(world.held[i]->qid,
			    world.held[i]->mailbox);
		}
	}
	world_kill();
	world_connect();
	rig_turns(4);
	assert_null(queue_find(&world.rig.q.queue, qid));
	assert_int_equal(world.jobs, jobs);
	assert_int_equal(leases_count(world.rig.q.leases), 0);
}

/* An answer told twice is not one about what it led to. */
static void
test_stale_answer(void **state)
{
	struct held	*h, *old = calloc(1, sizeof(*old));
	uint64_t	 qid;

	(void)state;
	world.keep = true;
	qid = world_submit("a1");
	rig_turns(6);
	h = world_find(true, qid, LEASE_ALL, 0);
	assert_non_null(h);
	*old = *h;
	world_answer_route(h);
	rig_turns(6);
	while ((h = world_find(true, qid, LEASE_ALL, 0)) != NULL)
		world_drop(h);
	/* As if queued had died before it could confirm the first. */
	old->status = 0;
	world.held[0] = old;
	world.keep = false;
	world_kill();
	world_connect();
	rig_turns(4);
	assert_string_equal(target_error(world_target(qid, 1)), "");
	assert_int_equal(world_target(qid, 1)->attempts, 0);
	rig_pass(&world.rig, QUEUED_GRACE + 1);
	rig_turns(10);
	assert_true(world_has(qid, 1) && world_has(qid, 2));
}

/*
 * What a worker says waits for the next submission's sync, and nothing
 * follows from it before that; with nothing else to come it waits no longer
 * than the patience, and at a number of them not at all.
 */
static void
test_patience(void **state)
{
	struct queued	*q = &world.rig.q;
	uint64_t	 one, commits;
	int		 i;

	(void)state;
	q->conf.patience = 3600 * 1000;
	one = world_submit("m1");
	rig_turns(10);
	assert_int_equal(world.jobs, 1);
	assert_true(journal_is_patient(&q->journal));
	assert_false(world_has(one, 1));
	commits = q->journal.commits;
	(void)world_submit("m2");
	rig_turns(10);
	assert_int_equal(q->journal.commits, commits + 1);
	assert_true(world_has(one, 1));
	/* A kill forgets the result; the worker says it again. */
	world_kill();
	world_connect();
	q->conf.patience = 1;
	for (i = 0; i < 1000000 && queue_find(&q->queue, one) != NULL; i++)
		rig_turns(1);
	assert_null(queue_find(&q->queue, one));
	assert_int_equal(world.repeats, 0);
	q->conf.patience = 3600 * 1000;
	for (i = 0; i < 64; i++)
		(void)world_submit("m3");
	rig_turns(20);
	assert_in_range(q->queue.messages.n, 0, 40);
	/* Nobody else is to come: then it does not wait at all. */
	rig_pass(&world.rig, 2 * q->conf.patience);
	rig_turns(20);
	assert_int_equal(q->queue.messages.n, 0);
}

/* A worker that never comes back costs a few seconds, no message. */
static void
test_orphans(void **state)
{
	uint64_t	qid;
	unsigned	jobs;
	size_t		i;

	(void)state;
	world.keep = true;
	qid = world_submit("m2");
	rig_turns(6);
	jobs = world.jobs;
	hand_close(&world.route);
	for (i = 0; i < WORLD_JOBS; i++) {
		free(world.held[i]);
		world.held[i] = NULL;
	}
	rig_turns(3);
	hand_open(&world.route, &world.rig, R_ROUTE, world_on_route, NULL);
	world_present(&world.route, true, 64);
	rig_turns(4);
	assert_int_equal(world.jobs, jobs);
	world.keep = false;
	rig_pass(&world.rig, QUEUED_ORPHAN - 1);
	assert_int_equal(world.jobs, jobs);
	rig_pass(&world.rig, 2);
	rig_turns(8);
	assert_true(world_has(qid, 2));
}

/* Results, leases and words that a worker may not say. */
static void
test_forged(void **state)
{
	struct held	*h;
	uint64_t	 qid;
	int		 i;

	(void)state;
	for (i = 0; i < 6; i++) {
		world.keep = true;
		qid = world_submit("m1");
		rig_turns(6);
		h = world_find(true, qid, LEASE_ALL, 0);
		assert_non_null(h);
		switch (i) {
		case 0:
			h->mac[5] ^= 1;
			world_answer_route(h);
			break;
		case 1:
			h->attempt++;
			world_answer_route(h);
			break;
		case 2:
			h->no[0] = 9;
			world_answer_route(h);
			break;
		case 3:
			h->qid++;
			world_answer_route(h);
			break;
		case 4:
			chan_send_lease(world.route.chan, &(struct msg_lease){
			    .qid = h->qid, .target = h->target,
			    .attempt = h->attempt,
			    .mac = str_of(h->mac, LEASE_MAC) }, -1);
			break;
		case 5:
			chan_send_worker_ready(world.route.chan,
			    &(struct msg_worker_ready){ 0 }, -1);
			break;
		}
		rig_turns(5);
		if (!world.route.is_down)
			fail_msg("case %d was not dropped", i);
		assert_false(world.local.is_down);
		assert_int_equal(world_target(qid, 0)->state, TARGET_ROUTE);
		world_drop(h);
		hand_open(&world.route, &world.rig, R_ROUTE, world_on_route,
		    NULL);
		world_present(&world.route, true, 64);
		world.keep = false;
		rig_pass(&world.rig, QUEUED_ORPHAN + 1);
		rig_turns(8);
		assert_true(world_has(qid, 1));
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_scenes), T(test_retry), T(test_life), T(test_jumps),
		T(test_leases), T(test_stale_answer), T(test_patience),
		T(test_orphans), T(test_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
