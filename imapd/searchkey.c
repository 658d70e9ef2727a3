/*
 * searchkey - see searchkey.h: reading the keys.  Pure.
 */
#include "imapd/searchkey.h"

#include <stdlib.h>

#include "common/core/xalloc.h"
#include "common/mail/date.h"
#include "common/mail/text.h"

enum arg {
	ARG_NONE,
	ARG_WORD,		/* a keyword */
	ARG_SET,
	ARG_NUMBER,
	ARG_DATE,
	ARG_TEXT,
	ARG_FIELD,		/* a field's name and a text */
	ARG_ONE,		/* a key */
	ARG_TWO
};

static const struct {
	struct str	name;
	enum search_op	op;
	enum arg	arg;
	uint8_t		flag;
	struct str	field;
} words[] = {
	{ STR_INIT("ALL"), SEARCH_AND, ARG_NONE, 0, { 0 } },
	{ STR_INIT("ANSWERED"), SEARCH_FLAG, ARG_NONE, STORE_ANSWERED, { 0 } },
	{ STR_INIT("BCC"), SEARCH_HEADER, ARG_TEXT, 0, STR_INIT("Bcc") },
	{ STR_INIT("BEFORE"), SEARCH_BEFORE, ARG_DATE, 0, { 0 } },
	{ STR_INIT("BODY"), SEARCH_BODY, ARG_TEXT, 0, { 0 } },
	{ STR_INIT("CC"), SEARCH_HEADER, ARG_TEXT, 0, STR_INIT("Cc") },
	{ STR_INIT("DELETED"), SEARCH_FLAG, ARG_NONE, STORE_DELETED, { 0 } },
	{ STR_INIT("DRAFT"), SEARCH_FLAG, ARG_NONE, STORE_DRAFT, { 0 } },
	{ STR_INIT("FLAGGED"), SEARCH_FLAG, ARG_NONE, STORE_FLAGGED, { 0 } },
	{ STR_INIT("FROM"), SEARCH_HEADER, ARG_TEXT, 0, STR_INIT("From") },
	{ STR_INIT("HEADER"), SEARCH_HEADER, ARG_FIELD, 0, { 0 } },
	{ STR_INIT("KEYWORD"), SEARCH_KEYWORD, ARG_WORD, 0, { 0 } },
	{ STR_INIT("LARGER"), SEARCH_LARGER, ARG_NUMBER, 0, { 0 } },
	{ STR_INIT("NEW"), SEARCH_NEW, ARG_NONE, 0, { 0 } },
	{ STR_INIT("NOT"), SEARCH_NOT, ARG_ONE, 0, { 0 } },
	{ STR_INIT("OLD"), SEARCH_OLD, ARG_NONE, 0, { 0 } },
	{ STR_INIT("ON"), SEARCH_ON, ARG_DATE, 0, { 0 } },
	{ STR_INIT("OR"), SEARCH_OR, ARG_TWO, 0, { 0 } },
	{ STR_INIT("RECENT"), SEARCH_RECENT, ARG_NONE, 0, { 0 } },
	{ STR_INIT("SEEN"), SEARCH_FLAG, ARG_NONE, STORE_SEEN, { 0 } },
	{ STR_INIT("SENTBEFORE"), SEARCH_SENTBEFORE, ARG_DATE, 0, { 0 } },
	{ STR_INIT("SENTON"), SEARCH_SENTON, ARG_DATE, 0, { 0 } },
	{ STR_INIT("SENTSINCE"), SEARCH_SENTSINCE, ARG_DATE, 0, { 0 } },
	{ STR_INIT("SINCE"), SEARCH_SINCE, ARG_DATE, 0, { 0 } },
	{ STR_INIT("SMALLER"), SEARCH_SMALLER, ARG_NUMBER, 0, { 0 } },
	{ STR_INIT("SUBJECT"), SEARCH_HEADER, ARG_TEXT, 0,
	    STR_INIT("Subject") },
	{ STR_INIT("TEXT"), SEARCH_TEXT, ARG_TEXT, 0, { 0 } },
	{ STR_INIT("TO"), SEARCH_HEADER, ARG_TEXT, 0, STR_INIT("To") },
	{ STR_INIT("UID"), SEARCH_UID, ARG_SET, 0, { 0 } },
	{ STR_INIT("UNANSWERED"), SEARCH_UNFLAG, ARG_NONE, STORE_ANSWERED,
	    { 0 } },
	{ STR_INIT("UNDELETED"), SEARCH_UNFLAG, ARG_NONE, STORE_DELETED,
	    { 0 } },
	{ STR_INIT("UNDRAFT"), SEARCH_UNFLAG, ARG_NONE, STORE_DRAFT, { 0 } },
	{ STR_INIT("UNFLAGGED"), SEARCH_UNFLAG, ARG_NONE, STORE_FLAGGED,
	    { 0 } },
	{ STR_INIT("UNKEYWORD"), SEARCH_UNKEYWORD, ARG_WORD, 0, { 0 } },
	{ STR_INIT("UNSEEN"), SEARCH_UNFLAG, ARG_NONE, STORE_SEEN, { 0 } },
};

