/*
 * mime - the parts of a message: where each header and body lies, RFC 2046.
 *
 * Fed with the message in pieces of any size; keeps the headers of the parts
 * and nothing of their bodies.  Depth, number of parts and the kept headers
 * are capped: beyond a cap the rest is one opaque part.  A line ends in CRLF.
 * Boundaries are compared whole; an outer one ends what is inside.  Pure.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "common/core/buf.h"

enum {
	MIME_DEPTH_MAX = 100,
	MIME_PARTS_MAX = 10000,
	MIME_HEADERS_MAX = 4 * 1024 * 1024,	/* bytes, all together */
	MIME_BOUNDARY_MAX = 200			/* longer: no multipart */
};

enum mime_kind {
	MIME_LEAF,
	MIME_MULTI,
	MIME_MESSAGE		/* its one child is the message inside */
};

struct mime_part {
	enum mime_kind	kind;
	uint32_t	head, head_n;	/* octets in the message */
	uint32_t	body, body_n;
	uint32_t	lines;		/* of the body */
	uint32_t	text, text_n;	/* its header in struct mime */
	unsigned	parent;
	unsigned	child, last;	/* 0: none */
	unsigned	next;
	bool		digest;		/* in a multipart/digest */
};

struct mime_open {
	unsigned	part;
	uint32_t	newlines;	/* before its body */
	bool		digest;		/* what its parts are by default */
	uint8_t		boundary_n;	/* 0: none, or it has ended */
	char		boundary[MIME_BOUNDARY_MAX];
};

struct mime {
	struct mime_part	*parts;		/* [0] is the message */
	unsigned		 n, cap;
	struct buf		 text;
	/* Private. */
	struct mime_open	*open;		/* from the message inwards */
	unsigned		 depth;
	uint32_t		 at, line_at;	/* octets */
	uint32_t		 floor;		/* no body ends before */
	uint32_t		 newlines;	/* so far */
	uint32_t		 line_newlines;	/* before this line */
	size_t			 line_text;	/* where it began in text */
	char			 line[MIME_BOUNDARY_MAX + 8];
	size_t			 line_n;
	char			 last;		/* byte before this one */
	bool			 in_header;
};

void		mime_init(struct mime *);
void		mime_clear(struct mime *);
void		mime_feed(struct mime *, struct str);
void		mime_end(struct mime *);

/* The header of a part, its empty line included. */
struct str	mime_header(const struct mime *, const struct mime_part *);
/*
 * The part of that number, RFC 3501 6.4.5: the numbers from the outside in.
 * NULL when there is none.
 */
const struct mime_part *mime_find(const struct mime *,
		    const uint32_t *numbers, unsigned n);

#endif
