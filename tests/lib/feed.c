/*
 * feed - see feed.h.
 */
#include "tests/lib/feed.h"

#include <assert.h>

static const size_t pieces[FEED_WAYS] = { SIZE_MAX, 1, 2, 3, 7, 61 };

void
feed(unsigned way, struct str in, feed_fn *fn, void *arg)
{
	struct buf	b;
	size_t		used;

	buf_init(&b, 16 * 1024 * 1024);
	while (in.n > 0) {
		buf_add(&b, str_sub(in, 0, pieces[way]));
		in = str_from(in, pieces[way]);
		do {
			used = fn(arg, buf_str(&b));
			assert(used <= b.n);
			buf_drop(&b, used);
		} while (used > 0 && b.n > 0);
	}
	buf_clear(&b);
}
