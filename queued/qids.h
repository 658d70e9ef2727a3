/*
 * qids - the queue ids that were leased to one channel: each may be used
 * once, in any order, by that channel only.  Pure.
 */
#ifndef QUEUED_QIDS_H
#define QUEUED_QIDS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	QIDS_BLOCK = 1024,		/* ids in a block, at most */
	QIDS_BLOCKS_MAX = 16		/* with unused ids in them */
};

struct qids_block {
	uint64_t	first;
	uint32_t	count, used;
	uint64_t	map[QIDS_BLOCK / 64];
};

/* Zero is the empty set. */
struct qids {
	struct qids_block	blocks[QIDS_BLOCKS_MAX];
	unsigned		n;
};

bool	qids_is_full(const struct qids *);
/* Must not be full (assert). */
void	qids_add(struct qids *, uint64_t first, uint32_t count);
/* Uses it up; -1 when it is not there or was used before. */
int	qids_use(struct qids *, uint64_t qid);

#endif
