/*
 * imap_sift_test - SEARCH with many keys over a long header: each field is
 * folded once, and no step does more than a little.  What is folded and what
 * is compared is counted where it is done (tests.mk wraps both functions).
 */
#include "common/mail/text.h"
#include "imapd/match.h"
#include "tests/lib/imap_script.h"

enum {
	HEADER = 720000,
	SLACK = 64 * 1024 + 4096	/* beyond the work of a step */
};

int	__real_text_fold(struct str, struct buf *);
int	__wrap_text_fold(struct str, struct buf *);
void	__real_match_feed(struct match *, struct str);
void	__wrap_match_feed(struct match *, struct str);

static struct {
	size_t folded, compared, largest;
} count;

int
__wrap_text_fold(struct str s, struct buf *out)
{
	count.folded += s.n;
	return __real_text_fold(s, out);
}

void
__wrap_match_feed(struct match *m, struct str s)
{
	count.compared += s.n;
	if (s.n > count.largest)
		count.largest = s.n;
	__real_match_feed(m, s);
}

static const struct {
	const char	*name;
	const char	*field;		/* until the header is long enough */
	const char	*one;		/* or this, in one long field */
	const char	*key;		/* so often, for each message */
	unsigned	 n;
	size_t		 compared;	/* octets, at least */
} rows[] = {
	{ "one field", NULL, "abc defg\r\n ", "HEADER X q", 100,
	    (size_t)75 * HEADER },
	{ "one field, UTF-8", NULL, "\303\204\303\226", "HEADER X q", 100,
	    (size_t)75 * HEADER },
	{ "small fields", "X: a\r\n", NULL, "HEADER X q", 100,
	    (size_t)100 * HEADER / 6 },
	{ "other fields", "Y: a\r\n", NULL, "HEADER X q", 100, 0 },
	{ "TEXT", "Y: a\r\n", NULL, "TEXT q", 100, (size_t)95 * HEADER },
	{ "both", "X: abc\r\n", NULL, "HEADER X q NOT TEXT q", 50,
	    (size_t)45 * HEADER },
	{ "dates", "X: a\r\n", NULL, "SENTON 1-Jan-2026 NOT HEADER X q", 50,
	    (size_t)50 * HEADER / 6 },
};

static void
make_header(struct buf *text, size_t i)
{
	buf_reset(text);
	if (rows[i].one != NULL)
		buf_addz(text, "X: ");
	while (text->n < HEADER)
		buf_addz(text, rows[i].one != NULL ? rows[i].one :
		    rows[i].field);
	if (rows[i].one != NULL)
		buf_addz(text, "\r\n");
	buf_addz(text, "\r\nbody\r\n");
}

/* The work of each step, until the answer is there. */
static unsigned
run(struct imap *s, struct str in, size_t one)
{
	unsigned steps = 0;

	while (in.n > 0 || imap_wants(s) == IMAP_WANT_STEP) {
		while (in.n > 0 && imap_wants(s) == IMAP_WANT_INPUT)
			in = str_from(in, imap_feed(s, in));
		if (imap_wants(s) != IMAP_WANT_STEP)
			break;
		count.compared = count.folded = 0;
		imap_step(s, 0);
		assert_true(count.compared <= IMAP_STEP_WORK + SLACK);
		assert_true(count.folded <= IMAP_STEP_WORK / 4 + one + SLACK);
		steps++;
	}
	return steps;
}

static void
play(size_t i, bool by_step)
{
	struct model_store	*m = model_store_new();
	struct imap		*s;
	struct buf		 text, line, said;
	unsigned		 k;

	buf_init(&text, 2 * HEADER);
	buf_init(&line, 1 << 20);
	buf_init(&said, 1 << 20);
	make_header(&text, i);
	model_store_add(m, "INBOX", buf_str(&text), 0, 0);
	s = imap_new(&m->store, 1000);
	imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
	buf_addz(&line, "a SEARCH");
	for (k = 0; k < rows[i].n; k++)
		buf_addf(&line, " NOT %s", rows[i].key);
	buf_addz(&line, "\r\n");
	memset(&count, 0, sizeof(count));
	if (by_step) {
		assert_true(run(s, buf_str(&line), rows[i].one != NULL ?
		    HEADER : 0) > rows[i].compared / (IMAP_STEP_WORK + SLACK));
	} else {
		buf_reset(&said);
		imap_script_pump(s, buf_str(&line), SIZE_MAX, &said);
		/* The keys, too, are folded. */
		assert_true(count.folded <= text.n + line.n);
		assert_true(count.compared >= rows[i].compared);
		assert_true(count.largest <= 64 * 1024);
	}
	assert_string_equal(buf_cstr(by_step ? imap_out(s) : &said),
	    "* SEARCH 1\r\na OK searched\r\n");
	imap_free(s);
	model_store_free(m);
	buf_clear(&text);
	buf_clear(&line);
	buf_clear(&said);
}

static void
test_folded_once(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++)
		play(i, false);
}

static void
test_bounded(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++)
		play(i, true);
}

/* Where a text lies in a header, and what must not be put together. */
static void
test_places(void **state)
{
	static const struct {
		const char	*keys;
		bool		 yes;
	} cases[] = {
		{ "HEADER X needle", true },
		{ "HEADER x NEEDLE", true },
		{ "HEADER X needles", false },
		{ "TEXT needle", true },
		{ "TEXT \"x: aaa\"", true },
		{ "TEXT \"aneedle\"", true },
		{ "HEADER X \"x: aaa\"", false },
		{ "HEADER Y needle", false },
		{ "HEADER Y \"\"", true },
		{ "HEADER Z \"\"", false },
		{ "HEADER Y b TEXT second HEADER Y c", true },
		{ "HEADER Y bc", false },
		{ "OR HEADER Y q TEXT third", true },
		{ "HEADER Y b HEADER Y b HEADER y B", true },
		{ "TEXT {9+}\r\nb\r\ny: sec", false },
		{ "TEXT \"a junk line\"", true },
		{ "BODY \"a junk line\"", false },
		{ "BODY thebody", true },
		{ "TEXT \"cthebody\"", false },
	};
	struct model_store	*m = model_store_new();
	struct imap		*s;
	struct buf		 text, line, said;
	size_t			 i;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_init(&line, 1000);
	buf_init(&said, 1 << 20);
	buf_addz(&text, "X: ");
	while (text.n < 64 * 1024)
		buf_addc(&text, 'a');
	buf_addz(&text, "needle\r\na junk line\r\nY: b\r\nY: second\r\n"
	    "W: third\r\nY:\r\nY: c\r\n\r\nthebody\r\n");
	model_store_add(m, "INBOX", buf_str(&text), 0, 0);
	s = imap_new(&m->store, 1000);
	imap_script_pump(s, S("s SELECT INBOX\r\n"), 1000, &said);
	for (i = 0; i < LENGTH(cases); i++) {
		buf_reset(&line);
		buf_reset(&said);
		buf_addf(&line, "a SEARCH %s\r\n", cases[i].keys);
		imap_script_pump(s, buf_str(&line), SIZE_MAX, &said);
		if (!str_eq(buf_str(&said), cases[i].yes ?
		    S("* SEARCH 1\r\na OK searched\r\n") :
		    S("* SEARCH\r\na OK searched\r\n")))
			fail_msg("%s: %s", cases[i].keys, buf_cstr(&said));
	}
	imap_free(s);
	model_store_free(m);
	buf_clear(&text);
	buf_clear(&line);
	buf_clear(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folded_once),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests_name("imap_sift", tests, NULL, NULL);
}
