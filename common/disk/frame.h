/*
 * frame - the bytes of the record log: segment head, frame head, record
 * head, trailer, footer tail.  formats(5), RECORD LOG, describes them.
 *
 * Each segment has a random key that only the disk and its writer know; it
 * is in all heads.  So what somebody sends as content can never pass for a
 * frame when recovery searches for the next one behind damage.  Checksums of
 * heads cover their own place, so a copy elsewhere is refused as well.
 *
 * Pure.  Reads and writes storage of the caller's, of the sizes below.
 */
#ifndef DISK_FRAME_H
#define DISK_FRAME_H

#include "common/core/str.h"

enum {
	FRAME_VERSION = 1,
	SEG_COPY = 512,		/* one segment head, padded with zeros */
	SEG_HEAD = 1024,	/* two of them; the first frame is here */
	FRAME_HEAD = 72,
	REC_HEAD = 60,
	FRAME_TAIL = 8,		/* behind the table of the trailer */
	FRAME_SLOT = 4,		/* of that table, per record */
	FOOT_TAIL = 32,		/* the last bytes of a sealed segment */
	HASH_LEN = 32		/* BLAKE2b-256 */
};

enum frame_kind {
	FRAME_DATA = 1,
	FRAME_FOOTER = 2,
	FRAME_END = 3		/* nothing of this segment is behind it */
};

enum frame_sight {
	FRAME_GOOD,
	FRAME_BAD,		/* not one of ours, or damaged */
	FRAME_FOREIGN		/* sound, of a version that we do not know */
};

struct seg_head {
	uint64_t	id;
	uint64_t	key;
	uint64_t	epoch;
	uint64_t	sequence;	/* of its first frame */
	bool		recycled;	/* old bytes may be behind the end */
};

struct frame_head {
	enum frame_kind	kind;
	uint64_t	key;
	uint64_t	segment;
	uint64_t	offset;		/* its own */
	uint64_t	sequence;
	uint64_t	epoch;
	uint64_t	durable;	/* all before this offset is durable */
	uint32_t	length;		/* of the whole frame */
	uint32_t	records;
	uint32_t	body;		/* over the record heads' checksums */
	uint32_t	checksum;	/* of this head */
};

struct rec_head {
	uint8_t		type;
	uint64_t	id;
	uint32_t	meta_n;
	uint32_t	payload_n;
	uint32_t	payload_crc;
	unsigned char	hash[HASH_LEN];	/* zeros if there is no payload */
	uint32_t	checksum;	/* of this head and the metadata */
};

struct foot_tail {
	uint64_t	key;
	uint64_t	offset;		/* of the footer's frame head */
	uint32_t	length;
};

void			seg_head_put(char *, const struct seg_head *);
enum frame_sight	seg_head_get(const char *, struct seg_head *);

/* Sets h->checksum. */
void			frame_head_put(char *, struct frame_head *);
enum frame_sight	frame_head_get(const char *, struct frame_head *);

void			rec_head_put(char *, const struct rec_head *);
void			rec_head_get(const char *, struct rec_head *);
/* What h.checksum must be; `raw` is the head, `offset` where it is. */
uint32_t		rec_sum(const char *raw, struct str meta, uint64_t key,
			    uint64_t offset);
/* Bytes of the record on the disk. */
uint64_t		rec_size(const struct rec_head *);

/* Of the table of n slots at p, for the frame at `offset`. */
uint32_t		trailer_sum(const char *p, uint32_t n, uint64_t key,
			    uint64_t offset);

void			foot_tail_put(char *, const struct foot_tail *);
enum frame_sight	foot_tail_get(const char *, struct foot_tail *);

#endif
