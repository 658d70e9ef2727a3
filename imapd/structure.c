/*
 * structure - see structure.h.  Recursion is as deep as MIME_DEPTH_MAX.  Pure.
 */
#include "imapd/structure.h"

#include "common/mail/addrlist.h"
#include "common/mail/mimefield.h"
#include "common/mail/rfc5322.h"

enum {
	QUOTED_MAX = 1000,	/* longer strings are literals */
	/*
	 * Bytes in *out from which on no address is told: of a few bytes
	 * in a header many are made, and what else there is wants its room.
	 */
	ADDRESSES_UP_TO = 4 * 1024 * 1024
};

void
structure_string(struct buf *out, struct str s)
{
	size_t i;

	if (s.n > QUOTED_MAX || !str_is_print(s)) {
		buf_addf(out, "{%zu}\r\n", s.n);
		buf_add(out, s);
		return;
	}
	buf_addc(out, '"');
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_addc(out, '\\');
		buf_addc(out, s.p[i]);
	}
	buf_addc(out, '"');
}

static void
put_nil_or(struct buf *out, struct str s)
{
	if (s.n == 0)
		buf_add(out, S("NIL"));
	else
		structure_string(out, s);
}

/* " " and a field, unfolded; NIL when it is missing. */
static void
put_field(struct buf *out, struct str header, struct str name)
{
	struct hdr_field	f;
	struct buf		line;

	if (!hdr_find(header, name, &f)) {
		buf_add(out, S("NIL"));
		return;
	}
	buf_init(&line, f.value.n);
	hdr_unfold(&line, f.value);
	structure_string(out, buf_str(&line));
	buf_clear(&line);
}

/* -- ENVELOPE ------------------------------------------------------------ */

static void
put_address(struct buf *out, const struct addrlist *l)
{
	buf_addc(out, '(');
	put_nil_or(out, buf_str(&l->name));
	buf_addc(out, ' ');
	put_nil_or(out, buf_str(&l->route));
	buf_addc(out, ' ');
	structure_string(out, buf_str(&l->mailbox));
	buf_addc(out, ' ');
	/* NIL would begin a group. */
	structure_string(out, buf_str(&l->domain));
	buf_addc(out, ')');
}

/* False when there is no such field or nothing in it. */
static bool
put_addresses(struct buf *out, struct str header, struct str name)
{
	struct hdr_field	f;
	struct addrlist		l;
	enum addrlist_kind	kind;
	bool			any = false;

	if (out->n >= ADDRESSES_UP_TO || !hdr_find(header, name, &f))
		return false;
	addrlist_init(&l, f.value);
	while (out->n < ADDRESSES_UP_TO &&
	    (kind = addrlist_next(&l)) != ADDRLIST_END) {
		if (!any)
			buf_addc(out, '(');
		any = true;
		if (kind == ADDRLIST_ADDRESS) {
			put_address(out, &l);
		} else if (kind == ADDRLIST_GROUP) {
			buf_add(out, S("(NIL NIL "));
			structure_string(out, buf_str(&l.mailbox));
			buf_add(out, S(" NIL)"));
		} else {
			buf_add(out, S("(NIL NIL NIL NIL)"));
		}
	}
	if (any)
		buf_addc(out, ')');
	addrlist_clear(&l);
	return any;
}

void
structure_envelope(struct buf *out, struct str header)
{
	static const struct str lists[] = {
		STR_INIT("From"), STR_INIT("Sender"), STR_INIT("Reply-To"),
		STR_INIT("To"), STR_INIT("Cc"), STR_INIT("Bcc"),
	};
	size_t i;

	buf_addc(out, '(');
	put_field(out, header, S("Date"));
	buf_addc(out, ' ');
	put_field(out, header, S("Subject"));
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		buf_addc(out, ' ');
		if (put_addresses(out, header, lists[i]))
			continue;
		/* Sender and Reply-To default to From. */
		if ((i != 1 && i != 2) ||
		    !put_addresses(out, header, lists[0]))
			buf_add(out, S("NIL"));
	}
	buf_addc(out, ' ');
	put_field(out, header, S("In-Reply-To"));
	buf_addc(out, ' ');
	put_field(out, header, S("Message-ID"));
	buf_addc(out, ')');
}

/* -- BODY and BODYSTRUCTURE ---------------------------------------------- */

static void
put_params(struct buf *out, struct str params)
{
	struct str	name;
	struct buf	value;
	bool		any = false;

	buf_init(&value, params.n);
	while (mimefield_param(&params, &name, &value)) {
		buf_add(out, any ? S(" ") : S("("));
		any = true;
		structure_string(out, name);
		buf_addc(out, ' ');
		structure_string(out, buf_str(&value));
	}
	buf_add(out, any ? S(")") : S("NIL"));
	buf_clear(&value);
}

