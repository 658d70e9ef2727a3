/*
 * pop3_login_test - POP3 before the login: tables of dialogues, each whole,
 * byte by byte and in odd pieces.
 */
#include "pop3d/login.h"
#include "tests/lib/feed.h"
#include "tests/lib/login_rig.h"
#include "tests/lib/unit.h"

#define WRONG	"-ERR [AUTH] wrong user or password\r\n"
#define CLOSED	"-ERR [SYS/PERM] no passwords over this connection\r\n"
#define BAD	"-ERR not a command line\r\n"

/* base64: NUL ok NUL pw; NUL x NUL y; ok NUL ok NUL pw; eve NUL ok NUL pw */
#define B_OK	"AG9rAHB3"
#define B_BAD	"AHgAeQ=="
#define B_SELF	"b2sAb2sAcHc="
#define B_EVE	"ZXZlAG9rAHB3"

static const struct login_scene scenes[] = {
	{ "user and pass", "USER ok\r\nPASS pw\r\n",
	    "+OK now PASS\r\n<ok|pw>\r\n+OK logged in\r\n", "", LOGIN_IN,
	    false },
	{ "blanks are of the password", "user ok\r\npass  a b \r\n",
	    "+OK now PASS\r\n<ok| a b >\r\n+OK logged in\r\n", "", LOGIN_IN,
	    false },
	{ "what is behind is left", "USER ok\r\nPASS pw\r\nSTAT\r\nRETR",
	    "+OK now PASS\r\n<ok|pw>\r\n+OK logged in\r\n", "STAT\r\nRETR",
	    LOGIN_IN, false },
	{ "wrong, then right", "USER x\r\nPASS y\r\nPASS y\r\nUSER ok\r\n"
	    "PASS pw\r\n", "+OK now PASS\r\n<x|y>\r\n" WRONG
	    "-ERR USER first\r\n+OK now PASS\r\n<ok|pw>\r\n+OK logged in\r\n",
	    "", LOGIN_IN, false },
	{ "temporary", "USER temp\r\nPASS y\r\nNOOP\r\n",
	    "+OK now PASS\r\n<temp|y>\r\n"
	    "-ERR [SYS/TEMP] no login now, try again later\r\n+OK done\r\n",
	    "", LOGIN_TALKING, false },
	{ "mailbox away", "USER gone\r\nPASS y\r\n",
	    "+OK now PASS\r\n<gone|y>\r\n"
	    "-ERR [SYS/TEMP] the mailbox is not available now\r\n", "",
	    LOGIN_TALKING, false },
	{ "maildrop locked", "USER busy\r\nPASS y\r\n",
	    "+OK now PASS\r\n<busy|y>\r\n"
	    "-ERR [IN-USE] another session has the mailbox open\r\n", "",
	    LOGIN_TALKING, false },
	{ "auth plain", "AUTH PLAIN\r\n" B_OK "\r\nSTAT\r\n",
	    "+ \r\n<ok|pw>\r\n+OK logged in\r\n", "STAT\r\n", LOGIN_IN,
	    false },
	{ "auth plain at once", "auth plain " B_OK "\r\n",
	    "<ok|pw>\r\n+OK logged in\r\n", "", LOGIN_IN, false },
	{ "auth as oneself", "AUTH PLAIN " B_SELF "\r\n",
	    "<ok|pw>\r\n+OK logged in\r\n", "", LOGIN_IN, false },
	{ "auth as another", "AUTH PLAIN " B_EVE "\r\n", WRONG, "",
	    LOGIN_TALKING, false },
	{ "auth wrong", "AUTH PLAIN " B_BAD "\r\n", "<x|y>\r\n" WRONG, "",
	    LOGIN_TALKING, false },
	{ "auth cancelled", "AUTH PLAIN\r\n*\r\nNOOP\r\n",
	    "+ \r\n-ERR cancelled\r\n+OK done\r\n", "", LOGIN_TALKING,
	    false },
	{ "auth not base64", "AUTH PLAIN !\r\nAUTH PLAIN AA=\r\n"
	    "AUTH PLAIN\r\nQUIT\r\nNOOP\r\n",
	    "-ERR not base64\r\n-ERR not base64\r\n+ \r\n" WRONG
	    "+OK done\r\n", "", LOGIN_TALKING, false },
	{ "auth of nothing", "AUTH PLAIN =\r\nAUTH PLAIN \r\nAUTH PLAIN\r\n"
	    "\r\n", WRONG WRONG "+ \r\n" WRONG, "", LOGIN_TALKING, false },
	{ "auth otherwise", "AUTH\r\nAUTH LOGIN\r\nNOOP\r\n",
	    "-ERR PLAIN is the only mechanism\r\n"
	    "-ERR PLAIN is the only mechanism\r\n+OK done\r\n", "",
	    LOGIN_TALKING, false },
	{ "capa", "CAPA\r\n", "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
	    "AUTH-RESP-CODE\r\nPIPELINING\r\nUSER\r\nSASL PLAIN\r\n.\r\n", "",
	    LOGIN_TALKING, false },
	{ "quit", "QUIT\r\nNOOP\r\n", "+OK bye\r\n", "NOOP\r\n", LOGIN_OVER,
	    false },
	{ "a password without a user", "PASS x\r\nUSER\r\nUSER \r\n",
	    "-ERR USER first\r\n-ERR USER wants a name\r\n"
	    "-ERR USER wants a name\r\n", "", LOGIN_TALKING, false },
	{ "empty password", "USER ok\r\nPASS\r\nUSER ok\r\nPASS \r\n",
	    "+OK now PASS\r\n" WRONG "+OK now PASS\r\n" WRONG, "",
	    LOGIN_TALKING, false },
	{ "no passwords here", "CAPA\r\nUSER ok\r\nPASS pw\r\nAUTH PLAIN "
	    B_OK "\r\n", "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
	    "AUTH-RESP-CODE\r\nPIPELINING\r\n.\r\n" CLOSED CLOSED CLOSED, "",
	    LOGIN_TALKING, true },
	{ "five failures", "USER x\r\nPASS y\r\nUSER x\r\nPASS y\r\n"
	    "AUTH PLAIN " B_BAD "\r\nAUTH PLAIN " B_EVE "\r\nUSER x\r\n"
	    "PASS y\r\nNOOP\r\n",
	    "+OK now PASS\r\n<x|y>\r\n" WRONG "+OK now PASS\r\n<x|y>\r\n"
	    WRONG "<x|y>\r\n" WRONG WRONG "+OK now PASS\r\n<x|y>\r\n" WRONG,
	    "NOOP\r\n", LOGIN_OVER, false },
	{ "another protocol", "GET / HTTP/1.1\r\nUSER ok\r\nPASS pw\r\n",
	    "-ERR unknown command\r\n", "USER ok\r\nPASS pw\r\n", LOGIN_OVER,
	    false },
	{ "STAT is for later", "STAT\r\nNOOP\r\nuidl 1\r\nLAST\r\n",
	    "-ERR log in first\r\n+OK done\r\n-ERR log in first\r\n"
	    "-ERR unknown command\r\n", "", LOGIN_TALKING, false },
	{ "bare LF", "NOOP\r\nUSER ok\nPASS pw\r\nNOOP\r\n",
	    "+OK done\r\n" BAD "+OK done\r\n", "", LOGIN_TALKING, false },
	{ "ten errors", "NOOP\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\nA\r\n"
	    "NOOP\r\nA\r\nNOOP\r\n",
	    "+OK done\r\n-ERR unknown command\r\n-ERR unknown command\r\n"
	    "-ERR unknown command\r\n-ERR unknown command\r\n"
	    "-ERR unknown command\r\n-ERR unknown command\r\n"
	    "-ERR unknown command\r\n-ERR unknown command\r\n"
	    "-ERR unknown command\r\n+OK done\r\n-ERR unknown command\r\n",
	    "NOOP\r\n", LOGIN_OVER, false },
};

