/*
 * mime - see mime.h.  Pure.
 */
#include "common/mail/mime.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"
#include "common/mail/mimefield.h"
#include "common/mail/rfc5322.h"

static void begin_part(struct mime *, unsigned parent, bool digest);

void
mime_init(struct mime *m)
{
	*m = (struct mime){ 0 };
	buf_init(&m->text, MIME_HEADERS_MAX);
	m->open = xcalloc(MIME_DEPTH_MAX, sizeof(*m->open));
	begin_part(m, 0, false);
}

void
mime_clear(struct mime *m)
{
	free(m->parts);
	free(m->open);
	buf_clear(&m->text);
	*m = (struct mime){ 0 };
}

struct str
mime_header(const struct mime *m, const struct mime_part *p)
{
	return str_sub(buf_str(&m->text), p->text, p->text_n);
}

/* At the present octet, below the part that is open last. */
static void
begin_part(struct mime *m, unsigned parent, bool digest)
{
	struct mime_part	*p;
	unsigned		 i = m->n;

	if (m->n == m->cap) {
		m->cap = m->cap == 0 ? 8 : m->cap * 2;
		m->parts = xrealloc(m->parts, m->cap, sizeof(*m->parts));
	}
	m->n++;
	p = &m->parts[i];
	*p = (struct mime_part){ .head = m->at, .parent = parent,
	    .digest = digest, .text = (uint32_t)m->text.n };
	if (i > 0 && m->parts[parent].child == 0)
		m->parts[parent].child = i;
	else if (i > 0)
		m->parts[m->parts[parent].last].next = i;
	if (i > 0)
		m->parts[parent].last = i;
	m->open[m->depth++] = (struct mime_open){ .part = i };
	m->in_header = true;
}

static bool
may_begin(const struct mime *m)
{
	return m->depth < MIME_DEPTH_MAX && m->n < MIME_PARTS_MAX &&
	    m->text.n < MIME_HEADERS_MAX / 2;
}

/* What kind of part its header makes it; a boundary goes to `open`. */
static enum mime_kind
kind_of(struct mime *m, const struct mime_part *p, struct mime_open *open)
{
	struct str		type, subtype, params;
	struct hdr_field	f;
	struct buf		value;
	enum mime_kind		kind = MIME_LEAF;

	if (!hdr_find(mime_header(m, p), S("Content-Type"), &f) ||
	    mimefield_type(f.value, &type, &subtype, &params) == -1)
		return p->digest ? MIME_MESSAGE : MIME_LEAF;
	if (str_ieq(type, S("message")) && str_ieq(subtype, S("rfc822")))
		return MIME_MESSAGE;
	if (!str_ieq(type, S("multipart")))
		return MIME_LEAF;
	buf_init(&value, f.value.n);
	if (mimefield_find(params, S("boundary"), &value) && value.n > 0 &&
	    value.n <= MIME_BOUNDARY_MAX) {
		kind = MIME_MULTI;
		open->digest = str_ieq(subtype, S("digest"));
		open->boundary_n = (uint8_t)value.n;
		memcpy(open->boundary, buf_str(&value).p, value.n);
	}
	buf_clear(&value);
	return kind;
}

/* The empty line has passed. */
static void
begin_body(struct mime *m)
{
	struct mime_open	*open = &m->open[m->depth - 1];
	struct mime_part	*p = &m->parts[open->part];

	m->in_header = false;
	p->head_n = m->at - p->head;
	p->text_n = (uint32_t)m->text.n - p->text;
	p->body = m->at;
	m->floor = m->at;
	open->newlines = m->newlines;
	if (!may_begin(m))
		return;
	p->kind = kind_of(m, p, open);
	if (p->kind == MIME_MESSAGE)
		begin_part(m, open->part, false);
}

/* Closes the innermost part: its octets end at `end`. */
static void
end_part(struct mime *m, uint32_t end, uint32_t newlines)
{
	struct mime_open	*open = &m->open[--m->depth];
	struct mime_part	*p = &m->parts[open->part];

	if (m->in_header) {
		/* It has no body: all of it is header. */
		p->head_n = end > p->head ? end - p->head : 0;
		p->text_n = (uint32_t)m->text.n - p->text;
		p->body = p->head + p->head_n;
		m->in_header = false;
		return;
	}
	if (end > p->body) {
		p->body_n = end - p->body;
		p->lines = newlines - open->newlines;
	}
}

