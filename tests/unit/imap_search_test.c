/*
 * imap_search_test - SEARCH: its keys, its limits, and that a long search
 * lets others in.
 */
#include "imapd/searchkey.h"
#include "tests/lib/imap_script.h"

static const struct {
	const char	*text;
	uint8_t		 flags;
	int64_t		 date;
} mails[] = {
	/* 1 */
	{ "From: Ann <ann@example.org>\r\nSubject: Tea\r\n"
	  "Date: Thu, 31 Dec 2025 23:30:00 -0800\r\n"
	  "To: bob@example.org\r\nCc: carl@example.org\r\n\r\n"
	  "Hello Bob.\r\n", 0, 1767225600 },
	/* 2 */
	{ "From: Bob\r\nSubject: A long\r\n subject\r\nBcc: ann\r\n\r\n"
	  "aaab and Subject: not\r\n", STORE_SEEN | STORE_ANSWERED,
	  1767312000 },
	/* 3 */
	{ "X-Empty:\r\nFROM: carl\r\nDate: nonsense\r\n\r\n"
	  "caf\303\251 CAF\303\251\r\n", STORE_DELETED | STORE_FLAGGED,
	  1767398400 },
	/* 4 */
	{ "no header\r\n", STORE_DRAFT | STORE_SEEN, 0 },
};

static const struct {
	const char	*keys;
	const char	*want;		/* NULL: BAD; "NO...": NO */
} cases[] = {
	{ "ALL", " 1 2 3 4" },
	{ "1", " 1" },
	{ "2:3", " 2 3" },
	{ "*", " 4" },
	{ "1,9", " 1" },
	{ "9:12", "" },
	{ "UID 2:*", " 2 3 4" },
	{ "NOT 2", " 1 3 4" },
	{ "NOT NOT 2", " 2" },
	{ "OR 1 3", " 1 3" },
	{ "OR 1 OR 2 3", " 1 2 3" },
	{ "(1:3 NOT 2)", " 1 3" },
	{ "((1:3) (2))", " 2" },
	{ "1:3 NOT (2 SEEN)", " 1 3" },
	{ "seen", " 2 4" },
	{ "UNSEEN", " 1 3" },
	{ "ANSWERED", " 2" },
	{ "UNANSWERED", " 1 3 4" },
	{ "DELETED", " 3" },
	{ "UNDELETED", " 1 2 4" },
	{ "DRAFT", " 4" },
	{ "UNDRAFT", " 1 2 3" },
	{ "FLAGGED", " 3" },
	{ "UNFLAGGED", " 1 2 4" },
	{ "RECENT", " 1 2 3 4" },
	{ "NEW", " 1 3" },
	{ "OLD", "" },
	{ "KEYWORD $x", "" },
	{ "UNKEYWORD $x", " 1 2 3 4" },
	{ "BEFORE 2-Jan-2026", " 1 4" },
	{ "ON 2-Jan-2026", " 2" },
	{ "ON \"02-jan-2026\"", " 2" },
	{ "SINCE 2-Jan-2026", " 2 3" },
	/* The day as written, whatever the zone. */
	{ "SENTON 31-Dec-2025", " 1" },
	{ "SENTBEFORE 31-Dec-2025", "" },
	{ "SENTBEFORE 1-Jan-2026", " 1" },
	{ "SENTSINCE 31-Dec-2025", " 1" },
	{ "NOT SENTSINCE 31-Dec-2025", " 2 3 4" },
	{ "LARGER 100", " 1" },
	{ "SMALLER 100", " 2 3 4" },
	{ "LARGER 4294967295", "" },
	{ "SMALLER 11", "" },
	{ "SMALLER 12", " 4" },
	{ "LARGER 11", " 1 2 3" },
	{ "FROM ann", " 1" },
	{ "FROM EXAMPLE", " 1" },
	{ "FROM carl", " 3" },
	{ "TO bob", " 1" },
	{ "CC carl", " 1" },
	{ "BCC ANN", " 2" },
	{ "SUBJECT \"long subject\"", " 2" },
	{ "SUBJECT not", "" },
	{ "SUBJECT \"\"", " 1 2" },
	{ "HEADER X-Empty \"\"", " 3" },
	{ "HEADER x-empty a", "" },
	{ "HEADER X-None \"\"", "" },
	{ "BODY hello", " 1" },
	{ "BODY Tea", "" },
	{ "TEXT tea", " 1" },
	{ "TEXT not", " 2" },
	{ "BODY aab", " 2" },
	{ "BODY \"\"", " 1 2 3 4" },
	{ "TEXT \"no header\"", " 4" },
	{ "BODY \"no header\"", "" },
	{ "OR BODY hello SEEN", " 1 2 4" },
	{ "NOT BODY hello", " 2 3 4" },
	{ "BODY {5+}\r\nHELLO", " 1" },
	{ "CHARSET UTF-8 BODY {5+}\r\ncaf\303\251", " 3" },
	{ "charset us-ascii BODY b", " 1 2" },
	{ "BODY {5+}\r\nCAF\303\251 OLD", "" },
	{ "CHARSET KOI8-R BODY x", "NO [BADCHARSET (US-ASCII UTF-8)]" },
	{ "CHARSET UTF-8 BODY {1+}\r\n\351", NULL },
	{ "", NULL },
	{ "()", NULL },
	{ "(1", NULL },
	{ "1)", NULL },
	{ "NOT", NULL },
	{ "OR 1", NULL },
	{ "0", NULL },
	{ "4294967296", NULL },
	{ "XYZZY", NULL },
	{ "ON 31-Feb-2026", NULL },
	{ "ON yesterday", NULL },
	{ "LARGER -1", NULL },
	{ "LARGER 4294967296", NULL },
	{ "KEYWORD", NULL },
	{ "HEADER x", NULL },
	{ "SEEN ", NULL },
	{ "SEEN  ALL", NULL },
	{ "BODY \"x", NULL },
	{ "CHARSET", NULL },
	{ "CHARSET UTF-8", NULL },
};

