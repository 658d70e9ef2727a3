/*
 * syscalls - see syscalls.h.  The lists are what the daemons were seen to
 * need, and no more: a call that nobody makes does not belong here.
 */
#include "common/core/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/core/log.h"

#define CALL(name)	SCMP_SYS(name)

enum { PR_SET_MDWE_ = 65 };		/* newer than our headers */

static const int always[] = {
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(close),
	CALL(recvmsg), CALL(recvfrom), CALL(sendmsg), CALL(sendto),
	CALL(shutdown), CALL(getsockopt), CALL(setsockopt),
	CALL(poll), CALL(ppoll), CALL(epoll_ctl), CALL(epoll_wait),
	CALL(epoll_pwait), CALL(epoll_create1), CALL(eventfd2),
	CALL(timerfd_settime), CALL(lseek),
	CALL(clock_gettime), CALL(gettimeofday), CALL(time),
	CALL(clock_nanosleep), CALL(brk), CALL(munmap), CALL(mremap),
	CALL(madvise), CALL(getrandom), CALL(futex), CALL(getpid),
	CALL(gettid), CALL(tgkill), CALL(getuid), CALL(geteuid),
	CALL(getgid), CALL(getegid), CALL(rt_sigreturn),
	CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(restart_syscall),
	CALL(sched_yield), CALL(exit), CALL(exit_group), CALL(newfstatat),
	CALL(fstat),
};

static const int accepting[] = {
	CALL(accept4), CALL(getsockname), CALL(getpeername),
};

static const int files[] = {
	CALL(openat), CALL(pread64), CALL(pwrite64), CALL(preadv),
	CALL(pwritev), CALL(pwritev2), CALL(fdatasync), CALL(fsync),
	CALL(rename), CALL(renameat), CALL(renameat2), CALL(unlink),
	CALL(unlinkat), CALL(mkdir), CALL(mkdirat), CALL(ftruncate),
	CALL(getdents64), CALL(fallocate), CALL(copy_file_range),
	CALL(sendfile), CALL(fstatfs), CALL(statfs),
	CALL(getcwd), CALL(access), CALL(faccessat), CALL(faccessat2),
	CALL(open),
	CALL(stat), CALL(lstat), CALL(sysinfo), CALL(umask),
	CALL(sched_getaffinity),	/* Berkeley DB counts processors */
};

static const int reading[] = {
	CALL(pread64), CALL(preadv), CALL(getdents64),
};

static const int forking[] = {
	CALL(wait4), CALL(waitid), CALL(set_robust_list), CALL(rseq),
	CALL(close_range), CALL(set_tid_address), CALL(socketpair),
	CALL(dup2), CALL(dup3), CALL(pipe2),
};

/* What sandbox_enter itself calls; it can only take away. */
static const int locking[] = {
	CALL(seccomp), CALL(landlock_create_ruleset),
	CALL(landlock_add_rule), CALL(landlock_restrict_self),
	CALL(prlimit64), CALL(capget), CALL(capset), CALL(fchdir),
};

/* A child of the zygote locks itself down under the zygote's filter. */
static const int changing_ids[] = {
	CALL(openat), CALL(mkdirat), CALL(fchdir), CALL(seccomp),
	CALL(landlock_create_ruleset),
	CALL(landlock_add_rule), CALL(landlock_restrict_self),
	CALL(prlimit64), CALL(getresuid), CALL(getresgid), CALL(capget),
	CALL(capset), CALL(umask),
};

static scmp_filter_ctx ctx;

static void
check(int rc)
{
	if (rc < 0) {
		errno = -rc;
		fatal("sandbox: seccomp");
	}
}

static void
allow(const int *calls, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0));
}

#define ALLOW(list)	allow(list, sizeof(list) / sizeof((list)[0]))

/* Allowed when argument `arg`, masked, is `value`. */
static void
allow_if(int call, unsigned arg, uint64_t mask, uint64_t value)
{
	check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
	    SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, mask, value)));
}

static void
allow_always(void)
{
	/* Not F_SETFL: a flag is also of those who share what is open. */
	static const int fcntls[] = { F_DUPFD_CLOEXEC, F_GETFD, F_SETFD,
	    F_GETFL, F_OFD_SETLK };
	size_t i;

	ALLOW(always);
	for (i = 0; i < sizeof(fcntls) / sizeof(fcntls[0]); i++)
		allow_if(CALL(fcntl), 1, 0xffffffff, (uint64_t)fcntls[i]);
	/* Memory, but never to be executed. */
	allow_if(CALL(mmap), 2, PROT_EXEC, 0);
	allow_if(CALL(mprotect), 2, PROT_EXEC, 0);
	/* A C library that asks for these must hear that they are not there. */
	check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0));
	check(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOTTY), CALL(ioctl), 0));
}

/* All three real, effective and saved ids lie in the aligned range. */
static void
allow_ids(int call, unsigned base, unsigned count)
{
	uint64_t mask = 0xffffffff & ~(uint64_t)(count - 1);

	check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 3,
	    SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, mask, base),
	    SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, mask, base),
	    SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, mask, base)));
}

