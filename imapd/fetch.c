/*
 * fetch - FETCH and UID FETCH at work, RFC 3501 6.4.5 and 7.4.2.
 *
 * One call does one item of one message, or one piece of a long one: so the
 * answer to "FETCH 1:*" never stands in memory.  A message that is expunged
 * before its turn is passed over; one that goes later is still told whole.
 *
 * An item that cannot be read is left out of its response, and the command
 * ends in NO.  If octets fail that were announced already, the connection
 * ends without another word: nothing true can be put in their place.  Pure.
 */
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "common/mail/date.h"
#include "imapd/fetching.h"
#include "imapd/flags.h"
#include "imapd/structure.h"

/* Done with a message, told or not. */
static void
next_message(struct imap *s)
{
	struct fetch *f = s->fetch;

	if (f->body != NULL)
		s->store->ops->body_close(s->store->impl, f->body);
	f->body = NULL;
	f->taken = f->scanning = f->open = false;
	f->at++;
}

void
fetch_free(struct imap *s)
{
	struct fetch *f = s->fetch;

	if (f == NULL)
		return;
	next_message(s);
	seqset_clear(&f->set);
	header_clear(&f->header);
	mime_clear(&f->mime);
	buf_clear(&f->structure[0]);
	buf_clear(&f->structure[1]);
	free(f);
	s->fetch = NULL;
}

/* -- what the store may know already -------------------------------------- */

static bool
is_known(struct imap *s, enum store_derived what, struct buf *out)
{
	const struct store_ops *ops = s->store->ops;

	return ops->derived != NULL && ops->derived(s->store->impl,
	    s->fetch->body, what, out) == STORE_OK;
}

/* What the output has from there on. */
static void
learn(struct imap *s, enum store_derived what, size_t from)
{
	if (s->store->ops->derive != NULL && buf_ok(&s->out))
		s->store->ops->derive(s->store->impl, s->fetch->body, what,
		    str_from(buf_str(&s->out), from));
}

static int
put_envelope(struct imap *s, const struct store_msg *msg)
{
	struct fetch	*f = s->fetch;
	size_t		 from;

	buf_add(&s->out, S("ENVELOPE "));
	if (is_known(s, STORE_ENVELOPE, &s->out))
		return 0;
	if (header_load(&f->header, s->store, f->body, msg, &s->work) !=
	    STORE_OK)
		return -1;
	s->work -= (int64_t)f->header.text.n;
	from = s->out.n;
	structure_envelope(&s->out, buf_str(&f->header.text));
	learn(s, STORE_ENVELOPE, from);
	return 0;
}

static void
put_structure(struct imap *s, bool full)
{
	const struct buf	*known = &s->fetch->structure[full];
	size_t			 from;

	buf_add(&s->out, full ? S("BODYSTRUCTURE ") : S("BODY "));
	if (known->n > 0) {
		buf_add(&s->out, buf_str(known));
		return;
	}
	from = s->out.n;
	structure_body(&s->out, &s->fetch->mime, full);
	learn(s, full ? STORE_BODYSTRUCTURE : STORE_STRUCTURE, from);
}

/* Can this message be told without a look at its parts? */
static bool
has_structures(struct imap *s)
{
	struct fetch *f = s->fetch;

	return !f->wants_parts &&
	    (!fetch_att_has(&f->att, FETCH_STRUCTURE) ||
	    is_known(s, STORE_STRUCTURE, &f->structure[0])) &&
	    (!fetch_att_has(&f->att, FETCH_BODYSTRUCTURE) ||
	    is_known(s, STORE_BODYSTRUCTURE, &f->structure[1]));
}

/* -- one message --------------------------------------------------------- */

static void
space(struct imap *s)
{
	if (!s->fetch->first)
		buf_addc(&s->out, ' ');
	s->fetch->first = false;
}

