/*
 * snapshot - what stands, written into the log, so that the history before
 * it is not needed any more.
 *
 * The records SNAPSHOT_BEGIN, SNAPSHOT_ROWS and SNAPSHOT_END, all under the
 * id of the first, with no other record in between.  The rows are those of
 * the index at that place of the log: folders, subscriptions, messages and
 * the queue ids that were delivered; never where bodies are.
 */
#ifndef MAILBOXD_SNAPSHOT_H
#define MAILBOXD_SNAPSHOT_H

#include "mailboxd/mbox.h"

/*
 * The index must be exactly at the end of the log, and all of that durable.
 * What is older than the delivery memory is left out and leaves the index.
 * RECLOG_FULL when it might not fit the disk; one that is not finished
 * counts as none.
 */
enum reclog_result snapshot_write(struct mbox *);

/* Its pieces, in order. */
struct snapshot {
	uint64_t	 id;
	struct recpos	*pieces;
	size_t		 n, cap;
};

/* Where they are; -1 if one is missing. */
int	snapshot_find(struct reclog *, const struct snap *, struct snapshot *);
void	snapshot_clear(struct snapshot *);

/* The rows of a piece; -1 when it is damaged or the function said so. */
typedef int snapshot_row_fn(void *arg, enum record_type, struct str meta);
int	snapshot_read(struct reclog *, const struct snapshot *, size_t piece,
	    snapshot_row_fn *, void *arg);

#endif
