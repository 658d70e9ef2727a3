/*
 * hello - front ends at the door: each sends HELLO with a ticket in time, or
 * is dropped.  One that holds goes on to monitor_work, the others are told
 * UNAVAILABLE, and not why.
 */
#ifndef MAILBOXD_HELLO_H
#define MAILBOXD_HELLO_H

#include "common/ipc/msg.h"

void	hello_init(void);
/* A listening socket, and which service alone may come in by it. */
void	hello_listen(int fd, enum service);
void	hello_stop(void);
/* authd has pushed a ticket key. */
void	hello_key(uint32_t kid, struct str key);
/* Says UNAVAILABLE on a descriptor of a front, and closes it. */
void	hello_refuse(int fd, enum unavailable);

#endif
