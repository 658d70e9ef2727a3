/*
 * print - see print.h.
 */
#include "mailctl/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

enum {
	COLUMNS_MAX = 32, ROWS_MAX = 4096,
	OUT_MAX = 8 * 1024 * 1024,	/* of one row */
	WIDTH_MAX = 80			/* a longer value pushes its row out */
};

struct cell {
	struct str	text;		/* ours */
	enum column_kind kind;
};

struct row {
	struct cell	cell[COLUMNS_MAX];
	struct str	key[COLUMNS_MAX];
	unsigned	n;
};

struct printer {
	enum print_shape shape;
	bool		 json, any, headed;
	struct row	*rows;
	size_t		 n;
	struct str	 note;		/* ours */
	struct buf	 out;
};

struct printer *
print_new(enum print_shape shape, bool json)
{
	struct printer *p = xcalloc(1, sizeof(*p));

	p->shape = shape;
	p->json = json;
	buf_init(&p->out, OUT_MAX);
	return p;
}

/* The code point at the start of well-formed UTF-8, which moves past it. */
static uint32_t
take_code(struct str *s)
{
	unsigned char	c = (unsigned char)s->p[0];
	size_t		n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, i;
	uint32_t	v = n == 1 ? c : c & (0x7fu >> n);

	for (i = 1; i < n; i++)
		v = v << 6 | ((unsigned char)s->p[i] & 0x3f);
	*s = str_from(*s, n);
	return v;
}

static void
add_code(struct buf *b, uint32_t v)
{
	if (v == '"' || v == '\\') {
		buf_addc(b, '\\');
		buf_addc(b, (char)v);
	} else if (v >= 0x20 && v <= 0x7e)
		buf_addc(b, (char)v);
	else if (v < 0x10000)
		buf_addf(b, "\\u%04x", v);
	else
		buf_addf(b, "\\u%04x\\u%04x", 0xd800 + ((v - 0x10000) >> 10),
		    0xdc00 + ((v - 0x10000) & 0x3ff));
}

/* ASCII only: a terminal takes orders in other characters as well. */
void
print_json_str(struct buf *b, struct str s)
{
	bool text = str_is_utf8(s);

	buf_addc(b, '"');
	while (s.n > 0) {
		if (text)
			add_code(b, take_code(&s));
		else {
			add_code(b, (unsigned char)s.p[0]);
			s = str_from(s, 1);
		}
	}
	buf_addc(b, '"');
}

/* RFC 8259 section 6, whole numbers only. */
static bool
is_json_number(struct str s)
{
	size_t i;

	if (s.n > 0 && s.p[0] == '-')
		s = str_from(s, 1);
	for (i = 0; i < s.n; i++) {
		if (!ascii_isdigit(s.p[i]))
			return false;
	}
	return s.n == 1 || (s.n > 1 && s.p[0] != '0');
}

/* For a terminal: printable ASCII stays, the rest as \xNN. */
static void
add_shown(struct buf *b, struct str s, enum column_kind kind)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && kind == COLUMN_LIST)
			buf_addc(b, ' ');
		else if (s.p[i] >= 0x20 && s.p[i] <= 0x7e)
			buf_addc(b, s.p[i]);
		else
			buf_addf(b, "\\x%02x", (unsigned char)s.p[i]);
	}
}

/* JSON has its own escapes, when it is written. */
static struct str
dup_shown(const struct printer *p, struct str s, enum column_kind kind)
{
	struct buf	shown;
	struct str	copy;

	if (p->json)
		return xdup(s);
	buf_init(&shown, OUT_MAX);
	add_shown(&shown, s, kind);
	copy = xdup(buf_str(&shown));
	buf_clear(&shown);
	return copy;
}

static void
emit(struct printer *p)
{
	fwrite(buf_str(&p->out).p, 1, p->out.n, stdout);
	buf_reset(&p->out);
}

void
print_row(struct printer *p, struct msg_list columns)
{
	struct rec_column	 c;
	struct row		*r;

	/* One thing is one object and written at its end. */
	if (p->n == ROWS_MAX && !(p->json && p->shape == PRINT_ONE))
		print_page(p);
	p->rows = xrealloc(p->rows, p->n + 1, sizeof(*p->rows));
	r = &p->rows[p->n++];
	r->n = 0;
	while (r->n < COLUMNS_MAX && rec_next_column(&columns, &c)) {
		r->cell[r->n].kind = c.kind;
		r->key[r->n] = dup_shown(p, c.key, COLUMN_TEXT);
		r->cell[r->n].text = dup_shown(p, c.value, c.kind);
		r->n++;
	}
}

static void
json_list(struct printer *p, struct str list, bool *any)
{
	struct str one;

	while (list.n > 0 && str_cut(&list, '\n', &one)) {
		if (*any)
			buf_addz(&p->out, ", ");
		*any = true;
		print_json_str(&p->out, one);
	}
}

/* The cell i of a row, and of those behind it that only go on with lists. */
static void
json_cell(struct printer *p, const struct row *r, unsigned i, size_t rows)
{
	const struct cell	*c = &r->cell[i];
	bool			 any = false;
	size_t			 k;

	if (c->kind == COLUMN_LIST) {
		buf_addc(&p->out, '[');
		for (k = 0; k < rows; k++)
			json_list(p, r[k].cell[i].text, &any);
		buf_addc(&p->out, ']');
	} else if (c->kind == COLUMN_NUMBER && is_json_number(c->text))
		buf_add(&p->out, c->text);
	else
		print_json_str(&p->out, c->text);
}

