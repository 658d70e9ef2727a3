/*
 * recover - opens a record log: replays every segment, then repairs what a
 * crash left.  All reading, and the check of the epoch, comes before the
 * first write, so a refused open changes nothing.
 *
 * Each step can be cut short and done again.  The order matters: torn bytes
 * are kept aside before they are cut off; what may live only in memory (an
 * earlier process may have been told that its sync failed) is written again
 * before it is synced and counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"
#include "common/disk/io.h"
#include "common/disk/reclog_int.h"

enum {
	SEGMENT_MAX = 512 * 1024 * 1024,
	COPY_CHUNK = 256 * 1024
};

struct opening {
	struct reclog		*l;
	struct reclog_report	*rep;
	reclog_replay_fn	*fn;
	void			*arg;
	uint64_t		 segment;	/* that is replayed */
	uint64_t		 epoch;		/* the highest seen */
	struct scan		 tail;		/* of an unsealed last one */
	bool			 has_tail;
};

static int
on_frame(void *arg, const struct span *f)
{
	struct opening *o = arg;

	o->l->last = (struct recmark){ o->segment, f->sequence, f->checksum };
	if (f->epoch > o->epoch)
		o->epoch = f->epoch;
	return 0;
}

static int
on_record(void *arg, const struct rec_head *h, struct str meta,
    uint64_t offset)
{
	struct opening	*o = arg;
	struct rec	 r = {
		.type = h->type, .id = h->id, .meta = meta,
		.payload = { NULL, h->payload_n },
	};
	struct recpos	 pos = { o->segment, offset };

	o->rep->records++;
	if (o->fn != NULL && o->fn(o->arg, &r, pos) != 0) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/* What the segment behind this one says that it begins with; 0: nothing. */
static uint64_t
first_sequence(struct reclog *l, uint64_t id)
{
	struct scan	s;
	int		fd = seg_fd(l, id);
	int64_t		size = fd == -1 ? -1 : disk_io->size(fd);
	uint64_t	first = 0;

	if (size == -1)
		return 0;
	if (scan_open(&s, fd, id, (uint64_t)size) == 0 && s.found)
		first = s.head.sequence;
	scan_close(&s);
	return first;
}

/* Scans a segment that has another behind it and no sound footer. */
static int
scan_sealed(struct reclog *l, size_t i, struct scan *s, uint64_t key)
{
	uint64_t	id = l->segs[i].id, next = 0;
	int		fd = seg_fd(l, id);
	int64_t		size = fd == -1 ? -1 : disk_io->size(fd);

	if (size == -1)
		return -1;
	if (scan_open(s, fd, id, (uint64_t)size) == -1)
		return -1;
	if (!s->found && s->foreign) {
		errno = EINVAL;
		return -1;
	}
	if (!s->found && key != 0)
		scan_key(s, key);
	if (scan_frames(s) == -1)
		return -1;
	if (i + 1 < l->n)
		next = first_sequence(l, l->segs[i + 1].id);
	scan_trust(s, next);
	l->segs[i].key = s->head.key;
	return 0;
}

static int
replay_scanned(struct opening *o, size_t i, uint64_t key)
{
	struct visitor	v = { on_frame, on_record, o };
	struct scan	s = { 0 };
	int		r = -1;

	if (scan_sealed(o->l, i, &s, key) == 0)
		r = scan_walk(&s, 0, &v);
	if (s.epoch > o->epoch)
		o->epoch = s.epoch;
	o->rep->quarantined += s.lost + (s.found ? 0 : 1);
	o->rep->damaged += s.damaged;
	scan_close(&s);
	return r;
}

/* 1 if the segment has a sound footer and is replayed, 0 if it has none. */
static int
replay_footer(struct opening *o, size_t i, int fd, uint64_t size,
    uint64_t *key)
{
	struct visitor		v = { on_frame, on_record, o };
	struct segment		*seg = &o->l->segs[i];
	struct frame_head	h;
	struct buf		b;
	uint64_t		lost = 0;
	int			r;

	r = footer_load(fd, seg->id, size, &b, &h, key);
	if (r == -1) {
		buf_clear(&b);
		return errno == 0 ? 0 : -1;
	}
	seg->footed = true;
	seg->key = h.key;
	if (h.epoch > o->epoch)
		o->epoch = h.epoch;
	r = footer_walk(&b, 0, &v, &lost);
	o->rep->quarantined += lost;
	o->l->last.segment = seg->id;
	o->l->last.sequence = h.sequence;
	buf_clear(&b);
	return r == -1 ? -1 : 1;
}

/* Whoever reads records of it later checks the whole footer. */
static bool
peek_footer(struct opening *o, size_t i, int fd, uint64_t size)
{
	struct segment		*seg = &o->l->segs[i];
	struct frame_head	 h;
	uint64_t		 lost;

	if (footer_peek(fd, seg->id, size, &h, &lost) == -1)
		return false;
	seg->footed = true;
	seg->key = h.key;
	if (h.epoch > o->epoch)
		o->epoch = h.epoch;
	o->rep->quarantined += lost;
	return true;
}

/* The last segment, not sealed: o->tail holds what counts of it. */
static int
replay_tail(struct opening *o, int fd, uint64_t id, uint64_t size)
{
	struct visitor	 v = { on_frame, on_record, o };
	struct scan	*s = &o->tail;

	o->has_tail = true;
	if (scan_open(s, fd, id, size) == -1)
		return -1;
	if (!s->found && s->foreign) {
		errno = EINVAL;
		return -1;
	}
	if (scan_frames(s) == -1 || scan_settle(s) == -1)
		return -1;
	if (!s->found && !s->stale)
		s->junk = size;
	if (s->epoch > o->epoch)
		o->epoch = s->epoch;
	if (scan_walk(s, 0, &v) == -1)
		return -1;
	o->rep->quarantined += s->lost;
	o->rep->damaged += s->damaged;
	if (s->junk > s->end)
		o->rep->torn_bytes = s->junk - s->end;
	if (s->footer != 0)
		o->rep->footers_rebuilt++;
	return 0;
}

static int
replay_segment(struct opening *o, size_t i)
{
	uint64_t	id = o->l->segs[i].id, key = 0;
	int		fd = seg_fd(o->l, id), r;
	int64_t		size = fd == -1 ? -1 : disk_io->size(fd);

	if (size == -1)
		return -1;
	o->segment = id;
	if (o->fn == NULL && i + 1 < o->l->n &&
	    peek_footer(o, i, fd, (uint64_t)size))
		return 0;
	r = replay_footer(o, i, fd, (uint64_t)size, &key);
	if (r != 0)
		return r == 1 ? 0 : -1;
	if (i + 1 == o->l->n)
		return replay_tail(o, fd, id, (uint64_t)size);
	o->rep->footers_rebuilt++;
	return replay_scanned(o, i, key);
}

/* Copies bytes of the file to another, or to their own place. */
static int
copy(int from, uint64_t at, uint64_t end, int to, uint64_t target)
{
	struct iovec	v;
	char		*p = xrealloc(NULL, COPY_CHUNK, 1);
	size_t		 n;
	ssize_t		 got;
	int		 r = 0;

	for (; r == 0 && at < end; at += v.iov_len, target += v.iov_len) {
		n = end - at < COPY_CHUNK ? (size_t)(end - at) : COPY_CHUNK;
		got = disk_read(from, p, n, at);
		if (got <= 0) {
			r = got == 0 ? 0 : -1;
			break;
		}
		v = (struct iovec){ p, (size_t)got };
		n = (size_t)got;
		r = disk_write(to, &v, 1, target);
		v.iov_len = n;
	}
	free(p);
	return r;
}

/*
 * Keeps the torn bytes in a file of their own.  On a full disk they go
 * without: nobody was told that they are safe, and mail must flow again.
 */
static int
keep_aside(struct reclog *l, const struct scan *s)
{
	char	name[SEG_NAME];
	int	fd, r, saved;

	seg_torn_name(name, l->cur.id, s->end);
	fd = disk_open(l->conf.dirfd, name, O_RDWR | O_CREAT | O_TRUNC);
	if (fd == -1)
		return errno_is_full() ? 0 : -1;
	r = copy(l->cur.fd, s->end, s->junk, fd, 0);
	if (r == 0)
		r = disk_io->sync(fd);
	saved = errno;
	if (disk_io->close(fd) == -1 && r == 0)
		return -1;
	errno = saved;
	if (r == 0)
		return disk_io->sync(l->conf.dirfd);
	if (!errno_is_full())
		return -1;
	return disk_io->unlink(l->conf.dirfd, name);
}

/* Cuts torn bytes off and makes durable what was only likely to be. */
static int
repair_tail(struct reclog *l, struct scan *s)
{
	uint64_t	from = s->proven, end = s->n == 0 ? 0 : s->end;
	bool		cut = s->junk > s->end || s->footer != 0;

	if (s->junk > s->end && keep_aside(l, s) == -1)
		return -1;
	/* A file that only grew may end in half an end mark. */
	if (s->found && !s->head.recycled && !s->marked &&
	    l->cur.size > s->end)
		cut = true;
	if (!s->found && !s->stale)
		cut = true;
	if (cut && disk_io->truncate(l->cur.fd, (off_t)end) == -1)
		return -1;
	if (cut)
		l->cur.size = end;
	if (!cut && from >= end)
		return 0;
	if (copy(l->cur.fd, from, end, l->cur.fd, from) == -1 ||
	    disk_io->sync(l->cur.fd) == -1 ||
	    disk_io->sync(l->conf.dirfd) == -1)
		return -1;
	return 0;
}

/* Goes on with the last segment, which is not sealed. */
static int
adopt_tail(struct opening *o)
{
	struct reclog	*l = o->l;
	struct scan	*s = &o->tail;
	char		 name[SEG_NAME];
	uint64_t	 id = l->segs[l->n - 1].id;

	seg_fd_close(l, id);
	seg_forget(l, l->n - 1);
	seg_next(l, id - 1);
	seg_name(name, id);
	l->cur.fd = disk_open(l->conf.dirfd, name, O_RDWR);
	if (l->cur.fd == -1)
		return -1;
	s->w.fd = l->cur.fd;
	l->cur.size = s->w.size;
	l->cur.end = s->end;
	l->cur.recycled = s->found ? s->head.recycled : s->w.size > 0;
	if (repair_tail(l, s) == -1)
		return -1;
	/* Nothing of it counts: its first frame will write a new head. */
	if (s->n == 0) {
		l->cur.end = 0;
		l->cur.durable = 0;
		l->cur.recycled = l->cur.size > 0;
		return 0;
	}
	l->cur.key = s->head.key;
	l->cur.durable = s->end;
	l->marked = s->marked && l->cur.size > s->end;
	return l->marked ? 0 : reclog_put_mark(l);
}

/* Gives each sealed segment a footer again; a full disk may wait. */
static int
repair_footers(struct reclog *l)
{
	struct scan	s;
	char		name[SEG_NAME];
	size_t		i;
	int		fd, r;

	for (i = 0; i < l->n; i++) {
		if (l->segs[i].footed || l->segs[i].key == 0)
			continue;
		s = (struct scan){ 0 };
		seg_name(name, l->segs[i].id);
		fd = disk_open(l->conf.dirfd, name, O_RDWR);
		if (fd == -1)
			return -1;
		r = scan_sealed(l, i, &s, l->segs[i].key);
		if (r == 0)
			r = footer_write(&s, fd, s.w.size);
		if (r == 0)
			r = disk_io->sync(fd);
		l->segs[i].footed = r == 0;
		scan_close(&s);
		disk_io->close(fd);
		if (r == -1 && !errno_is_full())
			return -1;
	}
	return 0;
}

/* A crash may have left more spares than are wanted, or settings changed. */
static int
trim_spares(struct reclog *l)
{
	char name[SEG_NAME];

	while (l->nspares > l->conf.recycle) {
		seg_spare_name(name, l->spares[l->nspares - 1]);
		if (disk_io->unlink(l->conf.dirfd, name) == -1)
			return -1;
		l->nspares--;
	}
	return 0;
}

static int
recover(struct opening *o)
{
	struct reclog	*l = o->l;
	size_t		 i;

	if (seg_list(l) == -1)
		return -1;
	o->rep->segments = l->n;
	/* A process before may have died of its failed sync. */
	l->dir_unsynced = true;
	for (i = 0; i < l->n; i++)
		if (replay_segment(o, i) == -1)
			return -1;
	if (l->conf.epoch < o->epoch) {
		errno = EPERM;
		return -1;
	}
	if (repair_footers(l) == -1)
		return -1;
	if (o->has_tail && adopt_tail(o) == -1)
		return -1;
	if (!o->has_tail)
		seg_next(l, l->n == 0 ? 0 : l->segs[l->n - 1].id);
	return trim_spares(l);
}

struct reclog *
reclog_open(const struct reclog_conf *conf, reclog_replay_fn *fn, void *arg,
    struct reclog_report *report)
{
	struct reclog	*l = xcalloc(1, sizeof(*l));
	struct opening	 o = { .l = l, .rep = report, .fn = fn, .arg = arg };
	int		 saved;
	size_t		 i;

	if (sodium_init() == -1)
		abort();
	*report = (struct reclog_report){ 0 };
	l->conf = *conf;
	if (l->conf.segment_max > SEGMENT_MAX)
		l->conf.segment_max = SEGMENT_MAX;
	l->cur.fd = -1;
	for (i = 0; i < SEG_FDS; i++)
		l->fds[i].fd = -1;
	buf_init(&l->ctl, RECLOG_FRAME_MAX);
	buf_init(&l->table, RECLOG_FRAME_MAX);
	if (recover(&o) == -1) {
		saved = errno;
		l->dead = true;
		reclog_close(l);
		l = NULL;
		errno = saved;
	}
	if (o.has_tail)
		scan_close(&o.tail);
	return l;
}
