/*
 * The helper for files of large payloads: what is asked is done and answered
 * in order, and what becomes of it when the helper is late, fails or dies.
 */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/disk/bulk.h"
#include "tests/lib/tmpdir.h"

enum { ALL = BULK_SYNC | BULK_REMOVE | BULK_CHECK };

static struct tmpdir	dir;
static struct bodyfiles	files;
static struct bulk	*bulk;
static int		 sock = -1;	/* the helper's end */
static int		 needs;		/* how often one was asked for */

/* What was answered, in order. */
static uint64_t	ids[16];
static int	errors[16];
static size_t	nanswers;

static void
on_need(void *arg)
{
	(void)arg;
	needs++;
}

static void
on_answer(void *arg, uint64_t id, int error)
{
	(void)arg;
	ids[nanswers] = id;
	errors[nanswers++] = error;
}

static void
attach(void)
{
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    sv), 0);
	sock = sv[1];
	bulk_attach(bulk, sv[0]);
}

static int
set_up(void **state)
{
	(void)state;
	assert_int_not_equal(sodium_init(), -1);
	log_level(LOG_ERROR);
	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	tmpdir_make(&dir);
	files = (struct bodyfiles){ dir.fd, "body-" };
	loop_init();
	bulk = bulk_new(on_need, NULL);
	nanswers = 0;
	needs = 0;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	bulk_free(bulk);
	if (sock != -1)
		close(sock);
	sock = -1;
	loop_free();
	tmpdir_remove(&dir);
	return 0;
}

static void
make(uint64_t id, struct str text, unsigned char hash[HASH_LEN])
{
	struct bodyfile *f = bodyfile_create(&files, id);

	assert_non_null(f);
	assert_int_equal(bodyfile_write(f, text), 0);
	bodyfile_end(f, hash);
	bodyfile_free(f);
}

static void
ask(enum bulk_op op, uint64_t id, void *arg)
{
	bulk_ask(bulk, &(struct bulk_ask){ .op = op, .id = id }, on_answer,
	    arg);
}

static bool
is_there(uint64_t id)
{
	struct stat st;

	return fstatat(dir.fd, bodyfile_name(&files, id).s, &st, 0) == 0;
}

static void
test_done_in_order(void **state)
{
	unsigned char hash[HASH_LEN];

	(void)state;
	make(1, S("one"), hash);
	make(2, S("two"), hash);
	/* Asked before there is a helper: it waits for one. */
	ask(BULK_SYNC, 1, NULL);
	assert_int_equal(needs, 1);
	attach();
	ask(BULK_REMOVE, 1, NULL);
	bulk_ask(bulk, &(struct bulk_ask){ BULK_CHECK, 2, 3, hash },
	    on_answer, NULL);
	bulk_ask(bulk, &(struct bulk_ask){ BULK_CHECK, 2, 4, hash },
	    on_answer, NULL);
	ask(BULK_SYNC, 1, NULL);
	assert_int_equal(needs, 1);
	loop_turn(0);
	assert_int_equal(nanswers, 0);
	while (nanswers < 5) {
		assert_true(bulk_serve_one(&files, sock, ALL));
		loop_turn(0);
	}
	assert_int_equal(ids[0], 1);
	assert_int_equal(errors[0], 0);
	assert_int_equal(errors[1], 0);
	assert_false(is_there(1));
	assert_int_equal(ids[2], 2);
	assert_int_equal(errors[2], 0);
	assert_int_equal(errors[3], EBADMSG);
	assert_int_equal(errors[4], ENOENT);
	assert_true(bulk_is_idle(bulk));
}

/* An owner's helper may sync and nothing else. */
static void
test_may_not(void **state)
{
	unsigned char hash[HASH_LEN];

	(void)state;
	make(1, S("one"), hash);
	attach();
	ask(BULK_REMOVE, 1, NULL);
	assert_false(bulk_serve_one(&files, sock, BULK_SYNC));
	assert_true(is_there(1));
}

