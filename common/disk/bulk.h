/*
 * bulk - the helper process for files of large payloads (bodyfile.h), and
 * asking it: a loop never waits for the disk on their account.
 *
 * Requests are done one after the other, so the answer to one also says that
 * those before it are over.  queued forks its helper before it locks itself
 * down; an owner of a mailbox is given one when it first needs it.
 */
#ifndef DISK_BULK_H
#define DISK_BULK_H

#include "common/disk/bodyfile.h"

enum bulk_op {
	BULK_SYNC = 1,		/* file and directory are durable */
	BULK_REMOVE = 2,
	BULK_CHECK = 4		/* size and hash; EBADMSG */
};

struct bulk_ask {
	enum bulk_op		 op;
	uint64_t		 id;
	uint64_t		 size;		/* BULK_CHECK */
	const unsigned char	*hash;		/* BULK_CHECK */
};

/* -- who asks ------------------------------------------------------------ */

struct bulk;
typedef void bulk_fn(void *arg, uint64_t id, int error);	/* an errno */

/*
 * `need` is called when something is asked and there is no helper; bulk_attach
 * gives it one, now or later.  When a helper ends, what it was asked fails
 * with EPIPE.  Without `need` there is to be one always, and its end is fatal.
 */
struct bulk	*bulk_new(void (*need)(void *), void *arg);
void		 bulk_free(struct bulk *);	/* no answers; NULL is fine */
/* Takes the descriptor over. */
void		 bulk_attach(struct bulk *, int sock);
/* Lets the helper go, which ends then.  Nothing may be under way. */
void		 bulk_detach(struct bulk *);
/* After loop_init: for one that was attached before. */
void		 bulk_watch(struct bulk *);

/* fn is called later, always, unless forgotten before; it may be NULL. */
void		 bulk_ask(struct bulk *, const struct bulk_ask *, bulk_fn *,
		    void *arg);
/* No answer to this one any more; it is done nevertheless. */
void		 bulk_forget(struct bulk *, const void *arg);
/* No helper is to be had: what is under way fails with this error. */
void		 bulk_fail(struct bulk *, int error);
bool		 bulk_is_idle(const struct bulk *);

/* -- the helper ---------------------------------------------------------- */

/* Takes one request, of the ops in `may`; false at the end. */
bool		 bulk_serve_one(const struct bodyfiles *, int sock,
		    unsigned may);
/* A child that serves all of it; the descriptor to attach. */
int		 bulk_fork(const struct bodyfiles *, bool lock);

#endif
