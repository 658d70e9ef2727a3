/*
 * Deliveries that wait for companions: when a batch goes, that nothing is to
 * be seen or told before, and which contents are taken.
 */
#include "tests/lib/incoming_rig.h"

#include <sys/mman.h>

/* -- companions ---------------------------------------------------------- */

static void
test_first_goes_at_once(void **state)
{
	(void)state;
	send_one(10);
	assert_told(1);
	assert_true(incoming_is_idle());
	/* The second waits until it is clear that no other comes. */
	send_one(10);
	assert_told(1);
	assert_false(incoming_is_idle());
	pass(COMPANIONS_GAP_MS - 1);
	assert_told(1);
	pass(1);
	assert_told(2);
	/* After a quiet time it goes at once again. */
	pass(COMPANIONS_MS);
	send_one(10);
	assert_told(3);
}

/* As long as others come, until the time is over. */
static void
test_time_is_over(void **state)
{
	unsigned n;

	(void)state;
	send_one(10);
	for (n = 0; n < COMPANIONS_MS - 1; n++) {
		pass(1);
		send_one(10);
		assert_told(1);
	}
	pass(1);
	assert_told(1 + n);
}

static void
test_enough(void **state)
{
	unsigned n;

	(void)state;
	send_one(10);
	for (n = 1; n < COMPANIONS_MAX; n++) {
		send_one(10);
		assert_told(1);
	}
	send_one(10);
	assert_told(1 + COMPANIONS_MAX);
}

static void
test_enough_bytes(void **state)
{
	size_t left = COMPANIONS_BYTES;

	(void)state;
	reopen(sizeof(text));
	send_one(10);
	for (; left > sizeof(text); left -= sizeof(text)) {
		send_one(sizeof(text));
		assert_told(1);
	}
	send_one(left - 1);
	assert_told(1);
	send_one(1);
	assert_int_equal(ntold, seen());
	assert_true(ntold > 3);
}

/* What a session does is synced at once, and they go along. */
static void
test_urgent(void **state)
{
	(void)state;
	send_one(10);
	send_one(10);
	send_one(10);
	assert_told(1);
	append(10);
	turns();
	assert_int_equal(ntold, 3);
	assert_int_equal(seen(), 4);
}

/* Nobody is told any more, but what was whole has arrived. */
static void
test_channel_goes(void **state)
{
	(void)state;
	send_one(10);
	send_one(10);
	chan_close(local);
	local = NULL;
	turns();
	assert_int_equal(incoming_count(), 0);
	assert_false(incoming_is_idle());
	pass(COMPANIONS_MS);
	assert_true(incoming_is_idle());
	assert_int_equal(seen(), 2);
	assert_int_equal(ntold, 1);
	connect_local();
}

static void
test_same_twice(void **state)
{
	(void)state;
	send_one(10);
	send_one(10);
	qid--;
	send_one(10);
	pass(COMPANIONS_MS);
	assert_int_equal(ntold, 3);
	assert_int_equal(status[1], JOB_DONE);
	assert_int_equal(status[2], JOB_DONE);
	assert_int_equal(told[1], told[2]);
	assert_int_equal(seen(), 2);
}

/* -- hashes -------------------------------------------------------------- */

static const struct {
	const char	*name;
	bool		 fd;
	size_t		 hash;		/* bytes of it */
} odd[] = {
	{ "a descriptor without a hash", true, 0 },
	{ "a hash without a descriptor", false, 32 },
	{ "half a hash", true, 16 },
};

static void
test_odd_hash(void **state)
{
	static const char	hash[32] = "h";
	size_t			i;
	int			fd = memfd_create("content", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, text, 100), 100);
	for (i = 0; i < LENGTH(odd); i++) {
		chan_send_deliver(local, &(struct msg_deliver){
		    .qid = ++qid, .sender = S("s@x.test"),
		    .rcpt = S("r@x.test"), .size = 100,
		    .hash = str_of(hash, odd[i].hash) },
		    odd[i].fd ? fd : -1);
		turns();
		if (!is_down)
			fail_msg("%s is taken", odd[i].name);
		connect_local();
	}
	assert_told(0);
	close(fd);
}

/* A small one is looked at when it comes, a large one when it is read. */
static void
test_wrong_hash(void **state)
{
	static const char	 hash[32] = "h";
	struct store_folder	*f;
	struct store_body	*body;
	struct buf		 out;
	int			 fd = memfd_create("content", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, text, LARGE), LARGE);
	chan_send_deliver(local, &(struct msg_deliver){ .qid = ++qid,
	    .sender = S("s@x.test"), .rcpt = S("r@x.test"), .size = 100,
	    .hash = str_of(hash, 32) }, fd);
	turns();
	assert_int_equal(ntold, 1);
	assert_int_equal(status[0], JOB_TEMP);
	chan_send_deliver(local, &(struct msg_deliver){ .qid = ++qid,
	    .sender = S("s@x.test"), .rcpt = S("r@x.test"), .size = LARGE,
	    .hash = str_of(hash, 32) }, fd);
	turns();
	help();
	assert_int_equal(status[1], JOB_DONE);
	close(fd);
	assert_int_equal(box.s.ops->open(box.s.impl, S("INBOX"), &f),
	    STORE_OK);
	buf_init(&out, 2 * LARGE);
	assert_int_equal(box.s.ops->body_open(box.s.impl, f, f->msgs[0].uid,
	    &body), STORE_OK);
	assert_int_equal(box.s.ops->body_read(box.s.impl, body, 100, 10,
	    &out), STORE_ERROR);
	box.s.ops->body_close(box.s.impl, body);
	assert_int_equal(out.n, 0);
	buf_clear(&out);
	box.s.ops->close(box.s.impl, f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_first_goes_at_once), T(test_time_is_over),
		T(test_enough), T(test_enough_bytes), T(test_urgent),
		T(test_channel_goes), T(test_same_twice), T(test_odd_hash),
		T(test_wrong_hash),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
