/*
 * scan - see scan.h.  Finds and settles; walk.c reads the records.
 */
#include "common/disk/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/core/xalloc.h"
#include "common/disk/io.h"
#include "common/disk/reclog.h"
#include "common/disk/walk.h"

enum { SEARCH_CHUNK = 256 * 1024 };

static void
push(struct scan *s, const struct span *span)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->spans = xrealloc(s->spans, s->cap, sizeof(*s->spans));
	}
	s->spans[s->n++] = *span;
}

/* A sound head at this offset that says that it belongs there. */
static bool
head_at(struct scan *s, uint64_t offset, struct frame_head *h)
{
	const char *p = window_get(&s->w, offset, FRAME_HEAD);

	return p != NULL && frame_head_get(p, h) == FRAME_GOOD &&
	    h->segment == s->head.id && h->offset == offset &&
	    h->key == s->head.key;
}

/* Looks for the head in its copies, then in the first frame. */
int
scan_open(struct scan *s, int fd, uint64_t id, uint64_t size)
{
	struct frame_head	 f;
	struct seg_head		 h;
	const char		*p;
	int			 i;

	*s = (struct scan){ .stale = size == 0 };
	window_init(&s->w, fd, size);
	for (i = 0; i < 2 && !s->found; i++) {
		p = window_get(&s->w, (uint64_t)i * SEG_COPY, SEG_COPY);
		if (p == NULL)
			break;
		switch (seg_head_get(p, &h)) {
		case FRAME_GOOD:
			s->stale = h.id != id;
			s->found = h.id == id;
			if (s->found)
				s->head = h;
			break;
		case FRAME_FOREIGN:
			s->foreign = true;
			break;
		case FRAME_BAD:
			break;
		}
	}
	s->head.id = id;
	p = window_get(&s->w, SEG_HEAD, FRAME_HEAD);
	if (!s->found && p != NULL && frame_head_get(p, &f) == FRAME_GOOD &&
	    f.segment == id && f.offset == SEG_HEAD) {
		s->stale = false;
		scan_key(s, f.key);
		s->head.sequence = f.sequence;
		s->blind = false;
	}
	if (s->found) {
		s->epoch = s->head.epoch;
		s->sequence = s->head.sequence - 1;
		s->end = SEG_HEAD;
	}
	errno = s->w.error;
	return s->w.error == 0 ? 0 : -1;
}

void
scan_key(struct scan *s, uint64_t key)
{
	s->head.key = key;
	s->head.sequence = 1;
	s->blind = true;
	/* Nobody knows any more; the careful answer. */
	s->head.recycled = true;
	s->found = true;
	s->sequence = 0;
	s->end = SEG_HEAD;
}

/* The first sound head behind `from` with a later sequence; 0 for none. */
static uint64_t
search(struct scan *s, uint64_t from, struct frame_head *h)
{
	char		 key[8], *p, *hit, *at;
	uint64_t	 found = 0, chunk;
	ssize_t		 n;

	put_u64(key, s->head.key);
	p = xrealloc(NULL, SEARCH_CHUNK, 1);
	for (chunk = from + 8; found == 0 && chunk < s->w.size;
	    chunk += SEARCH_CHUNK - 7) {
		n = disk_read(s->w.fd, p, SEARCH_CHUNK, chunk);
		if (n == -1)
			s->w.error = errno;
		for (at = p; n >= 8 && found == 0; at = hit + 1) {
			hit = memmem(at, (size_t)(p + n - at), key, 8);
			if (hit == NULL)
				break;
			from = chunk + (uint64_t)(hit - p) - 8;
			if (head_at(s, from, h) && (h->kind != FRAME_DATA ||
			    h->sequence > s->sequence))
				found = from;
		}
		if (n < SEARCH_CHUNK)
			break;
	}
	free(p);
	return found;
}

/* Notes that frames up to `last` were between the end and `next`. */
static void
push_gap(struct scan *s, uint64_t next, uint64_t last)
{
	struct span	gap = {
		.offset = s->end, .end = next, .sequence = last,
		.missing = last > s->sequence ? last - s->sequence : 1,
	};

	if (s->blind)
		gap.missing = 1;
	s->blind = false;
	push(s, &gap);
	s->end = next;
	s->sequence = last > s->sequence ? last : s->sequence + 1;
}

