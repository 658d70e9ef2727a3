/*
 * addrlist - see addrlist.h.  Pure.
 */
#include "common/mail/addrlist.h"

#include <string.h>

void
addrlist_init(struct addrlist *l, struct str value)
{
	*l = (struct addrlist){ .rest = value };
	buf_init(&l->name, value.n);
	buf_init(&l->route, value.n);
	buf_init(&l->mailbox, value.n);
	buf_init(&l->domain, value.n);
}

void
addrlist_clear(struct addrlist *l)
{
	buf_clear(&l->name);
	buf_clear(&l->route);
	buf_clear(&l->mailbox);
	buf_clear(&l->domain);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_special(char c)
{
	return is_blank(c) || (c != '\0' && strchr("()<>,;:\"@[]", c) != NULL);
}

static char
peek(const struct addrlist *l)
{
	return l->rest.n > 0 ? l->rest.p[0] : '\0';
}

static void
drop(struct addrlist *l)
{
	l->rest = str_from(l->rest, 1);
}

/* The text of a comment, nested ones with their parentheses. */
static void
comment(struct addrlist *l, struct buf *out)
{
	size_t	depth = 0;
	char	c;

	buf_reset(out);
	while (l->rest.n > 0) {
		c = peek(l);
		drop(l);
		if (c == '\\' && l->rest.n > 0) {
			c = peek(l);
			drop(l);
		} else if (c == '(' && depth++ == 0) {
			continue;
		} else if (c == ')' && --depth == 0) {
			return;
		}
		if (c != '\r' && c != '\n')
			buf_addc(out, c);
	}
}

static void
quoted(struct addrlist *l, struct buf *out)
{
	char c;

	drop(l);
	while (l->rest.n > 0) {
		c = peek(l);
		drop(l);
		if (c == '"')
			return;
		if (c == '\\' && l->rest.n > 0) {
			c = peek(l);
			drop(l);
		}
		if (c != '\r' && c != '\n')
			buf_addc(out, c);
	}
}

static void
atom(struct addrlist *l, struct buf *out)
{
	while (l->rest.n > 0 && !is_special(peek(l))) {
		buf_addc(out, peek(l));
		drop(l);
	}
}

/* Blanks and comments; true if there were any. */
static bool
skip(struct addrlist *l, struct buf *note)
{
	bool any = false;

	while (l->rest.n > 0) {
		if (is_blank(peek(l)))
			drop(l);
		else if (peek(l) == '(')
			comment(l, note);
		else
			break;
		any = true;
	}
	return any;
}

/*
 * Words up to a special character.  Blanks between them become one where
 * `spaced`, and vanish otherwise.
 */
static void
words(struct addrlist *l, struct buf *out, struct buf *note, bool spaced)
{
	bool gap;

	for (;;) {
		gap = skip(l, note);
		if (l->rest.n == 0 || strchr("<>,;:@()[]", peek(l)) != NULL)
			return;
		if (gap && spaced && out->n > 0)
			buf_addc(out, ' ');
		if (peek(l) == '"')
			quoted(l, out);
		else
			atom(l, out);
	}
}

static void
domain(struct addrlist *l, struct buf *note)
{
	l->has_domain = true;
	skip(l, note);
	if (peek(l) != '[') {
		words(l, &l->domain, note, false);
		return;
	}
	while (l->rest.n > 0) {
		char c = peek(l);

		drop(l);
		if (!is_blank(c))
			buf_addc(&l->domain, c);
		if (c == ']')
			return;
	}
}

/* "@a,@b:" at the start of what stands in angle brackets. */
static void
route(struct addrlist *l, struct buf *note)
{
	while (l->rest.n > 0 && peek(l) != ':' && peek(l) != '>') {
		if (!skip(l, note)) {
			buf_addc(&l->route, peek(l));
			drop(l);
		}
	}
	if (peek(l) == ':')
		drop(l);
}

static void
angle(struct addrlist *l, struct buf *note)
{
	drop(l);
	skip(l, note);
	if (peek(l) == '@')
		route(l, note);
	words(l, &l->mailbox, note, false);
	if (peek(l) == '@') {
		drop(l);
		domain(l, note);
	}
	while (l->rest.n > 0 && peek(l) != '>' && peek(l) != ',')
		drop(l);
	if (peek(l) == '>')
		drop(l);
}

/* After an address: to the comma, or what ends the group. */
static void
to_separator(struct addrlist *l, struct buf *note)
{
	while (l->rest.n > 0 && peek(l) != ',' && peek(l) != ';') {
		if (!skip(l, note))
			drop(l);
	}
}

static enum addrlist_kind
address(struct addrlist *l, struct buf *note)
{
	words(l, &l->name, note, true);
	if (peek(l) == ':' && !l->in_group) {
		drop(l);
		buf_add(&l->mailbox, buf_str(&l->name));
		buf_reset(&l->name);
		l->in_group = true;
		return ADDRLIST_GROUP;
	}
	if (peek(l) == '<') {
		angle(l, note);
		to_separator(l, note);
		return ADDRLIST_ADDRESS;
	}
	/* No angle brackets: the words were the mailbox. */
	buf_add(&l->mailbox, buf_str(&l->name));
	buf_reset(&l->name);
	if (peek(l) == '@') {
		drop(l);
		domain(l, note);
	}
	to_separator(l, note);
	buf_add(&l->name, buf_str(note));
	return ADDRLIST_ADDRESS;
}

static void
reset(struct addrlist *l)
{
	buf_reset(&l->name);
	buf_reset(&l->route);
	buf_reset(&l->mailbox);
	buf_reset(&l->domain);
	l->has_domain = false;
}

enum addrlist_kind
addrlist_next(struct addrlist *l)
{
	enum addrlist_kind	kind;
	struct buf		note;

	buf_init(&note, l->rest.n);
	for (;;) {
		reset(l);
		skip(l, &note);
		buf_reset(&note);
		if (l->rest.n == 0 || l->count++ > ADDRLIST_MAX) {
			kind = l->in_group ? ADDRLIST_GROUP_END :
			    ADDRLIST_END;
			l->rest = (struct str){ "", 0 };
			l->in_group = false;
			break;
		}
		if (peek(l) == ',') {
			drop(l);
			continue;
		}
		if (peek(l) == ';') {
			drop(l);
			if (!l->in_group)
				continue;
			l->in_group = false;
			kind = ADDRLIST_GROUP_END;
			break;
		}
		kind = address(l, &note);
		if (kind == ADDRLIST_GROUP || l->mailbox.n > 0 ||
		    l->has_domain || l->name.n > 0)
			break;
	}
	buf_clear(&note);
	return kind;
}
