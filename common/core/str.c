/*
 * str - see str.h.  Pure.
 */
#include "common/core/str.h"

#include <string.h>

struct str
str_c(const char *s)
{
	return (struct str){ s, s == NULL ? 0 : strlen(s) };
}

struct str
str_of(const void *p, size_t n)
{
	return (struct str){ p, n };
}

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_ieq(struct str a, struct str b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++) {
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix);
}

bool
str_istarts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_ieq(str_sub(s, 0, prefix.n), prefix);
}

int
str_cmp(struct str a, struct str b)
{
	size_t	n = a.n < b.n ? a.n : b.n;
	int	c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

struct str
str_sub(struct str s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	/* Nothing is added to NULL. */
	return (struct str){ from == 0 ? s.p : s.p + from, n };
}

struct str
str_from(struct str s, size_t from)
{
	return str_sub(s, from, s.n);
}

ptrdiff_t
str_chr(struct str s, char c)
{
	const char *p = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return p == NULL ? -1 : p - s.p;
}

ptrdiff_t
str_rchr(struct str s, char c)
{
	const char *p = s.n == 0 ? NULL : memrchr(s.p, c, s.n);

	return p == NULL ? -1 : p - s.p;
}

ptrdiff_t
str_find(struct str s, struct str what)
{
	const char *p;

	if (what.n == 0)
		return 0;
	if (s.n < what.n)
		return -1;
	p = memmem(s.p, s.n, what.p, what.n);
	return p == NULL ? -1 : p - s.p;
}

ptrdiff_t
str_ifind(struct str s, struct str what)
{
	size_t i;

	if (what.n == 0)
		return 0;
	for (i = 0; i + what.n <= s.n; i++) {
		if (str_ieq(str_sub(s, i, what.n), what))
			return (ptrdiff_t)i;
	}
	return -1;
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_from(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool
str_cut(struct str *rest, char sep, struct str *piece)
{
	ptrdiff_t at;

	if (rest->p == NULL)
		return false;
	at = str_chr(*rest, sep);
	if (at == -1) {
		*piece = *rest;
		*rest = (struct str){ NULL, 0 };
		return true;
	}
	*piece = str_sub(*rest, 0, (size_t)at);
	*rest = str_from(*rest, (size_t)at + 1);
	return true;
}

int
str_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t	v = 0;
	unsigned	d;
	size_t		i;

	if (s.n == 0)
		return -1;
	for (i = 0; i < s.n; i++) {
		if (!ascii_isdigit(s.p[i]))
			return -1;
		d = (unsigned)(s.p[i] - '0');
		if (v > (UINT64_MAX - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	if (v > max)
		return -1;
	*out = v;
	return 0;
}

/* Bytes of the well-formed sequence at the start of s, or 0.  RFC 3629. */
static size_t
utf8_len(struct str s)
{
	unsigned char	c = (unsigned char)s.p[0];
	unsigned char	lo = 0x80, hi = 0xbf, t;
	size_t		n, i;

	if (c >= 0x01 && c <= 0x7f)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		n = 2;
	else if (c >= 0xe0 && c <= 0xef)
		n = 3;
	else if (c >= 0xf0 && c <= 0xf4)
		n = 4;
	else
		return 0;
	if (s.n < n)
		return 0;
	/* The second byte rules out overlongs, surrogates, above 10FFFF. */
	if (c == 0xe0)
		lo = 0xa0;
	else if (c == 0xed)
		hi = 0x9f;
	else if (c == 0xf0)
		lo = 0x90;
	else if (c == 0xf4)
		hi = 0x8f;
	for (i = 1; i < n; i++) {
		t = (unsigned char)s.p[i];
		if (t < lo || t > hi)
			return 0;
		lo = 0x80;
		hi = 0xbf;
	}
	return n;
}

bool
str_is_utf8(struct str s)
{
	size_t n;

	while (s.n > 0) {
		n = utf8_len(s);
		if (n == 0)
			return false;
		s = str_from(s, n);
	}
	return true;
}

bool
str_is_print(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	}
	return true;
}
