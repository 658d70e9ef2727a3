/*
 * log_seed - what logframe_fuzz makes of its input, for its seeds' test too:
 * a log on the disk in memory, whose first segment is the seed but for its
 * first byte.  That has these bits:
 */
#ifndef TESTS_LOG_SEED_H
#define TESTS_LOG_SEED_H

#include "common/disk/reclog.h"
#include "common/disk/scrub.h"

enum log_seed_bit {
	LOG_SUMS = 1,		/* checksums and the key are made right */
	LOG_FOOTER = 2,		/* all behind the head becomes a footer */
	LOG_SECOND = 4,		/* another, empty segment is behind it */
	LOG_ROTS = 8,		/* a byte changes while the log is open */
	LOG_ROTS_AT = 16	/* 8 bytes further from the end, 15 times */
};

enum {
	/* Byte of a frame's head; odd: checksums make it whole. */
	LOG_SEED_WHOLE_AT = 6,
	LOG_SEED_FILE_TYPE = 9
};

/* False if the seed is too small or too large to be one. */
bool		 log_seed_put(struct str seed);
struct reclog	*log_seed_open(reclog_replay_fn *, void *arg,
		    struct reclog_report *);
/* For a seed with LOG_ROTS; others stay as they are. */
void		 log_seed_rot(struct str seed);
/* Of scrub_ops: a record of LOG_SEED_FILE_TYPE names a file, or one gone. */
bool		 log_seed_file_of(void *arg, const struct rec *, struct recpos,
		    struct scrub_file *);

#endif
