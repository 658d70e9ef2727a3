/*
 * glob - the patterns of LIST and LSUB, RFC 3501 6.3.8: '*' matches anything,
 * '%' anything but the separator.  Time is pattern times name, whatever the
 * pattern.  Pure.
 */
#ifndef IMAPD_GLOB_H
#define IMAPD_GLOB_H

#include "common/core/str.h"

enum { GLOB_MAX = 2048 };	/* bytes of a pattern */

struct glob {
	char	pat[GLOB_MAX];
	size_t	n;
};

/* Runs of wildcards become one.  -1 when it is too long. */
int	glob_init(struct glob *, struct str reference, struct str pattern);
/* `fold`: letters match in either case (for INBOX). */
bool	glob_match(const struct glob *, struct str name, bool fold);
/* Whether there is a '%' in it. */
bool	glob_has_percent(const struct glob *);

#endif
