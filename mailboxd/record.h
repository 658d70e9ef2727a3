/*
 * record - the records of a mailbox's log (record.def): structs and codec of
 * their metadata, and sets of UIDs.
 *
 * Decoding borrows from the bytes.  It refuses an unknown type, a field over
 * its cap, a NUL in text, bytes left over, and values that no mailbox has (a
 * folder or a UID of 0, a flag that does not exist).  Whether a folder or a
 * message is there is for state to know.
 *
 * A set of UIDs is a row of ranges, ascending: two numbers in base 128, low
 * seven bits first, for the gap to the end of the range before (0 at first)
 * and the length of the range less one.
 */
#ifndef MAILBOXD_RECORD_H
#define MAILBOXD_RECORD_H

#include "common/core/pack.h"
#include "common/disk/frame.h"
#include "common/mail/store.h"

enum {
	RECORD_TRACE_MAX = 2048,	/* bytes of a trace prefix */
	RECORD_UIDS_MAX = 256 * 1024,	/* bytes of a set of UIDs */
	RECORD_META_MAX = RECORD_UIDS_MAX + 4096,
	RECORD_ROW_MAX = 16 * 1024,	/* bytes of a row */
	RECORD_RUN_MAX = 256 * 1024	/* bytes of a run of rows, plain */
};

enum body_place {
	BODY_INLINE,		/* the record's payload */
	BODY_FILE		/* a file named by the record's id */
};

enum coding {
	CODING_PLAIN,
	CODING_ZSTD
};

enum record_type {
#define RECORD(TAG, tag, no, fields) REC_##TAG = no,
#include "mailboxd/record.def"
};

#define U8(x)		uint8_t x;
#define U16(x)		uint16_t x;
#define U32(x)		uint32_t x;
#define U64(x)		uint64_t x;
#define STR(x, cap)	struct str x;
#define RAW(x, cap)	struct str x;
#define UIDS(x)		struct str x;
#define RECORD(TAG, tag, no, fields) struct record_##tag { fields };
#include "mailboxd/record.def"

struct record {
	enum record_type	type;
	union {
#define RECORD(TAG, tag, no, fields) struct record_##tag tag;
#include "mailboxd/record.def"
	};
};

/* 0, or -1 when it is refused. */
int		 record_decode(uint8_t type, struct str meta, struct record *);
/* Appends; a field over its cap is a bug of ours (assert). */
void		 record_encode(struct buf *, const struct record *);
/* "message", or "?" */
const char	*record_name(uint8_t type);

/*
 * Appends as many of the UIDs (ascending) as fit into max bytes, and returns
 * how many that was.
 */
size_t		 uids_add(struct buf *, const uint32_t *uids, size_t n,
		    size_t max);

/* A walk over the ranges of a set that was decoded. */
struct uids {
	struct str	rest;
	uint32_t	last;
};

struct uids	 uids_of(struct str);
bool		 uids_next(struct uids *, uint32_t *lo, uint32_t *hi);
/* How many UIDs; 0 if the bytes are not such a set. */
uint64_t	 uids_count(struct str);

#endif
