/*
 * text - what Unicode says about user names, passwords and searching, and
 * other charsets as UTF-8.  The only file that uses ICU.
 *
 * Pure, but for tables that ICU opens when first used.  They lie in its
 * library and no file is looked for, so that this works in the sandbox too.
 */
#ifndef MAIL_TEXT_H
#define MAIL_TEXT_H

#include "common/core/buf.h"

enum { TEXT_MAX = 1024 * 1024 };	/* bytes in; more is refused */

/*
 * Opens the tables of text_saslprep, which wants them.  -1 when they are not
 * there or wrong.  Cheap the second time.
 */
int	text_init(void);

/*
 * SASLprep, RFC 4013, onto *out.  A stored string (a password being set)
 * must not hold code points that Unicode 3.2 did not assign; a query may.
 * -1 when it is refused: prohibited, badly mixed directions, not UTF-8, or
 * over the limit of *out; what *out then holds is undefined.  The result may
 * be empty.  Intermediate copies are wiped.
 */
int	text_saslprep(struct str, bool stored, struct buf *out);

/*
 * The form in which texts are compared when case does not count: Unicode's
 * NFKC_Casefold, which also unifies composed and decomposed forms.  Bytes
 * that are not UTF-8 become U+FFFD.  ASCII is only lower-cased, and fast.
 * -1 over TEXT_MAX or the limit of *out.
 */
int	text_fold(struct str, struct buf *out);

/*
 * Octets in a charset, in pieces of any size, appended as UTF-8; what is
 * wrong in them is U+FFFD.  A character may be cut by a piece's end, unless
 * it is the last.  -1 when *out is full.  NULL: nobody knows such a charset.
 */
struct text_charset *text_charset_open(struct str name);
int	text_charset_feed(struct text_charset *, struct str, bool last,
	    struct buf *out);
void	text_charset_close(struct text_charset *);

#endif
