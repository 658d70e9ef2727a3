/*
 * The decoder of records, and the state under a row of them: type u8, id
 * u8, length u16 (big-endian), metadata.  What is decoded encodes to the
 * same bytes.
 */
#include <assert.h>
#include <string.h>

#include "mailboxd/state.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
decode(uint8_t type, struct str meta)
{
	struct record	r;
	struct buf	b;

	if (record_decode(type, meta, &r) == -1)
		return;
	buf_init(&b, RECORD_META_MAX + 1024);
	record_encode(&b, &r);
	assert(str_eq(buf_str(&b), meta));
	buf_clear(&b);
}

static void
look(struct state *st)
{
	const struct state_folder	*f;
	struct quota			 sum = { 0, 0 };
	uint64_t			 size;
	size_t				 i, k;

	for (i = 0; i < st->nfolders; i++) {
		f = st->folders[i];
		assert(f->name != NULL && f->name->folder == f);
		assert(f->unseen <= f->exists);
		assert(!f->loaded || f->n == f->exists);
		sum.size += f->size;
		sum.messages += f->exists;
		for (size = 0, k = 0; k < f->n; k++) {
			size += f->msgs[k].size;
			assert(f->msgs[k].uid < f->uidnext);
			assert(k == 0 || f->msgs[k].uid > f->msgs[k - 1].uid);
		}
		assert(!f->loaded || f->size == size);
	}
	assert(quota_is_equal(sum, st->usage));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str	s = str_of(p, n), meta;
	struct recpos	pos = { 1, 0 };
	struct state	st;
	struct rec	r;
	size_t		len;

	state_init(&st);
	st.lenient = n % 2 == 0;
	while (s.n >= 4) {
		len = (size_t)((uint8_t)s.p[2] << 8 | (uint8_t)s.p[3]);
		meta = str_sub(s, 4, len);
		r = (struct rec){ .type = (uint8_t)s.p[0],
		    .id = (uint8_t)s.p[1], .meta = meta };
		s = str_from(s, 4 + meta.n);
		pos.offset += 64;
		decode(r.type, meta);
		if (st.ndirty > 1000 || state_apply(&st, &r, pos) == -1)
			break;
	}
	look(&st);
	state_clear(&st);
	return 0;
}
