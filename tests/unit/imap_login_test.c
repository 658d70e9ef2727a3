/*
 * imap_login_test - IMAP before the login: tables of dialogues, each whole,
 * byte by byte and in odd pieces.
 */
#include "imapd/capability.h"
#include "imapd/login.h"
#include "tests/lib/feed.h"
#include "tests/lib/login_rig.h"
#include "tests/lib/unit.h"

#define IN(tag)	tag " OK [CAPABILITY " IMAP_CAPABILITY "] logged in\r\n"
#define WRONG(tag) tag " NO [AUTHENTICATIONFAILED] wrong user or password\r\n"
#define NONE	" BAD no such command before a login\r\n"

/* base64: NUL ok NUL pw; NUL x NUL y; ok NUL ok NUL pw; eve NUL ok NUL pw */
#define B_OK	"AG9rAHB3"
#define B_BAD	"AHgAeQ=="
#define B_SELF	"b2sAb2sAcHc="
#define B_EVE	"ZXZlAG9rAHB3"

static const struct login_scene scenes[] = {
	{ "login", "a LOGIN ok pw\r\n", "<ok|pw>\r\n" IN("a"), "", LOGIN_IN,
	    false },
	{ "quoted", "a login \"ok\" \"p \\\"\\\\w\"\r\nb NOOP\r\n",
	    "<ok|p \"\\w>\r\n" IN("a"), "b NOOP\r\n", LOGIN_IN, false },
	{ "literals", "a LOGIN {2}\r\nok {3}\r\np\r\n\r\nb SELECT",
	    "+ go on\r\n+ go on\r\n<ok|p\r\n>\r\n" IN("a"), "b SELECT",
	    LOGIN_IN, false },
	{ "literals without waiting", "a LOGIN {2+}\r\nok {2+}\r\npw\r\n",
	    "<ok|pw>\r\n" IN("a"), "", LOGIN_IN, false },
	{ "8-bit password", "a LOGIN ok {2+}\r\n\xc3\xa4\r\n",
	    "<ok|\xc3\xa4>\r\n" IN("a"), "", LOGIN_IN, false },
	{ "wrong, then right", "a LOGIN x y\r\nb LOGIN ok pw\r\n",
	    "<x|y>\r\n" WRONG("a") "<ok|pw>\r\n" IN("b"), "", LOGIN_IN,
	    false },
	{ "temporary", "a LOGIN temp y\r\nb NOOP\r\n", "<temp|y>\r\n"
	    "a NO [UNAVAILABLE] no login now, try again later\r\n"
	    "b OK done\r\n", "", LOGIN_TALKING, false },
	{ "mailbox away", "a LOGIN gone y\r\n", "<gone|y>\r\n"
	    "a NO [UNAVAILABLE] the mailbox is not available now\r\n", "",
	    LOGIN_TALKING, false },
	{ "mailbox in use", "a LOGIN busy y\r\n", "<busy|y>\r\n"
	    "a NO [INUSE] another session has the mailbox open\r\n", "",
	    LOGIN_TALKING, false },
	{ "authenticate", "a AUTHENTICATE PLAIN\r\n" B_OK "\r\nb NOOP\r\n",
	    "+ \r\n<ok|pw>\r\n" IN("a"), "b NOOP\r\n", LOGIN_IN, false },
	{ "authenticate at once", "a authenticate plain " B_OK "\r\n",
	    "<ok|pw>\r\n" IN("a"), "", LOGIN_IN, false },
	{ "authenticate as oneself", "a AUTHENTICATE PLAIN " B_SELF "\r\n",
	    "<ok|pw>\r\n" IN("a"), "", LOGIN_IN, false },
	{ "authenticate as another", "a AUTHENTICATE PLAIN " B_EVE "\r\n",
	    WRONG("a"), "", LOGIN_TALKING, false },
	{ "authenticate wrong", "a AUTHENTICATE PLAIN " B_BAD "\r\n",
	    "<x|y>\r\n" WRONG("a"), "", LOGIN_TALKING, false },
	{ "cancelled", "a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n",
	    "+ \r\na BAD cancelled\r\nb OK done\r\n", "", LOGIN_TALKING,
	    false },
	{ "not base64", "a AUTHENTICATE PLAIN !\r\nb AUTHENTICATE PLAIN\r\n"
	    "A\r\nc AUTHENTICATE PLAIN AA==x\r\n",
	    "a BAD not base64\r\n+ \r\nb BAD not base64\r\n"
	    "c BAD not base64\r\n", "", LOGIN_TALKING, false },
	{ "empty message", "a AUTHENTICATE PLAIN =\r\n", WRONG("a"), "",
	    LOGIN_TALKING, false },
	/* ATTACKS F-18. */
	{ "authenticate, at once by literal",
	    "a AUTHENTICATE PLAIN {8+}\r\n" B_OK "\r\nb NOOP\r\n",
	    "a BAD not base64\r\nb OK done\r\n", "", LOGIN_TALKING,
	    false },
	{ "authenticate, mechanism in quotes",
	    "a AUTHENTICATE \"PLAIN\" " B_OK "\r\nb AUTHENTICATE \r\n",
	    "a BAD an atom is missing\r\nb BAD an atom is missing\r\n", "",
	    LOGIN_TALKING, false },
	{ "authenticate, more than one message",
	    "a AUTHENTICATE PLAIN " B_OK " x\r\n"
	    "b AUTHENTICATE PLAIN  " B_OK "\r\n",
	    "a BAD not base64\r\nb BAD not base64\r\n", "", LOGIN_TALKING,
	    false },
	{ "mechanism by literal", "a AUTHENTICATE {5+}\r\nPLAIN " B_OK "\r\n",
	    "a BAD an atom is missing\r\n", "", LOGIN_TALKING, false },
	{ "message by literal", "a AUTHENTICATE PLAIN\r\n{8+}\r\n" B_OK "\r\n",
	    "+ \r\n* BYE no literal here\r\n", B_OK "\r\n", LOGIN_OVER,
	    false },
	{ "other mechanism", "a AUTHENTICATE LOGIN\r\nb AUTHENTICATE\r\n",
	    "a NO PLAIN is the only mechanism\r\n"
	    "b BAD a space is missing\r\n", "", LOGIN_TALKING, false },
	{ "capability", "a CAPABILITY\r\n",
	    "* CAPABILITY " IMAP_CAPABILITY_LOGIN "\r\na OK done\r\n", "",
	    LOGIN_TALKING, false },
	{ "no passwords here", "a CAPABILITY\r\nb LOGIN ok pw\r\n"
	    "c AUTHENTICATE PLAIN " B_OK "\r\nd AUTHENTICATE PLAIN\r\n",
	    "* CAPABILITY " IMAP_CAPABILITY_NO_LOGIN "\r\na OK done\r\n"
	    "b NO [PRIVACYREQUIRED] no passwords over this connection\r\n"
	    "c NO [PRIVACYREQUIRED] no passwords over this connection\r\n"
	    "d NO [PRIVACYREQUIRED] no passwords over this connection\r\n",
	    "", LOGIN_TALKING, true },
	{ "logout", "a LOGOUT\r\nb NOOP\r\n",
	    "* BYE logging out\r\na OK bye\r\n", "b NOOP\r\n", LOGIN_OVER,
	    false },
	{ "id", "a ID NIL\r\nb ID (\"name\" \"x\" \"os\" NIL)\r\nc ID ()\r\n"
	    "d ID x\r\ne ID (x)\r\n",
	    "* ID (\"name\" \"Postern\")\r\na OK done\r\n"
	    "* ID (\"name\" \"Postern\")\r\nb OK done\r\n"
	    "* ID (\"name\" \"Postern\")\r\nc OK done\r\n"
	    "d BAD neither a string nor NIL\r\n"
	    "e BAD neither a string nor NIL\r\n", "", LOGIN_TALKING, false },
	{ "not before a login", "a NOOP\r\nb SELECT INBOX\r\nc STARTTLS\r\n",
	    "a OK done\r\nb" NONE "c" NONE, "", LOGIN_TALKING, false },
	{ "too early, as the first one", "a SELECT INBOX\r\nb NOOP\r\n",
	    "a" NONE "b OK done\r\n", "", LOGIN_TALKING, false },
	{ "arguments", "a NOOP x\r\nb LOGIN\r\nc LOGIN x\r\nd LOGIN x y z\r\n",
	    "a BAD too many arguments\r\nb BAD a space is missing\r\n"
	    "c BAD a space is missing\r\nd BAD too many arguments\r\n", "",
	    LOGIN_TALKING, false },
	{ "another protocol", "GET / HTTP/1.1\r\na LOGIN ok pw\r\n",
	    "GET BAD a word is missing\r\n* BYE too many errors\r\n",
	    "a LOGIN ok pw\r\n", LOGIN_OVER, false },
	{ "no tag", "a NOOP\r\n* NOOP\r\n+ NOOP\r\n\r\nx\r\n",
	    "a OK done\r\n* BAD no tag\r\n* BAD no tag\r\n* BAD no tag\r\n"
	    "x BAD a space is missing\r\n", "", LOGIN_TALKING, false },
	{ "8-bit and brace tags", "a NOOP\r\n\xff NOOP\r\n{ NOOP\r\n",
	    "a OK done\r\n* BAD no tag\r\n* BAD no tag\r\n", "",
	    LOGIN_TALKING, false },
	{ "huge literal, waiting", "a NOOP\r\nb LOGIN {4294967295}\r\n"
	    "c LOGIN {18446744073709551615}\r\nd LOGIN ok {8200}\r\n"
	    "e LOGIN ok pw\r\n", "a OK done\r\n"
	    "b BAD [TOOBIG] literal too large\r\n"
	    "c BAD [TOOBIG] literal too large\r\n"
	    "d BAD [TOOBIG] literal too large\r\n<ok|pw>\r\n" IN("e"), "",
	    LOGIN_IN, false },
	{ "huge literal, not waiting", "a NOOP\r\nb LOGIN {65535+}\r\nxx",
	    "a OK done\r\n* BYE literal too large\r\n", "xx", LOGIN_OVER,
	    false },
	{ "no literal at all", "a NOOP\r\nb LOGIN {-1}\r\n", "a OK done\r\n"
	    "b BAD not a number of 32 bits\r\n", "", LOGIN_TALKING, false },
	{ "bare LF", "a NOOP\r\nb NOOP\nc LOGIN ok pw\r\n",
	    "a OK done\r\nb BAD too many arguments\r\n", "", LOGIN_TALKING,
	    false },
	{ "five failures", "a LOGIN x y\r\nb LOGIN x y\r\nc LOGIN x y\r\n"
	    "d AUTHENTICATE PLAIN " B_EVE "\r\ne LOGIN x y\r\nf NOOP\r\n",
	    "<x|y>\r\n" WRONG("a") "<x|y>\r\n" WRONG("b") "<x|y>\r\n"
	    WRONG("c") WRONG("d") "<x|y>\r\n" WRONG("e")
	    "* BYE too many failures\r\n", "f NOOP\r\n", LOGIN_OVER, false },
	{ "empty password", "a LOGIN ok \"\"\r\nb LOGIN \"\" x\r\n",
	    WRONG("a") WRONG("b"), "", LOGIN_TALKING, false },
};

