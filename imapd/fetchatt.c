/*
 * fetchatt - see fetchatt.h.  Pure.
 */
#include "imapd/fetchatt.h"

/* The items that are one word; what stands behind BODY is read apart. */
static const struct {
	struct str		name;
	struct fetch_item	item;
} words[] = {
	{ STR_INIT("FLAGS"), { .kind = FETCH_FLAGS } },
	{ STR_INIT("UID"), { .kind = FETCH_UID } },
	{ STR_INIT("INTERNALDATE"), { .kind = FETCH_DATE } },
	{ STR_INIT("RFC822.SIZE"), { .kind = FETCH_SIZE } },
	{ STR_INIT("ENVELOPE"), { .kind = FETCH_ENVELOPE } },
	{ STR_INIT("BODYSTRUCTURE"), { .kind = FETCH_BODYSTRUCTURE } },
	{ STR_INIT("RFC822"), { .kind = FETCH_BODY,
	    .section = SECTION_ALL, .alias = "RFC822" } },
	{ STR_INIT("RFC822.HEADER"), { .kind = FETCH_BODY, .peek = true,
	    .section = SECTION_HEADER, .alias = "RFC822.HEADER" } },
	{ STR_INIT("RFC822.TEXT"), { .kind = FETCH_BODY,
	    .section = SECTION_TEXT, .alias = "RFC822.TEXT" } },
};

static const struct {
	struct str		name;
	enum section_kind	kind;
} sections[] = {
	{ STR_INIT("HEADER"), SECTION_HEADER },
	{ STR_INIT("HEADER.FIELDS"), SECTION_FIELDS },
	{ STR_INIT("HEADER.FIELDS.NOT"), SECTION_FIELDS_NOT },
	{ STR_INIT("TEXT"), SECTION_TEXT },
	{ STR_INIT("MIME"), SECTION_MIME },
};

static int
add(struct parse *p, struct fetch_att *a, const struct fetch_item *item)
{
	if (a->n == FETCH_ITEMS_MAX)
		return parse_fail(p, "[TOOBIG] too many items");
	a->items[a->n++] = *item;
	return 0;
}

/* ftext, RFC 5322 2.2. */
static bool
is_field_name(struct str s)
{
	return s.n > 0 && str_is_print(s) && str_chr(s, ' ') == -1 &&
	    str_chr(s, ':') == -1;
}

static int
read_names(struct parse *p, struct fetch_att *a, struct fetch_item *item)
{
	item->name = a->nnames;
	if (parse_sp(p) == -1 || parse_char(p, '(') == -1)
		return -1;
	for (;;) {
		if (a->nnames == FETCH_NAMES_MAX)
			return parse_fail(p, "[TOOBIG] too many fields");
		if (parse_astring(p, &a->names[a->nnames]) == -1)
			return -1;
		if (!is_field_name(a->names[a->nnames]))
			return parse_fail(p, "not the name of a field");
		a->nnames++;
		item->nnames++;
		if (parse_is(p, ')'))
			break;
		if (parse_sp(p) == -1)
			return -1;
	}
	return parse_char(p, ')');
}

/* "1.2" or "1.2." off the front of the section. */
static int
read_numbers(struct parse *p, struct str *word, struct fetch_item *item)
{
	struct str	piece;
	uint64_t	v;

	while (word->n > 0 && ascii_isdigit(word->p[0])) {
		if (item->nnumbers == FETCH_NUMBERS_MAX)
			return parse_fail(p, "[TOOBIG] part too deep");
		str_cut(word, '.', &piece);
		if (str_u64(piece, UINT32_MAX, &v) == -1 || v == 0)
			return parse_fail(p, "not the number of a part");
		item->numbers[item->nnumbers++] = (uint32_t)v;
	}
	/* p is NULL when the last piece was the last of all. */
	return word->p == NULL || word->n > 0 ? 0 :
	    parse_fail(p, "no such section");
}

