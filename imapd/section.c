/*
 * section - BODY[...] and the RFC822 forms of FETCH: which octets of a
 * message they are, RFC 3501 6.4.5.  Pure.
 */
#include "common/mail/rfc5322.h"
#include "imapd/fetching.h"

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

int
section_stream(struct imap *s)
{
	struct fetch		*f = s->fetch;
	size_t			 before = s->out.n, n;
	enum store_result	 r;

	n = f->left < FETCH_PIECE ?
	    f->left : FETCH_PIECE;
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
	return n == 0 ? 0 : section_stream(s);
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

int
section_put(struct imap *s, const struct fetch_item *item,
    const struct store_msg *msg)
{
	return item->nnumbers > 0 ? put_part(s, item) :
	    put_section(s, item, msg);
}
