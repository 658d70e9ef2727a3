/*
 * name - see name.h.  Pure.  RFC 3501 5.1, 6.3.3.
 */
#include "mailboxd/name.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

/* -- grammar ---------------------------------------------------------- */

static bool
level_ok(struct str s)
{
	unsigned char	c;
	size_t		i;

	if (s.n == 0 || str_eq(s, S(".")) || str_eq(s, S("..")))
		return false;
	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if (c < 0x20 || c == 0x7f || c == '%' || c == '*')
			return false;
		/* U+0080 to U+009F are controls too. */
		if (c == 0xc2 && i + 1 < s.n &&
		    (unsigned char)s.p[i + 1] < 0xa0)
			return false;
	}
	return true;
}

enum store_result
name_canon(struct str name, struct buf *out)
{
	struct str	level, rest;
	unsigned	depth = 0;

	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	if (name.n == 0 || name.n > STORE_NAME_MAX || !str_is_utf8(name))
		return STORE_BAD_NAME;
	rest = name;
	while (str_cut(&rest, '/', &level)) {
		if (!level_ok(level) || ++depth > STORE_DEPTH_MAX)
			return STORE_BAD_NAME;
	}
	if (str_istarts(name, S("INBOX")) &&
	    (name.n == 5 || name.p[5] == '/')) {
		buf_add(out, S("INBOX"));
		name = str_from(name, 5);
	}
	buf_add(out, name);
	return STORE_OK;
}

unsigned
name_depth(struct str name)
{
	unsigned	depth = 1;
	size_t		i;

	for (i = 0; i < name.n; i++)
		depth += name.p[i] == '/';
	return depth;
}

bool
name_is_below(struct str name, struct str top)
{
	return name.n > top.n && str_starts(name, top) &&
	    name.p[top.n] == '/';
}

bool
name_above(struct str name, size_t *at, struct str *level)
{
	ptrdiff_t i = str_chr(str_from(name, *at), '/');

	if (i == -1)
		return false;
	*level = str_sub(name, 0, *at + (size_t)i);
	*at += (size_t)i + 1;
	return true;
}

/* -- the list --------------------------------------------------------- */

/* The place of the first name that is not less. */
static size_t
place(const struct names *l, struct str name)
{
	size_t lo = 0, hi = l->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (str_cmp(l->list[mid]->name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
is_at(const struct names *l, size_t i, struct str name)
{
	return i < l->n && str_eq(l->list[i]->name, name);
}

static void
name_free(struct name *e)
{
	xfree_str(&e->name);
	free(e);
}

void
names_clear(struct names *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		name_free(l->list[i]);
	free(l->list);
	*l = (struct names){ 0 };
}

struct name *
names_find(const struct names *l, struct str name)
{
	size_t i = place(l, name);

	return is_at(l, i, name) ? l->list[i] : NULL;
}

struct name *
names_next(const struct names *l, struct str after)
{
	size_t i = place(l, after);

	if (is_at(l, i, after))
		i++;
	return i < l->n ? l->list[i] : NULL;
}

struct name *
names_get(struct names *l, struct str name)
{
	size_t i = place(l, name);

	if (is_at(l, i, name))
		return l->list[i];
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->list = xrealloc(l->list, l->cap, sizeof(struct name *));
	}
	memmove(l->list + i + 1, l->list + i,
	    (l->n - i) * sizeof(struct name *));
	l->n++;
	l->list[i] = xcalloc(1, sizeof(struct name));
	l->list[i]->name = xdup(name);
	return l->list[i];
}

struct name *
names_attach(struct names *l, struct str name, struct state_folder *f)
{
	struct name	*e;
	struct str	 level;
	size_t		 at = 0;

	while (name_above(name, &at, &level))
		(void)names_get(l, level);
	e = names_get(l, name);
	assert(e->folder == NULL);
	e->folder = f;
	return e;
}

bool
names_has_children(const struct names *l, struct str name)
{
	char		 below[STORE_NAME_MAX + 1];
	size_t		 i;

	assert(name.n <= STORE_NAME_MAX);
	memcpy(below, name.p, name.n);
	below[name.n] = '/';
	for (i = place(l, str_of(below, name.n + 1)); i < l->n &&
	    name_is_below(l->list[i]->name, name); i++) {
		if (l->list[i]->folder != NULL)
			return true;
	}
	return false;
}

static void
prune_one(struct names *l, struct str name)
{
	size_t		 i = place(l, name);
	struct name	*e;

	if (!is_at(l, i, name))
		return;
	e = l->list[i];
	if (e->folder != NULL || e->subscribed ||
	    names_has_children(l, name))
		return;
	l->n--;
	memmove(l->list + i, l->list + i + 1,
	    (l->n - i) * sizeof(struct name *));
	name_free(e);
}

void
names_prune(struct names *l, struct str name)
{
	struct str	copy = xdup(name), level;
	size_t		at = 0;

	/* A level above may be freed first: all of them are looked up. */
	prune_one(l, copy);
	while (name_above(copy, &at, &level))
		prune_one(l, level);
	xfree_str(&copy);
}

void
names_detach(struct names *l, struct name *e)
{
	e->folder = NULL;
	names_prune(l, e->name);
}
