/*
 * deliverd_local_test - the role local between a queued and owners that are
 * the test's own: contents, owners that go away, leases, results.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliverd/local.h"
#include "tests/lib/fake_server.h"

static struct fake queued, boxes;
static unsigned at;		/* number of queued's current channel */
static const uint8_t mac[32] = { 1, 2, 3 };

static struct chan *
to_local(void)
{
	return fake_chan(&queued, at);
}

static void
send_job(uint64_t qid, uint32_t attempt, uint64_t mailbox, uint64_t size,
    int fd)
{
	chan_send_local_job(to_local(), &(struct msg_local_job){ .qid = qid,
	    .target = 1, .attempt = attempt, .mac = str_of(mac, 32),
	    .mailbox = mailbox, .tenant = 5, .shard = 6, .received = 77,
	    .sender = S("s@x.test"), .rcpt = S("r@x.test"), .size = size,
	    .hash = fd == -1 ? S("") :
	    S("0123456789abcdef0123456789abcdef") }, fd);
}

static void
send_data(uint64_t qid, struct str chunk)
{
	chan_send_local_data(to_local(), &(struct msg_local_data){
	    .qid = qid, .target = 1, .chunk = chunk }, -1);
}

static void
answer(struct chan *c, uint64_t qid, enum job_status status)
{
	chan_send_delivered(c, &(struct msg_delivered){ .qid = qid,
	    .status = (uint8_t)status, .detail = S("because") }, -1);
}

static void
expect_open(uint64_t mailbox)
{
	struct fake_msg *k = fake_next(&boxes, MSG_DELIVER_OPEN);

	assert_int_equal(k->m.deliver_open.mailbox, mailbox);
	assert_int_equal(k->m.deliver_open.tenant, 5);
	assert_int_equal(k->m.deliver_open.shard, 6);
}

/* The message with its content; the channel that it came by. */
static struct chan *
expect_deliver(uint64_t qid, size_t size)
{
	struct fake_msg	*k = fake_next(&boxes, MSG_DELIVER);
	struct chan	*c = k->chan;
	size_t		 n;

	assert_int_equal(k->m.deliver.qid, qid);
	assert_int_equal(k->m.deliver.received, 77);
	assert_int_equal(k->m.deliver.size, size);
	assert_true(str_eq(k->m.deliver.sender, S("s@x.test")));
	assert_true(str_eq(k->m.deliver.rcpt, S("r@x.test")));
	for (n = 0; n < size; n += k->m.deliver_data.chunk.n) {
		k = fake_next(&boxes, MSG_DELIVER_DATA);
		assert_int_equal(k->m.deliver_data.qid, qid);
		assert_true(k->m.deliver_data.chunk.n > 0);
	}
	assert_int_equal(n, size);
	return c;
}

static void
expect_result(uint64_t qid, uint32_t attempt, enum job_status status)
{
	struct fake_msg *k = fake_next(&queued, MSG_LOCAL_RESULT);

	assert_int_equal(k->m.local_result.qid, qid);
	assert_int_equal(k->m.local_result.target, 1);
	assert_int_equal(k->m.local_result.attempt, attempt);
	assert_int_equal(k->m.local_result.status, status);
	assert_memory_equal(k->m.local_result.mac.p, mac, 32);
}

static void
durable(uint64_t qid, uint32_t attempt)
{
	chan_send_result_durable(to_local(), &(struct msg_result_durable){
	    .qid = qid, .target = 1, .attempt = attempt }, -1);
	fake_quiet(&queued, 4);
}

static void
restart_queued(void)
{
	fake_cut(&queued, at);
	at++;
}

static void
expect_lease(uint64_t qid, uint32_t attempt)
{
	struct fake_msg *k = fake_next(&queued, MSG_LEASE);

	assert_int_equal(k->m.lease.qid, qid);
	assert_int_equal(k->m.lease.target, 1);
	assert_int_equal(k->m.lease.attempt, attempt);
	assert_memory_equal(k->m.lease.mac.p, mac, 32);
}

