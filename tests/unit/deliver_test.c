/*
 * Deliveries: exactly once by queue id, in data or by descriptor, in memory
 * or in files, and through kills at any moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/core/log.h"
#include "mailboxd/deliver.h"
#include "tests/lib/mailbox.h"

enum { TEXT_MAX = 300 * 1024 };

static char text[TEXT_MAX];

static const char trace[] =
    "Return-Path: <from@example.org>\r\nDelivered-To: to@example.org\r\n";

static int
set_up(void **state)
{
	static struct mailbox	b;
	size_t			i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 25);
	mailbox_make(&b);
	mailbox_open(&b);
	*state = &b;
	return 0;
}

static int
tear_down(void **state)
{
	mailbox_remove(*state);
	return 0;
}

static struct deliver_new
new_of(uint64_t qid, uint64_t size)
{
	return (struct deliver_new){
		.qid = qid, .date = 1700000000,
		.sender = S("from@example.org"), .rcpt = S("to@example.org"),
		.size = size
	};
}

static enum deliver_result
deliver(struct mailbox *b, uint64_t qid, size_t n, size_t piece)
{
	const struct deliver_new new = new_of(qid, n);
	enum deliver_result	 r;
	struct deliver		*d;
	size_t			 at;

	r = deliver_begin(b->m, &new, &d);
	if (r != DELIVER_OK)
		return r;
	for (at = 0; at < n; at += piece) {
		r = deliver_data(d, str_sub(str_of(text, n), at, piece));
		assert_int_equal(r, DELIVER_OK);
	}
	assert_true(deliver_is_whole(d));
	return deliver_end(d);
}

static struct store_folder *
inbox(struct mailbox *b)
{
	struct store_folder *f;

	assert_int_equal(b->s.ops->open(b->s.impl, S("INBOX"), &f), STORE_OK);
	return f;
}

static void
assert_content(struct mailbox *b, size_t i, size_t n)
{
	struct store_folder	*f = inbox(b);
	struct buf		 out;
	size_t			 from;

	buf_init(&out, TEXT_MAX + 1000);
	assert_true(i < f->n);
	assert_int_equal(f->msgs[i].size, n + sizeof(trace) - 1);
	assert_int_equal(store_octets(b->s, f, f->msgs[i].uid, 0,
	    SIZE_MAX, &out), STORE_OK);
	assert_int_equal(out.n, n + sizeof(trace) - 1);
	assert_memory_equal(out.p + out.at, trace, sizeof(trace) - 1);
	assert_memory_equal(out.p + out.at + sizeof(trace) - 1, text, n);
	/* Across the seam between trace and body, octet by octet. */
	for (from = sizeof(trace) - 4; from < sizeof(trace) + 3; from++) {
		struct buf one;

		buf_init(&one, 10);
		assert_int_equal(store_octets(b->s, f,
		    f->msgs[i].uid, (uint32_t)from, 3, &one), STORE_OK);
		assert_true(str_eq(buf_str(&one),
		    str_sub(buf_str(&out), from, 3)));
		buf_clear(&one);
	}
	b->s.ops->close(b->s.impl, f);
	buf_clear(&out);
}

static size_t
inbox_n(struct mailbox *b)
{
	struct store_folder	*f = inbox(b);
	size_t			 n = f->n;

	b->s.ops->close(b->s.impl, f);
	return n;
}

static const size_t sizes[] = { 1, 100, 8191, 8192, 8193, TEXT_MAX };
enum { NSIZES = sizeof(sizes) / sizeof(sizes[0]) };

static void
check_all(struct mailbox *b)
{
	size_t i;

	assert_int_equal(inbox_n(b), NSIZES);
	for (i = 0; i < NSIZES; i++)
		assert_content(b, i, sizes[i]);
}

/* Readable before the commit, behind it, reopened, without the index. */
static void
test_sizes(void **state)
{
	struct mailbox	*b = *state;
	size_t		 i;

	for (i = 0; i < NSIZES; i++)
		assert_int_equal(deliver(b, 100 + i, sizes[i],
		    i == 1 ? 1 : 4001), DELIVER_OK);
	check_all(b);
	mailbox_turn(b);
	check_all(b);
	mailbox_close(b);
	mailbox_open(b);
	assert_int_equal(b->report.swept, 0);
	check_all(b);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_int_equal(b->report.swept, 0);
	check_all(b);
}

