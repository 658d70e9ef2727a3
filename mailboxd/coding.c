/*
 * coding - see coding.h.
 */
#include "mailboxd/coding.h"

#include <errno.h>
#include <zstd.h>

enum {
	LEVEL = 3,
	GAIN = 16		/* less than this part saved is nothing */
};

enum coding
coding_pack(struct str s, struct buf *out)
{
	size_t	 room = s.n - s.n / GAIN, n;
	char	*p = s.n == 0 ? NULL : buf_room(out, room);

	if (p != NULL) {
		/* Fails when the result is larger than the room. */
		n = ZSTD_compress(p, room, s.p, s.n, LEVEL);
		if (!ZSTD_isError(n)) {
			buf_grow(out, n);
			return CODING_ZSTD;
		}
	}
	buf_add(out, s);
	return CODING_PLAIN;
}

static int
unpack_zstd(struct str s, size_t n, struct buf *out)
{
	char *p;

	if (ZSTD_getFrameContentSize(s.p, s.n) != n) {
		errno = EBADMSG;
		return -1;
	}
	p = buf_room(out, n);
	if (p == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (ZSTD_decompress(p, n, s.p, s.n) != n) {
		errno = EBADMSG;
		return -1;
	}
	buf_grow(out, n);
	return 0;
}

int
coding_unpack(enum coding coding, struct str s, size_t n, struct buf *out)
{
	switch (coding) {
	case CODING_PLAIN:
		if (s.n != n)
			break;
		buf_add(out, s);
		if (buf_ok(out))
			return 0;
		errno = ENOMEM;
		return -1;
	case CODING_ZSTD:
		return unpack_zstd(s, n, out);
	}
	errno = EBADMSG;
	return -1;
}