enum { NWORDS = sizeof(words) / sizeof(words[0]) };

void
search_tree_clear(struct search_tree *t)
{
	unsigned i;

	for (i = 0; i < t->n; i++) {
		match_clear(&t->keys[i].match);
		seqset_clear(&t->keys[i].set);
	}
	free(t->keys);
	free(t->texts);
	free(t->fields);
	*t = (struct search_tree){ 0 };
}

/* Its number; 0 when there are too many. */
static unsigned
add(struct parse *p, struct search_tree *t, enum search_op op)
{
	if (t->n == SEARCH_KEYS_MAX) {
		parse_fail(p, "[TOOBIG] too many keys");
		return 0;
	}
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? 8 : t->cap * 2;
		t->keys = xrealloc(t->keys, t->cap, sizeof(*t->keys));
	}
	t->keys[t->n] = (struct search_key){ .op = op };
	return t->n++;
}

static int	read_key(struct parse *, struct search_tree *, unsigned depth,
		    unsigned *out);

/* Keys up to a parenthesis or the end, as children of `parent`. */
static int
read_keys(struct parse *p, struct search_tree *t, unsigned parent,
    unsigned depth)
{
	unsigned key, last = 0;

	for (;;) {
		if (read_key(p, t, depth, &key) == -1)
			return -1;
		if (last == 0)
			t->keys[parent].child = key;
		else
			t->keys[last].next = key;
		last = key;
		if (!parse_is(p, ' '))
			return 0;
		p->at++;
	}
}

static int
read_text(struct parse *p, struct search_key *k)
{
	struct str	text;
	struct buf	folded;
	int		r;

	if (parse_astring(p, &text) == -1)
		return -1;
	if (text.n > SEARCH_TEXT_MAX)
		return parse_fail(p, "[TOOBIG] text too long");
	if (!str_is_utf8(text))
		return parse_fail(p, "text is not UTF-8");
	/* One character may become eighteen. */
	buf_init(&folded, 32 * SEARCH_TEXT_MAX);
	r = text_fold(text, &folded);
	if (r == 0)
		match_init(&k->match, buf_str(&folded));
	else
		parse_fail(p, "text cannot be folded");
	buf_clear(&folded);
	return r;
}

static int
read_set(struct parse *p, struct search_key *k)
{
	struct str text;

	if (parse_set_text(p, &text) == -1)
		return -1;
	if (seqset_parse(&k->set, text) == -1)
		return parse_fail(p, "not a set of messages");
	return 0;
}

static int
read_date(struct parse *p, struct search_key *k)
{
	struct str text;

	if (parse_astring(p, &text) == -1)
		return -1;
	if (date_parse_day(text, &k->day) == -1)
		return parse_fail(p, "not a date");
	return 0;
}

/* The keys that NOT and OR stand before. */
static int
read_below(struct parse *p, struct search_tree *t, unsigned parent,
    enum arg arg, unsigned depth)
{
	unsigned first, second;

	if (read_key(p, t, depth + 1, &first) == -1)
		return -1;
	t->keys[parent].child = first;
	if (arg == ARG_ONE)
		return 0;
	if (parse_sp(p) == -1 || read_key(p, t, depth + 1, &second) == -1)
		return -1;
	t->keys[first].next = second;
	return 0;
}

static int
read_arg(struct parse *p, struct search_tree *t, unsigned key, enum arg arg,
    unsigned depth)
{
	struct search_key *k = &t->keys[key];

	if (arg != ARG_NONE && parse_sp(p) == -1)
		return -1;
	switch (arg) {
	case ARG_NONE:
		return 0;
	case ARG_WORD:
		return parse_atom(p, &k->name);
	case ARG_SET:
		return read_set(p, k);
	case ARG_NUMBER:
		return parse_number(p, &k->number);
	case ARG_DATE:
		return read_date(p, k);
	case ARG_FIELD:
		if (parse_astring(p, &k->name) == -1 || parse_sp(p) == -1)
			return -1;
		return read_text(p, k);
	case ARG_TEXT:
		return read_text(p, k);
	case ARG_ONE:
	case ARG_TWO:
		return read_below(p, t, key, arg, depth);
	}
	return -1;
}

