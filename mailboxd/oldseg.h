/*
 * oldseg - what becomes of one old segment: it stays, or it goes, and the
 * few live bodies in it are written again first.  See compact.h.
 */
#ifndef MAILBOXD_OLDSEG_H
#define MAILBOXD_OLDSEG_H

#include "mailboxd/mbox.h"

/* Ids of MESSAGE records that have bodies. */
struct sources {
	uint64_t	*list;
	size_t		 n, cap;
};

void	sources_clear(struct sources *);
void	sources_add(struct sources *, uint64_t);
/* And without doubles; then sources_has may be asked. */
void	sources_sort(struct sources *);
bool	sources_has(const struct sources *, uint64_t);

/* A live body in the segment. */
struct oldseg_body {
	uint64_t	source;
	struct recpos	pos;
};

struct oldseg {
	uint64_t	 segment;	/* 0: none is at work */
	uint64_t	 bytes;		/* of its records */
	uint64_t	 live_bytes;
	uint64_t	 moved_bytes;	/* as stored again */
	struct oldseg_body *bodies;
	size_t		 n, cap;
	size_t		 moved;		/* of these */
	struct sources	 dead;		/* of records in it */
	struct sources	 dead_files;	/* those of them that have one */
	bool		 keep;
	/* While it is looked at. */
	struct mbox	*m;
	const struct sources *live;
};

void	oldseg_clear(struct oldseg *);
/* Looks at the segment; `live` is borrowed for the call.  -1: unreadable. */
int	oldseg_begin(struct oldseg *, struct mbox *, uint64_t segment,
	    const struct sources *live);
/* One step; its `segment` is 0 after the last. */
enum reclog_result oldseg_step(struct oldseg *, struct mbox *);

#endif
