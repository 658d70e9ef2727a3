/*
 * simdisk - a disk in memory behind the record log's system calls: one
 * directory, and for each file what programs see beside what a power cut
 * would leave.  It fails a call on demand, stops at one, and then forgets.
 *
 * Stricter than any real file system: what was not synced survives sector
 * by sector (512 bytes) at random, names one by one, and a failed sync drops
 * its data and calls the pages clean.
 */
#ifndef TESTS_SIMDISK_H
#define TESTS_SIMDISK_H

#include <stdbool.h>

#include "common/disk/io.h"

enum { SIM_DIRFD = 1000 };

enum sim_fault {
	SIM_NONE,
	SIM_EIO,
	SIM_ENOSPC,
	SIM_EDQUOT,
	SIM_EINTR,
	SIM_SHORT,	/* a write or read does a part only */
	SIM_PART_FULL,	/* a part of a write, then ENOSPC */
	SIM_STOP,	/* power fails before the call */
	SIM_STOP_AFTER	/* power fails behind the call */
};

enum sim_keep {
	SIM_KEEP_NONE,	/* what was not synced is lost */
	SIM_KEEP_ALL,
	SIM_KEEP_SOME
};

extern const struct disk_io	sim_io;

void	sim_reset(uint64_t seed);
/* The n-th call from now on has this fault; `times` calls in a row. */
void	sim_arm(enum sim_fault, uint64_t n, uint64_t times);
uint64_t sim_calls(void);	/* since sim_reset */
bool	sim_stopped(void);
/* The power is back.  All descriptors are gone. */
void	sim_power(enum sim_keep);
uint64_t sim_random(void);
int	sim_open_fds(void);
/* What programs see of a file; NULL if there is none.  May be changed. */
unsigned char *sim_file(const char *name, size_t *n);
/* The k-th name, or NULL. */
const char *sim_name(int k);
/* Keeps all that is there now, and puts it back. */
void	sim_save(void);
void	sim_restore(void);

#endif
