/*
 * cmd_store - STORE and COPY, RFC 3501 6.4.6 and 6.4.7, and COPYUID of RFC
 * 4315.  A STORE over many messages goes in portions; a COPY is one change.
 * Pure.
 */
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "imapd/flags.h"
#include "imapd/session.h"

enum { STORE_AT_ONCE = 500 };

struct change {
	struct seqset	set;
	size_t		at;		/* the next index to look at */
	enum store_how	how;
	uint64_t	keywords;
	uint8_t		flags;
	bool		silent;
	bool		missing;	/* some were gone */
};

void
change_free(struct change *c)
{
	if (c == NULL)
		return;
	seqset_clear(&c->set);
	free(c);
}

/* -- STORE --------------------------------------------------------------- */

struct portion {
	size_t		i[STORE_AT_ONCE];
	uint32_t	uids[STORE_AT_ONCE];
	bool		known[STORE_AT_ONCE];	/* the client is up to date */
	size_t		n;
};

static void
gather(struct imap *s, struct portion *part)
{
	struct change		*c = s->change;
	const struct store_msg	*msg;

	part->n = 0;
	while (part->n < STORE_AT_ONCE &&
	    imap_next_in_set(s, &c->set, s->uid, &c->at)) {
		msg = view_msg(&s->view, c->at);
		if (msg == NULL) {
			c->missing = true;
		} else {
			part->i[part->n] = c->at;
			part->known[part->n] =
			    s->view.m[c->at].modseq == msg->modseq;
			part->uids[part->n++] = msg->uid;
		}
		c->at++;
	}
	s->work -= (int64_t)part->n * 64;
}

/* .SILENT hides what the client did, not what others did before. */
static void
tell(struct imap *s, const struct portion *part)
{
	const struct store_msg	*msg;
	size_t			 k;

	for (k = 0; k < part->n; k++) {
		msg = view_msg(&s->view, part->i[k]);
		if (msg == NULL)
			continue;
		if (!s->change->silent)
			imap_tell_flags(s, part->i[k], msg);
		else if (part->known[k])
			view_told(&s->view, part->i[k], msg->modseq);
	}
}

static void
store_step(struct imap *s)
{
	struct change		*c = s->change;
	struct portion		 part;
	enum store_result	 r;

	gather(s, &part);
	if (part.n == 0) {
		imap_ok(s, c->missing ? "[EXPUNGEISSUED] stored, but some "
		    "messages are gone" : "stored");
		return;
	}
	r = s->store->ops->flags(s->store->impl, s->view.folder, part.uids,
	    part.n, c->how, c->flags, c->keywords);
	if (r != STORE_OK)
		imap_result(s, r, "");
	else
		tell(s, &part);
}

static int
read_how(struct parse *p, struct change *c)
{
	struct str word;

	c->how = STORE_SET;
	if (parse_sp(p) == -1)
		return -1;
	if (parse_is(p, '+') || parse_is(p, '-')) {
		c->how = parse_is(p, '+') ? STORE_ADD : STORE_REMOVE;
		p->at++;
	}
	if (parse_word(p, &word) == -1)
		return -1;
	if (str_ieq(word, S("FLAGS.SILENT")))
		c->silent = true;
	else if (!str_ieq(word, S("FLAGS")))
		return parse_fail(p, "FLAGS was expected");
	return parse_sp(p);
}

/* The numbers of the keywords; new ones are made unless they go. */
static int
find_keywords(struct imap *s, const struct flag_list *l)
{
	struct change	*c = s->change;
	unsigned	 i;
	int		 k;

	for (i = 0; i < l->nwords; i++) {
		k = s->store->ops->keyword(s->store->impl, s->view.folder,
		    l->words[i], c->how != STORE_REMOVE);
		if (k != -1)
			c->keywords |= (uint64_t)1 << k;
		else if (c->how != STORE_REMOVE)
			return -1;
	}
	return 0;
}

void
cmd_store(struct imap *s)
{
	struct flag_list l;

	s->change = xcalloc(1, sizeof(*s->change));
	if (imap_arg_set(s, &s->change->set) == -1)
		return;
	if (read_how(&s->args, s->change) == -1 ||
	    flags_parse(&s->args, true, &l) == -1) {
		imap_bad_args(s);
		return;
	}
	if (imap_arg_end(s) == -1)
		return;
	if (l.limit || find_keywords(s, &l) == -1) {
		imap_no(s, "[LIMIT] too many keywords");
		return;
	}
	s->change->flags = l.flags;
	s->step = store_step;
}

/* -- COPY ---------------------------------------------------------------- */

/* The UIDs of the set in a new array; -1 when one is gone. */
static int
copy_uids(struct imap *s, uint32_t *uids, size_t *n)
{
	size_t at;

	*n = 0;
	for (at = 0; imap_next_in_set(s, &s->change->set, s->uid, &at);
	    at++) {
		if (view_msg(&s->view, at) == NULL)
			return -1;
		uids[(*n)++] = s->view.m[at].uid;
	}
	s->work -= (int64_t)*n * 16;
	return 0;
}

static void
put_set(struct buf *out, const uint32_t *uids, size_t n)
{
	struct seqset	set = { 0 };
	size_t		i;

	for (i = 0; i < n; i++)
		seqset_push(&set, uids[i]);
	seqset_format(&set, out);
	seqset_clear(&set);
}

static void
copied(struct imap *s, uint32_t validity, const uint32_t *from,
    const uint32_t *to, size_t n)
{
	struct buf code;

	buf_init(&code, IMAP_OUT_MAX / 2);
	put_set(&code, from, n);
	buf_addc(&code, ' ');
	put_set(&code, to, n);
	imap_ok(s, "[COPYUID %u %s] copied", validity, buf_cstr(&code));
	buf_clear(&code);
}

static void
copy(struct imap *s, uint32_t *from, uint32_t *to)
{
	uint32_t		validity = 0;
	size_t			n;
	enum store_result	r;

	if (copy_uids(s, from, &n) == -1) {
		imap_no(s, "[EXPUNGEISSUED] some messages are gone");
		return;
	}
	if (n == 0) {
		imap_ok(s, "no such message");
		return;
	}
	r = s->store->ops->copy(s->store->impl, s->view.folder, from, n,
	    buf_str(&s->name), &validity, to);
	if (r == STORE_OK)
		copied(s, validity, from, to, n);
	else
		imap_result_into(s, r, "");
}

void
cmd_copy(struct imap *s)
{
	uint32_t *from, *to;

	s->change = xcalloc(1, sizeof(*s->change));
	if (imap_arg_set(s, &s->change->set) == -1 ||
	    imap_arg_folder(s, &s->name) == -1 || imap_arg_end(s) == -1)
		return;
	from = xcalloc(s->view.n + 1, sizeof(*from));
	to = xcalloc(s->view.n + 1, sizeof(*to));
	copy(s, from, to);
	free(from);
	free(to);
}
