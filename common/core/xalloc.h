/*
 * xalloc - memory that is there, or the process ends.
 *
 * For start-up and for allocations whose size a limit bounds.  What a client
 * can make arbitrarily large goes through a capped buf instead.
 */
#ifndef CORE_XALLOC_H
#define CORE_XALLOC_H

#include <stddef.h>

#include "common/core/str.h"

void	*xcalloc(size_t n, size_t size);	/* zeroed */
void	*xrealloc(void *, size_t n, size_t size);
char	*xstrdup(const char *);
/* A NUL-terminated copy; the bytes must not hold a NUL (assert). */
char	*xstr(struct str);
/* A copy whose bytes are on the heap: free((char *)s.p). */
struct str xdup(struct str);
void	 xfree_str(struct str *);		/* and makes it empty */

#endif
