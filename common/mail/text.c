/*
 * text - see text.h.  RFC 4013, RFC 3454; Unicode Standard Annex 15.
 */
#include "common/mail/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ucnv.h>
#include <unicode/udata.h>
#include <unicode/unorm2.h>
#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include "common/core/xalloc.h"

static struct {
	UStringPrepProfile	*saslprep;
	const UNormalizer2	*fold;
} tables;

/* Before anything else of ICU. */
static int
load_fold(void)
{
	UErrorCode e = U_ZERO_ERROR;

	if (tables.fold != NULL)
		return 0;
	udata_setFileAccess(UDATA_NO_FILES, &e);
	if (U_SUCCESS(e))
		tables.fold = unorm2_getNFKCCasefoldInstance(&e);
	return U_FAILURE(e) ? -1 : 0;
}

int
text_init(void)
{
	UErrorCode	e = U_ZERO_ERROR;
	struct buf	b;
	int		ret = 0;

	if (tables.saslprep != NULL)
		return 0;
	if (load_fold() == -1)
		return -1;
	tables.saslprep = usprep_openByType(USPREP_RFC4013_SASLPREP, &e);
	if (U_FAILURE(e))
		return -1;

	/* What is opened lazily is opened now: NFKC, bidi, decomposition. */
	buf_init(&b, 256);
	if (text_saslprep(S("\xe2\x85\xa8 \xd7\x90\xd7\x91"), true, &b) == 0 ||
	    text_saslprep(S("\xe2\x85\xa8" "e\xcc\x81"), true, &b) == -1 ||
	    text_fold(S("\xc3\x84\xe2\x85\xa8"), &b) == -1)
		ret = -1;
	buf_clear(&b);
	return ret;
}

/* -- between UTF-8 and UTF-16 ----------------------------------------- */

struct wide {
	UChar	*p;
	int32_t	 n, cap;
};

static int
wide_init(struct wide *w, size_t cap)
{
	w->n = 0;
	w->cap = (int32_t)cap;
	w->p = malloc(cap * sizeof(*w->p));
	return w->p == NULL ? -1 : 0;
}

static void
wide_wipe(struct wide *w)
{
	if (w->p != NULL)
		explicit_bzero(w->p, (size_t)w->cap * sizeof(*w->p));
	free(w->p);
	w->p = NULL;
}

/* A byte gives at most one unit.  Bad bytes become U+FFFD. */
static int
widen(struct str s, struct wide *w)
{
	UErrorCode	e = U_ZERO_ERROR;
	int32_t		n = 0;

	if (wide_init(w, s.n + 1) == -1)
		return -1;
	u_strFromUTF8WithSub(w->p, w->cap, &n, s.p, (int32_t)s.n, 0xfffd,
	    NULL, &e);
	w->n = n;
	return U_FAILURE(e) ? -1 : 0;
}

/* A unit gives at most three bytes. */
static int
narrow(const struct wide *w, struct buf *out)
{
	UErrorCode	 e = U_ZERO_ERROR;
	size_t		 room = (size_t)w->n * 3;
	int32_t		 n = 0;
	char		*p;

	if (room > buf_left(out)) {
		u_strToUTF8(NULL, 0, &n, w->p, w->n, &e);
		room = (size_t)n;
		e = U_ZERO_ERROR;
	}
	p = buf_room(out, room);
	if (p == NULL)
		return -1;
	u_strToUTF8(p, (int32_t)room, &n, w->p, w->n, &e);
	if (U_FAILURE(e))
		return -1;
	buf_grow(out, (size_t)n);
	return 0;
}

/*
 * Runs one of the transformations.  A result that needs more room than a
 * first guess says how much, and is made again.
 */
typedef int32_t change_fn(struct wide *, struct wide *, bool,
    UErrorCode *);

static int
change(struct str s, change_fn *fn, bool option, struct buf *out)
{
	struct wide	in = { NULL, 0, 0 }, to = { NULL, 0, 0 };
	UErrorCode	e = U_ZERO_ERROR;
	int		ret = -1;

	if (widen(s, &in) == -1 || wide_init(&to, s.n + 64) == -1)
		goto out;
	to.n = fn(&in, &to, option, &e);
	if (e == U_BUFFER_OVERFLOW_ERROR) {
		int32_t want = to.n;

		wide_wipe(&to);
		e = U_ZERO_ERROR;
		if (wide_init(&to, (size_t)want + 1) == -1)
			goto out;
		to.n = fn(&in, &to, option, &e);
	}
	if (U_SUCCESS(e))
		ret = narrow(&to, out);
out:
	wide_wipe(&in);
	wide_wipe(&to);
	return ret;
}

/* -- SASLprep --------------------------------------------------------- */

/*
 * RFC 3454 has U+200B both among what maps to nothing (B.1) and among the
 * spaces (C.1.2), and ICU takes the latter.  A character without width is
 * nothing.
 */
static int32_t
drop_zero_width(UChar *p, int32_t n)
{
	int32_t i, kept = 0;

	for (i = 0; i < n; i++) {
		if (p[i] != 0x200b)
			p[kept++] = p[i];
	}
	return kept;
}

