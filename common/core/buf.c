/*
 * buf - see buf.h.  Pure.
 */
#include "common/core/buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *b, size_t max)
{
	/* No object is larger.  With the NUL, nothing below overflows. */
	if (max > PTRDIFF_MAX - 1)
		max = PTRDIFF_MAX - 1;
	*b = (struct buf){ .max = max };
}

void
buf_clear(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->at = 0;
	b->n = 0;
	b->bad = false;
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_clear(b);
}

/* Makes room for n more bytes and a NUL behind them. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t	 want;
	char	*p;

	if (b->bad || n > b->max - b->n) {
		b->bad = true;
		return false;
	}
	want = b->n + n + 1;
	if (b->at + want <= b->cap)
		return true;
	if (want <= b->cap / 2 || (b->at > 0 && want <= b->cap)) {
		memmove(b->p, b->p + b->at, b->n);
		b->at = 0;
		return true;
	}
	if (want < 128)
		want = 128;
	if (want < b->cap * 2)
		want = b->cap * 2;
	if (want > b->max + 1)
		want = b->max + 1;
	p = malloc(want);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	if (b->n > 0)
		memcpy(p, b->p + b->at, b->n);
	/* A copy left behind here would escape buf_wipe. */
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	free(b->p);
	b->p = p;
	b->at = 0;
	b->cap = want;
	return true;
}

void
buf_add(struct buf *b, struct str s)
{
	if (!reserve(b, s.n) || s.n == 0)
		return;
	memcpy(b->p + b->at + b->n, s.p, s.n);
	b->n += s.n;
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, str_of(&c, 1));
}

void
buf_addz(struct buf *b, const char *s)
{
	buf_add(b, str_c(s));
}

void
buf_addu(struct buf *b, uint64_t v)
{
	char	 digits[20];
	size_t	 i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_add(b, str_of(digits + i, sizeof(digits) - i));
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	char	 small[512], *big;
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	assert(n >= 0);
	if ((size_t)n < sizeof(small)) {
		buf_add(b, str_of(small, (size_t)n));
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&big, fmt, ap);
	va_end(ap);
	if (n == -1) {
		b->bad = true;
		return;
	}
	buf_add(b, str_of(big, (size_t)n));
	free(big);
}

char *
buf_room(struct buf *b, size_t n)
{
	return reserve(b, n) ? b->p + b->at + b->n : NULL;
}

void
buf_grow(struct buf *b, size_t n)
{
	assert(!b->bad && b->at + b->n + n < b->cap);
	b->n += n;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n > b->n)
		n = b->n;
	b->at += n;
	b->n -= n;
	if (b->n == 0)
		b->at = 0;
}

void
buf_trunc(struct buf *b, size_t n)
{
	if (n < b->n)
		b->n = n;
}

bool
buf_ok(const struct buf *b)
{
	return !b->bad;
}

size_t
buf_left(const struct buf *b)
{
	return b->bad ? 0 : b->max - b->n;
}

struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->p == NULL ? "" : b->p + b->at, b->n };
}

const char *
buf_cstr(struct buf *b)
{
	if (!reserve(b, 0))
		return "";
	b->p[b->at + b->n] = '\0';
	return b->p + b->at;
}
