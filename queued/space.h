/*
 * space - whether new mail is taken: the disk's reserve and the most messages.
 * Results are written into the reserve, so what was taken can be finished.
 * Pure but for space_free, which asks the file system.
 */
#ifndef QUEUED_SPACE_H
#define QUEUED_SPACE_H

#include <stdint.h>

#include "common/ipc/msg.h"

struct space_conf {
	uint64_t	reserve;	/* bytes */
	unsigned	percent;	/* of the disk; the smaller counts */
	uint64_t	messages_max;
};

struct space {
	uint64_t	free, total;	/* bytes */
	uint64_t	messages;
};

/*
 * Closes below the reserve; opens again an eighth above it, so that it does
 * not flutter.
 */
enum queue_state space_judge(const struct space_conf *, const struct space *,
		    enum queue_state before);
/* Of the file system that the directory is on; 0 or -1 with errno. */
int		 space_free(int dir, struct space *);

#endif
