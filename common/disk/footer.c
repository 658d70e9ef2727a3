/*
 * footer - the index at the end of a sealed segment: its frames, the heads
 * and metadata of its records, and one BLAKE2b-256 of it all.  Since a head
 * has the hash of its payload, that one hash is the hash of the segment.
 *
 *	frame head, body, hash of both, tail
 *	body = u64 first sequence, u64 damaged records, entries
 *	entry = u8 'F', u64 offset end sequence epoch missing, u32 checksum
 *	      | u8 'R', u64 offset, record head, metadata
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/disk/io.h"
#include "common/disk/reclog_int.h"

enum {
	FOOTER_MAX = 1 << 30,
	BODY_LOST = FRAME_HEAD + 8	/* where damaged records are counted */
};

static int
put_frame(void *arg, const struct span *f)
{
	struct buf *b = arg;

	pack_u8(b, 'F');
	pack_u64(b, f->offset);
	pack_u64(b, f->end);
	pack_u64(b, f->sequence);
	pack_u64(b, f->epoch);
	pack_u64(b, f->missing);
	pack_u32(b, f->checksum);
	return buf_ok(b) ? 0 : -1;
}

static int
put_record(void *arg, const struct rec_head *h, struct str meta,
    uint64_t offset)
{
	struct buf	*b = arg;
	char		 raw[REC_HEAD];

	rec_head_put(raw, h);
	pack_u8(b, 'R');
	pack_u64(b, offset);
	buf_add(b, str_of(raw, sizeof(raw)));
	buf_add(b, meta);
	return buf_ok(b) ? 0 : -1;
}

static void
hash_of(const char *p, size_t n, unsigned char *hash)
{
	crypto_generichash(hash, HASH_LEN, (const unsigned char *)p, n, NULL,
	    0);
}

int
footer_build(struct scan *s, struct buf *out)
{
	struct visitor		 v = { put_frame, put_record, out };
	unsigned char		 hash[HASH_LEN];
	char			 tail[FOOT_TAIL], *p;
	struct frame_head	 h = {
		.kind = FRAME_FOOTER, .key = s->head.key,
		.segment = s->head.id, .offset = s->end,
		.sequence = s->sequence, .epoch = s->epoch,
		.durable = s->end,
	};
	struct foot_tail	 t = { .key = s->head.key, .offset = s->end };

	buf_init(out, FOOTER_MAX);
	p = buf_room(out, FRAME_HEAD);
	if (p == NULL)
		return -1;
	buf_grow(out, FRAME_HEAD);
	pack_u64(out, s->head.sequence);
	pack_u64(out, 0);
	s->lost = s->damaged = 0;
	if (scan_walk(s, 0, &v) == -1)
		return -1;
	if (!buf_ok(out) || buf_left(out) < HASH_LEN + FOOT_TAIL) {
		errno = EFBIG;
		return -1;
	}
	t.length = (uint32_t)(out->n + HASH_LEN + FOOT_TAIL);
	h.length = t.length;
	p = out->p + out->at;
	put_u64(p + BODY_LOST, s->lost);
	frame_head_put(p, &h);
	hash_of(p, out->n, hash);
	buf_add(out, str_of(hash, sizeof(hash)));
	foot_tail_put(tail, &t);
	buf_add(out, str_of(tail, sizeof(tail)));
	return buf_ok(out) ? 0 : -1;
}

/* Is p the head of the footer of `id` that has this tail? */
static bool
is_head(const char *p, const struct foot_tail *t, uint64_t id,
    struct frame_head *h)
{
	return frame_head_get(p, h) == FRAME_GOOD &&
	    h->kind == FRAME_FOOTER && h->segment == id &&
	    h->key == t->key && h->offset == t->offset &&
	    h->length == t->length;
}

static bool
is_sound(const char *p, const struct foot_tail *t, uint64_t id,
    struct frame_head *h)
{
	unsigned char	hash[HASH_LEN];
	size_t		n = t->length - HASH_LEN - FOOT_TAIL;

	if (!is_head(p, t, id, h))
		return false;
	hash_of(p, n, hash);
	return memcmp(hash, p + n, HASH_LEN) == 0;
}

