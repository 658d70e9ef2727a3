/*
 * A mailbox on a disk that fills: what was acknowledged stays, reading,
 * flags and expunges go on, and deliveries too when there is space again.
 * Needs root, for a small tmpfs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "mailboxd/deliver.h"
#include "tests/lib/mailbox.h"

static char text[10 * 1024];

static int
set_up(void **state)
{
	static struct mailbox b;

	*state = NULL;
	if (geteuid() != 0)
		return 0;
	memset(text, 't', sizeof(text));
	mailbox_make(&b);
	assert_int_equal(mount("tmpfs", b.path, "tmpfs", 0, "size=3m"), 0);
	(void)close(b.dirfd);
	b.dirfd = open(b.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(b.dirfd, -1);
	b.conf.dirfd = b.dirfd;
	b.conf.inline_max = 200 * 1024;
	*state = &b;
	return 0;
}

static int
tear_down(void **state)
{
	struct mailbox *b = *state;

	if (b == NULL)
		return 0;
	mbox_close(b->m);
	(void)close(b->dirfd);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(umount(b->path), 0);
	assert_int_equal(rmdir(b->path), 0);
	return 0;
}

static enum deliver_result
deliver(struct mailbox *b, uint64_t qid, size_t n)
{
	const struct deliver_new new = { .qid = qid, .date = 1,
	    .sender = S(""), .rcpt = S("a@b"), .size = n };
	enum deliver_result	 r;
	struct deliver		*d;
	size_t			 at, piece;

	r = deliver_begin(b->m, &new, &d);
	if (r != DELIVER_OK)
		return r;
	for (at = 0; at < n; at += piece) {
		piece = n - at < sizeof(text) ? n - at : sizeof(text);
		r = deliver_data(d, str_of(text, piece));
		if (r != DELIVER_OK) {
			deliver_abort(d);
			return r;
		}
	}
	return deliver_end(d);
}

static size_t
inbox_n(struct mailbox *b)
{
	struct store_folder	*f;
	struct buf		 out;
	size_t			 i, n;

	assert_int_equal(b->s.ops->open(b->s.impl, S("INBOX"), &f), STORE_OK);
	n = f->n;
	buf_init(&out, 4 * 1024 * 1024);
	for (i = 0; i < n; i++) {
		buf_reset(&out);
		assert_int_equal(store_octets(b->s, f, f->msgs[i].uid,
		    0, SIZE_MAX, &out), STORE_OK);
		assert_int_equal(out.n, f->msgs[i].size);
	}
	buf_clear(&out);
	b->s.ops->close(b->s.impl, f);
	return n;
}

/* Flags, expunge: on a disk below the reserve. */
static void
use_inbox(struct mailbox *b)
{
	struct store_folder	*f;
	const uint32_t		 uids[] = { 1, 2 };

	assert_int_equal(b->s.ops->open(b->s.impl, S("INBOX"), &f), STORE_OK);
	assert_int_equal(b->s.ops->flags(b->s.impl, f, uids, 2, STORE_ADD,
	    STORE_DELETED, 0), STORE_OK);
	mailbox_turn(b);
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, uids, 2), STORE_OK);
	mailbox_turn(b);
	b->s.ops->close(b->s.impl, f);
}

/* The first n of what there is. */
static void
expunge(struct mailbox *b, uint32_t n)
{
	struct store_folder	*f;
	uint32_t		 uids[200], i;

	for (i = 0; i < n; i++)
		uids[i] = i + 1;
	assert_int_equal(b->s.ops->open(b->s.impl, S("INBOX"), &f), STORE_OK);
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, uids, n), STORE_OK);
	b->s.ops->close(b->s.impl, f);
	mailbox_turn(b);
}

static void
test_reserve(void **state)
{
	struct mailbox		*b = *state;
	enum deliver_result	 r;
	uint64_t		 qid = 0;

	if (b == NULL) {
		skip();
		return;
	}
	b->conf.reserve = 768 * 1024;
	mailbox_open(b);
	do {
		r = deliver(b, ++qid, sizeof(text));
		mailbox_turn(b);
	} while (r == DELIVER_OK);
	assert_int_equal(r, DELIVER_FULL);
	assert_true(qid > 20);
	assert_int_equal(inbox_n(b), qid - 1);
	use_inbox(b);
	mailbox_close(b);
	mailbox_open(b);
	assert_int_equal(inbox_n(b), qid - 3);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_int_equal(inbox_n(b), qid - 3);
	assert_int_equal(deliver(b, 1, 10), DELIVER_AGAIN);
	assert_int_equal(deliver(b, qid, 200 * 1024), DELIVER_FULL);
	assert_int_equal(mount(NULL, b->path, NULL, MS_REMOUNT, "size=8m"),
	    0);
	assert_int_equal(deliver(b, qid, sizeof(text)), DELIVER_OK);
	mailbox_turn(b);
	assert_int_equal(inbox_n(b), qid - 2);
}

