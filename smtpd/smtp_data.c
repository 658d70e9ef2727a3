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

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first line is no field: is there another reading than "a body"? */
static enum smtp_opening
judge(const struct smtp_data *d, char c)
{
	struct str first = str_of(d->first, d->opened < sizeof(d->first) ?
	    d->opened : sizeof(d->first));

	if (is_blank(d->first[0]) || str_starts(first, S("From ")) ||
	    str_starts(first, S(">From ")))
		return OPENING_HEADER;
	return c == '\r' ? OPENING_LONE : OPENING_BODY;
}

static void
look(struct smtp_data *d, char c)
{
	if (d->opened < sizeof(d->first))
		d->first[d->opened] = c;
	d->opened++;
	if (d->opening == OPENING_LONE) {
		if (c == ':')
			d->opening = OPENING_HEADER;
		else if (c != '\n' && !is_blank(c))
			d->opening = OPENING_BODY;
	} else {
		hdr_scan(&d->header, str_of(&c, 1));
		if (d->header.fields > 0 || d->header.ended)
			d->opening = OPENING_HEADER;
		else if (d->header.junk)
			d->opening = judge(d, c);
	}
	if (d->opened == SMTP_OPENING_MAX && d->opening < OPENING_HEADER)
		d->opening = OPENING_BODY;
}

static void
measure(struct smtp_data *d, const struct smtp_data_limits *l,
    struct str chunk)
{
	size_t i;

	d->size += chunk.n;
	if (d->size > l->message)
		d->too_big = true;
	for (i = 0; i < chunk.n && d->opening < OPENING_HEADER; i++)
		look(d, chunk.p[i]);
	/* Before it is known to be a header it is not one that is too big. */
	if (d->header_big || d->opening != OPENING_HEADER)
		return;
	hdr_scan(&d->header, str_from(chunk, i));
	if (d->header.size > l->header || d->header.field_max > l->field)
		d->header_big = true;
}

static enum smtp_data_kind
finish(struct smtp_data *d)
{
	if (d->opening == OPENING_LONE)
		d->opening = OPENING_BODY;
	if (!d->header_big && d->opening != OPENING_BODY)
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
