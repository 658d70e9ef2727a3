/*
 * queue_test - the queue as a whole: routing, delivery, retry, restarts.  A
 * front, a router and a deliverer of the test's own work with the real queue
 * and the real log; the walk at the end kills it again and again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/xalloc.h"
#include "tests/lib/queue_rig.h"

/* -- a world around the queue ------------------------------------------------ */

enum { JOBS = 4096, MAILBOXES = 64 };

/* A job that a worker holds. */
struct held {
	bool		is_used, is_route;
	uint64_t	qid, mailbox;
	uint32_t	target, attempt;
	uint8_t		mac[LEASE_MAC];
	uint32_t	size, got;
	char		address[100][RECORD_ADDRESS_MAX + 1];
	uint32_t	no[100], n;
	int		status;		/* told, not yet durable; -1: not told */
};

/* A mailbox remembers which messages it has, and how often each came. */
struct copy {
	uint64_t	qid, mailbox;
};

static struct world {
	struct rig	 rig;
	struct front	 front;
	struct hand	 route, local;
	struct held	*held[JOBS];
	struct copy	 copies[200000];
	size_t		 ncopies;
	unsigned	 jobs, durable, repeats;
	bool		 keep;		/* jobs wait for the test */
	int		 temp_of_8;	/* deliveries that fail for now */
} w;

static void answer_route(struct held *);
static void answer_local(struct held *);

static struct held *
new_held(void)
{
	size_t i;

	for (i = 0; i < JOBS; i++) {
		if (w.held[i] == NULL)
			return w.held[i] = xcalloc(1, sizeof(struct held));
	}
	fail_msg("too many jobs");
	return NULL;
}

static void
drop_held(struct held *h)
{
	size_t i;

	for (i = 0; i < JOBS; i++) {
		if (w.held[i] == h)
			w.held[i] = NULL;
	}
	free(h);
}

/* Of a job that is still to be answered; a newer one replaces it. */
static struct held *
find_open(bool is_route, uint64_t qid, uint32_t target)
{
	size_t i;

	for (i = 0; i < JOBS; i++) {
		struct held *h = w.held[i];

		if (h != NULL && h->is_route == is_route && h->qid == qid &&
		    h->target == target && h->status == -1)
			return h;
	}
	return NULL;
}

static struct held *
find_held(bool is_route, uint64_t qid, uint32_t target, uint32_t attempt)
{
	size_t i;

	for (i = 0; i < JOBS; i++) {
		struct held *h = w.held[i];

		if (h != NULL && h->is_route == is_route && h->qid == qid &&
		    h->target == target &&
		    (attempt == 0 || h->attempt == attempt))
			return h;
	}
	return NULL;
}

static void
on_durable(bool is_route, const struct msg_result_durable *m)
{
	struct held *h = find_held(is_route, m->qid, m->target, m->attempt);

	w.durable++;
	if (h != NULL && h->status != -1)
		drop_held(h);
}

static int
on_route(struct hand *hand, const struct msg *m, int fd)
{
	const struct msg_route_job	*j = &m->route_job;
	struct msg_list			 list = j->targets;
	struct rec_target		 t;
	struct held			*h;

	(void)hand;
	(void)fd;
	if (m->type == MSG_RESULT_DURABLE) {
		on_durable(true, &m->result_durable);
		return 0;
	}
	assert_int_equal(m->type, MSG_ROUTE_JOB);
	h = find_open(true, j->qid, LEASE_ALL);
	if (h != NULL)
		drop_held(h);
	h = new_held();
	h->is_route = true;
	h->qid = j->qid;
	h->target = LEASE_ALL;
	h->attempt = j->attempt;
	h->status = -1;
	memcpy(h->mac, j->mac.p, LEASE_MAC);
	while (rec_next_target(&list, &t)) {
		memcpy(h->address[h->n], t.address.p, t.address.n);
		h->no[h->n++] = t.target;
	}
	w.jobs++;
	if (!w.keep)
		answer_route(h);
	return 0;
}

