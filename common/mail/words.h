/*
 * words - encoded words in header fields, RFC 2047, as UTF-8.
 *
 * Takes the value of a field, unfolded, and writes what a reader is shown.
 * The blanks between two encoded words vanish; a character that was cut in
 * two by them is put together again.  What is no encoded word, or in a
 * charset that nobody knows, is itself.  Pure but for the tables of text.h.
 */
#ifndef MAIL_WORDS_H
#define MAIL_WORDS_H

#include "common/core/buf.h"

void	words_decode(struct str value, struct buf *out);

#endif
