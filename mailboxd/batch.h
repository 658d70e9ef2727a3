/*
 * batch - records that maintenance adds to the log by itself.
 *
 * The state changes only when they are in the log, so that a disk that is
 * full undoes nothing: the batch is forgotten and the mailbox goes on.
 * mbox_add, for what somebody waits for, does it the other way round.
 */
#ifndef MAILBOXD_BATCH_H
#define MAILBOXD_BATCH_H

#include "mailboxd/mbox.h"

struct batch_record {
	struct rec	 rec;
	size_t		 at;		/* of its metadata in `metas` */
	struct buf	 payload;
	struct recpos	 pos;
};

struct batch {
	struct mbox		*m;
	struct buf		 metas;
	struct batch_record	*list;
	size_t			 n, cap;
	uint64_t		 bytes;		/* of payload */
};

/* Nothing may be pending in the log from here to the commit. */
void	batch_init(struct batch *, struct mbox *);
void	batch_clear(struct batch *);
/* Takes the payload over. */
void	batch_add(struct batch *, const struct record *, uint64_t id,
	    struct buf *payload);
/* Empty after it.  After RECLOG_DEAD the mailbox is. */
enum reclog_result batch_commit(struct batch *, bool sync);

#endif
