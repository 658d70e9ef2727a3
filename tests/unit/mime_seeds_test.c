/*
 * mime_seeds_test - what the seeds of rfc5322_fuzz, mime_fuzz and
 * haystack_fuzz reach: each kind of line, part and encoding, and what IMAP
 * and SEARCH make of them.
 */
#include "tests/lib/unit.h"

#include "common/mail/mime.h"
#include "common/mail/rfc5322.h"
#include "common/mail/words.h"
#include "imapd/haystack.h"
#include "imapd/structure.h"
#include "tests/lib/seeds.h"

static bool
has(struct str s, const char *what)
{
	return str_find(s, str_c(what)) != -1;
}

/* -- headers ---------------------------------------------------------- */

enum hdr_fact {
	HDR_FOLDED, HDR_BLANK_FOLD, HDR_SPACE_BEFORE_COLON, HDR_EMPTY_VALUE,
	HDR_BARE_LF, HDR_BARE_CR, HDR_NO_BODY, HDR_LAST_CUT, HDR_HOPS,
	HDR_JUNK_FOLDED, HDR_JUNK_CUT, HDR_FOUND
};

static bool kinds[SEEDS_STATES], hdrs[SEEDS_STATES];

static const char *
hdr_kind_name(unsigned k)
{
	switch ((enum hdr_kind)k) {
		SEEDS_NAME(HDR_FIELD);
		SEEDS_NAME(HDR_JUNK);
		SEEDS_NAME(HDR_END);
	}
	return NULL;
}

static const char *
hdr_fact_name(unsigned f)
{
	switch ((enum hdr_fact)f) {
		SEEDS_NAME(HDR_FOLDED);
		SEEDS_NAME(HDR_BLANK_FOLD);
		SEEDS_NAME(HDR_SPACE_BEFORE_COLON);
		SEEDS_NAME(HDR_EMPTY_VALUE);
		SEEDS_NAME(HDR_BARE_LF);
		SEEDS_NAME(HDR_BARE_CR);
		SEEDS_NAME(HDR_NO_BODY);
		SEEDS_NAME(HDR_LAST_CUT);
		SEEDS_NAME(HDR_HOPS);
		SEEDS_NAME(HDR_JUNK_FOLDED);
		SEEDS_NAME(HDR_JUNK_CUT);
		SEEDS_NAME(HDR_FOUND);
	}
	return NULL;
}

static void
play_field(const struct hdr_field *f)
{
	hdrs[HDR_FOLDED] |= has(f->value, "\r\n ");
	hdrs[HDR_BLANK_FOLD] |= has(f->raw, "\r\n \r\n");
	hdrs[HDR_SPACE_BEFORE_COLON] |= f->raw.p[f->name.n] == ' ';
	hdrs[HDR_EMPTY_VALUE] |= f->value.n == 0;
	hdrs[HDR_BARE_LF] |= has(f->value, "\n") && !has(f->value, "\r\n");
	hdrs[HDR_BARE_CR] |= has(f->value, "\rx");
	hdrs[HDR_LAST_CUT] |= f->raw.p[f->raw.n - 1] != '\n';
}

static void
play_header(struct str seed)
{
	struct str		rest = str_from(seed, 1), all = rest;
	struct hdr_scan		h = { .size = 0 };
	struct hdr_field	f;
	enum hdr_kind		kind, before = HDR_FIELD;

	while ((kind = hdr_next(&rest, &f)) != HDR_END) {
		kinds[kind] = true;
		if (kind == HDR_FIELD)
			play_field(&f);
		else
			hdrs[HDR_JUNK_CUT] |= f.raw.p[f.raw.n - 1] != '\n';
		hdrs[HDR_JUNK_FOLDED] |= before == HDR_JUNK &&
		    f.raw.p[0] == ' ';
		before = kind;
	}
	kinds[HDR_END] = true;
	hdr_scan(&h, all);
	hdr_scan_end(&h);
	hdrs[HDR_NO_BODY] |= !h.ended;
	hdrs[HDR_HOPS] |= h.received > 1;
	hdrs[HDR_FOUND] |= hdr_find(all, S("subject"), &f);
}

