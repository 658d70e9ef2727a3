/*
 * structure - ENVELOPE, BODY and BODYSTRUCTURE, RFC 3501 7.4.2, of a message
 * whose parts are known.  Pure.
 */
#ifndef IMAPD_STRUCTURE_H
#define IMAPD_STRUCTURE_H

#include "common/mail/mime.h"

/* "(date subject from ...)" of a header. */
void	structure_envelope(struct buf *, struct str header);
/* "(type subtype ...)"; `full` is BODYSTRUCTURE. */
void	structure_body(struct buf *, const struct mime *, bool full);

/* As a string of the protocol; a literal where it cannot be quoted. */
void	structure_string(struct buf *, struct str);

#endif
