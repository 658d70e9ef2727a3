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

enum {
	SMTP_OPENING_MAX = 1000	/* bytes that tell whether there is a header */
};

/* How the content begins.  See smtp_data_next. */
enum smtp_opening {
	OPENING_UNKNOWN,
	OPENING_LONE,	/* a word alone in the first line: it may be a name */
	OPENING_HEADER,
	OPENING_BODY	/* no header */
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
	uint8_t		opening;	/* enum smtp_opening */
	uint16_t	opened;		/* bytes looked at for that */
	char		first[8];	/* of them */
	uint8_t		at;
};

void		smtp_data_init(struct smtp_data *);

/*
 * Cuts what it has understood off *in.  A chunk is borrowed from the input,
 * in order, never empty.
 *
 * Content whose first line is no field has no header: all of it is body.
 * That is said (opening) before more than SMTP_OPENING_MAX bytes were given
 * out, or at the end.  Not so what somebody else might take for a header: a
 * first line that goes on another, that of an mbox, a name with its colon on
 * the next line.  These stay junk in a header.
 */
enum smtp_data_kind smtp_data_next(struct smtp_data *,
		    const struct smtp_data_limits *, struct str *in,
		    struct str *chunk);

#endif
