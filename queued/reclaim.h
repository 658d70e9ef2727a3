/*
 * reclaim - gives the log's oldest segments back.
 *
 * Segments are retired strictly from the oldest on: a tombstone refers to its
 * own segment or to an older one, so it never outlives what it buries.  When
 * a few old messages keep much of the log alive they are copied to its end,
 * state included.  Contents that are files of their own are not rewritten.
 */
#ifndef QUEUED_RECLAIM_H
#define QUEUED_RECLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queued;

struct reclaim {
	uint64_t	*qids;		/* of the segment being emptied */
	size_t		 n, at, cap;
	uint64_t	 segment, refused;	/* could not be emptied */
	uint64_t	 retired, copied;	/* so far */
};

/* After a commit, with nothing left in the journal. */
void	reclaim_turn(struct queued *);
void	reclaim_clear(struct reclaim *);

#endif
