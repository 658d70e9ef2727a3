/*
 * Deliveries that wait for companions, and for the files of large ones: when
 * a batch goes, that nothing is to be seen or told before, and what becomes
 * of it when something goes wrong meanwhile.
 */
#include "tests/lib/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/disk/bulk.h"
#include "common/ipc/chan.h"
#include "mailboxd/incoming.h"
#include "tests/lib/mailbox.h"

enum { LARGE = 20000 };		/* over the limit of tests/lib/mailbox.h */

static struct mailbox	box;
static struct bulk	*bulk;
static int		 helper = -1;	/* the helper's end */
static struct chan	*local;		/* deliverd's */
static bool		 is_down;
static int64_t		 now = 1000;
static enum mbox_result	 result;	/* of the last turn */
static uint64_t		 qid, told[256];
static uint8_t		 status[256];
static unsigned		 ntold;
static char		 text[300000];

/* The owner's. */
static void
on_turn(void *arg)
{
	(void)arg;
	if (box.m == NULL)
		return;
	if (!mbox_is_waiting(box.m))
		incoming_collect(mbox_is_urgent(box.m));
	incoming_pause(mbox_is_waiting(box.m));
	result = mbox_turn(box.m);
	if (result == MBOX_OK || result == MBOX_LATER)
		incoming_answer();
}

static void
turns(void)
{
	int i;

	for (i = 0; i < 4; i++)
		loop_turn(0);
}

static void
pass(int64_t ms)
{
	now += ms;
	clock_set(now, 0);
	turns();
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	assert_int_equal(m->type, MSG_DELIVERED);
	told[ntold] = m->delivered.qid;
	status[ntold++] = m->delivered.status;
	return 0;
}

static void
on_down(struct chan *c)
{
	(void)c;
	is_down = true;
	local = NULL;
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static void
connect_local(void)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	local = chan_new(sv[0], R_LOCAL, R_OWNER, &ops, NULL);
	is_down = false;
	incoming_open(box.m, sv[1]);
}

static void
on_need(void *arg)
{
	int sv[2];

	(void)arg;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    sv), 0);
	helper = sv[1];
	bulk_attach(bulk, sv[0]);
}

/* The helper does one thing. */
static void
help(void)
{
	struct bodyfiles files = { -1, "body-" };

	files.dir = openat(box.dirfd, "log", O_RDONLY | O_DIRECTORY);
	assert_true(bulk_serve_one(&files, helper, BULK_SYNC));
	close(files.dir);
	turns();
}

static int
begin(void **state)
{
	(void)state;
	assert_int_not_equal(sodium_init(), -1);
	log_level(LOG_ERROR);
	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	memset(text, 'x', sizeof(text));
	clock_set(now, 0);
	loop_init();
	loop_hook(on_turn, NULL);
	chan_init();
	incoming_init();
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	bulk = bulk_new(on_need, NULL);
	mailbox_make(&box);
	box.conf.bulk = bulk;
	mailbox_open(&box);
	ntold = 0;
	connect_local();
	pass(1000);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	/* Whatever waits goes, so that the next one finds nothing. */
	chan_close(local);
	while (mbox_is_waiting(box.m) || !incoming_is_idle()) {
		if (!bulk_is_idle(bulk))
			help();
		pass(COMPANIONS_MS);
	}
	turns();
	assert_int_equal(incoming_count(), 0);
	mailbox_remove(&box);
	bulk_free(bulk);
	if (helper != -1)
		close(helper);
	helper = -1;
	return 0;
}

static void
send_one(size_t n)
{
	size_t at, k;

	chan_send_deliver(local, &(struct msg_deliver){ .qid = ++qid,
	    .sender = S("s@x.test"), .rcpt = S("r@x.test"), .size = n }, -1);
	for (at = 0; at < n; at += k) {
		k = n - at < 60000 ? n - at : 60000;
		chan_send_deliver_data(local, &(struct msg_deliver_data){
		    .qid = qid, .chunk = str_of(text + at, k) }, -1);
	}
	turns();
}

static size_t
seen(void)
{
	struct store_folder	*f;
	size_t			 n;

	assert_int_equal(box.s.ops->open(box.s.impl, S("INBOX"), &f),
	    STORE_OK);
	n = f->n;
	box.s.ops->close(box.s.impl, f);
	return n;
}

static void
reopen(uint32_t inline_max)
{
	chan_close(local);
	turns();
	mailbox_close(&box);
	box.conf.inline_max = inline_max;
	box.conf.segment_max = 64 * 1024 * 1024;
	mailbox_open(&box);
	connect_local();
}

/* How many are told about, and as many are to be seen. */
static void
assert_told(unsigned n)
{
	assert_int_equal(ntold, n);
	assert_int_equal(seen(), n);
}

static void
append(size_t n)
{
	struct store_new	 new = { .folder = S("INBOX"),
	    .size = (uint32_t)n };
	struct store_append	*a;
	uint32_t		 v, uid;

	assert_int_equal(box.s.ops->append(box.s.impl, &new, &a), STORE_OK);
	assert_int_equal(box.s.ops->append_data(box.s.impl, a,
	    str_of(text, n)), STORE_OK);
	assert_int_equal(box.s.ops->append_end(box.s.impl, a, &v, &uid),
	    STORE_OK);
}

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

