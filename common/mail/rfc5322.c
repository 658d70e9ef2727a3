/*
 * rfc5322 - see rfc5322.h.  Pure.
 */
#include "common/mail/rfc5322.h"

#include <string.h>

/* Bytes of the first line of s, its CRLF included. */
static size_t
line_size(struct str s)
{
	size_t		from = 0;
	const char	*lf;

	while (from < s.n) {
		lf = memchr(s.p + from, '\n', s.n - from);
		if (lf == NULL)
			break;
		from = (size_t)(lf - s.p) + 1;
		if (from >= 2 && lf[-1] == '\r')
			return from;
	}
	return s.n;
}

static bool
is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 2.2: printable, no space, no colon. */
static bool
is_ftext(char c)
{
	return c > 0x20 && c < 0x7f && c != ':';
}

/* Bytes up to the colon, and of the name alone; false: no field begins. */
static bool
name_size(struct str s, size_t *name, size_t *colon)
{
	size_t i = 0;

	while (i < s.n && is_ftext(s.p[i]))
		i++;
	*name = i;
	while (i < s.n && is_wsp(s.p[i]))
		i++;
	*colon = i;
	return *name > 0 && i < s.n && s.p[i] == ':';
}

enum hdr_kind
hdr_next(struct str *rest, struct hdr_field *f)
{
	size_t		n, name, colon;
	struct str	s = *rest;

	if (s.n == 0)
		return HDR_END;
	if (str_starts(s, S("\r\n"))) {
		*rest = str_from(s, 2);
		return HDR_END;
	}
	n = line_size(s);
	if (!name_size(str_sub(s, 0, n), &name, &colon)) {
		*f = (struct hdr_field){ .raw = str_sub(s, 0, n) };
		*rest = str_from(s, n);
		return HDR_JUNK;
	}
	while (n < s.n && is_wsp(s.p[n]) && s.p[n - 1] == '\n' &&
	    s.p[n - 2] == '\r')
		n += line_size(str_from(s, n));
	f->name = str_sub(s, 0, name);
	f->raw = str_sub(s, 0, n);
	f->value = str_from(f->raw, colon + 1);
	if (f->value.n >= 2 && f->raw.p[n - 1] == '\n' &&
	    f->raw.p[n - 2] == '\r')
		f->value.n -= 2;
	*rest = str_from(s, n);
	return HDR_FIELD;
}

size_t
hdr_size(struct str message)
{
	struct hdr_field	f;
	struct str		rest = message;

	while (hdr_next(&rest, &f) != HDR_END)
		continue;
	return message.n - rest.n;
}

bool
hdr_find(struct str message, struct str name, struct hdr_field *f)
{
	enum hdr_kind kind;

	while ((kind = hdr_next(&message, f)) != HDR_END) {
		if (kind == HDR_FIELD && str_ieq(f->name, name))
			return true;
	}
	return false;
}

void
hdr_unfold(struct buf *out, struct str value)
{
	ptrdiff_t at;

	value = str_trim(value);
	while ((at = str_find(value, S("\r\n"))) != -1) {
		buf_add(out, str_sub(value, 0, (size_t)at));
		value = str_from(value, (size_t)at + 2);
	}
	buf_add(out, value);
}

/* Where in a line of the header the scan is. */
enum {
	AT_START,	/* of the message: nothing can go on yet */
	AT_LINE,	/* of a line; a field is open before it */
	AT_BARE,	/* of a line; junk before it */
	AT_EMPTY,	/* after the CR of what may be the empty line */
	AT_NAME,
	AT_BLANK,	/* between name and colon */
	AT_VALUE,
	AT_VALUE_CR,
	AT_JUNK,
	AT_JUNK_CR
};

static const char received[] = "received";

static void
to_junk(struct hdr_scan *h, char c)
{
	h->junk = true;
	h->at = c == '\r' ? AT_JUNK_CR : AT_JUNK;
}

static void
begin_line(struct hdr_scan *h, char c)
{
	if (c == '\r') {
		h->at = AT_EMPTY;
		return;
	}
	if (is_wsp(c) && h->at == AT_LINE) {
		h->at = AT_VALUE;
		return;
	}
	h->field = 0;
	h->match = 0;
	if (is_ftext(c)) {
		h->at = AT_NAME;
		h->match = ascii_lower(c) == received[0];
		return;
	}
	to_junk(h, c);
}

static void
in_name(struct hdr_scan *h, char c)
{
	if (c == ':') {
		h->fields++;
		if (h->match == sizeof(received) - 1)
			h->received++;
		h->at = AT_VALUE;
	} else if (is_wsp(c)) {
		h->at = AT_BLANK;
	} else if (h->at == AT_BLANK || !is_ftext(c)) {
		to_junk(h, c);
	} else if (h->match > 0 && ascii_lower(c) == received[h->match]) {
		h->match++;
	} else {
		h->match = 0;
	}
}

static void
scan_byte(struct hdr_scan *h, char c)
{
	switch (h->at) {
	case AT_START:
	case AT_LINE:
	case AT_BARE:
		begin_line(h, c);
		break;
	case AT_EMPTY:
		if (c == '\n') {
			h->ended = true;
		} else {
			h->field = 1;
			to_junk(h, c);
		}
		break;
	case AT_NAME:
	case AT_BLANK:
		in_name(h, c);
		break;
	case AT_VALUE:
		if (c == '\r')
			h->at = AT_VALUE_CR;
		break;
	case AT_VALUE_CR:
		if (c == '\n')
			h->at = AT_LINE;
		else if (c != '\r')
			h->at = AT_VALUE;
		break;
	case AT_JUNK:
		if (c == '\r')
			h->at = AT_JUNK_CR;
		break;
	case AT_JUNK_CR:
		if (c == '\n')
			h->at = AT_BARE;
		else if (c != '\r')
			h->at = AT_JUNK;
		break;
	}
	h->size++;
	h->field++;
	if (h->field > h->field_max && h->at != AT_EMPTY && !h->ended)
		h->field_max = h->field;
}

void
hdr_scan(struct hdr_scan *h, struct str s)
{
	size_t i;

	for (i = 0; i < s.n && !h->ended; i++)
		scan_byte(h, s.p[i]);
}

void
hdr_scan_end(struct hdr_scan *h)
{
	if (h->ended)
		return;
	if (h->at == AT_NAME || h->at == AT_BLANK || h->at == AT_EMPTY)
		h->junk = true;
	if (h->at == AT_EMPTY && h->field_max == 0)
		h->field_max = 1;
}
