/*
 * qids - see qids.h.  Pure.
 */
#include "queued/qids.h"

#include <assert.h>

bool
qids_is_full(const struct qids *q)
{
	return q->n == QIDS_BLOCKS_MAX;
}

void
qids_add(struct qids *q, uint64_t first, uint32_t count)
{
	assert(!qids_is_full(q) && count > 0 && count <= QIDS_BLOCK);
	q->blocks[q->n++] = (struct qids_block){ .first = first,
	    .count = count };
}

int
qids_use(struct qids *q, uint64_t qid)
{
	struct qids_block	*b = q->blocks;
	uint64_t		 n, bit;

	while (b < q->blocks + q->n &&
	    (qid < b->first || qid - b->first >= b->count))
		b++;
	if (b == q->blocks + q->n)
		return -1;
	n = qid - b->first;
	bit = (uint64_t)1 << n % 64;
	if ((b->map[n / 64] & bit) != 0)
		return -1;
	b->map[n / 64] |= bit;
	if (++b->used == b->count)
		*b = q->blocks[--q->n];
	return 0;
}
