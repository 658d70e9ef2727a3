/*
 * logread - reads records of an open log: single payloads, whole records,
 * and everything behind a mark.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"
#include "common/disk/crc32c.h"
#include "common/disk/io.h"
#include "common/disk/reclog_int.h"
#include "common/disk/walk.h"

enum {
	SEEN_MAX = 65536,	/* payloads; then it starts anew */
	META_GUESS = 512	/* read with the head, to save a call */
};

static size_t
seen_slot(const struct seen *s, struct recpos pos)
{
	uint64_t h = (pos.segment * 0x9e3779b97f4a7c15u) ^
	    (pos.offset * 0xc2b2ae3d27d4eb4fu);

	h ^= h >> 32;
	h &= s->cap - 1;
	while (s->slots[h].segment != 0 && (s->slots[h].segment !=
	    pos.segment || s->slots[h].offset != pos.offset))
		h = (h + 1) & (s->cap - 1);
	return (size_t)h;
}

static bool
is_seen(const struct seen *s, struct recpos pos)
{
	return s->cap > 0 && s->slots[seen_slot(s, pos)].segment != 0;
}

static void
set_seen(struct seen *s, struct recpos pos)
{
	struct recpos	*old = s->slots;
	size_t		 i, n = s->cap;

	if (s->n * 2 >= s->cap) {
		s->cap = n == 0 ? 64 : n == SEEN_MAX * 2 ? n : n * 2;
		s->slots = xcalloc(s->cap, sizeof(*s->slots));
		for (i = 0; i < n && s->cap != n; i++)
			if (old[i].segment != 0)
				s->slots[seen_slot(s, old[i])] = old[i];
		if (s->cap == n)
			s->n = 0;
		free(old);
	}
	i = seen_slot(s, pos);
	if (s->slots[i].segment == 0)
		s->n++;
	s->slots[i] = pos;
}

/* The key of a segment of this log; -1 if there is none. */
static int
key_of(struct reclog *l, uint64_t id, uint64_t *key)
{
	struct segment *seg = seg_find(l, id);

	if (seg == NULL && (id != l->cur.id || l->cur.fd == -1)) {
		errno = ENOENT;
		return -1;
	}
	*key = seg == NULL ? l->cur.key : seg->key;
	return 0;
}

/* Head into *h, metadata appended to *meta, both checked.  The fd, or -1. */
static int
load_head(struct reclog *l, struct recpos pos, struct rec_head *h,
    struct buf *meta)
{
	char		 p[REC_HEAD + META_GUESS], *more;
	uint64_t	 key;
	ssize_t		 n;
	size_t		 have;
	int		 fd;

	if (key_of(l, pos.segment, &key) == -1)
		return -1;
	fd = seg_fd(l, pos.segment);
	if (fd == -1)
		return -1;
	n = disk_read(fd, p, sizeof(p), pos.offset);
	if (n == -1)
		return -1;
	if (n < REC_HEAD)
		goto bad;
	rec_head_get(p, h);
	if (h->meta_n > RECLOG_META_MAX || h->payload_n > RECLOG_PAYLOAD_MAX)
		goto bad;
	have = (size_t)n - REC_HEAD;
	if (have > h->meta_n)
		have = h->meta_n;
	more = buf_room(meta, h->meta_n);
	if (more == NULL) {
		errno = ENOMEM;
		return -1;
	}
	memcpy(more, p + REC_HEAD, have);
	if (have < h->meta_n) {
		n = disk_read(fd, more + have, h->meta_n - have,
		    pos.offset + REC_HEAD + have);
		if (n == -1)
			return -1;
		if ((size_t)n != h->meta_n - have)
			goto bad;
	}
	if (rec_sum(p, str_of(more, h->meta_n), key, pos.offset) !=
	    h->checksum)
		goto bad;
	buf_grow(meta, h->meta_n);
	return fd;
bad:
	errno = EBADMSG;
	return -1;
}

/* Is this the payload?  Its hash is looked at too if it is not `known`. */
static bool
is_payload(const struct rec_head *h, const char *p, bool known)
{
	unsigned char sum[HASH_LEN];

	if (crc32c(0, p, h->payload_n) != h->payload_crc)
		return false;
	if (known || h->payload_n == 0)
		return true;
	crypto_generichash(sum, HASH_LEN, (const unsigned char *)p,
	    h->payload_n, NULL, 0);
	return memcmp(sum, h->hash, HASH_LEN) == 0;
}

/* n bytes of the payload, which begins at `start`, from byte `from`. */
static int
load_payload(struct reclog *l, struct recpos pos, int fd,
    const struct rec_head *h, uint64_t from, size_t n, struct buf *out)
{
	uint64_t	 start = pos.offset + REC_HEAD + h->meta_n;
	bool		 known = is_seen(&l->seen, pos), whole;
	char		*p;
	ssize_t		 got;

	if (from >= h->payload_n)
		n = 0;
	else if (n > h->payload_n - from)
		n = (size_t)(h->payload_n - from);
	whole = n == h->payload_n;
	if (!known && !whole && walk_payload(fd, h, start, true) == -1)
		return -1;
	p = buf_room(out, n);
	if (p == NULL) {
		errno = ENOMEM;
		return -1;
	}
	got = disk_read(fd, p, n, start + from);
	if (got == -1)
		return -1;
	if ((size_t)got != n || (whole && !is_payload(h, p, known))) {
		errno = EBADMSG;
		return -1;
	}
	if (!known)
		set_seen(&l->seen, pos);
	buf_grow(out, n);
	return 0;
}

int
reclog_read(struct reclog *l, struct recpos pos, uint64_t from, size_t n,
    struct buf *out)
{
	struct rec_head	h;
	struct buf	meta;
	int		fd;

