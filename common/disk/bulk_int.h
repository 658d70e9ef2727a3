/*
 * bulk_int - what bulk.c and its helper say to each other, on one machine and
 * between one program and itself only.
 */
#ifndef DISK_BULK_INT_H
#define DISK_BULK_INT_H

#include "common/disk/bulk.h"

struct bulk_packet {
	uint64_t	number, id, size;
	uint32_t	op;
	int32_t		error;		/* in the answer */
	unsigned char	hash[HASH_LEN];
};

#endif
