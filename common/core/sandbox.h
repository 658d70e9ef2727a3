/*
 * sandbox - locks a daemon down, in the order of DESIGN: chroot into its
 * view, drop the capability, no_new_privs, Landlock, limits, not dumpable,
 * seccomp.  What the kernel lacks is said in the result line; a step that the
 * kernel has and that fails is fatal, and so is anything lacking when the
 * setting sandbox is "required".
 *
 * seccomp kills on everything that is not on the list.  The list is the sum
 * of the parts below, and always: read, write and their vector forms on open
 * descriptors, epoll, time, memory without execution, exit, signals.
 */
#ifndef CORE_SANDBOX_H
#define CORE_SANDBOX_H

#include <stdbool.h>

enum sandbox_part {
	SB_ACCEPT = 1,		/* accept4 on inherited listeners */
	SB_UNIX = 2,		/* socket(AF_UNIX), connect, *msg with fds */
	SB_FILES = 4,		/* open, write, sync, rename, unlink in .dir */
	SB_READ = 8,		/* open for reading in .dir */
	SB_FORK = 16,		/* fork without exec, wait */
	SB_IDS = 32,		/* setresuid and setresgid in the ranges */
	SB_KILL = 64,		/* kill, for a parent of workers */
	SB_LOCK = 128,		/* sandbox_enter again, in its children */
	SB_SYNC = 256		/* open what is in .dir for reading, sync it */
};

struct sandbox {
	unsigned	allow;		/* of enum sandbox_part */
	int		dir;		/* Landlock: beneath it only; -1 none */
	bool		chroot;		/* into start_view() */
	unsigned	files;		/* RLIMIT_NOFILE; 0 leaves it */
	unsigned	processes;	/* RLIMIT_NPROC; 0 means none more */
	/* SB_IDS: power-of-two aligned ranges. */
	unsigned	uid_base, uid_count, gid_base, gid_count;
};

/*
 * Returns a line that says what is in force ("chroot landlock:7 seccomp"),
 * static.  Fatal as said above.  The environment variable POSTERN_SANDBOX_
 * FAIL=<step>, honoured in every build, makes that step fail: a test sees
 * that the daemon does not start.
 */
const char	*sandbox_enter(const struct sandbox *);

/* Before it: whether this process may become the users of mailboxes. */
bool		 sandbox_has_ids(void);

#endif
