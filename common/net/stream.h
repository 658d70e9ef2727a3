/*
 * stream - a buffered byte stream over a connected socket, in the shape that
 * TLS needs: the owner asks for reading and for writing, and the stream alone
 * decides what the descriptor must be watched for.
 *
 * Events come from the loop.  A stream is never freed inside its own
 * callback: stream_close marks it, the loop reaps it at the end of the turn.
 * Output leaves at the end of the turn or when 64 KiB have gathered.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "common/core/buf.h"

enum {
	STREAM_IN_MAX = 64 * 1024,	/* bytes read and not yet taken */
	STREAM_OUT_MAX = 16 * 1024 * 1024,
	STREAM_OUT_SOFT = 64 * 1024	/* unsent bytes: stop producing */
};

enum stream_event {
	STREAM_DATA,		/* there is something in stream_in */
	STREAM_ROOM,		/* unsent output fell below the soft limit */
	STREAM_EOF,		/* the peer will send no more */
	STREAM_FAILED		/* reset, or output over its maximum */
};

struct stream;
typedef void stream_fn(struct stream *, enum stream_event, void *arg);

/* Once per process, after loop_init and after hooks that produce output. */
void		 stream_init(void);
/* Takes the descriptor over; it must be non-blocking. */
struct stream	*stream_new(int fd, stream_fn *fn, void *arg);
/*
 * At the end of the turn.  `flush` sends what is left first, 10 s at most,
 * then, over TCP, waits a second for the peer to close too, so that unread
 * input does not turn the last reply into a reset.  What is held is not sent:
 * such a stream stays until its owner releases it with stream_hold.
 */
void		 stream_close(struct stream *, bool flush);

/* What has been read.  The owner drops what it took (buf_drop). */
struct buf	*stream_in(struct stream *);
void		 stream_pause(struct stream *, bool);	/* stop reading */
void		 stream_write(struct stream *, struct str);
size_t		 stream_unsent(const struct stream *);
/* Output is kept back until released: nothing leaves before durability. */
void		 stream_hold(struct stream *, bool);
int		 stream_fd(const struct stream *);

#endif
