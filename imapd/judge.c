/*
 * judge - see searchkey.h: the verdict of a tree of search keys on one
 * message.  Pure.
 */
#include "common/mail/date.h"
#include "common/mail/rfc5322.h"
#include "imapd/searchkey.h"

void
search_tree_reset(struct search_tree *t)
{
	unsigned i;

	for (i = 0; i < t->n; i++) {
		struct search_key *k = &t->keys[i];

		k->verdict = VERDICT_UNKNOWN;
		match_reset(&k->match);
		/*
		 * RFC 3501 6.4.4: an empty text matches any field of its
		 * name, but there must be one.
		 */
		k->hit = k->match.found && k->op != SEARCH_HEADER;
	}
}

static enum verdict
yes_if(bool yes)
{
	return yes ? VERDICT_YES : VERDICT_NO;
}

bool
search_sent_day(struct str header, int32_t *day)
{
	struct hdr_field	f;
	struct buf		line;
	int64_t			t;
	int			zone;
	bool			ok;

	if (!hdr_find(header, S("Date"), &f))
		return false;
	buf_init(&line, f.value.n);
	hdr_unfold(&line, f.value);
	ok = date_parse_mail(buf_str(&line), &t, &zone) == 0;
	buf_clear(&line);
	if (ok)
		*day = date_day(t, zone);
	return ok;
}

static enum verdict
by_sent(const struct search_key *k, const struct search_facts *facts)
{
	if (!facts->header)
		return VERDICT_UNKNOWN;
	if (!facts->has_sent)
		return VERDICT_NO;
	if (k->op == SEARCH_SENTBEFORE)
		return yes_if(facts->sent < k->day);
	if (k->op == SEARCH_SENTON)
		return yes_if(facts->sent == k->day);
	return yes_if(facts->sent >= k->day);
}

static enum verdict
by_text(const struct search_key *k, bool done)
{
	if (k->hit)
		return VERDICT_YES;
	return done ? VERDICT_NO : VERDICT_UNKNOWN;
}

static bool
has_keyword(const struct search_key *k, const struct store_msg *msg)
{
	return k->keyword >= 0 && (msg->keywords >> k->keyword & 1) != 0;
}

static enum verdict
leaf(struct search_key *k, const struct search_facts *facts)
{
	const struct store_msg	*msg = facts->msg;
	int32_t			 day = date_day(msg->date, msg->zone);

	switch (k->op) {
	case SEARCH_FLAG:
		return yes_if(msg->flags & k->flag);
	case SEARCH_UNFLAG:
		return yes_if(!(msg->flags & k->flag));
	case SEARCH_NEW:
		return yes_if(facts->recent && !(msg->flags & STORE_SEEN));
	case SEARCH_OLD:
		return yes_if(!facts->recent);
	case SEARCH_RECENT:
		return yes_if(facts->recent);
	case SEARCH_KEYWORD:
		return yes_if(has_keyword(k, msg));
	case SEARCH_UNKEYWORD:
		return yes_if(!has_keyword(k, msg));
	case SEARCH_SEQ:
		return yes_if(seqset_has(&k->set, facts->number));
	case SEARCH_UID:
		return yes_if(seqset_has(&k->set, msg->uid));
	case SEARCH_LARGER:
		return yes_if(msg->size > k->number);
	case SEARCH_SMALLER:
		return yes_if(msg->size < k->number);
	case SEARCH_BEFORE:
		return yes_if(day < k->day);
	case SEARCH_ON:
		return yes_if(day == k->day);
	case SEARCH_SINCE:
		return yes_if(day >= k->day);
	case SEARCH_SENTBEFORE:
	case SEARCH_SENTON:
	case SEARCH_SENTSINCE:
		return by_sent(k, facts);
	case SEARCH_HEADER:
		return by_text(k, facts->header);
	case SEARCH_BODY:
	case SEARCH_TEXT:
		return by_text(k, facts->body);
	case SEARCH_AND:
	case SEARCH_OR:
	case SEARCH_NOT:
		break;
	}
	return VERDICT_UNKNOWN;
}

static enum verdict judge(struct search_tree *, unsigned,
    const struct search_facts *);

/* `ends` settles it as soon as one child says so. */
static enum verdict
children(struct search_tree *t, unsigned first, enum verdict ends,
    enum verdict otherwise, const struct search_facts *facts)
{
	enum verdict	v, all = otherwise;
	unsigned	i;

	for (i = first; i != 0; i = t->keys[i].next) {
		v = judge(t, i, facts);
		if (v == ends)
			return ends;
		if (v == VERDICT_UNKNOWN)
			all = VERDICT_UNKNOWN;
	}
	return all;
}

static enum verdict
judge(struct search_tree *t, unsigned i, const struct search_facts *facts)
{
	struct search_key	*k = &t->keys[i];
	enum verdict		 v;

	if (k->verdict != VERDICT_UNKNOWN)
		return k->verdict;
	if (k->op == SEARCH_AND) {
		k->verdict = children(t, k->child, VERDICT_NO, VERDICT_YES,
		    facts);
	} else if (k->op == SEARCH_OR) {
		k->verdict = children(t, k->child, VERDICT_YES, VERDICT_NO,
		    facts);
	} else if (k->op == SEARCH_NOT) {
		v = judge(t, k->child, facts);
		if (v != VERDICT_UNKNOWN)
			k->verdict = yes_if(v == VERDICT_NO);
	} else {
		k->verdict = leaf(k, facts);
	}
	return k->verdict;
}

enum verdict
search_tree_judge(struct search_tree *t, const struct search_facts *facts)
{
	return judge(t, 0, facts);
}
