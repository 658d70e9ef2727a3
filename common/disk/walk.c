/*
 * walk - see walk.h and scan_walk.
 */
#include "common/disk/walk.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/core/xalloc.h"
#include "common/disk/crc32c.h"
#include "common/disk/io.h"
#include "common/disk/reclog.h"

enum { CHUNK = 128 * 1024 };

int
walk_payload(int fd, const struct rec_head *h, uint64_t offset, bool hash)
{
	crypto_generichash_state st;
	unsigned char		 sum[HASH_LEN] = { 0 };
	uint32_t		 crc = 0;
	size_t			 left = h->payload_n, n;
	ssize_t			 got = 0;
	char			*p = NULL;

	if (left > 0) {
		p = xrealloc(NULL, left < CHUNK ? left : CHUNK, 1);
		crypto_generichash_init(&st, NULL, 0, HASH_LEN);
	}
	for (; left > 0; left -= n, offset += n) {
		n = left < CHUNK ? left : CHUNK;
		got = disk_read(fd, p, n, offset);
		if (got != (ssize_t)n)
			break;
		crc = crc32c(crc, p, n);
		if (hash)
			crypto_generichash_update(&st, (unsigned char *)p, n);
	}
	free(p);
	if (got == -1)
		return -1;
	if (hash && left == 0 && h->payload_n > 0)
		crypto_generichash_final(&st, sum, HASH_LEN);
	if (left > 0 || crc != h->payload_crc ||
	    (hash && memcmp(sum, h->hash, HASH_LEN) != 0)) {
		errno = EBADMSG;
		return -1;
	}
	return 0;
}

/*
 * The record at `offset`, which must end at or before `limit`.  *meta is
 * borrowed from the window.  False if it is not sound.
 */
static bool
record_at(struct scan *s, uint64_t offset, uint64_t limit, struct rec_head *h,
    struct str *meta)
{
	const char *p = window_get(&s->w, offset, REC_HEAD);

	if (p == NULL)
		return false;
	rec_head_get(p, h);
	if (h->meta_n > RECLOG_META_MAX || h->payload_n > RECLOG_PAYLOAD_MAX ||
	    offset + rec_size(h) > limit)
		return false;
	p = window_get(&s->w, offset, REC_HEAD + h->meta_n);
	if (p == NULL)
		return false;
	*meta = str_of(p + REC_HEAD, h->meta_n);
	return rec_sum(p, *meta, s->head.key, offset) == h->checksum;
}

/*
 * The table of a frame that ends at span->end, on the heap, *n slots; NULL
 * if it is damaged.  Where the frame's head is gone this is all there is.
 */
static char *
trailer_of(struct scan *s, const struct span *span, uint32_t *n)
{
	uint64_t	 room = span->end - span->offset;
	const char	*p;
	char		*copy;
	size_t		 size;
	uint32_t	 sum;

	if (room < FRAME_HEAD + FRAME_TAIL)
		return NULL;
	room -= FRAME_HEAD + FRAME_TAIL;
	p = window_get(&s->w, span->end - FRAME_TAIL, FRAME_TAIL);
	if (p == NULL)
		return NULL;
	*n = get_u32(p);
	sum = get_u32(p + 4);
	if (*n == 0 || *n > room / (REC_HEAD + FRAME_SLOT))
		return NULL;
	size = (size_t)*n * FRAME_SLOT;
	p = window_get(&s->w, span->end - FRAME_TAIL - size, size);
	if (p == NULL || trailer_sum(p, *n, s->head.key, span->offset) != sum)
		return NULL;
	copy = xrealloc(NULL, size, 1);
	memcpy(copy, p, size);
	return copy;
}

bool
walk_is_whole(struct scan *s, const struct span *span)
{
	struct rec_head	 h;
	struct str	 meta;
	uint64_t	 at = span->offset + FRAME_HEAD, limit;
	uint32_t	 i, n, body = 0;
	char		 sum[4], *table;
	bool		 ok;

	if (span->end > s->w.size)
		return false;
	table = trailer_of(s, span, &n);
	if (table == NULL)
		return false;
	limit = span->end - FRAME_TAIL - (uint64_t)n * FRAME_SLOT;
	ok = n == span->records;
	for (i = 0; ok && i < n; i++) {
		ok = at == span->offset + get_u32(table + i * FRAME_SLOT) &&
		    record_at(s, at, limit, &h, &meta);
		if (!ok)
			break;
		put_u32(sum, h.checksum);
		body = crc32c(body, sum, sizeof(sum));
		ok = walk_payload(s->w.fd, &h, at + REC_HEAD + h.meta_n,
		    true) == 0;
		if (!ok && errno != EBADMSG)
			s->w.error = errno;
		at += rec_size(&h);
	}
	free(table);
	return ok && at == limit && body == span->body;
}

/* Gives v the sound records of a frame; counts the others. */
static int
walk_frame(struct scan *s, const struct span *span, const struct visitor *v)
{
	struct rec_head	 h;
	struct str	 meta;
	uint64_t	 at = span->offset + FRAME_HEAD;
	uint32_t	 i, n = span->records;
	char		*table = NULL;
	int		 r = 0;

	if (span->missing > 0) {
		s->damaged += span->missing;
		table = span->missing == 1 ? trailer_of(s, span, &n) : NULL;
		if (table == NULL) {
			s->lost += span->missing;
			return 0;
		}
	}
	for (i = 0; i < n && r == 0 && s->w.error == 0; i++) {
		if (table != NULL)
			at = span->offset + get_u32(table + i * FRAME_SLOT);
		if (record_at(s, at, span->end, &h, &meta)) {
			r = v->record(v->arg, &h, meta, at);
			at += rec_size(&h);
			continue;
		}
		if (s->w.error != 0)
			break;
		s->lost++;
		/* Without a length only the table knows the next. */
		if (table == NULL && i + 1 < n) {
			table = trailer_of(s, span, &n);
			if (table == NULL) {
				s->lost += span->records - i - 1;
				break;
			}
		}
	}
	free(table);
	return r;
}

int
scan_walk(struct scan *s, uint64_t after, const struct visitor *v)
{
	size_t	i;
	int	r = 0;

	for (i = 0; i < s->n && r == 0 && s->w.error == 0; i++) {
		if (s->spans[i].sequence <= after)
			continue;
		if (v->frame != NULL)
			r = v->frame(v->arg, &s->spans[i]);
		if (r == 0)
			r = walk_frame(s, &s->spans[i], v);
	}
	if (s->w.error != 0) {
		errno = s->w.error;
		return -1;
	}
	return r == 0 ? 0 : -1;
}
