/*
 * hash: the workers as processes.  They answer, die and come back; the queue
 * is bounded; unknown users cost what wrong passwords cost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/wait.h>
#include <unistd.h>

#include "authd/hash.h"
#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/mail/text.h"

enum { DEADLINE = 60000 };		/* ms, for what takes a few */

static const struct cred_cost cheap = { 64 * 1024, 1 };
/* Long enough for a signal to come in the middle: some 100 ms. */
static const struct cred_cost slow = { 32 << 20, 8 };

static struct hash *hash;

/* What the answers were, in order. */
static struct {
	unsigned		n;
	enum hash_result	result[600];
	unsigned		computed[600];
	struct buf		creds;		/* of the last */
} got;

static void
on_answer(void *arg, const struct hash_answer *a)
{
	unsigned *count = arg;

	got.result[got.n] = a->result;
	got.computed[got.n] = a->computed;
	got.n++;
	buf_reset(&got.creds);
	buf_add(&got.creds, a->creds);
	if (count != NULL)
		(*count)++;
}

static void
start(unsigned workers, unsigned queue_max, struct cred_cost cost)
{
	got.n = 0;
	loop_init();
	hash = hash_fork(&(struct hash_conf){ .workers = { .n = workers,
	    .cost = cost }, .queue_max = queue_max }, -1);
	hash_start(hash);
}

/* Ends them; the nursery ends by itself, with 0. */
static void
stop(void)
{
	int status;

	hash_free(hash);
	loop_free();
	assert_int_not_equal(wait(&status), -1);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	buf_clear(&got.creds);
}

static void
turn(int64_t until)
{
	if (clock_now() > until)
		fail_msg("nothing came");
	loop_turn(100);
}

static void
wait_answers(unsigned n)
{
	int64_t until = clock_now() + DEADLINE;

	while (got.n < n)
		turn(until);
}

/* Until worker i is another process than `old`. */
static int
wait_worker(unsigned i, int old)
{
	int64_t until = clock_now() + DEADLINE;

	while (hash_pid(hash, i) == 0 || hash_pid(hash, i) == old)
		turn(until);
	return hash_pid(hash, i);
}

static void
make(struct str password, struct cred_cost cost, struct buf *list)
{
	buf_init(list, CRED_MAX);
	assert_int_equal(cred_make(password, &cost, list), 0);
}

static void
check(struct str creds, struct str password)
{
	assert_true(hash_check(hash, creds, password, on_answer, NULL));
}

static void
test_answers(void **state)
{
	struct buf	list;
	char		all[CRED_PASSWORD_MAX];

	(void)state;
	start(2, 100, cheap);
	assert_true(hash_make(hash, S("a\0\xff"), on_answer, NULL));
	wait_answers(1);
	assert_int_equal(got.result[0], HASH_GOOD);
	buf_init(&list, CRED_MAX);
	buf_add(&list, buf_str(&got.creds));
	assert_true(list.n > 0);

	check(buf_str(&list), S("a\0\xff"));
	wait_answers(2);
	assert_int_equal(got.result[1], HASH_GOOD);
	assert_int_equal(got.creds.n, 0);
	check(buf_str(&list), S("a\0\xfe"));
	wait_answers(3);
	assert_int_equal(got.result[2], HASH_BAD);
	memset(all, 'x', sizeof(all));
	check(buf_str(&list), str_of(all, sizeof(all)));
	wait_answers(4);
	assert_int_equal(got.result[3], HASH_BAD);
	assert_int_equal(got.creds.n, 0);
	buf_clear(&list);
	stop();
}

/* A wrong password, nobody's password, a broken list: one computation. */
static void
test_equal_work(void **state)
{
	struct buf	list, broken;
	unsigned	i;

	(void)state;
	make(S("pencil"), cheap, &list);
	buf_init(&broken, CRED_MAX);
	cred_add(&broken, CRED_ARGON2ID, S("*"));
	start(1, 100, cheap);
	check(buf_str(&list), S("wrong"));
	check(S(""), S("wrong"));
	check(S(""), S("pencil"));
	check(buf_str(&broken), S("pencil"));
	check(buf_str(&list), S("pencil"));
	wait_answers(5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(got.computed[i], 1);
		assert_int_equal(got.result[i], i < 4 ? HASH_BAD : HASH_GOOD);
	}
	buf_clear(&list);
	buf_clear(&broken);
	stop();
}

