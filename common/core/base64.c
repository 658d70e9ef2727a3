/*
 * base64 - see base64.h.  Pure; libsodium does the work.
 */
#include "common/core/base64.h"

#include <sodium.h>

/*
 * sodium_base642bin takes bytes above 0x7f for digits where char is signed
 * (libsodium 1.0.18).  Looks at all of them, whatever they are.
 */
static bool
is_ascii(struct str s)
{
	unsigned char	all = 0;
	size_t		i;

	for (i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all < 0x80;
}

int
base64_decode(struct buf *b, struct str s)
{
	size_t	 room = s.n / 4 * 3, n;
	char	*p;

	if (s.n % 4 != 0 || !is_ascii(s))
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
