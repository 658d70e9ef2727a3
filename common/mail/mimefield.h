/*
 * mimefield - the values of structured MIME fields: Content-Type,
 * Content-Transfer-Encoding and Content-Disposition, RFC 2045 and RFC 2183.
 * Comments are skipped, at any depth, without recursion.  Values may be
 * folded.  Pure.
 */
#ifndef MAIL_MIMEFIELD_H
#define MAIL_MIMEFIELD_H

#include "common/core/buf.h"

/* Blanks, line ends and comments off the front. */
void	mimefield_skip(struct str *);
/* A token off the front; false when there is none. */
bool	mimefield_token(struct str *, struct str *);

/* A token and nothing else, as an encoding is; false when it is not. */
bool	mimefield_only(struct str value, struct str *);

/*
 * "type/subtype" off the front; *params is what follows.  -1 when the value
 * is not of that form.
 */
int	mimefield_type(struct str value, struct str *type,
	    struct str *subtype, struct str *params);
/*
 * The next "; name=value" of *params, the value without quotes; false at the
 * end and where the rest cannot be read.
 */
bool	mimefield_param(struct str *params, struct str *name,
	    struct buf *value);
/* A parameter by its name. */
bool	mimefield_find(struct str params, struct str name,
	    struct buf *value);

#endif
