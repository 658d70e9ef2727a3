/*
 * pack - see pack.h.  Pure.
 */
#include "common/core/pack.h"

#include <assert.h>

void
put_u16(void *to, uint16_t v)
{
	unsigned char *p = to;

	p[0] = (unsigned char)(v & 0xff);
	p[1] = (unsigned char)(v >> 8);
}

void
put_u32(void *to, uint32_t v)
{
	put_u16(to, (uint16_t)(v & 0xffff));
	put_u16((char *)to + 2, (uint16_t)(v >> 16));
}

void
put_u64(void *to, uint64_t v)
{
	put_u32(to, (uint32_t)(v & 0xffffffff));
	put_u32((char *)to + 4, (uint32_t)(v >> 32));
}

uint16_t
get_u16(const void *from)
{
	const unsigned char *p = from;

	return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t
get_u32(const void *from)
{
	return get_u16(from) |
	    (uint32_t)get_u16((const char *)from + 2) << 16;
}

uint64_t
get_u64(const void *from)
{
	return get_u32(from) |
	    (uint64_t)get_u32((const char *)from + 4) << 32;
}

void
pack_u8(struct buf *b, uint8_t v)
{
	buf_addc(b, (char)v);
}

void
pack_u16(struct buf *b, uint16_t v)
{
	char w[2];

	put_u16(w, v);
	buf_add(b, str_of(w, sizeof(w)));
}

void
pack_u32(struct buf *b, uint32_t v)
{
	char w[4];

	put_u32(w, v);
	buf_add(b, str_of(w, sizeof(w)));
}

void
pack_u64(struct buf *b, uint64_t v)
{
	char w[8];

	put_u64(w, v);
	buf_add(b, str_of(w, sizeof(w)));
}

void
pack_str(struct buf *b, struct str s)
{
	pack_u32(b, (uint32_t)s.n);
	buf_add(b, s);
}

void
pack_str_max(struct buf *b, struct str s, size_t max)
{
	assert(s.n <= max);
	pack_str(b, s);
}

struct unpack
unpack_of(struct str s)
{
	return (struct unpack){ .s = s };
}

struct str
unpack_bytes(struct unpack *u, size_t n)
{
	struct str s;

	if (u->bad || n > u->s.n) {
		u->bad = true;
		return (struct str){ "", 0 };
	}
	s = str_sub(u->s, 0, n);
	u->s = str_from(u->s, n);
	return s;
}

uint8_t
unpack_u8(struct unpack *u)
{
	struct str s = unpack_bytes(u, 1);

	return s.n == 1 ? (uint8_t)s.p[0] : 0;
}

uint16_t
unpack_u16(struct unpack *u)
{
	struct str s = unpack_bytes(u, 2);

	return s.n == 2 ? get_u16(s.p) : 0;
}

uint32_t
unpack_u32(struct unpack *u)
{
	struct str s = unpack_bytes(u, 4);

	return s.n == 4 ? get_u32(s.p) : 0;
}

uint64_t
unpack_u64(struct unpack *u)
{
	struct str s = unpack_bytes(u, 8);

	return s.n == 8 ? get_u64(s.p) : 0;
}

struct str
unpack_str(struct unpack *u, size_t max)
{
	uint32_t n = unpack_u32(u);

	if (n > max)
		u->bad = true;
	return unpack_bytes(u, n);
}

struct str
unpack_text(struct unpack *u, size_t max)
{
	struct str s = unpack_str(u, max);

	if (str_chr(s, '\0') != -1)
		u->bad = true;
	return s;
}

bool
unpack_done(const struct unpack *u)
{
	return !u->bad && u->s.n == 0;
}