static int
on_local(struct hand *hand, const struct msg *m, int fd)
{
	const struct msg_local_job	*j = &m->local_job;
	struct held			*h;

	(void)hand;
	if (fd != -1)
		close(fd);
	switch ((int)m->type) {
	case MSG_RESULT_DURABLE:
		on_durable(false, &m->result_durable);
		return 0;
	case MSG_LOCAL_JOB:
		h = find_open(false, j->qid, j->target);
		if (h != NULL)
			drop_held(h);
		h = new_held();
		h->qid = j->qid;
		h->target = j->target;
		h->attempt = j->attempt;
		h->mailbox = j->mailbox;
		h->size = (uint32_t)j->size;
		h->got = fd == -1 ? 0 : h->size;
		h->status = -1;
		memcpy(h->mac, j->mac.p, LEASE_MAC);
		w.jobs++;
		break;
	default:
		assert_int_equal(m->type, MSG_LOCAL_DATA);
		h = find_open(false, m->local_data.qid, m->local_data.target);
		assert_non_null(h);
		h->got += (uint32_t)m->local_data.chunk.n;
	}
	if (h->got == h->size && !w.keep)
		answer_local(h);
	return 0;
}

/*
 * The directory of the test: "m7" is mailbox 7; "a7" an alias of m7 and m8;
 * "n7" an alias that leads to n6 and so on down to m0; "d" both ways to m1;
 * "b300" an alias of 300 mailboxes; "u" nobody; "f" elsewhere; "t" not now.
 */
static void
rows_for(struct held *h, uint32_t i, struct buf *b, uint32_t *n)
{
	struct rec_route	r = { .target = h->no[i], .tenant = 1 };
	uint64_t		x = (uint64_t)atol(h->address[i] + 1), k;
	char			text[32];

	switch (h->address[i][0]) {
	case 'm':
		r.kind = ROUTE_MAILBOX;
		r.mailbox = x;
		r.tenant = (uint32_t)(x % 3);
		break;
	case 'a':
	case 'd':
		r.kind = ROUTE_ADDRESS;
		snprintf(text, sizeof(text), "m%u", (unsigned)x);
		r.address = str_c(text);
		rec_add_route(b, n, &r);
		snprintf(text, sizeof(text), "m%u", (unsigned)x +
		    (h->address[i][0] == 'a'));
		r.address = str_c(text);
		break;
	case 'n':
		r.kind = ROUTE_ADDRESS;
		snprintf(text, sizeof(text), x == 0 ? "m0" : "n%u",
		    (unsigned)x - 1);
		r.address = str_c(text);
		break;
	case 'b':
		r.kind = ROUTE_MAILBOX;
		for (k = 1; k < x; k++) {
			r.mailbox = 1000 + k;
			rec_add_route(b, n, &r);
		}
		r.mailbox = 1000 + k;
		break;
	case 'u':
		r.kind = ROUTE_UNKNOWN;
		break;
	case 'f':
		r.kind = ROUTE_FOREIGN;
		break;
	default:
		r.kind = ROUTE_TEMP;
	}
	rec_add_route(b, n, &r);
}

static void
send_rows(struct held *h, struct buf *b, uint32_t n)
{
	struct msg_list		all = msg_list_of(b, n);
	struct msg_route_result	m = { .qid = h->qid, .attempt = h->attempt,
	    .mac = str_of(h->mac, LEASE_MAC) };
	struct rec_route	r;
	struct buf		part;

	buf_init(&part, MSG_PACKET_MAX);
	do {
		n = 0;
		buf_reset(&part);
		while (n < 100 && rec_next_route(&all, &r))
			rec_add_route(&part, &n, &r);
		m.routes = msg_list_of(&part, n);
		m.last = all.n == 0;
		chan_send_route_result(w.route.chan, &m, -1);
	} while (m.last == 0);
	buf_clear(&part);
}

static void
answer_route(struct held *h)
{
	struct buf	b;
	uint32_t	n = 0, i;

	buf_init(&b, 64 * 1024 * 1024);
	for (i = 0; i < h->n; i++)
		rows_for(h, i, &b, &n);
	h->status = 0;
	send_rows(h, &b, n);
	buf_clear(&b);
}

static void
deliver(uint64_t qid, uint64_t mailbox)
{
	size_t i;

	for (i = 0; i < w.ncopies; i++) {
		if (w.copies[i].qid == qid && w.copies[i].mailbox == mailbox) {
			w.repeats++;
			return;
		}
	}
	w.copies[w.ncopies++] = (struct copy){ qid, mailbox };
}

