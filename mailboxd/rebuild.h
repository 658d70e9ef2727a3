/*
 * rebuild - the state of a mailbox from its log alone.
 *
 * From the newest snapshot that can be read whole: of the records before it
 * only where bodies are, then its rows, then all behind it.  Without any,
 * every record counts.  The state is lenient meanwhile: what damage left is
 * kept.
 */
#ifndef MAILBOXD_REBUILD_H
#define MAILBOXD_REBUILD_H

#include "mailboxd/mbox.h"

struct rebuild {
	struct mbox		*m;
	struct mbox_report	*report;
	struct snaps		 snaps;		/* those that the log has */
	size_t			 n;		/* the last is tried */
	struct snapshot		*snapshot;	/* with its pieces */
	bool			 is_bad;	/* it cannot be read */
	bool			 index_failed;
};

enum rebuild_result {
	REBUILD_OK,
	REBUILD_AGAIN,		/* the snapshot was bad: begin anew */
	REBUILD_NO_INDEX,
	REBUILD_NO_LOG		/* see errno */
};

/* Finds the snapshots.  0, or -1 with errno. */
int	rebuild_init(struct rebuild *, struct mbox *, struct mbox_report *);
void	rebuild_clear(struct rebuild *);
/* Into an empty state and index. */
enum rebuild_result rebuild_run(struct rebuild *);

/* One record behind all that state and index have; 0 or -1. */
int	rebuild_apply(struct rebuild *, const struct rec *, struct recpos);

#endif
