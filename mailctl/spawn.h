/*
 * spawn - one daemon's process: descriptors by name, a namespace without
 * network, its own user, then the program.
 */
#ifndef MAILCTL_SPAWN_H
#define MAILCTL_SPAWN_H

#include <sys/types.h>

#include "mailctl/instance.h"
#include "mailctl/sockets.h"

/* Opens the programs; fatal when one is missing.  Call once, early. */
void	spawn_find_programs(void);
/* The child has exactly these descriptors besides 0, 1, 2.  -1: errno. */
pid_t	spawn(const struct unit *, const struct fd_list *);

#endif