static void
test_scenes(void **state)
{
	(void)state;
	login_rig_play(&imap_login_ops, scenes, LENGTH(scenes));
}

/* ATTACKS F-01: a NUL is refused, in whatever form it comes. */
static void
test_nul(void **state)
{
	static const struct {
		struct str	 in;
		const char	*out;
	} rows[] = {
		{ STR_INIT("a NOOP\r\nb LOGIN \"x\0y\" \"z\"\r\n"),
		    "a OK done\r\nb BAD control or 8-bit character in a "
		    "quoted string\r\n" },
		{ STR_INIT("a NOOP\r\nb LOGIN {3+}\r\na\0b x\r\n"),
		    "a OK done\r\nb BAD NUL in a literal\r\n" },
		{ STR_INIT("a NOOP\r\nb LOGIN x\0 y\r\n"),
		    "a OK done\r\nb BAD a space is missing\r\n" },
	};
	struct login_rig r;
	unsigned	 way;
	size_t		 i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		for (way = 0; way < FEED_WAYS; way++) {
			login_rig_run(&r, &imap_login_ops, true, way,
			    rows[i].in);
			assert_string_equal(buf_cstr(&r.got), rows[i].out);
			login_rig_clear(&r);
		}
	}
}

/* 8 KiB in all: the last byte may be there, one more may not. */
static void
test_input_limit(void **state)
{
	struct login_rig r;
	struct buf	 in;
	unsigned	 way;
	size_t		 n;
	const char	*out;

	(void)state;
	buf_init(&in, 100000);
	for (n = LOGIN_INPUT_MAX - 1; n <= LOGIN_INPUT_MAX + 1; n++) {
		buf_reset(&in);
		buf_addz(&in, "a NOOP\r\nb NOOP ");
		while (in.n < n - 2)
			buf_addc(&in, 'x');
		buf_addz(&in, "\r\n");
		out = n <= LOGIN_INPUT_MAX ?
		    "a OK done\r\nb BAD too many arguments\r\n" :
		    "a OK done\r\n* BYE too much before a login\r\n";
		for (way = 0; way < FEED_WAYS; way++) {
			login_rig_run(&r, &imap_login_ops, true, way,
			    buf_str(&in));
			assert_string_equal(buf_cstr(&r.got), out);
			assert_int_equal(r.l->state, n <= LOGIN_INPUT_MAX ?
			    LOGIN_TALKING : LOGIN_OVER);
			login_rig_clear(&r);
		}
	}
	buf_clear(&in);
}

