/*
 * queue_fault_test - a full disk, a failed sync, and the operator: what is
 * refused, what waits, and what `mailctl queue` shows and does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/id.h"
#include "common/core/log.h"
#include "common/disk/io.h"
#include "queued/ctl.h"
#include "tests/lib/queue_world.h"

/* -- faults ----------------------------------------------------------- */

static struct disk_io faulty;
static bool is_full, is_broken;
static unsigned syncs;

static ssize_t
write_or_fail(int fd, const struct iovec *v, int n, off_t at)
{
	if (is_full) {
		errno = ENOSPC;
		return -1;
	}
	return disk_io_real.pwritev(fd, v, n, at);
}

static int
sync_or_fail(int fd)
{
	syncs++;
	if (is_broken) {
		errno = EIO;
		return -1;
	}
	return disk_io_real.datasync(fd);
}

static int
setup(void **state)
{
	faulty = disk_io_real;
	faulty.pwritev = write_or_fail;
	faulty.datasync = sync_or_fail;
	disk_io = &faulty;
	is_full = false;
	is_broken = false;
	return world_setup(state);
}

static int
teardown(void **state)
{
	world_teardown(state);
	disk_io = &disk_io_real;
	return 0;
}

/* Nothing is answered before the sync that makes it durable. */
static void
test_order(void **state)
{
	uint64_t	qid;
	unsigned	before, i;

	(void)state;
	for (i = 0; i < 20; i++) {
		before = syncs;
		qid = world_submit("u1");
		while (front_verdict(&world.front, qid) == -1)
			rig_turns(1);
		assert_true(syncs > before);
		assert_true(reclog_is_synced(world.rig.q.log));
	}
}

static void
test_full(void **state)
{
	uint64_t	first, second;
	unsigned	durable;

	(void)state;
	world.keep = true;
	first = world_submit("m1");
	rig_turns(6);
	is_full = true;
	/* New mail is refused; a result is taken and not answered. */
	second = world_submit("m2");
	durable = world.durable;
	world_answer_route(world_find(true, first, LEASE_ALL, 0));
	rig_turns(6);
	assert_int_equal(front_verdict(&world.front, second), SUBMIT_FULL);
	assert_null(queue_find(&world.rig.q.queue, second));
	assert_int_equal(world.durable, durable);
	assert_true(world.rig.q.journal.is_stuck);
	/* No job leaves on the strength of what is not durable. */
	assert_int_equal(world.jobs, 1);
	rig_pass(&world.rig, 5000);
	assert_int_equal(world.jobs, 1);
	/* With space all of it goes on. */
	is_full = false;
	rig_pass(&world.rig, 1000);
	rig_turns(6);
	assert_int_equal(world.durable, durable + 1);
	assert_int_equal(world.jobs, 2);
	second = world_submit("m2");
	rig_turns(6);
	assert_int_equal(front_verdict(&world.front, second), SUBMIT_OK);
	world_answer_local(world_find(false, first, 0, 0));
	rig_turns(6);
	assert_true(world_has(first, 1));
	assert_null(queue_find(&world.rig.q.queue, first));
}

/* Killed while the disk is full: what was not durable happens again. */
static void
test_full_and_killed(void **state)
{
	uint64_t qid;

	(void)state;
	world.keep = true;
	qid = world_submit("m1");
	rig_turns(6);
	is_full = true;
	world_answer_route(world_find(true, qid, LEASE_ALL, 0));
	rig_turns(6);
	is_full = false;
	world.keep = false;
	world_kill();
	assert_int_equal(world_target(qid, 0)->state, TARGET_ROUTE);
	world_connect();
	rig_turns(10);
	assert_true(world_has(qid, 1));
	assert_int_equal(world.repeats, 0);
}

