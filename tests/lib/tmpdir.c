/*
 * tmpdir - see tmpdir.h.
 */
#include "tests/lib/tmpdir.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/core/log.h"

void
tmpdir_make(struct tmpdir *t)
{
	const char *base = getenv("TMPDIR");

	tmpdir_make_in(t, base == NULL ? "/tmp" : base);
}

void
tmpdir_make_in(struct tmpdir *t, const char *where)
{
	snprintf(t->path, sizeof(t->path), "%.40s/postern.XXXXXX", where);
	t->cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->cwd == -1 || mkdtemp(t->path) == NULL)
		fatal("%s", t->path);
	t->fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->fd == -1)
		fatal("%s", t->path);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	return f->level == 0 ? 0 : remove(path);
}

void
tmpdir_empty(const struct tmpdir *t)
{
	char path[32];

	/* Wherever we are by now, and whatever bears its name. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/.", t->fd);
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
tmpdir_remove(struct tmpdir *t)
{
	tmpdir_empty(t);
	if (fchdir(t->cwd) == -1)
		fatal("working directory");
	close(t->cwd);
	close(t->fd);
	rmdir(t->path);
}
