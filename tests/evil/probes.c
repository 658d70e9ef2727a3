/*
 * probes - see evil.h.  Each tries one thing that no process of the suite may
 * do, by every way that it knows, and undoes nothing: the instance is the
 * test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/evil/evil.h"

#define UP	"../../../../../../../../../../../.."

enum { PATH = 4200, FDS = 64, NEIGHBOURS = 40 };

/* Somewhere that anybody may write, as far as modes go. */
static const char *
beside(const char *what)
{
	static char	path[4][PATH];
	static unsigned	at;

	at = (at + 1) % 4;
	snprintf(path[at], sizeof(path[at]), "%s/../open/%s", evil_dir, what);
	return path[at];
}

/* -- files ------------------------------------------------------------ */

/* Opens by path, and by .. from the root, here and each descriptor. */
static int
reach(const char *path, int flags)
{
	char	from[PATH + sizeof(UP)];
	int	fd, got = open(path, flags, 0600), error = errno;

	snprintf(from, sizeof(from), UP "%s", path);
	if (got == -1)
		got = openat(AT_FDCWD, from, flags, 0600);
	for (fd = 0; got == -1 && fd < FDS; fd++)
		got = openat(fd, from, flags, 0600);
	if (got != -1) {
		close(got);
		return 0;
	}
	errno = error;
	return -1;
}

static int
reach_in(const char *name, int flags)
{
	char path[PATH];

	snprintf(path, sizeof(path), "%s/%s", evil_dir, name);
	return reach(path, flags);
}

static int
open_passwd(void)
{
	return reach("/etc/passwd", O_RDONLY);
}

static int
open_shadow(void)
{
	return reach("/etc/shadow", O_RDONLY);
}

static int
open_conf(void)
{
	return reach_in("postern.conf", O_RDONLY);
}

static int
open_snapshot(void)
{
	return reach_in("snapshots/1/authd", O_RDONLY);
}

static int
open_store(void)
{
	return reach_in("store", O_RDONLY | O_DIRECTORY);
}

static int
open_proc(void)
{
	return reach("/proc/self/status", O_RDONLY);
}

static int
write_core_pattern(void)
{
	return reach("/proc/sys/kernel/core_pattern", O_WRONLY);
}

static int
read_beside(void)
{
	return reach(beside("victim"), O_RDONLY);
}

static int
write_beside(void)
{
	return reach(beside("victim"), O_WRONLY | O_TRUNC);
}

static int
create_beside(void)
{
	return reach(beside("made"), O_WRONLY | O_CREAT);
}

static int
create_tmp(void)
{
	return reach("/tmp", O_TMPFILE | O_RDWR);
}

static int
make_dir_beside(void)
{
	return mkdir(beside("made-dir"), 0700);
}

/* Another mailbox: by its path, beside ours, by what a process shows. */
static int
open_other_mailbox(void)
{
	static const char *const ways[] = { "cwd", "root", "fd/4" };
	char		path[PATH];
	unsigned long	other = evil_self == 1 ? 2 : 1;
	int		fd, way, pid;

	snprintf(path, sizeof(path), "%s/store/0/1/%lu/log", evil_dir, other);
	if (reach(path, O_RDONLY) == 0)
		return 0;
	snprintf(path, sizeof(path), "../%lu/log", other);
	for (fd = 0; fd < FDS; fd++) {
		if (openat(fd, path, O_RDONLY) != -1)
			return 0;
	}
	for (pid = getpid() - NEIGHBOURS; pid < getpid(); pid++) {
		for (way = 0; way < 3; way++) {
			snprintf(path, sizeof(path), "/proc/%d/%s/.", pid,
			    ways[way]);
			if (openat(AT_FDCWD, path, O_RDONLY) != -1)
				return 0;
		}
	}
	return -1;
}

static int
open_other_file(void)
{
	unsigned long	other = evil_self == 1 ? 2 : 1;
	char		name[64];

	snprintf(name, sizeof(name), "store/0/1/%lu/log/%016d.seg", other, 1);
	return reach_in(name, O_RDONLY);
}

static int
open_by_handle(void)
{
	struct {
		struct file_handle	h;
		unsigned char		bytes[MAX_HANDLE_SZ];
	} f = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	if (name_to_handle_at(AT_FDCWD, "/", &f.h, &mount, 0) == -1)
		return -1;
	return open_by_handle_at(AT_FDCWD, &f.h, O_RDONLY) == -1 ? -1 : 0;
}

static int
try_handle(void)
{
	struct file_handle h = { .handle_bytes = 0 };

	/* Allowed at all, it says EOVERFLOW, EBADF or the like. */
	if (open_by_handle_at(AT_FDCWD, &h, O_RDONLY) == -1 &&
	    errno != EPERM && errno != EACCES)
		return 0;
	return -1;
}

static int
do_chmod(void)
{
	return chmod(beside("victim"), 0666);
}

static int
do_fchmod(void)
{
	return fchmod(STDERR_FILENO, 0666);
}

