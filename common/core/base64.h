/*
 * base64 - RFC 4648 4, strictly: padding is wanted, the bits left over are
 * zero, and no other byte may stand between.  In constant time, since
 * passwords pass through here.
 */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include "common/core/buf.h"

/* Appends; a text that is not base64 gives -1 and appends nothing. */
int		base64_decode(struct buf *, struct str);
void		base64_encode(struct buf *, struct str);

#endif
