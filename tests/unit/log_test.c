/*
 * log: one line per event whatever the text (ATTACKS M-02), a reader that
 * does not read, and events without end (M-04).
 */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"

static int	 ends[2];
static int	 others;		/* the writer's end, of somebody else */
static bool	 race;			/* who fills the pipe behind poll */
static char	 got[1024 * 1024];

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	/* The writer's end is as standard error is: it would block. */
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 65536), 65536);
	log_to(ends[1]);
	log_init("test");
	log_level(LOG_INFO);
	clock_set(0, 1763633472345);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	log_flush();
	log_to(2);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/*
 * In place of the one of libc: when a race is on, somebody else takes all the
 * room between the question and the write.
 */
int
poll(struct pollfd *p, nfds_t n, int ms)
{
	static const char	 noise[4096];
	struct timespec		 ts = { ms / 1000, ms % 1000 * 1000000L };
	int			 r = ppoll(p, n, &ts, NULL);

	if (race) {
		while (write(others, noise, sizeof(noise)) > 0)
			;
	}
	return r;
}

/* What came out since, as a C string. */
static const char *
read_lines(void)
{
	size_t	n = 0;
	ssize_t	r;

	while ((r = read(ends[0], got + n, sizeof(got) - 1 - n)) > 0)
		n += (size_t)r;
	got[n] = '\0';
	assert_int_equal(strlen(got), n);
	return got;
}

#define STAMP	"2025-11-20T10:11:12.345Z test "

static void
test_line(void **state)
{
	(void)state;
	errno = ENOENT;
	log_info("accepted", L_SID(1), L_NUM("n", -5), L_Z("from", "a@b"),
	    L_Z("empty", ""), L_Z("none", NULL), L_ERRNO);
	assert_int_equal(errno, ENOENT);
	log_debug("unseen");
	log_error("two words");
	log_flush();
	assert_string_equal(read_lines(),
	    STAMP "info accepted sid=0000000000001 n=-5 from=a@b empty=\"\" "
	    "none=\"\" error=\"No such file or directory\"\n"
	    STAMP "error \"two words\"\n");
	log_level(LOG_ERROR);
	log_warn("unseen");
	log_flush();
	assert_string_equal(read_lines(), "");
}

static const struct {
	struct str	 text;
	const char	*want;
} escapes[] = {
	{ STR_INIT("plain@example.org"), "plain@example.org" },
	{ STR_INIT("a b"), "\"a b\"" },
	{ STR_INIT("a=b"), "\"a=b\"" },
	{ STR_INIT("x\r\n2025 test info forged"),
	    "\"x\\x0d\\x0a2025 test info forged\"" },
	{ STR_INIT("\x1b[2J"), "\"\\x1b[2J\"" },
	{ STR_INIT("%n%s%n"), "%n%s%n" },
	{ STR_INIT("a\0b"), "\"a\\x00b\"" },
	{ STR_INIT("\xc3\x28\xff"), "\"\\xc3(\\xff\"" },
	{ STR_INIT("\xe2\x80\xae" "gpj.exe"), "\"\\xe2\\x80\\xaegpj.exe\"" },
	{ STR_INIT("\xc2\x9b" "2J"), "\"\\xc2\\x9b2J\"" },
	{ STR_INIT("\x7f\x80"), "\"\\x7f\\x80\"" },
	{ STR_INIT("say \"no\" \\ x"), "\"say \\\"no\\\" \\\\ x\"" },
	{ STR_INIT(""), "\"\"" },
	{ { NULL, 0 }, "\"\"" },
};

static void
test_escape(void **state)
{
	struct buf	b;
	size_t		i;

	(void)state;
	buf_init(&b, 65536);
	for (i = 0; i < LENGTH(escapes); i++) {
		buf_reset(&b);
		log_escape(&b, escapes[i].text);
		assert_string_equal(buf_cstr(&b), escapes[i].want);
	}
	buf_clear(&b);
}

