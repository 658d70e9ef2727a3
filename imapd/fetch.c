/*
 * fetch - FETCH and UID FETCH at work, RFC 3501 6.4.5 and 7.4.2.
 *
 * One call does one item of one message, or one piece of a long one: so the
 * answer to "FETCH 1:*" never stands in memory.  A message that is expunged
 * before its turn is passed over; one that goes while its octets are being
 * sent ends the session, since nothing true can be put in their place.  Pure.
 */
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "common/mail/date.h"
#include "common/mail/rfc5322.h"
#include "imapd/fetchatt.h"
#include "imapd/flags.h"
#include "imapd/header.h"
#include "imapd/session.h"

enum { PIECE = 32 * 1024 };

struct fetch {
	struct fetch_att	att;
	struct seqset		set;
	struct header		header;
	size_t			at;		/* index of the message */
	bool			open;		/* its response is begun */
	bool			first;		/* nothing in it yet */
	bool			flags;		/* \Seen was set: tell */
	unsigned		item;		/* the next one */
	uint32_t		from, left;	/* octets to send */
	bool			missing;	/* some were gone */
	bool			failed;		/* some could not be read */
};

void
fetch_free(struct fetch *f)
{
	if (f == NULL)
		return;
	seqset_clear(&f->set);
	header_clear(&f->header);
	free(f);
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
    struct buf *out)
{
	struct str		rest = buf_str(&f->header.text);
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
	};
	unsigned i;

	if (item->alias != NULL) {
		buf_addz(&s->out, item->alias);
		return;
	}
	buf_addf(&s->out, "BODY[%s", names[item->section]);
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
	r = s->store->ops->read(s->store->impl, s->view.folder,
	    s->view.m[f->at].uid, f->from, n, &s->out);
	n = s->out.n - before;
	if (r != STORE_OK || n == 0 || n > f->left)
		return -1;
	f->from += (uint32_t)n;
	f->left -= (uint32_t)n;
	s->work -= (int64_t)n;
	return 0;
}

static void
put_fields(struct imap *s, const struct fetch_item *item)
{
	struct buf	fields;
	uint32_t	from, n;

	buf_init(&fields, HEADER_MAX + 2);
	filter(s->fetch, item, &fields);
	n = (uint32_t)fields.n;
	clamp(item, &from, &n);
	put_label(s, item);
	buf_addf(&s->out, " {%u}\r\n", n);
	buf_add(&s->out, str_sub(buf_str(&fields), from, n));
	buf_clear(&fields);
}

static int
put_octets(struct imap *s, const struct fetch_item *item,
    const struct store_msg *msg)
{
	struct fetch	*f = s->fetch;
	uint32_t	 head = (uint32_t)f->header.text.n;
	uint32_t	 start = 0, from, n = msg->size;

	if (item->section == SECTION_HEADER)
		n = head;
	if (item->section == SECTION_TEXT) {
		start = head;
		n = msg->size - head;
	}
	clamp(item, &from, &n);
	put_label(s, item);
	buf_addf(&s->out, " {%u}\r\n", n);
	f->from = start + from;
	f->left = n;
	return n == 0 ? 0 : stream(s);
}

static void
put_body(struct imap *s, const struct fetch_item *item,
    const struct store_msg *msg)
{
	struct fetch		*f = s->fetch;
	size_t			 before = s->out.n;
	enum store_result	 r = STORE_OK;

	if (item->section != SECTION_ALL)
		r = header_load(&f->header, s->store, s->view.folder, msg,
		    &s->work);
	if (r == STORE_OK && (item->section == SECTION_FIELDS ||
	    item->section == SECTION_FIELDS_NOT)) {
		put_fields(s, item);
		return;
	}
	if (r == STORE_OK && put_octets(s, item, msg) == 0)
		return;
	/* Nothing of it has left yet. */
	f->left = 0;
	f->failed = true;
	buf_trunc(&s->out, before);
	put_label(s, item);
	buf_add(&s->out, S(" NIL"));
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

static void
put_item(struct imap *s, const struct fetch_item *item,
    const struct store_msg *msg)
{
	space(s);
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
	case FETCH_BODY:
		put_body(s, item, msg);
		break;
	}
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

static enum store_result
set_seen(struct imap *s, const struct store_msg *msg)
{
	uint32_t uid = msg->uid;

	s->fetch->flags = !fetch_att_has(&s->fetch->att, FETCH_FLAGS);
	return s->store->ops->flags(s->store->impl, s->view.folder, &uid, 1,
	    STORE_ADD, STORE_SEEN, 0);
}

static void
open_message(struct imap *s)
{
	struct fetch		*f = s->fetch;
	const struct store_msg	*msg = view_msg(&s->view, f->at);
	enum store_result	 r = STORE_OK;

	if (msg == NULL) {
		f->missing = true;
		f->at++;
		return;
	}
	f->flags = false;
	if (!s->view.readonly && !(msg->flags & STORE_SEEN) &&
	    sets_seen(&f->att))
		r = set_seen(s, msg);
	if (r != STORE_OK) {
		imap_result(s, r, "");
		return;
	}
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
	const struct store_msg	*msg = view_msg(&s->view, f->at);

	if (msg == NULL) {
		imap_die(s);
		return;
	}
	if (f->item < f->att.n) {
		put_item(s, &f->att.items[f->item++], msg);
		return;
	}
	if (f->flags) {
		space(s);
		put_flags(s, msg);
	}
	buf_add(&s->out, S(")\r\n"));
	f->open = false;
	f->at++;
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
	if (imap_next_in_set(s, &f->set, s->uid, &f->at))
		open_message(s);
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
	s->step = fetch_step;
}
