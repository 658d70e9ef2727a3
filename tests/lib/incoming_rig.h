/*
 * incoming_rig - around each test of deliveries that come in: the owner's
 * mailbox, its helper, the channel of deliverd's local role, and a clock that
 * only the test moves.
 */
#ifndef TESTS_INCOMING_RIG_H
#define TESTS_INCOMING_RIG_H

#include "tests/lib/unit.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/socket.h>
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
static inline void
on_turn(void *arg)
{
	(void)arg;
	if (box.m == NULL)
		return;
	incoming_collect(mbox_is_urgent(box.m));
	result = mbox_turn(box.m);
	if (result == MBOX_OK || result == MBOX_LATER)
		incoming_answer();
}

static inline void
turns(void)
{
	int i;

	for (i = 0; i < 4; i++)
		loop_turn(0);
}

static inline void
pass(int64_t ms)
{
	now += ms;
	clock_set(now, 0);
	turns();
}

static inline int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	assert_int_equal(m->type, MSG_DELIVERED);
	told[ntold] = m->delivered.qid;
	status[ntold++] = m->delivered.status;
	return 0;
}

static inline void
on_down(struct chan *c)
{
	(void)c;
	is_down = true;
	local = NULL;
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static inline void
connect_local(void)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, sv), 0);
	local = chan_new(sv[0], R_LOCAL, R_OWNER, &ops, NULL);
	is_down = false;
	incoming_open(box.m, sv[1]);
}

static inline void
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
static inline void
help(void)
{
	struct bodyfiles files = { -1, "body-" };

	files.dir = openat(box.dirfd, "log", O_RDONLY | O_DIRECTORY);
	assert_true(bulk_serve_one(&files, helper, BULK_SYNC));
	close(files.dir);
	turns();
}

static inline int
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

static inline int
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

static inline int
tear_down(void **state)
{
	(void)state;
	/* Whatever waits goes, so that the next one finds nothing. */
	chan_close(local);
	while (!incoming_is_idle() || !bulk_is_idle(bulk)) {
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

static inline void
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

static inline size_t
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

static inline void
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
static inline void
assert_told(unsigned n)
{
	assert_int_equal(ntold, n);
	assert_int_equal(seen(), n);
}

/* All of it, on its way to the disk. */
static inline struct store_append *
append_begun(size_t n)
{
	struct store_new	 new = { .folder = S("INBOX"),
	    .size = (uint32_t)n };
	struct store_append	*a;

	assert_int_equal(box.s.ops->append(box.s.impl, &new, &a), STORE_OK);
	assert_int_equal(box.s.ops->append_data(box.s.impl, a,
	    str_of(text, n)), STORE_OK);
	box.s.ops->append_whole(box.s.impl, a);
	return a;
}

static inline bool
append_is_ready(const struct store_append *a)
{
	return box.s.ops->append_ready(box.s.impl, a);
}

static inline enum store_result
append_done(struct store_append *a)
{
	uint32_t v, uid;

	return box.s.ops->append_end(box.s.impl, a, &v, &uid);
}

/* A small one. */
static inline void
append(size_t n)
{
	struct store_append *a = append_begun(n);

	assert_true(append_is_ready(a));
	assert_int_equal(append_done(a), STORE_OK);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
