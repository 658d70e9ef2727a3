/*
 * imap_parse_seeds_test - what the seeds of imap_parse_fuzz reach: each item
 * of FETCH, key of SEARCH and flag, and everything that is wrong with them.
 */
#include "tests/lib/unit.h"

#include "imapd/fetchatt.h"
#include "imapd/flags.h"
#include "imapd/glob.h"
#include "imapd/searchkey.h"
#include "tests/lib/seeds.h"

static bool		ops[SEEDS_STATES], flag_keys[SEEDS_STATES];
static bool		unflag_keys[SEEDS_STATES];
static bool		items[SEEDS_STATES], sections[SEEDS_STATES];
static bool		facts[SEEDS_STATES], flag_bits[SEEDS_STATES];
static struct buf	errors, fields, aliases;

static const char *
op_name(unsigned o)
{
	switch ((enum search_op)o) {
		SEEDS_NAME(SEARCH_AND);
		SEEDS_NAME(SEARCH_OR);
		SEEDS_NAME(SEARCH_NOT);
		SEEDS_NAME(SEARCH_FLAG);
		SEEDS_NAME(SEARCH_UNFLAG);
		SEEDS_NAME(SEARCH_NEW);
		SEEDS_NAME(SEARCH_OLD);
		SEEDS_NAME(SEARCH_RECENT);
		SEEDS_NAME(SEARCH_KEYWORD);
		SEEDS_NAME(SEARCH_UNKEYWORD);
		SEEDS_NAME(SEARCH_SEQ);
		SEEDS_NAME(SEARCH_UID);
		SEEDS_NAME(SEARCH_LARGER);
		SEEDS_NAME(SEARCH_SMALLER);
		SEEDS_NAME(SEARCH_BEFORE);
		SEEDS_NAME(SEARCH_ON);
		SEEDS_NAME(SEARCH_SINCE);
		SEEDS_NAME(SEARCH_SENTBEFORE);
		SEEDS_NAME(SEARCH_SENTON);
		SEEDS_NAME(SEARCH_SENTSINCE);
		SEEDS_NAME(SEARCH_HEADER);
		SEEDS_NAME(SEARCH_BODY);
		SEEDS_NAME(SEARCH_TEXT);
	}
	return NULL;
}

/* System flags are single bits. */
static const char *
flag_name(unsigned f)
{
	switch (f) {
		SEEDS_NAME(STORE_SEEN);
		SEEDS_NAME(STORE_ANSWERED);
		SEEDS_NAME(STORE_FLAGGED);
		SEEDS_NAME(STORE_DELETED);
		SEEDS_NAME(STORE_DRAFT);
	}
	return NULL;
}

static const char *
item_name(unsigned k)
{
	switch ((enum fetch_kind)k) {
		SEEDS_NAME(FETCH_FLAGS);
		SEEDS_NAME(FETCH_UID);
		SEEDS_NAME(FETCH_DATE);
		SEEDS_NAME(FETCH_SIZE);
		SEEDS_NAME(FETCH_ENVELOPE);
		SEEDS_NAME(FETCH_STRUCTURE);
		SEEDS_NAME(FETCH_BODYSTRUCTURE);
		SEEDS_NAME(FETCH_BODY);
	}
	return NULL;
}

static const char *
section_name(unsigned k)
{
	switch ((enum section_kind)k) {
		SEEDS_NAME(SECTION_ALL);
		SEEDS_NAME(SECTION_HEADER);
		SEEDS_NAME(SECTION_FIELDS);
		SEEDS_NAME(SECTION_FIELDS_NOT);
		SEEDS_NAME(SECTION_TEXT);
		SEEDS_NAME(SECTION_MIME);
	}
	return NULL;
}

enum fact {
	SET_TAKEN, SET_REFUSED, SET_STAR, SET_MERGED, SET_NONE_LEFT,
	SEARCH_CHARSET, FETCH_PEEK, FETCH_PARTIAL, FETCH_PART, FETCH_MACRO,
	GLOB_MATCH, GLOB_NO_MATCH, GLOB_LONG, GLOB_PERCENT, GLOB_STAR,
	FLAG_WORD, FLAG_LIMIT, FLAGS_NONE, FLAGS_BARE, FLAGS_TWICE,
	LITERAL_SYNC, LITERAL_PLUS, LITERAL_NONE, LITERAL_HUGE
};