static bool
has_copy(uint64_t qid, uint64_t mailbox)
{
	size_t i;

	for (i = 0; i < w.ncopies; i++) {
		if (w.copies[i].qid == qid && w.copies[i].mailbox == mailbox)
			return true;
	}
	return false;
}

static void
tell(struct held *h, enum job_status status)
{
	h->status = (int)status;
	chan_send_local_result(w.local.chan, &(struct msg_local_result){
	    .qid = h->qid, .target = h->target, .attempt = h->attempt,
	    .mac = str_of(h->mac, LEASE_MAC), .status = (uint8_t)status,
	    .detail = status == JOB_DONE ? S("") :
	    S("4.2.1 not now, says the test") }, -1);
}

static void
answer_local(struct held *h)
{
	if (random() % 8 < w.temp_of_8) {
		tell(h, JOB_TEMP);
		return;
	}
	deliver(h->qid, h->mailbox);
	tell(h, JOB_DONE);
}

/* Workers come (back): leases, readiness, results. */
static void
present(struct hand *h, bool is_route, uint32_t jobs)
{
	size_t i;

	for (i = 0; i < JOBS; i++) {
		if (w.held[i] != NULL && w.held[i]->is_route == is_route)
			chan_send_lease(h->chan, &(struct msg_lease){
			    .qid = w.held[i]->qid,
			    .target = w.held[i]->target,
			    .attempt = w.held[i]->attempt,
			    .mac = str_of(w.held[i]->mac, LEASE_MAC) }, -1);
	}
	chan_send_worker_ready(h->chan, &(struct msg_worker_ready){ jobs },
	    -1);
	for (i = 0; i < JOBS; i++) {
		struct held *x = w.held[i];

		if (x == NULL || x->is_route != is_route || x->status == -1)
			continue;
		if (is_route)
			answer_route(x);
		else
			tell(x, (enum job_status)x->status);
	}
}

static void
connect_all(void)
{
	front_open(&w.front, &w.rig);
	hand_open(&w.route, &w.rig, R_ROUTE, on_route, NULL);
	hand_open(&w.local, &w.rig, R_LOCAL, on_local, NULL);
	present(&w.route, true, 64);
	present(&w.local, false, 64);
	rig_turns(4);
}

/* Half a content is no job: deliverd forgets it, and so do we. */
static void
forget_half(void)
{
	size_t i;

	for (i = 0; i < JOBS; i++) {
		if (w.held[i] != NULL && w.held[i]->got < w.held[i]->size)
			drop_held(w.held[i]);
	}
}

static void
kill_queued(void)
{
	front_close(&w.front);
	hand_close(&w.route);
	hand_close(&w.local);
	rig_kill(&w.rig);
	forget_half();
	rig_start(&w.rig);
}

static int
setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	srandom(11);
	rig_init(&w.rig);
	w.rig.conf.segment = 128 * 1024;
	rig_start(&w.rig);
	connect_all();
	return 0;
}

static int
teardown(void **state)
{
	size_t i;

	(void)state;
	front_close(&w.front);
	hand_close(&w.route);
	hand_close(&w.local);
	rig_end(&w.rig);
	for (i = 0; i < JOBS; i++)
		free(w.held[i]);
	return 0;
}

static uint64_t
submit(const char *rcpts)
{
	uint64_t qid = front_qid(&w.front);

	if (qid == 0) {
		chan_send_qid_want(w.front.chan, &(struct msg_qid_want){
		    1024 }, -1);
		rig_turns(4);
		qid = front_qid(&w.front);
	}
	front_submit(&w.front, qid, "s@x.test", rcpts, S("body\r\n"));
	return qid;
}

static const struct target *
target_of(uint64_t qid, uint32_t no)
{
	struct message *m = queue_find(&w.rig.q.queue, qid);

	assert_non_null(m);
	return queue_target(m, no);
}

