/*
 * mbox - an open mailbox from the inside: its log, index and state, for the
 * files that work on it, store and upkeep.  All others see store.h.
 */
#ifndef MAILBOXD_MBOX_H
#define MAILBOXD_MBOX_H

#include <sys/queue.h>

#include "mailboxd/large.h"
#include "mailboxd/rows.h"
#include "mailboxd/store.h"

/* The last coded body that was read. */
struct unpacked {
	uint64_t	 source;	/* 0: none */
	struct buf	 body;
	bool		 used;		/* in this turn */
};

/* A body that somebody reads: it stays until it is closed. */
struct store_body {
	uint64_t		source;
	LIST_ENTRY(store_body)	link;
};

struct compact;

struct mbox {
	struct mbox_conf conf;
	int		 lockfd, logfd, indexfd;
	struct reclog	*log;
	struct index	*ix;		/* NULL: all is in memory */
	struct state	 st;
	struct large	 large;
	struct quota	 limit;
	struct buf	 meta;		/* scratch */
	struct buf	**held;		/* payloads of this turn */
	size_t		 nheld, held_cap;
	bool		 fresh;		/* the index has no mark */
	bool		 changed;	/* since the index was written */
	bool		 urgent;	/* this turn wants its sync */
	bool		 dead;
	struct unpacked	 unpacked;
	LIST_HEAD(, store_body) reading;
	struct compact	*compact;	/* NULL: nothing is at work */
	int64_t		 upkeep_at;	/* it failed: not before */
};

/* What an operation does to the disk's free space. */
enum mbox_need {
	NEED_GROW,		/* keeps away from the reserve */
	NEED_SMALL		/* flags, expunges: may use most of it */
};

/*
 * Before an operation adds its first record: STORE_OK, STORE_FULL, or
 * STORE_ERROR when the mailbox is dead.
 */
enum store_result mbox_room(struct mbox *, uint64_t bytes, enum mbox_need);
/*
 * Adds a record to this turn's frame and applies it.  The payload, if any,
 * is borrowed until the commit.
 */
void	mbox_add(struct mbox *, const struct record *, uint64_t id,
	    struct str payload);

/*
 * mbox_sweep.c: files that no record names are removed, unless records are
 * damaged.  A file that the index does not name may have lost its row there:
 * when there is one, only a state from the log may sweep.
 */
bool	mbox_has_strangers(struct mbox *, const struct mbox_report *);
void	mbox_sweep(struct mbox *, struct mbox_report *);

/* mbox_quota.c: STORE_OK, or STORE_QUOTA when so much more is too much. */
enum store_result mbox_admit(const struct mbox *, uint64_t size,
	    uint64_t messages);
/* A function of struct store_ops. */
void	mbox_quota(void *, struct store_quota *);

/* Brings a folder's messages into memory; STORE_OK or STORE_ERROR. */
enum store_result mbox_want(struct mbox *, struct state_folder *);

/* intake_begin under an id of its own; 0, or -1 with errno. */
int	mbox_intake(struct mbox *, struct intake *, uint64_t size);

/*
 * A message that has arrived whole; takes the body over, whose file is
 * durable.
 */
struct mbox_message {
	struct state_folder *folder;
	struct intake	*in;
	struct str	 trace;
	uint64_t	 keywords;
	int64_t		 date;
	int16_t		 zone;
	uint8_t		 flags;
};
uint32_t mbox_add_message(struct mbox *, const struct mbox_message *);

/* 1 and *body; 0 not there; -1.  Valid until the next call. */
int	mbox_body(struct mbox *, uint64_t source, struct buf *scratch,
	    struct state_body *body);
/* At most n octets from `from` of a BODY_INLINE, appended; 0 or -1. */
int	mbox_read_inline(struct mbox *, const struct state_body *,
	    uint64_t from, size_t n, struct buf *out);
/* At the end of a turn: forgets it if the turn did not read it. */
void	unpacked_age(struct mbox *);
/* The index has failed: the mailbox is dead, and the next makes another. */
void	mbox_index_failed(struct mbox *);
/* Whether the queue id was delivered: 1, 0; -1: the index has failed. */
int	mbox_is_delivered(struct mbox *, uint64_t qid);

#endif
