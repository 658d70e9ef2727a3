/*
 * pack - fixed binary fields in a byte string: little-endian numbers, and
 * strings behind a u32 length.  The language of messages and log records.
 *
 * Packing goes to the end of a buf.  Unpacking never reads past the end: the
 * first field that does not fit marks the reader bad and gives zero or the
 * empty str from then on, so a caller reads all fields and asks
 * unpack_done() once.
 */
#ifndef CORE_PACK_H
#define CORE_PACK_H

#include "common/core/buf.h"

void		pack_u8(struct buf *, uint8_t);
void		pack_u16(struct buf *, uint16_t);
void		pack_u32(struct buf *, uint32_t);
void		pack_u64(struct buf *, uint64_t);
void		pack_str(struct buf *, struct str);	/* u32 length, bytes */
/* The same for what is never longer than max (assert). */
void		pack_str_max(struct buf *, struct str, size_t max);

/* The same into and from storage of the caller's, for fixed headers. */
void		put_u16(void *, uint16_t);
void		put_u32(void *, uint32_t);
void		put_u64(void *, uint64_t);
uint16_t	get_u16(const void *);
uint32_t	get_u32(const void *);
uint64_t	get_u64(const void *);

struct unpack {
	struct str	s;		/* what is left */
	bool		bad;
};

struct unpack	unpack_of(struct str);
uint8_t		unpack_u8(struct unpack *);
uint16_t	unpack_u16(struct unpack *);
uint32_t	unpack_u32(struct unpack *);
uint64_t	unpack_u64(struct unpack *);
struct str	unpack_bytes(struct unpack *, size_t n);
/* Borrowed from what is read.  Longer than max marks the reader bad. */
struct str	unpack_str(struct unpack *, size_t max);
/* The same; a NUL in it marks the reader bad. */
struct str	unpack_text(struct unpack *, size_t max);
/* All fields were there and nothing is left over. */
bool		unpack_done(const struct unpack *);

#endif
