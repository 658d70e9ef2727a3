/*
 * imap_ambiguous_test - messages that programs read in different ways: what
 * is stored is what came, and structure, parts and search all take it for the
 * same thing.  ATTACKS G-06.
 */
#include "imapd/imap.h"
#include "tests/lib/imap_script.h"

#define TYPE		"Content-Type: "
#define CODED		"Content-Transfer-Encoding: "
#define MULTI		TYPE "multipart/mixed; boundary=b\r\n"
#define PARTS		"\r\n--b\r\n\r\nplain\r\n--b\r\n" CODED \
			"base64\r\n\r\nc2VjcmV0\r\n--b--\r\n"	/* secret */
#define BASE64		"\r\nc2VjcmV0\r\n"

static const struct {
	const char	*name, *text;
	const char	*structure;	/* is in BODYSTRUCTURE */
	const char	*found, *lost;	/* of a search in the body, or NULL */
	const char	*second;	/* BODY[2], NULL: there is none */
} rows[] = {
	{ "as it should be", MULTI PARTS, "\"mixed\" (\"boundary\" \"b\")",
	  "secret", "c2VjcmV0", "c2VjcmV0" },
	{ "the first type counts", TYPE "text/plain\r\n" MULTI PARTS,
	  "(\"text\" \"plain\" NIL", "c2VjcmV0", "secret", NULL },
	{ "also when it is the other", MULTI TYPE "text/plain\r\n" PARTS,
	  "\"mixed\"", "secret", "c2VjcmV0", "c2VjcmV0" },
	{ "the first boundary counts",
	  TYPE "multipart/mixed; boundary=b; boundary=c\r\n" PARTS,
	  "\"mixed\" (\"boundary\" \"b\" \"boundary\" \"c\")",
	  "secret", "c2VjcmV0", "c2VjcmV0" },
	{ "and no other",
	  TYPE "multipart/mixed; boundary=c; boundary=b\r\n" PARTS,
	  "\"mixed\" (\"boundary\" \"c\" \"boundary\" \"b\")", NULL,
	  "secret", NULL },
	{ "space before the colon",
	  "Content-Type : multipart/mixed; boundary=b\r\n" PARTS, "\"mixed\"",
	  "secret", "c2VjcmV0", "c2VjcmV0" },
	{ "a name that is cut by a line end",
	  "Content-\r\n Type: multipart/mixed; boundary=b\r\n" PARTS,
	  "(\"text\" \"plain\"", "c2VjcmV0", "secret", NULL },
	{ "comments",
	  TYPE "(a) multipart(/x) / (b) mixed (c;boundary=x) ; (d) boundary "
	  "(e) = (f) b (g)\r\n" PARTS, "\"mixed\" (\"boundary\" \"b\")",
	  "secret", "c2VjcmV0", "c2VjcmV0" },
	{ "a comment without end",
	  TYPE "multipart/mixed (; boundary=b\r\n" PARTS,
	  "(\"multipart\" \"mixed\" NIL", "c2VjcmV0", "secret", NULL },
	{ "boundary in pieces",
	  TYPE "multipart/mixed; boundary*0=b; boundary*1=c\r\n" PARTS,
	  "(\"multipart\" \"mixed\" (\"boundary*0\"", "c2VjcmV0", "secret",
	  NULL },
	{ "folded", TYPE "multipart/mixed;\r\n\tboundary=\"b\"\r\n" PARTS,
	  "\"mixed\" (\"boundary\" \"b\")", "secret", "c2VjcmV0",
	  "c2VjcmV0" },
	{ "quoted line end", TYPE "multipart/mixed; boundary=\"\r\n b\"\r\n"
	  "\r\n-- b\r\n\r\nplain\r\n-- b\r\n\r\nx\r\n-- b--\r\n",
	  "\"mixed\" (\"boundary\" \" b\")", "plain", NULL, "x" },
	{ "no type at all", TYPE "multipart; boundary=b\r\n" PARTS,
	  "(\"text\" \"plain\"", "c2VjcmV0", "secret", NULL },
	{ "behind the end", MULTI "\r\n--b--\r\n--b\r\n" CODED
	  "base64\r\n" BASE64 "--b--\r\n", "\"mixed\"", NULL, "secret",
	  NULL },
	{ "before the header's end", MULTI "--b\r\n" BASE64, "\"mixed\"",
	  NULL, NULL, NULL },
	/* Encodings. */
	{ "base64", CODED "base64\r\n" BASE64, "NIL \"base64\" ", "secret",
	  "c2VjcmV0", NULL },
	{ "the first encoding counts", CODED "7bit\r\n" CODED "base64\r\n"
	  BASE64, "NIL \"7bit\" ", "c2VjcmV0", "secret", NULL },
	{ "also when it is base64", CODED "base64\r\n" CODED "7bit\r\n"
	  BASE64, "NIL \"base64\" ", "secret", "c2VjcmV0", NULL },
	{ "encoding with a comment", CODED "(x) base64 (y)\r\n" BASE64,
	  "NIL \"base64\" ", "secret", "c2VjcmV0", NULL },
	{ "encoding and more", CODED "base64 x\r\n" BASE64,
	  "NIL \"7bit\" ", "c2VjcmV0", "secret", NULL },
	{ "encoding and a parameter", CODED "base64; x=y\r\n" BASE64,
	  "NIL \"7bit\" ", "c2VjcmV0", "secret", NULL },
	{ "two encodings", CODED "quoted-printable, base64\r\n" BASE64,
	  "NIL \"7bit\" ", "c2VjcmV0", "secret", NULL },
	{ "quoted encoding", CODED "\"base64\"\r\n" BASE64,
	  "NIL \"7bit\" ", "c2VjcmV0", "secret", NULL },
	{ "no such encoding", CODED "base-64\r\n" BASE64,
	  "NIL \"base-64\" ", "c2VjcmV0", "secret", NULL },
	{ "encoding of an encoded type", TYPE "=?utf-8?q?text/html?=\r\n"
	  CODED "base64\r\n" BASE64, "(\"text\" \"plain\"", "secret",
	  "c2VjcmV0", NULL },
};

