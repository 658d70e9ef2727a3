/*
 * imap_parse_fuzz - the readers of arguments, each over the same bytes: the
 * first byte chooses.  What they accept keeps within its limits.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "imapd/fetchatt.h"
#include "imapd/flags.h"
#include "imapd/glob.h"
#include "imapd/searchkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
fuzz_set(struct parse *p)
{
	struct seqset	set;
	struct str	text;
	size_t		i;

	if (parse_set_text(p, &text) == -1 || seqset_parse(&set, text) == -1)
		return;
	seqset_resolve(&set, 77);
	for (i = 1; i < set.n; i++)
		assert(set.r[i].lo > set.r[i - 1].hi + 1);
	seqset_clear(&set);
}

static void
fuzz_fetch(struct parse *p)
{
	struct fetch_att *a = malloc(sizeof(*a));

	if (a != NULL && fetch_att_parse(p, a) == 0)
		assert(a->n > 0 && a->n <= FETCH_ITEMS_MAX);
	free(a);
}

static void
fuzz_search(struct parse *p)
{
	struct store_msg	msg = { .uid = 3, .size = 40 };
	struct search_facts	facts = { .msg = &msg, .number = 2 };
	struct search_tree	t;

	if (search_tree_parse(p, &t) == 0 && !t.bad_charset) {
		search_tree_reset(&t);
		search_tree_judge(&t, &facts);
		facts.header = facts.body = true;
		facts.has_sent = search_sent_day(
		    S("Date: 1 Jan 2026 10:00 +0000\r\n\r\n"), &facts.sent);
		assert(search_tree_judge(&t, &facts) != VERDICT_UNKNOWN);
	}
	search_tree_clear(&t);
}

static void
fuzz_glob(struct parse *p)
{
	struct glob	g;
	struct str	a, b;

	if (parse_pattern(p, &a) == -1 || parse_sp(p) == -1 ||
	    parse_astring(p, &b) == -1 || glob_init(&g, S(""), a) == -1)
		return;
	glob_match(&g, b, true);
	/* A name matches itself, and "*" anything. */
	if (str_chr(b, '*') == -1 && str_chr(b, '%') == -1 &&
	    glob_init(&g, S(""), b) == 0)
		assert(glob_match(&g, b, false));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flag_list	flags;
	struct literal		l;
	struct parse		p;
	char			*copy;

	if (size < 1 || size > 65536)
		return 0;
	/* Exactly as large, so that a read too far is seen. */
	copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	p = parse_of(copy + 1, size - 1);
	switch (data[0] % 6) {
	case 0:
		fuzz_set(&p);
		break;
	case 1:
		fuzz_fetch(&p);
		break;
	case 2:
		fuzz_search(&p);
		break;
	case 3:
		fuzz_glob(&p);
		break;
	case 4:
		if (flags_parse(&p, true, &flags) == 0)
			assert(flags.nwords <= STORE_KEYWORDS_MAX);
		break;
	case 5:
		parse_literal_at_end(str_of(copy + 1, size - 1), &l);
		break;
	}
	free(copy);
	return 0;
}
