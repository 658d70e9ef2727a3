/*
 * queued - the parts of the daemon and what they share.
 *
 * A turn drains every channel that has something to read; its hook then puts
 * everything into the log with one commit, and only then do answers and jobs
 * leave, in the hook of the channels that comes after.
 */
#ifndef QUEUED_QUEUED_H
#define QUEUED_QUEUED_H

#include "common/core/loop.h"
#include "common/disk/bulk.h"
#include "common/ipc/chan.h"
#include "common/ipc/ticket.h"
#include "queued/intake.h"
#include "queued/journal.h"
#include "queued/lease.h"
#include "queued/queue.h"
#include "queued/reclaim.h"
#include "queued/sched.h"
#include "queued/scrub.h"
#include "queued/space.h"
#include "queued/work.h"

enum {
	QUEUED_BY_VALUE = 200 * 1024,	/* bytes; larger ones are files */
	QUEUED_TURN_MESSAGES = 256,	/* taken in one turn */
	QUEUED_TURN_BYTES = 8 * 1024 * 1024,
	QUEUED_TICK = 1000,		/* ms between looks at slow things */
	QUEUED_GRACE = 2000,		/* ms for leases after a restart */
	QUEUED_LEASE = 600 * 1000,	/* ms for a job */
	QUEUED_ORPHAN = 5000,		/* ms for a worker to come back */
	QUEUED_PATIENCE = 2		/* ms; see queued_conf */
};

struct queued_conf {
	uint64_t		 segment;	/* bytes */
	unsigned		 recycle;
	uint64_t		 epoch;
	struct space_conf	 space;
	struct sched_conf	 retry;
	struct intake_conf	 intake;
	uint32_t		 targets_max, depth_max;
	int64_t			 life;		/* ms */
	int64_t			 patience;	/* ms that results may wait */
	int64_t			 scrub;		/* ms; 0: never */
};

struct queued {
	struct queued_conf	 conf;
	int			 dir, log_dir, lock;
	uint8_t			 key[LEASE_KEY];
	struct queue		 queue;
	struct reclog		*log;
	struct journal		 journal;
	struct sched		*route, *local;
	struct leases		*leases;
	struct bodyfiles	 files;
	struct bulk		*bulk;
	struct intake		 intake;
	struct work		 work;
	struct reclaim		 reclaim;
	struct queue_scrub	 scrub;
	struct ticket_keys	 keys;
	enum queue_state	 state;
	struct loop_timer	*timer, *tick, *patience;
	uint64_t		 retry_at;	/* cursor of retry --all */
	bool			 is_retrying;
	bool			 is_impatient;	/* results waited enough */
	struct buf		 scratch;	/* metadata in the making */
};

/* From the settings. */
void	queued_conf(struct queued_conf *);
/*
 * Takes the lock, replays the log and forks the helper; the caller then locks
 * the process down.  Fatal on what makes no sense.
 */
void	queued_open(struct queued *, const struct queued_conf *, int dir,
	    bool lock_helper);
/* After loop_init: hooks and timers.  chan_init comes after this. */
void	queued_start(struct queued *);
void	queued_close(struct queued *);

/*
 * Changes state and journal together, for a target that is in no schedule.
 * The message may be gone after it: its last target was this one.
 */
void	queued_result(struct queued *, struct target *,
	    const struct record_result *, const struct journal_entry *answer);
/* Nothing of the message is wanted any more; it is freed. */
void	queued_finish(struct queued *, struct message *, enum finish_why);
/* The content's file, which no record of the log names any more. */
void	queued_remove_file(struct queued *, uint64_t qid);
/* Another block of queue ids; reserves more as needed. */
uint64_t queued_qids(struct queued *, uint32_t count);
/* Writes the reservation again, into the segment of today. */
void	queued_reserve(struct queued *);
/* Looks at the disk; tells the fronts when the answer has changed. */
void	queued_look(struct queued *);

#endif