/* '("attachment" ("filename" "x"))' */
static void
put_disposition(struct buf *out, struct str header)
{
	struct hdr_field	f;
	struct str		rest, kind;

	if (hdr_find(header, S("Content-Disposition"), &f)) {
		rest = f.value;
		if (mimefield_token(&rest, &kind)) {
			buf_addc(out, '(');
			structure_string(out, kind);
			buf_addc(out, ' ');
			put_params(out, rest);
			buf_addc(out, ')');
			return;
		}
	}
	buf_add(out, S("NIL"));
}

static void
put_languages(struct buf *out, struct str header)
{
	struct hdr_field	f;
	struct str		rest, word;
	bool			any = false;

	if (hdr_find(header, S("Content-Language"), &f)) {
		rest = f.value;
		while (mimefield_token(&rest, &word)) {
			buf_add(out, any ? S(" ") : S("("));
			any = true;
			structure_string(out, word);
			mimefield_skip(&rest);
			if (rest.n == 0 || rest.p[0] != ',')
				break;
			rest = str_from(rest, 1);
		}
	}
	buf_add(out, any ? S(")") : S("NIL"));
}

/* What only BODYSTRUCTURE says, of any part. */
static void
put_extension(struct buf *out, struct str header)
{
	buf_addc(out, ' ');
	put_disposition(out, header);
	buf_addc(out, ' ');
	put_languages(out, header);
	buf_addc(out, ' ');
	put_field(out, header, S("Content-Location"));
}

static void
put_encoding(struct buf *out, struct str header)
{
	struct hdr_field	f;
	struct str		word;

	if (hdr_find(header, S("Content-Transfer-Encoding"), &f) &&
	    mimefield_only(f.value, &word))
		structure_string(out, word);
	else
		buf_add(out, S("\"7bit\""));
}

/* Type, subtype and parameters; without a type it is plain text. */
static void
put_type(struct buf *out, const struct mime_part *p, struct str header,
    struct str *type)
{
	struct hdr_field	f;
	struct str		subtype, params;

	if (hdr_find(header, S("Content-Type"), &f) &&
	    mimefield_type(f.value, type, &subtype, &params) == 0) {
		structure_string(out, *type);
		buf_addc(out, ' ');
		structure_string(out, subtype);
		buf_addc(out, ' ');
		put_params(out, params);
	} else if (p->digest) {
		*type = S("message");
		buf_add(out, S("\"message\" \"rfc822\" NIL"));
	} else {
		*type = S("text");
		buf_add(out, S("\"text\" \"plain\" (\"charset\" "
		    "\"us-ascii\")"));
	}
}

static void put_part(struct buf *, const struct mime *, unsigned, bool);

static void
put_leaf(struct buf *out, const struct mime *m, unsigned i, bool full)
{
	const struct mime_part	*p = &m->parts[i];
	struct str		 header = mime_header(m, p), type;

	put_type(out, p, header, &type);
	buf_addc(out, ' ');
	put_field(out, header, S("Content-ID"));
	buf_addc(out, ' ');
	put_field(out, header, S("Content-Description"));
	buf_addc(out, ' ');
	put_encoding(out, header);
	buf_addf(out, " %u", p->body_n);
	if (p->kind == MIME_MESSAGE && p->child != 0) {
		buf_addc(out, ' ');
		structure_envelope(out, mime_header(m, &m->parts[p->child]));
		buf_addc(out, ' ');
		put_part(out, m, p->child, full);
		buf_addf(out, " %u", p->lines);
	} else if (str_ieq(type, S("text"))) {
		buf_addf(out, " %u", p->lines);
	}
	if (!full)
		return;
	buf_addc(out, ' ');
	put_field(out, header, S("Content-MD5"));
	put_extension(out, header);
}

static void
put_multi(struct buf *out, const struct mime *m, unsigned i, bool full)
{
	const struct mime_part	*p = &m->parts[i];
	struct str		 header = mime_header(m, p);
	struct str		 type, subtype = S("mixed"), params = { 0 };
	struct hdr_field	 f;
	unsigned		 k;

	if (hdr_find(header, S("Content-Type"), &f))
		mimefield_type(f.value, &type, &subtype, &params);
	/* The grammar wants a part; an empty text stands for none. */
	if (p->child == 0) {
		buf_add(out, S("(\"text\" \"plain\" (\"charset\" "
		    "\"us-ascii\") NIL NIL \"7bit\" 0 0"));
		buf_add(out, full ? S(" NIL NIL NIL NIL)") : S(")"));
	}
	for (k = p->child; k != 0; k = m->parts[k].next)
		put_part(out, m, k, full);
	buf_addc(out, ' ');
	structure_string(out, subtype);
	if (!full)
		return;
	buf_addc(out, ' ');
	put_params(out, params);
	put_extension(out, header);
}

static void
put_part(struct buf *out, const struct mime *m, unsigned i, bool full)
{
	buf_addc(out, '(');
	if (m->parts[i].kind == MIME_MULTI)
		put_multi(out, m, i, full);
	else
		put_leaf(out, m, i, full);
	buf_addc(out, ')');
}

void
structure_body(struct buf *out, const struct mime *m, bool full)
{
	put_part(out, m, 0, full);
}
