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
#include "common/mail/mime.h"
#include "common/mail/rfc5322.h"
#include "imapd/fetchatt.h"
#include "imapd/flags.h"
#include "imapd/header.h"
#include "imapd/session.h"
#include "imapd/structure.h"

enum { PIECE = 32 * 1024 };

struct fetch {
	struct fetch_att	att;
	struct seqset		set;
	struct header		header;
	struct mime		mime;		/* of the message mime_uid */
	uint32_t		mime_uid;	/* 0: none */
	bool			scanning;	/* its parts are looked for */
	uint32_t		scanned;	/* octets */
	bool			wants_mime, wants_octets;
	size_t			at;		/* index of the message */
	bool			taken;		/* its turn has come */
	struct store_msg	msg;		/* as it was then */
	struct store_body	*body;		/* or NULL: not needed */
	bool			open;		/* its response is begun */
	bool			first;		/* nothing in it yet */
	bool			flags;		/* \Seen was set: tell */
	unsigned		item;		/* the next one */
	uint32_t		from, left;	/* octets to send */
	bool			missing;	/* some were gone */
	bool			failed;		/* some could not be read */
};

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
	free(f);
	s->fetch = NULL;
}

/* -- the octets of a section --------------------------------------------- */

static bool
is_named(const struct fetch *f, const struct fetch_item *item,
    struct str name)
{
	unsigned i;

	for (i = 0; i < item->nnames; i++) {
		if (str_ieq(f->att.names[item->name + i], name))
			return true;
	}
	return false;
}

static void
filter(const struct fetch *f, const struct fetch_item *item,
    struct str rest, struct buf *out)
{
	bool			want = item->section == SECTION_FIELDS;
	struct hdr_field	field;
	enum hdr_kind		kind;

	while ((kind = hdr_next(&rest, &field)) != HDR_END) {
		if (kind == HDR_FIELD &&
		    is_named(f, item, field.name) == want)
			buf_add(out, field.raw);
	}
	buf_add(out, S("\r\n"));
}

static void
put_label(struct imap *s, const struct fetch_item *item)
{
	static const char *const names[] = {
		[SECTION_ALL] = "",
		[SECTION_HEADER] = "HEADER",
		[SECTION_FIELDS] = "HEADER.FIELDS (",
		[SECTION_FIELDS_NOT] = "HEADER.FIELDS.NOT (",
		[SECTION_TEXT] = "TEXT",
		[SECTION_MIME] = "MIME",
	};
	unsigned i;

	if (item->alias != NULL) {
		buf_addz(&s->out, item->alias);
		return;
	}
	buf_add(&s->out, S("BODY["));
	for (i = 0; i < item->nnumbers; i++)
		buf_addf(&s->out, i == 0 ? "%u" : ".%u", item->numbers[i]);
	if (item->nnumbers > 0 && item->section != SECTION_ALL)
		buf_addc(&s->out, '.');
	buf_addz(&s->out, names[item->section]);
	for (i = 0; i < item->nnames; i++) {
		if (i > 0)
			buf_addc(&s->out, ' ');
		imap_put_astring(s, s->fetch->att.names[item->name + i]);
	}
	if (item->nnames > 0)
		buf_addc(&s->out, ')');
	buf_addc(&s->out, ']');
	if (item->partial)
		buf_addf(&s->out, "<%u>", item->from);
}

/* What a partial leaves of a section of that many octets. */
static void
clamp(const struct fetch_item *item, uint32_t *from, uint32_t *n)
{
	*from = 0;
	if (!item->partial)
		return;
	*from = item->from < *n ? item->from : *n;
	*n -= *from;
	if (item->len < *n)
		*n = item->len;
}

static int
stream(struct imap *s)
{
	struct fetch		*f = s->fetch;
	size_t			 before = s->out.n, n;
	enum store_result	 r;

	n = f->left < PIECE ? f->left : PIECE;
	r = s->store->ops->body_read(s->store->impl, f->body, f->from, n,
	    &s->out);
	n = s->out.n - before;
	if (r != STORE_OK || n == 0 || n > f->left)
		return -1;
	f->from += (uint32_t)n;
	f->left -= (uint32_t)n;
	s->work -= (int64_t)n;
	return 0;
}

static void
put_fields(struct imap *s, const struct fetch_item *item,
    struct str header)
{
	struct buf	fields;
	uint32_t	from, n;

	s->work -= (int64_t)header.n;
	buf_init(&fields, header.n + 2);
	filter(s->fetch, item, header, &fields);
	n = (uint32_t)fields.n;
	clamp(item, &from, &n);
	put_label(s, item);
	buf_addf(&s->out, " {%u}\r\n", n);
	buf_add(&s->out, str_sub(buf_str(&fields), from, n));
	buf_clear(&fields);
}