static void
expect_ready(void)
{
	struct fake_msg *k = fake_next(&queued, MSG_WORKER_READY);

	assert_int_equal(k->m.worker_ready.jobs, 64);
}

static void
test_deliver(void **state)
{
	static char	body[150000];
	struct chan	*c;

	(void)state;
	send_job(1, 1, 10, 5, -1);
	send_data(1, S("he"));
	send_data(1, S("llo"));
	expect_open(10);
	c = expect_deliver(1, 5);
	answer(c, 1, JOB_DONE);
	expect_result(1, 1, JOB_DONE);
	durable(1, 1);
	/* The channel stays; empty and long contents. */
	send_job(2, 1, 10, 0, -1);
	assert_ptr_equal(expect_deliver(2, 0), c);
	send_job(3, 1, 10, sizeof(body), -1);
	send_data(3, str_of(body, 60000));
	send_data(3, str_of(body, 60000));
	fake_quiet(&boxes, 5);
	send_data(3, str_of(body, 30000));
	assert_ptr_equal(expect_deliver(3, sizeof(body)), c);
	answer(c, 3, JOB_PERM);
	answer(c, 2, JOB_TEMP);
	expect_result(3, 1, JOB_PERM);
	expect_result(2, 1, JOB_TEMP);
	durable(2, 1);
	durable(3, 1);
	/* Another mailbox, another channel. */
	send_job(4, 1, 11, 0, -1);
	expect_open(11);
	assert_ptr_not_equal(expect_deliver(4, 0), c);
	answer(fake_chan(&boxes, 1), 4, JOB_DONE);
	expect_result(4, 1, JOB_DONE);
	durable(4, 1);
}

