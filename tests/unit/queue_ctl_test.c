/*
 * queue_ctl_test - queued's control socket: what an operator asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/core/id.h"
#include "common/core/log.h"
#include "common/ipc/ctl.h"
#include "queued/ctl.h"
#include "tests/lib/queue_rig.h"

enum { MANY = 10000, BATCH = 50 };

static struct rig	rig;
static struct front	front;

/* mailctl's end. */
static struct operator {
	struct chan	*chan;
	unsigned	 rows;
	bool		 is_done, is_down;
	uint8_t		 status;
	uint64_t	 last;		/* qid of the last row */
	bool		 in_order;
	char		 next[64], text[512];
} op;

static void
note_row(struct msg_list columns)
{
	struct rec_column	c;
	uint64_t		qid = 0;

	op.rows++;
	if (!rec_next_column(&columns, &c) || !str_eq(c.key, S("qid")))
		return;
	assert_int_equal(id_parse(c.value, &qid), 0);
	op.in_order = op.in_order && qid > op.last;
	op.last = qid;
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	if (m->type == MSG_CTL_ROW) {
		note_row(m->ctl_row.columns);
		return 0;
	}
	assert_int_equal(m->type, MSG_CTL_DONE);
	op.is_done = true;
	op.status = m->ctl_done.status;
	snprintf(op.next, sizeof(op.next), "%.*s", (int)m->ctl_done.next.n,
	    m->ctl_done.next.p);
	snprintf(op.text, sizeof(op.text), "%.*s", (int)m->ctl_done.text.n,
	    m->ctl_done.text.p);
	return 0;
}

static void
on_down(struct chan *c)
{
	(void)c;
	op.is_down = true;
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static void
op_open(void)
{
	struct chan	*c;
	int		 sv[2];

	op = (struct operator){ .in_order = true };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == -1)
		fatal("socketpair");
	op.chan = chan_new(sv[1], R_MAILCTL, R_QUEUED, &ops, NULL);
	c = chan_new(sv[0], R_QUEUED, R_MAILCTL, queue_ctl_ops(), NULL);
	/* Nobody knows who is behind a socket pair. */
	assert_int_equal(queue_ctl_accept(c, &rig.q), -1);
	chan_set_arg(c, &rig.q);
}

/* One call and its whole answer. */
static void
ask(enum ctl_verb verb, const char *word)
{
	struct buf	b;
	uint32_t	n = 0;
	int		i;

	buf_init(&b, MSG_PACKET_MAX);
	if (word != NULL)
		rec_add_word(&b, &n, &(struct rec_word){ str_c(word) });
	op.is_done = false;
	chan_send_ctl(op.chan, &(struct msg_ctl){ .id = 1,
	    .verb = (uint16_t)verb, .words = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
	for (i = 0; i < 100 && !op.is_done && !op.is_down; i++)
		rig_turns(1);
	assert_true(op.is_done);
}

static void
submit(unsigned count)
{
	unsigned	i, left;
	uint64_t	qid;

	for (left = count; left > 0;) {
		for (i = 0; i < BATCH && left > 0; i++, left--) {
			qid = front_qid(&front);
			if (qid == 0) {
				front.nblocks = 0;
				chan_send_qid_want(front.chan,
				    &(struct msg_qid_want){ 1024 }, -1);
				rig_turns(4);
				qid = front_qid(&front);
			}
			assert_int_not_equal(qid, 0);
			front_submit(&front, qid, "s@x.test", "u1",
			    S("body\r\n"));
		}
		rig_turns(4);
	}
	rig_turns(8);
	assert_int_equal(rig.q.queue.messages.n, count);
}

/* All of a long list costs what it holds: steps are counted, not time. */
static void
test_list(void **state)
{
	uint64_t	before;
	unsigned	pages = 0;
	char		cursor[64] = "";

	(void)state;
	submit(MANY);
	op_open();
	before = rig.q.queue.in_order.steps;
	do {
		ask(CTL_QUEUE_LIST, cursor);
		assert_int_equal(op.status, CTL_OK);
		memcpy(cursor, op.next, sizeof(cursor));
		pages++;
	} while (cursor[0] != '\0');
	assert_int_equal(op.rows, MANY);
	assert_true(op.in_order);
	assert_int_equal(pages, MANY / CTL_ROWS_TURN + 1);
	assert_in_range(rig.q.queue.in_order.steps - before, MANY,
	    2 * MANY);
	ask(CTL_QUEUE_LIST, "no cursor");
	assert_int_equal(op.status, CTL_USAGE);
	chan_close(op.chan);
}

static int
setup(void **state)
{
	(void)state;
	rig_init(&rig);
	rig_start(&rig);
	front_open(&front, &rig);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	front_close(&front);
	rig_end(&rig);
	return 0;
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
