/*
 * mime_fuzz - the parts of a message: the same whole and in pieces (the first
 * byte says how large), each inside the one above it and behind the one
 * before it; what IMAP writes of them, and what it finds by their numbers.
 */
#include <assert.h>
#include <stdint.h>

#include "imapd/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(const struct mime *m, size_t size)
{
	unsigned i;

	assert(m->n >= 1 && m->n <= MIME_PARTS_MAX);
	for (i = 0; i < m->n; i++) {
		const struct mime_part *p = &m->parts[i], *up;

		up = &m->parts[p->parent];
		assert(p->head + p->head_n <= p->body);
		assert((size_t)p->body + p->body_n <= size);
		assert(i == 0 || p->head >= up->body);
		assert(p->next == 0 || m->parts[p->next].head >=
		    p->body + p->body_n);
		assert(p->lines <= p->body_n);
	}
}

/* What is found is a part, and lies in one that is found. */
static void
find(const struct mime *m)
{
	const struct mime_part	*p;
	uint32_t		 n[3];

	for (n[0] = 0; n[0] < 3; n[0]++) {
		for (n[1] = 0; n[1] < 3; n[1]++) {
			for (n[2] = 0; n[2] < 3; n[2]++) {
				p = mime_find(m, n, 3);
				assert(p == NULL || (p >= m->parts &&
				    p < m->parts + m->n &&
				    mime_find(m, n, 2) != NULL));
			}
		}
	}
	assert(mime_find(m, n, 0) == &m->parts[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime	m[2];
	struct buf	out[2];
	struct str	in, s;
	int		i;

	if (size < 1 || size > 65536)
		return 0;
	for (i = 0; i < 2; i++) {
		in = str_of(data + 1, size - 1);
		mime_init(&m[i]);
		while (in.n > 0) {
			s = str_sub(in, 0, i == 0 ? in.n : data[0] % 50 + 1U);
			mime_feed(&m[i], s);
			in = str_from(in, s.n);
		}
		mime_end(&m[i]);
		check(&m[i], size - 1);
		find(&m[i]);
		buf_init(&out[i], 64 << 20);
		structure_envelope(&out[i], mime_header(&m[i],
		    &m[i].parts[0]));
		structure_body(&out[i], &m[i], true);
		assert(buf_ok(&out[i]));
	}
	assert(str_eq(buf_str(&out[0]), buf_str(&out[1])));
	for (i = 0; i < 2; i++) {
		mime_clear(&m[i]);
		buf_clear(&out[i]);
	}
	return 0;
}
