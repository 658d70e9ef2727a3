/*
 * local - the role that hands messages to the owners of mailboxes.
 *
 * There is a channel per mailbox with work, kept some time after it.  An
 * owner that goes away without an answer is asked again: it remembers what
 * it has (qid, mailbox), so the message arrives once.
 */
#ifndef DELIVERD_LOCAL_H
#define DELIVERD_LOCAL_H

#include <stdint.h>

enum {
	LOCAL_BY_VALUE_MAX = 1024 * 1024,	/* bytes of a content */
	LOCAL_MEMORY = 16 * 1024 * 1024,	/* of all; then queued waits */
	LOCAL_PATIENCE = 60 * 1000,	/* ms for an owner's answer */
	LOCAL_IDLE = 20 * 1000,		/* ms that a channel stays */
	LOCAL_CHANNELS_MAX = 256,	/* idle ones make room */
	LOCAL_TRIES = 8			/* owners that a message may outlive */
};

/* Connects; after loop_init and chan_init. */
void	local_start(uint32_t jobs);

#endif