static struct model_store *
fill(void)
{
	struct model_store	*m = model_store_new();
	size_t			 i;

	for (i = 0; i < LENGTH(mails); i++)
		model_store_add(m, "INBOX", str_c(mails[i].text),
		    mails[i].flags, mails[i].date);
	return m;
}

static void
ask(struct imap *s, struct buf *said, const char *keys, size_t piece)
{
	struct buf line;

	buf_init(&line, 2 << 20);
	buf_addz(&line, "a SEARCH ");
	buf_addz(&line, keys);
	buf_addz(&line, "\r\n");
	buf_reset(said);
	imap_script_pump(s, buf_str(&line), piece, said);
	buf_clear(&line);
}

static void
test_keys(void **state)
{
	struct model_store	*m = fill();
	struct imap		*s = imap_new(&m->store, 1000);
	struct buf		 said, want;
	size_t			 i, piece;

	(void)state;
	buf_init(&said, 1 << 20);
	buf_init(&want, 1000);
	imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
	for (i = 0; i < LENGTH(cases) * 2; i++) {
		piece = i % 2 == 0 ? SIZE_MAX : 1;
		ask(s, &said, cases[i / 2].keys, piece);
		buf_reset(&want);
		if (cases[i / 2].want == NULL)
			buf_addz(&want, "a BAD ");
		else if (cases[i / 2].want[0] == 'N')
			buf_addf(&want, "a %s", cases[i / 2].want);
		else
			buf_addf(&want, "* SEARCH%s\r\na OK ",
			    cases[i / 2].want);
		if (!str_starts(buf_str(&said), buf_str(&want)))
			fail_msg("%s: want %s got %s", cases[i / 2].keys,
			    buf_cstr(&want), buf_cstr(&said));
		/* A BAD now and then must not end the session. */
		imap_script_pump(s, S("n NOOP\r\n"), 1000, &said);
	}
	imap_free(s);
	model_store_free(m);
	buf_clear(&said);
	buf_clear(&want);
}

