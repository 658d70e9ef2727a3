/*
 * walk - the records inside the frames that a scan found.
 */
#ifndef DISK_WALK_H
#define DISK_WALK_H

#include "common/disk/scan.h"

/*
 * Head, records with their payloads, and trailer are all as they were
 * written.  Checks BLAKE2b too: checksums alone could be aimed at.
 */
bool	walk_is_whole(struct scan *, const struct span *);

/*
 * Does the payload at `offset` of fd have the checksum and, if `hash`, the
 * hash of h?  -1 with errno; EBADMSG if not.
 */
int	walk_payload(int fd, const struct rec_head *h, uint64_t offset,
	    bool hash);

#endif
