/*
 * rows - the state of a mailbox in its index: what the rows are, writing
 * those that changed, reading them back.  No log, no files.
 *
 * Keys are a letter and big-endian numbers, so that a folder's messages lie
 * together by UID; values are the metadata of row records (record.def).
 */
#ifndef MAILBOXD_ROWS_H
#define MAILBOXD_ROWS_H

#include "mailboxd/index.h"
#include "mailboxd/state.h"

/*
 * Everything the state has that the index has not, in one transaction with
 * the mark; in several when `fresh` says that there is no mark yet.  The
 * caller settles the state.  0 or -1.
 */
int	rows_save(struct state *, struct index *, struct recmark,
	    bool fresh);
/* Bodies and queue ids only, of a rebuild that would hold too many. */
int	rows_spill(struct state *, struct index *);

/* 1 and the mark; 0 no mark; -1. */
int	rows_mark(struct index *, struct recmark *);
/* Folders, subscriptions, counters into a fresh state; 0 or -1. */
int	rows_load(struct state *, struct index *);
/* The messages of a folder (state_load_fn's work); 0 or -1. */
int	rows_load_folder(struct state *, struct index *,
	    struct state_folder *);
/* 1 and *body, its trace borrowed from *scratch; 0 not there; -1. */
int	rows_body(struct index *, uint64_t source, struct buf *scratch,
	    struct state_body *);
/*
 * Each row that a snapshot has: folders, then subscriptions, messages,
 * deliveries.  -1 also when the function said so.
 */
typedef int rows_fn(void *arg, enum record_type, struct str value);
int	rows_each(struct index *, rows_fn *, void *arg);
/* In a transaction of its own: these are no more.  0 or -1. */
int	rows_forget(struct index *, const uint64_t *sources, size_t nsources,
	    const uint64_t *qids, size_t nqids);
/* 1 and appended to *out; 0 not there; -1 */
int	rows_derived(struct index *, uint64_t source, enum store_derived,
	    struct buf *out);
/* 1, 0 or -1 */
int	rows_is_delivered(struct index *, uint64_t qid);

#endif
