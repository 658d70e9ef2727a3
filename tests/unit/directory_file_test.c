/*
 * directory_file_test - the directory's files: logs that go, damage, what is
 * in the way, and that every acknowledged change survives kill -9.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/log.h"
#include "tests/lib/directory_rig.h"

enum { ACKS_MAX = 100000 };

/* Logs that recovery does not need are removed, also while it is open. */
static void
test_logs(void **state)
{
	char	name[40];
	int	i, n = 0;
	struct stat st;

	(void)state;
	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		assert_int_equal(dir_domain_add(dir, str_c(name), 1), DIR_OK);
	}
	for (i = 1; i < 100; i++) {
		snprintf(name, sizeof(name), "log.%010d", i);
		if (fstatat(tmp.fd, name, &st, 0) == 0)
			n++;
		/* The first are gone; the last one is not the first. */
		if (i == 1)
			assert_int_equal(n, 0);
	}
	assert_in_range(n, 1, 3);
}

/* A process that opens the directory, as a daemon does; its exit code. */
static int
try_open(void)
{
	int	status;
	pid_t	pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		log_to(open("/dev/null", O_WRONLY));
		dir_close(dir_open(tmp.fd, IDS));
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void
test_db_config(void **state)
{
	int fd;

	(void)state;
	dir_close(dir);
	assert_int_equal(try_open(), 0);
	fd = openat(tmp.fd, "DB_CONFIG", O_CREAT | O_WRONLY, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(try_open(), 1);
	assert_int_equal(unlinkat(tmp.fd, "DB_CONFIG", 0), 0);
	/* A link is in the way too, wherever it leads. */
	assert_int_equal(symlinkat("nowhere", tmp.fd, "DB_CONFIG"), 0);
	assert_int_equal(try_open(), 1);
	assert_int_equal(unlinkat(tmp.fd, "DB_CONFIG", 0), 0);
	dir = dir_open(tmp.fd, IDS);
}

/* A damaged page ends the process; it is never served. */
static void
test_damage(void **state)
{
	char	page[4096];
	off_t	at;
	int	fd;

	(void)state;
	dir_domain_add(dir, S("example.org"), 5);
	user("ann@example.org");
	dir_close(dir);
	fd = openat(tmp.fd, "directory.db", O_RDWR);
	assert_int_not_equal(fd, -1);
	at = lseek(fd, 0, SEEK_END) - 4096;
	assert_int_equal(pread(fd, page, sizeof(page), at), 4096);
	page[4000] = (char)(page[4000] ^ 1);
	assert_int_equal(pwrite(fd, page, sizeof(page), at), 4096);
	assert_int_equal(try_open(), 1);
	page[4000] = (char)(page[4000] ^ 1);
	assert_int_equal(pwrite(fd, page, sizeof(page), at), 4096);
	close(fd);
	assert_int_equal(try_open(), 0);
	dir = dir_open(tmp.fd, IDS);
}

/* Adds users from `from` on and writes each number when it is durable. */
static _Noreturn void
add_for_ever(int out, uint32_t from)
{
	struct dir	*d = dir_open(tmp.fd, 1000000);
	char		 name[40];
	uint32_t	 i;

	for (i = from;; i++) {
		snprintf(name, sizeof(name), "u%u@example.org", i);
		if (dir_user_add(d, str_c(name), S("creds"), i, NULL) !=
		    DIR_OK || write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
}

/* Until `least` were acknowledged and it was killed; the next free number. */
static uint32_t
one_life(uint32_t from, int least, bool *acked)
{
	uint32_t	got = from, next = from;
	int		fds[2], n, status;
	pid_t		pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(fds[0]);
		add_for_ever(fds[1], from);
	}
	close(fds[1]);
	/* So few that are not yet read: numbers are enough for all rounds. */
	assert_int_not_equal(fcntl(fds[0], F_SETPIPE_SZ, 4096), -1);
	for (n = 0; read(fds[0], &got, sizeof(got)) == sizeof(got); n++) {
		assert_in_range(got, from, ACKS_MAX - 1);
		acked[got] = true;
		next = got + 1;
		if (n == least)
			kill(pid, SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && n > least);
	close(fds[0]);
	/* The one that was under way may be there: its number is not used. */
	return next + 1;
}

static void
test_kill(void **state)
{
	static bool		acked[ACKS_MAX];
	struct dir_account	a;
	char			name[40];
	uint32_t		i, next = 0;
	int			round;

	(void)state;
	dir_domain_add(dir, S("example.org"), 5);
	dir_close(dir);
	for (round = 0; round < 12; round++)
		next = one_life(next, 5 + round * 13, acked);
	dir = dir_open(tmp.fd, 1000000);
	for (i = 0; i < next; i++) {
		if (!acked[i])
			continue;
		snprintf(name, sizeof(name), "u%u@example.org", i);
		if (dir_user_get(dir, str_c(name), &a) != DIR_OK)
			fail_msg("lost %s", name);
		assert_int_equal(a.created, i);
		assert_true(str_eq(dir_user_creds(dir, a.mailbox),
		    S("creds")));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_logs),
		TEST(test_db_config),
		TEST(test_damage),
		TEST(test_kill),
	};

	log_level(LOG_ERROR);
	return cmocka_run_group_tests_name("directory_file", tests, NULL, NULL);
}
