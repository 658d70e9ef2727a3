/*
 * frame - see frame.h.  Pure.
 */
#include "common/disk/frame.h"

#include <string.h>

#include "common/core/pack.h"
#include "common/disk/crc32c.h"
#include "common/disk/reclog.h"

#define SEG_MAGIC	0x67655350u	/* "PSeg" */
#define FRAME_MAGIC	0x6d724650u	/* "PFrm" */
#define FOOT_MAGIC	0x746f4650u	/* "PFot" */

enum {
	SEG_SUM = 44,		/* where the checksums are */
	FRAME_SUM = 68,
	REC_SUM = 56,
	FOOT_SUM = 24,
	SEG_RECYCLED = 1	/* bit of the flags */
};

void
seg_head_put(char *p, const struct seg_head *h)
{
	memset(p, 0, SEG_COPY);
	put_u32(p, SEG_MAGIC);
	p[4] = FRAME_VERSION;
	put_u64(p + 8, h->id);
	put_u64(p + 16, h->key);
	put_u64(p + 24, h->epoch);
	put_u64(p + 32, h->sequence);
	put_u32(p + 40, h->recycled ? SEG_RECYCLED : 0);
	put_u32(p + SEG_SUM, crc32c(0, p, SEG_SUM));
}

enum frame_sight
seg_head_get(const char *p, struct seg_head *h)
{
	if (get_u32(p) != SEG_MAGIC ||
	    get_u32(p + SEG_SUM) != crc32c(0, p, SEG_SUM))
		return FRAME_BAD;
	if (p[4] != FRAME_VERSION)
		return FRAME_FOREIGN;
	*h = (struct seg_head){
		.id = get_u64(p + 8),
		.key = get_u64(p + 16),
		.epoch = get_u64(p + 24),
		.sequence = get_u64(p + 32),
		.recycled = (get_u32(p + 40) & SEG_RECYCLED) != 0,
	};
	return FRAME_GOOD;
}

void
frame_head_put(char *p, struct frame_head *h)
{
	put_u32(p, FRAME_MAGIC);
	p[4] = FRAME_VERSION;
	p[5] = (char)h->kind;
	put_u16(p + 6, 0);
	put_u64(p + 8, h->key);
	put_u64(p + 16, h->segment);
	put_u64(p + 24, h->offset);
	put_u64(p + 32, h->sequence);
	put_u64(p + 40, h->epoch);
	put_u64(p + 48, h->durable);
	put_u32(p + 56, h->length);
	put_u32(p + 60, h->records);
	put_u32(p + 64, h->body);
	h->checksum = crc32c(0, p, FRAME_SUM);
	put_u32(p + FRAME_SUM, h->checksum);
}

/* Do kind, length and records go together? */
static bool
is_plausible(const struct frame_head *h)
{
	uint64_t least = (uint64_t)h->records * (REC_HEAD + FRAME_SLOT) +
	    FRAME_HEAD + FRAME_TAIL;

	switch (h->kind) {
	case FRAME_DATA:
		return h->records > 0 && h->length >= least &&
		    h->length <= RECLOG_FRAME_MAX;
	case FRAME_FOOTER:
		return h->length >= FRAME_HEAD + HASH_LEN + FOOT_TAIL;
	case FRAME_END:
		return h->length == FRAME_HEAD && h->records == 0;
	}
	return false;
}

enum frame_sight
frame_head_get(const char *p, struct frame_head *h)
{
	if (get_u32(p) != FRAME_MAGIC ||
	    get_u32(p + FRAME_SUM) != crc32c(0, p, FRAME_SUM))
		return FRAME_BAD;
	if (p[4] != FRAME_VERSION)
		return FRAME_FOREIGN;
	*h = (struct frame_head){
		.kind = (enum frame_kind)(unsigned char)p[5],
		.key = get_u64(p + 8),
		.segment = get_u64(p + 16),
		.offset = get_u64(p + 24),
		.sequence = get_u64(p + 32),
		.epoch = get_u64(p + 40),
		.durable = get_u64(p + 48),
		.length = get_u32(p + 56),
		.records = get_u32(p + 60),
		.body = get_u32(p + 64),
		.checksum = get_u32(p + FRAME_SUM),
	};
	return is_plausible(h) ? FRAME_GOOD : FRAME_BAD;
}

void
rec_head_put(char *p, const struct rec_head *h)
{
	put_u32(p, h->type);
	put_u64(p + 4, h->id);
	put_u32(p + 12, h->meta_n);
	put_u32(p + 16, h->payload_n);
	put_u32(p + 20, h->payload_crc);
	memcpy(p + 24, h->hash, HASH_LEN);
	put_u32(p + REC_SUM, h->checksum);
}

void
rec_head_get(const char *p, struct rec_head *h)
{
	h->type = (uint8_t)p[0];
	h->id = get_u64(p + 4);
	h->meta_n = get_u32(p + 12);
	h->payload_n = get_u32(p + 16);
	h->payload_crc = get_u32(p + 20);
	memcpy(h->hash, p + 24, HASH_LEN);
	h->checksum = get_u32(p + REC_SUM);
}

uint32_t
rec_sum(const char *raw, struct str meta, uint64_t key, uint64_t offset)
{
	char		place[16];
	uint32_t	crc;

	put_u64(place, key);
	put_u64(place + 8, offset);
	crc = crc32c(0, place, sizeof(place));
	crc = crc32c(crc, raw, REC_SUM);
	return crc32c(crc, meta.p, meta.n);
}

uint64_t
rec_size(const struct rec_head *h)
{
	return (uint64_t)REC_HEAD + h->meta_n + h->payload_n;
}

uint32_t
trailer_sum(const char *p, uint32_t n, uint64_t key, uint64_t offset)
{
	char	place[20];

	put_u64(place, key);
	put_u64(place + 8, offset);
	put_u32(place + 16, n);
	return crc32c(crc32c(0, place, sizeof(place)), p,
	    (size_t)n * FRAME_SLOT);
}

void
foot_tail_put(char *p, const struct foot_tail *t)
{
	put_u64(p, t->key);
	put_u64(p + 8, t->offset);
	put_u32(p + 16, t->length);
	put_u32(p + 20, 0);
	put_u32(p + FOOT_SUM, crc32c(0, p, FOOT_SUM));
	put_u32(p + FOOT_SUM + 4, FOOT_MAGIC);
}

enum frame_sight
foot_tail_get(const char *p, struct foot_tail *t)
{
	if (get_u32(p + FOOT_SUM + 4) != FOOT_MAGIC ||
	    get_u32(p + FOOT_SUM) != crc32c(0, p, FOOT_SUM))
		return FRAME_BAD;
	t->key = get_u64(p);
	t->offset = get_u64(p + 8);
	t->length = get_u32(p + 16);
	return FRAME_GOOD;
}
