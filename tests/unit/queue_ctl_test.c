/*
 * queue_ctl_test - queued's control socket: what an operator asks.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/id.h"
#include "common/core/log.h"
#include "common/ipc/scrubrow.h"
#include "queued/ctl.h"
#include "tests/lib/front_rig.h"

enum { MANY = 10000, BATCH = 50 };

/* mailctl's end. */
static struct asker {
	struct chan	*chan;
	unsigned	 rows;
	bool		 is_done, is_down;
	uint8_t		 status;
	uint64_t	 last;		/* qid of the last row */
	bool		 in_order;
	char		 next[64], text[512];
	char		 row[16][256];	/* values, "|" between them */
} op;

static void
show_row(struct msg_list columns, char *to)
{
	struct rec_column	c;
	size_t			n = 0;

	while (rec_next_column(&columns, &c) && n < 200)
		n += (size_t)snprintf(to + n, 256 - n, "%.*s|",
		    (int)c.value.n, c.value.p);
}

static void
note_row(struct msg_list columns)
{
	struct rec_column	c;
	uint64_t		qid = 0;

	show_row(columns, op.row[op.rows++ % 16]);
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

	op = (struct asker){ .in_order = true };
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

/* -- scrub --------------------------------------------------------------- */

/* Asks until it is over; how often. */
static unsigned
scrub(void)
{
	char		cursor[64] = "";
	unsigned	asked = 0;

	op.rows = 0;
	do {
		ask(CTL_QUEUE_SCRUB, cursor);
		memcpy(cursor, op.next, sizeof(cursor));
		asked++;
	} while (cursor[0] != '\0');
	return asked;
}

/* One bit of the message's record; it is put back by a second call. */
static void
flip(uint64_t qid, uint64_t behind_head)
{
	struct recpos	pos = queue_find(&rig.q.queue, qid)->pos;
	char		name[64], c;
	int		fd;

	snprintf(name, sizeof(name), "log/%016llx.seg",
	    (unsigned long long)pos.segment);
	fd = openat(rig.dir, name, O_RDWR);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pread(fd, &c, 1, (off_t)(pos.offset + behind_head)),
	    1);
	c ^= 4;
	assert_int_equal(pwrite(fd, &c, 1, (off_t)(pos.offset +
	    behind_head)), 1);
	close(fd);
}

static uint64_t
first_qid(void)
{
	void *m[1];

	assert_int_equal(order_page(&rig.q.queue.in_order, 0, m, 1), 1);
	return message_qid(m[0]);
}

static void
test_scrub(void **state)
{
	char		want[256];
	uint64_t	qid;

	(void)state;
	submit(200);
	op_open();
	scrub();
	assert_int_equal(op.status, CTL_OK);
	assert_int_equal(op.rows, 1);
	assert_memory_equal(op.row[0], "queue|sound||||||", 17);
	/* In the metadata. */
	qid = first_qid();
	flip(qid, 70);
	scrub();
	assert_int_equal(op.status, CTL_FAILED);
	assert_int_equal(op.rows, 2);
	snprintf(want, sizeof(want), "queue|damage|record head|1|%llu|"
	    "message|%s|||||", (unsigned long long)queue_find(
	    &rig.q.queue, qid)->pos.offset, id_text(qid).s);
	assert_string_equal(op.row[0], want);
	assert_memory_equal(op.row[1], "queue|damaged|", 14);
	assert_non_null(queue_find(&rig.q.queue, qid));
	flip(qid, 70);
	scrub();
	assert_int_equal(op.status, CTL_OK);
	/* Of another process, or forged. */
	ask(CTL_QUEUE_SCRUB, "999 0");
	assert_int_equal(op.status, CTL_FAILED);
	ask(CTL_QUEUE_SCRUB, "x");
	assert_int_equal(op.status, CTL_FAILED);
	chan_close(op.chan);
}

/* More than an answer holds, and more than is remembered. */
static void
test_scrub_pages(void **state)
{
	const struct message	*m;
	uint64_t		 at = 0;
	unsigned		 n = 0;

	(void)state;
	submit(1100);
	op_open();
	while ((m = map_walk(&rig.q.queue.messages, &at)) != NULL) {
		flip(message_qid(m), 70);
		if (++n == 150) {
			scrub();
			assert_int_equal(op.status, CTL_FAILED);
			assert_int_equal(op.rows, 150 + 1);
			assert_null(strstr(op.text, "not all"));
		}
	}
	scrub();
	assert_int_equal(op.status, CTL_FAILED);
	assert_int_equal(op.rows, SCRUBROW_MAX + 1);
	assert_non_null(strstr(op.text, "1100 damaged, not all"));
	chan_close(op.chan);
}