/* Literals of the size that just fits, and one more. */
static void
test_literal_limit(void **state)
{
	const size_t	 head = strlen("a LOGIN {8174+}\r\n");
	struct login_rig r;
	struct buf	 in;
	size_t		 n;

	(void)state;
	buf_init(&in, 100000);
	for (n = LOGIN_INPUT_MAX - head - 1; n <= LOGIN_INPUT_MAX - head + 1;
	    n++) {
		buf_reset(&in);
		buf_addf(&in, "a LOGIN {%zu+}\r\n", n);
		assert_int_equal(in.n, head);
		login_rig_run(&r, &imap_login_ops, true, 0, buf_str(&in));
		assert_string_equal(buf_cstr(&r.got),
		    n <= LOGIN_INPUT_MAX - head ? "" :
		    "* BYE literal too large\r\n");
		login_rig_clear(&r);
	}
	buf_clear(&in);
}

/* ATTACKS F-18: base64 without end, at once, when asked, line after line. */
static void
test_endless_auth(void **state)
{
	static const struct {
		const char	*start, *end;
	} rows[] = {
		{ "a AUTHENTICATE PLAIN ", "* BYE " },
		{ "a AUTHENTICATE PLAIN\r\n",
		    "+ \r\n* BYE " },
		{ "a AUTHENTICATE PLAIN =\r\nb AUTHENTICATE PLAIN ",
		    WRONG("a") "* BYE " },
	};
	struct login_rig r;
	struct buf	 in;
	unsigned	 way;
	size_t		 i;

	(void)state;
	buf_init(&in, 200000);
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&in);
		buf_addz(&in, rows[i].start);
		while (in.n < 100000)
			buf_addz(&in, "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB");
		for (way = 0; way < FEED_WAYS; way++) {
			login_rig_run(&r, &imap_login_ops, true, way,
			    buf_str(&in));
			assert_true(str_starts(buf_str(&r.got),
			    str_c(rows[i].end)));
			assert_int_equal(r.l->state, LOGIN_OVER);
			login_rig_clear(&r);
		}
	}
	buf_clear(&in);
}

