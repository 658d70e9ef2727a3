/*
 * collect - see collect.h.  Pure.
 */
#include "imapd/collect.h"

#include <string.h>

void
collect_init(struct collect *c)
{
	*c = (struct collect){ 0 };
	buf_init(&c->text, COLLECT_LINES_MAX + COLLECT_LITERAL_MAX);
}

void
collect_clear(struct collect *c)
{
	buf_clear(&c->text);
}

void
collect_next(struct collect *c)
{
	/* A command with a large literal does not hold its memory. */
	if (c->text.cap > 4096)
		buf_clear(&c->text);
	buf_reset(&c->text);
	c->left = 0;
	c->line = c->line_bytes = c->literal_bytes = 0;
	c->literals = 0;
	c->event = COLLECT_MORE;
	c->dropping = false;
}

struct parse
collect_command(const struct collect *c)
{
	return parse_of(c->text.p + c->text.at, c->text.n - 2);
}

static bool
line_is_whole(const struct collect *c)
{
	struct str s = str_from(buf_str(&c->text), c->line);

	return s.n >= 2 && s.p[s.n - 2] == '\r' && s.p[s.n - 1] == '\n';
}

static void
line_done(struct collect *c)
{
	struct str s = str_from(buf_str(&c->text), c->line);

	s.n -= 2;
	c->event = parse_literal_at_end(s, &c->literal) ?
	    COLLECT_LITERAL : COLLECT_COMMAND;
}

/* Bytes of a line, at most up to its LF. */
static size_t
feed_line(struct collect *c, struct str s)
{
	ptrdiff_t	lf = str_chr(s, '\n');
	size_t		n = lf == -1 ? s.n : (size_t)lf + 1;

	if (n > COLLECT_LINES_MAX - c->line_bytes) {
		c->event = COLLECT_TOO_LONG;
		return 0;
	}
	c->line_bytes += n;
	buf_add(&c->text, str_sub(s, 0, n));
	if (lf != -1 && line_is_whole(c))
		line_done(c);
	return n;
}

static size_t
feed_literal(struct collect *c, struct str s)
{
	size_t n = s.n > c->left ? (size_t)c->left : s.n;

	if (!c->dropping)
		buf_add(&c->text, str_sub(s, 0, n));
	c->left -= n;
	if (c->left == 0)
		c->line = c->text.n;
	return n;
}

size_t
collect_feed(struct collect *c, struct str s)
{
	size_t taken = 0;

	while (taken < s.n && c->event == COLLECT_MORE) {
		if (c->left > 0)
			taken += feed_literal(c, str_from(s, taken));
		else
			taken += feed_line(c, str_from(s, taken));
	}
	return taken;
}

static void
go_on(struct collect *c)
{
	c->event = COLLECT_MORE;
	c->line = c->text.n;
}

int
collect_accept(struct collect *c)
{
	if (c->literals == COLLECT_LITERALS_MAX ||
	    c->literal.n > COLLECT_LITERAL_MAX - c->literal_bytes)
		return -1;
	c->literals++;
	c->literal_bytes += (size_t)c->literal.n;
	c->left = c->literal.n;
	go_on(c);
	return 0;
}

void
collect_drop(struct collect *c)
{
	c->dropping = true;
	c->left = c->literal.n;
	collect_taken(c);
}

void
collect_taken(struct collect *c)
{
	buf_reset(&c->text);
	go_on(c);
	/* What was dropped is no memory: only this line counts. */
	c->line_bytes = 0;
}
