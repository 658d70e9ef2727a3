/*
 * mutf7 - see mutf7.h.  Pure.
 */
#include "common/mail/mutf7.h"

/* RFC 3501 5.1.3: base64 with ',' for '/'. */
static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool
is_direct(unsigned c)
{
	return c >= 0x20 && c <= 0x7e;
}

static int
digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == ',' ? 63 : -1;
}

static void
add_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_addc(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_addc(out, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_addc(out, (char)(0xe0 | c >> 12));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_addc(out, (char)(0xf0 | c >> 18));
		buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_addc(out, (char)(0x80 | (c & 0x3f)));
}

/* One UTF-16 unit; *high holds a surrogate that waits for its other half. */
static int
add_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	if (unit >= 0xdc00 && unit <= 0xdfff) {
		if (*high == 0)
			return -1;
		add_utf8(out, 0x10000 + ((*high - 0xd800) << 10) +
		    (unit - 0xdc00));
		*high = 0;
		return 0;
	}
	if (*high != 0)
		return -1;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit;
		return 0;
	}
	if (unit == 0 || is_direct(unit))
		return -1;
	add_utf8(out, unit);
	return 0;
}

/* What stands between '&' and '-', not empty. */
static int
decode_shift(struct str s, struct buf *out)
{
	uint32_t	bits = 0, high = 0;
	unsigned	nbits = 0;
	size_t		i;
	int		d;

	for (i = 0; i < s.n; i++) {
		d = digit_of(s.p[i]);
		if (d == -1)
			return -1;
		bits = bits << 6 | (uint32_t)d;
		nbits += 6;
		if (nbits < 16)
			continue;
		nbits -= 16;
		if (add_unit(out, bits >> nbits & 0xffff, &high) == -1)
			return -1;
		bits &= (1U << nbits) - 1;
	}
	return high == 0 && nbits < 6 && bits == 0 ? 0 : -1;
}

static int
decode(struct str s, struct buf *out)
{
	bool		after_shift = false;
	ptrdiff_t	end;

	while (s.n > 0) {
		if (!is_direct((unsigned char)s.p[0]))
			return -1;
		if (s.p[0] != '&') {
			buf_addc(out, s.p[0]);
			s = str_from(s, 1);
			after_shift = false;
			continue;
		}
		end = str_chr(s, '-');
		if (end == -1)
			return -1;
		if (end == 1) {
			buf_addc(out, '&');
			after_shift = false;
		} else if (after_shift ||
		    decode_shift(str_sub(s, 1, (size_t)end - 1), out) == -1) {
			return -1;
		} else {
			after_shift = true;
		}
		s = str_from(s, (size_t)end + 1);
	}
	return buf_ok(out) ? 0 : -1;
}

int
mutf7_decode(struct str s, struct buf *out)
{
	size_t before = out->n;

	if (decode(s, out) == 0)
		return 0;
	buf_trunc(out, before);
	return -1;
}

/* The next character of well-formed UTF-8. */
static uint32_t
take_utf8(struct str *s)
{
	unsigned char	c = (unsigned char)s->p[0];
	size_t		n, i;
	uint32_t	v;

	n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	v = n == 1 ? c : c & (0x7fU >> n);
	for (i = 1; i < n; i++)
		v = v << 6 | ((unsigned char)s->p[i] & 0x3f);
	*s = str_from(*s, n);
	return v;
}

struct shift {
	uint32_t	bits;
	unsigned	nbits;
	bool		on;
};

static void
shift_unit(struct shift *h, uint32_t unit, struct buf *out)
{
	if (!h->on)
		buf_addc(out, '&');
	h->on = true;
	h->bits = h->bits << 16 | unit;
	h->nbits += 16;
	while (h->nbits >= 6) {
		h->nbits -= 6;
		buf_addc(out, alphabet[h->bits >> h->nbits & 0x3f]);
	}
	h->bits &= (1U << h->nbits) - 1;
}

static void
shift_end(struct shift *h, struct buf *out)
{
	if (!h->on)
		return;
	if (h->nbits > 0)
		buf_addc(out, alphabet[h->bits << (6 - h->nbits) & 0x3f]);
	buf_addc(out, '-');
	*h = (struct shift){ 0 };
}

int
mutf7_encode(struct str s, struct buf *out)
{
	struct shift	h = { 0 };
	uint32_t	c;

	if (!str_is_utf8(s))
		return -1;
	while (s.n > 0) {
		c = take_utf8(&s);
		if (is_direct(c)) {
			shift_end(&h, out);
			buf_addc(out, (char)c);
			if (c == '&')
				buf_addc(out, '-');
		} else if (c < 0x10000) {
			shift_unit(&h, c, out);
		} else {
			shift_unit(&h, 0xd800 + ((c - 0x10000) >> 10), out);
			shift_unit(&h, 0xdc00 + ((c - 0x10000) & 0x3ff), out);
		}
	}
	shift_end(&h, out);
	return buf_ok(out) ? 0 : -1;
}
