/*
 * match - see match.h.  Pure.
 */
#include "imapd/match.h"

#include <stdlib.h>

#include "common/core/xalloc.h"

void
match_init(struct match *m, struct str s)
{
	size_t i, k = 0;

	*m = (struct match){ .n = s.n };
	m->pat = xcalloc(s.n + 1, 1);
	m->fail = xcalloc(s.n + 1, sizeof(*m->fail));
	for (i = 0; i < s.n; i++)
		m->pat[i] = ascii_lower(s.p[i]);
	for (i = 1; i < s.n; i++) {
		while (k > 0 && m->pat[i] != m->pat[k])
			k = m->fail[k - 1];
		if (m->pat[i] == m->pat[k])
			k++;
		m->fail[i] = (uint32_t)k;
	}
	match_reset(m);
}

void
match_clear(struct match *m)
{
	free(m->pat);
	free(m->fail);
	*m = (struct match){ 0 };
}

void
match_reset(struct match *m)
{
	m->at = 0;
	m->found = m->n == 0;
}

void
match_feed(struct match *m, struct str s)
{
	size_t	i, at = m->at;
	char	c;

	if (m->found)
		return;
	for (i = 0; i < s.n; i++) {
		c = ascii_lower(s.p[i]);
		while (at > 0 && c != m->pat[at])
			at = m->fail[at - 1];
		if (c == m->pat[at] && ++at == m->n) {
			m->found = true;
			return;
		}
	}
	m->at = at;
}