/* ATTACKS F-04: as deep as the limit, and one more, each way. */
static void
test_depth(void **state)
{
	static const struct {
		const char *open, *leaf, *close;
	} forms[] = {
		{ "(", "ALL", ")" },
		{ "NOT ", "ALL", "" },
		{ "OR SEEN ", "ALL", "" },
		{ "OR ", "ALL", " SEEN" },
	};
	struct model_store	*m = fill();
	struct imap		*s = imap_new(&m->store, 1000);
	struct buf		 said, keys;
	unsigned		 i, k, n;

	(void)state;
	buf_init(&said, 1 << 20);
	buf_init(&keys, 1 << 20);
	imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
	for (k = 0; k < LENGTH(forms) * 4; k++) {
		n = (unsigned[]){ SEARCH_DEPTH_MAX - 2, SEARCH_DEPTH_MAX - 1,
		    SEARCH_DEPTH_MAX, 7000 }[k % 4];
		buf_reset(&keys);
		for (i = 0; i < n; i++)
			buf_addz(&keys, forms[k / 4].open);
		buf_addz(&keys, forms[k / 4].leaf);
		for (i = 0; i < n; i++)
			buf_addz(&keys, forms[k / 4].close);
		ask(s, &said, buf_cstr(&keys), SIZE_MAX);
		assert_int_equal(str_starts(buf_str(&said),
		    S("a BAD [TOOBIG]")), n >= SEARCH_DEPTH_MAX);
		assert_int_equal(str_starts(buf_str(&said), S("* SEARCH")),
		    n < SEARCH_DEPTH_MAX);
	}
	imap_free(s);
	model_store_free(m);
	buf_clear(&said);
	buf_clear(&keys);
}

static void
test_limits(void **state)
{
	struct model_store	*m = fill();
	struct imap		*s = imap_new(&m->store, 1000);
	struct buf		 said, keys;
	size_t			 i, n;

	(void)state;
	buf_init(&said, 1 << 20);
	buf_init(&keys, 1 << 20);
	imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
	/* The root is one of them. */
	for (n = SEARCH_KEYS_MAX - 2; n <= SEARCH_KEYS_MAX; n++) {
		buf_reset(&keys);
		for (i = 0; i < n; i++)
			buf_addz(&keys, i == 0 ? "SEEN" : " SEEN");
		ask(s, &said, buf_cstr(&keys), SIZE_MAX);
		assert_int_equal(str_starts(buf_str(&said),
		    S("a BAD [TOOBIG]")), n == SEARCH_KEYS_MAX);
	}
	for (n = SEARCH_TEXT_MAX - 1; n <= SEARCH_TEXT_MAX + 1; n++) {
		buf_reset(&keys);
		buf_addz(&keys, "BODY ");
		for (i = 0; i < n; i++)
			buf_addc(&keys, 'x');
		ask(s, &said, buf_cstr(&keys), SIZE_MAX);
		assert_int_equal(str_starts(buf_str(&said),
		    S("a BAD [TOOBIG]")), n > SEARCH_TEXT_MAX);
	}
	imap_free(s);
	model_store_free(m);
	buf_clear(&said);
	buf_clear(&keys);
}

/* -- what was encoded ---------------------------------------------------- */

/* One message for each search below. */
static const char encoded[] =
    "From: =?utf-8?q?J=C3=BCrgen_M=C3=BCller?= <jm@example.org>\r\n"
    "Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n"
    " =?iso-8859-1?q?_aus?= =?utf-8?b?S8O2bG4=?= =?x-none?q?end?=\r\n"
    "X-Raw: stra\303\237e\r\n"
    "Content-Type: multipart/mixed; boundary=xx\r\n"
    "\r\n"
    "preamble\r\n"
    "--xx\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "RGllIFN0cmHD\r\n"
    "n2UgaXN0IGxhbmcuDQpaRUlMRSB6d2Vp\r\n"
    "--xx\r\n"
    "Content-Type: text/html; charset=\"koi8-r\"\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "Content-Description: =?koi8-r?q?=D4=C5=CB=D3=D4?=\r\n"
    "\r\n"
    "<b>=F0=F2=E9=F7=\r\n"
    "=E5=F4</b>\r\n"
    "--xx\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: =?utf-8?q?inn=C3=A9r?=\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "soft=\r\n"
    "break e=CC=81t=C3=A9\r\n"
    "--xx\r\n"
    "Content-Type: image/png\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "aW1hZ2U=\r\n"
    "--xx\r\n"
    "Content-Type: application/x-odd\r\n"
    "\r\n"
    "as it Stands\r\n"
    "--xx\r\n"
    "Content-Type: text/plain; charset=x-none\r\n"
    "\r\n"
    "unknown caf\303\251\r\n"
    "--xx--\r\n"
    "epilogue\r\n";

