/*
 * esmtp - the parameters behind a path (RFC 5321 4.1.1.11) and the xtext
 * that some of them are written in (RFC 3461 4).  Pure.
 */
#ifndef MAIL_ESMTP_H
#define MAIL_ESMTP_H

#include "common/core/str.h"

struct esmtp_param {
	struct str	key;		/* compare with str_ieq */
	struct str	value;		/* p == NULL: there was no "=" */
};

/*
 * Cuts the next parameter off the front of *rest: 1 there was one, 0 the end,
 * -1 what stands there is none.  Spaces before a parameter are skipped, at
 * least one is wanted; borrowed from *rest.
 */
int		esmtp_param(struct str *rest, struct esmtp_param *);

/*
 * Decodes into out, which has room for s.n bytes.  -1 for what is no xtext
 * and for anything that means a control character.
 */
int		xtext_decode(struct str s, char *out, size_t *n);

#endif