static void
test_forgotten(void **state)
{
	unsigned char	hash[HASH_LEN];
	int		me, other;

	(void)state;
	make(1, S("one"), hash);
	attach();
	ask(BULK_SYNC, 1, &me);
	ask(BULK_SYNC, 1, &other);
	bulk_forget(bulk, &me);
	assert_true(bulk_serve_one(&files, sock, ALL));
	loop_turn(0);
	assert_int_equal(nanswers, 0);
	assert_false(bulk_is_idle(bulk));
	assert_true(bulk_serve_one(&files, sock, ALL));
	loop_turn(0);
	assert_int_equal(nanswers, 1);
}

static void
test_dies(void **state)
{
	(void)state;
	attach();
	ask(BULK_SYNC, 1, NULL);
	ask(BULK_SYNC, 2, NULL);
	close(sock);
	sock = -1;
	loop_turn(0);
	assert_int_equal(nanswers, 2);
	assert_int_equal(errors[0], EPIPE);
	assert_int_equal(errors[1], EPIPE);
	assert_true(bulk_is_idle(bulk));
	/* The next one wants another. */
	ask(BULK_SYNC, 3, NULL);
	assert_int_equal(needs, 1);
	attach();
	assert_true(bulk_serve_one(&files, sock, ALL));
	loop_turn(0);
	assert_int_equal(ids[2], 3);
	assert_int_equal(errors[2], ENOENT);
}

/* Idle, it goes unnoticed; let go, it sees the end. */
static void
test_ends_idle(void **state)
{
	char c;

	(void)state;
	attach();
	close(sock);
	loop_turn(0);
	assert_int_equal(nanswers, 0);
	attach();
	bulk_detach(bulk);
	assert_int_equal(recv(sock, &c, 1, MSG_DONTWAIT), 0);
	ask(BULK_SYNC, 1, NULL);
	assert_int_equal(needs, 1);
}

static void
on_answer_ask(void *arg, uint64_t id, int error)
{
	on_answer(NULL, id, error);
	ask(BULK_SYNC, 7, arg);
}

static void
test_none_to_be_had(void **state)
{
	(void)state;
	bulk_ask(bulk, &(struct bulk_ask){ .op = BULK_SYNC, .id = 1 },
	    on_answer_ask, NULL);
	ask(BULK_SYNC, 2, NULL);
	bulk_fail(bulk, ETIMEDOUT);
	assert_int_equal(nanswers, 2);
	assert_int_equal(errors[0], ETIMEDOUT);
	assert_int_equal(ids[1], 2);
	/* What was asked by the one that was told is still to be done. */
	assert_false(bulk_is_idle(bulk));
	assert_int_equal(needs, 3);
}

/* An answer to nothing that was asked: the other end is not trusted. */
static void
test_nonsense(void **state)
{
	char junk[200] = "x";

	(void)state;
	attach();
	ask(BULK_SYNC, 1, NULL);
	assert_int_equal(send(sock, junk, sizeof(junk), 0), sizeof(junk));
	loop_turn(0);
	assert_int_equal(nanswers, 1);
	assert_int_equal(errors[0], EPIPE);
}

static void
test_forked(void **state)
{
	unsigned char	hash[HASH_LEN];
	int		i;

	(void)state;
	make(1, S("one"), hash);
	bulk_attach(bulk, bulk_fork(&files, false));
	ask(BULK_SYNC, 1, NULL);
	ask(BULK_REMOVE, 1, NULL);
	for (i = 0; i < 6000 && nanswers < 2; i++)
		loop_turn(10);
	assert_int_equal(nanswers, 2);
	assert_int_equal(errors[0], 0);
	assert_int_equal(errors[1], 0);
	assert_false(is_there(1));
}

/* More than the socket takes at once: the rest leaves as answers come. */
static void
test_many(void **state)
{
	int i, done = 0;

	(void)state;
	attach();
	for (i = 0; i < 5000; i++)
		bulk_ask(bulk, &(struct bulk_ask){ .op = BULK_SYNC,
		    .id = 1 }, NULL, NULL);
	while (!bulk_is_idle(bulk)) {
		assert_true(bulk_serve_one(&files, sock, ALL));
		loop_turn(0);
		done++;
	}
	assert_int_equal(done, 5000);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_done_in_order), T(test_may_not), T(test_forgotten),
		T(test_dies), T(test_ends_idle), T(test_none_to_be_had),
		T(test_nonsense), T(test_forked), T(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