static void
test_descriptor(void **state)
{
	int		 fd = memfd_create("content", 0);
	struct fake_msg	*k;
	struct stat	 a, b;

	(void)state;
	send_job(5, 1, 10, 300000, fd);
	k = fake_next(&boxes, MSG_DELIVER);
	assert_int_not_equal(k->fd, -1);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(fstat(k->fd, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(k->fd);
	close(fd);
	answer(k->chan, 5, JOB_DONE);
	expect_result(5, 1, JOB_DONE);
	durable(5, 1);
}

/* An owner that dies is asked again, not for ever. */
static void
test_owner_dies(void **state)
{
	unsigned	i;

	(void)state;
	send_job(6, 1, 10, 2, -1);
	send_data(6, S("xy"));
	for (i = 0; i < LOCAL_TRIES - 1; i++) {
		expect_deliver(6, 2);
		fake_cut(&boxes, i == 0 ? 0 : boxes.nchans - 1);
		expect_open(10);
	}
	answer(expect_deliver(6, 2), 6, JOB_DONE);
	expect_result(6, 1, JOB_DONE);
	durable(6, 1);
	send_job(7, 1, 10, 0, -1);
	for (i = 0; i < LOCAL_TRIES; i++) {
		expect_deliver(7, 0);
		fake_cut(&boxes, boxes.nchans - 1);
		if (i < LOCAL_TRIES - 1)
			expect_open(10);
	}
	expect_result(7, 1, JOB_TEMP);
	durable(7, 1);
	fake_quiet(&boxes, 10);
}

static void
test_restart(void **state)
{
	struct chan *c;

	(void)state;
	/* One under way, one whose result is not confirmed, one half sent. */
	send_job(8, 1, 20, 0, -1);
	expect_open(20);
	c = expect_deliver(8, 0);
	send_job(9, 2, 20, 0, -1);
	assert_ptr_equal(expect_deliver(9, 0), c);
	answer(c, 9, JOB_DONE);
	expect_result(9, 2, JOB_DONE);
	send_job(10, 1, 20, 2, -1);
	send_data(10, S("x"));
	fake_quiet(&boxes, 4);
	restart_queued();
	expect_lease(9, 2);
	expect_lease(8, 1);
	expect_ready();
	expect_result(9, 2, JOB_DONE);
	durable(9, 2);
	/* Answered while queued is away: told when it is back. */
	restart_queued();
	answer(c, 8, JOB_DONE);
	expect_lease(8, 1);
	expect_ready();
	expect_result(8, 1, JOB_DONE);
	durable(8, 1);
	restart_queued();
	expect_ready();
	fake_quiet(&queued, 4);
}

/* queued gave up on an attempt and makes another: the newer one counts. */
static void
test_again(void **state)
{
	struct chan *c;

	(void)state;
	send_job(11, 1, 20, 0, -1);
	c = expect_deliver(11, 0);
	send_job(11, 2, 20, 0, -1);
	expect_deliver(11, 0);
	answer(c, 11, JOB_DONE);
	answer(c, 11, JOB_DONE);
	expect_result(11, 2, JOB_DONE);
	durable(11, 2);
	fake_quiet(&queued, 4);
}

/* What queued may not say costs it the channel, and nothing else. */
static void
send_hash(struct str hash, int fd)
{
	chan_send_local_job(to_local(), &(struct msg_local_job){ .qid = 15,
	    .target = 1, .attempt = 1, .mac = str_of(mac, 32), .mailbox = 30,
	    .rcpt = S("r@x.test"), .size = 0, .hash = hash }, fd);
}

/* Contents over the budget: queued is not read until some have gone. */
static void
test_memory(void **state)
{
	static char	 chunk[32768];
	const size_t	 n = LOCAL_BY_VALUE_MAX, jobs = LOCAL_MEMORY / n;
	struct chan	*c = NULL;
	size_t		 i, at_byte;

	(void)state;
	for (i = 0; i < jobs; i++) {
		send_job(100 + i, 1, 40, n, -1);
		for (at_byte = 0; at_byte < n; at_byte += sizeof(chunk))
			send_data(100 + i, str_of(chunk, sizeof(chunk)));
		if (i == 0)
			expect_open(40);
		c = expect_deliver(100 + i, n);
	}
	/* One octet over it. */
	send_job(200, 1, 40, 1, -1);
	send_data(200, S("x"));
	expect_deliver(200, 1);
	send_job(201, 1, 40, 0, -1);
	fake_quiet(&boxes, 5);
	answer(c, 100, JOB_DONE);
	expect_result(100, 1, JOB_DONE);
	expect_deliver(201, 0);
	answer(c, 201, JOB_DONE);
	expect_result(201, 1, JOB_DONE);
	durable(201, 1);
	for (i = 1; i < jobs; i++) {
		answer(c, 100 + i, JOB_DONE);
		expect_result(100 + i, 1, JOB_DONE);
		durable(100 + i, 1);
	}
	answer(c, 200, JOB_DONE);
	expect_result(200, 1, JOB_DONE);
	durable(200, 1);
	durable(100, 1);
}

static void
test_refused(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		switch (i) {
		case 0:
			send_job(12, 1, 30, LOCAL_BY_VALUE_MAX + 1, -1);
			break;
		case 1:
			send_job(13, 1, 30, 2, -1);
			send_data(13, S("xyz"));
			break;
		case 2:
			chan_send_local_job(to_local(),
			    &(struct msg_local_job){ .qid = 14,
			    .mac = S("short"), .size = 0 }, -1);
			break;
		case 3:
			send_hash(S("0123456789abcdef0123456789abcdef"), -1);
			break;
		case 4:
			send_hash(S("short"), 0);
			break;
		}
		expect_ready();
		at++;
	}
	fake_quiet(&boxes, 4);
}

static int
begin(void **state)
{
	(void)state;
	fake_begin();
	fake_listen(&queued, "queued", R_QUEUED, R_LOCAL);
	fake_listen(&boxes, "mailboxd",
	    (enum role)(R_MAILBOXD | R_OWNER), R_LOCAL);
	local_start(64);
	expect_ready();
	return 0;
}

static int
end(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deliver),
		cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_owner_dies),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
