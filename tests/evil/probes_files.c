/*
 * probes_files - see evil.h: reaching what is of others by the file system.
 * Each tries one thing that no process of the suite may do, by every way that
 * it knows, and undoes nothing: the instance is the test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/evil/probes.h"

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

/* Standard error is others', too. */
static int
do_setfl(void)
{
	return fcntl(STDERR_FILENO, F_SETFL, O_APPEND);
}

const struct probe evil_probes_files[] = {
	P(open_passwd), P(open_shadow), P(open_conf), P(open_snapshot),
	P(open_store), P(open_proc), P(write_core_pattern), P(read_beside),
	P(write_beside), P(create_beside), P(create_tmp), P(make_dir_beside),
	P(open_other_mailbox), P(open_other_file), P(open_by_handle),
	P(try_handle), P(do_chmod), P(do_fchmod), P(do_chown), P(do_utimes),
	P(do_setxattr), P(do_link), P(do_symlink), P(do_rename), P(do_unlink),
	P(do_mknod), P(do_chroot), P(do_setfl),
	{ NULL, NULL },
};