	buf_init(&meta, RECLOG_META_MAX);
	fd = load_head(l, pos, &h, &meta);
	buf_clear(&meta);
	if (fd == -1)
		return -1;
	return load_payload(l, pos, fd, &h, from, n, out);
}

int
reclog_read_rec(struct reclog *l, struct recpos pos, struct rec *r,
    struct buf *meta, struct buf *payload)
{
	struct rec_head	h;
	size_t		m = meta->n, p = payload == NULL ? 0 : payload->n;
	int		fd = load_head(l, pos, &h, meta);

	if (fd == -1)
		return -1;
	if (payload != NULL &&
	    load_payload(l, pos, fd, &h, 0, h.payload_n, payload) == -1)
		return -1;
	*r = (struct rec){
		.type = h.type, .id = h.id,
		.meta = str_from(buf_str(meta), m),
		.payload = payload == NULL ? str_of(NULL, h.payload_n) :
		    str_from(buf_str(payload), p),
	};
	return 0;
}

/*
 * Gives v the frames of a segment above `after`; *lost is how many records
 * and frames of the segment are known to be damaged.
 */
static int
walk_segment(struct reclog *l, uint64_t id, uint64_t after,
    const struct visitor *v, uint64_t *lost)
{
	struct segment		*seg = seg_find(l, id);
	struct frame_head	 h;
	struct scan		 s;
	struct buf		 b;
	uint64_t		 key = 0;
	int64_t			 size;
	int			 fd = seg_fd(l, id), r;

	*lost = 0;
	if (fd == -1)
		return -1;
	size = seg == NULL ? (int64_t)l->cur.end : disk_io->size(fd);
	if (size == -1)
		return -1;
	if (seg != NULL) {
		r = footer_load(fd, id, (uint64_t)size, &b, &h, &key);
		if (r == 0)
			r = footer_walk(&b, after, v, lost);
		else if (errno == 0)
			r = 1;
		buf_clear(&b);
		if (r != 1)
			return r;
	}
	r = scan_open(&s, fd, id, (uint64_t)size);
	if (r == 0 && !s.found && seg != NULL && seg->key != 0)
		scan_key(&s, seg->key);
	if (r == 0)
		r = scan_frames(&s);
	if (r == 0) {
		scan_trust(&s, 0);
		r = scan_walk(&s, after, v);
		*lost = s.lost + s.damaged;
	}
	scan_close(&s);
	return r;
}

struct replay {
	reclog_replay_fn	*fn;
	void			*arg;
	uint64_t		 segment;
	struct recmark		 mark;		/* looked for by has */
	bool			 found;
};

static int
on_record(void *arg, const struct rec_head *h, struct str meta,
    uint64_t offset)
{
	struct replay	*p = arg;
	struct rec	 r = {
		.type = h->type, .id = h->id, .meta = meta,
		.payload = { NULL, h->payload_n },
	};
	struct recpos	 pos = { p->segment, offset };

	if (p->fn == NULL)
		return 0;
	if (p->fn(p->arg, &r, pos) != 0) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int
on_frame(void *arg, const struct span *f)
{
	struct replay *p = arg;

	if (f->sequence == p->mark.sequence &&
	    f->checksum == p->mark.checksum && f->missing == 0)
		p->found = true;
	return p->fn == NULL && f->sequence >= p->mark.sequence ? -1 : 0;
}

bool
reclog_has(struct reclog *l, struct recmark mark)
{
	struct replay	p = { .mark = mark };
	struct visitor	v = { on_frame, on_record, &p };
	uint64_t	lost;

	if (mark.segment == 0 || mark.sequence == 0)
		return false;
	if (mark.segment == l->last.segment &&
	    mark.sequence == l->last.sequence &&
	    mark.checksum == l->last.checksum)
		return true;
	if (seg_find(l, mark.segment) == NULL &&
	    (mark.segment != l->cur.id || l->cur.end == 0))
		return false;
	(void)walk_segment(l, mark.segment, mark.sequence - 1, &v, &lost);
	return p.found;
}

int
reclog_replay_from(struct reclog *l, struct recmark mark,
    reclog_replay_fn *fn, void *arg)
{
	struct replay	p = { .fn = fn, .arg = arg };
	struct visitor	v = { NULL, on_record, &p };
	uint64_t	lost;
	size_t		i;

	for (i = 0; i < l->n; i++) {
		p.segment = l->segs[i].id;
		if (p.segment < mark.segment)
			continue;
		if (walk_segment(l, p.segment, mark.sequence, &v,
		    &lost) == -1)
			return -1;
	}
	if (l->cur.end == 0)
		return 0;
	p.segment = l->cur.id;
	return walk_segment(l, l->cur.id, mark.sequence, &v, &lost);
}

int
reclog_walk(struct reclog *l, uint64_t segment, reclog_replay_fn *fn,
    void *arg, uint64_t *lost)
{
	struct replay	p = { .fn = fn, .arg = arg, .segment = segment };
	struct visitor	v = { NULL, on_record, &p };

	*lost = 0;
	if (seg_find(l, segment) == NULL &&
	    (segment != l->cur.id || l->cur.end == 0)) {
		errno = ENOENT;
		return -1;
	}
	return walk_segment(l, segment, 0, &v, lost);
}

uint64_t
reclog_sealed(const struct reclog *l, uint64_t after)
{
	size_t lo = 0, hi = l->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (l->segs[mid].id <= after)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo == l->n ? 0 : l->segs[lo].id;
}

bool
reclog_is_whole(const struct reclog *l, uint64_t from)
{
	uint64_t	id = from;
	size_t		i;

	for (i = 0; i < l->n; i++) {
		if (l->segs[i].id == id)
			id++;
	}
	return id == l->cur.id;
}
