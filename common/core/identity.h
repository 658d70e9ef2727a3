/*
 * identity - becoming somebody else for good.  Only the starter (in a child,
 * before it executes a daemon) and mailboxd's zygote (in a child, before it
 * becomes an owner) call this.
 */
#ifndef CORE_IDENTITY_H
#define CORE_IDENTITY_H

#include <stdint.h>
#include <sys/types.h>

/*
 * No supplementary groups, then the group, then the user: real, effective
 * and saved.  Afterwards proves that neither the old user nor the old group
 * can come back; any doubt is fatal.  `caps` (bits of CAP_*, the first 32)
 * stay, also across an exec; 0 for none.
 */
void	identity_become(uid_t, gid_t, uint32_t caps);

#endif
