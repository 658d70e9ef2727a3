/*
 * evil - see evil.h.  Linked with --wrap, so that the call by which a process
 * locks itself down comes here first:
 *
 *	sandbox_enter	forks a process for each probe, which locks itself
 *			down by the real call and tries that one probe; then
 *			the process goes on as ever
 *	loop_run	tries, in the process itself and with all that it has
 *			open by then, every probe that did not kill
 *	execveat	of mailctl: hands POSTERN_EVIL on, which the real one
 *			does not
 *
 * Says on standard error, for each: evil at=<stage> who=<program> uid=<uid>
 * probe=<name> result=<errno, ok, or the signal>.
 */
#include "tests/evil/evil.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/loop.h"
#include "common/core/sandbox.h"

enum {
	PROBES_MAX = 128,
	NOT_LOCKED = 254,	/* an exit code that is no errno */
	LATE_S = 20		/* a probe that hangs is no refusal */
};

const char	*evil_dir;
unsigned long	 evil_self;
unsigned	 evil_port;

static char	 program[64], who[64];
static bool	 harmless[PROBES_MAX];	/* refused with an errno */
static bool	*locked;		/* shared: the probe was reached */

const char	*__real_sandbox_enter(const struct sandbox *);
const char	*__wrap_sandbox_enter(const struct sandbox *);
int		 __real_loop_run(void);
int		 __wrap_loop_run(void);
int		 __real_execveat(int, const char *, char *const [],
		     char *const [], int);
int		 __wrap_execveat(int, const char *, char *const [],
		     char *const [], int);

/* NULL behind the last. */
static const struct probe *
probe_at(size_t i)
{
	static const struct probe *const tables[] = { evil_probes_files,
	    evil_probes_net, evil_probes_self };
	const struct probe	*p;
	size_t			 t;

	for (t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		for (p = tables[t]; p->name != NULL; p++) {
			if (i-- == 0)
				return p;
		}
	}
	return NULL;
}

static void
say(const char *stage, const char *probe, const char *result)
{
	char	line[256];
	int	n;

	n = snprintf(line, sizeof(line),
	    "evil at=%s who=%s uid=%u probe=%s result=%s\n", stage, who,
	    (unsigned)getuid(), probe, result);
	(void)!write(STDERR_FILENO, line, (size_t)n);
}

static const char *
name_of(int status)
{
	int code = WEXITSTATUS(status);

	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? "SIGSYS" :
		    strsignal(WTERMSIG(status));
	if (!*locked)
		return "not-locked-down";
	return code == 0 ? "ok" : strerrorname_np(code);
}

/* In a child: the real lock, if any, and one probe. */
static _Noreturn void
child(const struct sandbox *sb, const struct probe *p)
{
	signal(SIGALRM, SIG_DFL);
	alarm(LATE_S);
	if (sb != NULL)
		__real_sandbox_enter(sb);
	else if (unshare(CLONE_NEWNS) == -1 ||	/* what it mounts is gone */
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		_exit(NOT_LOCKED);
	*locked = true;
	errno = 0;
	_exit(p->run() == 0 ? 0 : errno);
}

static void
try_all(const struct sandbox *sb, const char *stage)
{
	void			(*before)(int) = signal(SIGCHLD, SIG_DFL);
	const struct probe	*p;
	pid_t			 pid;
	int			 status;
	size_t			 i;

	locked = mmap(NULL, sizeof(*locked), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; (p = probe_at(i)) != NULL && i < PROBES_MAX; i++) {
		*locked = false;
		pid = fork();
		if (pid == 0)
			child(sb, p);
		if (pid == -1 || waitpid(pid, &status, 0) != pid) {
			say(stage, p->name, "no-fork");
			continue;
		}
		say(stage, p->name, name_of(status));
		harmless[i] = WIFEXITED(status) && WEXITSTATUS(status) != 0;
	}
	say(stage, "all", "tried");
	munmap(locked, sizeof(*locked));
	signal(SIGCHLD, before);
}

/*
 * An owner is known by its user, and so is its helper; the rest by program,
 * role and part.
 */
static void
find_name(unsigned allow)
{
	uid_t uid = getuid();

	if (uid >= EVIL_UIDS && uid < EVIL_UIDS + (1 << 24)) {
		evil_self = uid - EVIL_UIDS;
		snprintf(who, sizeof(who), "%s-%lu", allow == SB_SYNC ?
		    "helper" : "owner", evil_self);
	} else
		snprintf(who, sizeof(who), "%.40s/%u", program, allow);
}

const char *
__wrap_sandbox_enter(const struct sandbox *sb)
{
	if (evil_dir != NULL) {
		find_name(sb->allow);
		try_all(sb, "lock");
	}
	return __real_sandbox_enter(sb);
}

int
__wrap_loop_run(void)
{
	const struct probe	*p;
	size_t			 i;

	for (i = 0; evil_dir != NULL && (p = probe_at(i)) != NULL; i++) {
		if (!harmless[i])
			continue;
		errno = 0;
		say("loop", p->name, p->run() == 0 ? "ok" :
		    strerrorname_np(errno));
	}
	if (evil_dir != NULL)
		say("loop", "all", "tried");
	return __real_loop_run();
}

int
__wrap_execveat(int fd, const char *path, char *const argv[],
    char *const env[], int flags)
{
	enum { MAX = 64 };
	static char	*more[MAX], text[4200];
	size_t		 n;

	for (n = 0; env[n] != NULL && n + 2 < MAX; n++)
		more[n] = env[n];
	if (evil_dir != NULL) {
		snprintf(text, sizeof(text), "POSTERN_EVIL=%s:%u", evil_dir,
		    evil_port);
		more[n++] = text;
	}
	more[n] = NULL;
	return __real_execveat(fd, path, argv, more, flags);
}

/*
 * POSTERN_EVIL=<directory>:<port>.  With POSTERN_EVIL_BARE every probe is
 * tried without any wall, to see that those that can succeed do.
 */
__attribute__((constructor)) static void
begin(int argc, char **argv)
{
	const char	*text = getenv("POSTERN_EVIL"), *colon;

	if (text == NULL || (colon = strrchr(text, ':')) == NULL)
		return;
	evil_dir = strndup(text, (size_t)(colon - text));
	evil_port = (unsigned)strtoul(colon + 1, NULL, 10);
	colon = strrchr(argv[0], '/');
	snprintf(program, sizeof(program), "%s%s%s",
	    colon == NULL ? argv[0] : colon + 1, argc == 2 ? "-" : "",
	    argc == 2 ? argv[1] : "");
	snprintf(who, sizeof(who), "%s", program);
	if (getenv("POSTERN_EVIL_BARE") == NULL)
		return;
	try_all(NULL, "bare");
	_exit(0);
}
