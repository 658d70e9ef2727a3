/*
 * mutf7 - names of folders on the IMAP wire: modified UTF-7, RFC 3501 5.1.3.
 *
 * Strict both ways: one name has one spelling.  What is refused: 8-bit and
 * control bytes, a shift that does not end, printable ASCII that was
 * encoded, two shifts in a row, padding bits that are not zero, lone
 * surrogates, NUL.  Pure.
 */
#ifndef MAIL_MUTF7_H
#define MAIL_MUTF7_H

#include "common/core/buf.h"

/* UTF-8 of a wire name, appended to out; 0 or -1 (out is then as before). */
int	mutf7_decode(struct str, struct buf *out);
/* The other way; -1 if it is not UTF-8 or holds a NUL. */
int	mutf7_encode(struct str, struct buf *out);

#endif
