/*
 * smtp_data - see smtp_data.h.  Pure.
 */
#include "smtpd/smtp_data.h"

#include <string.h>

enum {
	AT_START,	/* of a line */
	AT_LINE,
	AT_CR,		/* after a CR that belongs to the content */
	AT_DOT,		/* after the dot that begins a line */
	AT_DOT_CR	/* and a CR: neither is content */
};

void
smtp_data_init(struct smtp_data *d)
{
	*d = (struct smtp_data){ .at = AT_START };
}

/* The content of a line up to its end or that of s; false: a bare byte. */
static bool
read_line(struct smtp_data *d, const struct smtp_data_limits *l, struct str s,
    size_t *used)
{
	const char	*end;
	size_t		 n = s.n;

	end = memchr(s.p, '\n', n);
	if (end != NULL)
		n = (size_t)(end - s.p);
	end = memchr(s.p, '\r', n);
	if (end != NULL)
		n = (size_t)(end - s.p);
	if (memchr(s.p, '\0', n) != NULL)
		return false;
	d->line += n;
	if (d->line > l->line)
		d->long_line = true;
	*used = n;
	if (n == s.n)
		return true;
	if (s.p[n] == '\n')
		return false;
	d->at = AT_CR;
	*used = n + 1;
	return true;
}

static void
measure(struct smtp_data *d, const struct smtp_data_limits *l,
    struct str chunk)
{
	d->size += chunk.n;
	if (d->size > l->message)
		d->too_big = true;
	if (d->header_big)
		return;
	hdr_scan(&d->header, chunk);
	if (d->header.size > l->header || d->header.field_max > l->field)
		d->header_big = true;
}

static enum smtp_data_kind
finish(struct smtp_data *d)
{
	if (!d->header_big)
		hdr_scan_end(&d->header);
	return DATA_END;
}

/*
 * One step at in[*i].  Content is what lies between `from` and *i; a step
 * that drops a byte is only made when that is empty.
 */
static enum smtp_data_kind
step(struct smtp_data *d, const struct smtp_data_limits *l, struct str in,
    size_t *i, size_t *from)
{
	char	c = in.p[*i];
	size_t	used;

	if (d->at == AT_START && c == '.') {
		if (*i > *from)
			return DATA_CHUNK;
		d->at = AT_DOT;
		*from = ++*i;
		return DATA_MORE;
	}
	if (d->at == AT_DOT && c == '\r') {
		d->at = AT_DOT_CR;
		*from = ++*i;
		return DATA_MORE;
	}
	if (d->at == AT_DOT_CR) {
		*from = ++*i;
		return c == '\n' ? finish(d) : DATA_BARE;
	}
	if (d->at == AT_CR) {
		++*i;
		d->at = AT_START;
		d->line = 0;
		return c == '\n' ? DATA_MORE : DATA_BARE;
	}
	d->at = AT_LINE;
	if (!read_line(d, l, str_from(in, *i), &used))
		return DATA_BARE;
	*i += used;
	return DATA_MORE;
}

enum smtp_data_kind
smtp_data_next(struct smtp_data *d, const struct smtp_data_limits *l,
    struct str *in, struct str *chunk)
{
	enum smtp_data_kind	kind = DATA_MORE;
	size_t			i = 0, from = 0;

	while (kind == DATA_MORE && i < in->n)
		kind = step(d, l, *in, &i, &from);
	*chunk = str_sub(*in, from, i - from);
	*in = str_from(*in, i);
	if (kind == DATA_MORE && chunk->n > 0)
		kind = DATA_CHUNK;
	if (kind == DATA_CHUNK)
		measure(d, l, *chunk);
	return kind;
}
