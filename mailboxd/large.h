/*
 * large - bodies of a mailbox that are files of their own: made durable
 * before a frame names them, and checked when they are first read.
 *
 * With a helper process (bulk.h) the frame waits while the loop goes on.
 * Without one, as in tests, the process waits for the disk itself.
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
	unsigned	 waiting;	/* of the frame, not durable yet */
	bool		 failed;	/* one of them never will be */
};

/* files.dir is set later, by the caller. */
void	large_init(struct large *, struct bulk *);
void	large_clear(struct large *);

/*
 * The file of a body is to be named by the frame that is being gathered,
 * which may not be committed while anything is waiting.  0, or -1 with errno.
 */
int	large_hold(struct large *, const struct intake *);

/* As bodyfile_read; EBADMSG when the file is not what the record says. */
int	large_read(struct large *, const struct state_body *, uint64_t from,
	    size_t n, struct buf *out);

#endif
