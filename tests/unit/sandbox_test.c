/*
 * sandbox: a step that fails is the end, and behind the walls each forbidden
 * thing is refused or kills.  Every probe runs in a child of its own.
 */
#include "tests/lib/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"

enum { BASE = 1879048192, COUNT = 65536, GBASE = 1895825408, GCOUNT = 1024 };

static char	dir[64];

static int
setup(void **state)
{
	int	top, fd;

	(void)state;

	snprintf(dir, sizeof(dir), "/tmp/postern-sandbox-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	top = open(dir, O_RDONLY | O_DIRECTORY);
	fd = openat(top, "outside", O_WRONLY | O_CREAT, 0644);
	close(fd);
	if (mkdirat(top, "view", 0755) == -1 || mkdirat(top, "in", 0755) == -1)
		return -1;
	return close(top);
}

static int
teardown(void **state)
{
	int top = open(dir, O_RDONLY | O_DIRECTORY);

	(void)state;
	unlinkat(top, "in/f", 0);
	unlinkat(top, "in", AT_REMOVEDIR);
	unlinkat(top, "view", AT_REMOVEDIR);
	unlinkat(top, "outside", 0);
	close(top);
	return rmdir(dir);
}

static int	inside = -1;		/* the Landlock directory */

/* In a child: what a starter would have passed, then the walls. */
static void
lock_down(unsigned allow, bool with_dir, int report)
{
	int top = open(dir, O_RDONLY | O_DIRECTORY);

	log_to(report);
	/* Well above what is passed from 3 on. */
	inside = fcntl(openat(top, "in", O_RDONLY | O_DIRECTORY), F_DUPFD, 20);
	dup2(openat(top, "view", O_RDONLY | O_DIRECTORY), 3);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "view", 1);
	start_init();
	conf_defaults();
	sandbox_enter(&(struct sandbox){ .allow = allow,
	    .dir = with_dir ? inside : -1, .chroot = true, .uid_base = BASE,
	    .uid_count = COUNT,
	    .gid_base = GBASE, .gid_count = GCOUNT });
}

static void
test_steps(void **state)
{
	static const char *const steps[] = { "view", "chroot", "chdir",
	    "capabilities", "no_new_privs", "landlock", "limits", "dumpable",
	    "seccomp" };
	char		text[4096], want[100];
	size_t		i;
	ssize_t		n;
	int		status, ends[2];

	(void)state;
	if (geteuid() != 0)
		skip_because("test_steps", "chroot and chdir need root");
	for (i = 0; i < LENGTH(steps); i++) {
		assert_int_equal(pipe(ends), 0);
		if (fork() == 0) {
			setenv("POSTERN_SANDBOX_FAIL", steps[i], 1);
			lock_down(SB_UNIX, true, ends[1]);
			_exit(0);
		}
		close(ends[1]);
		wait(&status);
		n = read(ends[0], text, sizeof(text) - 1);
		close(ends[0]);
		text[n < 0 ? 0 : n] = '\0';
		snprintf(want, sizeof(want), "error fatal what=\"sandbox: %s\" "
		    "error=\"Operation not permitted\"\n", steps[i]);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 1 ||
		    strstr(text, want) == NULL)
			fail_msg("%s: status %x, said %s", steps[i], status,
			    text);
	}
}

/* -- probes: 0 done, else errno ----------------------------------------- */

static int	tcp = -1;		/* made before the walls */

static int
p_connect(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = 1 };

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(tcp, (struct sockaddr *)&sin, sizeof(sin)) == -1 ?
	    errno : 0;
}

#define PROBE(name, expression) \
static int \
name(void) \
{ \
	return (expression) == -1 ? errno : 0; \
}

