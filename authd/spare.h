/*
 * spare - room on the disk that the directory keeps for itself.
 *
 * Berkeley DB writes to its log whenever an environment is opened, and on a
 * full disk that failed: no authd, no login, no lookup.  So a file of
 * SPARE_SIZE bytes lies beside the directory and is given up when the
 * directory is opened with less than that free.  Changes are refused while
 * there is less than SPARE_ROOM; the others who write on this disk stop long
 * before (queue.reserve), so what is given up is not taken by them.
 *
 * All of it is in the current directory.
 */
#ifndef AUTHD_SPARE_H
#define AUTHD_SPARE_H

#include <stdbool.h>

enum {
	SPARE_SIZE = 1024 * 1024,
	SPARE_ROOM = 4 * SPARE_SIZE
};

/* Whether there is room for a change. */
bool	spare_has_room(void);

/* Makes the file if it is missing and there is room; true if it is there. */
bool	spare_fill(void);

/* Before the directory is opened: gives the file up if it must. */
void	spare_use(void);

#endif
