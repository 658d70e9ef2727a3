/*
 * pop3_test - the POP3 session over a model of the store: tables of
 * dialogues, each whole, byte by byte and in odd pieces; what QUIT does.
 */
#include "tests/lib/pop3_rig.h"

static const struct scene {
	const char	*name, *in, *out;
	bool		 done;
} scenes[] = {
	{ "stat", "STAT\r\n", "+OK 3 65\r\n", false },
	{ "verbs fold case", "stat\r\nnOOp\r\n", "+OK 3 65\r\n+OK done\r\n",
	    false },
	{ "list", "LIST\r\n", "+OK\r\n1 37\r\n2 14\r\n3 14\r\n.\r\n", false },
	{ "list one", "LIST 2\r\n", "+OK 2 14\r\n", false },
	{ "list with a trailing blank", "LIST \r\n",
	    "+OK\r\n1 37\r\n2 14\r\n3 14\r\n.\r\n", false },
	{ "list none", "LIST 4\r\nLIST 0\r\n",
	    "-ERR no such message\r\n-ERR no such message\r\n", false },
	{ "uidl", "UIDL\r\nUIDL 3\r\n",
	    "+OK\r\n1 1.1\r\n2 1.2\r\n3 1.3\r\n.\r\n+OK 3 1.3\r\n", false },
	{ "retr stuffs dots", "RETR 1\r\n", "+OK 37 octets\r\n"
	    "Subject: one\r\n\r\nfirst\r\n..dot\r\n\r\nlast\r\n.\r\n", false },
	{ "retr ends the last line", "RETR 3\r\n",
	    "+OK 14 octets\r\nA: b\r\n\r\nno end\r\n.\r\n", false },
	{ "top 0", "TOP 1 0\r\n", "+OK\r\nSubject: one\r\n\r\n.\r\n", false },
	{ "top 2", "TOP 1 2\r\n",
	    "+OK\r\nSubject: one\r\n\r\nfirst\r\n..dot\r\n.\r\n", false },
	{ "top more than there is", "TOP 3 4294967295\r\n",
	    "+OK\r\nA: b\r\n\r\nno end\r\n.\r\n", false },
	{ "top of a header alone", "TOP 2 0\r\n",
	    "+OK\r\nSubject: two\r\n.\r\n", false },
	{ "dele", "DELE 2\r\nSTAT\r\nLIST\r\nRETR 2\r\nDELE 2\r\nLIST 2\r\n"
	    "UIDL 2\r\nTOP 2 0\r\n",
	    "+OK marked\r\n+OK 2 51\r\n+OK\r\n1 37\r\n3 14\r\n.\r\n"
	    "-ERR message is deleted\r\n-ERR message is deleted\r\n"
	    "-ERR message is deleted\r\n-ERR message is deleted\r\n"
	    "-ERR message is deleted\r\n", false },
	{ "rset", "DELE 1\r\nDELE 2\r\nRSET\r\nSTAT\r\n",
	    "+OK marked\r\n+OK marked\r\n+OK nothing is marked\r\n"
	    "+OK 3 65\r\n", false },
	{ "numbers", "RETR 99999999999999999999\r\nRETR 4294967297\r\n"
	    "RETR 18446744073709551617\r\nRETR -1\r\nRETR +1\r\nRETR 1x\r\n"
	    "RETR\r\nRETR 1 2\r\nDELE 0\r\nRETR  1\r\n",
	    "-ERR no such message\r\n-ERR no such message\r\n"
	    "-ERR no such message\r\n-ERR no such message\r\n"
	    "-ERR no such message\r\n-ERR no such message\r\n"
	    "-ERR wrong number of arguments\r\n"
	    "-ERR wrong number of arguments\r\n-ERR no such message\r\n"
	    "-ERR wrong number of arguments\r\n", false },
	{ "top numbers", "TOP 1 -1\r\nTOP 1 4294967296\r\nTOP 1\r\nTOP\r\n"
	    "TOP 9 1\r\n",
	    "-ERR TOP wants a message and a number of lines\r\n"
	    "-ERR TOP wants a message and a number of lines\r\n"
	    "-ERR wrong number of arguments\r\n"
	    "-ERR wrong number of arguments\r\n-ERR no such message\r\n",
	    false },
	{ "capa", "CAPA\r\n", "+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\n"
	    "AUTH-RESP-CODE\r\nPIPELINING\r\nUSER\r\nSASL PLAIN\r\n.\r\n",
	    false },
	{ "unknown", "USER x\r\n\r\nRETRY 1\r\nNOOP x\r\n",
	    "-ERR unknown command\r\n-ERR unknown command\r\n"
	    "-ERR unknown command\r\n-ERR wrong number of arguments\r\n",
	    false },
	{ "bare LF is no end", "NOOP\nQUIT\r\nNOOP\r\n",
	    "-ERR not a command line\r\n+OK done\r\n", false },
	{ "bare CR is no end", "NOOP\rQUIT\r\nNOOP\r\n",
	    "-ERR not a command line\r\n+OK done\r\n", false },
	{ "quit", "QUIT\r\nSTAT\r\n", "+OK bye\r\n", true },
	{ "unfinished", "STAT\r\nQUIT", "+OK 3 65\r\n", false },
};