/* A hash made at another cost is made again when the password is good. */
static void
test_stale(void **state)
{
	struct buf list, better;

	(void)state;
	make(S("pencil"), (struct cred_cost){ 128 * 1024, 1 }, &list);
	start(1, 100, cheap);
	check(buf_str(&list), S("wrong"));
	wait_answers(1);
	assert_int_equal(got.creds.n, 0);
	check(buf_str(&list), S("pencil"));
	wait_answers(2);
	assert_int_equal(got.result[1], HASH_GOOD);
	assert_true(got.creds.n > 0);
	buf_init(&better, CRED_MAX);
	buf_add(&better, buf_str(&got.creds));
	assert_false(cred_is_stale(buf_str(&better), &cheap));
	check(buf_str(&better), S("pencil"));
	wait_answers(3);
	assert_int_equal(got.result[2], HASH_GOOD);
	assert_int_equal(got.creds.n, 0);
	buf_clear(&list);
	buf_clear(&better);
	stop();
}

static void
test_bound(void **state)
{
	unsigned i;

	(void)state;
	start(1, 3, cheap);
	/* Nobody works before the first turn. */
	for (i = 0; i < 3; i++)
		check(S(""), S("x"));
	assert_int_equal(hash_waiting(hash), 3);
	assert_false(hash_check(hash, S(""), S("x"), on_answer, NULL));
	assert_false(hash_make(hash, S("x"), on_answer, NULL));
	wait_answers(3);
	assert_int_equal(hash_waiting(hash), 0);
	/* One is worked on, three wait. */
	for (i = 0; i < 4; i++)
		check(S(""), S("x"));
	assert_false(hash_check(hash, S(""), S("x"), on_answer, NULL));
	wait_answers(7);
	assert_int_equal(got.n, 7);
	stop();
}

static void
test_killed_idle(void **state)
{
	int pid;

	(void)state;
	start(1, 10, cheap);
	pid = wait_worker(0, 0);
	kill(pid, SIGKILL);
	/* Whether before or after its death: it is done by the next. */
	check(S(""), S("x"));
	wait_worker(0, pid);
	wait_answers(1);
	assert_int_equal(got.result[0], HASH_BAD);
	stop();
}

/* The job of a dead worker is done by the next, and answered once. */
static void
test_killed_busy(void **state)
{
	struct buf	list;
	unsigned	count = 0;
	int		pid;

	(void)state;
	make(S("pencil"), cheap, &list);
	start(1, 10, cheap);
	pid = wait_worker(0, 0);
	kill(pid, SIGSTOP);
	assert_true(hash_check(hash, buf_str(&list), S("pencil"), on_answer,
	    &count));
	assert_int_equal(hash_waiting(hash), 0);
	check(S(""), S("x"));
	check(buf_str(&list), S("pencil"));
	kill(pid, SIGKILL);
	wait_worker(0, pid);
	/*
	 * What the dead one left in the socket is answered too, by the next;
	 * that must not be taken for the answer to a later job.
	 */
	wait_answers(3);
	assert_int_equal(got.result[0], HASH_GOOD);
	assert_int_equal(got.result[1], HASH_BAD);
	assert_int_equal(got.result[2], HASH_GOOD);
	assert_int_equal(count, 1);
	assert_int_equal(got.n, 3);
	buf_clear(&list);
	stop();
}

/* Two workers die with a job; its result. */
static enum hash_result
die_twice(void)
{
	unsigned	n = got.n;
	int		pid = wait_worker(0, 0);

	kill(pid, SIGSTOP);
	check(S(""), S("deadly"));
	kill(pid, SIGKILL);
	pid = wait_worker(0, pid);
	kill(pid, SIGKILL);
	wait_worker(0, pid);
	assert_int_equal(got.n, n + 1);
	return got.result[n];
}