static const struct {
	const char	*key, *text;
	bool		 yes;
} decoded[] = {
	{ "FROM", "m\303\274ller", true },
	{ "FROM", "M\303\234LLER", true },
	{ "FROM", "Mu\314\210ller", true },	/* decomposed */
	{ "FROM", "jurgen", false },
	{ "FROM", "utf-8", false },
	{ "FROM", "jm@EXAMPLE", true },
	{ "SUBJECT", "gr\303\274sse aus", true },
	{ "SUBJECT", "aus k\303\226ln", false },
	{ "SUBJECT", "ausk\303\226lnend", true },
	{ "HEADER X-Raw", "STRASSE", true },
	{ "TEXT", "m\303\274ller", true },
	{ "TEXT", "x-raw: stra\303\237e", true },
	{ "BODY", "m\303\274ller", false },
	{ "BODY", "die strasse IST lang", true },
	{ "TEXT", "die stra\303\237e ist lang", true },
	{ "BODY", "Zeile ZWEI", true },
	{ "BODY", "RGllIFN0", false },
	{ "BODY", "\320\277\321\200\320\270\320\262\320\265\321\202", true },
	{ "BODY", "\320\242\320\225\320\232\320\241\320\242", true },
	{ "BODY", "inn\303\211r", true },
	{ "SUBJECT", "inn\303\211r", false },
	{ "BODY", "softbreak \303\251t\303\251", true },
	{ "BODY", "image", true },		/* its Content-Type */
	{ "BODY", "aW1hZ2U", false },
	{ "BODY", "as it stands", true },
	{ "BODY", "unknown CAF\303\211", true },
	{ "BODY", "preamble", false },
	{ "BODY", "lang.\r\nzeile", true },
	{ "BODY", "zwei content", false },
};

static void
test_encoded(void **state)
{
	struct model_store	*m = model_store_new();
	struct imap		*s;
	struct buf		 said, keys;
	size_t			 i;

	(void)state;
	buf_init(&said, 1 << 20);
	buf_init(&keys, 1000);
	model_store_add(m, "INBOX", str_c(encoded), 0, 0);
	s = imap_new(&m->store, 1000);
	imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
	for (i = 0; i < LENGTH(decoded); i++) {
		buf_reset(&keys);
		buf_addf(&keys, "CHARSET UTF-8 %s {%zu+}\r\n%s",
		    decoded[i].key, strlen(decoded[i].text),
		    decoded[i].text);
		ask(s, &said, buf_cstr(&keys), SIZE_MAX);
		if (!str_starts(buf_str(&said), decoded[i].yes ?
		    S("* SEARCH 1\r\na OK") : S("* SEARCH\r\na OK")))
			fail_msg("%s %s: %s", decoded[i].key, decoded[i].text,
			    buf_cstr(&said));
	}
	assert_int_equal(m->bodies, 0);
	imap_free(s);
	model_store_free(m);
	buf_clear(&said);
	buf_clear(&keys);
}