static void
test_scenes(void **state)
{
	struct rig	r;
	unsigned	way;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(scenes); i++) {
		for (way = 0; way < FEED_WAYS; way++) {
			rig_up(&r, true);
			feed(way, str_c(scenes[i].in), feed_one, &r);
			if (strcmp(buf_cstr(&r.got), scenes[i].out) != 0)
				fail_msg("%s (%u): %s", scenes[i].name, way,
				    buf_cstr(&r.got));
			assert_int_equal(pop3_done(r.s), scenes[i].done);
			rig_down(&r);
		}
	}
}

/* Lines of 254, 255 and 256 bytes, and one that never ends. */
static void
test_line_limit(void **state)
{
	static const struct {
		size_t		 n;
		const char	*out;
	} rows[] = {
		{ 254, "-ERR unknown command\r\n+OK done\r\n" },
		{ 255, "-ERR unknown command\r\n+OK done\r\n" },
		{ 256, "-ERR not a command line\r\n+OK done\r\n" },
		{ 70000, "-ERR not a command line\r\n+OK done\r\n" },
	};
	struct rig	 r;
	struct buf	 in;
	unsigned	 way;
	size_t		 i;

	(void)state;
	buf_init(&in, 100000);
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&in);
		while (in.n < rows[i].n - 2)
			buf_addc(&in, 'x');
		buf_add(&in, S("\r\nNOOP\r\n"));
		for (way = 0; way < FEED_WAYS; way++) {
			rig_up(&r, false);
			feed(way, buf_str(&in), feed_one, &r);
			assert_string_equal(buf_cstr(&r.got), rows[i].out);
			rig_down(&r);
		}
	}
	buf_clear(&in);
}

static void
test_nul(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r, false);
	feed(0, S("NOOP\0\r\nSTAT\r\n"), feed_one, &r);
	assert_string_equal(buf_cstr(&r.got),
	    "-ERR not a command line\r\n+OK 0 0\r\n");
	rig_down(&r);
}

/* 20,000 messages: LIST and pipelined commands stay within the soft limit. */
static void
test_many(void **state)
{
	struct rig	r;
	struct buf	in;
	size_t		used;
	int		i;

	(void)state;
	rig_up(&r, false);
	pop3_free(r.s);
	for (i = 0; i < 20000; i++)
		model_store_add(r.model, "INBOX", S("x"), 0, 0);
	r.s = pop3_new(&r.store);
	buf_init(&in, 10 << 20);
	buf_addz(&in, "UIDL\r\nLIST\r\n");
	for (i = 0; i < 20000; i++)
		buf_addz(&in, "STAT\r\n");
	used = pop3_feed(r.s, buf_str(&in));
	assert_int_equal(used, 6);		/* UIDL alone */
	assert_true(pop3_out(r.s)->n >= POP3_OUT_SOFT);
	assert_true(pop3_out(r.s)->n < POP3_OUT_SOFT + 100);
	assert_int_equal(pop3_feed(r.s, buf_str(&in)), 0);
	buf_drop(&in, used);
	feed(0, buf_str(&in), feed_one, &r);
	assert_true(r.most < POP3_OUT_SOFT + 100);
	assert_true(str_find(buf_str(&r.got), S("\r\n20000 1.20000\r\n.\r\n"
	    "+OK\r\n1 1\r\n")) != -1);
	for (i = 0; str_find(buf_str(&r.got), S("+OK 20000 20000\r\n")) != -1;
	    i++) {
		buf_drop(&r.got, (size_t)str_find(buf_str(&r.got),
		    S("+OK 20000 20000\r\n")) + 17);
	}
	assert_int_equal(i, 20000);
	buf_clear(&in);
	rig_down(&r);
}

