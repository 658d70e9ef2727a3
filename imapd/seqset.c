/*
 * seqset - see seqset.h.  Pure.
 */
#include "imapd/seqset.h"

#include <stdlib.h>

#include "common/core/xalloc.h"

void
seqset_clear(struct seqset *set)
{
	free(set->r);
	*set = (struct seqset){ 0 };
}

static void
add(struct seqset *set, uint32_t lo, uint32_t hi)
{
	if (set->n == set->cap) {
		set->cap = set->cap == 0 ? 4 : set->cap * 2;
		set->r = xrealloc(set->r, set->cap, sizeof(*set->r));
	}
	set->r[set->n++] = (struct seqset_range){ lo, hi };
}

static int
parse_one(struct str s, uint32_t *v)
{
	uint64_t n;

	if (str_eq(s, S("*"))) {
		*v = SEQ_STAR;
		return 0;
	}
	/* nz-number: no leading zero. */
	if (s.n == 0 || s.p[0] == '0' || str_u64(s, UINT32_MAX, &n) == -1)
		return -1;
	*v = (uint32_t)n;
	return 0;
}

int
seqset_parse(struct seqset *set, struct str s)
{
	struct str	piece;
	uint32_t	lo, hi;
	ptrdiff_t	colon;

	*set = (struct seqset){ 0 };
	while (str_cut(&s, ',', &piece)) {
		colon = str_chr(piece, ':');
		if (colon == -1)
			colon = (ptrdiff_t)piece.n;
		if (parse_one(str_sub(piece, 0, (size_t)colon), &lo) == -1)
			goto bad;
		hi = lo;
		if ((size_t)colon < piece.n && parse_one(
		    str_from(piece, (size_t)colon + 1), &hi) == -1)
			goto bad;
		if (set->n == SEQSET_MAX)
			goto bad;
		add(set, lo, hi);
	}
	if (set->n > 0)
		return 0;
bad:
	seqset_clear(set);
	return -1;
}

static int
by_lo(const void *a, const void *b)
{
	const struct seqset_range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

void
seqset_resolve(struct seqset *set, uint32_t star)
{
	struct seqset_range	x;
	size_t			i, n = 0;

	for (i = 0; i < set->n; i++) {
		x = set->r[i];
		if ((x.lo == SEQ_STAR || x.hi == SEQ_STAR) && star == 0)
			continue;
		if (x.lo == SEQ_STAR)
			x.lo = star;
		if (x.hi == SEQ_STAR)
			x.hi = star;
		if (x.lo > x.hi)
			x = (struct seqset_range){ x.hi, x.lo };
		set->r[n++] = x;
	}
	set->n = n;
	if (n == 0)
		return;
	qsort(set->r, set->n, sizeof(*set->r), by_lo);
	for (i = 1, n = 0; i < set->n; i++) {
		x = set->r[i];
		if (x.lo <= set->r[n].hi || x.lo - 1 == set->r[n].hi) {
			if (x.hi > set->r[n].hi)
				set->r[n].hi = x.hi;
		} else {
			set->r[++n] = x;
		}
	}
	set->n = n + 1;
}

bool
seqset_next(const struct seqset *set, uint32_t from, uint32_t *v)
{
	size_t lo = 0, hi = set->n, mid;

	/* The first interval that does not end before `from`. */
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (set->r[mid].hi < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == set->n)
		return false;
	*v = set->r[lo].lo > from ? set->r[lo].lo : from;
	return true;
}

bool
seqset_has(const struct seqset *set, uint32_t v)
{
	uint32_t at;

	return seqset_next(set, v, &at) && at == v;
}

uint32_t
seqset_max(const struct seqset *set)
{
	return set->n == 0 ? 0 : set->r[set->n - 1].hi;
}

void
seqset_push(struct seqset *set, uint32_t v)
{
	if (set->n > 0 && set->r[set->n - 1].hi + 1 == v)
		set->r[set->n - 1].hi = v;
	else
		add(set, v, v);
}

void
seqset_format(const struct seqset *set, struct buf *out)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (i > 0)
			buf_addc(out, ',');
		buf_addu(out, set->r[i].lo);
		if (set->r[i].hi == set->r[i].lo)
			continue;
		buf_addc(out, ':');
		buf_addu(out, set->r[i].hi);
	}
}
