/*
 * queue_rig - a queued in the test's own process, on a directory of its own,
 * with fronts and workers at the other ends of socket pairs.  The clock
 * stands still unless the test moves it; no time is slept away.
 */
#ifndef TESTS_QUEUE_RIG_H
#define TESTS_QUEUE_RIG_H

#include "queued/queued.h"

enum { RIG_SEEN = 4096 };

struct rig {
	struct queued		 q;
	struct queued_conf	 conf;
	char			 path[64];
	int			 dir;
};

/* A directory, and defaults that a test may change before rig_start. */
void	rig_init(struct rig *);
void	rig_start(struct rig *);
/* As a kill would: what is not committed is lost.  rig_start goes on. */
void	rig_kill(struct rig *);
/* Turns of the loop until nothing moves (`n` at most). */
void	rig_turns(int n);
/* Both clocks go on. */
void	rig_pass(struct rig *, int64_t ms);
void	rig_end(struct rig *);		/* kills, removes the directory */

/* A front: smtpd's end of a channel to queued. */
struct front {
	struct chan	*chan;
	uint64_t	 first[64];	/* blocks of queue ids */
	uint32_t	 count[64];
	unsigned	 nblocks;
	uint64_t	 seen[RIG_SEEN];	/* answered, in order */
	uint8_t		 verdict[RIG_SEEN];
	unsigned	 nseen;
	int		 state;		/* QUEUE_STATE; -1: none yet */
	bool		 is_down;
};

void	 front_open(struct front *, struct rig *);
void	 front_close(struct front *);
uint64_t front_qid(struct front *);	/* the next one; 0: none left */
/* rcpts are separated by blanks. */
void	 front_submit(struct front *, uint64_t qid, const char *sender,
	    const char *rcpts, struct str body);
/* The verdict, or -1 while there is none. */
int	 front_verdict(const struct front *, uint64_t qid);

/* A worker's end: what arrived is handed to the test's function. */
struct hand;
typedef int hand_fn(struct hand *, const struct msg *, int fd);
struct hand {
	struct chan	*chan;
	enum role	 role;
	hand_fn		*fn;
	void		*arg;
	bool		 is_down;
};

void	hand_open(struct hand *, struct rig *, enum role, hand_fn *, void *);
void	hand_close(struct hand *);

#endif