static void
test_rfc5322(void **state)
{
	(void)state;
	seeds_play("rfc5322", play_header);
	seeds_need("rfc5322", hdr_kind_name, kinds);
	seeds_need("rfc5322", hdr_fact_name, hdrs);
}

/* -- parts ------------------------------------------------------------ */

enum mime_fact {
	PART_DIGEST, PART_DEEPEST, PART_NO_CHILD, PART_NO_BODY,
	PART_NO_BOUNDARY, PART_BOUNDARY_LONG, PART_OUTER_ENDS
};

static bool		part_kinds[SEEDS_STATES], parts[SEEDS_STATES];
static struct buf	said;

/* What FETCH says of them. */
static const char *const structures[] = {
	"((\"Ann\" NIL \"a\" \"b\")", "{", "\"7bit\"", "\"base64\"",
	"(\"inline\" (", "(\"attachment\" NIL)", "(\"en\" \"de\")",
	"\"http://x.test/\"", "\"Q2hlY2s=\"", "\"<id@x>\"",
	"\"what it is\"", "\"message\" \"rfc822\" NIL",
	"\"text\" \"plain\" (\"charset\" \"us-ascii\")",
	"\"x\" \"a;b\"", "\"digest\" (\"boundary\"",
	"(NIL NIL \"g\" NIL)", "(NIL NIL NIL NIL)",
	"(NIL \"@x,@y\" \"z\" \"w\")", "\"[192.0.2.1]\"",
};

static const char *
mime_kind_name(unsigned k)
{
	switch ((enum mime_kind)k) {
		SEEDS_NAME(MIME_LEAF);
		SEEDS_NAME(MIME_MULTI);
		SEEDS_NAME(MIME_MESSAGE);
	}
	return NULL;
}

static const char *
mime_fact_name(unsigned f)
{
	switch ((enum mime_fact)f) {
		SEEDS_NAME(PART_DIGEST);
		SEEDS_NAME(PART_DEEPEST);
		SEEDS_NAME(PART_NO_CHILD);
		SEEDS_NAME(PART_NO_BODY);
		SEEDS_NAME(PART_NO_BOUNDARY);
		SEEDS_NAME(PART_BOUNDARY_LONG);
		SEEDS_NAME(PART_OUTER_ENDS);
	}
	return NULL;
}

static unsigned
depth_of(const struct mime *m, unsigned i)
{
	unsigned n;

	for (n = 1; i != 0; n++)
		i = m->parts[i].parent;
	return n;
}

static void
play_part(const struct mime *m, unsigned i)
{
	const struct mime_part	*p = &m->parts[i];
	struct str		 head = mime_header(m, p);

	part_kinds[p->kind] = true;
	parts[PART_DIGEST] |= p->digest;
	parts[PART_DEEPEST] |= depth_of(m, i) == MIME_DEPTH_MAX;
	parts[PART_NO_CHILD] |= p->kind == MIME_MULTI && p->child == 0;
	parts[PART_NO_BODY] |= i > 0 && p->body_n == 0 &&
	    !has(head, "\r\n\r\n") && !str_starts(head, S("\r\n"));
	if (p->kind == MIME_LEAF && has(head, "multipart/")) {
		parts[PART_NO_BOUNDARY] |= !has(head, "boundary=");
		parts[PART_BOUNDARY_LONG] |= p->head_n > MIME_BOUNDARY_MAX;
	}
}

static void
play_mime(struct str seed)
{
	struct mime	m;
	struct str	in = str_from(seed, 1);
	unsigned	i;

	mime_init(&m);
	mime_feed(&m, in);
	mime_end(&m);
	for (i = 0; i < m.n; i++)
		play_part(&m, i);
	/* Inside, the end of the inner boundary never came. */
	parts[PART_OUTER_ENDS] |= has(in, "--outer--") &&
	    has(in, "--inner\r\n") && !has(in, "--inner--");
	structure_envelope(&said, mime_header(&m, &m.parts[0]));
	structure_body(&said, &m, true);
	mime_clear(&m);
}

