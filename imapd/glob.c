/*
 * glob - see glob.h.  Pure.
 */
#include "imapd/glob.h"

#include <string.h>

static bool
is_wild(char c)
{
	return c == '*' || c == '%';
}

static int
add(struct glob *g, char c)
{
	/* "%*", "*%" and "**" say no more than "*". */
	if (is_wild(c) && g->n > 0 && is_wild(g->pat[g->n - 1])) {
		if (c == '*')
			g->pat[g->n - 1] = '*';
		return 0;
	}
	if (g->n == GLOB_MAX)
		return -1;
	g->pat[g->n++] = c;
	return 0;
}

int
glob_init(struct glob *g, struct str reference, struct str pattern)
{
	size_t i;

	g->n = 0;
	for (i = 0; i < reference.n; i++) {
		if (add(g, reference.p[i]) == -1)
			return -1;
	}
	for (i = 0; i < pattern.n; i++) {
		if (add(g, pattern.p[i]) == -1)
			return -1;
	}
	return 0;
}

bool
glob_has_percent(const struct glob *g)
{
	return str_chr(str_of(g->pat, g->n), '%') != -1;
}

/*
 * at[j]: what has been read of the name can end just before pat[j].  A
 * wildcard may be empty, so at[j] on one gives at[j + 1].
 */
static void
close_over(const struct glob *g, bool *at)
{
	size_t j;

	for (j = 0; j < g->n; j++) {
		if (at[j] && is_wild(g->pat[j]))
			at[j + 1] = true;
	}
}

static void
advance(const struct glob *g, bool *at, char c, bool fold)
{
	size_t	j;
	char	p;
	bool	stay;

	/* Downwards, so that one array serves as old and new. */
	for (j = g->n + 1; j-- > 0;) {
		stay = j < g->n && at[j] && (g->pat[j] == '*' ||
		    (g->pat[j] == '%' && c != '/'));
		p = j > 0 ? g->pat[j - 1] : '\0';
		if (fold)
			p = ascii_lower(p);
		at[j] = stay || (j > 0 && at[j - 1] && !is_wild(p) && p == c);
	}
	close_over(g, at);
}

bool
glob_match(const struct glob *g, struct str name, bool fold)
{
	bool	at[GLOB_MAX + 1];
	size_t	i;
	char	c;

	memset(at, 0, g->n + 1);
	at[0] = true;
	close_over(g, at);
	for (i = 0; i < name.n; i++) {
		c = fold ? ascii_lower(name.p[i]) : name.p[i];
		advance(g, at, c, fold);
	}
	return at[g->n];
}
