/*
 * scrub - see scrub.h.  Here: segments, frames and footers.
 */
#include "common/disk/scrub.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/pack.h"
#include "common/disk/io.h"
#include "common/disk/reclog_int.h"
#include "common/disk/scrub_int.h"

static const char *const part_names[] = {
	[SCRUB_HEAD] = "segment head",
	[SCRUB_FRAME] = "frame head",
	[SCRUB_RECORD] = "record head",
	[SCRUB_PAYLOAD] = "payload",
	[SCRUB_FILE] = "file",
	[SCRUB_TRAILER] = "trailer",
	[SCRUB_FOOTER] = "footer",
	[SCRUB_TAIL] = "footer tail",
	[SCRUB_UNREADABLE] = "unreadable",
};

const char *
scrub_part_name(enum scrub_part p)
{
	return part_names[p];
}

struct scrub *
scrub_new(const struct reclog *l, const struct scrub_ops *ops)
{
	struct scrub *s = aligned_alloc(_Alignof(struct scrub), sizeof(*s));

	if (s == NULL)
		fatal("out of memory");
	memset(s, 0, sizeof(*s));
	s->ops = *ops;
	s->until = l->cur.id;
	s->fd = s->file_fd = -1;
	return s;
}

static void
leave_segment(struct scrub *s)
{
	if (s->fd != -1)
		disk_io->close(s->fd);
	if (s->file_fd != -1)
		disk_io->close(s->file_fd);
	s->fd = s->file_fd = -1;
	window_clear(&s->w);
	free(s->table);
	s->table = NULL;
	s->phase = PH_SEGMENT;
}

void
scrub_free(struct scrub *s)
{
	if (s == NULL)
		return;
	leave_segment(s);
	free(s->piece);
	free(s);
}

const struct scrub_counts *
scrub_counts(const struct scrub *s)
{
	return &s->counts;
}

/* -- for all phases ------------------------------------------------------ */

const char *
scrub_get(struct scrub *s, uint64_t offset, size_t n)
{
	s->left -= (int64_t)n;
	s->counts.bytes += n;
	return window_get(&s->w, offset, n);
}

void
scrub_found_record(struct scrub *s, enum scrub_part part, uint64_t offset,
    uint8_t type, uint64_t id)
{
	s->counts.damaged++;
	s->ops.damage(s->ops.arg, &(struct scrub_damage){
	    .part = part, .pos = { s->id, offset }, .type = type, .id = id });
}

void
scrub_found(struct scrub *s, enum scrub_part part, uint64_t offset)
{
	/* A disk that fails is told once, behind the phase. */
	if (s->w.error == 0)
		scrub_found_record(s, part, offset, 0, 0);
}

void
scrub_sum_begin(struct scrub *s, uint64_t from, uint64_t n)
{
	crypto_generichash_init(&s->sum.st, NULL, 0, HASH_LEN);
	s->sum.at = from;
	s->sum.end = from + n;
	s->sum.crc = 0;
}

bool
scrub_sum_is(struct scrub *s, const char *hash)
{
	unsigned char sum[HASH_LEN];

	crypto_generichash_final(&s->sum.st, sum, HASH_LEN);
	return memcmp(sum, hash, HASH_LEN) == 0;
}

/* -- segments ------------------------------------------------------------ */

/* Counted when it was there to its end. */
static void
end_segment(struct scrub *s)
{
	s->counts.segments++;
	leave_segment(s);
}

/* The first one behind s->id; 0: none. */
static uint64_t
next_id(const struct scrub *s, const struct reclog *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->segs[i].id > s->id)
			return l->segs[i].id;
	}
	return l->cur.id > s->id && l->cur.durable > 0 ? l->cur.id : 0;
}

static void
next_segment(struct scrub *s, struct reclog *l)
{
	struct segment	*seg;
	char		 name[SEG_NAME];
	uint64_t	 id = next_id(s, l);
	int64_t		 size;

	s->left--;
	if (id == 0 || id > s->until) {
		s->phase = PH_DONE;
		return;
	}
	seg = seg_find(l, id);
	s->id = id;
	s->is_sealed = seg != NULL;
	s->key = seg != NULL ? seg->key : l->cur.key;
	s->sequence = s->footer = 0;
	s->at = SEG_HEAD;
	s->phase = PH_HEAD;
	seg_name(name, id);
	/* A descriptor of its own: others come and go between two steps. */
	s->fd = disk_open(l->conf.dirfd, name, O_RDONLY);
	size = s->fd == -1 ? -1 : disk_io->size(s->fd);
	if (size == -1) {
		scrub_found_record(s, SCRUB_UNREADABLE, 0, 0, 0);
		end_segment(s);
		return;
	}
	s->end = s->is_sealed ? (uint64_t)size : l->cur.durable;
	window_init(&s->w, s->fd, s->end);
}

