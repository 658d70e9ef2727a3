/*
 * epoch - the number in the file EPOCH of a shard, written by whoever decides
 * on which host the shard lives.  Every frame of a log carries it, and a
 * writer with a lower one than the log's is refused.
 */
#ifndef DISK_EPOCH_H
#define DISK_EPOCH_H

#include <stdint.h>

/*
 * Of the directory: one decimal number and a newline.  1 when there is no
 * such file (a single host); 0 with errno when it cannot be read or is not a
 * number from 1 up.
 */
uint64_t	epoch_read(int dirfd);

#endif
