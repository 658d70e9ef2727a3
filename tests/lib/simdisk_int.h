/*
 * simdisk_int - what simdisk.c, the disk, and simcalls.c, the system calls,
 * share.
 */
#ifndef TESTS_SIMDISK_INT_H
#define TESTS_SIMDISK_INT_H

#include "tests/lib/simdisk.h"

struct sim_image {
	unsigned char	*p;
	size_t		 n;
};

/* A write or, with p NULL, a new size, that is not synced. */
struct sim_change {
	size_t		 at, n;
	unsigned char	*p;
};

/* What programs see, what a power cut leaves, and what is between. */
struct sim_inode {
	struct sim_image	 seen, safe;
	struct sim_change	*changes;
	size_t			 nchanges;
};

/* Forgets open descriptors and an armed fault; the machine runs. */
void	sim_boot(void);
/* sim_calls() is 0 again. */
void	sim_calls_clear(void);

/* The number of the inode of a name that programs see, or -1. */
int	sim_lookup(const char *name);
struct sim_inode *sim_inode(int);
/* Makes an empty file of a name that is not there yet. */
int	sim_make(const char *name);
/* A change of the names: from "" makes, to "" removes. */
void	sim_rename_to(const char *from, const char *to, int inode);
/* All names are safe now. */
void	sim_sync_names(void);

/* A change of a file that is not synced: a write or, p NULL, its size n. */
void	sim_note(struct sim_inode *, size_t at, size_t n,
	    const unsigned char *p);
/* Sets the size; what is new is zero. */
void	sim_grow(struct sim_image *, size_t n);
/* What survives of a file's changes is safe, the others are forgotten. */
void	sim_settle(struct sim_inode *, enum sim_keep);

#endif
