/*
 * snaps - which whole snapshots a mailbox's log has, in its order, and which
 * of them history may begin with.  Pure.
 */
#ifndef MAILBOXD_SNAPS_H
#define MAILBOXD_SNAPS_H

#include "common/disk/reclog.h"
#include "mailboxd/record.h"

enum { SNAPS_SHARE = 7 };

struct snap {
	uint64_t	id;
	uint64_t	date;		/* wall clock in seconds */
	uint64_t	freed;		/* state's, at that time */
	struct recpos	at;		/* of its first record */
	uint64_t	end;		/* segment of its last */
	uint64_t	bytes;		/* of its pieces, as stored */
};

struct snaps {
	struct snap	*list;
	size_t		 n, cap;
	bool		 dirty;		/* the index has others */
	/* One whose end has not been seen. */
	struct snap	 open;
	uint32_t	 pieces;
	uint64_t	 rows;
	bool		 is_open;
};

void	snaps_clear(struct snaps *);
/*
 * Each record of the log, in its order: a snapshot counts when all its
 * records were there with nothing in between.
 */
void	snaps_record(struct snaps *, const struct record *,
	    const struct rec *, struct recpos);
/* Only what is newer than all; else it is ignored. */
void	snaps_add(struct snaps *, const struct snap *);
/* Those with this id, or with a part in this segment, are no more. */
void	snaps_drop(struct snaps *, uint64_t id);
void	snaps_retired(struct snaps *, uint64_t segment);

/* NULL when there is none; borrowed until the next change. */
const struct snap *snaps_last(const struct snaps *);
/*
 * The newest that was made before the last `window` seconds.  One whose date
 * is in the future is none; and none is older than what was made before it,
 * so that a clock that went back makes no snapshot look old.
 */
const struct snap *snaps_old(const struct snaps *, uint64_t now,
	    uint64_t window);
/*
 * The time that the snapshots vouch for: a clock that is far ahead for less
 * than a seventh of the window makes nothing older by more than that.  For it
 * counts only what was said so long ago, and so much more.  0: none does.
 */
uint64_t	snaps_time(const struct snaps *, uint64_t now,
		    uint64_t window);
/* As snaps_old at that time, of those with a newer one behind them. */
const struct snap *snaps_base(const struct snaps *, uint64_t now,
	    uint64_t window);

#endif
