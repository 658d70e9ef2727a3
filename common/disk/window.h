/*
 * window - reads a file here and there through one buffer.  Neighbouring
 * reads make the pieces larger, jumps make them small again, so that a walk
 * over heads costs little both between large payloads and between small.
 */
#ifndef DISK_WINDOW_H
#define DISK_WINDOW_H

#include <stddef.h>
#include <stdint.h>

struct window {
	int		 fd;		/* borrowed */
	uint64_t	 size;		/* of the file, or where to end */
	int		 error;		/* errno of the first failed read */
	uint64_t	 at;
	size_t		 n;
	size_t		 step;
	size_t		 cap;
	char		*p;
};

void		 window_init(struct window *, int fd, uint64_t size);
void		 window_clear(struct window *);
/*
 * n bytes at offset, borrowed until the next call; NULL if they are not all
 * within size, or when reading failed: then error is set and stays.
 */
const char	*window_get(struct window *, uint64_t offset, size_t n);

#endif
