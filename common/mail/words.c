/*
 * words - see words.h.
 */
#include "common/mail/words.h"

#include "common/mail/decode.h"
#include "common/mail/text.h"

enum { CHARSET_MAX = 64 };	/* no charset has a longer name */

struct word {
	struct str		charset, text;
	enum decode_kind	kind;
};

/* Words that follow each other in one charset. */
struct run {
	struct str	charset;
	struct buf	octets;
};

static bool
is_blank(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\t')
			return false;
	}
	return true;
}

/* "=?charset?B?text?=" off the front; false when there is none. */
static bool
take(struct str *s, struct word *w)
{
	struct str	rest = str_from(*s, 2), piece[3];
	ptrdiff_t	star;
	size_t		i;

	if (!str_starts(*s, S("=?")))
		return false;
	for (i = 0; i < 3; i++) {
		if (str_chr(rest, '?') == -1 ||
		    !str_cut(&rest, '?', &piece[i]))
			return false;
	}
	if (rest.n == 0 || rest.p[0] != '=' || piece[0].n > CHARSET_MAX ||
	    piece[1].n != 1)
		return false;
	if (ascii_lower(piece[1].p[0]) == 'b')
		w->kind = DECODE_BASE64;
	else if (ascii_lower(piece[1].p[0]) == 'q')
		w->kind = DECODE_QUOTED;
	else
		return false;
	/* RFC 2231 5: a language may follow. */
	star = str_chr(piece[0], '*');
	w->charset = star == -1 ? piece[0] :
	    str_sub(piece[0], 0, (size_t)star);
	w->text = piece[2];
	*s = str_from(rest, 1);
	return true;
}

static void
flush(struct run *r, struct buf *out)
{
	struct text_charset *c;

	if (r->octets.n == 0)
		return;
	c = text_charset_open(r->charset);
	if (c == NULL)
		buf_add(out, buf_str(&r->octets));
	else
		text_charset_feed(c, buf_str(&r->octets), true, out);
	text_charset_close(c);
	buf_reset(&r->octets);
}

static void
add(struct run *r, const struct word *w, struct buf *out)
{
	struct decode d;

	if (!str_ieq(r->charset, w->charset))
		flush(r, out);
	r->charset = w->charset;
	decode_init(&d, w->kind);
	d.word = true;
	decode_feed(&d, w->text, &r->octets);
	decode_end(&d, &r->octets);
}

void
words_decode(struct str value, struct buf *out)
{
	struct run	r = { .charset = { NULL, 0 } };
	struct word	w = { .kind = DECODE_NONE };
	struct str	plain;
	ptrdiff_t	at;
	bool		got, after = false;

	buf_init(&r.octets, value.n + 1);
	while (value.n > 0) {
		at = str_find(value, S("=?"));
		plain = str_sub(value, 0, at == -1 ? value.n : (size_t)at);
		value = str_from(value, plain.n);
		got = take(&value, &w);
		if (!got && value.n > 0) {
			plain.n += 2;
			value = str_from(value, 2);
		}
		if (!got || !after || !is_blank(plain)) {
			flush(&r, out);
			buf_add(out, plain);
		}
		if (got)
			add(&r, &w, out);
		after = got;
	}
	flush(&r, out);
	buf_clear(&r.octets);
}