/* -- scenes --------------------------------------------------------------------- */

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
		w.ncopies = 0;
		qid = submit(s->rcpts);
		for (k = 0; k < 3000; k++) {
			rig_turns(1);
			m = queue_find(&w.rig.q.queue, qid);
			if (front_verdict(&w.front, qid) != -1 && (m == NULL ||
			    (m->open == s->held && w.ncopies == s->copies &&
			    w.rig.q.queue.held == s->held)))
				break;
		}
		rig_turns(10);
		if (w.ncopies != s->copies)
			fail_msg("%s: %zu copies", s->rcpts, w.ncopies);
		m = queue_find(&w.rig.q.queue, qid);
		if ((m == NULL ? 0 : m->open) != s->held)
			fail_msg("%s: %u open", s->rcpts, m == NULL ? 0 : m->open);
		assert_int_equal(m != NULL, s->held > 0);
		if (m == NULL)
			continue;
		assert_int_equal(w.rig.q.queue.held, s->held);
		assert_string_equal(open_error(m), s->error);
		/* Held is held after a restart too, with its reason. */
		kill_queued();
		connect_all();
		m = queue_find(&w.rig.q.queue, qid);
		assert_int_equal(m->open, s->held);
		assert_string_equal(open_error(m), s->error);
		queued_finish(&w.rig.q, m, FINISH_REMOVED);
		rig_turns(3);
	}
	assert_int_equal(w.repeats, 0);
	assert_int_equal(leases_count(w.rig.q.leases), 0);
}

/* Deferred: the waits double, and survive a kill. */
static void
test_retry(void **state)
{
	uint64_t	qid;
	int64_t		wait, base = 60, k;
	int		i;

	(void)state;
	w.temp_of_8 = 8;
	qid = submit("m1");
	rig_turns(10);
	for (i = 1; i <= 8; i++) {
		assert_int_equal(target_of(qid, 0)->attempts, i);
		assert_string_equal(target_error(target_of(qid, 0)),
		    "4.2.1 not now, says the test");
		wait = target_of(qid, 0)->item.due -
		    queue_now(&w.rig.q.queue);
		assert_in_range(wait, base * 875 - 10, base * 1125 + 10);
		if (i == 3) {
			rig_pass(&w.rig, 10000);
			kill_queued();
			connect_all();
			wait -= 10000;
			assert_in_range(target_of(qid, 0)->item.due -
			    queue_now(&w.rig.q.queue), wait - 1500, wait);
			wait = target_of(qid, 0)->item.due -
			    queue_now(&w.rig.q.queue);
		}
		rig_pass(&w.rig, wait - 100);
		assert_int_equal(target_of(qid, 0)->attempts, i);
		/* The mailbox may rest a little longer than the message. */
		for (k = 0; k < base / 4 + 2 &&
		    target_of(qid, 0)->attempts == i; k++) {
			rig_pass(&w.rig, 1000);
			rig_turns(6);
		}
		base = base * 2 > 3600 ? 3600 : base * 2;
	}
	w.temp_of_8 = 0;
	rig_pass(&w.rig, 2 * 3600 * 1000);
	rig_turns(6);
	assert_null(queue_find(&w.rig.q.queue, qid));
	assert_true(has_copy(qid, 1));
}

