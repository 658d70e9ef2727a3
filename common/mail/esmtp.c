/*
 * esmtp - see esmtp.h.  Pure.
 */
#include "common/mail/esmtp.h"

static bool
is_key(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (!ascii_isalnum(s.p[i]) && (s.p[i] != '-' || i == 0))
			return false;
	}
	return s.n > 0;
}

static bool
is_value(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] < 33 || s.p[i] > 126 || s.p[i] == '=')
			return false;
	}
	return s.n > 0;
}

int
esmtp_param(struct str *rest, struct esmtp_param *p)
{
	struct str	word;
	ptrdiff_t	at;
	size_t		spaces = 0;

	while (spaces < rest->n && rest->p[spaces] == ' ')
		spaces++;
	*rest = str_from(*rest, spaces);
	if (rest->n == 0)
		return 0;
	if (spaces == 0)
		return -1;
	at = str_chr(*rest, ' ');
	word = str_sub(*rest, 0, at == -1 ? rest->n : (size_t)at);
	*rest = str_from(*rest, word.n);
	at = str_chr(word, '=');
	p->key = at == -1 ? word : str_sub(word, 0, (size_t)at);
	p->value = (struct str){ NULL, 0 };
	if (at != -1) {
		p->value = str_from(word, (size_t)at + 1);
		if (!is_value(p->value))
			return -1;
	}
	return is_key(p->key) ? 1 : -1;
}

/* Upper case only, as RFC 3461 4 has it. */
static int
hex(char c)
{
	if (ascii_isdigit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
xtext_decode(struct str s, char *out, size_t *n)
{
	size_t	i;
	char	c;

	*n = 0;
	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (c < 33 || c > 126 || c == '=')
			return -1;
		if (c == '+') {
			if (s.n - i < 3 || hex(s.p[i + 1]) == -1 ||
			    hex(s.p[i + 2]) == -1)
				return -1;
			c = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return -1;
		out[(*n)++] = c;
	}
	return 0;
}
