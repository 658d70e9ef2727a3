/*
 * frame_fuzz - frames and HELLO: any input is refused, waited for, or taken;
 * what was taken is inside the input, and encodes to the same bytes again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/ipc/frame.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
want(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str	in = str_of(p, n);
	struct frame	f;
	struct hello	h;
	struct buf	b;
	size_t		used;

	buf_init(&b, 100000);
	while (frame_next(in, &f, &used) == FRAME_GOT) {
		want(used >= FRAME_HEADER && used <= in.n);
		want(f.body.p + f.body.n == in.p + used);
		buf_reset(&b);
		frame_add(&b, f.type, f.body);
		want(str_eq(buf_str(&b), str_sub(in, 0, used)));
		if (f.type == FRAME_HELLO && hello_parse(f.body, &h) == 0) {
			buf_reset(&b);
			hello_add(&b, &h);
			want(str_eq(buf_str(&b), str_sub(in, 0, used)));
		}
		in = str_from(in, used);
	}
	buf_clear(&b);
	return 0;
}
