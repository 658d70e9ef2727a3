/*
 * base64 - see base64.h.  Pure; libsodium does the work.
 */
#include "common/core/base64.h"

#include <sodium.h>

int
base64_decode(struct buf *b, struct str s)
{
	size_t	 room = s.n / 4 * 3, n;
	char	*p;

	if (s.n % 4 != 0)
		return -1;
	p = buf_room(b, room);
	if (p == NULL || sodium_base642bin((unsigned char *)p, room, s.p, s.n,
	    NULL, &n, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	buf_grow(b, n);
	return 0;
}

void
base64_encode(struct buf *b, struct str s)
{
	size_t	 room = (s.n + 2) / 3 * 4;
	char	*p;

	/* A buf has room for the NUL behind what it holds. */
	p = buf_room(b, room);
	if (p == NULL)
		return;
	sodium_bin2base64(p, room + 1, (const unsigned char *)s.p, s.n,
	    sodium_base64_VARIANT_ORIGINAL);
	buf_grow(b, room);
}
