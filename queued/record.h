/*
 * record - the records of the queue's log, as values: made and read here and
 * nowhere else.  postern-queue(5) describes the bytes.
 *
 *	MESSAGE		id qid; metadata below; payload: the content, unless
 *			it is a file of its own
 *	TARGETS		id qid; more targets of the MESSAGE in the same frame
 *	ROUTE		id qid; what targets became, and new targets
 *	RESULT		id qid; what came of an attempt, one target
 *	FINISHED	id qid; nothing of the message is wanted any more
 *	QIDS		id 0; queue ids below `next` may have been given out
 *
 * A target record says all about a target; the last one of that number is
 * what holds.  Times are queue time (see queue.h), each with the wall clock
 * beside it.
 *
 * Pure.  A decoder answers 0 or -1 and borrows from its input.
 */
#ifndef QUEUED_RECORD_H
#define QUEUED_RECORD_H

#include "common/core/buf.h"
#include "common/core/pack.h"

enum record_type {
	REC_MESSAGE = 1,
	REC_TARGETS = 2,
	REC_ROUTE = 3,
	REC_RESULT = 4,
	REC_FINISHED = 5,
	REC_QIDS = 6
};

enum {
	RECORD_VERSION = 1,
	RECORD_HASH = 32,		/* BLAKE2b-256 of the content */
	RECORD_ADDRESS_MAX = 320,
	RECORD_ERROR_MAX = 512,
	RECORD_TARGETS_BYTES = 256 * 1024,	/* of one record, about */
	RECORD_DEPTH_MAX = 100,
	RECORD_TARGETS_MAX = 1100000	/* highest number of a target */
};

/* Flags of a message. */
enum {
	RECORD_EIGHTBIT = 1,
	RECORD_FILE = 2			/* the content is a file of its own */
};

/* In the order of a target's life; held is left only by an operator. */
enum target_state {
	TARGET_ROUTE,		/* to be routed */
	TARGET_LOCAL,		/* to be put into its mailbox */
	TARGET_HELD,		/* failed for good; waits for an operator */
	TARGET_DONE,		/* delivered */
	TARGET_EXPANDED,	/* an alias; further targets took its place */
	TARGET_SAME		/* another target has the same mailbox */
};

struct record_time {
	int64_t	queue;		/* ms */
	int64_t	wall;		/* ms since 1970 UTC */
};

struct record_target {
	uint32_t		no;
	enum target_state	state;
	uint8_t			depth;		/* of alias expansion */
	bool			routed;		/* mailbox and so on are set */
	uint16_t		attempts;	/* that ended */
	uint64_t		mailbox;
	uint32_t		tenant, shard;
	int64_t			due;		/* queue time; 0: at once */
	uint32_t		delay;		/* seconds, the last one */
	struct str		address, error;
};

struct record_message {
	struct record_time	time;		/* of this record */
	int64_t			born;		/* queue time it was taken */
	int64_t			received;	/* wall ms */
	uint64_t		sid;
	uint64_t		account;	/* submitted it; 0: a relay */
	uint32_t		tenant;		/* of the account */
	uint8_t			flags;
	uint64_t		size;
	uint8_t			hash[RECORD_HASH];	/* RECORD_FILE */
	struct str		sender;
};

struct record_result {
	struct record_time	time;
	uint32_t		no;
	enum target_state	state;
	uint16_t		attempts;
	int64_t			due;
	uint32_t		delay;
	struct str		error;
};

enum finish_why {
	FINISH_DONE,
	FINISH_REMOVED		/* by an operator */
};

/* Targets in encoded form; read them with record_next. */
struct record_targets {
	struct str	raw;
	uint32_t	n;
};

bool	record_is_over(enum target_state);	/* DONE, EXPANDED, SAME */

void	record_add_target(struct buf *, uint32_t *n,
	    const struct record_target *);
/* Takes the next off; false at the end.  The list was checked before. */
bool	record_next(struct record_targets *, struct record_target *);

void	record_message(struct buf *, const struct record_message *,
	    struct record_targets);
int	record_message_parse(struct str, struct record_message *,
	    struct record_targets *);
/* TARGETS and ROUTE. */
void	record_route(struct buf *, struct record_time, struct record_targets);
int	record_route_parse(struct str, struct record_time *,
	    struct record_targets *);
void	record_result(struct buf *, const struct record_result *);
int	record_result_parse(struct str, struct record_result *);
void	record_finished(struct buf *, struct record_time, enum finish_why);
int	record_finished_parse(struct str, struct record_time *,
	    enum finish_why *);
void	record_qids(struct buf *, struct record_time, uint64_t next);
int	record_qids_parse(struct str, struct record_time *, uint64_t *next);

#endif