static const char *
fact_name(unsigned f)
{
	switch ((enum fact)f) {
		SEEDS_NAME(SET_TAKEN);
		SEEDS_NAME(SET_REFUSED);
		SEEDS_NAME(SET_STAR);
		SEEDS_NAME(SET_MERGED);
		SEEDS_NAME(SET_NONE_LEFT);
		SEEDS_NAME(SEARCH_CHARSET);
		SEEDS_NAME(FETCH_PEEK);
		SEEDS_NAME(FETCH_PARTIAL);
		SEEDS_NAME(FETCH_PART);
		SEEDS_NAME(FETCH_MACRO);
		SEEDS_NAME(GLOB_MATCH);
		SEEDS_NAME(GLOB_NO_MATCH);
		SEEDS_NAME(GLOB_LONG);
		SEEDS_NAME(GLOB_PERCENT);
		SEEDS_NAME(GLOB_STAR);
		SEEDS_NAME(FLAG_WORD);
		SEEDS_NAME(FLAG_LIMIT);
		SEEDS_NAME(FLAGS_NONE);
		SEEDS_NAME(FLAGS_BARE);
		SEEDS_NAME(FLAGS_TWICE);
		SEEDS_NAME(LITERAL_SYNC);
		SEEDS_NAME(LITERAL_PLUS);
		SEEDS_NAME(LITERAL_NONE);
		SEEDS_NAME(LITERAL_HUGE);
	}
	return NULL;
}

static const char *const wrong[] = {
	/* parse.c, but for tags */
	"unexpected character", "a space is missing", "too many arguments",
	"an atom is missing", "a word is missing", "a message set is missing",
	"not a number of 32 bits", "bad escape in string",
	"control or 8-bit character in a quoted string",
	"a string does not end", "a literal is cut short", "NUL in a literal",
	"an argument is missing", "a pattern is missing",
	/* fetchatt.c */
	"[TOOBIG] too many items", "[TOOBIG] too many fields",
	"not the name of a field", "[TOOBIG] part too deep",
	"not the number of a part", "no such section",
	"a partial of no bytes", "no such item",
	/* searchkey.c */
	"[TOOBIG] too many keys", "[TOOBIG] text too long",
	"text is not UTF-8", "not a set of messages", "not a date",
	"no such search key", "[TOOBIG] nested too deeply",
	/* flags.c */
	"no such system flag",
};

static const char *const header_keys[] = {
	"(Bcc)", "(Cc)", "(From)", "(Subject)", "(To)", "(x-any)",
};

static const char *const alias_items[] = {
	"(RFC822)", "(RFC822.HEADER)", "(RFC822.TEXT)",
};

static void
note(struct buf *b, struct str s)
{
	buf_addc(b, '(');
	buf_add(b, s);
	buf_addc(b, ')');
}

static void
play_set(struct parse *p)
{
	struct seqset	set, none;
	struct str	text;
	size_t		before;

	if (parse_set_text(p, &text) == -1)
		return;
	if (seqset_parse(&set, text) == -1) {
		facts[SET_REFUSED] = true;
		return;
	}
	before = set.n;
	facts[SET_TAKEN] = true;
	facts[SET_STAR] |= str_chr(text, '*') != -1;
	seqset_resolve(&set, 77);
	facts[SET_MERGED] |= set.n < before;
	seqset_clear(&set);
	assert_int_equal(seqset_parse(&none, text), 0);
	seqset_resolve(&none, 0);
	facts[SET_NONE_LEFT] |= none.n == 0;
	seqset_clear(&none);
}

static void
play_fetch(struct parse *p)
{
	static struct fetch_att	a;
	unsigned		i;

	if (fetch_att_parse(p, &a) == -1)
		return;
	facts[FETCH_MACRO] |= p->p[0] != '(' && a.n > 1;
	for (i = 0; i < a.n; i++) {
		items[a.items[i].kind] = true;
		if (a.items[i].kind != FETCH_BODY)
			continue;
		sections[a.items[i].section] = true;
		facts[FETCH_PEEK] |= a.items[i].peek;
		facts[FETCH_PARTIAL] |= a.items[i].partial;
		facts[FETCH_PART] |= a.items[i].nnumbers > 1;
		if (a.items[i].alias != NULL)
			note(&aliases, str_c(a.items[i].alias));
	}
}

