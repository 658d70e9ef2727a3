/*
 * rfc5322_fuzz - the walk over a header and the scan of passing bytes see the
 * same header, and the walk leaves nothing out.
 */
#include <assert.h>

#include "common/mail/rfc5322.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct hdr_scan		h = { .size = 0 };
	struct hdr_field	f;
	struct str		all, rest;
	struct buf		out;
	enum hdr_kind		kind;
	size_t			at, piece, longest = 0, sum = 0;
	uint32_t		fields = 0, received = 0;
	bool			junk = false;

	if (n == 0)
		return 0;
	piece = 1 + p[0];
	all = rest = str_of(p + 1, n - 1);
	buf_init(&out, n + 1);
	while ((kind = hdr_next(&rest, &f)) != HDR_END) {
		assert(f.raw.n > 0 && f.raw.p == all.p + sum);
		sum += f.raw.n;
		longest = f.raw.n > longest ? f.raw.n : longest;
		junk = junk || kind == HDR_JUNK;
		if (kind == HDR_JUNK)
			continue;
		assert(f.name.n > 0 && f.name.n + f.value.n < f.raw.n);
		fields++;
		received += str_ieq(f.name, S("received"));
		buf_reset(&out);
		hdr_unfold(&out, f.value);
		assert(buf_ok(&out));
	}
	for (at = 0; at < all.n; at += piece)
		hdr_scan(&h, str_sub(all, at, piece));
	hdr_scan_end(&h);
	assert(h.size == all.n - rest.n && h.size == hdr_size(all));
	assert(h.fields == fields && h.received == received);
	assert(h.junk == junk && h.field_max == longest);
	buf_clear(&out);
	return 0;
}
