/*
 * scrub - looks through the queue's log for damage: when an operator asks,
 * as fast as turns allow, and by itself every queue.scrub, gently.
 *
 * Damage is logged, remembered for whoever asked, and left as it is.
 */
#ifndef QUEUED_SCRUB_H
#define QUEUED_SCRUB_H

#include <sys/queue.h>

#include "common/disk/scrub.h"
#include "common/ipc/ctl.h"

enum {
	QUEUE_SCRUB_STEP = 1024 * 1024,		/* bytes of a turn, asked */
	QUEUE_SCRUB_PIECE = 512 * 1024,		/* and by itself, */
	QUEUE_SCRUB_PACE = 125,			/* each so many ms */
	QUEUE_SCRUB_FIRST = 24 * 3600 * 1000,	/* ms after the start */
	QUEUE_SCRUB_CALLS = 16			/* operators who wait */
};

struct queued;

/* An operator who waits for news of a run. */
struct scrub_call {
	LIST_ENTRY(scrub_call)	 next;
	struct ctl_call		 call;
	size_t			 told;		/* damages, so far */
};

struct queue_scrub {
	struct scrub		*s;		/* NULL: none is under way */
	bool			 is_asked;
	uint64_t		 run;		/* number of the last one */
	int64_t			 began, due;	/* clock_now() */
	struct scrub_counts	 counts;	/* of the last that ended */
	struct scrub_damage	*found;
	size_t			 nfound;
	LIST_HEAD(, scrub_call)	 calls;
	size_t			 ncalls;
	struct loop_timer	*pace;
};

/* After loop_init. */
void	queue_scrub_start(struct queued *);
void	queue_scrub_clear(struct queued *);
/* For the hook of a turn, and each second. */
void	queue_scrub_turn(struct queued *);
void	queue_scrub_tick(struct queued *);

/* `mailctl queue scrub`; the channel of one that waits has gone. */
void	queue_scrub_call(struct ctl_call *, void *queued);
void	queue_scrub_forget(struct queued *, const struct chan *);

#endif
