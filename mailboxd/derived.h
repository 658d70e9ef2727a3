/*
 * derived - envelopes and structures of messages, kept in the index so that
 * they are made of a body's octets once.  An envelope is made when a message
 * of no file of its own arrives; the rest, which costs a look at the whole
 * body, when somebody asks.
 */
#ifndef MAILBOXD_DERIVED_H
#define MAILBOXD_DERIVED_H

#include "mailboxd/mbox.h"

enum {
	DERIVED_MAX = 16 * 1024,	/* octets; longer ones are not kept */
	DERIVED_WAITING_MAX = 1024	/* until the next save of the index */
};

/* Functions of struct store_ops. */
enum store_result derived_get(void *, struct store_body *,
	    enum store_derived, struct buf *out);
void	derived_put(void *, struct store_body *, enum store_derived,
	    struct str);

/* The envelope of a message that is here as a whole. */
void	derived_of(struct mbox *, uint64_t source, struct str trace,
	    struct str body);

#endif
