/*
 * search - SEARCH and UID SEARCH at work, RFC 3501 6.4.4 and 7.2.5.
 *
 * Message after message: first by what the store knows without reading, then
 * with its header, then with its octets, a piece at a time, until the verdict
 * is there.  So a search of everything shares the process with the other
 * sessions.  Pure.
 */
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "imapd/header.h"
#include "imapd/searchkey.h"
#include "imapd/session.h"

enum { PIECE = 32 * 1024 };

struct search {
	struct search_tree	tree;
	struct header		header;
	struct buf		piece;
	size_t			at;		/* index of the message */
	struct store_body	*body;		/* its octets; NULL: not yet */
	uint32_t		from;		/* the next one to read */
	bool			reading;
	bool			failed;
};

static void
close_body(struct imap *s)
{
	struct search *q = s->search;

	if (q->body != NULL)
		s->store->ops->body_close(s->store->impl, q->body);
	q->body = NULL;
}

void
search_free(struct imap *s)
{
	struct search *q = s->search;

	if (q == NULL)
		return;
	close_body(s);
	search_tree_clear(&q->tree);
	header_clear(&q->header);
	buf_clear(&q->piece);
	free(q);
	s->search = NULL;
}

static void
next_message(struct imap *s)
{
	struct search *q = s->search;

	close_body(s);
	search_tree_reset(&q->tree);
	q->reading = false;
	q->at++;
}

static void
found(struct imap *s)
{
	struct search *q = s->search;

	buf_addf(&s->out, " %u", s->uid ? s->view.m[q->at].uid :
	    (uint32_t)q->at + 1);
	next_message(s);
}

/* Goes on to the next message when the verdict is there. */
static bool
judge(struct imap *s, const struct store_msg *msg, bool with_header,
    bool body_done)
{
	struct search		*q = s->search;
	struct search_facts	 facts = {
		.msg = msg,
		.number = (uint32_t)q->at + 1,
		.recent = s->view.m[q->at].recent,
		.header = with_header ? &q->header.text : NULL,
		.body_done = body_done
	};

	s->work -= (int64_t)q->tree.n;
	switch (search_tree_judge(&q->tree, &facts)) {
	case VERDICT_UNKNOWN:
		return false;
	case VERDICT_NO:
		next_message(s);
		return true;
	case VERDICT_YES:
		found(s);
		return true;
	}
	return false;
}

/* TEXT sees all of the message, BODY what is behind its header. */
static void
feed(struct imap *s)
{
	struct search	*q = s->search;
	struct str	 text = buf_str(&q->piece);
	size_t		 head = q->header.text.n, skip;
	unsigned	 i;

	skip = q->from < head ? head - q->from : 0;
	for (i = 0; i < q->tree.n; i++) {
		struct search_key *k = &q->tree.keys[i];

		if (k->op == SEARCH_TEXT)
			match_feed(&k->match, text);
		else if (k->op == SEARCH_BODY)
			match_feed(&k->match, str_from(text, skip));
	}
	s->work -= (int64_t)(text.n * (1 + q->tree.ntexts));
}

static void
read_on(struct imap *s, const struct store_msg *msg)
{
	struct search		*q = s->search;
	enum store_result	 r;

	buf_reset(&q->piece);
	r = s->store->ops->body_read(s->store->impl, q->body, q->from, PIECE,
	    &q->piece);
	if (r != STORE_OK || (q->piece.n == 0 && q->from < msg->size)) {
		q->failed = true;
		next_message(s);
		return;
	}
	feed(s);
	q->from += (uint32_t)q->piece.n;
	judge(s, msg, true, q->from >= msg->size);
}

static void
look(struct imap *s)
{
	struct search		*q = s->search;
	const struct store_msg	*msg = view_msg(&s->view, q->at);

	if (msg == NULL) {
		next_message(s);
		return;
	}
	if (q->reading) {
		read_on(s, msg);
		return;
	}
	if (judge(s, msg, false, false))
		return;
	if (s->store->ops->body_open(s->store->impl, s->view.folder,
	    msg->uid, &q->body) != STORE_OK ||
	    header_load(&q->header, s->store, q->body, msg, &s->work) !=
	    STORE_OK) {
		q->failed = true;
		next_message(s);
		return;
	}
	if (judge(s, msg, true, false))
		return;
	q->reading = true;
	q->from = 0;
}

static void
search_step(struct imap *s)
{
	struct search *q = s->search;

	while (s->work > 0 && s->out.n < IMAP_OUT_SOFT) {
		if (q->at < s->view.n) {
			look(s);
			continue;
		}
		buf_add(&s->out, S("\r\n"));
		if (q->failed)
			imap_no(s, "[UNAVAILABLE] some messages could not "
			    "be read");
		else
			imap_ok(s, "searched");
		return;
	}
}

/* Numbers and keywords mean what they mean now. */
static void
resolve(struct imap *s)
{
	struct search_tree	*t = &s->search->tree;
	unsigned		 i;

	for (i = 0; i < t->n; i++) {
		struct search_key *k = &t->keys[i];

		if (k->op == SEARCH_SEQ)
			seqset_resolve(&k->set, (uint32_t)s->view.n);
		else if (k->op == SEARCH_UID)
			seqset_resolve(&k->set, view_last_uid(&s->view));
		else if (k->op == SEARCH_KEYWORD ||
		    k->op == SEARCH_UNKEYWORD)
			k->keyword = s->store->ops->keyword(s->store->impl,
			    s->view.folder, k->name, false);
	}
}

void
cmd_search(struct imap *s)
{
	struct search *q = xcalloc(1, sizeof(*q));

	s->search = q;
	header_init(&q->header);
	buf_init(&q->piece, PIECE);
	if (search_tree_parse(&s->args, &q->tree) == -1) {
		imap_bad_args(s);
		return;
	}
	if (q->tree.bad_charset) {
		imap_no(s, "[BADCHARSET (US-ASCII UTF-8)] texts are read as "
		    "UTF-8");
		return;
	}
	resolve(s);
	buf_add(&s->out, S("* SEARCH"));
	s->step = search_step;
}
