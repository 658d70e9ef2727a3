/*
 * flags - see flags.h.  Pure.
 */
#include "imapd/flags.h"

static const struct {
	struct str	name;
	uint8_t		bit;
} system_flags[] = {
	{ STR_INIT("\\Answered"), STORE_ANSWERED },
	{ STR_INIT("\\Flagged"), STORE_FLAGGED },
	{ STR_INIT("\\Deleted"), STORE_DELETED },
	{ STR_INIT("\\Seen"), STORE_SEEN },
	{ STR_INIT("\\Draft"), STORE_DRAFT },
};

enum { NSYSTEM = sizeof(system_flags) / sizeof(system_flags[0]) };

static void
add_word(struct flag_list *l, struct str word)
{
	unsigned i;

	for (i = 0; i < l->nwords; i++) {
		if (str_ieq(l->words[i], word))
			return;
	}
	if (l->nwords == STORE_KEYWORDS_MAX || word.n > STORE_KEYWORD_MAX) {
		l->limit = true;
		return;
	}
	l->words[l->nwords++] = word;
}

static int
add_flag(struct parse *p, struct flag_list *l, struct str word)
{
	unsigned i;

	if (word.p[0] != '\\') {
		add_word(l, word);
		return 0;
	}
	for (i = 0; i < NSYSTEM; i++) {
		if (str_ieq(word, system_flags[i].name)) {
			l->flags |= system_flags[i].bit;
			return 0;
		}
	}
	return parse_fail(p, "no such system flag");
}

int
flags_parse(struct parse *p, bool bare, struct flag_list *l)
{
	bool		in = parse_is(p, '(');
	struct str	word;

	*l = (struct flag_list){ 0 };
	if (in)
		p->at++;
	else if (!bare)
		return parse_fail(p, "a list of flags is missing");
	if (in && parse_is(p, ')')) {
		p->at++;
		return 0;
	}
	for (;;) {
		if (parse_flag(p, &word) == -1 || add_flag(p, l, word) == -1)
			return -1;
		if (!parse_is(p, ' '))
			break;
		p->at++;
	}
	return in ? parse_char(p, ')') : 0;
}

static void
add_spaced(struct buf *out, struct str word, bool *first)
{
	if (!*first)
		buf_addc(out, ' ');
	*first = false;
	buf_add(out, word);
}

void
flags_format(struct buf *out, const struct store_folder *f,
    const struct store_msg *msg, bool recent)
{
	bool		first = true;
	unsigned	i;

	buf_addc(out, '(');
	for (i = 0; i < NSYSTEM; i++) {
		if (msg->flags & system_flags[i].bit)
			add_spaced(out, system_flags[i].name, &first);
	}
	if (recent)
		add_spaced(out, S("\\Recent"), &first);
	for (i = 0; i < f->nkeywords; i++) {
		if (msg->keywords >> i & 1)
			add_spaced(out, f->keywords[i], &first);
	}
	buf_addc(out, ')');
}

void
flags_format_all(struct buf *out, const struct store_folder *f)
{
	bool		first = true;
	unsigned	i;

	buf_addc(out, '(');
	for (i = 0; i < NSYSTEM; i++)
		add_spaced(out, system_flags[i].name, &first);
	for (i = 0; i < f->nkeywords; i++)
		add_spaced(out, f->keywords[i], &first);
}
