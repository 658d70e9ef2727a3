/*
 * mbox_test - turns of a mailbox: flags that wait for their sync, folders
 * that go while open, the index and life without it.  What is large, and
 * limits, are in mbox_limits_test.c.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/log.h"
#include "mailboxd/index.h"
#include "tests/lib/mbox_rig.h"

static void
set_flag(struct mailbox *b, uint32_t uid, uint8_t flag)
{
	struct store_folder *f = open_folder(b, "INBOX");

	assert_int_equal(b->s.ops->flags(b->s.impl, f, &uid, 1, STORE_ADD,
	    flag, 0), STORE_OK);
	close_folder(b, f);
}

static uint8_t
flags_of(struct mailbox *b, size_t i)
{
	struct store_folder	*f = open_folder(b, "INBOX");
	uint8_t			 flags = f->msgs[i].flags;

	close_folder(b, f);
	return flags;
}

/* -- deferred flags --------------------------------------------------- */

static void
test_deferred(void **state)
{
	struct mailbox *b = *state;

	put(b, "INBOX", S("one"));
	mailbox_close(b);
	b->conf.flags_sync = false;
	mailbox_open(b);
	set_flag(b, 1, STORE_SEEN);
	assert_int_equal(mbox_turn(b->m), MBOX_LATER);
	assert_int_equal(mbox_turn(b->m), MBOX_LATER);
	set_flag(b, 1, STORE_FLAGGED);
	assert_int_equal(mbox_turn(b->m), MBOX_LATER);
	assert_int_equal(mbox_sync(b->m), MBOX_OK);
	assert_int_equal(mbox_turn(b->m), MBOX_OK);
	/* CHECK and its like. */
	set_flag(b, 1, STORE_ANSWERED);
	assert_int_equal(mbox_turn(b->m), MBOX_LATER);
	b->s.ops->sync(b->s.impl);
	assert_int_equal(mbox_turn(b->m), MBOX_OK);
	/* Whatever wants its sync takes the flags along. */
	set_flag(b, 1, STORE_DRAFT);
	put(b, "INBOX", S("two"));
	assert_int_equal(mbox_turn(b->m), MBOX_OK);
	set_flag(b, 1, STORE_DELETED);
	assert_int_equal(mbox_turn(b->m), MBOX_LATER);
	mailbox_close(b);
	mailbox_open(b);
	assert_int_equal(b->report.replayed, 0);
	assert_int_equal(flags_of(b, 0), 31);
}