/* At the end of queue.life it is held with the reason, not lost. */
static void
test_life(void **state)
{
	uint64_t	qid;
	int		i;

	(void)state;
	w.temp_of_8 = 8;
	qid = submit("m1");
	rig_turns(10);
	for (i = 0; i < 5 * 24 * 2 + 10; i++)
		rig_pass(&w.rig, 1800 * 1000);
	assert_int_equal(target_of(qid, 0)->state, TARGET_HELD);
	assert_string_equal(target_error(target_of(qid, 0)),
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
	w.temp_of_8 = 8;
	for (i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		for (down = 0; down < 2; down++) {
			wall = INT64_C(1800000000000);
			clock_set(now, wall);
			qid[i][down] = submit("m1");
			rig_turns(10);
			sched_hurry(w.rig.q.local,
			    (struct sched_item *)(uintptr_t)&target_of(
			    qid[i][down], 0)->item, queue_now(
			    &w.rig.q.queue));
			rig_turns(6);
			wait = target_of(qid[i][down], 0)->item.due -
			    queue_now(&w.rig.q.queue);
			if (wait <= 0)
				fail_msg("%s: not deferred", jumps[i].name);
			jobs = w.jobs;
			if (down)
				kill_queued();
			clock_set(now, wall + jumps[i].by);
			if (down) {
				/* A new process finds another clock. */
				kill_queued();
				connect_all();
			}
			rig_turns(6);
			/* An hour down may be true, and is believed. */
			if (down && jumps[i].by == 3600000) {
				assert_in_range(jobs, 1, w.jobs);
				continue;
			}
			if (w.jobs != jobs)
				fail_msg("%s: %u jobs", jumps[i].name,
				    w.jobs - jobs);
			assert_in_range(target_of(qid[i][down], 0)->item.due -
			    queue_now(&w.rig.q.queue), wait - 2000, wait);
			assert_int_equal(w.rig.q.queue.held, 0);
			/* And what was accepted is neither lost nor old. */
			queued_finish(&w.rig.q, queue_find(&w.rig.q.queue,
			    qid[i][down]), FINISH_REMOVED);
			rig_turns(2);
		}
	}
}

/* Leased before a restart: nobody else gets it until it is presented. */
static void
test_leases(void **state)
{
	uint64_t	qid;
	unsigned	jobs;
	size_t		i;

	(void)state;
	w.keep = true;
	qid = submit("m1");
	rig_turns(6);
	assert_int_equal(w.jobs, 1);
	kill_queued();
	connect_all();
	/* The router presented it: it is not asked again. */
	rig_pass(&w.rig, 60 * 1000);
	assert_int_equal(w.jobs, 1);
	assert_int_equal(leases_count(w.rig.q.leases), 1);
	w.keep = false;
	for (i = 0; i < JOBS; i++) {
		if (w.held[i] != NULL)
			answer_route(w.held[i]);
	}
	w.keep = true;
	rig_turns(6);
	assert_int_equal(w.jobs, 2);
	/* Delivered while queued was down: the result comes with the lease. */
	jobs = w.jobs;
	for (i = 0; i < JOBS; i++) {
		if (w.held[i] != NULL && !w.held[i]->is_route) {
			w.held[i]->status = JOB_DONE;
			deliver(w.held[i]->qid, w.held[i]->mailbox);
		}
	}
	kill_queued();
	connect_all();
	rig_turns(4);
	assert_null(queue_find(&w.rig.q.queue, qid));
	assert_int_equal(w.jobs, jobs);
	assert_int_equal(leases_count(w.rig.q.leases), 0);
	/* A worker that never comes back costs a few seconds, no message. */
	qid = submit("m2");
	rig_turns(6);
	jobs = w.jobs;
	hand_close(&w.route);
	for (i = 0; i < JOBS; i++) {
		free(w.held[i]);
		w.held[i] = NULL;
	}
	rig_turns(3);
	hand_open(&w.route, &w.rig, R_ROUTE, on_route, NULL);
	present(&w.route, true, 64);
	rig_turns(4);
	assert_int_equal(w.jobs, jobs);
	w.keep = false;
	rig_pass(&w.rig, QUEUED_ORPHAN - 1);
	assert_int_equal(w.jobs, jobs);
	rig_pass(&w.rig, 2);
	rig_turns(8);
	assert_true(has_copy(qid, 2));
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
		w.keep = true;
		qid = submit("m1");
		rig_turns(6);
		h = find_held(true, qid, LEASE_ALL, 0);
		assert_non_null(h);
		switch (i) {
		case 0:
			h->mac[5] ^= 1;
			answer_route(h);
			break;
		case 1:
			h->attempt++;
			answer_route(h);
			break;
		case 2:
			h->no[0] = 9;
			answer_route(h);
			break;
		case 3:
			h->qid++;
			answer_route(h);
			break;
		case 4:
			chan_send_lease(w.route.chan, &(struct msg_lease){
			    .qid = h->qid, .target = h->target,
			    .attempt = h->attempt,
			    .mac = str_of(h->mac, LEASE_MAC) }, -1);
			break;
		case 5:
			chan_send_worker_ready(w.route.chan,
			    &(struct msg_worker_ready){ 0 }, -1);
			break;
		}
		rig_turns(5);
		if (!w.route.is_down)
			fail_msg("case %d was not dropped", i);
		assert_false(w.local.is_down);
		assert_int_equal(target_of(qid, 0)->state, TARGET_ROUTE);
		drop_held(h);
		hand_open(&w.route, &w.rig, R_ROUTE, on_route, NULL);
		present(&w.route, true, 64);
		w.keep = false;
		rig_pass(&w.rig, QUEUED_ORPHAN + 1);
		rig_turns(8);
		assert_true(has_copy(qid, 1));
	}
}

