/*
 * intake - submissions from smtpd: assembled here, handed to the journal
 * whole, answered when durable.
 *
 * A content of up to 200 KiB waits in memory; a larger one, or any that would
 * break the memory budget, goes to a file of its own while it arrives.  A
 * queue id belongs to the channel that it was leased to, and to one message.
 */
#ifndef QUEUED_INTAKE_H
#define QUEUED_INTAKE_H

#include <sys/queue.h>

#include "common/core/map.h"
#include "common/ipc/chan.h"
#include "queued/qids.h"

enum { INTAKE_OPEN_MAX = 4096 };	/* messages under way on a channel */

struct intake_conf {
	size_t		by_value;	/* bytes of a content in memory */
	size_t		channel_memory, total_memory;
	uint64_t	size_max;
	uint32_t	rcpt_max;
	size_t		turn_messages, turn_bytes;
};

struct incoming;
struct peer;

struct intake {
	struct map		 incoming;	/* by qid */
	LIST_HEAD(, peer)	 peers;
	TAILQ_HEAD(, incoming)	 ready;		/* whole, for the journal */
	size_t			 memory;	/* bytes held */
	uint64_t		 accepted;	/* so far */
	int64_t			 accepted_at;	/* the last one */
};

struct queued;

void	intake_init(struct intake *);
void	intake_clear(struct queued *);
/* For chan_listen and chan_new: the channel is smtpd's. */
const struct chan_ops *intake_ops(void);
int	intake_accept(struct chan *, void *queued);
/* Whole submissions go to the journal, up to the caps of a turn. */
void	intake_collect(struct queued *);
/* Says whether mail is taken to every channel. */
void	intake_push_state(struct queued *);

#endif
