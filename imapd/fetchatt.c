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

static int
read_section(struct parse *p, struct fetch_att *a, struct fetch_item *item)
{
	struct str	word;
	size_t		i;

	if (parse_char(p, '[') == -1)
		return -1;
	item->section = SECTION_ALL;
	if (parse_is(p, ']')) {
		p->at++;
		return 0;
	}
	if (parse_word(p, &word) == -1)
		return -1;
	if (ascii_isdigit(word.p[0]))
		return parse_fail(p, "parts of messages are not served");
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (str_ieq(word, sections[i].name))
			break;
	}
	if (i == sizeof(sections) / sizeof(sections[0]))
		return parse_fail(p, "no such section");
	item->section = sections[i].kind;
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

	if (!peek && !parse_is(p, '['))
		return parse_fail(p, "BODY without a section is not "
		    "served");
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
	if (str_ieq(word, S("ENVELOPE")) || str_ieq(word, S("BODYSTRUCTURE")))
		return parse_fail(p, "ENVELOPE and BODYSTRUCTURE are not served");
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

/* FAST; ALL and FULL want an ENVELOPE. */
static int
read_macro(struct parse *p, struct fetch_att *a, bool *was)
{
	static const struct fetch_item fast[] = {
		{ .kind = FETCH_FLAGS },
		{ .kind = FETCH_DATE },
		{ .kind = FETCH_SIZE },
	};
	struct str	word;
	size_t		i, from = p->at;

	*was = true;
	if (parse_word(p, &word) == -1)
		return -1;
	if (str_ieq(word, S("ALL")) || str_ieq(word, S("FULL")))
		return parse_fail(p, "ENVELOPE is not served");
	*was = str_ieq(word, S("FAST"));
	for (i = 0; *was && i < sizeof(fast) / sizeof(fast[0]); i++)
		add(p, a, &fast[i]);
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