static void
test_descriptor(void **state)
{
	struct mailbox		*b = *state;
	struct deliver_new	 new;
	struct deliver		*d;
	unsigned char		 hash[HASH_LEN];
	size_t			 i;
	int			 fd;

	for (i = 0; i < NSIZES; i++) {
		crypto_generichash(hash, HASH_LEN, (unsigned char *)text,
		    sizes[i], NULL, 0);
		fd = memfd_create("message", MFD_CLOEXEC);
		assert_int_equal(write(fd, text, sizes[i]), sizes[i]);
		new = new_of(i, sizes[i]);
		assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_OK);
		assert_int_equal(deliver_fd(d, fd, hash), DELIVER_OK);
		assert_int_equal(deliver_end(d), DELIVER_OK);
		/* A file that is shorter than was said. */
		new = new_of(100 + i, sizes[i] + 1);
		assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_OK);
		assert_int_equal(deliver_fd(d, fd, hash), DELIVER_BAD);
		deliver_abort(d);
		(void)close(fd);
	}
	mailbox_turn(b);
	check_all(b);
}

/* How many files of bodies there are. */
static unsigned
files(struct mailbox *b)
{
	struct dirent	*e;
	DIR		*d = fdopendir(openat(b->dirfd, "log", O_RDONLY));
	unsigned	 n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, "body-", 5) == 0;
	(void)closedir(d);
	return n;
}

static void
test_refused(void **state)
{
	struct mailbox		*b = *state;
	struct deliver_new	 new = new_of(1, 10);
	struct deliver		*d;

	assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_OK);
	assert_int_equal(deliver_data(d, str_of(text, 9)), DELIVER_OK);
	assert_int_equal(deliver_data(d, str_of(text, 2)), DELIVER_BAD);
	assert_int_equal(deliver_end(d), DELIVER_BAD);
	new = new_of(1, 10000);
	assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_OK);
	assert_int_equal(deliver_data(d, str_of(text, 9999)), DELIVER_OK);
	assert_int_equal(files(b), 1);
	assert_false(deliver_is_whole(d));
	assert_int_equal(deliver_end(d), DELIVER_BAD);
	assert_int_equal(files(b), 0);
	new.sender = S("x>\r\nSubject: no");
	assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_BAD);
	new = new_of(1, 10);
	new.rcpt = S("");
	assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_BAD);
	new = new_of(1, UINT32_MAX);
	assert_int_equal(deliver_begin(b->m, &new, &d), DELIVER_LARGE);
	assert_int_equal(inbox_n(b), 0);
	assert_int_equal(deliver(b, 1, 10, 10), DELIVER_OK);
}

static void
expunge_all(struct mailbox *b)
{
	struct store_folder	*f = inbox(b);
	uint32_t		 uids[16];
	size_t			 i, n = f->n;

	for (i = 0; i < n; i++)
		uids[i] = f->msgs[i].uid;
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, uids, n), STORE_OK);
	b->s.ops->close(b->s.impl, f);
}

/* Known in this turn, behind it, after deletion, without an index. */
static void
test_again(void **state)
{
	struct mailbox		*b = *state;
	const struct deliver_new new = new_of(7, 10);
	struct deliver		*one, *two;

	assert_int_equal(deliver_begin(b->m, &new, &one), DELIVER_OK);
	assert_int_equal(deliver_begin(b->m, &new, &two), DELIVER_OK);
	assert_int_equal(deliver_data(one, str_of(text, 10)), DELIVER_OK);
	assert_int_equal(deliver_data(two, str_of(text, 10)), DELIVER_OK);
	assert_int_equal(deliver_end(two), DELIVER_OK);
	assert_int_equal(deliver_end(one), DELIVER_AGAIN);
	assert_int_equal(deliver(b, 7, 10, 10), DELIVER_AGAIN);
	mailbox_turn(b);
	assert_int_equal(deliver(b, 7, 10, 10), DELIVER_AGAIN);
	expunge_all(b);
	mailbox_turn(b);
	assert_int_equal(deliver(b, 7, 10, 10), DELIVER_AGAIN);
	mailbox_close(b);
	mailbox_open(b);
	assert_int_equal(deliver(b, 7, 10, 10), DELIVER_AGAIN);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_int_equal(deliver(b, 7, 10, 10), DELIVER_AGAIN);
	assert_int_equal(deliver(b, 8, 10, 10), DELIVER_OK);
	assert_int_equal(inbox_n(b), 1);
}

