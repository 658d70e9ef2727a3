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
#include "imapd/sift.h"

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

/* All of a message to its keys, in steps of that much work. */
static enum verdict
sift_all(struct search_tree *t, int64_t work)
{
	static const char	 header[] = "From: a\r\njunk\r\nX:\r\n"
	    "Date: 1 Jan 2026 10:00 +0000\r\nFrom: b\r\n\r\n";
	struct store_msg	 msg = { .uid = 3, .size = 40 };
	struct search_facts	 facts = { .msg = &msg, .number = 2,
	    .header = true, .body = true };
	struct sift		 f;
	int64_t			 left;
	int			 stage;

	search_tree_reset(t);
	sift_init(&f, t);
	for (stage = 0; stage < 5; stage++) {
		if (stage < 3) {
			sift_header(&f, str_c(header), stage == 0 ?
			    SIFT_NAMED : stage == 1 ? SIFT_OTHERS : SIFT_PART);
		} else {
			buf_addz(sift_room(&f), stage == 3 ? "te" : "xt");
			sift_body(&f, stage == 3);
		}
		do
			left = work;
		while (!sift_step(&f, &left));
	}
	sift_clear(&f);
	facts.has_sent = search_sent_day(str_c(header), &facts.sent);
	return search_tree_judge(t, &facts);
}

static void
fuzz_search(struct parse *p)
{
	struct store_msg	msg = { .uid = 3, .size = 40 };
	struct search_facts	facts = { .msg = &msg, .number = 2 };
	struct search_tree	t;
	enum verdict		v, by_step;

	if (search_tree_parse(p, &t) == 0 && !t.bad_charset) {
		search_tree_reset(&t);
		search_tree_judge(&t, &facts);
		v = sift_all(&t, INT64_MAX);
		assert(v != VERDICT_UNKNOWN);
		by_step = sift_all(&t, 1);
		assert(by_step == v);
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
