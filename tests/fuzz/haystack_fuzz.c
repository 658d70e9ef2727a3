/*
 * haystack_fuzz - the text of a message as SEARCH sees it: its fields, and
 * its body as one part in pieces (the first byte says how large).  All that
 * comes out is UTF-8.
 */
#include <assert.h>
#include <stdint.h>

#include "common/mail/rfc5322.h"
#include "common/mail/words.h"
#include "imapd/haystack.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(struct buf *out)
{
	struct str piece, rest = buf_str(out);

	assert(buf_ok(out));
	/* A NUL is no UTF-8 to str_is_utf8. */
	while (str_cut(&rest, '\0', &piece))
		assert(str_is_utf8(piece));
	buf_reset(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct haystack	h;
	struct buf	out;
	struct hdr_field field;
	struct str	rest, body, s;
	size_t		n;

	if (size < 1 || size > 65536)
		return 0;
	rest = str_of(data + 1, size - 1);
	n = hdr_size(rest);
	body = str_from(rest, n);
	rest = str_sub(rest, 0, n);
	haystack_init(&h);
	buf_init(&out, HAYSTACK_TEXT_MAX);
	words_decode(rest, &out);
	buf_reset(&out);
	if (haystack_begin(&h, rest)) {
		for (; body.n > 0; body = str_from(body, s.n)) {
			s = str_sub(body, 0, data[0] * 40U + 1);
			haystack_feed(&h, s, s.n == body.n, &out);
			check(&out);
		}
	}
	while (hdr_next(&rest, &field) != HDR_END) {
		assert(haystack_field(&field, &out) <= out.n);
		check(&out);
	}
	haystack_clear(&h);
	buf_clear(&out);
	return 0;
}