/* What is finished gives its segments back, also behind an old message. */
static void
test_reclaim(void **state)
{
	static char	big[30000];
	uint64_t	old, qid;
	int		i;

	(void)state;
	w.temp_of_8 = 0;
	old = submit("u1");
	rig_turns(8);
	assert_int_equal(w.rig.q.queue.held, 1);
	for (i = 0; i < 400; i++) {
		qid = submit("m1");
		rig_turns(1);
		if (i % 4 == 0) {
			qid = front_qid(&w.front);
			front_submit(&w.front, qid, "", "m2",
			    str_of(big, sizeof(big)));
			rig_turns(6);
		}
	}
	rig_turns(20);
	assert_int_equal(w.rig.q.queue.messages.n, 1);
	assert_true(w.rig.q.reclaim.retired > 10);
	assert_true(w.rig.q.reclaim.copied >= 1);
	assert_true(w.rig.q.queue.nsegments < 12);
	kill_queued();
	connect_all();
	assert_int_equal(w.rig.q.queue.messages.n, 1);
	assert_int_equal(target_of(old, 0)->state, TARGET_HELD);
	assert_string_equal(target_error(target_of(old, 0)),
	    "5.1.1 no such user");
	/* The reservation of queue ids was not retired with its segment. */
	assert_true(front_qid(&w.front) > qid);
}

/* 64 fronts at once: all answered, by few commits. */
static void
test_group(void **state)
{
	static struct front	f[64];
	uint64_t		qid[64], before;
	int			i;

	(void)state;
	w.keep = true;
	for (i = 0; i < 64; i++)
		front_open(&f[i], &w.rig);
	before = w.rig.q.journal.commits;
	for (i = 0; i < 64; i++) {
		qid[i] = front_qid(&f[i]);
		front_submit(&f[i], qid[i], "", "m1", S("x"));
	}
	rig_turns(6);
	for (i = 0; i < 64; i++)
		assert_int_equal(front_verdict(&f[i], qid[i]), SUBMIT_OK);
	assert_in_range(w.rig.q.journal.commits - before, 1, 4);
	for (i = 0; i < 64; i++)
		front_close(&f[i]);
	kill_queued();
	for (i = 0; i < 64; i++)
		assert_non_null(queue_find(&w.rig.q.queue, qid[i]));
	connect_all();
}

/* -- the walk -------------------------------------------------------------------- */

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
		    front_verdict(&w.front, sent[i].qid) == SUBMIT_OK)
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
		    queue_find(&w.rig.q.queue, sent[i].qid) != NULL)
			continue;
		if (!has_copy(sent[i].qid, first[sent[i].rcpts]))
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
		sent[nsent].qid = submit(walk_rcpts[sent[nsent].rcpts]);
		nsent++;
		break;
	case 4:
		note_acks();
		kill_queued();
		check_nothing_lost();
		connect_all();
		break;
	case 5:
		rig_pass(&w.rig, random() % 100000);
		break;
	case 6:
		w.keep = random() % 2 == 0;
		break;
	case 7:
		for (i = 0; i < JOBS; i++) {
			if (w.held[i] == NULL || w.held[i]->status != -1 ||
			    w.held[i]->got < w.held[i]->size)
				continue;
			if (w.held[i]->is_route)
				answer_route(w.held[i]);
			else
				answer_local(w.held[i]);
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
	w.temp_of_8 = 2;
	for (i = 0; i < WALK; i++)
		step();
	w.keep = false;
	w.temp_of_8 = 0;
	kill_queued();
	connect_all();
	for (i = 0; i < 40; i++) {
		rig_pass(&w.rig, 3600 * 1000);
		rig_turns(30);
	}
	for (i = 0; i < nsent; i++)
		acked += sent[i].is_acked;
	assert_true(acked > nsent / 2);
	check_nothing_lost();
	/* What is left is held, or the directory never answers for it. */
	while ((m = map_walk(&w.rig.q.queue.messages, &cursor)) != NULL) {
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
	assert_int_equal(w.rig.q.intake.memory, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_scenes), T(test_retry), T(test_life), T(test_jumps),
		T(test_leases), T(test_forged), T(test_reclaim),
		T(test_group), T(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
