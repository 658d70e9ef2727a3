/*
 * fetching - what a FETCH at work knows, for fetch.c and section.c; nobody
 * else's.  Pure.
 */
#ifndef IMAPD_FETCHING_H
#define IMAPD_FETCHING_H

#include "common/mail/mime.h"
#include "imapd/fetchatt.h"
#include "imapd/header.h"
#include "imapd/session.h"

enum { FETCH_PIECE = 32 * 1024 };	/* octets of a message at a time */

struct fetch {
	struct fetch_att	att;
	struct seqset		set;
	struct header		header;
	struct mime		mime;		/* of the message mime_uid */
	uint32_t		mime_uid;	/* 0: none */
	bool			scanning;	/* its parts are looked for */
	uint32_t		scanned;	/* octets */
	bool			wants_parts, wants_mime, wants_octets;
	struct buf		structure[2];	/* BODY, BODYSTRUCTURE: known
						   without the parts */
	size_t			at;		/* index of the message */
	bool			taken;		/* its turn has come */
	struct store_msg	msg;		/* as it was then */
	struct store_body	*body;		/* or NULL: not needed */
	bool			open;		/* its response is begun */
	bool			first;		/* nothing in it yet */
	bool			flags;		/* \Seen was set: tell */
	unsigned		item;		/* the next one */
	uint32_t		from, left;	/* octets to send */
	bool			missing;	/* some were gone */
	bool			failed;		/* some could not be read */
};

/*
 * BODY[...] and the RFC822 forms: label, length and the first piece of the
 * octets; f->left says what is to come.  -1 when it cannot be read.
 */
int	section_put(struct imap *, const struct fetch_item *,
	    const struct store_msg *);
/* The next piece; -1 when it cannot be read. */
int	section_stream(struct imap *);

#endif