static void
play_search(struct parse *p)
{
	struct search_tree	t;
	unsigned		i;

	if (search_tree_parse(p, &t) == 0) {
		facts[SEARCH_CHARSET] |= t.bad_charset;
		for (i = 0; i < t.n; i++) {
			ops[t.keys[i].op] = true;
			if (t.keys[i].op == SEARCH_FLAG)
				flag_keys[t.keys[i].flag] = true;
			if (t.keys[i].op == SEARCH_UNFLAG)
				unflag_keys[t.keys[i].flag] = true;
			if (t.keys[i].op == SEARCH_HEADER)
				note(&fields, t.keys[i].name);
		}
	}
	search_tree_clear(&t);
}

static void
play_glob(struct parse *p)
{
	static struct glob	g;
	struct str		pattern, name;

	if (parse_pattern(p, &pattern) == -1 || parse_sp(p) == -1 ||
	    parse_astring(p, &name) == -1)
		return;
	if (glob_init(&g, S(""), pattern) == -1) {
		facts[GLOB_LONG] = true;
		return;
	}
	facts[glob_match(&g, name, true) ? GLOB_MATCH : GLOB_NO_MATCH] = true;
	facts[GLOB_PERCENT] |= glob_has_percent(&g);
	facts[GLOB_STAR] |= str_chr(pattern, '*') != -1;
}

static void
play_flags(struct parse *p)
{
	static struct flag_list	l;
	unsigned		bit;

	if (flags_parse(p, true, &l) == -1)
		return;
	for (bit = 1; bit < SEEDS_STATES; bit <<= 1)
		flag_bits[bit] |= (l.flags & bit) != 0;
	facts[FLAG_WORD] |= l.nwords > 0;
	facts[FLAG_LIMIT] |= l.limit;
	facts[FLAGS_NONE] |= l.nwords == 0 && l.flags == 0;
	facts[FLAGS_BARE] |= p->p[0] != '(';
	facts[FLAGS_TWICE] |= l.nwords == 1 &&
	    str_starts(str_of(p->p, p->n), S("($x $X"));
}

static void
play_literal(struct str line)
{
	struct literal l;

	if (!parse_literal_at_end(line, &l)) {
		facts[LITERAL_NONE] = true;
		return;
	}
	facts[l.sync ? LITERAL_SYNC : LITERAL_PLUS] = true;
	facts[LITERAL_HUGE] |= l.n == UINT64_MAX;
}

/* As imap_parse_fuzz: the first byte chooses the reader. */
static void
play(struct str seed)
{
	static void	(*const readers[])(struct parse *) = {
		play_set, play_fetch, play_search, play_glob, play_flags
	};
	unsigned	choice = (unsigned char)seed.p[0] % 6;
	struct parse	p;
	char		*copy;

	if (choice == LENGTH(readers)) {
		play_literal(str_from(seed, 1));
		return;
	}
	copy = malloc(seed.n);
	assert_non_null(copy);
	memcpy(copy, seed.p, seed.n);
	p = parse_of(copy + 1, seed.n - 1);
	readers[choice](&p);
	if (p.error != NULL)
		note(&errors, str_c(p.error));
	free(copy);
}

static void
test_reach(void **state)
{
	static const char target[] = "imap_parse";

	(void)state;
	buf_init(&errors, 1 << 20);
	buf_init(&fields, 1 << 20);
	buf_init(&aliases, 1 << 20);
	seeds_play(target, play);
	seeds_need(target, op_name, ops);
	seeds_need(target, flag_name, flag_keys);
	seeds_need(target, flag_name, unflag_keys);
	seeds_need(target, item_name, items);
	seeds_need(target, section_name, sections);
	seeds_need(target, fact_name, facts);
	seeds_need(target, flag_name, flag_bits);
	seeds_need_said(target, &errors, wrong, LENGTH(wrong));
	seeds_need_said(target, &fields, header_keys, LENGTH(header_keys));
	seeds_need_said(target, &aliases, alias_items, LENGTH(alias_items));
	buf_clear(&errors);
	buf_clear(&fields);
	buf_clear(&aliases);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach),
	};

	return cmocka_run_group_tests_name("imap_parse_seeds", tests, NULL,
	    NULL);
}