/* A job that two workers died of has failed; the third goes on. */
static void
test_deadly(void **state)
{
	int i;

	(void)state;
	start(1, 10, slow);
	/* The second may have done it, if we had to wait for a processor. */
	for (i = 0; i < 10 && die_twice() == HASH_BAD; i++)
		;
	assert_int_equal(got.result[got.n - 1], HASH_FAILED);
	check(S(""), S("harmless"));
	wait_answers(got.n + 1);
	assert_int_equal(got.result[got.n - 1], HASH_BAD);
	stop();
}

/* While every worker is busy the loop turns as if nothing were. */
static void
test_no_stall(void **state)
{
	struct buf	list;
	int		fds[2], i;
	unsigned	before;
	char		c = 'x';

	(void)state;
	make(S("pencil"), slow, &list);
	start(2, 100, slow);
	wait_worker(0, 0);
	wait_worker(1, 0);
	for (i = 0; i < 6; i++)
		check(buf_str(&list), S("pencil"));
	before = got.n;
	assert_int_equal(pipe(fds), 0);
	/* Workers are stopped: only the loop's own work can go on. */
	kill(hash_pid(hash, 0), SIGSTOP);
	kill(hash_pid(hash, 1), SIGSTOP);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(write(fds[1], &c, 1), 1);
		loop_turn(0);
		assert_int_equal(read(fds[0], &c, 1), 1);
	}
	assert_in_range(got.n, before, before + 2);
	kill(hash_pid(hash, 0), SIGCONT);
	kill(hash_pid(hash, 1), SIGCONT);
	wait_answers(6);
	for (i = 0; i < 6; i++)
		assert_int_equal(got.result[i], HASH_GOOD);
	close(fds[0]);
	close(fds[1]);
	buf_clear(&list);
	stop();
}

/* Without its nursery authd cannot go on: it ends, to be started again. */
static void
test_nursery_killed(void **state)
{
	int	status, fds[2];
	pid_t	pid, nursery;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(fds[0]);
		log_to(open("/dev/null", O_WRONLY));
		alarm(120);
		start(2, 10, cheap);
		wait_worker(0, 0);
		wait_worker(1, 0);
		nursery = hash_nursery(hash);
		if (write(fds[1], &nursery, sizeof(nursery)) == -1)
			_exit(2);
		loop_run();
		_exit(3);
	}
	assert_int_equal(read(fds[0], &nursery, sizeof(nursery)),
	    sizeof(nursery));
	kill(nursery, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	close(fds[0]);
	close(fds[1]);
}

static void
die_at_once(void)
{
	_exit(1);
}

/* Workers that cannot start are not forked for ever when authd is gone. */
static void
test_orphaned(void **state)
{
	struct worker_conf	c = { .n = 2, .cost = { 8192, 1 },
				    .lock_worker = die_at_once };
	int			fds[2], status, pid, tries = 0;
	pid_t			ended;

	(void)state;
	pid = worker_fork(&c, -1, fds);
	close(fds[0]);
	close(fds[1]);
	do {
		ended = waitpid(pid, &status, WNOHANG);
		poll(NULL, 0, 10);
	} while (ended == 0 && ++tries < 6000);
	if (ended == 0)
		kill(pid, SIGKILL);
	assert_int_equal(ended, pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_equal_work),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_killed_idle),
		cmocka_unit_test(test_killed_busy),
		cmocka_unit_test(test_deadly),
		cmocka_unit_test(test_no_stall),
		cmocka_unit_test(test_orphaned),
		cmocka_unit_test(test_nursery_killed),
	};

	if (sodium_init() == -1)
		return 1;
	alarm(300);
	log_to(open("/dev/null", O_WRONLY));
	if (text_init() == -1)
		return 1;
	buf_init(&got.creds, CRED_MAX);
	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