static void
put_flags(struct imap *s, const struct store_msg *msg)
{
	size_t i = s->fetch->at;

	buf_add(&s->out, S("FLAGS "));
	flags_format(&s->out, s->view.folder, msg, s->view.m[i].recent);
	view_told(&s->view, i, msg->modseq);
}

/* -1 when it cannot be read. */
static int
put_item(struct imap *s, const struct fetch_item *item,
    const struct store_msg *msg)
{
	switch (item->kind) {
	case FETCH_FLAGS:
		put_flags(s, msg);
		break;
	case FETCH_UID:
		buf_addf(&s->out, "UID %u", msg->uid);
		break;
	case FETCH_DATE:
		buf_addf(&s->out, "INTERNALDATE \"%s\"",
		    date_imap(msg->date, msg->zone).s);
		break;
	case FETCH_SIZE:
		buf_addf(&s->out, "RFC822.SIZE %u", msg->size);
		break;
	case FETCH_ENVELOPE:
		return put_envelope(s, msg);
	case FETCH_STRUCTURE:
		put_structure(s, false);
		break;
	case FETCH_BODYSTRUCTURE:
		put_structure(s, true);
		break;
	case FETCH_BODY:
		return section_put(s, item, msg);
	}
	return 0;
}

/* What cannot be read is left out; nothing of it has left the process. */
static void
try_item(struct imap *s, const struct fetch_item *item,
    const struct store_msg *msg)
{
	struct fetch	*f = s->fetch;
	size_t		 before = s->out.n;
	bool		 first = f->first;

	space(s);
	if (put_item(s, item, msg) == 0)
		return;
	buf_trunc(&s->out, before);
	f->first = first;
	f->left = 0;
	f->failed = true;
}

static bool
sets_seen(const struct fetch_att *a)
{
	unsigned i;

	for (i = 0; i < a->n; i++) {
		if (a->items[i].kind == FETCH_BODY && !a->items[i].peek)
			return true;
	}
	return false;
}

static bool
wants_parts(const struct fetch_att *a)
{
	unsigned i;

	for (i = 0; i < a->n; i++) {
		if (a->items[i].nnumbers > 0)
			return true;
	}
	return false;
}

static bool
wants_mime(const struct fetch_att *a)
{
	return wants_parts(a) || fetch_att_has(a, FETCH_STRUCTURE) ||
	    fetch_att_has(a, FETCH_BODYSTRUCTURE);
}

static bool
wants_octets(const struct fetch_att *a)
{
	return wants_mime(a) || fetch_att_has(a, FETCH_BODY) ||
	    fetch_att_has(a, FETCH_ENVELOPE);
}

/* Reads on; false when there is nothing to be had. */
static bool
scan_piece(struct imap *s)
{
	struct fetch		*f = s->fetch;
	struct buf		 piece;
	enum store_result	 r;
	bool			 got;

	buf_init(&piece, FETCH_PIECE);
	r = s->store->ops->body_read(s->store->impl, f->body, f->scanned,
	    FETCH_PIECE, &piece);
	got = r == STORE_OK && (piece.n > 0 || f->scanned >= f->msg.size);
	mime_feed(&f->mime, buf_str(&piece));
	f->scanned += (uint32_t)piece.n;
	s->work -= (int64_t)piece.n;
	buf_clear(&piece);
	return got;
}

/* One piece of the search for the parts of a message. */
static void
scan(struct imap *s)
{
	struct fetch *f = s->fetch;

	if (!scan_piece(s)) {
		/* Without its parts there is nothing to say of it. */
		f->failed = true;
		next_message(s);
		return;
	}
	if (f->scanned < f->msg.size)
		return;
	mime_end(&f->mime);
	f->mime_uid = f->msg.uid;
	f->scanning = false;
}

static enum store_result
set_seen(struct imap *s, const struct store_msg *msg)
{
	uint32_t uid = msg->uid;

	s->fetch->flags = !fetch_att_has(&s->fetch->att, FETCH_FLAGS);
	return s->store->ops->flags(s->store->impl, s->view.folder, &uid, 1,
	    STORE_ADD, STORE_SEEN, 0);
}