static void
test_quit(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r, true);
	feed(0, S("RETR 1\r\nTOP 2 0\r\nDELE 3\r\nDELE 2\r\n"), feed_one, &r);
	assert_int_equal(spy.expunges, 0);
	feed(0, S("QUIT\r\n"), feed_one, &r);
	assert_int_equal(spy.expunges, 1);
	assert_int_equal(spy.expunged, 2);
	assert_int_equal(inbox(&r)->n, 1);
	assert_int_equal(inbox(&r)->msgs[0].uid, 1);
	assert_int_equal(inbox(&r)->msgs[0].flags, STORE_SEEN);
	rig_down(&r);

	/* Nothing to do: nothing is asked. */
	rig_up(&r, true);
	feed(0, S("DELE 1\r\nRSET\r\nTOP 1 0\r\nQUIT\r\n"), feed_one, &r);
	assert_int_equal(spy.expunges + spy.flags, 0);
	assert_int_equal(inbox(&r)->n, 3);
	rig_down(&r);

	rig_up(&r, true);
	spy.answer = STORE_ERROR;
	feed(0, S("DELE 1\r\nQUIT\r\n"), feed_one, &r);
	assert_string_equal(buf_cstr(&r.got), "+OK marked\r\n"
	    "-ERR [SYS/TEMP] the marked messages were not deleted\r\n");
	assert_true(pop3_done(r.s));
	assert_int_equal(inbox(&r)->n, 3);
	rig_down(&r);
}

/* Any end but QUIT deletes nothing. */
static void
test_lost(void **state)
{
	struct rig r;

	(void)state;
	rig_up(&r, true);
	feed(0, S("DELE 1\r\nDELE 2\r\n"), feed_one, &r);
	pop3_timeout(r.s);
	assert_true(pop3_done(r.s));
	feed(0, S("QUIT\r\n"), feed_one, &r);
	assert_string_equal(buf_cstr(&r.got), "+OK marked\r\n+OK marked\r\n");
	assert_int_equal(spy.expunges, 0);
	assert_int_equal(inbox(&r)->n, 3);
	rig_down(&r);
}

/* Another session removes a message and a delivery brings one. */
static void
test_changes(void **state)
{
	const uint32_t	uid = 2;
	struct rig	r;

	(void)state;
	rig_up(&r, true);
	spy.real->expunge(r.store.impl, (struct store_folder *)inbox(&r), &uid,
	    1);
	model_store_add(r.model, "INBOX", S("new"), 0, 0);
	feed(0, S("STAT\r\nRETR 2\r\nTOP 2 1\r\nUIDL 3\r\nRETR 4\r\nDELE 2\r\n"
	    "DELE 1\r\nQUIT\r\n"), feed_one, &r);
	assert_string_equal(buf_cstr(&r.got), "+OK 3 65\r\n"
	    "-ERR message is gone\r\n-ERR message is gone\r\n"
	    "+OK 3 1.3\r\n-ERR no such message\r\n+OK marked\r\n"
	    "+OK marked\r\n+OK bye\r\n");
	assert_int_equal(spy.expunged, 1);
	assert_int_equal(inbox(&r)->n, 2);
	rig_down(&r);
}

static enum store_result
no_open(void *impl, struct str name, struct store_folder **f)
{
	(void)impl;
	(void)name;
	(void)f;
	return STORE_ERROR;
}

static void
test_no_inbox(void **state)
{
	struct store_ops	ops = { .open = no_open };
	struct store		store = { &ops, NULL };

	(void)state;
	assert_null(pop3_new(&store));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_quit),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_no_inbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