static int
do_chown(void)
{
	return chown(beside("victim"), getuid(), (gid_t)-1);
}

static int
do_utimes(void)
{
	return utimensat(AT_FDCWD, beside("victim"), NULL, 0);
}

static int
do_setxattr(void)
{
	return setxattr(beside("victim"), "user.evil", "x", 1, 0);
}

static int
do_link(void)
{
	return link(beside("victim"), beside("linked"));
}

static int
do_symlink(void)
{
	return symlink("/etc/passwd", beside("symlinked"));
}

static int
do_rename(void)
{
	if (rename(beside("victim"), beside("renamed")) == -1)
		return -1;
	return rename(beside("renamed"), beside("victim"));
}

static int
do_unlink(void)
{
	return unlink(beside("spare"));
}

static int
do_mknod(void)
{
	return mknod(beside("device"), S_IFCHR | 0600, 0x103);
}

static int
do_chroot(void)
{
	return chroot("/");
}

/* -- the network ------------------------------------------------------ */

static int
have_socket(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	return fd == -1 ? -1 : close(fd);
}

static int
sock_inet(void)
{
	return have_socket(AF_INET, SOCK_STREAM, 0);
}

static int
sock_udp(void)
{
	return have_socket(AF_INET, SOCK_DGRAM, 0);
}

static int
sock_inet6(void)
{
	return have_socket(AF_INET6, SOCK_STREAM, 0);
}

static int
sock_netlink(void)
{
	return have_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int
sock_packet(void)
{
	return have_socket(AF_PACKET, SOCK_RAW, 0);
}

static int
sock_vsock(void)
{
	return have_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int
connect_loopback(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)evil_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static int
connect_unix(const char *path, int type, bool abstract)
{
	struct sockaddr_un	to = { .sun_family = AF_UNIX };
	socklen_t		len;
	int			fd = socket(AF_UNIX, type, 0);

	snprintf(to.sun_path + abstract, sizeof(to.sun_path) - 1, "%s", path);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract +
	    strlen(path));
	if (fd == -1)
		return -1;
	return connect(fd, (struct sockaddr *)&to, len);
}

/* Sockets of the suite that are for others, and some for everybody. */
static int
connect_all(void)
{
	static const char *const names[] = { "run/ctl/authd",
	    "run/ctl/queued", "run/ctl/postern", "run/mailboxd/zygote",
	    "run/route/queued", "run/imapd/mailboxd" };
	char	path[PATH];
	size_t	i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), UP "%s/%s", evil_dir, names[i]);
		if (connect_unix(path, SOCK_SEQPACKET, false) == 0)
			return 0;
	}
	return -1;
}

static int
connect_suite(void)
{
	return connect_all();
}

/* The same from each directory that is open: a chroot does not hold those. */
static int
connect_from_dir(void)
{
	int fd, was = open(".", O_PATH), rc = -1;

	for (fd = 3; rc == -1 && fd < FDS; fd++) {
		if (fchdir(fd) == 0)
			rc = connect_all();
	}
	(void)!fchdir(was);
	close(was);
	return rc;
}

static int
connect_abstract(void)
{
	char name[64];

	snprintf(name, sizeof(name), "postern-evil-%u", evil_port);
	return connect_unix(name, SOCK_STREAM, true);
}

static int
do_bind(void)
{
	struct sockaddr_un	at = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	return bind(fd, (struct sockaddr *)&at, sizeof(at.sun_family));
}

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

#define P(name)	{ #name, name }

const struct probe evil_probes[] = {
	P(open_passwd), P(open_shadow), P(open_conf), P(open_snapshot),
	P(open_store), P(open_proc), P(write_core_pattern), P(read_beside),
	P(write_beside), P(create_beside), P(create_tmp), P(make_dir_beside),
	P(open_other_mailbox), P(open_other_file), P(open_by_handle),
	P(try_handle), P(do_chmod), P(do_fchmod), P(do_chown), P(do_utimes),
	P(do_setxattr), P(do_link), P(do_symlink), P(do_rename),
	P(do_unlink), P(do_mknod), P(do_chroot),
	P(sock_inet), P(sock_udp), P(sock_inet6), P(sock_netlink),
	P(sock_packet), P(sock_vsock), P(connect_loopback),
	P(connect_suite), P(connect_from_dir), P(connect_abstract), P(do_bind),
	P(do_kill), P(do_tgkill), P(do_ptrace), P(do_vm_read), P(do_pidfd),
	P(do_prlimit), P(do_fork), P(do_clone_user), P(do_clone3),
	P(do_execve), P(do_execveat), P(do_memfd), P(map_code),
	P(protect_code), P(do_dumpable), P(do_personality),
	P(do_unshare), P(unshare_user), P(do_mount), P(do_bpf),
	P(do_uring), P(do_userfault), P(do_perf), P(do_keyctl),
	P(do_ioctl), P(call_x32), P(call_i386),
	P(become_root), P(resuid_root), P(become_other), P(group_root),
	P(fsuid_root),
	{ NULL, NULL },
};
