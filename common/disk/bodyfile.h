/*
 * bodyfile - whether a file of a large payload is what its record says.
 *
 * Reads all of it, in pieces: not for a loop that others wait for, unless
 * the caller can afford that.
 */
#ifndef DISK_BODYFILE_H
#define DISK_BODYFILE_H

#include "common/disk/frame.h"

/* 0; -1 with errno, EBADMSG when size or BLAKE2b-256 differ. */
int	bodyfile_check(int dirfd, const char *name, uint64_t size,
	    const unsigned char hash[HASH_LEN]);

#endif
