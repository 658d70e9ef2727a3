/*
 * json - see json.h.  Trusts its input, which is ours.
 */
#include "tests/lib/json.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/core/log.h"

enum { FILE_MAX = 1 << 20 };

void
json_load(const char *path, struct buf *b)
{
	FILE	*f = fopen(path, "rb");
	char	*p;

	if (f == NULL)
		fatal("%s", path);
	buf_init(b, FILE_MAX);
	p = buf_room(b, FILE_MAX);
	if (p == NULL)
		fatal("%s", path);
	buf_grow(b, fread(p, 1, FILE_MAX, f));
	fclose(f);
}

/* Behind the string that begins at s. */
static struct str
skip_string(struct str s)
{
	for (s = str_from(s, 1); s.n > 0 && s.p[0] != '"';
	    s = str_from(s, s.p[0] == '\\' ? 2 : 1))
		;
	return str_from(s, 1);
}

bool
json_next(struct str *text, struct str *object)
{
	ptrdiff_t	at = str_chr(*text, '{');
	struct str	s;

	if (at == -1)
		return false;
	s = str_from(*text, (size_t)at + 1);
	object->p = s.p;
	while (s.n > 0 && s.p[0] != '}')
		s = s.p[0] == '"' ? skip_string(s) : str_from(s, 1);
	object->n = (size_t)(s.p - object->p);
	*text = s;
	return true;
}

static void
add_utf8(struct buf *b, unsigned c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
	} else {
		buf_addc(b, (char)(0xe0 | c >> 12));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

static void
add_string(struct buf *b, struct str s)
{
	char hex[5] = "";

	for (s = str_from(s, 1); s.n > 0 && s.p[0] != '"';
	    s = str_from(s, 1)) {
		if (s.p[0] != '\\') {
			buf_addc(b, s.p[0]);
			continue;
		}
		s = str_from(s, 1);
		if (s.p[0] == 'u' && s.n > 4) {
			snprintf(hex, sizeof(hex), "%.4s", s.p + 1);
			add_utf8(b, (unsigned)strtoul(hex, NULL, 16));
			s = str_from(s, 4);
		} else {
			buf_addc(b, s.p[0] == 'n' ? '\n' : s.p[0]);
		}
	}
}

bool
json_get(struct str object, const char *key, struct buf *out)
{
	struct str	s = object, name;
	size_t		n;

	buf_reset(out);
	while (str_chr(s, '"') != -1) {
		s = str_from(s, (size_t)str_chr(s, '"'));
		name = str_of(s.p + 1, (size_t)(skip_string(s).p - s.p) - 2);
		s = str_from(s, name.n + 2);
		n = 0;
		while (n < s.n && (s.p[n] == ' ' || s.p[n] == ':'))
			n++;
		if (s.n == 0 || s.p[0] == ',' || n == 0)
			continue;
		s = str_from(s, n);
		if (!str_eq(name, str_c(key))) {
			s = s.p[0] == '"' ? skip_string(s) : s;
			continue;
		}
		if (s.p[0] == '"') {
			add_string(out, s);
			return true;
		}
		for (n = 0; n < s.n && (ascii_isalnum(s.p[n])); n++)
			buf_addc(out, s.p[n]);
		return !str_eq(buf_str(out), S("null"));
	}
	return false;
}