/* Takes all the space that there is. */
static void
fill(const struct mailbox *b)
{
	int	fd = openat(b->dirfd, "filler", O_WRONLY | O_CREAT, 0600);
	size_t	n = sizeof(text);

	assert_int_not_equal(fd, -1);
	while (n > 0) {
		if (write(fd, text, n) <= 0)
			n /= 2;
	}
	(void)close(fd);
}

/* The space goes between the check and the commit. */
static void
test_commit_fails(void **state)
{
	struct mailbox	*b = *state;
	uint64_t	 qid;

	if (b == NULL) {
		skip();
		return;
	}
	mailbox_open(b);
	for (qid = 1; qid <= 50; qid++) {
		assert_int_equal(deliver(b, qid, sizeof(text)), DELIVER_OK);
		mailbox_turn(b);
	}
	assert_int_equal(deliver(b, qid, sizeof(text)), DELIVER_OK);
	fill(b);
	assert_int_equal(mbox_turn(b->m), MBOX_DEAD);
	assert_int_equal(unlinkat(b->dirfd, "filler", 0), 0);
	assert_int_equal(mbox_turn(b->m), MBOX_DEAD);
	assert_int_equal(deliver(b, qid + 1, 10), DELIVER_ERROR);
	mailbox_close(b);
	fill(b);
	mailbox_open(b);
	assert_int_equal(inbox_n(b), 50);
	assert_int_equal(deliver(b, qid, sizeof(text)), DELIVER_FULL);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	fill(b);
	/* Not even an index can be made. */
	mailbox_open(b);
	assert_int_equal(inbox_n(b), 50);
	mailbox_close(b);
	assert_int_equal(unlinkat(b->dirfd, "filler", 0), 0);
	mailbox_open(b);
	assert_false(b->report.no_index);
	assert_int_equal(deliver(b, 50, 10), DELIVER_AGAIN);
	assert_int_equal(deliver(b, qid, sizeof(text)), DELIVER_OK);
	mailbox_turn(b);
	assert_int_equal(inbox_n(b), 51);
}

/* A large body meets the end of the disk while it arrives. */
static void
test_large_body(void **state)
{
	struct mailbox		*b = *state;
	const struct deliver_new new = { .qid = 7, .date = 1,
	    .sender = S(""), .rcpt = S("a@b"), .size = 1024 * 1024 };
	struct deliver		*d;
	enum deliver_result	 r;

	if (b == NULL) {
		skip();
		return;
	}
	mailbox_open(b);
	assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_OK);
	fill(b);
	do
		r = deliver_data(d, str_of(text, sizeof(text)));
	while (r == DELIVER_OK);
	assert_int_equal(r, DELIVER_FULL);
	deliver_abort(d);
	mailbox_close(b);
	assert_int_equal(unlinkat(b->dirfd, "filler", 0), 0);
	mailbox_open(b);
	assert_int_equal(b->report.swept, 0);
	assert_int_equal(deliver(b, 7, 1024 * 1024), DELIVER_OK);
	mailbox_turn(b);
	assert_int_equal(deliver(b, 8, 1024 * 1024 * 2), DELIVER_FULL);
	assert_int_equal(inbox_n(b), 1);
}

static size_t
log_blocks(struct mailbox *b)
{
	struct statvfs v;

	assert_int_equal(fstatvfs(b->dirfd, &v), 0);
	return (v.f_blocks - v.f_bfree) * v.f_frsize;
}

/* Upkeep takes no last byte, ends nothing, and goes on when it can. */
static void
test_upkeep(void **state)
{
	struct mailbox	*b = *state;
	uint64_t	 qid;
	size_t		 used;

	if (b == NULL) {
		skip();
		return;
	}
	clock_set(1000, 1700000000000);
	b->conf.undelete = 0;
	b->conf.segment_max = 64 * 1024;
	mailbox_open(b);
	for (qid = 1; qid <= 120; qid++) {
		assert_int_equal(deliver(b, qid, sizeof(text)), DELIVER_OK);
		mailbox_turn(b);
	}
	use_inbox(b);
	fill(b);
	assert_true(mbox_wants_upkeep(b->m));
	while (mbox_wants_upkeep(b->m))
		assert_int_equal(mbox_upkeep(b->m), MBOX_OK);
	assert_int_equal(inbox_n(b), 118);
	assert_int_equal(unlinkat(b->dirfd, "filler", 0), 0);
	used = log_blocks(b);
	assert_false(mbox_wants_upkeep(b->m));
	clock_set(100000, 1700000100000);
	expunge(b, 100);
	while (mbox_wants_upkeep(b->m))
		assert_int_equal(mbox_upkeep(b->m), MBOX_OK);
	assert_int_equal(inbox_n(b), 20);
	assert_true(log_blocks(b) < used - 800 * 1024);
	clock_release();
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reserve),
		TEST(test_commit_fails),
		TEST(test_large_body),
		TEST(test_upkeep),
	};

	log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
