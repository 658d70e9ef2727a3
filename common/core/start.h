/*
 * start - what a daemon was given by its starter, and telling it back.
 *
 * The starter passes descriptors by name in the way of systemd (LISTEN_FDS,
 * LISTEN_FDNAMES, from 3 up): listening sockets, directories, "config" (the
 * daemon's slice of the configuration), "notify" (a SOCK_SEQPACKET pair; its
 * end tells that the starter is gone), "view" (the directory with the
 * sockets that this daemon may connect to).
 */
#ifndef CORE_START_H
#define CORE_START_H

#include "common/core/str.h"

/* Reads the environment once and clears it; fatal if it makes no sense. */
void	start_init(void);
/* The descriptor of that name, close-on-exec; start_fd is fatal without. */
int	start_fd(const char *name);
int	start_fd_maybe(const char *name);		/* or -1 */
/* Next one of several of the same name from *i on; -1 at the end. */
int	start_fd_next(const char *name, int *i);
/* The same by the beginning of a name; *name is what follows it, borrowed. */
int	start_fd_prefix(const char *prefix, int *i, const char **name);
/* In a forked child that has closed all of this: nothing was passed. */
void	start_forget(void);

/* The "view" directory; after the sandbox it is the root, or the fd. */
int	start_view(void);

/* Watches the starter's end; loop_init first.  Its death ends the loop. */
void	start_watch(void);
/* READY=1, with a line for `mailctl status`. */
void	start_ready(const char *status);
/* Leaves a descriptor with the starter, or asks it to forget it. */
void	start_fdstore(const char *name, int fd);
void	start_fdremove(const char *name);

#endif