/* From here on the message can be told, also if it is expunged. */
static void
take_message(struct imap *s)
{
	struct fetch		*f = s->fetch;
	const struct store_msg	*msg = view_msg(&s->view, f->at);

	if (msg == NULL) {
		f->missing = true;
		next_message(s);
		return;
	}
	f->msg = *msg;
	f->taken = true;
	buf_reset(&f->structure[0]);
	buf_reset(&f->structure[1]);
	if (f->wants_octets && s->store->ops->body_open(s->store->impl,
	    s->view.folder, msg->uid, &f->body) != STORE_OK) {
		f->failed = true;
		next_message(s);
		return;
	}
	if (!f->wants_mime || f->mime_uid == msg->uid || has_structures(s))
		return;
	mime_clear(&f->mime);
	mime_init(&f->mime);
	f->mime_uid = 0;
	f->scanning = true;
	f->scanned = 0;
}

/* As it is now, or was when it was last seen. */
static const struct store_msg *
message(const struct imap *s)
{
	const struct store_msg *msg = view_msg(&s->view, s->fetch->at);

	return msg == NULL ? &s->fetch->msg : msg;
}

static void
open_message(struct imap *s)
{
	struct fetch		*f = s->fetch;
	const struct store_msg	*msg = message(s);
	enum store_result	 r = STORE_OK;

	f->flags = false;
	if (!s->view.readonly && !(msg->flags & STORE_SEEN) &&
	    sets_seen(&f->att))
		r = set_seen(s, msg);
	if (r != STORE_OK) {
		imap_result(s, r, "");
		return;
	}
	f->msg = *message(s);
	imap_tell_keywords(s);
	buf_addf(&s->out, "* %zu FETCH (", f->at + 1);
	f->open = f->first = true;
	f->item = 0;
	if (s->uid && !fetch_att_has(&f->att, FETCH_UID)) {
		space(s);
		buf_addf(&s->out, "UID %u", s->view.m[f->at].uid);
	}
}

static void
next_item(struct imap *s)
{
	struct fetch		*f = s->fetch;
	const struct store_msg	*msg = message(s);

	if (f->item < f->att.n) {
		try_item(s, &f->att.items[f->item++], msg);
		return;
	}
	if (f->flags) {
		space(s);
		put_flags(s, msg);
	}
	/* The grammar wants an item. */
	if (f->first)
		buf_addf(&s->out, "UID %u", msg->uid);
	buf_add(&s->out, S(")\r\n"));
	next_message(s);
}

static void
fetch_step(struct imap *s)
{
	struct fetch *f = s->fetch;

	if (f->left > 0) {
		if (section_stream(s) == -1)
			imap_die(s);
		return;
	}
	if (f->open) {
		next_item(s);
		return;
	}
	if (f->scanning) {
		scan(s);
		return;
	}
	if (f->taken)
		open_message(s);
	else if (imap_next_in_set(s, &f->set, s->uid, &f->at))
		take_message(s);
	else if (f->failed)
		imap_no(s, "[UNAVAILABLE] some messages could not be read");
	else
		imap_ok(s, f->missing ? "[EXPUNGEISSUED] fetched, but some "
		    "messages are gone" : "fetched");
}

void
cmd_fetch(struct imap *s)
{
	struct fetch *f = xcalloc(1, sizeof(*f));

	s->fetch = f;
	header_init(&f->header);
	buf_init(&f->structure[0], IMAP_OUT_MAX);
	buf_init(&f->structure[1], IMAP_OUT_MAX);
	if (imap_arg_set(s, &f->set) == -1)
		return;
	if (parse_sp(&s->args) == -1 ||
	    fetch_att_parse(&s->args, &f->att) == -1) {
		imap_bad_args(s);
		return;
	}
	f->wants_parts = wants_parts(&f->att);
	f->wants_mime = wants_mime(&f->att);
	f->wants_octets = wants_octets(&f->att);
	s->step = fetch_step;
}