/* Killed between the write and the sync: the file system has it. */
static void
test_deferred_killed(void **state)
{
	struct mailbox	*b = *state;
	pid_t		 pid;

	put(b, "INBOX", S("one"));
	mailbox_close(b);
	b->conf.flags_sync = false;
	pid = fork();
	if (pid == 0) {
		mailbox_open(b);
		set_flag(b, 1, STORE_SEEN);
		_exit(mbox_turn(b->m) == MBOX_LATER ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	mailbox_open(b);
	assert_int_equal(b->report.replayed, 1);
	assert_false(b->report.rebuilt);
	assert_int_equal(flags_of(b, 0), STORE_SEEN);
}

/* -- what sessions see ------------------------------------------------ */

static void
test_two_sessions(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f, *g;
	struct buf		 out;
	uint32_t		 uid = 1;
	uint64_t		 modseq;

	f = open_folder(b, "INBOX");
	g = open_folder(b, "inbox");
	assert_ptr_equal(f, g);
	put(b, "INBOX", S("one"));
	assert_int_equal(f->n, 1);
	modseq = f->modseq;
	assert_int_equal(b->s.ops->flags(b->s.impl, g, &uid, 1, STORE_ADD,
	    STORE_SEEN, 0), STORE_OK);
	assert_int_equal(f->msgs[0].flags, STORE_SEEN);
	assert_true(f->msgs[0].modseq > modseq);
	modseq = f->modseq;
	/* Nothing changes: no modseq, no record. */
	mailbox_turn(b);
	assert_int_equal(b->s.ops->flags(b->s.impl, g, &uid, 1, STORE_ADD,
	    STORE_SEEN, 0), STORE_OK);
	assert_int_equal(f->modseq, modseq);
	close_folder(b, g);
	mailbox_turn(b);
	buf_init(&out, 100);
	assert_int_equal(store_octets(b->s, f, 1, 1, 1, &out),
	    STORE_OK);
	assert_int_equal(store_octets(b->s, f, 1, 3, 9, &out),
	    STORE_OK);
	assert_int_equal(store_octets(b->s, f, 1, 9, 9, &out),
	    STORE_OK);
	assert_string_equal(buf_cstr(&out), "n");
	assert_int_equal(store_octets(b->s, f, 2, 0, 9, &out),
	    STORE_NO_SUCH);
	buf_clear(&out);
	close_folder(b, f);
}

static struct store_body *
open_body(struct mailbox *b, struct store_folder *f, uint32_t uid)
{
	struct store_body *body;

	assert_int_equal(b->s.ops->body_open(b->s.impl, f, uid, &body),
	    STORE_OK);
	return body;
}

static void
read_and_close(struct mailbox *b, struct store_body *body, char c, size_t n)
{
	struct buf	out;
	size_t		i;

	buf_init(&out, 1 << 20);
	assert_int_equal(b->s.ops->body_read(b->s.impl, body, 0, n / 2, &out),
	    STORE_OK);
	assert_int_equal(b->s.ops->body_read(b->s.impl, body,
	    (uint32_t)(n / 2), SIZE_MAX, &out), STORE_OK);
	assert_int_equal(out.n, n);
	for (i = 0; i < n; i++)
		assert_int_equal(out.p[out.at + i], c);
	b->s.ops->body_close(b->s.impl, body);
	buf_clear(&out);
}

/* What is open can be read, whatever becomes of message and folder. */
static void
test_bodies(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	struct store_body	*inline_body, *file, *late;
	static char		 a[8000], c[20000];
	const uint32_t		 uids[] = { 1, 2 };

	memset(a, 'a', sizeof(a));
	memset(c, 'c', sizeof(c));
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	put(b, "a", str_of(a, sizeof(a)));
	put(b, "a", str_of(c, sizeof(c)));
	put(b, "a", str_of(a, 10));
	f = open_folder(b, "a");
	/* Opened before its bytes are in the log, read after. */
	late = open_body(b, f, 3);
	mailbox_turn(b);
	inline_body = open_body(b, f, 1);
	file = open_body(b, f, 2);
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, uids, 2), STORE_OK);
	mailbox_turn(b);
	assert_int_equal(b->s.ops->body_open(b->s.impl, f, 1, &(struct
	    store_body *){ NULL }), STORE_NO_SUCH);
	read_and_close(b, inline_body, 'a', sizeof(a));
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	close_folder(b, f);
	mailbox_turn(b);
	read_and_close(b, file, 'c', sizeof(c));
	read_and_close(b, late, 'a', 10);
}

static void
test_gone(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	uint32_t		 uid = 1, validity, was;
	struct buf		 out;

	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	put(b, "a", S("one"));
	mailbox_turn(b);
	f = open_folder(b, "a");
	was = f->uidvalidity;
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	assert_true(f->gone);
	assert_int_equal(f->n, 0);
	buf_init(&out, 100);
	assert_int_equal(store_octets(b->s, f, 1, 0, 9, &out),
	    STORE_NO_SUCH);
	buf_clear(&out);
	assert_int_equal(b->s.ops->flags(b->s.impl, f, &uid, 1, STORE_ADD,
	    1, 0), STORE_OK);
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, &uid, 1), STORE_OK);
	assert_int_equal(b->s.ops->copy(b->s.impl, f, &uid, 1, S("INBOX"),
	    &validity, NULL), STORE_NO_SUCH);
	assert_int_equal(b->s.ops->keyword(b->s.impl, f, S("x"), true), -1);
	b->s.ops->seen_recent(b->s.impl, f);
	mailbox_turn(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	mailbox_turn(b);
	close_folder(b, f);
	f = open_folder(b, "a");
	assert_true(f->uidvalidity > was);
	assert_int_equal(f->n, 0);
	close_folder(b, f);
}

static void
test_modseq_rises(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f = open_folder(b, "INBOX");
	uint32_t		 uids[] = { 1, 2 }, validity;
	uint64_t		 was = f->modseq;

	put(b, "INBOX", S("one"));
	assert_true(f->modseq > was);
	assert_int_equal(f->msgs[0].modseq, f->modseq);
	put(b, "INBOX", S("two"));
	was = f->modseq;
	assert_int_equal(b->s.ops->copy(b->s.impl, f, uids, 2, S("INBOX"),
	    &validity, NULL), STORE_OK);
	assert_true(f->msgs[2].modseq > was);
	assert_true(f->msgs[3].modseq > f->msgs[2].modseq);
	assert_int_equal(f->modseq, f->msgs[3].modseq);
	was = f->modseq;
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, uids, 1), STORE_OK);
	assert_true(f->modseq > was);
	was = f->modseq;
	assert_int_equal(b->s.ops->rename(b->s.impl, S("INBOX"), S("a")),
	    STORE_OK);
	assert_int_equal(f->n, 0);
	assert_true(f->modseq > was);
	close_folder(b, f);
}

