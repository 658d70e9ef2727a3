/*
 * scan - finds the frames of one segment file, decides which count, and
 * walks their records.  Recovery, sealing and replay all read by it.
 *
 * First scan_frames hops from frame head to frame head; behind damage it
 * searches for the next head that bears the segment's key.  Then scan_settle
 * draws the line: what a later frame's word proves durable stays, damaged or
 * not; behind that only whole frames without a gap stay.  Writes nothing.
 */
#ifndef DISK_SCAN_H
#define DISK_SCAN_H

#include "common/core/str.h"
#include "common/disk/frame.h"
#include "common/disk/window.h"

/* A frame, or damage where frames were. */
struct span {
	uint64_t	offset;
	uint64_t	end;
	uint64_t	sequence;	/* of its last frame */
	uint64_t	epoch;
	uint64_t	missing;	/* frames without a head; 0: a frame */
	uint32_t	checksum;	/* of the head */
	uint32_t	records;
	uint32_t	body;
};

struct scan {
	struct window	 w;
	struct seg_head	 head;
	bool		 found;		/* head is known */
	bool		 stale;		/* another segment's bytes, or none */
	bool		 foreign;
	bool		 blind;		/* its first sequence is not known */
	struct span	*spans;
	size_t		 n, cap;
	uint64_t	 sequence;	/* of the last span */
	uint64_t	 epoch;		/* the highest */
	uint64_t	 proven;	/* all before it is durable */
	uint64_t	 end;		/* behind the last span */
	uint64_t	 footer;	/* offset of a footer's head, or 0 */
	uint64_t	 junk;		/* where what lies at end ends, or 0 */
	bool		 marked;	/* an end mark is at end */
	uint64_t	 damaged;	/* frames, found while walking */
	uint64_t	 lost;		/* records, found while walking */
};

/* What a walk meets; other than 0 ends it. */
struct visitor {
	int	(*frame)(void *, const struct span *);	/* may be NULL */
	int	(*record)(void *, const struct rec_head *, struct str meta,
		    uint64_t offset);
	void	*arg;
};

/* The segment `id` in fd, `size` bytes of it.  -1 with errno: cannot read. */
int	scan_open(struct scan *, int fd, uint64_t id, uint64_t size);
/* Uses this key where all heads are damaged (a footer told it). */
void	scan_key(struct scan *, uint64_t key);
int	scan_frames(struct scan *);
/* The last segment: cuts what cannot be proven. */
int	scan_settle(struct scan *);
/*
 * A segment with another behind it: all of it is proven.  `next` is the
 * sequence that the other begins with, or 0 when that is not known.
 */
void	scan_trust(struct scan *, uint64_t next);
/* Records of the frames above sequence `after`; -1 also when v said so. */
int	scan_walk(struct scan *, uint64_t after, const struct visitor *);
void	scan_close(struct scan *);

#endif
