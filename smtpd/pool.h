/*
 * pool - smtpd's channels to queued (setting smtp.queue_channels), the queue
 * ids leased on each, and the messages under way on each.
 *
 * Several channels, because a socket's buffer holds only a few messages: so
 * the turn of queued finds more of them waiting, and one sync serves more.
 */
#ifndef SMTPD_POOL_H
#define SMTPD_POOL_H

#include "common/core/map.h"
#include "common/ipc/msg.h"

struct session;

/* A message on its way to queued. */
struct submission {
	struct map_node	 node;		/* key: the qid */
	struct session	*session;	/* NULL: nobody waits any more */
	unsigned	 link;
};

/* Once, after loop_init; the links connect by themselves. */
void	pool_init(unsigned channels);

/* False while no channel is up, or none has a queue id to give. */
bool	pool_is_ready(void);
/* False when mail is to be answered 452: disk reserve, queue full. */
bool	pool_is_open(void);

/*
 * Takes a queue id and a channel for a message of this session; NULL when
 * pool_is_ready is not.  Its end is session_submitted, also when the channel
 * goes down (SUBMIT_TEMP).
 */
struct submission *pool_begin(struct session *);
void	pool_send(const struct submission *, const struct msg *);
/* Its channel holds much that queued has not read: send no more now. */
bool	pool_is_full(const struct submission *);
/* Nobody waits for the answer; tells queued to forget what came. */
void	pool_abort(struct submission *);
/* All was sent; but nobody waits for the answer any more. */
void	pool_abandon(struct submission *);

#endif
