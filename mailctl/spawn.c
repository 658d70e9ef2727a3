/*
 * spawn - see spawn.h.
 */
#include "mailctl/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/identity.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"

enum { FIRST_FD = 3, PATH_MAX_ = 4096, ENV_MAX = 16 };

static int programs[UNITS];

/* Where the daemons are, seen from mailctl's own file. */
static const char *const places[] = { "", "../libexec/postern/" };

static int
open_program(const char *dir, const char *program)
{
	struct buf	path;
	size_t		i;
	int		fd = -1;

	buf_init(&path, PATH_MAX_);
	for (i = 0; i < sizeof(places) / sizeof(places[0]) && fd == -1; i++) {
		buf_reset(&path);
		buf_addf(&path, "%s/%s%s", dir, places[i], program);
		fd = open(buf_cstr(&path), O_PATH | O_CLOEXEC);
	}
	buf_clear(&path);
	return fd;
}

void
spawn_find_programs(void)
{
	char	self[PATH_MAX_];
	char	*slash;
	ssize_t	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t	i;

	if (n <= 0)
		fatal("find the programs");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (i = 0; i < UNITS; i++) {
		programs[i] = open_program(self, units[i].program);
		if (programs[i] == -1)
			fatal("program %s is not beside mailctl",
			    units[i].program);
	}
}

/* -- in the child ----------------------------------------------------- */

static char *env[ENV_MAX];
static size_t nenv;

static void
add_env(const char *name, const char *value)
{
	struct buf b;

	if (value == NULL || nenv + 1 == ENV_MAX)
		return;
	buf_init(&b, 256 * 1024);
	buf_addf(&b, "%s=%s", name, value);
	env[nenv++] = xstr(buf_str(&b));
	buf_clear(&b);
}

/* What a daemon may know of our environment, and its descriptors' names. */
static void
make_env(const struct fd_list *l)
{
	struct buf	b;
	size_t		i;

	buf_init(&b, 256 * 1024);
	for (i = 0; i < l->n; i++) {
		if (i > 0)
			buf_addc(&b, ':');
		buf_addz(&b, l->name[i]);
	}
	add_env("LISTEN_FDNAMES", buf_cstr(&b));
	buf_reset(&b);
	buf_addu(&b, l->n);
	add_env("LISTEN_FDS", buf_cstr(&b));
	add_env("ASAN_OPTIONS", getenv("ASAN_OPTIONS"));
	add_env("UBSAN_OPTIONS", getenv("UBSAN_OPTIONS"));
	add_env("POSTERN_SANDBOX_FAIL", getenv("POSTERN_SANDBOX_FAIL"));
	buf_clear(&b);
}

static int
arrange_fds(const struct fd_list *l, int program)
{
	int	above = FIRST_FD + (int)l->n;
	int	*high = xcalloc(l->n, sizeof(*high));
	size_t	i;

	program = fcntl(program, F_DUPFD_CLOEXEC, above);
	for (i = 0; i < l->n; i++) {
		high[i] = fcntl(l->fd[i], F_DUPFD_CLOEXEC, above);
		if (high[i] == -1)
			fatal("descriptor %s", l->name[i]);
	}
	for (i = 0; i < l->n; i++) {
		if (dup2(high[i], FIRST_FD + (int)i) == -1)
			fatal("descriptor %s", l->name[i]);
	}
	if (program == -1 ||
	    close_range((unsigned)above, ~0u, CLOSE_RANGE_CLOEXEC) == -1)
		fatal("descriptors");
	free(high);
	return program;
}

static void
change_identity(const struct unit *u)
{
	uint32_t	caps = 1u << CAP_SYS_CHROOT;
	uid_t		uid = (uid_t)conf_num(u->uid);

	if (geteuid() != 0)
		return;
	if ((u->flags & UNIT_NETNS) != 0 && unshare(CLONE_NEWNET) == -1)
		fatal("network namespace for %s", u->name);
	if ((u->flags & UNIT_IDS) != 0)
		caps |= 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_CHOWN;
	identity_become(uid, (gid_t)uid, caps);
}

static _Noreturn void
become(const struct unit *u, const struct fd_list *l, int program)
{
	char	*argv[3] = { xstrdup(u->program), NULL, NULL };

	log_init(u->name);
	log_own();
	if (u->role != NULL)
		argv[1] = xstrdup(u->role);
	/* A signal from the terminal is for the starter alone. */
	setpgid(0, 0);
	make_env(l);
	program = arrange_fds(l, program);
	change_identity(u);
	execveat(program, "", argv, env, AT_EMPTY_PATH);
	fatal("execute %s", u->program);
}

static void
reset_signals(void)
{
	sigset_t	none;
	int		s;

	for (s = 1; s < 32; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

pid_t
spawn(const struct unit *u, const struct fd_list *l)
{
	sigset_t	all, before;
	pid_t		pid;

	log_flush();
	/* One that comes while the child has our handlers waits for its own. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		reset_signals();
		become(u, l, programs[u - units]);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}
