/*
 * store - a mailbox: its log, its index and the folders in memory, behind
 * the interface of common/mail/store.h.
 *
 * The owner opens it with the mailbox's directory, gives mbox_store to the
 * session engines, and calls mbox_turn in a loop hook before any output of
 * this turn leaves.  MBOX_DEAD means that nothing of this turn may be told
 * to anybody: the process logs it and exits.
 *
 * Everything is opened relative to descriptors.  Berkeley DB changes the
 * working directory of the process to index/.
 */
#ifndef MAILBOXD_STORE_H
#define MAILBOXD_STORE_H

#include "common/disk/reclog.h"
#include "common/mail/store.h"
#include "mailboxd/quota.h"

struct bulk;
struct mbox;

struct mbox_conf {
	int		dirfd;		/* the mailbox; borrowed */
	uint64_t	epoch;
	uint64_t	segment_max;	/* mailbox.segment */
	uint64_t	reserve;	/* mailbox.reserve: bytes kept free */
	uint32_t	message_max;	/* mailbox.message_max */
	uint32_t	inline_max;	/* larger bodies are files */
	bool		flags_sync;	/* mailbox.flags_sync */
	struct bulk	*bulk;		/* borrowed; NULL: syncs itself */
	uint64_t	undelete;	/* mailbox.undelete: seconds */
	uint64_t	delivered;	/* seconds that deliveries are known */
};

enum { MBOX_INLINE_MAX = 200 * 1024 };

/* What open found.  All but the first three are 0 on a healthy mailbox. */
struct mbox_report {
	struct reclog_report log;
	uint64_t	replayed;	/* records behind the index's mark */
	bool		rebuilt;	/* the index was made from the log */
	bool		no_index;	/* it cannot be had; all in memory */
	uint64_t	skipped;	/* records that made no sense */
	uint64_t	swept;		/* files that no record names */
	uint64_t	bad_snapshots;	/* that could not be read */
};

enum mbox_result {
	MBOX_OK,
	MBOX_LATER,	/* flags wait for a sync: mbox_sync within 1 s */
	MBOX_DEAD
};

/*
 * Makes what is missing, INBOX included.  -1 with errno: EAGAIN when another
 * process has it, and those of reclog_open.
 */
int		 mbox_open(const struct mbox_conf *, struct mbox **,
		    struct mbox_report *);
/* Syncs what waits, unless it is dead.  NULL is fine. */
void		 mbox_close(struct mbox *);

struct store	 mbox_store(struct mbox *);
/* What the messages of all folders come to, as of now. */
struct quota	 mbox_usage(const struct mbox *);
/* From now on; until then nothing is refused for its sake. */
void		 mbox_limit(struct mbox *, struct quota);
/* The turn will sync: who waited for company goes along. */
bool		 mbox_is_urgent(const struct mbox *);
enum mbox_result mbox_turn(struct mbox *);
/* The same, and nothing waits after it. */
enum mbox_result mbox_sync(struct mbox *);

/*
 * Whether there is work on the log that nobody waits for: snapshots, and the
 * reclaiming of old segments.  Costs no system call.
 */
bool		 mbox_wants_upkeep(const struct mbox *);
/* One bounded step of it, after a turn that said MBOX_OK. */
enum mbox_result mbox_upkeep(struct mbox *);

#endif