/* Each text as an event, as a field and through fatal: always one line. */
static void
test_one_line(void **state)
{
	const char	*nl;
	size_t		 i;

	(void)state;
	for (i = 0; i < LENGTH(escapes); i++) {
		log_info("event", L_STR("from", escapes[i].text));
		log_flush();
		nl = strchr(read_lines(), '\n');
		assert_non_null(nl);
		assert_string_equal(nl, "\n");
		assert_non_null(strstr(got, escapes[i].want));
		assert_null(strpbrk(got, "\r\x1b\x7f\x80"));
	}
}

static void
test_long(void **state)
{
	static const size_t sizes[] = { LOG_TEXT_MAX - 1, LOG_TEXT_MAX,
	    LOG_TEXT_MAX + 1, 65536 };
	static char	big[65536];
	struct str	s;
	size_t		i;

	(void)state;
	memset(big, 'x', sizeof(big));
	for (i = 0; i < LENGTH(sizes); i++) {
		s = str_of(big, sizes[i]);
		log_info("one", L_STR("a", s));
		log_flush();
		read_lines();
		assert_int_equal(strstr(got, "...\"\n") != NULL,
		    sizes[i] > LOG_TEXT_MAX);
		assert_true(strlen(got) < LOG_TEXT_MAX + 64);
	}
	/* Several, of which each byte becomes four. */
	memset(big, '\x1b', sizeof(big));
	s = str_of(big, sizeof(big));
	log_info("many", L_STR("a", s), L_STR("b", s), L_STR("c", s),
	    L_STR("d", s), L_STR("e", s), L_STR("f", s));
	log_flush();
	read_lines();
	assert_int_equal(strlen(got), LOG_LINE_MAX);
	assert_ptr_equal(strchr(got, '\n'), got + LOG_LINE_MAX - 1);
	assert_memory_equal(got + LOG_LINE_MAX - 4, "...\n", 4);
}

static unsigned
count_lines(const char *s)
{
	unsigned n = 0;

	while ((s = strchr(s, '\n')) != NULL) {
		n++;
		s++;
	}
	return n;
}

/* Nobody reads: lines are dropped, nothing blocks, the count comes later. */
static void
test_reader_stands_still(void **state)
{
	enum { LINES = 20000 };
	unsigned long	dropped;
	unsigned	seen = 0;
	const char	*at;
	int		i;

	(void)state;
	alarm(100);
	for (i = 0; i < LINES; i++) {
		log_info("event", L_NUM("number", i));
		if (i % 100 == 0)
			log_flush();
	}
	/* The reader takes a pipe full at a time. */
	for (i = 0; i < 20; i++) {
		seen += count_lines(read_lines());
		at = strstr(got, "\"log lines dropped\" count=");
		if (at != NULL)
			break;
		log_flush();
	}
	alarm(0);
	assert_true(at != NULL);
	dropped = strtoul(at + strlen("\"log lines dropped\" count="), NULL,
	    10);
	assert_true(dropped > 0);
	/* Some lines were still in the buffer when the count was written. */
	log_flush();
	seen += count_lines(read_lines());
	assert_int_equal(seen + dropped, LINES + 1);
	log_info("after");
	log_flush();
	assert_non_null(strstr(read_lines(), "info after\n"));
}