static void
test_scenes(void **state)
{
	(void)state;
	login_rig_play(&pop3_login_ops, scenes, LENGTH(scenes));
}

/* 8 KiB in all: the last byte may be there, one more may not. */
static void
test_input_limit(void **state)
{
	struct login_rig r;
	struct buf	 in;
	unsigned	 way;
	size_t		 n, i;

	(void)state;
	buf_init(&in, 100000);
	for (n = LOGIN_INPUT_MAX - 1; n <= LOGIN_INPUT_MAX + 1; n++) {
		buf_reset(&in);
		for (i = 0; i < 4; i++) {
			buf_addz(&in, "NOOP ");
			while (in.n < (i + 1) * 2000)
				buf_addc(&in, 'x');
			buf_addz(&in, "\r\n");
		}
		buf_addz(&in, "USER ");
		while (in.n < n - 2)
			buf_addc(&in, 'x');
		buf_addz(&in, "\r\n");
		assert_int_equal(in.n, n);
		for (way = 0; way < FEED_WAYS; way++) {
			login_rig_run(&r, &pop3_login_ops, true, way,
			    buf_str(&in));
			assert_string_equal(buf_cstr(&r.got),
			    n <= LOGIN_INPUT_MAX ?
			    "+OK done\r\n+OK done\r\n+OK done\r\n+OK done\r\n"
			    "+OK now PASS\r\n" :
			    "+OK done\r\n+OK done\r\n+OK done\r\n+OK done\r\n"
			    "-ERR too much before a login\r\n");
			assert_int_equal(r.l->state, n <= LOGIN_INPUT_MAX ?
			    LOGIN_TALKING : LOGIN_OVER);
			login_rig_clear(&r);
		}
	}
	buf_clear(&in);
}

