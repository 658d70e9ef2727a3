/*
 * pass - a message over a Unix socket, and at most one descriptor with it.
 */
#ifndef CORE_PASS_H
#define CORE_PASS_H

#include <sys/types.h>

#include "common/core/str.h"

/* 0, or -1 with errno, flags as sendmsg.  fd (-1: none) stays the caller's. */
int	pass_send(int sock, struct str, int fd, int flags);
/*
 * Bytes, 0 at the end, -1 with errno; never waits.  *fd is now the caller's,
 * or -1.  *bad: it did not fit, or more than one descriptor was with it, of
 * which all but *fd are closed.
 */
ssize_t	pass_receive(int sock, void *, size_t n, int *fd, bool *bad);

#endif
