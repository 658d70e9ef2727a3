/*
 * xalloc - see xalloc.h.
 */
#include "common/core/xalloc.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size);

	if (p == NULL)
		fatal("out of memory");
	return p;
}

void *
xrealloc(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n == 0 ? 1 : n, size == 0 ? 1 : size);

	if (p == NULL)
		fatal("out of memory");
	return p;
}

char *
xstrdup(const char *s)
{
	return xstr(str_c(s));
}

char *
xstr(struct str s)
{
	char *p = xcalloc(1, s.n + 1);

	assert(str_chr(s, '\0') == -1);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

struct str
xdup(struct str s)
{
	char *p = xcalloc(1, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

void
xfree_str(struct str *s)
{
	free((char *)(uintptr_t)s->p);
	*s = (struct str){ NULL, 0 };
}
