/*
 * parse - see parse.h.  Pure.
 */
#include "imapd/parse.h"

#include <string.h>

struct parse
parse_of(char *p, size_t n)
{
	return (struct parse){ .p = p, .n = n };
}

int
parse_fail(struct parse *p, const char *error)
{
	if (p->error == NULL)
		p->error = error;
	return -1;
}

bool
parse_is_end(const struct parse *p)
{
	return p->at == p->n;
}

bool
parse_is(const struct parse *p, char c)
{
	return p->at < p->n && p->p[p->at] == c;
}

int
parse_char(struct parse *p, char c)
{
	if (!parse_is(p, c))
		return parse_fail(p, "unexpected character");
	p->at++;
	return 0;
}

int
parse_sp(struct parse *p)
{
	if (!parse_is(p, ' '))
		return parse_fail(p, "a space is missing");
	p->at++;
	return 0;
}

int
parse_end(struct parse *p)
{
	return parse_is_end(p) ? 0 :
	    parse_fail(p, "too many arguments");
}

/* ATOM-CHAR: no CTL, no 8-bit, no atom-specials. */
static bool
is_atom_char(char c)
{
	return c > 0x20 && c < 0x7f && strchr("(){%*\"\\]", c) == NULL;
}

static bool
is_astring_char(char c)
{
	return is_atom_char(c) || c == ']';
}

static bool
is_pattern_char(char c)
{
	return is_astring_char(c) || c == '%' || c == '*';
}

static bool
is_tag_char(char c)
{
	return is_astring_char(c) && c != '+';
}

static bool
is_word_char(char c)
{
	return ascii_isalnum(c) || c == '.' || c == '-';
}

static bool
is_set_char(char c)
{
	return ascii_isdigit(c) || c == ':' || c == ',' || c == '*';
}

static int
take(struct parse *p, bool (*is)(char), const char *error, struct str *out)
{
	size_t from = p->at;

	while (p->at < p->n && is(p->p[p->at]))
		p->at++;
	*out = str_of(p->p + from, p->at - from);
	return out->n > 0 ? 0 : parse_fail(p, error);
}

int
parse_tag(struct parse *p, struct str *out)
{
	if (take(p, is_tag_char, "no tag", out) == -1)
		return -1;
	if (out->n > PARSE_TAG_MAX)
		return parse_fail(p, "tag too long");
	return parse_is(p, ' ') || parse_is_end(p) ? 0 :
	    parse_fail(p, "bad tag");
}

int
parse_atom(struct parse *p, struct str *out)
{
	return take(p, is_atom_char, "an atom is missing", out);
}

int
parse_word(struct parse *p, struct str *out)
{
	return take(p, is_word_char, "a word is missing", out);
}

int
parse_set_text(struct parse *p, struct str *out)
{
	return take(p, is_set_char, "a message set is missing", out);
}

bool
parse_looks_like_set(const struct parse *p)
{
	return p->at < p->n && is_set_char(p->p[p->at]);
}

int
parse_number(struct parse *p, uint32_t *out)
{
	struct str	s;
	uint64_t	v;
	size_t		from = p->at;

	while (p->at < p->n && ascii_isdigit(p->p[p->at]))
		p->at++;
	s = str_of(p->p + from, p->at - from);
	if (str_u64(s, UINT32_MAX, &v) == -1)
		return parse_fail(p, "not a number of 32 bits");
	*out = (uint32_t)v;
	return 0;
}

static int
quoted(struct parse *p, struct str *out)
{
	size_t	from = p->at + 1, to = from;
	char	c;

	for (p->at++; p->at < p->n; p->at++) {
		c = p->p[p->at];
		if (c == '"') {
			p->at++;
			*out = str_of(p->p + from, to - from);
			return 0;
		}
		if (c == '\\') {
			if (++p->at == p->n)
				break;
			c = p->p[p->at];
			if (c != '"' && c != '\\')
				return parse_fail(p, "bad escape in string");
		} else if (c < 0x20 || c == 0x7f) {
			return parse_fail(p,
			    "control or 8-bit character in a quoted string");
		}
		p->p[to++] = c;
	}
	return parse_fail(p, "a string does not end");
}

static int
literal(struct parse *p, struct str *out)
{
	uint32_t n;

	p->at++;
	if (parse_number(p, &n) == -1)
		return -1;
	if (parse_is(p, '+'))
		p->at++;
	if (parse_char(p, '}') == -1 || parse_char(p, '\r') == -1 ||
	    parse_char(p, '\n') == -1)
		return -1;
	if (n > p->n - p->at)
		return parse_fail(p, "a literal is cut short");
	*out = str_of(p->p + p->at, n);
	p->at += n;
	if (str_chr(*out, '\0') != -1)
		return parse_fail(p, "NUL in a literal");
	return 0;
}

int
parse_string(struct parse *p, struct str *out)
{
	if (parse_is(p, '"'))
		return quoted(p, out);
	if (parse_is(p, '{'))
		return literal(p, out);
	return parse_fail(p, "a string is missing");
}

int
parse_astring(struct parse *p, struct str *out)
{
	if (parse_is(p, '"') || parse_is(p, '{'))
		return parse_string(p, out);
	return take(p, is_astring_char, "an argument is missing", out);
}

int
parse_pattern(struct parse *p, struct str *out)
{
	if (parse_is(p, '"') || parse_is(p, '{'))
		return parse_string(p, out);
	return take(p, is_pattern_char, "a pattern is missing", out);
}

int
parse_flag(struct parse *p, struct str *out)
{
	size_t from = p->at;

	if (parse_is(p, '\\'))
		p->at++;
	if (parse_atom(p, out) == -1)
		return -1;
	*out = str_of(p->p + from, p->at - from);
	return 0;
}

/* True if a quoted string is still open at the end of the line. */
static bool
ends_in_quotes(struct str line)
{
	bool	in = false;
	size_t	i;

	for (i = 0; i < line.n; i++) {
		if (line.p[i] == '"')
			in = !in;
		else if (in && line.p[i] == '\\')
			i++;
	}
	return in;
}

bool
parse_literal_at_end(struct str line, struct literal *out)
{
	struct str	digits;
	ptrdiff_t	brace;
	size_t		i;

	if (line.n < 3 || line.p[line.n - 1] != '}')
		return false;
	brace = str_rchr(line, '{');
	if (brace == -1)
		return false;
	digits = str_sub(line, (size_t)brace + 1,
	    line.n - (size_t)brace - 2);
	out->sync = true;
	if (digits.n > 0 && digits.p[digits.n - 1] == '+') {
		out->sync = false;
		digits.n--;
	}
	if (digits.n == 0 || ends_in_quotes(line))
		return false;
	for (i = 0; i < digits.n; i++) {
		if (!ascii_isdigit(digits.p[i]))
			return false;
	}
	if (str_u64(digits, UINT64_MAX, &out->n) == -1)
		out->n = UINT64_MAX;
	return true;
}
