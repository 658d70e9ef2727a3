/*
 * mimefield - see mimefield.h.  Pure.
 */
#include "common/mail/mimefield.h"

#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* tspecials, RFC 2045 5.1, are no part of a token. */
static bool
is_token_char(char c)
{
	return (unsigned char)c > 0x20 && c != 0x7f &&
	    strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

/* Behind the comment that begins at p; an open one takes all. */
static size_t
comment_end(struct str s)
{
	size_t i, depth = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.n;
}

void
mimefield_skip(struct str *s)
{
	while (s->n > 0) {
		if (is_blank(s->p[0]))
			*s = str_from(*s, 1);
		else if (s->p[0] == '(')
			*s = str_from(*s, comment_end(*s));
		else
			break;
	}
}

bool
mimefield_token(struct str *s, struct str *token)
{
	size_t n = 0;

	mimefield_skip(s);
	while (n < s->n && is_token_char(s->p[n]))
		n++;
	*token = str_sub(*s, 0, n);
	*s = str_from(*s, n);
	return n > 0;
}

bool
mimefield_only(struct str value, struct str *token)
{
	if (!mimefield_token(&value, token))
		return false;
	mimefield_skip(&value);
	return value.n == 0;
}

int
mimefield_type(struct str value, struct str *type, struct str *subtype,
    struct str *params)
{
	if (!mimefield_token(&value, type))
		return -1;
	mimefield_skip(&value);
	if (value.n == 0 || value.p[0] != '/')
		return -1;
	value = str_from(value, 1);
	if (!mimefield_token(&value, subtype))
		return -1;
	*params = value;
	return 0;
}

/* Line ends inside are folding and vanish. */
static bool
quoted(struct str *s, struct buf *out)
{
	size_t i;

	for (i = 1; i < s->n && s->p[i] != '"'; i++) {
		if (s->p[i] == '\\' && i + 1 < s->n)
			i++;
		else if (s->p[i] == '\r' || s->p[i] == '\n')
			continue;
		buf_addc(out, s->p[i]);
	}
	*s = str_from(*s, i + 1);
	return true;
}

/* Lenient: up to the next separator, for values that want quotes. */
static bool
bare(struct str *s, struct buf *out)
{
	size_t n = 0;

	while (n < s->n && s->p[n] != ';' && s->p[n] != '(' &&
	    !is_blank(s->p[n]))
		n++;
	buf_add(out, str_sub(*s, 0, n));
	*s = str_from(*s, n);
	return n > 0;
}

bool
mimefield_param(struct str *params, struct str *name, struct buf *value)
{
	for (;;) {
		mimefield_skip(params);
		if (params->n == 0)
			return false;
		/* What is no parameter is passed over. */
		if (params->p[0] != ';') {
			*params = str_from(*params, 1);
			continue;
		}
		*params = str_from(*params, 1);
		if (!mimefield_token(params, name))
			continue;
		mimefield_skip(params);
		if (params->n == 0 || params->p[0] != '=')
			continue;
		*params = str_from(*params, 1);
		mimefield_skip(params);
		buf_reset(value);
		if (params->n > 0 && (params->p[0] == '"' ?
		    quoted(params, value) : bare(params, value)))
			return true;
	}
}

bool
mimefield_find(struct str params, struct str name, struct buf *value)
{
	struct str found;

	while (mimefield_param(&params, &found, value)) {
		if (str_ieq(found, name))
			return true;
	}
	return false;
}
