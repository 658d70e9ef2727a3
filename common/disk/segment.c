/*
 * segment - the files of a record log: names, the list of them, descriptors
 * for reading, the start of a new one and the end of an old one.
 *
 *	%016x.seg		a segment, by its id
 *	spare-%016x		a retired one that waits for reuse
 *	torn-%016x-%016x	bytes cut off at recovery; never read here
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/id.h"
#include "common/core/xalloc.h"
#include "common/disk/io.h"
#include "common/disk/reclog_int.h"

#define ID	"%016llx"
#define SPARE	"spare-"

enum { ID_DIGITS = 16 };

bool
errno_is_full(void)
{
	return errno == ENOSPC || errno == EDQUOT;
}

void
seg_name(char *to, uint64_t id)
{
	snprintf(to, SEG_NAME, ID ".seg", (unsigned long long)id);
}

void
seg_spare_name(char *to, uint64_t id)
{
	snprintf(to, SEG_NAME, SPARE ID, (unsigned long long)id);
}

void
seg_torn_name(char *to, uint64_t id, uint64_t offset)
{
	snprintf(to, SEG_NAME, "torn-" ID "-" ID, (unsigned long long)id,
	    (unsigned long long)offset);
}

/* Exactly 16 lower-case digits at the front of s; 0 for anything else. */
static uint64_t
id_of(struct str s)
{
	uint64_t	v = 0;
	size_t		i;

	if (s.n < ID_DIGITS)
		return 0;
	for (i = 0; i < ID_DIGITS; i++) {
		if (ascii_isdigit(s.p[i]))
			v = v << 4 | (uint64_t)(s.p[i] - '0');
		else if (s.p[i] >= 'a' && s.p[i] <= 'f')
			v = v << 4 | (uint64_t)(s.p[i] - 'a' + 10);
		else
			return 0;
	}
	return v;
}

static void
spare_add(struct reclog *l, uint64_t id)
{
	l->spares = xrealloc(l->spares, l->nspares + 1, sizeof(*l->spares));
	l->spares[l->nspares++] = id;
}

static int
on_name(void *arg, const char *name)
{
	struct reclog	*l = arg;
	struct str	 s = str_c(name);
	struct segment	 seg = { 0 };

	seg.id = id_of(s);
	if (seg.id != 0 && str_eq(str_from(s, ID_DIGITS), S(".seg")))
		seg_add(l, &seg);
	if (!str_starts(s, S(SPARE)))
		return 0;
	s = str_from(s, sizeof(SPARE) - 1);
	if (s.n == ID_DIGITS && id_of(s) != 0)
		spare_add(l, id_of(s));
	return 0;
}

int
seg_list(struct reclog *l)
{
	return disk_io->list(l->conf.dirfd, on_name, l);
}

void
seg_add(struct reclog *l, const struct segment *seg)
{
	size_t i = l->n;

	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->segs = xrealloc(l->segs, l->cap, sizeof(*l->segs));
	}
	for (; i > 0 && l->segs[i - 1].id > seg->id; i--)
		l->segs[i] = l->segs[i - 1];
	l->segs[i] = *seg;
	l->n++;
}

void
seg_forget(struct reclog *l, size_t i)
{
	l->n--;
	memmove(l->segs + i, l->segs + i + 1,
	    (l->n - i) * sizeof(*l->segs));
}

struct segment *
seg_find(struct reclog *l, uint64_t id)
{
	size_t	lo = 0, hi = l->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (l->segs[mid].id == id)
			return &l->segs[mid];
		if (l->segs[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

int
seg_fd(struct reclog *l, uint64_t id)
{
	struct seg_fd	*f, *oldest = &l->fds[0];
	char		 name[SEG_NAME];
	size_t		 i;

	if (id == l->cur.id && l->cur.fd != -1)
		return l->cur.fd;
	for (i = 0; i < SEG_FDS; i++) {
		f = &l->fds[i];
		if (f->id == id) {
			f->used = ++l->clock;
			return f->fd;
		}
		if (f->used < oldest->used)
			oldest = f;
	}
	if (oldest->id != 0)
		seg_fd_close(l, oldest->id);
	seg_name(name, id);
	oldest->fd = disk_open(l->conf.dirfd, name, O_RDONLY);
	if (oldest->fd == -1)
		return -1;
	oldest->id = id;
	oldest->used = ++l->clock;
	return oldest->fd;
}

void
seg_fd_close(struct reclog *l, uint64_t id)
{
	size_t i;

	for (i = 0; i < SEG_FDS; i++)
		if (l->fds[i].id == id && id != 0) {
			disk_io->close(l->fds[i].fd);
			l->fds[i] = (struct seg_fd){ .fd = -1 };
		}
}

/* The next frame begins the segment after `id`. */
void
seg_next(struct reclog *l, uint64_t id)
{
	l->cur = (struct current){
		.fd = -1, .id = id + 1, .key = id_random() | 1,
	};
	l->marked = false;
}

/* A spare is overwritten in place, so its name must change first. */
static int
create_from_spare(struct reclog *l, const char *name)
{
	char	spare[SEG_NAME];
	int64_t	size;

	seg_spare_name(spare, l->spares[l->nspares - 1]);
	if (disk_io->rename(l->conf.dirfd, spare, name) == -1)
		return -1;
	l->nspares--;
	l->cur.fd = disk_open(l->conf.dirfd, name, O_RDWR);
	if (l->cur.fd == -1)
		return -1;
	size = disk_io->size(l->cur.fd);
	if (size == -1)
		return -1;
	l->cur.size = (uint64_t)size;
	l->cur.recycled = true;
	return 0;
}

int
seg_create(struct reclog *l)
{
	char name[SEG_NAME];

	seg_name(name, l->cur.id);
	l->dir_unsynced = true;
	if (l->nspares > 0)
		return create_from_spare(l, name);
	l->cur.fd = disk_open(l->conf.dirfd, name,
	    O_RDWR | O_CREAT | O_EXCL);
	return l->cur.fd == -1 ? -1 : 0;
}

int
seg_discard(struct reclog *l, uint64_t id)
{
	char	name[SEG_NAME], spare[SEG_NAME];

	seg_name(name, id);
	if (l->nspares < l->conf.recycle) {
		seg_spare_name(spare, id);
		if (disk_io->rename(l->conf.dirfd, name, spare) == -1)
			return -1;
		spare_add(l, id);
	} else if (disk_io->unlink(l->conf.dirfd, name) == -1)
		return -1;
	return 0;
}
