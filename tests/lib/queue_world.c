/*
 * queue_world - see queue_world.h.
 */
#include "tests/lib/queue_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/xalloc.h"

struct world world;

static struct held *
new_held(void)
{
	size_t i;

	for (i = 0; i < WORLD_JOBS; i++) {
		if (world.held[i] == NULL)
			return world.held[i] = xcalloc(1, sizeof(struct held));
	}
	fail_msg("too many jobs");
	return NULL;
}

void
world_drop(struct held *h)
{
	size_t i;

	for (i = 0; i < WORLD_JOBS; i++) {
		if (world.held[i] == h)
			world.held[i] = NULL;
	}
	free(h);
}

/* Of a job that is still to be answered; a newer one replaces it. */
static struct held *
find_open(bool is_route, uint64_t qid, uint32_t target)
{
	size_t i;

	for (i = 0; i < WORLD_JOBS; i++) {
		struct held *h = world.held[i];

		if (h != NULL && h->is_route == is_route && h->qid == qid &&
		    h->target == target && h->status == -1)
			return h;
	}
	return NULL;
}

struct held *
world_find(bool is_route, uint64_t qid, uint32_t target, uint32_t attempt)
{
	size_t i;

	for (i = 0; i < WORLD_JOBS; i++) {
		struct held *h = world.held[i];

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
	struct held *h = world_find(is_route, m->qid, m->target, m->attempt);

	world.durable++;
	if (h != NULL && h->status != -1)
		world_drop(h);
}

int
world_on_route(struct hand *hand, const struct msg *m, int fd)
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
		world_drop(h);
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
	world.jobs++;
	if (!world.keep)
		world_answer_route(h);
	return 0;
}

int
world_on_local(struct hand *hand, const struct msg *m, int fd)
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
			world_drop(h);
		h = new_held();
		h->qid = j->qid;
		h->target = j->target;
		h->attempt = j->attempt;
		h->mailbox = j->mailbox;
		h->size = (uint32_t)j->size;
		h->got = fd == -1 ? 0 : h->size;
		h->status = -1;
		memcpy(h->mac, j->mac.p, LEASE_MAC);
		world.jobs++;
		break;
	default:
		assert_int_equal(m->type, MSG_LOCAL_DATA);
		h = find_open(false, m->local_data.qid, m->local_data.target);
		assert_non_null(h);
		h->got += (uint32_t)m->local_data.chunk.n;
	}
	if (h->got == h->size && !world.keep)
		world_answer_local(h);
	return 0;
}

/* See the header. */
static void
rows_for(struct held *h, uint32_t i, struct buf *b, uint32_t *n)
{
	struct rec_route	r = { .target = h->no[i], .tenant = 1 };
	uint64_t		x = strtoul(h->address[i] + 1, NULL, 10), k;
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
		chan_send_route_result(world.route.chan, &m, -1);
	} while (m.last == 0);
	buf_clear(&part);
}

void
world_answer_route(struct held *h)
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

void
world_deliver(uint64_t qid, uint64_t mailbox)
{
	size_t i;

	for (i = 0; i < world.ncopies; i++) {
		if (world.copies[i].qid == qid &&
		    world.copies[i].mailbox == mailbox) {
			world.repeats++;
			return;
		}
	}
	world.copies[world.ncopies++] = (struct copy){ qid, mailbox };
}

bool
world_has(uint64_t qid, uint64_t mailbox)
{
	size_t i;

	for (i = 0; i < world.ncopies; i++) {
		if (world.copies[i].qid == qid &&
		    world.copies[i].mailbox == mailbox)
			return true;
	}
	return false;
}

static void
tell(struct held *h, enum job_status status)
{
	h->status = (int)status;
	chan_send_local_result(world.local.chan, &(struct msg_local_result){
	    .qid = h->qid, .target = h->target, .attempt = h->attempt,
	    .mac = str_of(h->mac, LEASE_MAC), .status = (uint8_t)status,
	    .detail = status == JOB_DONE ? S("") :
	    S("4.2.1 not now, says the test") }, -1);
}

void
world_answer_local(struct held *h)
{
	if (random() % 8 < world.temp_of_8) {
		tell(h, JOB_TEMP);
		return;
	}
	world_deliver(h->qid, h->mailbox);
	tell(h, JOB_DONE);
}

/* Workers come (back): leases, readiness, results. */
void
world_present(struct hand *h, bool is_route, uint32_t jobs)
{
	size_t i;

	for (i = 0; i < WORLD_JOBS; i++) {
		if (world.held[i] != NULL &&
		    world.held[i]->is_route == is_route)
			chan_send_lease(h->chan, &(struct msg_lease){
			    .qid = world.held[i]->qid,
			    .target = world.held[i]->target,
			    .attempt = world.held[i]->attempt,
			    .mac = str_of(world.held[i]->mac, LEASE_MAC) }, -1);
	}
	chan_send_worker_ready(h->chan, &(struct msg_worker_ready){ jobs },
	    -1);
	for (i = 0; i < WORLD_JOBS; i++) {
		struct held *x = world.held[i];

		if (x == NULL || x->is_route != is_route || x->status == -1)
			continue;
		if (is_route)
			world_answer_route(x);
		else
			tell(x, (enum job_status)x->status);
	}
}

void
world_connect(void)
{
	front_open(&world.front, &world.rig);
	hand_open(&world.route, &world.rig, R_ROUTE, world_on_route, NULL);
	hand_open(&world.local, &world.rig, R_LOCAL, world_on_local, NULL);
	world_present(&world.route, true, 64);
	world_present(&world.local, false, 64);
	rig_turns(4);
}

/* Half a content is no job: deliverd forgets it, and so do we. */
static void
forget_half(void)
{
	size_t i;

	for (i = 0; i < WORLD_JOBS; i++) {
		if (world.held[i] != NULL &&
		    world.held[i]->got < world.held[i]->size)
			world_drop(world.held[i]);
	}
}

void
world_kill(void)
{
	front_close(&world.front);
	hand_close(&world.route);
	hand_close(&world.local);
	rig_kill(&world.rig);
	forget_half();
	rig_start(&world.rig);
}

int
world_setup(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	srandom(11);
	rig_init(&world.rig);
	world.rig.conf.segment = 128 * 1024;
	rig_start(&world.rig);
	world_connect();
	return 0;
}

int
world_teardown(void **state)
{
	size_t i;

	(void)state;
	front_close(&world.front);
	hand_close(&world.route);
	hand_close(&world.local);
	rig_end(&world.rig);
	for (i = 0; i < WORLD_JOBS; i++)
		free(world.held[i]);
	return 0;
}

uint64_t
world_submit(const char *rcpts)
{
	uint64_t qid = front_qid(&world.front);

	if (qid == 0) {
		chan_send_qid_want(world.front.chan, &(struct msg_qid_want){
		    1024 }, -1);
		rig_turns(4);
		qid = front_qid(&world.front);
	}
	front_submit(&world.front, qid, "s@x.test", rcpts, S("body\r\n"));
	return qid;
}

const struct target *
world_target(uint64_t qid, uint32_t no)
{
	struct message *m = queue_find(&world.rig.q.queue, qid);

	assert_non_null(m);
	return queue_target(m, no);
}