static int
read_word(struct parse *p, struct search_tree *t, unsigned depth,
    unsigned *out)
{
	struct str	word;
	unsigned	i;

	if (parse_atom(p, &word) == -1)
		return -1;
	for (i = 0; i < NWORDS; i++) {
		if (str_ieq(word, words[i].name))
			break;
	}
	if (i == NWORDS)
		return parse_fail(p, "no such search key");
	*out = add(p, t, words[i].op);
	if (*out == 0)
		return -1;
	t->keys[*out].flag = words[i].flag;
	t->keys[*out].name = words[i].field;
	return read_arg(p, t, *out, words[i].arg, depth);
}

static int
read_key(struct parse *p, struct search_tree *t, unsigned depth,
    unsigned *out)
{
	if (depth > SEARCH_DEPTH_MAX)
		return parse_fail(p, "[TOOBIG] nested too deeply");
	if (parse_is(p, '(')) {
		p->at++;
		*out = add(p, t, SEARCH_AND);
		if (*out == 0 || read_keys(p, t, *out, depth + 1) == -1)
			return -1;
		return parse_char(p, ')');
	}
	if (parse_looks_like_set(p)) {
		*out = add(p, t, SEARCH_SEQ);
		return *out == 0 ? -1 : read_set(p, &t->keys[*out]);
	}
	return read_word(p, t, depth, out);
}

/* "CHARSET x " before the keys. */
static int
read_charset(struct parse *p, struct search_tree *t)
{
	struct str	word;
	size_t		from = p->at;

	if (parse_looks_like_set(p) || parse_is(p, '('))
		return 0;
	if (parse_atom(p, &word) == -1)
		return -1;
	if (!str_ieq(word, S("CHARSET"))) {
		p->at = from;
		return 0;
	}
	if (parse_sp(p) == -1 || parse_astring(p, &word) == -1)
		return -1;
	t->bad_charset = !str_ieq(word, S("UTF-8")) &&
	    !str_ieq(word, S("US-ASCII"));
	return parse_sp(p);
}

/* -- the keys that texts are fed to ----------------------------------- */

/* Any order in which names that are the same are together. */
static int
name_cmp(struct str a, struct str b)
{
	size_t	i;
	int	d = 0;

	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	for (i = 0; i < a.n && d == 0; i++)
		d = ascii_lower(a.p[i]) - ascii_lower(b.p[i]);
	return d;
}

static int
key_cmp(const void *a, const void *b)
{
	return name_cmp((*(struct search_key *const *)a)->name,
	    (*(struct search_key *const *)b)->name);
}

static void
sort_keys(struct search_tree *t)
{
	unsigned i;

	t->texts = xcalloc(t->n, sizeof(struct search_key *));
	t->fields = xcalloc(t->n, sizeof(struct search_key *));
	for (i = 0; i < t->n; i++) {
		struct search_key *k = &t->keys[i];

		if (k->op == SEARCH_BODY || k->op == SEARCH_TEXT)
			t->texts[t->ntexts++] = k;
		if (k->op == SEARCH_HEADER)
			t->fields[t->nfields++] = k;
		if (k->op == SEARCH_SENTBEFORE || k->op == SEARCH_SENTON ||
		    k->op == SEARCH_SENTSINCE)
			t->has_sent = true;
	}
	qsort(t->fields, t->nfields, sizeof(struct search_key *), key_cmp);
}

/* The first key whose name is not before this one, or behind it. */
static unsigned
bound(const struct search_tree *t, struct str name, bool behind)
{
	unsigned low = 0, high = t->nfields, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (name_cmp(t->fields[mid]->name, name) < (behind ? 1 : 0))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct search_key **
search_tree_named(const struct search_tree *t, struct str name, unsigned *n)
{
	unsigned first = bound(t, name, false);

	*n = bound(t, name, true) - first;
	return t->fields + first;
}

int
search_tree_parse(struct parse *p, struct search_tree *t)
{
	*t = (struct search_tree){ 0 };
	add(p, t, SEARCH_AND);
	if (parse_sp(p) == -1 || read_charset(p, t) == -1)
		return -1;
	if (t->bad_charset)
		return 0;
	if (read_keys(p, t, 0, 1) == -1 || parse_end(p) == -1)
		return -1;
	sort_keys(t);
	search_tree_reset(t);
	return 0;
}
