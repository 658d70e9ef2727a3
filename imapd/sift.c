/*
 * sift - see sift.h.  Pure.
 */
#include "imapd/sift.h"

#include "common/mail/rfc5322.h"
#include "imapd/haystack.h"

enum {
	SLICE = 64 * 1024,	/* of a text, for one key */
	FIELD_COST = 16,	/* of a field, beside its bytes */
	FOLD_COST = 4,		/* of a byte that is decoded and folded */
	KEY_COST = 8		/* of a key, beside the bytes it gets */
};

void
sift_init(struct sift *f, struct search_tree *tree)
{
	*f = (struct sift){ .tree = tree };
	buf_init(&f->text, HAYSTACK_TEXT_MAX);
}

void
sift_clear(struct sift *f)
{
	buf_clear(&f->text);
}

static void
unload(struct sift *f)
{
	f->nloads = f->load = 0;
	f->at = 0;
	f->key = 0;
	buf_reset(&f->text);
}

void
sift_reset(struct sift *f)
{
	unload(f);
	f->header.n = 0;
}

void
sift_header(struct sift *f, struct str header, enum sift_which which)
{
	f->header = header;
	f->which = which;
}

/* BODY is not about the header of the message. */
static bool
wants(const struct sift *f, const struct search_key *k)
{
	return !k->hit && (k->op != SEARCH_BODY || f->which == SIFT_PART);
}

static bool
any_wants(const struct sift *f, struct search_key *const *keys, unsigned n,
    int64_t *work)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (wants(f, keys[i]))
			break;
	}
	*work -= i;
	return i < n;
}

static void
load(struct sift *f, struct str text, struct search_key **keys, unsigned n)
{
	if (n > 0)
		f->loads[f->nloads++] = (struct sift_load){ text, keys, n };
}

/* -- fields ----------------------------------------------------------- */

static void
load_field(struct sift *f, const struct hdr_field *field,
    struct search_key **named, unsigned n)
{
	struct str	all, value;
	size_t		at;

	at = haystack_field(field, &f->text);
	all = buf_str(&f->text);
	value = str_from(all, at);
	/* Not its line end. */
	if (value.n >= 2)
		value.n -= 2;
	f->fresh = true;
	load(f, value, named, n);
	load(f, all, f->tree->texts, f->tree->ntexts);
}

static void
next_field(struct sift *f, int64_t *work)
{
	struct search_tree	*t = f->tree;
	struct hdr_field	 field;
	enum hdr_kind		 kind = hdr_next(&f->header, &field);
	struct search_key	**keys = NULL;
	unsigned		 n = 0;

	if (kind == HDR_END) {
		f->header.n = 0;
		return;
	}
	*work -= FIELD_COST + (int64_t)field.raw.n;
	if (kind == HDR_FIELD && f->which != SIFT_PART)
		keys = search_tree_named(t, field.name, &n);
	if ((f->which == SIFT_NAMED) != (n > 0))
		return;
	if (!any_wants(f, keys, n, work) &&
	    !any_wants(f, t->texts, t->ntexts, work))
		return;
	*work -= FOLD_COST * (int64_t)field.raw.n;
	load_field(f, &field, keys, n);
}

/* -- bodies ----------------------------------------------------------- */

struct buf *
sift_room(struct sift *f)
{
	return &f->text;
}

void
sift_body(struct sift *f, bool first)
{
	f->which = SIFT_PART;
	f->fresh = first;
	load(f, buf_str(&f->text), f->tree->texts, f->tree->ntexts);
}

/* -- steps ------------------------------------------------------------ */

static void
feed(struct sift *f, struct search_key *k, struct str slice)
{
	if (f->fresh && f->at == 0)
		match_reset(&k->match);
	match_feed(&k->match, slice);
	k->hit = k->match.found;
}

/* One slice for all keys of a load; false when the work is used up. */
static bool
feed_slice(struct sift *f, const struct sift_load *l, struct str slice,
    int64_t *work)
{
	while (f->key < l->n) {
		struct search_key *k = l->keys[f->key];

		if (*work <= 0)
			return false;
		f->key++;
		*work -= 1;
		if (!wants(f, k))
			continue;
		feed(f, k, slice);
		*work -= KEY_COST + (int64_t)slice.n;
	}
	f->key = 0;
	return true;
}

/* An empty text, too, is a text in which something may be found. */
static bool
feed_load(struct sift *f, const struct sift_load *l, int64_t *work)
{
	struct str slice;

	do {
		slice = str_sub(l->text, f->at, SLICE);
		if (!feed_slice(f, l, slice, work))
			return false;
		f->at += slice.n;
	} while (f->at < l->text.n);
	f->at = 0;
	return true;
}

bool
sift_step(struct sift *f, int64_t *work)
{
	for (;;) {
		while (f->load < f->nloads) {
			if (!feed_load(f, &f->loads[f->load], work))
				return false;
			f->load++;
		}
		unload(f);
		if (f->header.n == 0)
			return true;
		if (*work <= 0)
			return false;
		next_field(f, work);
	}
}