/* Octets [start, start + n) of the message, but for what a partial says. */
static int
put_octets(struct imap *s, const struct fetch_item *item, uint32_t start,
    uint32_t n)
{
	struct fetch	*f = s->fetch;
	uint32_t	 from;

	clamp(item, &from, &n);
	put_label(s, item);
	buf_addf(&s->out, " {%u}\r\n", n);
	f->from = start + from;
	f->left = n;
	return n == 0 ? 0 : stream(s);
}

/* A section of the message itself. */
static int
put_section(struct imap *s, const struct fetch_item *item,
    const struct store_msg *msg)
{
	struct fetch	*f = s->fetch;
	uint32_t	 head;

	if (item->section == SECTION_ALL)
		return put_octets(s, item, 0, msg->size);
	if (header_load(&f->header, s->store, f->body, msg, &s->work) !=
	    STORE_OK)
		return -1;
	head = (uint32_t)f->header.text.n;
	if (item->section == SECTION_HEADER)
		return put_octets(s, item, 0, head);
	if (item->section == SECTION_TEXT)
		return put_octets(s, item, head, msg->size - head);
	put_fields(s, item, buf_str(&f->header.text));
	return 0;
}

/*
 * A section of a part.  HEADER and TEXT are those of the message that a
 * message/rfc822 holds; what has none, or is not there, is NIL.
 */
static int
put_part(struct imap *s, const struct fetch_item *item)
{
	const struct mime	*m = &s->fetch->mime;
	const struct mime_part	*p;

	p = mime_find(m, item->numbers, item->nnumbers);
	if (p != NULL && item->section == SECTION_ALL)
		return put_octets(s, item, p->body, p->body_n);
	if (p != NULL && item->section == SECTION_MIME)
		return put_octets(s, item, p->head, p->head_n);
	if (p == NULL || p->kind != MIME_MESSAGE || p->child == 0) {
		put_label(s, item);
		buf_add(&s->out, S(" NIL"));
		return 0;
	}
	p = &m->parts[p->child];
	if (item->section == SECTION_HEADER)
		return put_octets(s, item, p->head, p->head_n);
	if (item->section == SECTION_TEXT)
		return put_octets(s, item, p->body, p->body_n);
	put_fields(s, item, mime_header(m, p));
	return 0;
}

static int
put_body(struct imap *s, const struct fetch_item *item,
    const struct store_msg *msg)
{
	return item->nnumbers > 0 ? put_part(s, item) :
	    put_section(s, item, msg);
}

static int
put_envelope(struct imap *s, const struct store_msg *msg)
{
	struct fetch *f = s->fetch;

	if (header_load(&f->header, s->store, f->body, msg, &s->work) !=
	    STORE_OK)
		return -1;
	s->work -= (int64_t)f->header.text.n;
	buf_add(&s->out, S("ENVELOPE "));
	structure_envelope(&s->out, buf_str(&f->header.text));
	return 0;
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
		buf_add(&s->out, S("BODY "));
		structure_body(&s->out, &s->fetch->mime, false);
		break;
	case FETCH_BODYSTRUCTURE:
		buf_add(&s->out, S("BODYSTRUCTURE "));
		structure_body(&s->out, &s->fetch->mime, true);
		break;
	case FETCH_BODY:
		return put_body(s, item, msg);
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
wants_mime(const struct fetch_att *a)
{
	unsigned i;

	for (i = 0; i < a->n; i++) {
		if (a->items[i].nnumbers > 0)
			return true;
	}
	return fetch_att_has(a, FETCH_STRUCTURE) ||
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

	buf_init(&piece, PIECE);
	r = s->store->ops->body_read(s->store->impl, f->body, f->scanned,
	    PIECE, &piece);
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
	if (f->wants_octets && s->store->ops->body_open(s->store->impl,
	    s->view.folder, msg->uid, &f->body) != STORE_OK) {
		f->failed = true;
		next_message(s);
		return;
	}
	if (!f->wants_mime || f->mime_uid == msg->uid)
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
		if (stream(s) == -1)
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
	if (imap_arg_set(s, &f->set) == -1)
		return;
	if (parse_sp(&s->args) == -1 ||
	    fetch_att_parse(&s->args, &f->att) == -1) {
		imap_bad_args(s);
		return;
	}
	f->wants_mime = wants_mime(&f->att);
	f->wants_octets = wants_octets(&f->att);
	s->step = fetch_step;
}
