/*
 * incoming - channels of deliverd to this mailbox.  Messages come one after
 * the other on each; an answer leaves when the turn that took the message is
 * durable.
 */
#ifndef MAILBOXD_INCOMING_H
#define MAILBOXD_INCOMING_H

#include "mailboxd/store.h"

/* Takes the descriptor over. */
void	 incoming_open(struct mbox *, int fd);
unsigned incoming_count(void);
/* All that happened is durable: tells deliverd. */
void	 incoming_answer(void);
/* No message is half here and no answer is due. */
bool	 incoming_is_idle(void);

#endif
