/*
 * epoch - see epoch.h.
 */
#include "common/disk/epoch.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/core/str.h"

uint64_t
epoch_read(int dirfd)
{
	char		text[32];
	struct str	s;
	uint64_t	v;
	ssize_t		n;
	int		fd = openat(dirfd, "EPOCH",
			    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		return errno == ENOENT ? 1 : 0;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n <= 0 || text[n - 1] != '\n') {
		errno = EINVAL;
		return 0;
	}
	s = str_of(text, (size_t)n - 1);
	if (str_u64(s, UINT64_MAX, &v) == -1 || v == 0) {
		errno = EINVAL;
		return 0;
	}
	return v;
}
