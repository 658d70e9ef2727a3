/*
 * snapshot - see snapshot.h.
 */
#include "mailctl/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/log.h"

enum { SLICE_MAX = 1024 * 1024, NAME_MAX_ = 32 };

static const char text_name[] = "postern.conf";

static int
open_snapshots(const struct instance *in)
{
	int fd = openat(in->dirfd, "snapshots",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		fatal("open %s/snapshots", in->dir);
	return fd;
}

/* The greatest number there, and the smallest; 0 when there is none. */
static void
range(int dir, unsigned *least, unsigned *most)
{
	DIR		*d = fdopendir(fcntl(dir, F_DUPFD_CLOEXEC, 3));
	struct dirent	*e;
	uint64_t	 n;

	*least = *most = 0;
	if (d == NULL)
		fatal("read snapshots");
	rewinddir(d);
	while ((e = readdir(d)) != NULL) {
		if (str_u64(str_c(e->d_name), 999999999, &n) == -1)
			continue;
		if (n > *most)
			*most = (unsigned)n;
		if (*least == 0 || n < *least)
			*least = (unsigned)n;
	}
	closedir(d);
}

static bool
is_same(int dir, const char *name, struct str want)
{
	struct buf	b;
	char		*room;
	ssize_t		 n = 0;
	int		 fd = openat(dir, name,
			    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool		 same;

	if (fd == -1)
		return false;
	buf_init(&b, SLICE_MAX);
	while ((room = buf_room(&b, 4096)) != NULL &&
	    (n = read(fd, room, 4096)) > 0)
		buf_grow(&b, (size_t)n);
	close(fd);
	same = room != NULL && n == 0 && str_eq(buf_str(&b), want);
	buf_clear(&b);
	return same;
}

/* Calls fn for the text and for every slice; stops when it says false. */
static bool
each(const struct instance *in, int dir,
    bool (*fn)(int dir, const char *name, struct str))
{
	struct buf	b;
	size_t		i;
	bool		ok = fn(dir, text_name, str_c(in->text));

	buf_init(&b, SLICE_MAX);
	for (i = 0; i < UNITS && ok; i++) {
		buf_reset(&b);
		conf_slice(units[i].who, &b);
		ok = fn(dir, units[i].name, buf_str(&b));
	}
	buf_clear(&b);
	return ok;
}

static bool
write_file(int dir, const char *name, struct str s)
{
	int	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, 0400);
	bool	ok;

	if (fd == -1)
		return false;
	ok = write(fd, s.p, s.n) == (ssize_t)s.n && fsync(fd) == 0;
	close(fd);
	return ok;
}

static void
remove_one(int dir, const char *name)
{
	int	fd = openat(dir, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t	i;

	if (fd == -1)
		return;
	unlinkat(fd, text_name, 0);
	for (i = 0; i < UNITS; i++)
		unlinkat(fd, units[i].name, 0);
	close(fd);
	unlinkat(dir, name, AT_REMOVEDIR);
}

static void
format_name(char *name, unsigned number)
{
	snprintf(name, NAME_MAX_, "%u", number);
}

static void
write_new(const struct instance *in, int dir, unsigned number)
{
	char	name[NAME_MAX_];
	int	fd;

	format_name(name, number);
	/* What a crash left half-made has this one name. */
	remove_one(dir, "new");
	if (mkdirat(dir, "new", 0700) == -1)
		fatal("make snapshot %u", number);
	fd = openat(dir, "new",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || !each(in, fd, write_file) || fsync(fd) == -1 ||
	    renameat(dir, "new", dir, name) == -1 || fsync(dir) == -1)
		fatal("write snapshot %u", number);
	close(fd);
}

unsigned
snapshot_take(const struct instance *in)
{
	int		dir = open_snapshots(in), last;
	unsigned	least, most;
	char		name[NAME_MAX_];
	bool		same = false;

	range(dir, &least, &most);
	format_name(name, most);
	last = openat(dir, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (last != -1) {
		same = each(in, last, is_same);
		close(last);
	}
	if (!same) {
		write_new(in, dir, ++most);
		for (; least != 0 && least + SNAPSHOTS_KEPT <= most; least++) {
			format_name(name, least);
			remove_one(dir, name);
		}
	}
	close(dir);
	return most;
}

int
snapshot_slice(const struct instance *in, unsigned number,
    const struct unit *u)
{
	struct buf	path;
	int		fd;

	buf_init(&path, 256);
	buf_addf(&path, "snapshots/%u/%s", number, u->name);
	fd = openat(in->dirfd, buf_cstr(&path),
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		fatal("open %s", buf_cstr(&path));
	buf_clear(&path);
	return fd;
}