/*
 * Which open multipart this line is a boundary of, or -1.  RFC 2046 5.1.1:
 * it is enough that the line begins with it.  Where several do, the longest.
 */
static int
boundary_of(const struct mime *m, bool *last)
{
	struct str	line = str_of(m->line, m->line_n), boundary;
	unsigned	i;
	size_t		longest = 0;
	int		found = -1;

	if (!str_starts(line, S("--")))
		return -1;
	line = str_from(line, 2);
	for (i = m->depth; i-- > 0;) {
		boundary = str_of(m->open[i].boundary, m->open[i].boundary_n);
		if (boundary.n <= longest || !str_starts(line, boundary))
			continue;
		longest = boundary.n;
		found = (int)i;
		*last = str_starts(str_from(line, boundary.n), S("--"));
	}
	return found;
}

static void
at_boundary(struct mime *m, unsigned level, bool last)
{
	unsigned	multi = m->open[level].part;
	uint32_t	end = m->line_at, newlines = m->line_newlines;

	/*
	 * The line end before the boundary belongs to the boundary, unless
	 * it ends a header or another boundary.
	 */
	if (end >= 2 && newlines > 0 && end - 2 >= m->floor) {
		end -= 2;
		newlines--;
	}
	while (m->depth > level + 1)
		end_part(m, end, newlines);
	m->floor = m->at;
	if (last)
		m->open[level].boundary_n = 0;
	else if (may_begin(m))
		begin_part(m, multi, m->open[level].digest);
}

static void
end_line(struct mime *m, bool newline)
{
	int	level;
	bool	last;

	m->line_newlines = m->newlines;
	m->newlines += newline;
	/* Without the CRLF. */
	while (m->line_n > 0 && (m->line[m->line_n - 1] == '\n' ||
	    m->line[m->line_n - 1] == '\r'))
		m->line_n--;
	level = boundary_of(m, &last);
	if (level >= 0) {
		if (m->in_header)
			buf_trunc(&m->text, m->line_text);
		at_boundary(m, (unsigned)level, last);
	} else if (m->in_header && newline && m->at - m->line_at == 2) {
		begin_body(m);
	}
	m->line_at = m->at;
	m->line_n = 0;
	m->line_text = m->text.n;
}

void
mime_feed(struct mime *m, struct str s)
{
	ptrdiff_t	lf;
	size_t		n, keep;
	char		before;

	while (s.n > 0) {
		lf = str_chr(s, '\n');
		n = lf == -1 ? s.n : (size_t)lf + 1;
		keep = sizeof(m->line) - m->line_n;
		keep = n < keep ? n : keep;
		memcpy(m->line + m->line_n, s.p, keep);
		m->line_n += keep;
		if (m->in_header && buf_left(&m->text) >= n)
			buf_add(&m->text, str_sub(s, 0, n));
		m->at += (uint32_t)n;
		before = n > 1 ? s.p[n - 2] : m->last;
		m->last = s.p[n - 1];
		if (lf != -1 && before == '\r')
			end_line(m, true);
		s = str_from(s, n);
	}
}

void
mime_end(struct mime *m)
{
	if (m->at > m->line_at)
		end_line(m, false);
	while (m->depth > 0)
		end_part(m, m->at, m->newlines);
}

/* The i-th of what a message or multipart consists of, from 1. */
static const struct mime_part *
nth(const struct mime *m, const struct mime_part *p, uint32_t i)
{
	unsigned at;

	if (p->kind != MIME_MULTI)
		return i == 1 ? p : NULL;
	for (at = p->child; at != 0 && i > 1; i--)
		at = m->parts[at].next;
	return at == 0 || i == 0 ? NULL : &m->parts[at];
}

const struct mime_part *
mime_find(const struct mime *m, const uint32_t *numbers, unsigned n)
{
	const struct mime_part	*p = &m->parts[0];
	unsigned		 i;

	for (i = 0; i < n && p != NULL; i++) {
		/* Inside a message the count begins anew. */
		if (i > 0 && p->kind == MIME_MESSAGE && p->child != 0)
			p = &m->parts[p->child];
		else if (i > 0 && p->kind != MIME_MULTI)
			return NULL;
		p = nth(m, p, numbers[i]);
	}
	return p;
}