static int
read_section_name(struct parse *p, struct str word, struct fetch_item *item)
{
	size_t i;

	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (!str_ieq(word, sections[i].name))
			continue;
		item->section = sections[i].kind;
		if (item->section == SECTION_MIME && item->nnumbers == 0)
			break;
		return 0;
	}
	return parse_fail(p, "no such section");
}

static int
read_section(struct parse *p, struct fetch_att *a, struct fetch_item *item)
{
	struct str word;

	if (parse_char(p, '[') == -1)
		return -1;
	item->section = SECTION_ALL;
	if (parse_is(p, ']')) {
		p->at++;
		return 0;
	}
	if (parse_word(p, &word) == -1 ||
	    read_numbers(p, &word, item) == -1)
		return -1;
	if (word.n > 0 && read_section_name(p, word, item) == -1)
		return -1;
	if ((item->section == SECTION_FIELDS ||
	    item->section == SECTION_FIELDS_NOT) &&
	    read_names(p, a, item) == -1)
		return -1;
	return parse_char(p, ']');
}

static int
read_partial(struct parse *p, struct fetch_item *item)
{
	if (!parse_is(p, '<'))
		return 0;
	p->at++;
	item->partial = true;
	if (parse_number(p, &item->from) == -1 ||
	    parse_char(p, '.') == -1 ||
	    parse_number(p, &item->len) == -1)
		return -1;
	if (item->len == 0)
		return parse_fail(p, "a partial of no bytes");
	return parse_char(p, '>');
}

static int
read_body(struct parse *p, struct fetch_att *a, bool peek)
{
	struct fetch_item item = { .kind = FETCH_BODY, .peek = peek };

	if (!peek && !parse_is(p, '[')) {
		item.kind = FETCH_STRUCTURE;
		return add(p, a, &item);
	}
	if (read_section(p, a, &item) == -1 || read_partial(p, &item) == -1)
		return -1;
	return add(p, a, &item);
}

static int
read_item(struct parse *p, struct fetch_att *a)
{
	struct str	word;
	size_t		i;

	if (parse_word(p, &word) == -1)
		return -1;
	if (str_ieq(word, S("BODY")) || str_ieq(word, S("BODY.PEEK")))
		return read_body(p, a, word.n > 4);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_ieq(word, words[i].name))
			return add(p, a, &words[i].item);
	}
	return parse_fail(p, "no such item");
}

static int
read_list(struct parse *p, struct fetch_att *a)
{
	p->at++;
	for (;;) {
		if (read_item(p, a) == -1)
			return -1;
		if (parse_is(p, ')'))
			break;
		if (parse_sp(p) == -1)
			return -1;
	}
	return parse_char(p, ')');
}

/* FAST, ALL and FULL: each is the one before and an item more. */
static int
read_macro(struct parse *p, struct fetch_att *a, bool *was)
{
	static const enum fetch_kind kinds[] = { FETCH_FLAGS, FETCH_DATE,
	    FETCH_SIZE, FETCH_ENVELOPE, FETCH_STRUCTURE };
	static const struct str names[] = { STR_INIT("FAST"),
	    STR_INIT("ALL"), STR_INIT("FULL") };
	struct str	word;
	size_t		i, k, from = p->at;

	if (parse_word(p, &word) == -1)
		return -1;
	*was = false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!str_ieq(word, names[i]))
			continue;
		*was = true;
		for (k = 0; k < i + 3; k++)
			add(p, a, &(struct fetch_item){ .kind = kinds[k] });
	}
	if (!*was)
		p->at = from;
	return 0;
}

int
fetch_att_parse(struct parse *p, struct fetch_att *a)
{
	bool macro;

	a->n = a->nnames = 0;
	if (parse_is(p, '(')) {
		if (read_list(p, a) == -1)
			return -1;
		return parse_end(p);
	}
	if (read_macro(p, a, &macro) == -1 ||
	    (!macro && read_item(p, a) == -1))
		return -1;
	return parse_end(p);
}

bool
fetch_att_has(const struct fetch_att *a, enum fetch_kind kind)
{
	unsigned i;

	for (i = 0; i < a->n; i++) {
		if (a->items[i].kind == kind)
			return true;
	}
	return false;
}
