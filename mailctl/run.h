/*
 * run - the built-in starter: starts the daemons, restarts what dies, keeps
 * their sockets and stored descriptors, stops them in order.
 */
#ifndef MAILCTL_RUN_H
#define MAILCTL_RUN_H

#include "mailctl/instance.h"

/* Until a signal ends it; the exit code. */
int	run_main(struct instance *, int64_t started_ms);

#endif