/* Single parts, in which each octet may be the one where a piece ends. */
static void
test_seams(void **state)
{
	static const struct {
		const char *header, *fill, *text, *key;
	} rows[] = {
		{ "charset=utf-8", "x", "\303\204\303\226",
		    "x\303\244\303\266" },
		{ "charset=utf-8", "\303\251", "\303\226",
		    "\303\251\303\266" },
		{ "charset=shift_jis", "\223\372", "\226{",
		    "\346\227\245\346\234\254" },
		{ "charset=utf-8\r\nContent-Transfer-Encoding: "
		    "quoted-printable", "=41", "=C3=96=\r\nB", "a\303\266b" },
		{ "charset=utf-8\r\nContent-Transfer-Encoding: base64",
		    "YWFh", "w5Zi", "a\303\266b" },
	};
	struct model_store	*m;
	struct imap		*s;
	struct buf		 text, said, keys;
	size_t			 i, k, head, unit;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&said, 1 << 20);
	buf_init(&keys, 1000);
	for (i = 0; i < LENGTH(rows); i++) {
		m = model_store_new();
		for (k = 0; k < 16; k++) {
			buf_reset(&text);
			buf_addf(&text, "Content-Type: text/plain; %s"
			    "\r\n\r\n", rows[i].header);
			/* So that the seam wanders. */
			for (head = 0; head < k; head++)
				buf_addc(&text, ' ');
			head = text.n;
			unit = strlen(rows[i].fill);
			while (text.n - head < 32 * 1024 - 2 * unit)
				buf_addz(&text, rows[i].fill);
			buf_addz(&text, rows[i].text);
			model_store_add(m, "INBOX", buf_str(&text), 0, 0);
		}
		s = imap_new(&m->store, 1000);
		imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
		buf_reset(&keys);
		buf_addf(&keys, "BODY {%zu+}\r\n%s", strlen(rows[i].key),
		    rows[i].key);
		ask(s, &said, buf_cstr(&keys), SIZE_MAX);
		if (!str_starts(buf_str(&said), S("* SEARCH 1 2 3 4 5 6 7 8 "
		    "9 10 11 12 13 14 15 16\r\n")))
			fail_msg("%zu: %s", i, buf_cstr(&said));
		imap_free(s);
		model_store_free(m);
	}
	buf_clear(&text);
	buf_clear(&said);
	buf_clear(&keys);
}

/* A text that lies across the pieces in which a message is read. */
static void
test_across_pieces(void **state)
{
	struct model_store	*m = model_store_new();
	struct imap		*s;
	struct buf		 text, said;
	size_t			 i;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&said, 1 << 20);
	buf_addz(&text, "A: b\r\n\r\n");
	for (i = text.n; i < 32 * 1024 - 3; i++)
		buf_addc(&text, 'x');
	buf_addz(&text, "NeeDLE");
	model_store_add(m, "INBOX", buf_str(&text), 0, 0);
	s = imap_new(&m->store, 1000);
	imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
	ask(s, &said, "BODY needle", SIZE_MAX);
	assert_true(str_starts(buf_str(&said), S("* SEARCH 1\r\n")));
	ask(s, &said, "BODY needles", SIZE_MAX);
	assert_true(str_starts(buf_str(&said), S("* SEARCH\r\n")));
	imap_free(s);
	model_store_free(m);
	buf_clear(&text);
	buf_clear(&said);
}

/* A long search takes many steps, each of which reads little. */
static void
test_bounded(void **state)
{
	struct model_store	*m = model_store_new();
	struct imap		*s;
	struct buf		 text, said;
	unsigned		 steps = 0, before;
	size_t			 i;

	(void)state;
	buf_init(&text, 4 << 20);
	buf_init(&said, 1 << 20);
	buf_addz(&text, "A: b\r\n\r\n");
	for (i = 0; i < 1 << 20; i++)
		buf_addc(&text, 'x');
	for (i = 0; i < 8; i++)
		model_store_add(m, "INBOX", buf_str(&text), 0, 0);
	s = imap_new(&m->store, 1000);
	imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
	imap_feed(s, S("a SEARCH TEXT needle\r\n"));
	while (imap_wants(s) == IMAP_WANT_STEP) {
		before = m->reads;
		imap_step(s, 0);
		steps++;
		assert_true(m->reads - before <= 32);
	}
	assert_true(steps >= 16);
	imap_free(s);
	model_store_free(m);
	buf_clear(&text);
	buf_clear(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_encoded),
		cmocka_unit_test(test_seams),
		cmocka_unit_test(test_across_pieces),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests_name("imap_search", tests, NULL, NULL);
}
