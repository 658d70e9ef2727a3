/*
 * rfc5322 - the header of a message: where fields begin, where they end, and
 * where the header ends.  RFC 5322 2.1, 2.2.  This is the only code that says
 * so; whoever looks at a header asks here, so that no two parts of the suite
 * see different fields or a different body.
 *
 * A line ends in CRLF and in nothing else: a CR or LF alone is a byte like
 * any other.  (smtpd refuses both.)  The header ends at the first empty line;
 * a message without one is all header.  A line that begins with a space or a
 * tab goes on with the field before it, even if it has nothing else in it.  A
 * line that is neither that nor "name:" is junk: it belongs to the header and
 * to no field, and what follows is read as before.  Spaces before the colon
 * are allowed and no part of the name.
 *
 * Allocates nothing; everything given out is borrowed from what was read.
 */
#ifndef MAIL_RFC5322_H
#define MAIL_RFC5322_H

#include "common/core/buf.h"

enum hdr_kind {
	HDR_FIELD,
	HDR_JUNK,	/* raw only */
	HDR_END		/* nothing left; *rest is the body */
};

struct hdr_field {
	struct str	name;	/* compare with str_ieq */
	struct str	value;	/* after the colon, folded as it came; without
				   the last CRLF */
	struct str	raw;	/* all of it, with the last CRLF */
};

/* Cuts the next field off *rest, which begins as the message. */
enum hdr_kind	hdr_next(struct str *rest, struct hdr_field *);

/* How long the header is, its empty line included. */
size_t		hdr_size(struct str message);

/* The first field of that name; false when there is none. */
bool		hdr_find(struct str message, struct str name,
		    struct hdr_field *);

/* The value without line ends, trimmed. */
void		hdr_unfold(struct buf *, struct str value);

/*
 * The same grammar while the bytes pass, for who must not keep them.  Zeroed
 * storage is a fresh scan.
 */
struct hdr_scan {
	uint64_t	size;		/* of the header, so far */
	uint64_t	field;		/* of the current field */
	uint64_t	field_max;	/* of the longest field so far */
	uint32_t	fields;
	uint32_t	received;	/* Received fields: hops */
	bool		junk;		/* a junk line was seen */
	bool		ended;		/* the empty line has passed */
	/* Private. */
	uint8_t		at;
	uint8_t		match;
};

void		hdr_scan(struct hdr_scan *, struct str);
/* The message is over: a last line without CRLF counts too. */
void		hdr_scan_end(struct hdr_scan *);

#endif