/* Many who share a pipe: none waits, and no line has another one inside. */
static void
test_shared(void **state)
{
	char		path[32];
	unsigned	i;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	others = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(others != -1);
	log_own();
	assert_true((fcntl(ends[1], F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC);
	/* It is ours alone: the flag was set nowhere else. */
	assert_int_equal(fcntl(others, F_SETFL, 0), 0);
	assert_true((fcntl(ends[1], F_GETFL) & O_NONBLOCK) != 0);
	assert_int_equal(fcntl(others, F_SETFL, O_NONBLOCK), 0);

	alarm(100);
	race = true;
	log_info("late");
	log_flush();
	race = false;
	alarm(0);
	assert_true(log_is_behind());
	while (read(ends[0], got, sizeof(got)) > 0)
		;
	log_flush();
	assert_string_equal(read_lines(), STAMP "info late\n");
	assert_false(log_is_behind());

	/* A page at a time, and always whole lines. */
	for (i = 0; i < 300; i++)
		log_info("event", L_NUM("number", i));
	assert_int_equal(fcntl(ends[1], F_SETPIPE_SZ, 4096), 4096);
	for (i = 0; i < 300; i += count_lines(got)) {
		log_flush();
		read_lines();
		assert_true(strlen(got) > 0);
		assert_int_equal(got[strlen(got) - 1], '\n');
		assert_memory_equal(got, STAMP, strlen(STAMP));
	}
	close(others);
}

/* Not a pipe: left alone. */
static void
test_own_of_others(void **state)
{
	char	path[] = "/tmp/log_test.XXXXXX";
	int	sv[2], fd = mkstemp(path);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	log_to(fd);
	log_own();
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	log_to(sv[0]);
	log_own();
	assert_int_equal(fcntl(sv[0], F_GETFL) & O_NONBLOCK, 0);
	log_to(-1);
	log_own();
	close(fd);
	close(sv[0]);
	close(sv[1]);
	unlink(path);
}

/* The count is not lost when only errors are logged. */
static void
test_count_at_any_level(void **state)
{
	int i;

	(void)state;
	log_level(LOG_ERROR);
	for (i = 0; i < 20000; i++)
		log_error("event");
	for (i = 0; i < 20; i++) {
		log_flush();
		if (strstr(read_lines(), "log lines dropped") != NULL)
			return;
	}
	fail_msg("the count never came");
}

/* How many lines of that event came; all are flushed. */
static unsigned
often(const char *event, unsigned n)
{
	unsigned seen = 0;

	for (; n > 0; n--) {
		log_often(LOG_INFO, event, L_Z("client", "127.0.0.1"));
		if (n % 100 != 1)
			continue;
		log_flush();
		seen += count_lines(read_lines());
	}
	return seen;
}

/* Strangers fill no disk with one line for each thing they do: M-04. */
static void
test_often(void **state)
{
	static const int64_t second = 1000;

	(void)state;
	clock_set(second, 1763633472345);
	assert_int_equal(often("a", LOG_OFTEN_BURST - 1), LOG_OFTEN_BURST - 1);
	assert_false(log_is_behind());
	assert_int_equal(often("a", 1), 1);
	assert_false(log_is_behind());
	assert_int_equal(often("a", 1000000), 0);
	/* The count waits, and so the loop comes back. */
	assert_true(log_is_behind());
	/* Each has a bound of its own, and other lines have none. */
	assert_int_equal(often("b", 5), 5);
	log_info("a");
	log_flush();
	assert_int_equal(count_lines(read_lines()), 1);
	/* So many more in each second. */
	clock_set(2 * second, 1763633472345);
	assert_int_equal(often("a", 1000), LOG_OFTEN_RATE);
	clock_set(second + LOG_OFTEN_TELL_MS - 1, 1763633472345);
	log_flush();
	assert_string_equal(read_lines(), "");
	clock_set(second + LOG_OFTEN_TELL_MS, 1763633472345);
	log_flush();
	assert_string_equal(read_lines(), STAMP "warn \"lines left out\" "
	    "event=a count=1000950\n");
	assert_false(log_is_behind());
	/* What is not logged at all is not counted either. */
	log_level(LOG_ERROR);
	assert_int_equal(often("c", 2 * LOG_OFTEN_BURST), 0);
	assert_false(log_is_behind());
}

/* A reader that has gone is no reason to stop, nor to spin. */
static void
test_reader_is_gone(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		signal(SIGPIPE, SIG_IGN);
		close(ends[0]);
		log_info("event");
		log_flush();
		log_flush();
		_exit(7);
	}
	wait(&status);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
test_fatal(void **state)
{
	int status;

	(void)state;
	if (fork() == 0) {
		errno = EACCES;
		fatal("open %s\n", "x");
	}
	wait(&status);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_string_equal(read_lines(), STAMP "error fatal "
	    "what=\"open x\\x0a\" error=\"Permission denied\"\n");
	if (fork() == 0) {
		errno = EACCES;
		fatalx("no %d", 5);
	}
	wait(&status);
	assert_string_equal(read_lines(), STAMP "error fatal what=\"no 5\"\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test(test_escape),
		cmocka_unit_test_setup_teardown(test_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reader_stands_still,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_of_others,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_count_at_any_level,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_often, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reader_is_gone,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_fatal, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
