/*
 * decode - content transfer encodings, RFC 2045 6: base64 and quoted-printable
 * back into octets, while they pass in pieces of any size.
 *
 * Lenient, for reading what others wrote: what is not of the encoding is
 * passed over (base64) or is itself (quoted-printable).  Pure.
 */
#ifndef MAIL_DECODE_H
#define MAIL_DECODE_H

#include "common/core/buf.h"

enum decode_kind {
	DECODE_NONE,		/* 7bit, 8bit, binary, and what is unknown */
	DECODE_BASE64,
	DECODE_QUOTED
};

struct decode {
	enum decode_kind	kind;
	bool			word;	/* "_" is a space: RFC 2047 4.2 */
	/* Private. */
	uint32_t		bits;
	unsigned		nbits;
	char			held[2];	/* of "=XY" */
	unsigned		nheld;
};

/* By the value of Content-Transfer-Encoding. */
enum decode_kind decode_kind(struct str value);
void		 decode_init(struct decode *, enum decode_kind);
void		 decode_feed(struct decode *, struct str, struct buf *out);
/* An escape that was cut off is itself. */
void		 decode_end(struct decode *, struct buf *out);

#endif