/* A content that is a file, until the message is over. */
static void
test_scrub_file(void **state)
{
	enum { BIG = 3 * QUEUE_SCRUB_STEP };
	char		*body = calloc(1, BIG), name[64];
	uint64_t	 qid = front_qid(&front);
	int		 fd, i;

	(void)state;
	memset(body, 'x', BIG);
	front_submit(&front, qid, "s@x.test", "u1", str_of(body, BIG));
	for (i = 0; i < 6000 && queue_find(&rig.q.queue, qid) == NULL; i++)
		loop_turn(10);
	free(body);
	assert_non_null(queue_find(&rig.q.queue, qid));
	op_open();
	/* More than a turn's worth: the loop went on meanwhile. */
	scrub();
	assert_int_equal(op.status, CTL_OK);
	assert_int_equal(rig.q.scrub.counts.files, 1);
	assert_true(rig.q.scrub.counts.bytes > BIG);
	snprintf(name, sizeof(name), "bulk/%s", id_text(qid).s);
	fd = openat(rig.dir, name, O_RDWR);
	assert_int_equal(pwrite(fd, "y", 1, BIG / 2), 1);
	close(fd);
	scrub();
	assert_int_equal(op.status, CTL_FAILED);
	assert_int_equal(op.rows, 2);
	assert_non_null(strstr(op.row[0], "|damage|file|"));
	queued_finish(&rig.q, queue_find(&rig.q.queue, qid), FINISH_REMOVED);
	rig_turns(4);
	scrub();
	assert_int_equal(op.status, CTL_OK);
	assert_int_equal(rig.q.scrub.counts.files, 0);
	chan_close(op.chan);
}

/* By itself: after its time, in pieces by timer, and only for messages. */
static void
test_scrub_alone(void **state)
{
	int64_t interval = rig.conf.scrub;

	(void)state;
	assert_int_equal(interval, INT64_C(7) * 24 * 3600 * 1000);
	rig_pass(&rig, QUEUE_SCRUB_FIRST + 1);
	queue_scrub_tick(&rig.q);
	assert_int_equal(rig.q.scrub.run, 0);
	submit(20);
	rig_pass(&rig, interval - 1);
	queue_scrub_tick(&rig.q);
	assert_int_equal(rig.q.scrub.run, 0);
	rig_pass(&rig, 2);
	queue_scrub_tick(&rig.q);
	assert_int_equal(rig.q.scrub.run, 1);
	assert_non_null(rig.q.scrub.s);
	assert_true(loop_timer_pending(rig.q.scrub.pace));
	/* No turn does it; an operator does not wait for it. */
	rig_turns(5);
	assert_non_null(rig.q.scrub.s);
	op_open();
	scrub();
	assert_int_equal(rig.q.scrub.run, 2);
	assert_null(rig.q.scrub.s);
	chan_close(op.chan);
	/* And by its own timer it comes to an end. */
	rig_pass(&rig, interval + 1);
	queue_scrub_tick(&rig.q);
	assert_int_equal(rig.q.scrub.run, 3);
	while (rig.q.scrub.s != NULL)
		loop_turn(1000);
	assert_int_equal(rig.q.scrub.counts.damaged, 0);
	assert_true(rig.q.scrub.counts.records >= 20);
}

/* An operator who leaves is forgotten. */
static void
test_scrub_left(void **state)
{
	struct buf	b;
	uint32_t	n = 0;

	(void)state;
	submit(BATCH);
	op_open();
	buf_init(&b, 64);
	rec_add_word(&b, &n, &(struct rec_word){ S("") });
	chan_send_ctl(op.chan, &(struct msg_ctl){ .id = 1,
	    .verb = CTL_QUEUE_SCRUB, .words = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
	chan_flush(op.chan);
	chan_close(op.chan);
	rig_turns(8);
	assert_int_equal(rig.q.scrub.ncalls, 0);
	assert_null(rig.q.scrub.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_list), T(test_scrub), T(test_scrub_pages),
		T(test_scrub_file),
		T(test_scrub_alone), T(test_scrub_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
