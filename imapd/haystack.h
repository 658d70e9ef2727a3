/*
 * haystack - the text of a message as SEARCH sees it: transfer encodings and
 * encoded words undone, as UTF-8, in the form in which case does not count
 * (text_fold).
 *
 * Parts that are text are read in their charset; of others only what is not
 * encoded is looked into, as it stands.  Keeps a little more than the piece
 * that it was fed.
 */
#ifndef IMAPD_HAYSTACK_H
#define IMAPD_HAYSTACK_H

#include "common/mail/decode.h"
#include "common/mail/rfc5322.h"
#include "common/mail/text.h"

enum { HAYSTACK_TEXT_MAX = 4 * 1024 * 1024 };	/* bytes of a piece, folded */

struct haystack {
	struct decode		 decode;
	struct text_charset	*charset;	/* NULL: it is UTF-8 */
	struct buf		 octets, text;
};

void	haystack_init(struct haystack *);
void	haystack_clear(struct haystack *);

/* A part with this header begins; false when it is not looked into. */
bool	haystack_begin(struct haystack *, struct str header);
/* More of its body; appends what can be told so far. */
void	haystack_feed(struct haystack *, struct str, bool last,
	    struct buf *out);

/*
 * A field with its name, or a line that is none; where in *out the value of
 * the field is.  What does not fit is left out.
 */
size_t	haystack_field(const struct hdr_field *, struct buf *out);
/* Whether a message with this header consists of parts. */
bool	haystack_has_parts(struct str header);

#endif
