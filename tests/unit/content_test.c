/*
 * content_test - contents that are files are checked by the helper before
 * they are handed out, once in a process; a damaged one is held.
 */
#include "tests/lib/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/id.h"
#include "tests/lib/queue_world.h"

static int
set_up(void **state)
{
	world_setup(state);
	/* A few octets are a file already. */
	world.rig.q.conf.intake.by_value = 1;
	world.keep = true;
	return 0;
}

/*
 * The helper is another process: turns, until it has answered and what came
 * of that is done too.
 */
static void
turns_until_idle(void)
{
	int i, idle = 0;

	for (i = 0; i < 60000 && idle < 20; i++) {
		loop_turn(1);
		idle = bulk_is_idle(world.rig.q.bulk) ? idle + 1 : 0;
	}
	assert_int_equal(idle, 20);
}

/* Our only child that lives; stopped, until the caller says SIGCONT. */
static pid_t
stop_helper(void)
{
	char	 path[64], text[256];
	char	*at = text, *end;
	long	 pid = 0, next;
	int	 fd, status;
	ssize_t	 n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children",
	    (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	close(fd);
	text[n] = '\0';
	/* In the order of their birth: the last is the one of this queued. */
	while ((next = strtol(at, &end, 10)) > 0 && end > at) {
		pid = next;
		at = end;
	}
	assert_true(pid > 0);
	assert_int_equal(kill((pid_t)pid, SIGSTOP), 0);
	assert_int_equal(waitpid((pid_t)pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	return (pid_t)pid;
}

/* Taken and durable; nobody has asked where it goes yet. */
static uint64_t
submit(const char *rcpts)
{
	uint64_t qid = world_submit(rcpts);

	turns_until_idle();
	assert_int_equal(front_verdict(&world.front, qid), SUBMIT_OK);
	return qid;
}

static void
route(uint64_t qid)
{
	struct held *h = world_find(true, qid, LEASE_ALL, 0);

	assert_non_null(h);
	world_answer_route(h);
	turns_until_idle();
}

static void
flip(uint64_t qid)
{
	int	fd = openat(world.rig.q.files.dir, id_text(qid).s, O_RDWR);
	char	c;

	assert_int_equal(pread(fd, &c, 1, 0), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, 0), 1);
	close(fd);
}

static void
test_sound(void **state)
{
	uint64_t	qid = submit("m1 m2");
	struct message	*m = queue_find(&world.rig.q.queue, qid);

	(void)state;
	assert_int_not_equal(m->flags & RECORD_FILE, 0);
	assert_int_equal(m->content, CONTENT_UNCHECKED);
	route(qid);
	assert_int_equal(m->content, CONTENT_SOUND);
	assert_non_null(world_find(false, qid, 0, 1));
	assert_non_null(world_find(false, qid, 1, 1));
}

/* A job on its way out says what the file is to be. */
static int
on_local(struct hand *h, const struct msg *m, int fd)
{
	const struct msg_local_job	*j = &m->local_job;
	struct message			*msg;

	if (m->type == MSG_LOCAL_JOB) {
		msg = queue_find(&world.rig.q.queue, j->qid);
		assert_int_equal(j->hash.n, fd == -1 ? 0 : MSG_HASH);
		assert_int_equal(fd != -1, (msg->flags & RECORD_FILE) != 0);
		if (fd != -1)
			assert_int_equal(bodyfile_check(
			    world.rig.q.files.dir, id_text(j->qid).s, j->size,
			    (const unsigned char *)j->hash.p), 0);
	}
	return world_on_local(h, m, fd);
}

static void
test_hash_goes_along(void **state)
{
	uint64_t qid;

	(void)state;
	world.local.fn = on_local;
	qid = submit("m1");
	route(qid);
	assert_non_null(world_find(false, qid, 0, 1));
	world.rig.q.conf.intake.by_value = 1000;
	qid = submit("m1");
	route(qid);
	assert_non_null(world_find(false, qid, 0, 1));
}

static void
test_damaged(void **state)
{
	uint64_t	qid = submit("m1 m2");
	struct message	*m = queue_find(&world.rig.q.queue, qid);
	uint32_t	i;

	(void)state;
	flip(qid);
	route(qid);
	for (i = 0; i < 2; i++) {
		assert_null(world_find(false, qid, i, 0));
		assert_int_equal(queue_target(m, i)->state, TARGET_HELD);
		assert_string_equal(target_error(queue_target(m, i)),
		    "4.3.0 the stored message cannot be read");
	}
	assert_int_equal(m->content, CONTENT_UNCHECKED);
}

/* Once in a process, and again in the next one. */
static void
test_once(void **state)
{
	uint64_t	 qid = submit("m1");
	struct held	*h;

	(void)state;
	route(qid);
	h = world_find(false, qid, 0, 1);
	assert_non_null(h);
	/* The worker dies too, so that it is handed out again. */
	world_drop(h);
	flip(qid);
	world_kill();
	world_connect();
	rig_pass(&world.rig, QUEUED_GRACE + QUEUED_ORPHAN);
	turns_until_idle();
	assert_int_equal(world_target(qid, 0)->state, TARGET_HELD);
}

/* The message goes while its file is being read. */
static void
test_removed_meanwhile(void **state)
{
	uint64_t	 qid = submit("m1");
	struct held	*h = world_find(true, qid, LEASE_ALL, 0);
	struct message	*m;

	(void)state;
	assert_non_null(h);
	world_answer_route(h);
	m = queue_find(&world.rig.q.queue, qid);
	while (m->content != CONTENT_CHECKING)
		loop_turn(0);
	queued_finish(&world.rig.q, m, FINISH_REMOVED);
	turns_until_idle();
	assert_null(queue_find(&world.rig.q.queue, qid));
	assert_null(world_find(false, qid, 0, 0));
	assert_int_equal(faccessat(world.rig.q.files.dir, id_text(qid).s,
	    F_OK, 0), -1);
}

/*
 * Its worker is late after a restart: another one has made queued look at the
 * file, and the lease comes meanwhile.  The job that is out stays the only one.
 */
static void
test_lease_meanwhile(void **state)
{
	struct queued	*q = &world.rig.q;
	uint64_t	 qid = submit("m1");
	struct hand	 other;
	struct held	*h;
	pid_t		 helper;
	int		 i;

	(void)state;
	route(qid);
	h = world_find(false, qid, 0, 1);
	assert_non_null(h);
	world_kill();
	helper = stop_helper();
	hand_open(&world.local, &world.rig, R_LOCAL, world_on_local, NULL);
	hand_open(&other, &world.rig, R_LOCAL, world_on_local, NULL);
	chan_send_worker_ready(other.chan, &(struct msg_worker_ready){ 64 },
	    -1);
	rig_turns(4);
	rig_pass(&world.rig, QUEUED_GRACE);
	for (i = 0; i < 1000; i++) {
		loop_turn(0);
		if (queue_find(&q->queue, qid)->content != CONTENT_UNCHECKED)
			break;
	}
	assert_int_equal(queue_find(&q->queue, qid)->content,
	    CONTENT_CHECKING);
	assert_int_equal(leases_count(q->leases), 0);
	world_present(&world.local, false, 64);
	rig_turns(4);
	kill(helper, SIGCONT);
	turns_until_idle();
	assert_int_equal(queue_find(&q->queue, qid)->content, CONTENT_SOUND);
	assert_int_equal(leases_count(q->leases), 1);
	assert_ptr_equal(world_find(false, qid, 0, 1), h);
	world_answer_local(h);
	turns_until_idle();
	assert_null(queue_find(&q->queue, qid));
	hand_close(&other);
	world.keep = false;
	front_open(&world.front, &world.rig);
	hand_open(&world.route, &world.rig, R_ROUTE, world_on_route, NULL);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, world_teardown)
	const struct CMUnitTest tests[] = {
		T(test_sound), T(test_hash_goes_along), T(test_damaged),
		T(test_once), T(test_removed_meanwhile),
		T(test_lease_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