static void
allow_identities(const struct sandbox *sb)
{
	uint64_t umask_ = 0xffffffff & ~(uint64_t)(sb->uid_count - 1);
	uint64_t gmask = 0xffffffff & ~(uint64_t)(sb->gid_count - 1);

	ALLOW(changing_ids);
	allow_ids(CALL(setresuid), sb->uid_base, sb->uid_count);
	allow_ids(CALL(setresgid), sb->gid_base, sb->gid_count);
	allow_if(CALL(setgroups), 0, UINT64_MAX, 0);
	check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(fchown), 2,
	    SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, umask_, sb->uid_base),
	    SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, gmask, sb->gid_base)));
}

/* identity's and sandbox_enter's own, a name, the parent's death. */
static void
allow_prctl(void)
{
	static const int what[] = { PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP,
	    PR_GET_SECCOMP, PR_CAP_AMBIENT, PR_CAPBSET_DROP, PR_SET_MDWE_,
	    PR_SET_NAME, PR_SET_PDEATHSIG };
	size_t i;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		allow_if(CALL(prctl), 0, UINT64_MAX, (uint64_t)what[i]);
	/* Others may never look into it again. */
	check(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(prctl), 2,
	    SCMP_A0(SCMP_CMP_EQ, PR_SET_DUMPABLE), SCMP_A1(SCMP_CMP_EQ, 0)));
}

static void
allow_parts(const struct sandbox *sb)
{
	if ((sb->allow & SB_ACCEPT) != 0)
		ALLOW(accepting);
	if ((sb->allow & SB_UNIX) != 0) {
		allow_if(CALL(socket), 0, UINT64_MAX, AF_UNIX);
		ALLOW(((const int[]){ CALL(connect), CALL(socketpair) }));
	}
	if ((sb->allow & SB_FILES) != 0)
		ALLOW(files);
	/*
	 * A directory that was passed is outside the root: to go there and
	 * connect by a path above it would leave the view.  Landlock knows
	 * nothing of sockets.
	 */
	if ((sb->allow & SB_FILES) != 0 && (sb->allow & SB_UNIX) == 0)
		ALLOW(((const int[]){ CALL(fchdir) }));
	if ((sb->allow & SB_SYNC) != 0)
		ALLOW(((const int[]){ CALL(fdatasync), CALL(fsync) }));
	if ((sb->allow & SB_READ) != 0)
		ALLOW(reading);
	if ((sb->allow & (SB_READ | SB_SYNC)) != 0)
		allow_if(CALL(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC,
		    O_RDONLY);
	if ((sb->allow & SB_FORK) != 0) {
		ALLOW(forking);
		allow_if(CALL(clone), 0, CLONE_NEWNS | CLONE_NEWUSER |
		    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
		    CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_VM, 0);
	}
	if ((sb->allow & SB_KILL) != 0)
		ALLOW(((const int[]){ CALL(kill) }));
	if ((sb->allow & SB_LOCK) != 0)
		ALLOW(locking);
	if ((sb->allow & (SB_LOCK | SB_IDS)) != 0)
		allow_prctl();
	if ((sb->allow & SB_IDS) != 0)
		allow_identities(sb);
}

#ifdef POSTERN_SANITIZE
/*
 * The sanitizers read /proc, map memory at will and make threads: the wide
 * filter only takes away what would break a wall.
 */
static const int never[] = {
	CALL(execve), CALL(execveat), CALL(ptrace), CALL(process_vm_readv),
	CALL(process_vm_writev), CALL(mount), CALL(bpf), CALL(keyctl),
	CALL(io_uring_setup), CALL(userfaultfd), CALL(perf_event_open),
	CALL(chmod), CALL(fchmod), CALL(fchmodat), CALL(setxattr),
	CALL(unshare), CALL(setns),
};

static const char *
lock_wide(void)
{
	size_t i;

	ctx = seccomp_init(SCMP_ACT_ALLOW);
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		check(seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, never[i],
		    0));
	check(seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, CALL(socket), 1,
	    SCMP_A0(SCMP_CMP_EQ, AF_INET)));
	check(seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, CALL(socket), 1,
	    SCMP_A0(SCMP_CMP_EQ, AF_INET6)));
	check(seccomp_load(ctx));
	seccomp_release(ctx);
	return "seccomp:wide";
}
#endif

const char *
syscalls_lock(const struct sandbox *sb)
{
#ifdef POSTERN_SANITIZE
	(void)sb;
	(void)allow_parts;
	(void)allow_always;
	return lock_wide();
#else
	ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		fatalx("sandbox: seccomp");
	/* The filter needs no privilege: no_new_privs is already set. */
	check(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0));
	check(seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2));
	allow_always();
	allow_parts(sb);
	check(seccomp_load(ctx));
	seccomp_release(ctx);
	return "seccomp";
#endif
}
