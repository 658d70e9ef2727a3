/*
 * bulk - contents that are files of their own: written while they arrive,
 * made durable (directory included) and removed by a helper process, so that
 * the loop never waits for the disk on their account.
 *
 * A file is named after its message.  It counts only once a MESSAGE record
 * names it; what no message has is swept away at start.
 */
#ifndef QUEUED_BULK_H
#define QUEUED_BULK_H

#include "common/core/str.h"

struct bulk_file;
/* error is 0 or an errno. */
typedef void bulk_fn(void *arg, int error);

/*
 * Forks the helper, before the caller locks itself down; with `lock` it
 * locks itself down too.  The directory is borrowed.
 */
struct bulk	*bulk_new(int dir, bool lock);
/* After loop_init: takes the helper's answers; its end is fatal. */
void		 bulk_watch(struct bulk *);
void		 bulk_free(struct bulk *);

/* NULL or -1 with errno. */
struct bulk_file *bulk_create(struct bulk *, uint64_t qid);
int		 bulk_write(struct bulk_file *, struct str);
/* Calls fn later, always, unless dropped before. */
void		 bulk_sync(struct bulk_file *, bulk_fn *, void *arg);
/* The message has it now. */
void		 bulk_keep(struct bulk_file *);
/* Nobody wants it: removed, at whatever stage. */
void		 bulk_drop(struct bulk_file *);

void		 bulk_remove(struct bulk *, uint64_t qid);
/* A descriptor for reading; the size is checked.  -1 with errno. */
int		 bulk_open(struct bulk *, uint64_t qid, uint64_t size);
/* Removes every file that is not wanted. */
void		 bulk_sweep(struct bulk *, bool (*wanted)(void *, uint64_t),
		    void *arg);

#endif
