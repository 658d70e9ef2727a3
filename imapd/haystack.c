/*
 * haystack - see haystack.h.  Pure.
 */
#include "imapd/haystack.h"

#include "common/mail/mimefield.h"
#include "common/mail/words.h"

enum {
	CHARSET_MAX = 64,
	HELD_MAX = 4096		/* bytes that wait for a blank */
};

void
haystack_init(struct haystack *h)
{
	*h = (struct haystack){ .charset = NULL };
	buf_init(&h->octets, TEXT_MAX);
	buf_init(&h->text, TEXT_MAX);
}

static void
end_part(struct haystack *h)
{
	text_charset_close(h->charset);
	h->charset = NULL;
	buf_reset(&h->octets);
	buf_reset(&h->text);
}

void
haystack_clear(struct haystack *h)
{
	end_part(h);
	buf_clear(&h->octets);
	buf_clear(&h->text);
}

/* -- parts ------------------------------------------------------------ */

static bool
type_of(struct str header, struct str *type, struct str *subtype,
    struct str *params)
{
	struct hdr_field f;

	return hdr_find(header, S("Content-Type"), &f) &&
	    mimefield_type(f.value, type, subtype, params) == 0;
}

bool
haystack_has_parts(struct str header)
{
	struct str type, subtype, params;

	return type_of(header, &type, &subtype, &params) &&
	    (str_ieq(type, S("multipart")) || (str_ieq(type, S("message")) &&
	    str_ieq(subtype, S("rfc822"))));
}

/* What is meant to be UTF-8 or ASCII needs nothing done. */
static struct text_charset *
charset_of(struct str params)
{
	struct text_charset	*c = NULL;
	struct buf		 name;

	buf_init(&name, params.n);
	if (mimefield_find(params, S("charset"), &name) &&
	    name.n <= CHARSET_MAX &&
	    !str_ieq(buf_str(&name), S("utf-8")) &&
	    !str_ieq(buf_str(&name), S("us-ascii")))
		c = text_charset_open(buf_str(&name));
	buf_clear(&name);
	return c;
}

bool
haystack_begin(struct haystack *h, struct str header)
{
	struct str		type, subtype, params;
	struct hdr_field	f;
	enum decode_kind	kind = DECODE_NONE;
	bool			typed;

	end_part(h);
	typed = type_of(header, &type, &subtype, &params);
	if (hdr_find(header, S("Content-Transfer-Encoding"), &f))
		kind = decode_kind(f.value);
	if (typed && !str_ieq(type, S("text")) &&
	    !str_ieq(type, S("message")) && kind != DECODE_NONE)
		return false;
	decode_init(&h->decode, kind);
	if (typed)
		h->charset = charset_of(params);
	return true;
}

/* What can be folded by itself: up to a blank, or a character's begin. */
static size_t
settled(struct str s, bool last)
{
	size_t n = s.n;

	if (last)
		return n;
	while (n > 0 && s.p[n - 1] != ' ' && s.p[n - 1] != '\n')
		n--;
	if (n > 0 || s.n < HELD_MAX)
		return n;
	n = s.n;
	while (n > 0 && ((unsigned char)s.p[n - 1] & 0xc0) == 0x80)
		n--;
	return n > 0 ? n - 1 : s.n;
}

void
haystack_feed(struct haystack *h, struct str s, bool last, struct buf *out)
{
	size_t n;

	buf_reset(&h->octets);
	decode_feed(&h->decode, s, &h->octets);
	if (last)
		decode_end(&h->decode, &h->octets);
	if (h->charset == NULL)
		buf_add(&h->text, buf_str(&h->octets));
	else
		text_charset_feed(h->charset, buf_str(&h->octets), last,
		    &h->text);
	n = settled(buf_str(&h->text), last);
	text_fold(str_sub(buf_str(&h->text), 0, n), out);
	buf_drop(&h->text, n);
}

/* -- headers ---------------------------------------------------------- */

/* The value of a field. */
static void
fold_value(struct str value, struct buf *out)
{
	struct buf line, text;

	buf_init(&line, value.n);
	/* A byte may become three, and a bad one does. */
	buf_init(&text, 4 * value.n + 4096);
	hdr_unfold(&line, value);
	words_decode(buf_str(&line), &text);
	text_fold(buf_str(&text), out);
	buf_clear(&line);
	buf_clear(&text);
}

size_t
haystack_field(const struct hdr_field *f, struct buf *out)
{
	size_t at;

	if (f->name.n == 0) {
		text_fold(f->raw, out);
		return out->n;
	}
	text_fold(f->name, out);
	buf_add(out, S(": "));
	at = out->n;
	fold_value(f->value, out);
	buf_add(out, S("\r\n"));
	return at;
}
