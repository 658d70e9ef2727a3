/*
 * index - an ordered table of byte strings in a directory, kept by Berkeley
 * DB, which is seen nowhere else in mailboxd.
 *
 * The index is a cache of the log.  Its transactions are atomic but never
 * synced.  Whatever Berkeley DB does not like is logged here and answered
 * with -1; the caller then wipes the directory and makes it again from the
 * log.  After -1 the only call allowed is index_close.
 *
 * Berkeley DB opens its files relative to the working directory, so that
 * these functions change it.  One process uses it, without threads.
 */
#ifndef MAILBOXD_INDEX_H
#define MAILBOXD_INDEX_H

#include "common/core/buf.h"

enum { INDEX_KEY_MAX = 1100, INDEX_VALUE_MAX = 64 * 1024 };

struct index;

/* Borrows dirfd, a directory of its own.  NULL: damaged or not possible. */
struct index	*index_open(int dirfd);
/* NULL is fine.  With a checkpoint unless something failed before. */
void		 index_close(struct index *);
/* Removes every file of the directory; -1 with errno. */
int		 index_wipe(int dirfd);

/* Puts and deletes go between begin and commit; 0 or -1. */
int		 index_begin(struct index *);
int		 index_put(struct index *, struct str key, struct str value);
/* It need not be there. */
int		 index_del(struct index *, struct str key);
int		 index_commit(struct index *);

/* 1 and the value appended to *out; 0 not there; -1. */
int		 index_get(struct index *, struct str key, struct buf *out);
/*
 * Each row whose key starts so, ascending; both borrowed for the call.  -1
 * also when the function answered -1.  It must not change the index.
 */
typedef int index_row_fn(void *arg, struct str key, struct str value);
int		 index_scan(struct index *, struct str prefix, index_row_fn *,
		    void *arg);

#endif
