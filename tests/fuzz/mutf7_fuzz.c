/*
 * mutf7_fuzz - what decodes encodes to the same bytes again, and the other
 * way round.
 */
#include <assert.h>
#include <stdint.h>

#include "common/mail/mutf7.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str	in = str_of(data, size);
	struct buf	there, back;

	if (size > 4096)
		return 0;
	buf_init(&there, 8 * 4096);
	buf_init(&back, 8 * 4096);
	if (mutf7_decode(in, &there) == 0) {
		assert(str_is_utf8(buf_str(&there)));
		assert(mutf7_encode(buf_str(&there), &back) == 0);
		assert(str_eq(buf_str(&back), in));
	}
	buf_reset(&there);
	buf_reset(&back);
	if (mutf7_encode(in, &there) == 0) {
		assert(str_is_print(buf_str(&there)));
		assert(mutf7_decode(buf_str(&there), &back) == 0);
		assert(str_eq(buf_str(&back), in));
	}
	buf_clear(&there);
	buf_clear(&back);
	return 0;
}
