/*
 * smtp_data - what follows 354: takes the dots out, finds the end, measures.
 * RFC 5321 4.1.1.4, 4.5.2.
 *
 * Lines end in CRLF.  The first CR or LF alone and the first NUL end it all
 * as DATA_BARE: what other servers could read as an end of data is never
 * passed on.  Breaking another limit sets a flag; the bytes that follow are
 * still read, so that the end is found.
 *
 * Keeps nothing but counters; content is given out as pieces of the input.
 */
#ifndef SMTPD_SMTP_DATA_H
#define SMTPD_SMTP_DATA_H

#include "common/mail/rfc5322.h"

struct smtp_data_limits {
	size_t		line;		/* bytes of a line without its CRLF */
	uint64_t	field;		/* of one header field */
	uint64_t	header;		/* of the header */
	uint64_t	message;	/* of the message */
};

enum smtp_data_kind {
	DATA_MORE,	/* the input is used up */
	DATA_CHUNK,
	DATA_END,
	DATA_BARE
};

struct smtp_data {
	uint64_t	size;		/* of the content so far */
	size_t		line;		/* of the current line so far */
	struct hdr_scan	header;
	bool		long_line;
	bool		too_big;
	bool		header_big;
	uint8_t		at;
};

void		smtp_data_init(struct smtp_data *);

/*
 * Cuts what it has understood off *in.  A chunk is borrowed from the input,
 * in order, never empty.
 */
enum smtp_data_kind smtp_data_next(struct smtp_data *,
		    const struct smtp_data_limits *, struct str *in,
		    struct str *chunk);

#endif
