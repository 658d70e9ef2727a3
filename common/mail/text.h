/*
 * text - what Unicode says about user names, passwords and searching.  The
 * only file that uses ICU.
 *
 * Pure, but for tables that ICU opens when first used: text_init opens them
 * all, before the sandbox takes opening files away.
 */
#ifndef MAIL_TEXT_H
#define MAIL_TEXT_H

#include "common/core/buf.h"

enum { TEXT_MAX = 1024 * 1024 };	/* bytes in; more is refused */

/* -1 when the tables are not there or wrong.  Cheap the second time. */
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

#endif
