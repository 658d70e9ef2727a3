/*
 * large - bodies of a mailbox that are files of their own: who makes them
 * durable, before a frame names them, and that they are checked when they are
 * first read.
 *
 * With a helper process (bulk.h) a message waits for its file while the
 * mailbox goes on.  Without one, as in tests, the process waits for the disk
 * itself.
 */
#ifndef MAILBOXD_LARGE_H
#define MAILBOXD_LARGE_H

#include "common/core/map.h"
#include "common/disk/bulk.h"
#include "mailboxd/intake.h"

struct state_body;

#define BODY_PREFIX	"body-"		/* of their names, in log/ */

struct large {
	struct bodyfiles files;
	struct bulk	*bulk;		/* borrowed; NULL: none */
	struct map	 checked;	/* files whose hash was right */
};

/* files.dir is set later, by the caller. */
void	large_init(struct large *, struct bulk *);
void	large_clear(struct large *);

/* As bodyfile_read; EBADMSG when the file is not what the record says. */
int	large_read(struct large *, const struct state_body *, uint64_t from,
	    size_t n, struct buf *out);

#endif