/* One of the copies; the key is taken from it if nobody knows it. */
static void
check_head(struct scrub *s, uint64_t offset)
{
	struct seg_head	 h;
	char		 right[SEG_COPY];
	const char	*p = scrub_get(s, offset, SEG_COPY);

	if (p == NULL || seg_head_get(p, &h) != FRAME_GOOD ||
	    h.id != s->id || (s->key != 0 && h.key != s->key)) {
		scrub_found(s, SCRUB_HEAD, offset);
		return;
	}
	s->key = h.key;
	seg_head_put(right, &h);
	if (memcmp(p, right, SEG_COPY) != 0)
		scrub_found(s, SCRUB_HEAD, offset);
}

static void
check_tail(struct scrub *s)
{
	struct foot_tail	 t;
	uint64_t		 at = s->end < FOOT_TAIL ? 0 :
				    s->end - FOOT_TAIL;
	const char		*p = scrub_get(s, at, FOOT_TAIL);

	if (p == NULL || foot_tail_get(p, &t) != FRAME_GOOD ||
	    t.key != s->key || t.offset < SEG_HEAD || t.offset > s->end ||
	    t.length != s->end - t.offset ||
	    t.length < FRAME_HEAD + HASH_LEN + FOOT_TAIL) {
		scrub_found(s, SCRUB_TAIL, at);
		return;
	}
	s->footer = t.offset;
}

static void
heads(struct scrub *s)
{
	check_head(s, 0);
	check_head(s, SEG_COPY);
	if (s->key != 0 && s->is_sealed)
		check_tail(s);
	if (s->key == 0)
		end_segment(s);		/* whose frames they are is lost */
	else
		s->phase = PH_FRAME;
}

/* -- frames -------------------------------------------------------------- */

static bool
head_at(struct scrub *s, uint64_t offset, struct frame_head *h)
{
	const char *p = scrub_get(s, offset, FRAME_HEAD);

	return p != NULL && frame_head_get(p, h) == FRAME_GOOD &&
	    h->segment == s->id && h->offset == offset && h->key == s->key;
}

/* The table of the frame in s->f. */
static void
load_table(struct scrub *s)
{
	uint64_t	 end = s->f.offset + s->f.length, size;
	const char	*p = scrub_get(s, end - FRAME_TAIL, FRAME_TAIL);
	uint32_t	 n = p == NULL ? 0 : get_u32(p);
	uint32_t	 sum = p == NULL ? 0 : get_u32(p + 4);

	size = (uint64_t)n * FRAME_SLOT;
	if (n == 0 || size > s->f.length - FRAME_HEAD - FRAME_TAIL ||
	    (s->f.records != 0 && n != s->f.records))
		return;
	p = scrub_get(s, end - FRAME_TAIL - size, (size_t)size);
	if (p == NULL || trailer_sum(p, n, s->key, s->f.offset) != sum)
		return;
	s->table = malloc((size_t)size);
	if (s->table == NULL)
		fatal("out of memory");
	memcpy(s->table, p, (size_t)size);
	s->f.records = n;
}

static void
begin_frame(struct scrub *s)
{
	s->counts.frames++;
	s->i = s->body = 0;
	s->is_whole = true;
	s->rec_at = s->f.offset + FRAME_HEAD;
	free(s->table);
	s->table = NULL;
	load_table(s);
	if (s->table == NULL)
		scrub_found(s, SCRUB_TRAILER,
		    s->f.offset + s->f.length - FRAME_TAIL);
	s->phase = PH_RECORD;
}

static void
begin_footer(struct scrub *s)
{
	struct frame_head h;

	if (!head_at(s, s->at, &h) || h.kind != FRAME_FOOTER ||
	    h.length != s->w.size - s->at) {
		scrub_found(s, SCRUB_FOOTER, s->at);
		end_segment(s);
		return;
	}
	scrub_sum_begin(s, s->at, h.length - HASH_LEN - FOOT_TAIL);
	s->phase = PH_FOOTER;
}

static void
frame(struct scrub *s)
{
	if (s->is_sealed && s->at == s->footer) {
		begin_footer(s);
		return;
	}
	if (s->at >= s->end) {
		if (s->is_sealed)
			scrub_found(s, SCRUB_FOOTER, s->end);
		s->left--;
		end_segment(s);
		return;
	}
	if (head_at(s, s->at, &s->f)) {
		/* Its tail did not say so. */
		if (s->f.kind == FRAME_FOOTER && s->is_sealed) {
			begin_footer(s);
			return;
		}
		if (s->f.kind == FRAME_DATA &&
		    s->f.length <= s->end - s->at) {
			begin_frame(s);
			return;
		}
	}
	scrub_found(s, SCRUB_FRAME, s->at);
	s->search = s->at + 1;
	s->phase = PH_SEARCH;
}

