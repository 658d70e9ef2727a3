/*
 * intake - see intake.h.
 */
#include "mailboxd/intake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "common/core/id.h"
#include "common/core/xalloc.h"

#define PREFIX	"body-"

struct file_name {
	char s[sizeof(PREFIX) + ID_LEN];
};

static struct file_name
file_name(uint64_t id)
{
	struct file_name n;

	snprintf(n.s, sizeof(n.s), PREFIX "%s", id_text(id).s);
	return n;
}

int
intake_begin(struct intake *in, int dirfd, uint64_t id, uint64_t size,
    uint64_t inline_max)
{
	*in = (struct intake){
		.place = size > inline_max ? BODY_FILE : BODY_INLINE,
		.dirfd = dirfd, .fd = -1, .id = id, .size = size
	};
	switch (in->place) {
	case BODY_INLINE:
		in->buf = xcalloc(1, sizeof(*in->buf));
		buf_init(in->buf, size);
		return 0;
	case BODY_FILE:
		in->fd = openat(dirfd, file_name(id).s, O_RDWR | O_CREAT |
		    O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		return in->fd == -1 ? -1 : 0;
	}
	return -1;
}

static int
write_all(int fd, struct str s)
{
	ssize_t n;

	while (s.n > 0) {
		n = write(fd, s.p, s.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		s = str_from(s, (size_t)n);
	}
	return 0;
}

int
intake_data(struct intake *in, struct str s)
{
	if (s.n > in->size - in->got) {
		errno = EMSGSIZE;
		return -1;
	}
	in->got += s.n;
	if (in->place == BODY_FILE)
		return write_all(in->fd, s);
	buf_add(in->buf, s);
	if (!buf_ok(in->buf)) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

static int
copy_inline(struct intake *in, int fd)
{
	char	*p = buf_room(in->buf, (size_t)in->size);
	ssize_t	 n;

	if (p == NULL) {
		errno = ENOMEM;
		return -1;
	}
	while (in->got < in->size) {
		n = pread(fd, p + in->got, (size_t)(in->size - in->got),
		    (off_t)in->got);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		in->got += (uint64_t)n;
	}
	buf_grow(in->buf, (size_t)in->got);
	return in->got == in->size ? 0 : -1;
}

/* In the kernel; copy_file_range does not go between all file systems. */
static ssize_t
copy_some(struct intake *in, int fd, bool *plain)
{
	off_t	at = (off_t)in->got;
	size_t	want = (size_t)(in->size - in->got);
	ssize_t	n = -1;

	if (!*plain) {
		n = copy_file_range(fd, &at, in->fd, NULL, want, 0);
		if (n == -1 && (errno == EXDEV || errno == EINVAL ||
		    errno == ENOSYS || errno == EOPNOTSUPP))
			*plain = true;
	}
	if (*plain)
		n = sendfile(in->fd, fd, &at, want);
	return n;
}

int
intake_copy(struct intake *in, int fd)
{
	bool	plain = false;
	ssize_t	n;

	if (in->got != 0) {
		errno = EINVAL;
		return -1;
	}
	if (in->place == BODY_INLINE) {
		if (copy_inline(in, fd) == 0)
			return 0;
		errno = EMSGSIZE;
		return -1;
	}
	while (in->got < in->size) {
		n = copy_some(in, fd, &plain);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0) {
			errno = EMSGSIZE;
			return -1;
		}
		in->got += (uint64_t)n;
	}
	return 0;
}

int
intake_end(struct intake *in)
{
	int r;

	if (in->got != in->size) {
		errno = EMSGSIZE;
		return -1;
	}
	if (in->place == BODY_INLINE)
		return 0;
	if (fdatasync(in->fd) == -1 || fsync(in->dirfd) == -1)
		return -1;
	r = close(in->fd);
	in->fd = -1;
	return r;
}

void
intake_abort(struct intake *in)
{
	switch (in->place) {
	case BODY_INLINE:
		if (in->buf != NULL)
			buf_clear(in->buf);
		free(in->buf);
		in->buf = NULL;
		return;
	case BODY_FILE:
		if (in->fd != -1)
			(void)close(in->fd);
		in->fd = -1;
		/* What cannot be removed is removed at the next open. */
		(void)unlinkat(in->dirfd, file_name(in->id).s, 0);
		return;
	}
}

void
intake_name(uint64_t id, char *to, size_t n)
{
	snprintf(to, n, "%s", file_name(id).s);
}

int
intake_read(int dirfd, uint64_t id, uint64_t from, size_t n,
    struct buf *out)
{
	ssize_t	 got;
	size_t	 sum = 0;
	char	*p;
	int	 fd, saved;

	p = buf_room(out, n);
	if (p == NULL) {
		errno = ENOMEM;
		return -1;
	}
	fd = openat(dirfd, file_name(id).s, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd == -1)
		return -1;
	while (sum < n) {
		got = pread(fd, p + sum, n - sum, (off_t)(from + sum));
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0) {
			saved = got == 0 ? EBADMSG : errno;
			(void)close(fd);
			errno = saved;
			return -1;
		}
		sum += (size_t)got;
	}
	(void)close(fd);
	buf_grow(out, n);
	return 0;
}

int
intake_sweep(int dirfd, intake_keep_fn *keep, void *arg)
{
	struct dirent	*e;
	struct str	 name;
	uint64_t	 id;
	DIR		*d;
	int		 fd, n = 0;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	d = fdopendir(fd);
	if (d == NULL) {
		(void)close(fd);
		return -1;
	}
	while ((e = readdir(d)) != NULL) {
		name = str_c(e->d_name);
		if (!str_starts(name, S(PREFIX)) || id_parse(str_from(name,
		    sizeof(PREFIX) - 1), &id) == -1 || keep(arg, id))
			continue;
		if (unlinkat(dirfd, e->d_name, 0) == 0)
			n++;
	}
	(void)closedir(d);
	return n;
}