/* -- large ones ---------------------------------------------------------- */

/* It waits for its file; those behind it and sessions do not. */
static void
test_large_holds_nobody(void **state)
{
	(void)state;
	send_one(LARGE);
	assert_told(0);
	send_one(10);
	assert_told(1);
	append(10);
	turns();
	assert_int_equal(seen(), 2);
	pass(1000);
	assert_int_equal(ntold, 1);
	assert_false(incoming_is_idle());
	help();
	assert_int_equal(ntold, 2);
	assert_int_equal(told[1], qid - 1);
	assert_int_equal(seen(), 3);
}

/* Its record is in the frame already: all of it waits, and no more comes. */
static void
test_append_holds_all(void **state)
{
	(void)state;
	append(LARGE);
	turns();
	assert_int_equal(result, MBOX_WAIT);
	send_one(10);
	append(LARGE);
	pass(1000);
	assert_int_equal(result, MBOX_WAIT);
	assert_int_equal(ntold, 0);
	/* It was not even read. */
	assert_true(incoming_is_idle());
	help();
	assert_int_equal(result, MBOX_WAIT);
	help();
	assert_int_equal(result, MBOX_OK);
	assert_int_equal(ntold, 1);
	assert_int_equal(seen(), 3);
}

static int64_t
log_bytes(void)
{
	int		 fd = openat(box.dirfd, "log", O_RDONLY);
	DIR		*d = fdopendir(fd);
	struct dirent	*e;
	struct stat	 st;
	int64_t		 sum = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		assert_int_equal(fstatat(fd, e->d_name, &st, 0), 0);
		if (S_ISREG(st.st_mode) && strncmp(e->d_name, "body-", 5) != 0)
			sum += st.st_size;
	}
	closedir(d);
	return sum;
}

/* More than a frame takes early: none is committed that names such a file. */
static void
test_no_early_commit(void **state)
{
	int64_t	before;
	int	i;

	(void)state;
	reopen(sizeof(text) - 1);
	append(10);
	turns();
	before = log_bytes();
	append(sizeof(text));
	for (i = 0; i < 40; i++)
		append(sizeof(text) - 1);
	assert_int_equal(log_bytes(), before);
	turns();
	assert_int_equal(result, MBOX_WAIT);
	assert_int_equal(log_bytes(), before);
	help();
	assert_int_equal(result, MBOX_OK);
	assert_true(log_bytes() > before);
	assert_int_equal(seen(), 42);
}

/* The helper says that it failed, or dies: nobody was told, and it ends. */
static void
test_append_not_durable(void **state)
{
	int way;

	(void)state;
	for (way = 0; way < 2; way++) {
		append(LARGE);
		turns();
		assert_int_equal(result, MBOX_WAIT);
		if (way == 0) {
			/* The file is gone from under it. */
			mailbox_remove_dir(&box, "log");
			assert_int_equal(mkdirat(box.dirfd, "log", 0700), 0);
			help();
		} else {
			close(helper);
			helper = -1;
			turns();
		}
		assert_int_equal(result, MBOX_DEAD);
		mailbox_remove(&box);
		mailbox_make(&box);
		box.conf.bulk = bulk;
		mailbox_open(&box);
		chan_close(local);
		turns();
		connect_local();
		result = MBOX_OK;
	}
}

/* Of a delivery nothing depends on the file yet: it alone fails. */
static void
test_delivery_not_durable(void **state)
{
	(void)state;
	send_one(LARGE);
	close(helper);
	helper = -1;
	turns();
	assert_int_equal(ntold, 1);
	assert_int_equal(status[0], JOB_TEMP);
	assert_int_equal(result, MBOX_OK);
	assert_int_equal(seen(), 0);
	/* And is taken when it comes again. */
	qid--;
	pass(1000);
	send_one(LARGE);
	help();
	assert_int_equal(ntold, 2);
	assert_int_equal(status[1], JOB_DONE);
	assert_int_equal(seen(), 1);
}

/* Closed while it waits: what was not told of has not happened. */
static void
test_closed_meanwhile(void **state)
{
	(void)state;
	append(10);
	turns();
	append(LARGE);
	turns();
	assert_int_equal(result, MBOX_WAIT);
	reopen(box.conf.inline_max);
	assert_int_equal(seen(), 1);
	assert_int_equal(box.report.swept, 1);
	assert_int_equal(box.report.log.torn_bytes, 0);
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
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_first_goes_at_once), T(test_time_is_over),
		T(test_enough), T(test_enough_bytes), T(test_urgent),
		T(test_channel_goes), T(test_same_twice),
		T(test_large_holds_nobody), T(test_append_holds_all),
		T(test_no_early_commit), T(test_append_not_durable),
		T(test_delivery_not_durable), T(test_closed_meanwhile),
		T(test_odd_hash), T(test_wrong_hash),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