/* A file that no record names goes, one that is named stays. */
static void
test_sweep(void **state)
{
	struct mailbox		*b = *state;
	const struct deliver_new new = new_of(9, 20000);
	struct deliver		*d;
	pid_t			 pid;

	assert_int_equal(deliver(b, 8, 20000, 20000), DELIVER_OK);
	mailbox_close(b);
	pid = fork();
	if (pid == 0) {
		mailbox_open(b);
		(void)deliver_begin(b->m, &new, &d);
		(void)deliver_data(d, str_of(text, 15000));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(files(b), 2);
	mailbox_open(b);
	assert_int_equal(b->report.swept, 1);
	assert_int_equal(files(b), 1);
	assert_content(b, 0, 20000);
	assert_int_equal(deliver(b, 9, 20000, 20000), DELIVER_OK);
	mailbox_turn(b);
	assert_content(b, 1, 20000);
}

static void
test_locked(void **state)
{
	struct mailbox		*b = *state;
	struct mbox_report	 report;
	struct mbox		*m;

	assert_int_equal(mbox_open(&b->conf, &m, &report), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
test_reserve(void **state)
{
	struct mailbox		*b = *state;
	enum store_result	 r;

	assert_int_equal(deliver(b, 1, 10, 10), DELIVER_OK);
	mailbox_close(b);
	b->conf.reserve = UINT64_MAX / 2;
	mailbox_open(b);
	assert_int_equal(deliver(b, 2, 10, 10), DELIVER_FULL);
	assert_int_equal(store_put(b->s, "INBOX", S("x"), 0, &r), 0);
	assert_int_equal(r, STORE_FULL);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_FULL);
	assert_content(b, 0, 10);
	expunge_all(b);
	mailbox_turn(b);
	assert_int_equal(inbox_n(b), 0);
}

/* -- kills ------------------------------------------------------------ */

/*
 * Delivers qids from `first` on, some twice, in turns of random length, and
 * says through the pipe which are done once their turn is durable.
 */
static void
child(struct mailbox *b, int out, uint64_t first, unsigned seed)
{
	uint64_t	qid = first, done;
	unsigned	i, n;

	srand(seed);
	mailbox_open(b);
	for (;;) {
		n = 1 + (unsigned)rand() % 6;
		done = qid;
		for (i = 0; i < n; i++) {
			(void)deliver(b, qid, rand() % 8 == 0 ? 9000 : 500,
			    4000);
			if (rand() % 3 == 0)
				(void)deliver(b, qid, 500, 500);
			qid++;
		}
		if (mbox_turn(b->m) != MBOX_OK)
			_exit(1);
		for (; done < qid; done++) {
			if (write(out, &done, sizeof(done)) !=
			    (ssize_t)sizeof(done))
				_exit(2);
		}
	}
}

/*
 * Kills it after some time, every other one once it has acknowledged a qid;
 * the last one acknowledged, or 0.
 */
static uint64_t
run_child(struct mailbox *b, uint64_t first, unsigned seed)
{
	struct timespec	 t = { 0, (long)(seed * 7919 % 25) * 1000000 };
	uint64_t	 qid, last = 0;
	int		 p[2], status;
	pid_t		 pid;

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		child(b, p[1], first, seed);
	(void)close(p[1]);
	/* So many that are not yet read: it must not go far while we wait. */
	assert_int_not_equal(fcntl(p[0], F_SETPIPE_SZ, 4096), -1);
	if (seed % 2 == 0)
		assert_int_equal(read(p[0], &last, sizeof(last)),
		    sizeof(last));
	(void)nanosleep(&t, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(p[0], &qid, sizeof(qid)) == (ssize_t)sizeof(qid))
		last = qid;
	(void)close(p[0]);
	return last;
}

/*
 * Nothing acknowledged is lost, nothing is there twice: the queue tries
 * again whatever was not acknowledged, from the first such qid on.
 */
static void
test_killed(void **state)
{
	struct mailbox	*b = *state;
	uint64_t	 next = 1, last;
	unsigned	 i, kills = 20;
	const char	*more = getenv("KILLS");

	if (more != NULL)
		kills = (unsigned)strtoul(more, NULL, 10);
	mailbox_close(b);
	for (i = 0; i < kills; i++) {
		last = run_child(b, next, i + 1);
		if (last != 0)
			next = last + 1;
		if (i % 5 == 4)
			mailbox_remove_dir(b, "index");
	}
	assert_true(next > 1);
	mailbox_open(b);
	assert_int_equal(b->report.skipped, 0);
	assert_int_equal(b->report.log.quarantined, 0);
	/* All that was acknowledged is known, and known once. */
	for (last = 1; last < next; last++)
		assert_int_equal(deliver(b, last, 500, 500), DELIVER_AGAIN);
	while (deliver(b, last, 500, 500) == DELIVER_AGAIN)
		last++;
	assert_int_equal(inbox_n(b), last);
	mailbox_turn(b);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sizes),
		TEST(test_descriptor),
		TEST(test_refused),
		TEST(test_again),
		TEST(test_sweep),
		TEST(test_locked),
		TEST(test_reserve),
		TEST(test_killed),
	};

	log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