static int32_t
prepare(struct wide *in, struct wide *to, bool stored, UErrorCode *e)
{
	in->n = drop_zero_width(in->p, in->n);
	return usprep_prepare(tables.saslprep, in->p, in->n, to->p, to->cap,
	    stored ? USPREP_DEFAULT : USPREP_ALLOW_UNASSIGNED, NULL, e);
}

int
text_saslprep(struct str s, bool stored, struct buf *out)
{
	assert(tables.saslprep != NULL);
	if (s.n > TEXT_MAX || !str_is_utf8(s))
		return -1;
	if (str_is_print(s)) {
		buf_add(out, s);
		return buf_ok(out) ? 0 : -1;
	}
	return change(s, prepare, stored, out);
}

/* -- folding ---------------------------------------------------------- */

enum { FOLD_UNITS = 512 };

/*
 * How much of the text is folded at a time.  What follows begins anew in any
 * case, unless it is a run of marks longer than any language has: to put
 * those in order takes time by the square of their number.
 */
static int32_t
fold_units(const UChar *p, int32_t n)
{
	int32_t		i;
	uint32_t	c;

	if (n <= FOLD_UNITS)
		return n;
	for (i = FOLD_UNITS; i > FOLD_UNITS / 2; i--) {
		c = p[i];
		if (U16_IS_LEAD(c) && i + 1 < n && U16_IS_TRAIL(p[i + 1]))
			c = (uint32_t)U16_GET_SUPPLEMENTARY(c, p[i + 1]);
		if (!U16_IS_TRAIL(c) &&
		    unorm2_hasBoundaryBefore(tables.fold, (UChar32)c))
			return i;
	}
	return U16_IS_TRAIL(p[FOLD_UNITS]) ? FOLD_UNITS - 1 : FOLD_UNITS;
}

static int32_t
fold(struct wide *in, struct wide *to, bool option, UErrorCode *e)
{
	int32_t		at, n, made = 0;
	UErrorCode	one;
	bool		fits;

	(void)option;
	for (at = 0; at < in->n && U_SUCCESS(*e); at += n) {
		n = fold_units(in->p + at, in->n - at);
		fits = made < to->cap;
		one = U_ZERO_ERROR;
		made += unorm2_normalize(tables.fold, in->p + at, n,
		    fits ? to->p + made : NULL, fits ? to->cap - made : 0,
		    &one);
		if (one != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(one))
			*e = one;
	}
	if (U_SUCCESS(*e) && made > to->cap)
		*e = U_BUFFER_OVERFLOW_ERROR;
	return made;
}

static bool
is_ascii(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	}
	return true;
}

int
text_fold(struct str s, struct buf *out)
{
	char	*p;
	size_t	 i;

	if (s.n > TEXT_MAX)
		return -1;
	if (!is_ascii(s))
		return load_fold() == -1 ? -1 :
		    change(s, fold, false, out);
	p = buf_room(out, s.n);
	if (p == NULL)
		return -1;
	for (i = 0; i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	buf_grow(out, s.n);
	return 0;
}

/* -- charsets --------------------------------------------------------- */

enum {
	CHARSET_NAME_MAX = 60,
	PIVOT = 512,		/* UTF-16 units between the two */
	ROOM = 2048		/* bytes of UTF-8 at a time */
};

struct text_charset {
	UConverter	*from, *utf8;
	UChar		 pivot[PIVOT], *source, *target;
	bool		 begun;
};

/* Names reach ICU, which reads options behind a comma, from mail. */
static bool
is_charset_name(struct str s)
{
	size_t i;

	if (s.n == 0 || s.n > CHARSET_NAME_MAX)
		return false;
	for (i = 0; i < s.n; i++) {
		if (!ascii_isalnum(s.p[i]) && strchr("-_:.+()", s.p[i]) ==
		    NULL)
			return false;
	}
	return true;
}

struct text_charset *
text_charset_open(struct str name)
{
	UErrorCode		 e = U_ZERO_ERROR;
	struct text_charset	*c;
	char			 z[CHARSET_NAME_MAX + 1] = "";

	if (!is_charset_name(name) || load_fold() == -1)
		return NULL;
	memcpy(z, name.p, name.n);
	c = xcalloc(1, sizeof(*c));
	c->source = c->target = c->pivot;
	c->from = ucnv_open(z, &e);
	c->utf8 = ucnv_open("UTF-8", &e);
	if (U_FAILURE(e)) {
		text_charset_close(c);
		return NULL;
	}
	return c;
}

int
text_charset_feed(struct text_charset *c, struct str s, bool last,
    struct buf *out)
{
	const char	*from = s.p, *end = s.p + s.n;
	char		*p, *to;
	UErrorCode	 e;

	do {
		to = p = buf_room(out, ROOM);
		if (p == NULL)
			return -1;
		e = U_ZERO_ERROR;
		ucnv_convertEx(c->utf8, c->from, &to, p + ROOM, &from, end,
		    c->pivot, &c->source, &c->target, c->pivot + PIVOT,
		    !c->begun, last, &e);
		c->begun = true;
		buf_grow(out, (size_t)(to - p));
	} while (e == U_BUFFER_OVERFLOW_ERROR);
	return U_FAILURE(e) ? -1 : 0;
}

void
text_charset_close(struct text_charset *c)
{
	if (c == NULL)
		return;
	ucnv_close(c->from);
	ucnv_close(c->utf8);
	free(c);
}