/* -- the index -------------------------------------------------------- */

static int
count_row(void *arg, struct str key, struct str value)
{
	unsigned *n = arg;

	(void)key;
	(void)value;
	(*n)++;
	return 0;
}

static unsigned
rows(const struct mailbox *b, struct str prefix)
{
	int		 dir = openat(b->dirfd, "index", O_RDONLY);
	struct index	*ix = index_open(dir);
	unsigned	 n = 0;

	assert_non_null(ix);
	assert_int_equal(index_scan(ix, prefix, count_row, &n), 0);
	index_close(ix);
	(void)close(dir);
	return n;
}

/* What goes leaves no rows behind. */
static void
test_rows_go(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	uint32_t		 uid = 2;

	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	put(b, "a", S("one"));
	put(b, "INBOX", S("two"));
	put(b, "INBOX", S("three"));
	assert_int_equal(b->s.ops->subscribe(b->s.impl, S("a"), true),
	    STORE_OK);
	mailbox_close(b);
	assert_int_equal(rows(b, S("M")), 3);
	assert_int_equal(rows(b, S("F")), 2);
	assert_int_equal(rows(b, S("S")), 1);
	mailbox_open(b);
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	assert_int_equal(b->s.ops->subscribe(b->s.impl, S("a"), false),
	    STORE_OK);
	f = open_folder(b, "INBOX");
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, &uid, 1), STORE_OK);
	close_folder(b, f);
	mailbox_close(b);
	assert_int_equal(rows(b, S("M")), 1);
	assert_int_equal(rows(b, S("F")), 1);
	assert_int_equal(rows(b, S("S")), 0);
	mailbox_open(b);
}

/* Berkeley DB can write its files no longer. */
static void
break_index(const struct mailbox *b)
{
	char		 link[64], to[200], want[100];
	int		 fd, null = open("/dev/null", O_RDONLY);
	ssize_t		 n;

	snprintf(want, sizeof(want), "%s/index/", b->path);
	for (fd = 3; fd < 100; fd++) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, to, sizeof(to));
		if (n > 0 && str_starts(str_of(to, (size_t)n), str_c(want)))
			assert_int_equal(dup2(null, fd), fd);
	}
	(void)close(null);
}

/* The turn in which the index fails is the last; nothing is lost. */
static void
test_index_fails(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	uint64_t		 qid = 0;
	enum mbox_result	 r = MBOX_OK;

	break_index(b);
	while (r == MBOX_OK) {
		assert_true(qid < 10000);
		deliver(b, ++qid, S("text"));
		r = mbox_turn(b->m);
	}
	assert_int_equal(r, MBOX_DEAD);
	assert_int_equal(mbox_turn(b->m), MBOX_DEAD);
	mailbox_close(b);
	mailbox_open(b);
	assert_true(b->report.rebuilt);
	f = open_folder(b, "INBOX");
	assert_int_equal(f->n, qid);
	close_folder(b, f);
}

/* -- without an index ------------------------------------------------- */

/* It cannot be made: everything works, out of memory. */
static void
test_no_index(void **state)
{
	struct mailbox	*b = *state;
	struct buf	 x, y;
	int		 i;

	put(b, "INBOX", S("one"));
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	assert_int_equal(mkdirat(b->dirfd, "index", 0700), 0);
	assert_int_equal(mkdirat(b->dirfd, "index/index.db", 0700), 0);
	buf_init(&x, 1024 * 1024);
	buf_init(&y, 1024 * 1024);
	for (i = 0; i < 3; i++) {
		mailbox_open(b);
		assert_true(b->report.no_index);
		put(b, "INBOX", S("more"));
		deliver(b, (uint64_t)i, S("less"));
		mailbox_turn(b);
		set_flag(b, 1, (uint8_t)(1 << i));
		mailbox_turn(b);
		assert_int_equal(flags_of(b, 0), (2 << i) - 1);
		mailbox_close(b);
	}
	mailbox_open(b);
	store_dump(b->s, &x, true);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_false(b->report.no_index);
	store_dump(b->s, &y, true);
	assert_true(str_eq(buf_str(&x), buf_str(&y)));
	buf_clear(&x);
	buf_clear(&y);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deferred),
		TEST(test_deferred_killed),
		TEST(test_two_sessions),
		TEST(test_bodies),
		TEST(test_gone),
		TEST(test_modseq_rises),
		TEST(test_rows_go),
		TEST(test_index_fails),
		TEST(test_no_index),
	};

	log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
