/*
 * incoming - channels of deliverd to this mailbox.  Messages come one after
 * the other on each; an answer leaves when the turn that took the message is
 * durable.
 *
 * The queue holds them durably meanwhile, so they wait for companions: whole
 * messages gather here and go into one frame, together.  The first one after
 * a quiet time does not wait.
 */
#ifndef MAILBOXD_INCOMING_H
#define MAILBOXD_INCOMING_H

#include "mailboxd/store.h"

enum {
	COMPANIONS_MS = 20,		/* from one batch to the next */
	COMPANIONS_GAP_MS = 5,		/* nobody came: no more will */
	COMPANIONS_MAX = 32,		/* messages: enough */
	COMPANIONS_BYTES = 1024 * 1024	/* of content: enough */
};

/* After loop_init. */
void	 incoming_init(void);
/* Takes the descriptor over. */
void	 incoming_open(struct mbox *, int fd);
unsigned incoming_count(void);
/*
 * Puts what is to go now into this turn's frame; with `now` all that can, for
 * the frame is synced anyway.
 */
void	 incoming_collect(bool now);
/* All that happened is durable: tells deliverd. */
void	 incoming_answer(void);
/* No message is half here, none waits, and no answer is due. */
bool	 incoming_is_idle(void);

#endif
