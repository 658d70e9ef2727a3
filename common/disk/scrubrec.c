/*
 * scrubrec - records for scrub.h: head and metadata, payload, and the file
 * that a record may name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/core/xalloc.h"
#include "common/disk/crc32c.h"
#include "common/disk/io.h"
#include "common/disk/reclog_int.h"
#include "common/disk/scrub_int.h"

/* -- names --------------------------------------------------------------- */

struct lookup {
	uint64_t	offset;
	uint8_t		type;
	uint64_t	id;
};

static int
look_at(void *arg, const struct rec_head *h, struct str meta, uint64_t offset)
{
	struct lookup *k = arg;

	(void)meta;
	if (offset != k->offset)
		return 0;
	k->type = h->type;
	k->id = h->id;
	return -1;
}

/* What the footer says of a record whose own head is not to be trusted. */
static void
ask_footer(struct scrub *s, struct lookup *k)
{
	struct visitor		v = { NULL, look_at, k };
	struct frame_head	h;
	struct buf		b;
	uint64_t		key, lost;

	if (footer_load(s->fd, s->id, s->w.size, &b, &h, &key) == 0)
		(void)footer_walk(&b, 0, &v, &lost);
	buf_clear(&b);
}

static void
bad_record(struct scrub *s)
{
	struct lookup k = { s->rec_at, s->h.type, s->h.id };

	if (s->w.error != 0)
		return;
	if (s->is_sealed)
		ask_footer(s, &k);
	scrub_found_record(s, SCRUB_RECORD, s->rec_at, k.type, k.id);
}

/* -- records ------------------------------------------------------------- */

static void
end_frame(struct scrub *s)
{
	uint64_t slots = (uint64_t)s->f.records * FRAME_SLOT;

	if (s->is_whole && (s->body != s->f.body || s->rec_at !=
	    s->f.offset + s->f.length - FRAME_TAIL - slots))
		scrub_found(s, SCRUB_FRAME, s->f.offset);
	s->at = s->f.offset + s->f.length;
	s->sequence = s->f.sequence;
	s->left--;
	s->phase = PH_FRAME;
}

/* The record at rec_at into s->h and *meta; false if it is not sound. */
static bool
load_record(struct scrub *s, struct str *meta)
{
	uint64_t	 limit = s->f.offset + s->f.length;
	const char	*p = scrub_get(s, s->rec_at, REC_HEAD);

	s->h = (struct rec_head){ 0 };
	if (p == NULL)
		return false;
	rec_head_get(p, &s->h);
	if (s->h.meta_n > RECLOG_META_MAX ||
	    s->h.payload_n > RECLOG_PAYLOAD_MAX ||
	    s->rec_at + rec_size(&s->h) > limit)
		return false;
	p = scrub_get(s, s->rec_at, REC_HEAD + s->h.meta_n);
	if (p == NULL)
		return false;
	*meta = str_of(p + REC_HEAD, s->h.meta_n);
	return rec_sum(p, *meta, s->key, s->rec_at) == s->h.checksum;
}

static void
next_record(struct scrub *s)
{
	s->i++;
	s->rec_at += rec_size(&s->h);
	s->phase = PH_RECORD;
}

static void
skip_record(struct scrub *s)
{
	bad_record(s);
	s->is_whole = false;
	s->i++;
	/* Without a length only the table knows the next. */
	if (s->table == NULL)
		s->i = s->f.records;
}

/* Opens the file; false when there is no more to do. */
static bool
begin_file(struct scrub *s)
{
	int64_t size;

	s->counts.files++;
	s->file_fd = disk_open(s->file.dirfd, s->file.name, O_RDONLY);
	size = s->file_fd == -1 ? -1 : disk_io->size(s->file_fd);
	if (size != -1 && (uint64_t)size == s->file.size) {
		scrub_sum_begin(s, 0, s->file.size);
		return s->file.has_hash;
	}
	scrub_found_record(s, SCRUB_FILE, s->rec_at, s->h.type, s->h.id);
	return false;
}

static void
end_file(struct scrub *s)
{
	if (s->file_fd != -1)
		disk_io->close(s->file_fd);
	s->file_fd = -1;
	next_record(s);
}

static void
sound_record(struct scrub *s, struct str meta)
{
	struct rec	r = { .type = s->h.type, .id = s->h.id, .meta = meta,
	    .payload = { NULL, s->h.payload_n } };
	struct recpos	pos = { s->id, s->rec_at };
	char		sum[4];

	s->counts.records++;
	put_u32(sum, s->h.checksum);
	s->body = crc32c(s->body, sum, sizeof(sum));
	if (s->h.payload_n > 0) {
		scrub_sum_begin(s, s->rec_at + REC_HEAD + s->h.meta_n,
		    s->h.payload_n);
		s->phase = PH_PAYLOAD;
	} else if (s->ops.file_of != NULL &&
	    s->ops.file_of(s->ops.arg, &r, pos, &s->file)) {
		s->phase = PH_FILE;
		if (!begin_file(s))
			end_file(s);
	} else
		next_record(s);
}

void
scrub_record(struct scrub *s)
{
	struct str meta;

	if (s->i == s->f.records) {
		end_frame(s);
		return;
	}
	if (s->table != NULL)
		s->rec_at = s->f.offset + get_u32(s->table +
		    s->i * FRAME_SLOT);
	if (load_record(s, &meta))
		sound_record(s, meta);
	else
		skip_record(s);
}

static size_t
piece_of(const struct scrub *s)
{
	uint64_t n = s->sum.end - s->sum.at;

	return n < SCRUB_PIECE ? (size_t)n : SCRUB_PIECE;
}

void
scrub_payload(struct scrub *s)
{
	size_t		 n = piece_of(s);
	const char	*p = scrub_get(s, s->sum.at, n);

	if (p == NULL && s->w.error != 0)
		return;
	if (p != NULL) {
		s->sum.crc = crc32c(s->sum.crc, p, n);
		crypto_generichash_update(&s->sum.st,
		    (const unsigned char *)p, n);
		s->sum.at += n;
		if (s->sum.at < s->sum.end)
			return;
	}
	if (p == NULL || s->sum.crc != s->h.payload_crc ||
	    !scrub_sum_is(s, (const char *)s->h.hash))
		scrub_found_record(s, SCRUB_PAYLOAD, s->rec_at, s->h.type,
		    s->h.id);
	next_record(s);
}

void
scrub_file(struct scrub *s)
{
	size_t	n = piece_of(s);
	ssize_t	got;

	if (s->piece == NULL)
		s->piece = xrealloc(NULL, SCRUB_PIECE, 1);
	got = disk_read(s->file_fd, s->piece, n, s->sum.at);
	s->left -= (int64_t)n + 1;
	s->counts.bytes += n;
	if (got == (ssize_t)n) {
		crypto_generichash_update(&s->sum.st,
		    (unsigned char *)s->piece, n);
		s->sum.at += n;
		if (s->sum.at < s->sum.end)
			return;
	}
	if (got != (ssize_t)n || !scrub_sum_is(s, (char *)s->file.hash))
		scrub_found_record(s, SCRUB_FILE, s->rec_at, s->h.type,
		    s->h.id);
	end_file(s);
}