static void
footer(struct scrub *s)
{
	size_t		 n = s->sum.end - s->sum.at < SCRUB_PIECE ?
			    (size_t)(s->sum.end - s->sum.at) : SCRUB_PIECE;
	const char	*p = scrub_get(s, s->sum.at, n);

	if (p == NULL)
		return;
	crypto_generichash_update(&s->sum.st, (const unsigned char *)p, n);
	s->sum.at += n;
	if (s->sum.at < s->sum.end)
		return;
	p = scrub_get(s, s->sum.end, HASH_LEN);
	if (p == NULL || !scrub_sum_is(s, p))
		scrub_found(s, SCRUB_FOOTER, s->at);
	if (s->w.error == 0)
		end_segment(s);
}

/* -- behind damage ------------------------------------------------------- */

/*
 * The next head is at `next`.  Of one frame that lost its own the trailer is
 * still there and says where its records are.
 */
static void
go_on(struct scrub *s, uint64_t next, uint64_t sequence)
{
	s->f = (struct frame_head){ .kind = FRAME_DATA, .offset = s->at,
	    .length = (uint32_t)(next - s->at), .sequence = sequence - 1 };
	free(s->table);
	s->table = NULL;
	if (sequence == s->sequence + 2 && next - s->at > FRAME_HEAD +
	    FRAME_TAIL && next - s->at <= RECLOG_FRAME_MAX)
		load_table(s);
	s->sequence = sequence - 1;
	if (s->table == NULL) {
		s->at = next;
		s->phase = PH_FRAME;
		return;
	}
	s->counts.frames++;
	s->i = 0;
	s->is_whole = false;		/* nobody knows its sum */
	s->phase = PH_RECORD;
}

/* Goes on if a later frame, or the footer, has its head there. */
static void
try_next(struct scrub *s, uint64_t offset)
{
	struct frame_head h;

	if (!head_at(s, offset, &h) || h.kind == FRAME_END ||
	    (h.kind == FRAME_DATA && h.sequence <= s->sequence))
		return;
	/* A footer bears the number of the last frame before it. */
	go_on(s, offset, h.sequence + (h.kind == FRAME_FOOTER));
}

static void
search(struct scrub *s)
{
	uint64_t	 from = s->search, end = s->end;
	char		 key[8];
	const char	*p, *hit;
	size_t		 n;

	if (from + FRAME_HEAD >= end) {
		s->left--;
		s->at = s->footer != 0 ? s->footer : s->end;
		s->phase = PH_FRAME;
		return;
	}
	n = end - from < SCRUB_PIECE ? (size_t)(end - from) : SCRUB_PIECE;
	p = scrub_get(s, from, n);
	if (p == NULL)
		return;
	put_u64(key, s->key);
	/* The key is eight bytes into a head. */
	hit = memmem(p, n, key, sizeof(key));
	if (hit == NULL) {
		s->search = from + n - 7;
		return;
	}
	from += (uint64_t)(hit - p);
	s->search = from + 1;
	if (from > s->at + 8)
		try_next(s, from - 8);
}

/* -- the steps ----------------------------------------------------------- */

static bool
is_retired(const struct scrub *s, struct reclog *l)
{
	return s->id != l->cur.id && seg_find(l, s->id) == NULL;
}

static void
work(struct scrub *s, struct reclog *l)
{
	switch (s->phase) {
	case PH_SEGMENT:
		next_segment(s, l);
		return;
	case PH_HEAD:
		heads(s);
		return;
	case PH_FRAME:
		frame(s);
		return;
	case PH_RECORD:
		scrub_record(s);
		return;
	case PH_PAYLOAD:
		scrub_payload(s);
		return;
	case PH_FILE:
		scrub_file(s);
		return;
	case PH_SEARCH:
		search(s);
		return;
	case PH_FOOTER:
		footer(s);
		return;
	case PH_DONE:
		return;
	}
}

bool
scrub_step(struct scrub *s, struct reclog *l, uint64_t budget)
{
	s->left = budget > INT64_MAX ? INT64_MAX : (int64_t)budget;
	while (s->left > 0 && s->phase != PH_DONE) {
		/* Its bytes may be another's by now. */
		if (s->fd != -1 && is_retired(s, l))
			leave_segment(s);
		work(s, l);
		if (s->fd != -1 && s->w.error != 0) {
			scrub_found_record(s, SCRUB_UNREADABLE, s->at, 0, 0);
			end_segment(s);
		}
	}
	return s->phase != PH_DONE;
}