/* Short questions with long answers: 32 KiB, and the answer that passes it. */
static void
test_output_limit(void **state)
{
	static const char	bye[] = "-ERR too much before a login\r\n";
	struct login_rig	r;
	struct buf		in;
	unsigned		way;
	size_t			i, one;

	(void)state;
	login_rig_run(&r, &pop3_login_ops, true, 0, S("CAPA\r\n"));
	one = r.got.n;
	login_rig_clear(&r);
	buf_init(&in, LOGIN_INPUT_MAX);
	for (i = 0; i < LOGIN_INPUT_MAX / 6; i++)
		buf_addz(&in, "CAPA\r\n");
	assert_true(one * i > 2 * LOGIN_OUTPUT_MAX);
	for (way = 0; way < FEED_WAYS; way++) {
		login_rig_run(&r, &pop3_login_ops, true, way, buf_str(&in));
		assert_int_equal(r.l->state, LOGIN_OVER);
		assert_int_equal(r.got.n, (LOGIN_OUTPUT_MAX / one + 1) * one +
		    sizeof(bye) - 1);
		login_rig_clear(&r);
	}
	buf_clear(&in);
}

/* A line without an end costs no more than the limit either. */
static void
test_endless(void **state)
{
	static char	 p[20000];
	struct login_rig r;
	unsigned	 way;

	(void)state;
	memset(p, 'x', sizeof(p));
	for (way = 0; way < FEED_WAYS; way++) {
		login_rig_run(&r, &pop3_login_ops, true, way,
		    str_of(p, sizeof(p)));
		assert_string_equal(buf_cstr(&r.got),
		    "-ERR too much before a login\r\n");
		assert_int_equal(r.l->state, LOGIN_OVER);
		login_rig_clear(&r);
	}
}

static void
test_lengths(void **state)
{
	static const struct {
		size_t	user, password;
		bool	asked;
	} rows[] = {
		{ 319, 1023, true }, { 320, 1024, true }, { 321, 10, false },
		{ 10, 1025, false },
	};
	struct login_rig r;
	struct buf	 in;
	size_t		 i, k;

	(void)state;
	buf_init(&in, 100000);
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&in);
		buf_addz(&in, "USER ");
		for (k = 0; k < rows[i].user; k++)
			buf_addc(&in, 'u');
		buf_addz(&in, "\r\nPASS ");
		for (k = 0; k < rows[i].password; k++)
			buf_addc(&in, 'p');
		buf_addz(&in, "\r\n");
		login_rig_run(&r, &pop3_login_ops, true, 0, buf_str(&in));
		assert_int_equal(str_find(buf_str(&r.got), S("<")) != -1,
		    rows[i].asked);
		assert_true(str_find(buf_str(&r.got), S("-ERR [AUTH]")) != -1);
		login_rig_clear(&r);
	}
	buf_clear(&in);
}

static void
test_greet_and_bye(void **state)
{
	static const struct login_farewell rows[] = {
		{ BYE_FULL, "-ERR [SYS/TEMP] too many connections\r\n" },
		{ BYE_ADDRESS_FULL, "-ERR [SYS/TEMP] too many connections "
		    "from your address\r\n" },
		{ BYE_TIME, "-ERR [SYS/TEMP] no login in time\r\n" },
		{ BYE_STOPPING, "-ERR [SYS/TEMP] going down\r\n" },
	};
	struct login *l;

	(void)state;
	login_rig_part(&pop3_login_ops, rows, LENGTH(rows));
	l = login_new(&pop3_login_ops, "mx.example", true);
	login_greet(l);
	assert_string_equal(buf_cstr(&l->out), "+OK mx.example POP3\r\n");
	login_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_input_limit),
		cmocka_unit_test(test_output_limit),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_greet_and_bye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
