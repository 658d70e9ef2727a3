/*
 * sandbox - see sandbox.h.  The order of the steps is the contract; the
 * system-call lists are in syscalls.c.
 */
#include "common/core/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/core/buf.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/start.h"
#include "common/core/syscalls.h"

/* Debian 12's headers stop at Landlock ABI 2; these are the kernel's own. */
struct ruleset_attr {
	uint64_t	fs, net, scoped;
};

enum {
	FS_ABI1 = (1 << 13) - 1,	/* EXECUTE to MAKE_SYM */
	FS_REFER = 1 << 13,		/* ABI 2 */
	FS_TRUNCATE = 1 << 14,		/* ABI 3 */
	FS_IOCTL_DEV = 1 << 15,		/* ABI 5 */
	NET_ALL = 3,			/* ABI 4: bind and connect, TCP */
	SCOPE_ALL = 3,			/* ABI 6: abstract sockets, signals */
	FS_EXECUTE = 1,
	FS_READING = 1 << 2 | 1 << 3,	/* of files, of directories */
	FS_SPECIAL = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12,
	MDWE = 65			/* PR_SET_MDWE: no PROT_EXEC later */
};

static struct buf result;

/* A test makes the named step fail; the daemon must then not start. */
static bool
is_made_to_fail(const char *step)
{
	const char *want = getenv("POSTERN_SANDBOX_FAIL");

	return want != NULL && strcmp(want, step) == 0;
}

static void
must(const char *step, int rc)
{
	if (is_made_to_fail(step)) {
		errno = EPERM;
		rc = -1;
	}
	if (rc == -1)
		fatal("sandbox: %s", step);
}

static void
lacking(const char *step)
{
	if (strcmp(conf_text(C_SANDBOX), "required") == 0)
		fatalx("sandbox: no %s here and sandbox = required", step);
	buf_addf(&result, " -%s", step);
}

static void
in_force(const char *step)
{
	buf_addf(&result, " %s", step);
}

static bool
has_capability(unsigned cap)
{
	struct __user_cap_header_struct	h = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct	d[2];

	if (syscall(SYS_capget, &h, d) == -1)
		return false;
	return (d[cap / 32].effective & 1u << cap % 32) != 0;
}

bool
sandbox_has_ids(void)
{
	return has_capability(CAP_SETUID);
}

/* Keeps these capabilities (a mask of the first 32) and no others. */
static int
keep_capabilities(uint32_t keep)
{
	struct __user_cap_header_struct	h = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct	d[2] = { { 0 } };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		return -1;
	d[0].effective = keep;
	d[0].permitted = keep;
	return syscall(SYS_capset, &h, d) == -1 ? -1 : 0;
}

static void
enter_view(const struct sandbox *sb)
{
	int view = start_view();

	if (view == -1) {
		if (sb->chroot)
			fatalx("no descriptor \"view\" was passed");
		return;
	}
	must("view", fchdir(view));
	if (!sb->chroot)
		return;
	if (!has_capability(CAP_SYS_CHROOT)) {
		lacking("chroot");
		return;
	}
	must("chroot", chroot("."));
	must("chdir", chdir("/"));
	in_force("chroot");
}

static void
drop_capabilities(const struct sandbox *sb)
{
	uint32_t keep = 0;

	if ((sb->allow & SB_IDS) != 0 && has_capability(CAP_SETUID))
		keep = 1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_CHOWN;
	must("capabilities", keep_capabilities(keep));
	if (has_capability(CAP_SYS_CHROOT))
		fatalx("sandbox: capabilities are still there");
}

static uint64_t
fs_rights(int abi)
{
	uint64_t fs = FS_ABI1;

	if (abi >= 2)
		fs |= FS_REFER;
	if (abi >= 3)
		fs |= FS_TRUNCATE;
	if (abi >= 5)
		fs |= FS_IOCTL_DEV;
	return fs;
}

static int
allow_dir(int ruleset, const struct sandbox *sb, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = rights & ~(uint64_t)(FS_EXECUTE |
		    FS_SPECIAL | FS_IOCTL_DEV),
		.parent_fd = sb->dir,
	};

	if ((sb->allow & SB_FILES) == 0)
		rule.allowed_access &= FS_READING;
	return syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == -1 ? -1 : 0;
}

static void
enter_landlock(const struct sandbox *sb)
{
	struct ruleset_attr	a = { 0 };
	size_t			n = sizeof(a.fs);
	int			abi, fd;

	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1) {
		lacking("landlock");
		return;
	}
	a.fs = fs_rights(abi);
	if (abi >= 4) {
		a.net = NET_ALL;
		n = 2 * sizeof(uint64_t);
	}
	/* No signal to, and no abstract socket of, anybody outside. */
	if (abi >= 6) {
		a.scoped = SCOPE_ALL;
		n = sizeof(a);
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &a, n, 0);
	must("landlock", fd == -1 ? -1 : 0);
	if (sb->dir != -1)
		must("landlock", allow_dir(fd, sb, a.fs));
	must("landlock", (int)syscall(SYS_landlock_restrict_self, fd, 0));
	close(fd);
	buf_addf(&result, " landlock:%d", abi);
}

static void
set_limit(int what, unsigned n)
{
	struct rlimit	r;

	if (getrlimit((__rlimit_resource_t)what, &r) == -1)
		fatal("sandbox: limits");
	if (r.rlim_max > n)
		r.rlim_max = n;
	r.rlim_cur = r.rlim_max;
	must("limits", setrlimit((__rlimit_resource_t)what, &r));
}

static void
set_limits(const struct sandbox *sb)
{
	set_limit(RLIMIT_CORE, 0);
	if (sb->files != 0)
		set_limit(RLIMIT_NOFILE, sb->files);
#ifndef POSTERN_SANITIZE
	if ((sb->allow & SB_FORK) == 0)
		set_limit(RLIMIT_NPROC, sb->processes);
#endif
}

static void
enter_seccomp(const struct sandbox *sb)
{
	if (is_made_to_fail("seccomp")) {
		errno = EPERM;
		fatal("sandbox: seccomp");
	}
	in_force(syscalls_lock(sb));
}

/* The filter knows ranges as masks: a range of another form is none. */
static void
check_range(unsigned base, unsigned count)
{
	if (count == 0 || (count & (count - 1)) != 0 || base % count != 0 ||
	    base == 0)
		fatalx("sandbox: the range of ids at %u is not aligned", base);
}

const char *
sandbox_enter(const struct sandbox *sb)
{
	buf_clear(&result);
	buf_init(&result, 256);
	if ((sb->allow & SB_IDS) != 0) {
		check_range(sb->uid_base, sb->uid_count);
		check_range(sb->gid_base, sb->gid_count);
	}
	enter_view(sb);
	drop_capabilities(sb);
	must("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	enter_landlock(sb);
	set_limits(sb);
	must("dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
#ifndef POSTERN_SANITIZE
	if (prctl(MDWE, 1, 0, 0, 0) == 0)
		in_force("mdwe");
#endif
	enter_seccomp(sb);
	return buf_cstr(&result) + 1;
}
