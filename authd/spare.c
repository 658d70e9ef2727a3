/*
 * spare - see spare.h.
 */
#include "authd/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/core/log.h"

static const char name[] = "spare";

/* What cannot be asked is not in the way: the writing itself will tell. */
static bool
is_free(uint64_t bytes)
{
	struct statvfs v;

	return statvfs(".", &v) == -1 ||
	    (uint64_t)v.f_bavail * v.f_frsize >= bytes;
}

bool
spare_has_room(void)
{
	return is_free(SPARE_ROOM);
}

/* Written, not only reserved: some file systems keep no such promise. */
static int
fill(int fd)
{
	static const char	zeros[64 * 1024];
	size_t			done;

	for (done = 0; done < SPARE_SIZE; done += sizeof(zeros)) {
		if (write(fd, zeros, sizeof(zeros)) != (ssize_t)sizeof(zeros))
			return -1;
	}
	return fsync(fd);
}

bool
spare_fill(void)
{
	struct stat	st;
	int		fd, rc;

	if (fstatat(AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size == SPARE_SIZE)
		return true;
	if (!spare_has_room())
		return false;
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return false;
	rc = fill(fd);
	close(fd);
	if (rc == -1)
		unlink(name);
	return rc == 0;
}

void
spare_use(void)
{
	if (is_free(SPARE_SIZE))
		return;
	log_warn("the disk is full: the directory takes its spare room, "
	    "changes are refused");
	if (unlink(name) == -1 && errno != ENOENT)
		log_warn("the spare room cannot be had");
}
