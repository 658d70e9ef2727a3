/*
 * intake - see intake.h.
 */
#include "mailboxd/intake.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"
#include "common/disk/io.h"

int
intake_begin(struct intake *in, const struct bodyfiles *files, uint64_t id,
    uint64_t size, uint64_t inline_max)
{
	*in = (struct intake){
		.place = size > inline_max ? BODY_FILE : BODY_INLINE,
		.files = files, .id = id, .size = size
	};
	switch (in->place) {
	case BODY_INLINE:
		in->buf = xcalloc(1, sizeof(*in->buf));
		buf_init(in->buf, size);
		return 0;
	case BODY_FILE:
		in->file = bodyfile_create(files, id);
		return in->file == NULL ? -1 : 0;
	}
	return -1;
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
		return bodyfile_write(in->file, s);
	buf_add(in->buf, s);
	if (!buf_ok(in->buf)) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

static int
copy_inline(struct intake *in, int fd, const unsigned char hash[HASH_LEN])
{
	unsigned char	 sum[HASH_LEN];
	char		*p = buf_room(in->buf, (size_t)in->size);
	ssize_t		 n;

	if (p == NULL) {
		errno = ENOMEM;
		return -1;
	}
	n = disk_read(fd, p, (size_t)in->size, 0);
	if (n == -1)
		return -1;
	if ((uint64_t)n != in->size) {
		errno = EMSGSIZE;
		return -1;
	}
	crypto_generichash(sum, HASH_LEN, (unsigned char *)p, (size_t)n,
	    NULL, 0);
	if (memcmp(sum, hash, HASH_LEN) != 0) {
		errno = EBADMSG;
		return -1;
	}
	buf_grow(in->buf, (size_t)n);
	return 0;
}

int
intake_copy(struct intake *in, int fd, const unsigned char hash[HASH_LEN])
{
	int r;

	if (in->got != 0) {
		errno = EINVAL;
		return -1;
	}
	r = in->place == BODY_INLINE ? copy_inline(in, fd, hash) :
	    bodyfile_copy(in->file, fd, in->size, hash);
	if (r == 0)
		in->got = in->size;
	return r;
}

int
intake_end(struct intake *in)
{
	if (in->got != in->size) {
		errno = EMSGSIZE;
		return -1;
	}
	if (in->place == BODY_INLINE)
		return 0;
	bodyfile_end(in->file, in->hash);
	bodyfile_free(in->file);
	in->file = NULL;
	return 0;
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
		bodyfile_free(in->file);
		in->file = NULL;
		/* What cannot be removed is removed at the next open. */
		(void)bodyfile_remove(in->files, in->id);
		return;
	}
}
