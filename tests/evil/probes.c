/*
 * probes - see evil.h: other processes, programs and memory, the kernel, and
 * who we are.  Files are in probes_files.c, sockets in probes_net.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/evil/probes.h"

/* -- other processes -------------------------------------------------- */

/* Siblings are young, and so are their numbers; our parent is no other's. */
static int
each_process(int (*fn)(pid_t))
{
	pid_t pid;

	if (fn(getppid()) == 0)
		return 0;
	for (pid = getpid() - NEIGHBOURS; pid < getpid(); pid++) {
		if (pid > 1 && fn(pid) == 0)
			return 0;
	}
	return -1;
}

static int
signal_one(pid_t pid)
{
	return kill(pid, 0);
}

static int
do_kill(void)
{
	return each_process(signal_one);
}

/* tgkill is allowed, for abort; its target must be ourselves alone. */
static int
thread_signal_one(pid_t pid)
{
	return (int)syscall(SYS_tgkill, pid, pid, 0);
}

static int
do_tgkill(void)
{
	return each_process(thread_signal_one);
}

static int
trace_one(pid_t pid)
{
	return ptrace(PTRACE_SEIZE, pid, NULL, NULL) == -1 ? -1 : 0;
}

static int
do_ptrace(void)
{
	return each_process(trace_one);
}

static int
read_one(pid_t pid)
{
	static char	here[8];
	struct iovec	to = { here, sizeof(here) };
	struct iovec	from = { here, sizeof(here) };

	return process_vm_readv(pid, &to, 1, &from, 1, 0) == -1 ? -1 : 0;
}

static int
do_vm_read(void)
{
	return each_process(read_one);
}

static int
steal_from(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd == -1)
		return -1;
	return syscall(SYS_pidfd_getfd, fd, 2, 0) == -1 ? -1 : 0;
}

static int
do_pidfd(void)
{
	return each_process(steal_from);
}

static int
limit_one(pid_t pid)
{
	struct rlimit r;

	return prlimit(pid, RLIMIT_NOFILE, NULL, &r);
}

static int
do_prlimit(void)
{
	return each_process(limit_one);
}

static int
do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? -1 : 0;
}

static int
do_clone_user(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid == -1 ? -1 : 0;
}

static int
do_clone3(void)
{
	/* Where it exists it says that nothing is no argument. */
	return syscall(SYS_clone3, NULL, 0) == -1 && errno != EINVAL ? -1 : 0;
}

/* -- programs and memory ---------------------------------------------- */

static int
do_execve(void)
{
	char *const argv[] = { (char *)(uintptr_t)"true", NULL };

	return execve("/bin/true", argv, argv + 1);
}

static int
do_execveat(void)
{
	char *const argv[] = { (char *)(uintptr_t)"true", NULL };

	return (int)syscall(SYS_execveat, AT_FDCWD, UP "/bin/true", argv,
	    argv + 1, 0);
}

static int
do_memfd(void)
{
	return memfd_create("evil", 0) == -1 ? -1 : 0;
}

static int
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static int
protect_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int
do_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int
do_personality(void)
{
	return (int)syscall(SYS_personality, 0xffffffff) == -1 ? -1 : 0;
}

/* -- the kernel ------------------------------------------------------- */

static int
do_unshare(void)
{
	return unshare(CLONE_NEWNS);
}

static int
unshare_user(void)
{
	return unshare(CLONE_NEWUSER);
}

static int
do_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static int
do_bpf(void)
{
	union bpf_attr a = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
	    .value_size = 4, .max_entries = 1 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)) == -1 ? -1 : 0;
}

static int
do_uring(void)
{
	static char params[120];

	return syscall(SYS_io_uring_setup, 1, params) == -1 ? -1 : 0;
}

static int
do_userfault(void)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC) == -1 ? -1 : 0;
}

static int
do_perf(void)
{
	struct perf_event_attr a = { .type = PERF_TYPE_SOFTWARE,
	    .size = sizeof(a), .config = PERF_COUNT_SW_CPU_CLOCK,
	    .exclude_kernel = 1 };

	return syscall(SYS_perf_event_open, &a, 0, -1, -1, 0) == -1 ? -1 : 0;
}

static int
do_keyctl(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
	    KEY_SPEC_SESSION_KEYRING, 1) == -1 ? -1 : 0;
}

/* Close-on-exec works on everything that is open: no ioctl gets through. */
static int
do_ioctl(void)
{
	return ioctl(STDERR_FILENO, FIOCLEX);
}

/* The same call by the numbers of another interface. */
static int
call_x32(void)
{
	return syscall(0x40000000 | SYS_getppid) == -1 ? -1 : 0;
}

static int
call_i386(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8",
	    "r9", "r10", "r11");
	if (r > 0)
		return 0;
	errno = (int)-r;
	return -1;
}

/* -- who we are ------------------------------------------------------- */

static int
become_root(void)
{
	return setuid(0);
}

static int
resuid_root(void)
{
	return setresuid(0, 0, 0);
}

static int
become_other(void)
{
	uid_t uid = EVIL_UIDS + (evil_self == 1 ? 2 : 1);

	return setresuid(uid, uid, uid);
}

static int
group_root(void)
{
	return setresgid(0, 0, 0);
}

static int
fsuid_root(void)
{
	(void)setfsuid(0);
	return setfsuid(0) == 0 ? 0 : (errno = EPERM, -1);
}

const struct probe evil_probes_self[] = {
	P(do_kill), P(do_tgkill), P(do_ptrace), P(do_vm_read), P(do_pidfd),
	P(do_prlimit), P(do_fork), P(do_clone_user), P(do_clone3), P(do_execve),
	P(do_execveat), P(do_memfd), P(map_code), P(protect_code),
	P(do_dumpable), P(do_personality), P(do_unshare), P(unshare_user),
	P(do_mount), P(do_bpf), P(do_uring), P(do_userfault), P(do_perf),
	P(do_keyctl), P(do_ioctl), P(call_x32), P(call_i386), P(become_root),
	P(resuid_root), P(become_other), P(group_root), P(fsuid_root),
	{ NULL, NULL },
};