static void
ask(struct imap *s, struct buf *said, const char *command)
{
	struct buf line;

	buf_init(&line, 1000);
	buf_addf(&line, "a %s\r\n", command);
	buf_reset(said);
	imap_script_pump(s, buf_str(&line), 1000, said);
	buf_clear(&line);
}

static void
want(const struct buf *said, const char *part, size_t i, const char *what)
{
	if (str_find(buf_str(said), str_c(part)) == -1)
		fail_msg("%s: %s: want %s got %.*s", rows[i].name, what, part,
		    (int)said->n, buf_str(said).p);
}

static void
check_octets(struct imap *s, struct buf *said, size_t i)
{
	struct buf part;

	buf_init(&part, 10000);
	ask(s, said, "FETCH 1 BODY.PEEK[]");
	buf_addf(&part, "{%zu}\r\n%s)", strlen(rows[i].text), rows[i].text);
	want(said, buf_cstr(&part), i, "octets");
	buf_reset(&part);
	ask(s, said, "FETCH 1 BODY.PEEK[2]");
	if (rows[i].second == NULL)
		buf_addz(&part, "BODY[2] NIL)");
	else
		buf_addf(&part, "BODY[2] {%zu}\r\n%s)",
		    strlen(rows[i].second), rows[i].second);
	want(said, buf_cstr(&part), i, "second part");
	buf_clear(&part);
}

static void
check(struct imap *s, struct buf *said, size_t i)
{
	char command[100];

	check_octets(s, said, i);
	ask(s, said, "FETCH 1 BODYSTRUCTURE");
	want(said, rows[i].structure, i, "structure");
	if (rows[i].found != NULL) {
		snprintf(command, sizeof(command), "SEARCH BODY %s",
		    rows[i].found);
		ask(s, said, command);
		want(said, "* SEARCH 1\r\n", i, "found");
	}
	if (rows[i].lost != NULL) {
		snprintf(command, sizeof(command), "SEARCH BODY %s",
		    rows[i].lost);
		ask(s, said, command);
		want(said, "* SEARCH\r\n", i, "not found");
	}
}

static void
test_rows(void **state)
{
	struct model_store	*m;
	struct imap		*s;
	struct buf		 said;
	size_t			 i;

	(void)state;
	buf_init(&said, 1 << 20);
	for (i = 0; i < LENGTH(rows); i++) {
		m = model_store_new();
		model_store_add(m, "INBOX", str_c(rows[i].text), 0, 0);
		s = imap_new(&m->store, 1000);
		ask(s, &said, "EXAMINE INBOX");
		check(s, &said, i);
		imap_free(s);
		model_store_free(m);
	}
	buf_clear(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("imap_ambiguous", tests, NULL,
	    NULL);
}
