/*
 * syscalls - the system calls that a daemon may make, by part of the sandbox.
 */
#ifndef CORE_SYSCALLS_H
#define CORE_SYSCALLS_H

#include "common/core/sandbox.h"

/*
 * Loads the filter; everything that is not allowed ends the process.  Fatal
 * when it cannot.  Returns its name: "seccomp", or "seccomp:wide" in a build
 * with sanitizers, whose run-time makes calls of its own.
 */
const char	*syscalls_lock(const struct sandbox *);

#endif
