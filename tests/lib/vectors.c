/*
 * vectors - see vectors.h.
 */
#include "tests/lib/vectors.h"

#include <stdio.h>
#include <stdlib.h>

static void
die(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	exit(1);
}

static void
skip(struct str *s)
{
	while (s->n > 0 && (s->p[0] == ' ' || s->p[0] == '\n' ||
	    s->p[0] == '\r' || s->p[0] == '\t' || s->p[0] == ','))
		*s = str_from(*s, 1);
}

static void
add_utf8(struct buf *b, unsigned c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
	} else if (c < 0x800) {
		buf_addc(b, (char)(0xc0 | c >> 6));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_addc(b, (char)(0xe0 | c >> 12));
		buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(b, (char)(0x80 | (c & 0x3f)));
	}
}

static void
add_escape(struct buf *b, struct str *s)
{
	char	hex[5] = { 0 };
	int	i;

	*s = str_from(*s, 1);
	switch (s->n > 0 ? s->p[0] : 0) {
	case 'n':
		buf_addc(b, '\n');
		break;
	case 'r':
		buf_addc(b, '\r');
		break;
	case 't':
		buf_addc(b, '\t');
		break;
	case 'b':
		buf_addc(b, '\b');
		break;
	case 'f':
		buf_addc(b, '\f');
		break;
	case 'u':
		for (i = 0; i < 4 && s->n > (size_t)i + 1; i++)
			hex[i] = s->p[i + 1];
		add_utf8(b, (unsigned)strtoul(hex, NULL, 16));
		*s = str_from(*s, 4);
		break;
	default:
		buf_add(b, str_sub(*s, 0, 1));
		break;
	}
}

/* A string, or a bare word as its text. */
static struct str
value(struct vectors *vs, struct str *s)
{
	size_t		from = vs->pool.n;
	struct str	word = *s;

	if (s->n == 0 || s->p[0] != '"') {
		while (s->n > 0 && (ascii_isalnum(s->p[0]) || s->p[0] == '-'))
			*s = str_from(*s, 1);
		return str_sub(word, 0, word.n - s->n);
	}
	*s = str_from(*s, 1);
	for (; s->n > 0 && s->p[0] != '"'; *s = str_from(*s, 1)) {
		if (s->p[0] == '\\')
			add_escape(&vs->pool, s);
		else
			buf_addc(&vs->pool, s->p[0]);
	}
	*s = str_from(*s, 1);
	return str_from(buf_str(&vs->pool), from);
}

static void
read_object(struct vectors *vs, struct vector *v, struct str *s)
{
	bool quoted;

	*s = str_from(*s, 1);
	v->n = 0;
	for (skip(s); s->n > 0 && s->p[0] != '}'; skip(s)) {
		if (v->n == VECTOR_FIELDS)
			die("vectors", "too many fields");
		v->field[v->n].key = value(vs, s);
		while (s->n > 0 && (s->p[0] == ':' || s->p[0] == ' '))
			*s = str_from(*s, 1);
		quoted = s->n > 0 && s->p[0] == '"';
		v->field[v->n].value = value(vs, s);
		v->field[v->n].null = !quoted &&
		    str_eq(v->field[v->n].value, S("null"));
		v->n++;
	}
	*s = str_from(*s, 1);
}

void
vectors_read(struct vectors *vs, const char *path)
{
	FILE		*f = fopen(path, "rb");
	struct str	 s;
	char		*p;

	*vs = (struct vectors){ .n = 0 };
	buf_init(&vs->text, 1 << 24);
	buf_init(&vs->pool, 1 << 24);
	p = buf_room(&vs->text, 1 << 20);
	if (f == NULL || p == NULL)
		die(path, "cannot open");
	buf_grow(&vs->text, fread(p, 1, 1 << 20, f));
	fclose(f);
	/* What is unescaped is shorter: the pool never moves. */
	(void)buf_room(&vs->pool, vs->text.n * 2);
	vs->v = calloc(10000, sizeof(*vs->v));
	s = str_from(buf_str(&vs->text), 1);
	for (skip(&s); s.n > 0 && s.p[0] == '{' && vs->n < 10000; skip(&s))
		read_object(vs, &vs->v[vs->n++], &s);
	if (vs->n == 0 || s.n == 0 || s.p[0] != ']')
		die(path, "not an array of flat objects");
}

void
vectors_clear(struct vectors *vs)
{
	free(vs->v);
	buf_clear(&vs->text);
	buf_clear(&vs->pool);
}

const struct str *
vector_get(const struct vector *v, const char *key)
{
	unsigned i;

	for (i = 0; i < v->n; i++) {
		if (str_eq(v->field[i].key, str_c(key)))
			return v->field[i].null ? NULL : &v->field[i].value;
	}
	return NULL;
}

bool
vector_is(const struct vector *v, const char *key)
{
	const struct str *s = vector_get(v, key);

	return s != NULL && str_eq(*s, S("true"));
}