static void
test_mime(void **state)
{
	(void)state;
	buf_init(&said, 16 << 20);
	seeds_play("mime", play_mime);
	seeds_need("mime", mime_kind_name, part_kinds);
	seeds_need("mime", mime_fact_name, parts);
	seeds_need_said("mime", &said, structures, LENGTH(structures));
	buf_clear(&said);
}

/* -- what SEARCH sees ------------------------------------------------- */

enum haystack_fact {
	PART_SKIPPED, CHARSET_OWN, CHARSET_OTHER, CHARSET_UNKNOWN
};

static bool encodings[SEEDS_STATES], hays[SEEDS_STATES];

/* As folded, from other charsets, encodings and encoded words. */
static const char *const texts[] = {
	"\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82",	/* KOI8-R */
	"\xe6\x97\xa5\xe6\x9c\xac",	/* Shift_JIS, ISO-2022-JP */
	"\xf0\x9f\x98\x80", "\xef\xbf\xbd", "softbreak", "=zz", "caf\xc3\xa9",
	"en fran\xc3\xa7\x61is", "aa bb", "=?x?z?qq==?=", "=?utf-8?bb?qq==?=",
	"in latin \xc3\xa9",
};

static const char *
decode_kind_name(unsigned k)
{
	switch ((enum decode_kind)k) {
		SEEDS_NAME(DECODE_NONE);
		SEEDS_NAME(DECODE_BASE64);
		SEEDS_NAME(DECODE_QUOTED);
	}
	return NULL;
}

static const char *
haystack_fact_name(unsigned f)
{
	switch ((enum haystack_fact)f) {
		SEEDS_NAME(PART_SKIPPED);
		SEEDS_NAME(CHARSET_OWN);
		SEEDS_NAME(CHARSET_OTHER);
		SEEDS_NAME(CHARSET_UNKNOWN);
	}
	return NULL;
}

/* A field as a reader sees it. */
static void
play_words(const struct hdr_field *f)
{
	struct buf line, text;

	buf_init(&line, 1 << 16);
	buf_init(&text, 1 << 18);
	hdr_unfold(&line, f->value);
	words_decode(buf_str(&line), &text);
	assert_int_equal(text_fold(buf_str(&text), &said), 0);
	buf_clear(&line);
	buf_clear(&text);
}

static void
play_haystack(struct str seed)
{
	struct str		head = str_from(seed, 1), body;
	struct hdr_field	f;
	struct haystack		h;

	body = str_from(head, hdr_size(head));
	head = str_sub(head, 0, hdr_size(head));
	haystack_init(&h);
	if (haystack_begin(&h, head)) {
		encodings[h.decode.kind] = true;
		hays[CHARSET_OTHER] |= h.charset != NULL;
		hays[CHARSET_OWN] |= h.charset == NULL &&
		    has(head, "charset=utf-8");
		hays[CHARSET_UNKNOWN] |= h.charset == NULL &&
		    has(head, "charset=x-");
		haystack_feed(&h, body, true, &said);
	} else {
		hays[PART_SKIPPED] = true;
	}
	while (hdr_next(&head, &f) == HDR_FIELD)
		play_words(&f);
	haystack_clear(&h);
}

static void
test_haystack(void **state)
{
	(void)state;
	buf_init(&said, 16 << 20);
	seeds_play("haystack", play_haystack);
	seeds_need("haystack", decode_kind_name, encodings);
	seeds_need("haystack", haystack_fact_name, hays);
	seeds_need_said("haystack", &said, texts, LENGTH(texts));
	buf_clear(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc5322),
		cmocka_unit_test(test_mime),
		cmocka_unit_test(test_haystack),
	};

	return cmocka_run_group_tests_name("mime_seeds", tests, NULL, NULL);
}
