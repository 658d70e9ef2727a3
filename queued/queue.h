/*
 * queue - what is in the queue: the replay of its log, in memory.
 *
 * A message costs about 200 bytes with one target.  Contents, senders and
 * the like stay on the disk.  This module changes memory only; whoever calls
 * it has put the same change into the log, or is replaying it.
 *
 * Queue time is the measure of ages and waits: ms that pass while queued
 * runs, and while it was down as far as the wall clock can be believed.  So
 * a clock that jumps makes nothing old and nothing due.
 */
#ifndef QUEUED_QUEUE_H
#define QUEUED_QUEUE_H

#include <sys/queue.h>

#include "common/core/order.h"
#include "common/disk/reclog.h"
#include "queued/record.h"
#include "queued/sched.h"

enum {
	QUEUE_DOWN_MAX = 24 * 3600 * 1000,	/* ms down that are believed */
	QUEUE_QIDS = 4096			/* reserved at a time */
};

/* Why something failed; shared by all targets that failed so. */
struct reason {
	struct map_node	 node;		/* by hash of the text */
	uint32_t	 refs;
	bool		 is_shared;
	char		 text[];
};

struct target {
	struct sched_item	 item;		/* first */
	struct message		*msg;
	struct reason		*error;		/* NULL: none yet */
	uint64_t		 mailbox;
	uint32_t		 tenant, shard;
	uint32_t		 no;
	uint16_t		 attempts;	/* that ended */
	uint8_t			 state;		/* enum target_state */
	uint8_t			 depth : 7;
	bool			 routed : 1;
	char			 address[];
};

/* Of a content that is a file. */
enum content_state {
	CONTENT_UNCHECKED,	/* not by this process */
	CONTENT_CHECKING,
	CONTENT_SOUND
};

struct message {
	struct order_node node;		/* by qid */
	struct recpos	 pos;
	int64_t		 born;		/* queue time */
	union {
		struct target	 *one;		/* cap == 0 */
		struct target	**many;
	} t;
	uint32_t	 n, cap;	/* targets 0 to n - 1 */
	uint32_t	 open;		/* not over */
	uint32_t	 size;
	uint32_t	 tenant;	/* of who submitted it */
	uint8_t		 flags;		/* RECORD_FILE ... */
	uint8_t		 content;	/* enum content_state */
};

struct segment {
	TAILQ_ENTRY(segment)	 next;		/* ascending */
	uint64_t		 id;
	uint64_t		 messages;	/* live ones in it */
	uint64_t		 bytes;		/* of those */
};

struct queue {
	struct map		 messages, reasons;
	struct order		 in_order;	/* messages */
	TAILQ_HEAD(segments, segment) segments;
	size_t			 nsegments;
	uint64_t		 bytes;		/* of all contents */
	uint64_t		 log_bytes;	/* of those in segments */
	uint64_t		 held;		/* targets */
	uint64_t		 qid_next;	/* given out up to here */
	uint64_t		 qid_end;	/* reserved up to here */
	uint64_t		 qid_segment;	/* where the reservation is */
	struct record_time	 last;		/* the newest in the log */
	int64_t			 base_queue, base_now;
};

void		 queue_init(struct queue *);
void		 queue_clear(struct queue *);

/* For reclog_open; arg is the queue.  Other than 0: not a record of ours. */
int		 queue_replay(void *arg, const struct rec *, struct recpos);
/*
 * After the replay: queue time goes on from here.  True when the time that
 * queued was down could not be believed.
 */
bool		 queue_start(struct queue *);
int64_t		 queue_now(const struct queue *);
struct record_time queue_time(const struct queue *);

struct message	*queue_find(const struct queue *, uint64_t qid);
struct target	*queue_target(const struct message *, uint32_t no);
static inline uint64_t
message_qid(const struct message *m)
{
	return m->node.map.key;
}

/* Takes the place of one with the same qid.  Returns the message. */
struct message	*queue_add(struct queue *, uint64_t qid, struct recpos,
		    const struct record_message *);
/* A new target must have the next number; else -1. */
int		 queue_set(struct queue *, struct message *,
		    const struct record_target *);
/* An unknown number is refused. */
int		 queue_result(struct queue *, struct message *,
		    const struct record_result *);
void		 queue_finish(struct queue *, struct message *);
/* The message's record is now there. */
void		 queue_moved(struct queue *, struct message *,
		    struct recpos);
/* The segment is gone; it held nothing live (assert). */
void		 queue_retired(struct queue *, struct segment *);

/* All of a target, for the log. */
struct record_target queue_record(const struct target *);
/* True if another target of the message has this mailbox. */
bool		 queue_has_mailbox(const struct message *,
		    const struct target *but, uint64_t mailbox);
const char	*target_error(const struct target *);	/* "" if none */

#endif
