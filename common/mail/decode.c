/*
 * decode - see decode.h.  Pure.
 */
#include "common/mail/decode.h"

#include "common/mail/mimefield.h"

enum decode_kind
decode_kind(struct str value)
{
	struct str word;

	if (!mimefield_only(value, &word))
		return DECODE_NONE;
	if (str_ieq(word, S("base64")))
		return DECODE_BASE64;
	if (str_ieq(word, S("quoted-printable")))
		return DECODE_QUOTED;
	return DECODE_NONE;
}

void
decode_init(struct decode *d, enum decode_kind kind)
{
	*d = (struct decode){ .kind = kind };
}

/* -- base64 ----------------------------------------------------------- */

/* -1: no digit. */
static int
digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static void
base64(struct decode *d, struct str s, struct buf *out)
{
	size_t	i;
	int	v;

	for (i = 0; i < s.n; i++) {
		v = digit64(s.p[i]);
		if (v == -1) {
			/* Behind the padding another text may begin. */
			if (s.p[i] == '=')
				d->nbits = 0;
			continue;
		}
		d->bits = d->bits << 6 | (uint32_t)v;
		d->nbits += 6;
		if (d->nbits < 8)
			continue;
		d->nbits -= 8;
		buf_addc(out, (char)(d->bits >> d->nbits & 0xff));
	}
}

/* -- quoted-printable ------------------------------------------------- */

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* It was no escape after all. */
static void
release(struct decode *d, struct buf *out)
{
	if (d->nheld > 0)
		buf_add(out, str_of(d->held, d->nheld));
	d->nheld = 0;
}

/* One more octet of an escape; false when that is for the caller. */
static bool
escape(struct decode *d, char c, struct buf *out)
{
	/* "=" and a line end: the line goes on. */
	if (c == '\n' && (d->nheld == 1 || d->held[1] == '\r')) {
		d->nheld = 0;
		return true;
	}
	if (d->nheld == 1 && (hex(c) != -1 || c == '\r')) {
		d->held[d->nheld++] = c;
		return true;
	}
	if (d->nheld == 2 && hex(d->held[1]) != -1 && hex(c) != -1) {
		buf_addc(out, (char)(hex(d->held[1]) * 16 + hex(c)));
		d->nheld = 0;
		return true;
	}
	release(d, out);
	return false;
}

static void
quoted(struct decode *d, struct str s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (d->nheld > 0 && escape(d, s.p[i], out))
			continue;
		if (s.p[i] == '=')
			d->held[d->nheld++] = '=';
		else
			buf_addc(out, d->word && s.p[i] == '_' ? ' ' :
			    s.p[i]);
	}
}

void
decode_feed(struct decode *d, struct str s, struct buf *out)
{
	switch (d->kind) {
	case DECODE_NONE:
		buf_add(out, s);
		return;
	case DECODE_BASE64:
		base64(d, s, out);
		return;
	case DECODE_QUOTED:
		quoted(d, s, out);
		return;
	}
}

void
decode_end(struct decode *d, struct buf *out)
{
	release(d, out);
	d->nbits = 0;
}