PROBE(p_nothing, 0)
PROBE(p_open_outside, open("/etc/passwd", O_RDONLY))
PROBE(p_open_above, openat(inside, "../outside", O_RDONLY))
PROBE(p_create_inside, openat(inside, "f", O_WRONLY | O_CREAT, 0600))
PROBE(p_read_inside, openat(inside, ".", O_RDONLY | O_DIRECTORY))
PROBE(p_sync, fsync(inside))
PROBE(p_unlink, unlinkat(inside, "g", 0))
PROBE(p_symlink, symlinkat("/etc", inside, "l"))
PROBE(p_chmod, fchmod(inside, 0777))
PROBE(p_chmod_path, chmod("/", 0777))
PROBE(p_chown, fchown(inside, 0, 0))
PROBE(p_fork, (int)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
PROBE(p_kill, kill(getpid(), 0))
PROBE(p_ptrace, (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL))
PROBE(p_exec, execl("/bin/true", "true", (char *)NULL))
PROBE(p_socket_unix, socket(AF_UNIX, SOCK_SEQPACKET, 0))
PROBE(p_socket_inet, socket(AF_INET, SOCK_STREAM, 0))
PROBE(p_socket_inet6, socket(AF_INET6, SOCK_STREAM, 0))
PROBE(p_prctl, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
PROBE(p_name, prctl(PR_SET_NAME, "name"))
PROBE(p_undumpable, prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
PROBE(p_go_inside, fchdir(inside))
PROBE(p_unshare, unshare(CLONE_NEWUSER))
PROBE(p_duplicate, fcntl(2, F_GETFL) == -1 ? -1 :
    fcntl(2, F_DUPFD_CLOEXEC, 3))
PROBE(p_set_flags, fcntl(2, F_SETFL, O_NONBLOCK))
/* The kernel looks at half of the argument only. */
PROBE(p_set_flags_long, (int)syscall(SYS_fcntl, 2, 1ul << 32 | F_SETFL,
    O_NONBLOCK))
PROBE(p_map, mmap(NULL, 4096, PROT_READ | PROT_WRITE,
    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0)
PROBE(p_map_exec, mmap(NULL, 4096, PROT_READ | PROT_EXEC,
    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0)
PROBE(p_uid_first, setresuid(BASE, BASE, BASE))
PROBE(p_uid_last, setresuid(BASE + COUNT - 1, BASE + COUNT - 1,
    BASE + COUNT - 1))
PROBE(p_uid_below, setresuid(BASE - 1, BASE - 1, BASE - 1))
PROBE(p_uid_above, setresuid(BASE + COUNT, BASE + COUNT, BASE + COUNT))
PROBE(p_uid_root, setresuid(0, 0, 0))
PROBE(p_uid_keep, setresuid(BASE, (uid_t)-1, BASE))
PROBE(p_uid_part, setresuid(BASE, 0, BASE))
PROBE(p_gid_first, setresgid(GBASE, GBASE, GBASE))
PROBE(p_gid_above, setresgid(GBASE + GCOUNT, GBASE + GCOUNT,
    GBASE + GCOUNT))
PROBE(p_groups_none, setgroups(0, NULL))
PROBE(p_groups_one, setgroups(1, &(gid_t){ GBASE }))
PROBE(p_setuid, setuid(BASE))

enum { KILLED = -1 };

static const struct {
	const char	*name;
	unsigned	 allow;
	bool		 dir;
	int		 (*probe)(void);
	int		 want;		/* 0, an errno, or KILLED */
} probes[] = {
	{ "nothing", 0, false, p_nothing, 0 },
	{ "duplicate", 0, false, p_duplicate, 0 },
	{ "flags that others share", 0, false, p_set_flags, KILLED },
	{ "the same, larger", 0, false, p_set_flags_long, KILLED },
	{ "FILES: flags", SB_FILES, true, p_set_flags, KILLED },
	{ "memory", 0, false, p_map, 0 },
	{ "memory to execute", 0, false, p_map_exec, KILLED },
	{ "open", 0, false, p_open_outside, KILLED },
	{ "exec", SB_FILES | SB_UNIX | SB_FORK, true, p_exec, KILLED },
	{ "socket", 0, false, p_socket_unix, KILLED },
	{ "UNIX: socket", SB_UNIX, false, p_socket_unix, 0 },
	{ "UNIX: TCP", SB_UNIX | SB_ACCEPT, false, p_socket_inet, KILLED },
	{ "UNIX: TCP, IPv6", SB_UNIX, false, p_socket_inet6, KILLED },
	{ "UNIX: a TCP socket from before", SB_UNIX, false, p_connect, EACCES },
	{ "FILES: outside", SB_FILES, true, p_open_outside, ENOENT },
	{ "FILES: above", SB_FILES, true, p_open_above, EACCES },
	{ "FILES: create", SB_FILES, true, p_create_inside, 0 },
	{ "FILES: chmod", SB_FILES, true, p_chmod, KILLED },
	{ "FILES: chmod by path", SB_FILES, true, p_chmod_path, KILLED },
	{ "FILES: chown", SB_FILES, true, p_chown, KILLED },
	{ "FILES: symlink", SB_FILES, true, p_symlink, KILLED },
	{ "FILES: no directory", SB_FILES, false, p_create_inside, EACCES },
	{ "FILES: go inside", SB_FILES, true, p_go_inside, 0 },
	{ "FILES and UNIX: go inside", SB_FILES | SB_UNIX, true, p_go_inside,
	    KILLED },
	{ "READ: read", SB_READ, true, p_read_inside, 0 },
	{ "READ: create", SB_READ, true, p_create_inside, KILLED },
	{ "SYNC: read", SB_SYNC, true, p_read_inside, 0 },
	{ "SYNC: sync", SB_SYNC, true, p_sync, 0 },
	{ "SYNC: create", SB_SYNC, true, p_create_inside, KILLED },
	{ "SYNC: remove", SB_SYNC, true, p_unlink, KILLED },
	{ "SYNC: outside", SB_SYNC, true, p_open_above, EACCES },
	{ "READ: sync", SB_READ, true, p_sync, KILLED },
	{ "READ and FILES", SB_READ | SB_FILES, true, p_create_inside, 0 },
	{ "fork", SB_UNIX | SB_FILES, true, p_fork, KILLED },
	{ "FORK: unshare", SB_FORK, false, p_unshare, KILLED },
	{ "FORK and UNIX", SB_FORK | SB_UNIX, false, p_nothing, 0 },
	{ "kill", 0, false, p_kill, KILLED },
	{ "KILL: kill", SB_KILL, false, p_kill, 0 },
	{ "ptrace", SB_FORK, false, p_ptrace, KILLED },
	{ "prctl", SB_FILES, true, p_prctl, KILLED },
	{ "LOCK: name", SB_LOCK, false, p_name, 0 },
	{ "LOCK: not dumpable", SB_LOCK, false, p_undumpable, 0 },
	{ "LOCK: dumpable", SB_LOCK, false, p_prctl, KILLED },
	{ "IDS: dumpable", SB_IDS, false, p_prctl, KILLED },
	{ "IDS: above", SB_IDS | SB_FILES, true, p_open_above, EACCES },
	{ "setresuid", SB_FILES, true, p_uid_first, KILLED },
	{ "IDS: first", SB_IDS, false, p_uid_first, 0 },
	{ "IDS: last", SB_IDS, false, p_uid_last, 0 },
	{ "IDS: below", SB_IDS, false, p_uid_below, KILLED },
	{ "IDS: above", SB_IDS, false, p_uid_above, KILLED },
	{ "IDS: root", SB_IDS, false, p_uid_root, KILLED },
	{ "IDS: one is kept", SB_IDS, false, p_uid_keep, KILLED },
	{ "IDS: one is root", SB_IDS, false, p_uid_part, KILLED },
	{ "IDS: group", SB_IDS, false, p_gid_first, 0 },
	{ "IDS: group above", SB_IDS, false, p_gid_above, KILLED },
	{ "IDS: no groups", SB_IDS, false, p_groups_none, 0 },
	{ "IDS: a group", SB_IDS, false, p_groups_one, KILLED },
	{ "IDS: setuid", SB_IDS, false, p_setuid, KILLED },
	{ "IDS: chmod", SB_IDS | SB_FORK, false, p_chmod, KILLED },
	{ "IDS and FILES", SB_IDS | SB_FILES | SB_FORK, false, p_nothing, 0 },
};

static int
try(size_t i)
{
	int status, rc;

	if (fork() == 0) {
		tcp = fcntl(socket(AF_INET, SOCK_STREAM, 0), F_DUPFD, 20);
		lock_down(probes[i].allow, probes[i].dir, 2);
		rc = probes[i].probe();
		_exit(rc);
	}
	wait(&status);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -2;
	return WEXITSTATUS(status);
}

static void
test_probes(void **state)
{
	size_t	i;
	int	got, wrong = 0;

	(void)state;
#ifdef POSTERN_SANITIZE
	skip_because("test_probes", "sanitizers need the wide filter");
#endif
	if (geteuid() != 0)
		skip_because("test_probes", "chroot and ids need root");
	for (i = 0; i < LENGTH(probes); i++) {
		got = try(i);
		if (got == probes[i].want)
			continue;
		print_message("# %s: %d (%s), wanted %d\n", probes[i].name, got,
		    got > 0 ? strerror(got) : "", probes[i].want);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* A range that is none must not become a filter that lets all ids through. */
static void
test_ranges(void **state)
{
	static const struct {
		unsigned base, count;
	} t[] = {
		{ 0, 0 }, { 65536, 0 }, { 65536, 1000 }, { 65537, 1024 },
	};
	size_t	i;
	int	status, null = open("/dev/null", O_WRONLY);

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		if (fork() == 0) {
			log_to(null);
			conf_defaults();
			sandbox_enter(&(struct sandbox){ .allow = SB_IDS,
			    .dir = -1,
			    .uid_base = t[i].base, .uid_count = t[i].count,
			    .gid_base = GBASE, .gid_count = GCOUNT });
			_exit(0);
		}
		wait(&status);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
	}
	close(null);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_ranges),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