/* Without the brace at its end. */
static void
json_open_row(struct printer *p, const struct row *r, size_t rows)
{
	unsigned i;

	buf_addc(&p->out, '{');
	for (i = 0; i < r->n; i++) {
		if (i > 0)
			buf_addz(&p->out, ", ");
		print_json_str(&p->out, r->key[i]);
		buf_addz(&p->out, ": ");
		json_cell(p, r, i, rows);
	}
}

/* Whether b only goes on with the lists of a. */
static bool
goes_on(const struct row *a, const struct row *b)
{
	bool		any = false;
	unsigned	i;

	for (i = 0; i < a->n && i < b->n; i++) {
		if (!str_eq(a->key[i], b->key[i]) ||
		    a->cell[i].kind != b->cell[i].kind)
			return false;
		any = any || a->cell[i].kind == COLUMN_LIST;
	}
	return any && a->n == b->n;
}

/* The first row; what follows it are its parts: of a message, its targets. */
static void
json_one(struct printer *p)
{
	size_t i, first = 1;

	if (p->n > 0) {
		while (first < p->n && goes_on(&p->rows[0], &p->rows[first]))
			first++;
		json_open_row(p, &p->rows[0], first);
	} else
		buf_addc(&p->out, '{');
	for (i = first; i < p->n; i++) {
		buf_addz(&p->out, i == first ? ", \"targets\": [\n " : ",\n ");
		json_open_row(p, &p->rows[i], 1);
		buf_addc(&p->out, '}');
		emit(p);
	}
	if (p->n > first)
		buf_addc(&p->out, ']');
	if (p->note.n > 0) {
		buf_addz(&p->out, p->n > 0 ? ", \"text\": " : "\"text\": ");
		print_json_str(&p->out, p->note);
	}
	buf_addz(&p->out, "}\n");
}

static void
json_page(struct printer *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		buf_addz(&p->out, p->any ? ",\n " : "[");
		p->any = true;
		json_open_row(p, &p->rows[i], 1);
		buf_addc(&p->out, '}');
		emit(p);
	}
}

static void
pad(struct buf *b, struct str s, size_t width, bool right)
{
	size_t i;

	if (!right)
		buf_add(b, s);
	for (i = s.n; i < width; i++)
		buf_addc(b, ' ');
	if (right)
		buf_add(b, s);
}

static void
head(struct printer *p, const struct row *r, const size_t *width)
{
	struct buf	name;
	unsigned	i;
	size_t		j;

	for (i = 0; i < r->n; i++) {
		buf_init(&name, 256);
		for (j = 0; j < r->key[i].n; j++)
			buf_addc(&name, ascii_upper(r->key[i].p[j]));
		pad(&p->out, buf_str(&name), i + 1 == r->n ? 0 : width[i],
		    r->cell[i].kind == COLUMN_NUMBER);
		buf_addz(&p->out, i + 1 == r->n ? "\n" : "  ");
		buf_clear(&name);
	}
}

static void
table_page(struct printer *p)
{
	size_t		width[COLUMNS_MAX] = { 0 }, i;
	struct row	*r;
	unsigned	c;

	for (i = 0; i < p->n; i++) {
		for (c = 0, r = &p->rows[i]; c < r->n; c++) {
			if (r->cell[c].text.n > width[c] &&
			    r->cell[c].text.n <= WIDTH_MAX)
				width[c] = r->cell[c].text.n;
			if (r->key[c].n > width[c])
				width[c] = r->key[c].n;
		}
	}
	if (p->n > 0 && !p->headed)
		head(p, &p->rows[0], width);
	p->headed = p->headed || p->n > 0;
	for (i = 0; i < p->n; i++) {
		for (c = 0, r = &p->rows[i]; c < r->n; c++) {
			pad(&p->out, r->cell[c].text, c + 1 == r->n ? 0 :
			    width[c], r->cell[c].kind == COLUMN_NUMBER);
			buf_addz(&p->out, c + 1 == r->n ? "\n" : "  ");
		}
		emit(p);
	}
}

static void
lines_page(struct printer *p)
{
	size_t		width, i;
	struct row	*r;
	unsigned	c;

	for (i = 0; i < p->n; i++) {
		r = &p->rows[i];
		width = 0;
		for (c = 0; c < r->n; c++) {
			if (r->key[c].n > width)
				width = r->key[c].n;
		}
		if (p->any)
			buf_addc(&p->out, '\n');
		p->any = true;
		for (c = 0; c < r->n; c++) {
			pad(&p->out, r->key[c], width, false);
			buf_addz(&p->out, "  ");
			buf_add(&p->out, r->cell[c].text);
			buf_addc(&p->out, '\n');
		}
		emit(p);
	}
}

void
print_page(struct printer *p)
{
	unsigned	c;
	size_t		i;

	if (p->json && p->shape == PRINT_ONE)
		json_one(p);
	else if (p->json)
		json_page(p);
	else if (p->shape == PRINT_TABLE)
		table_page(p);
	else
		lines_page(p);
	for (i = 0; i < p->n; i++) {
		for (c = 0; c < p->rows[i].n; c++) {
			xfree_str(&p->rows[i].key[c]);
			xfree_str(&p->rows[i].cell[c].text);
		}
	}
	p->n = 0;
	emit(p);
}

void
print_text(struct printer *p, struct str text)
{
	xfree_str(&p->note);
	p->note = dup_shown(p, text, COLUMN_TEXT);
}

void
print_end(struct printer *p)
{
	print_page(p);
	if (p->json && p->shape == PRINT_TABLE)
		puts(p->any ? "]" : "[]");
	else if (!p->json && p->note.n > 0)
		printf("%.*s\n", (int)p->note.n, p->note.p);
	xfree_str(&p->note);
	buf_clear(&p->out);
	free(p->rows);
	free(p);
}