/* 0; -1 with errno, which is 0 if there is none. */
static int
load_tail(int fd, uint64_t size, struct foot_tail *t)
{
	char	tail[FOOT_TAIL];
	ssize_t	n;

	errno = 0;
	if (size < SEG_HEAD + FRAME_HEAD + HASH_LEN + FOOT_TAIL)
		return -1;
	n = disk_read(fd, tail, sizeof(tail), size - FOOT_TAIL);
	if (n == -1)
		return -1;
	errno = 0;
	if (n != FOOT_TAIL || foot_tail_get(tail, t) != FRAME_GOOD ||
	    t->offset < SEG_HEAD || t->offset > size ||
	    t->length != size - t->offset || t->length > FOOTER_MAX ||
	    t->length < FRAME_HEAD + 16 + HASH_LEN + FOOT_TAIL)
		return -1;
	return 0;
}

int
footer_peek(int fd, uint64_t id, uint64_t size, struct frame_head *h,
    uint64_t *lost)
{
	char			p[FRAME_HEAD + 16];
	struct foot_tail	t;

	if (load_tail(fd, size, &t) == -1 ||
	    disk_read(fd, p, sizeof(p), t.offset) != (ssize_t)sizeof(p) ||
	    !is_head(p, &t, id, h))
		return -1;
	*lost = get_u64(p + BODY_LOST);
	return 0;
}

int
footer_load(int fd, uint64_t id, uint64_t size, struct buf *out,
    struct frame_head *h, uint64_t *key)
{
	struct foot_tail	 t;
	ssize_t			 n;
	char			*p;

	buf_init(out, FOOTER_MAX);
	if (load_tail(fd, size, &t) == -1)
		return -1;
	*key = t.key;
	p = buf_room(out, t.length);
	if (p == NULL) {
		errno = ENOMEM;
		return -1;
	}
	n = disk_read(fd, p, t.length, t.offset);
	if (n == -1)
		return -1;
	errno = 0;
	if (n != (ssize_t)t.length || !is_sound(p, &t, id, h))
		return -1;
	buf_grow(out, t.length);
	return 0;
}

/* One 'R' entry. */
static int
walk_record(struct unpack *u, const struct visitor *v, bool skip)
{
	struct rec_head	h;
	struct str	raw, meta;
	uint64_t	offset;

	offset = unpack_u64(u);
	raw = unpack_bytes(u, REC_HEAD);
	if (u->bad)
		return -1;
	rec_head_get(raw.p, &h);
	meta = unpack_bytes(u, h.meta_n);
	if (u->bad)
		return -1;
	return skip ? 0 : v->record(v->arg, &h, meta, offset);
}

int
footer_walk(const struct buf *b, uint64_t after, const struct visitor *v,
    uint64_t *lost)
{
	struct str	whole = buf_str(b);
	struct unpack	u = unpack_of(str_sub(whole, FRAME_HEAD,
			    whole.n - FRAME_HEAD - HASH_LEN - FOOT_TAIL));
	struct span	f = { 0 };
	int		r = 0;

	unpack_u64(&u);
	*lost = unpack_u64(&u);
	while (r == 0 && !u.bad && u.s.n > 0) {
		if (unpack_u8(&u) == 'R') {
			r = walk_record(&u, v, f.sequence <= after);
			continue;
		}
		f.offset = unpack_u64(&u);
		f.end = unpack_u64(&u);
		f.sequence = unpack_u64(&u);
		f.epoch = unpack_u64(&u);
		f.missing = unpack_u64(&u);
		f.checksum = unpack_u32(&u);
		if (!u.bad && f.sequence > after && v->frame != NULL)
			r = v->frame(v->arg, &f);
	}
	if (u.bad)
		errno = EBADMSG;
	return r == 0 && !u.bad ? 0 : -1;
}

/* Builds it and puts it at s->end of fd, a file of `size` bytes; no sync. */
int
footer_write(struct scan *s, int fd, uint64_t size)
{
	struct buf	b;
	struct iovec	v;
	uint64_t	end;
	int		r = -1;

	if (footer_build(s, &b) == -1)
		goto out;
	v.iov_base = b.p + b.at;
	v.iov_len = b.n;
	end = s->end + b.n;
	if (disk_write(fd, &v, 1, s->end) == -1)
		goto out;
	if (size > end && disk_io->truncate(fd, (off_t)end) == -1)
		goto out;
	r = 0;
out:
	buf_clear(&b);
	return r;
}
