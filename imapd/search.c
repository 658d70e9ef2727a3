/*
 * search - SEARCH and UID SEARCH at work, RFC 3501 6.4.4 and 7.2.5.
 *
 * Message after message: first by what the store knows without reading, then
 * by the fields that keys name, then by its other text, part after part and a
 * piece at a time, until the verdict is there.  A message of several parts is
 * read twice: the first time to find them.  Each of these steps is a small
 * one, so a search of everything shares the process with the other sessions.
 * Pure.
 */
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "common/mail/mime.h"
#include "imapd/haystack.h"
#include "imapd/header.h"
#include "imapd/searchkey.h"
#include "imapd/session.h"
#include "imapd/sift.h"

enum { PIECE = 32 * 1024 };

/* What is under way with a message, or was the last thing done. */
enum stage {
	STAGE_NEW,
	STAGE_FIELDS,		/* that keys name */
	STAGE_SCAN,		/* its parts are looked for */
	STAGE_PARTS		/* all the rest of it */
};

struct search {
	struct search_tree	tree;
	struct sift		sift;
	struct header		header;
	struct mime		mime;		/* n 0: it has one part */
	struct haystack		hay;
	struct buf		piece;		/* octets */
	size_t			at;		/* index of the message */
	struct store_body	*body;		/* its octets; NULL: not yet */
	uint32_t		from;		/* the next one to read */
	uint32_t		left;		/* of the part's body */
	unsigned		part;
	bool			begun;		/* this body */
	enum stage		stage;
	bool			has_sent;	/* its Date says a day */
	int32_t			sent;
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
	mime_clear(&q->mime);
	haystack_clear(&q->hay);
	buf_clear(&q->piece);
	sift_clear(&q->sift);
	free(q);
	s->search = NULL;
}

static void
next_message(struct imap *s)
{
	struct search *q = s->search;

	close_body(s);
	mime_clear(&q->mime);
	sift_reset(&q->sift);
	search_tree_reset(&q->tree);
	q->stage = STAGE_NEW;
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
judge(struct imap *s, const struct store_msg *msg, bool header, bool body)
{
	struct search		*q = s->search;
	struct search_facts	 facts = {
		.msg = msg,
		.number = (uint32_t)q->at + 1,
		.recent = s->view.m[q->at].recent,
		.header = header,
		.body = body,
		.has_sent = q->has_sent,
		.sent = q->sent
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

/* -- the text of a message ------------------------------------------------ */

static void
set_body(struct search *q, struct str header, uint32_t from, uint32_t n)
{
	q->from = from;
	q->left = n;
	q->begun = false;
	if (!haystack_begin(&q->hay, header))
		q->left = 0;
}

/* Its header is due; its text, if it has any of its own, comes next. */
static void
begin_part(struct imap *s)
{
	struct search		*q = s->search;
	const struct mime_part	*p = &q->mime.parts[q->part];
	struct str		 header = mime_header(&q->mime, p);

	if (q->part > 0)
		sift_header(&q->sift, header, SIFT_PART);
	if (p->child == 0)
		set_body(q, header, p->body, p->body_n);
}

static void
begin_text(struct imap *s, const struct store_msg *msg)
{
	struct search	*q = s->search;
	struct str	 header = buf_str(&q->header.text);

	q->part = 0;
	q->from = q->left = 0;
	sift_header(&q->sift, header, SIFT_OTHERS);
	if (haystack_has_parts(header)) {
		q->stage = STAGE_SCAN;
		mime_init(&q->mime);
	} else {
		q->stage = STAGE_PARTS;
		set_body(q, header, (uint32_t)header.n,
		    msg->size - (uint32_t)header.n);
	}
}

/* The next octets of the message, at most n. */
static int
read_piece(struct imap *s, uint32_t n)
{
	struct search		*q = s->search;
	enum store_result	 r;

	buf_reset(&q->piece);
	r = s->store->ops->body_read(s->store->impl, q->body, q->from,
	    n < PIECE ? n : PIECE, &q->piece);
	if (r != STORE_OK || q->piece.n == 0) {
		q->failed = true;
		next_message(s);
		return -1;
	}
	q->from += (uint32_t)q->piece.n;
	s->work -= (int64_t)q->piece.n;
	return 0;
}

/* Looks for the parts of the message. */
static void
scan(struct imap *s, const struct store_msg *msg)
{
	struct search *q = s->search;

	if (q->from < msg->size) {
		if (read_piece(s, msg->size - q->from) == 0)
			mime_feed(&q->mime, buf_str(&q->piece));
		return;
	}
	mime_end(&q->mime);
	q->stage = STAGE_PARTS;
	begin_part(s);
}

static void
read_body(struct imap *s)
{
	struct search	*q = s->search;
	struct buf	*text = sift_room(&q->sift);

	if (read_piece(s, q->left) == -1)
		return;
	q->left -= (uint32_t)q->piece.n;
	haystack_feed(&q->hay, buf_str(&q->piece), q->left == 0, text);
	s->work -= (int64_t)text->n;
	sift_body(&q->sift, !q->begun);
	q->begun = true;
}

static void
read_on(struct imap *s, const struct store_msg *msg)
{
	struct search	*q = s->search;
	bool		 over = q->left == 0 && q->part + 1 >= q->mime.n;

	if (judge(s, msg, true, over) || over)
		return;
	if (q->left > 0) {
		read_body(s);
		return;
	}
	q->part++;
	begin_part(s);
}

/* -- messages -------------------------------------------------------------- */

static void
begin_fields(struct imap *s, const struct store_msg *msg)
{
	struct search	*q = s->search;
	struct str	 header;

	if (s->store->ops->body_open(s->store->impl, s->view.folder,
	    msg->uid, &q->body) != STORE_OK ||
	    header_load(&q->header, s->store, q->body, msg, &s->work) !=
	    STORE_OK) {
		q->failed = true;
		next_message(s);
		return;
	}
	header = buf_str(&q->header.text);
	q->has_sent = q->tree.has_sent && search_sent_day(header, &q->sent);
	q->stage = STAGE_FIELDS;
	if (q->tree.nfields > 0)
		sift_header(&q->sift, header, SIFT_NAMED);
}

/* What was begun is all fed: what comes next? */
static void
look(struct imap *s, const struct store_msg *msg)
{
	switch (s->search->stage) {
	case STAGE_NEW:
		if (!judge(s, msg, false, false))
			begin_fields(s, msg);
		break;
	case STAGE_FIELDS:
		if (!judge(s, msg, true, false))
			begin_text(s, msg);
		break;
	case STAGE_SCAN:
		scan(s, msg);
		break;
	case STAGE_PARTS:
		read_on(s, msg);
		break;
	}
}

static void
search_step(struct imap *s)
{
	struct search		*q = s->search;
	const struct store_msg	*msg;

	while (s->work > 0 && s->out.n < IMAP_OUT_SOFT) {
		if (q->at < s->view.n) {
			msg = view_msg(&s->view, q->at);
			if (msg == NULL)
				next_message(s);
			else if (sift_step(&q->sift, &s->work))
				look(s, msg);
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
	haystack_init(&q->hay);
	buf_init(&q->piece, PIECE);
	sift_init(&q->sift, &q->tree);
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