/* Takes the head that is now at the end.  False: it was the last. */
static bool
take(struct scan *s, const struct frame_head *h)
{
	struct span span = {
		.offset = h->offset, .end = h->offset + h->length,
		.sequence = h->sequence, .epoch = h->epoch,
		.checksum = h->checksum, .records = h->records,
		.body = h->body,
	};

	if (h->durable > s->proven && h->durable <= h->offset)
		s->proven = h->durable;
	if (h->epoch > s->epoch)
		s->epoch = h->epoch;
	switch (h->kind) {
	case FRAME_DATA:
		push(s, &span);
		s->sequence = h->sequence;
		s->end = span.end;
		return true;
	case FRAME_FOOTER:
		s->footer = h->offset;
		return false;
	case FRAME_END:
		s->marked = true;
		return false;
	}
	return false;
}

int
scan_frames(struct scan *s)
{
	struct frame_head	h;
	uint64_t		next;
	bool			more = s->found;

	while (more) {
		if (head_at(s, s->end, &h) && (h.kind != FRAME_DATA ||
		    h.sequence == s->sequence + 1)) {
			more = take(s, &h);
			continue;
		}
		if (s->w.error != 0 || s->end >= s->w.size)
			break;
		next = search(s, s->end + 1, &h);
		if (next == 0)
			break;
		push_gap(s, next, h.kind == FRAME_DATA ? h.sequence - 1 :
		    h.sequence);
		more = take(s, &h);
	}
	errno = s->w.error;
	return s->w.error == 0 ? 0 : -1;
}

/* The end of a head that is damaged, but was one of this segment; or 0. */
static uint64_t
ruin_at(struct scan *s, uint64_t offset)
{
	const char	*p;
	uint64_t	 end;

	if (offset >= s->w.size)
		return 0;
	/* Less than a head holds nothing of anybody's: half an end mark. */
	if (!s->head.recycled)
		return s->w.size - offset > FRAME_HEAD ? s->w.size : 0;
	p = window_get(&s->w, offset, FRAME_HEAD);
	if (p == NULL)
		return 0;
	if (get_u64(p + 8) != s->head.key &&
	    (get_u64(p + 16) != s->head.id || get_u64(p + 24) != offset))
		return 0;
	end = offset + get_u32(p + 56);
	return end > s->w.size ? s->w.size : end;
}

/* Cuts a gap in two where proof ends, so that the first part counts. */
static void
split_gap(struct scan *s, size_t i)
{
	struct span	*span, last = s->spans[s->n - 1];

	push(s, &last);
	span = &s->spans[i];
	memmove(span + 1, span, (s->n - 1 - i) * sizeof(*span));
	span[0].end = s->proven;
	span[1].offset = s->proven;
	if (span[0].missing > 1) {
		span[0].missing--;
		span[0].sequence--;
		span[1].missing = 1;
	}
}

int
scan_settle(struct scan *s)
{
	struct span	*span;
	size_t		 i;

	if (!s->found)
		return 0;
	for (i = 0; i < s->n; i++) {
		span = &s->spans[i];
		if (span->end <= s->proven)
			continue;
		if (span->missing > 0 && span->offset < s->proven) {
			split_gap(s, i);
			continue;
		}
		if (span->missing > 0 || !walk_is_whole(s, span))
			break;
	}
	if (s->w.error != 0) {
		errno = s->w.error;
		return -1;
	}
	if (i < s->n) {
		s->junk = s->end < s->w.size ? s->end : s->w.size;
		if (!s->head.recycled)
			s->junk = s->w.size;
		s->end = s->spans[i].offset;
		s->sequence = i > 0 ? s->spans[i - 1].sequence :
		    s->head.sequence - 1;
		s->n = i;
		s->marked = false;
		s->footer = 0;
	} else if (!s->marked && s->footer == 0)
		s->junk = ruin_at(s, s->end);
	errno = s->w.error;
	return s->w.error == 0 ? 0 : -1;
}

void
scan_trust(struct scan *s, uint64_t next)
{
	if (!s->found)
		return;
	if (s->footer == 0 && next > s->sequence + 1)
		push_gap(s, s->w.size, next - 1);
	s->proven = s->end;
}

void
scan_close(struct scan *s)
{
	window_clear(&s->w);
	free(s->spans);
	s->spans = NULL;
	s->n = 0;
}
