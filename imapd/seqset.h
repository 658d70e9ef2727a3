/*
 * seqset - a set of message numbers or UIDs as sorted intervals, RFC 3501
 * section 9 (sequence-set).  Never expanded: 1:4294967295 is one interval.
 * Pure.
 */
#ifndef IMAPD_SEQSET_H
#define IMAPD_SEQSET_H

#include "common/core/buf.h"

enum {
	SEQSET_MAX = 32768,	/* intervals of a set; more is refused */
	SEQ_STAR = 0		/* "*", until seqset_resolve */
};

struct seqset_range {
	uint32_t	lo, hi;
};

struct seqset {
	struct seqset_range	*r;
	size_t			 n, cap;
};

void	seqset_clear(struct seqset *);		/* frees; empty again */

/*
 * The text of a set, whole: numbers from 1 to 4294967295 and "*".  0, or -1
 * when it is anything else.  The result must be resolved before it is asked.
 */
int	seqset_parse(struct seqset *, struct str);
/*
 * "*" becomes `star`, the greatest number there is; 0 says that there is
 * none, and a range with "*" is then empty.  Sorts and merges.
 */
void	seqset_resolve(struct seqset *, uint32_t star);

bool	seqset_has(const struct seqset *, uint32_t);
/* The least member not below `from`. */
bool	seqset_next(const struct seqset *, uint32_t from, uint32_t *);
uint32_t seqset_max(const struct seqset *);	/* 0 when empty */

/* For sets that we make: v is greater than every member. */
void	seqset_push(struct seqset *, uint32_t v);
void	seqset_format(const struct seqset *, struct buf *);

#endif
