/*
 * journal - what this turn puts into the log, and what is owed to others
 * once it is durable.
 *
 * Entries are in two kinds.  A submission may be refused: when the disk is
 * full it is told so and forgotten.  What `must` be written has already
 * changed the state in memory: it is kept and tried again, and its answer
 * waits.  Nothing is answered before the log said that it is durable.
 */
#ifndef QUEUED_JOURNAL_H
#define QUEUED_JOURNAL_H

#include "common/disk/reclog.h"
#include "common/ipc/chan.h"

struct journal_entry;
typedef void journal_fn(const struct journal_entry *, enum reclog_result);

struct journal_entry {
	uint8_t		 type;		/* of the record; 0: no record */
	uint64_t	 id;
	struct str	 payload;	/* lives until fn was called */
	bool		 must;
	bool		 patient;	/* whoever waits can wait a while */
	bool		 joined;	/* in one frame with the one before */

	journal_fn	*fn;		/* may be NULL */
	void		*arg;
	struct chan	*chan;		/* who waits for it, if anybody */
	uint32_t	 target, attempt;	/* of the answer */

	struct recpos	 pos;		/* set before fn */
	size_t		 meta_at, meta_n;	/* the journal's own */
};

struct journal {
	struct journal_entry	*entries;
	size_t			 n, cap;
	struct buf		 metas;
	size_t			 urgent;	/* entries that cannot wait */
	bool			 is_stuck;	/* the disk was full */
	uint64_t		 commits, records;	/* so far */
};

void	journal_init(struct journal *);
/* Refuses what may be refused and forgets the rest. */
void	journal_clear(struct journal *);
/* Copies the entry and the metadata. */
void	journal_add(struct journal *, const struct journal_entry *,
	    struct str meta);
/* That channel is gone; nobody waits any more. */
void	journal_forget(struct journal *, const struct chan *);
/*
 * Something is here, and all of it can wait for companions: the queue holds
 * what it is about durably, and nobody outside waits for the answer.
 */
bool	journal_is_patient(const struct journal *);
/*
 * Writes everything, one commit unless it is huge, then calls every fn.
 * FULL: what must be written stays for the next time.  DEAD: nothing was
 * called for what was not durable, and the process has to end.
 */
enum reclog_result journal_commit(struct journal *, struct reclog *);

#endif