/* After a failed sync the process ends, and nothing was acknowledged. */
static void
test_dead(void **state)
{
	uint64_t	qid;
	int		status, i;
	pid_t		pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		is_broken = true;
		qid = world_submit("m1");
		for (i = 0; i < 10; i++) {
			rig_turns(1);
			if (front_verdict(&world.front, qid) != -1)
				_exit(7);
		}
		_exit(8);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

/* -- the operator ----------------------------------------------------- */

static struct answer {
	struct chan	*chan;
	unsigned	 rows;
	char		 text[4096];	/* of all rows: key=value, blanks */
	int		 status;
	char		 next[64], done[512];
} op;

static int
on_op(struct chan *c, const struct msg *m, int fd)
{
	struct msg_list		l = m->ctl_row.columns;
	struct rec_column	col;
	struct buf		b;

	(void)c;
	(void)fd;
	if (m->type == MSG_CTL_ROW) {
		op.rows++;
		buf_init(&b, sizeof(op.text) - 1);
		buf_addz(&b, op.text);
		while (rec_next_column(&l, &col))
			buf_addf(&b, "%.*s=%.*s ", (int)col.key.n, col.key.p,
			    (int)col.value.n, col.value.p);
		if (buf_ok(&b))
			memcpy(op.text, buf_cstr(&b), b.n + 1);
		buf_clear(&b);
		return 0;
	}
	op.status = m->ctl_done.status;
	memcpy(op.next, m->ctl_done.next.p, m->ctl_done.next.n);
	memcpy(op.done, m->ctl_done.text.p, m->ctl_done.text.n);
	return 0;
}

static const struct chan_ops op_ops = { .on_msg = on_op };

static void
ask(enum ctl_verb verb, const char *words)
{
	struct str	rest = str_c(words), one;
	struct buf	b;
	uint32_t	n = 0;
	struct chan	*c = op.chan;

	memset(&op, 0, sizeof(op));
	op.chan = c;
	op.status = -1;
	buf_init(&b, 65536);
	while (str_cut(&rest, ' ', &one))
		rec_add_word(&b, &n, &(struct rec_word){ one });
	chan_send_ctl(op.chan, &(struct msg_ctl){ .id = 1,
	    .verb = (uint16_t)verb, .words = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
	rig_turns(5);
	assert_int_not_equal(op.status, -1);
}

static void
open_op(void)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	op.chan = chan_new(sv[1], R_MAILCTL, R_QUEUED, &op_ops, NULL);
	chan_new(sv[0], R_QUEUED, R_MAILCTL, queue_ctl_ops(), &world.rig.q);
}

static void
test_operator(void **state)
{
	uint64_t	held, waiting;
	char		words[64];

	(void)state;
	open_op();
	ask(CTL_QUEUE_LIST, "");
	assert_int_equal(op.status, CTL_OK);
	assert_int_equal(op.rows, 0);
	world.temp_of_8 = 8;
	waiting = world_submit("m1");
	rig_turns(8);
	held = world_submit("u1");
	rig_turns(8);
	ask(CTL_QUEUE_LIST, "");
	assert_int_equal(op.rows, 2);
	assert_string_equal(op.next, "");
	assert_non_null(strstr(op.text, "state=deferred sender=s@x.test "
	    "recipients=1 size=6 age=0 next="));
	assert_non_null(strstr(op.text,
	    "error=4.2.1 not now, says the test qid="));
	assert_non_null(strstr(op.text, "state=held sender=s@x.test"));
	assert_non_null(strstr(op.text, "next= error=5.1.1 no such user"));
	assert_true(strstr(op.text, id_text(waiting).s) <
	    strstr(op.text, id_text(held).s));
	ask(CTL_QUEUE_SHOW, id_text(waiting).s);
	assert_int_equal(op.rows, 2);
	assert_non_null(strstr(op.text, "target=0 address=m1 state=local "
	    "mailbox=1 attempts=1 next="));
	/* Now, instead of in a minute. */
	world.temp_of_8 = 0;
	ask(CTL_QUEUE_RETRY, id_text(waiting).s);
	assert_int_equal(op.status, CTL_OK);
	rig_turns(6);
	assert_true(world_has(waiting, 1));
	/* Somebody made the user: --all tries what is held, too. */
	memcpy(queue_find(&world.rig.q.queue, held)->t.one->address, "m2", 2);
	ask(CTL_QUEUE_RETRY, "--all");
	rig_turns(8);
	assert_true(world_has(held, 2));
	assert_int_equal(world.rig.q.queue.messages.n, 0);
	/* Removed is removed for good. */
	held = world_submit("u1");
	rig_turns(8);
	snprintf(words, sizeof(words), "%s %s", id_text(held).s,
	    id_text(held).s);
	ask(CTL_QUEUE_REMOVE, words);
	assert_int_equal(op.status, CTL_OK);
	assert_string_equal(op.text, "removed=1 ");
	chan_close(op.chan);
	world_kill();
	world_connect();
	assert_int_equal(world.rig.q.queue.messages.n, 0);
}

static const struct wrong {
	enum ctl_verb	 verb;
	const char	*words;
	int		 status;
} wrongs[] = {
	{ CTL_QUEUE_SHOW, "0000000000000", CTL_NOT_FOUND },
	{ CTL_QUEUE_SHOW, "xyz", CTL_USAGE },
	{ CTL_QUEUE_RETRY, "0000000000000", CTL_NOT_FOUND },
	{ CTL_QUEUE_REMOVE, "--all", CTL_USAGE },
	{ CTL_QUEUE_LIST, "not-a-cursor", CTL_USAGE },
	{ CTL_USER_LIST, "x y", CTL_USAGE },
};

static void
test_operator_wrong(void **state)
{
	size_t i;

	(void)state;
	open_op();
	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		ask(wrongs[i].verb, wrongs[i].words);
		if (op.status != wrongs[i].status)
			fail_msg("case %zu: %d", i, op.status);
	}
	chan_close(op.chan);
}

/* A removal while a worker has the message: its result finds nothing. */
static void
test_removed_under_way(void **state)
{
	uint64_t	qid;
	struct held	*h;

	(void)state;
	open_op();
	world.keep = true;
	qid = world_submit("m1");
	rig_turns(6);
	world_answer_route(world_find(true, qid, LEASE_ALL, 0));
	rig_turns(6);
	h = world_find(false, qid, 0, 0);
	assert_non_null(h);
	ask(CTL_QUEUE_REMOVE, id_text(qid).s);
	assert_int_equal(op.status, CTL_OK);
	assert_int_equal(leases_count(world.rig.q.leases), 0);
	world_answer_local(h);
	rig_turns(6);
	assert_null(world_find(false, qid, 0, 0));
	assert_false(world.local.is_down);
	chan_close(op.chan);
}

/* A list longer than a page, in order, each once. */
static void
test_pages(void **state)
{
	uint64_t	qid[250];
	unsigned	i, rows = 0, pages = 0;
	char		cursor[64] = "";

	(void)state;
	open_op();
	for (i = 0; i < 250; i++) {
		qid[i] = world_submit("u1");
		rig_turns(2);
	}
	rig_turns(10);
	do {
		ask(CTL_QUEUE_LIST, cursor);
		rows += op.rows;
		pages++;
		snprintf(cursor, sizeof(cursor), "%s", op.next);
		/* What goes meanwhile disturbs nothing. */
		queued_finish(&world.rig.q, queue_find(&world.rig.q.queue,
		    qid[pages * 100 - 1 < 250 ? pages * 100 - 1 : 249]),
		    FINISH_REMOVED);
	} while (cursor[0] != '\0');
	assert_int_equal(rows, 250);
	assert_int_equal(pages, 3);
	chan_close(op.chan);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_order), T(test_full), T(test_full_and_killed),
		T(test_dead), T(test_operator), T(test_operator_wrong),
		T(test_removed_under_way), T(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