static void
test_greet_and_bye(void **state)
{
	static const struct login_farewell rows[] = {
		{ BYE_FULL, "* BYE [UNAVAILABLE] too many connections\r\n" },
		{ BYE_ADDRESS_FULL, "* BYE [UNAVAILABLE] too many connections "
		    "from your address\r\n" },
		{ BYE_TIME, "* BYE no login in time\r\n" },
		{ BYE_STOPPING, "* BYE [UNAVAILABLE] going down\r\n" },
	};
	struct login *l;

	(void)state;
	login_rig_part(&imap_login_ops, rows, LENGTH(rows));
	l = login_new(&imap_login_ops, "mx.example", true);
	login_greet(l);
	assert_string_equal(buf_cstr(&l->out), "* OK [CAPABILITY "
	    IMAP_CAPABILITY_LOGIN "] mx.example IMAP\r\n");
	login_free(l);
	l = login_new(&imap_login_ops, "mx.example", false);
	login_greet(l);
	assert_string_equal(buf_cstr(&l->out), "* OK [CAPABILITY "
	    IMAP_CAPABILITY_NO_LOGIN "] mx.example IMAP\r\n");
	login_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_input_limit),
		cmocka_unit_test(test_literal_limit),
		cmocka_unit_test(test_endless_auth),
		cmocka_unit_test(test_greet_and_bye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
