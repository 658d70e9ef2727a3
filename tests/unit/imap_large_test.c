/*
 * imap_large_test - large messages and many of them in an IMAP session: how
 * much it does and holds at a time, and what happens when a message goes or
 * fails on the way.
 */
#include "tests/lib/imap_rig.h"

/* A large answer stands in memory a little at a time. */
static void
test_streams(void **state)
{
	struct rig	r;
	struct buf	text;
	size_t		most = 0, total = 0, steps = 0;

	(void)state;
	rig_init(&r);
	buf_init(&text, 32 << 20);
	buf_addz(&text, "A: b\r\n\r\n");
	fill(&text, 'y', 20 << 20);
	model_store_add(r.m, "INBOX", buf_str(&text), 0, 0);
	buf_addz(&r.in, "s SELECT INBOX\r\n");
	assert_true(says(&r, "* FLAGS"));
	imap_feed(r.s, S("a FETCH 4 (BODY.PEEK[] BODY.PEEK[TEXT])\r\n"));
	while (imap_wants(r.s) != IMAP_WANT_INPUT) {
		imap_step(r.s, 0);
		steps++;
		if (imap_out(r.s)->n > most)
			most = imap_out(r.s)->n;
		if (imap_wants(r.s) == IMAP_WANT_ROOM) {
			/* A client that takes nothing gets no more. */
			imap_step(r.s, 0);
			assert_true(imap_out(r.s)->n <= most);
		}
		total += imap_out(r.s)->n;
		buf_reset(imap_out(r.s));
	}
	assert_true(most < IMAP_OUT_SOFT + 40000);
	assert_true(total > 2 * (20 << 20) && total < 2 * (20 << 20) + 200);
	assert_true(steps > 300);
	buf_clear(&text);
	rig_clear(&r);
}

/* A message of 1 MiB, number 4, and a command that stops inside it. */
static void
begin_large(struct rig *r, const char *command)
{
	struct buf text;

	rig_init(r);
	buf_init(&text, 32 << 20);
	buf_addz(&text, "A: b\r\n\r\n");
	fill(&text, 'y', 1 << 20);
	model_store_add(r->m, "INBOX", buf_str(&text), STORE_DELETED, 0);
	buf_clear(&text);
	buf_addz(&r->in, "s SELECT INBOX\r\n");
	assert_true(says(r, "* FLAGS"));
	buf_reset(&r->said);
	imap_feed(r->s, str_c(command));
	imap_step(r->s, 0);
	assert_int_equal(r->m->bodies, 1);
}

static void
other_session(struct rig *r, const char *commands)
{
	struct imap	*other = imap_new(&r->m->store, 1000);
	struct buf	 said;

	buf_init(&said, 1 << 20);
	imap_script_pump(other, str_c(commands), 1000, &said);
	imap_free(other);
	buf_clear(&said);
}

/* Expunged by another session while its octets are under way. */
static void
test_gone_while_sent(void **state)
{
	static const struct {
		const char *command, *begin, *end;
	} rows[] = {
		{ "a FETCH 4 (BODY.PEEK[] RFC822.SIZE FLAGS)\r\n",
		    "* 4 FETCH (BODY[] {1048584}\r\nA: b\r\n\r\nyyy",
		    "yyy RFC822.SIZE 1048584 FLAGS (\\Deleted \\Recent))\r\n"
		    "a OK fetched\r\n" },
		{ "a UID FETCH 4 (BODY[TEXT] BODY[HEADER] INTERNALDATE)\r\n",
		    "* 4 FETCH (UID 4 BODY[TEXT] {1048576}\r\nyyy",
		    "yyy BODY[HEADER] {8}\r\nA: b\r\n\r\n INTERNALDATE "
		    "\" 1-Jan-1970 00:00:00 +0000\" FLAGS (\\Deleted \\Seen "
		    "\\Recent))\r\n* 4 EXPUNGE\r\n* 3 RECENT\r\n"
		    "a OK fetched\r\n" },
		/* Stopped while its parts are looked for. */
		{ "a FETCH 4 (UID BODYSTRUCTURE)\r\n",
		    "* 4 FETCH (UID 4 BODYSTRUCTURE (",
		    " 1048576 0 NIL NIL NIL NIL))\r\na OK fetched\r\n" },
	};
	struct rig	r;
	size_t		i, end;

	(void)state;
	for (i = 0; i < 2 * LENGTH(rows); i++) {
		begin_large(&r, rows[i / 2].command);
		if (i % 2 == 0)
			other_session(&r, "a SELECT INBOX\r\n"
			    "b UID EXPUNGE 4\r\n");
		else
			other_session(&r, "a RENAME INBOX x\r\n");
		imap_script_pump(r.s, S(""), 1, &r.said);
		assert_true(str_starts(buf_str(&r.said),
		    str_c(rows[i / 2].begin)));
		end = str_c(rows[i / 2].end).n;
		if (i % 2 == 0)
			assert_string_equal(buf_cstr(&r.said) + r.said.n - end,
			    rows[i / 2].end);
		assert_false(ended(&r));
		assert_int_equal(r.m->bodies, 0);
		rig_clear(&r);
	}
}

/* The same with a search that has read a part of it. */
static void
test_gone_while_searched(void **state)
{
	struct rig r;

	(void)state;
	begin_large(&r, "a SEARCH OR BODY yz BODY \"Hello Bob\"\r\n");
	other_session(&r, "a SELECT INBOX\r\nb UID EXPUNGE 4\r\n");
	assert_true(says(&r, "* SEARCH 1 2 3\r\na OK searched\r\n"));
	assert_int_equal(r.m->bodies, 0);
	rig_clear(&r);
	/* A session that is lost leaves nothing open. */
	begin_large(&r, "a SEARCH BODY yz\r\n");
	imap_timeout(r.s);
	assert_int_equal(r.m->bodies, 0);
	rig_clear(&r);
}

/*
 * Octets that were announced and cannot be read: the connection ends, and
 * nothing is said that could be taken for them.
 */
static void
test_fails_while_sent(void **state)
{
	struct rig	r;
	int		i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin_large(&r, "a FETCH 4 BODY.PEEK[]\r\n");
		assert_int_equal(imap_wants(r.s), IMAP_WANT_ROOM);
		r.m->broken = i == 0;
		r.m->torn = i == 1 ? 500000 : 0;
		imap_script_pump(r.s, S(""), 1, &r.said);
		assert_true(ended(&r));
		assert_true(r.said.n > 60000 && r.said.n < 600000);
		assert_string_equal(buf_cstr(&r.said) + r.said.n - 3, "yyy");
		assert_int_equal(r.m->bodies, 0);
		rig_clear(&r);
	}
	/* Before its literal: a NO, and on it goes. */
	begin_large(&r, "a FETCH 4 (UID BODYSTRUCTURE)\r\n");
	r.m->torn = 1000;
	assert_true(says(&r, "a NO [UNAVAILABLE]"));
	r.m->torn = 0;
	buf_addz(&r.in, "b FETCH 4 BODY.PEEK[]<0.4>\r\n");
	assert_true(says(&r, "* 4 FETCH (BODY[]<0> {4}\r\nA: b)\r\nb OK"));
	rig_clear(&r);
}

/*
 * Two bytes of an address list are forty-eight of an answer, three times: a
 * list is cut before the answer is too large for the session.
 */
static void
test_long_lists(void **state)
{
	struct rig	r;
	struct buf	text;
	int		i, k;

	(void)state;
	rig_init(&r);
	buf_init(&text, 32 << 20);
	buf_addz(&text, "Content-Type: multipart/mixed; boundary=z\r\n\r\n");
	for (i = 0; i < 100; i++) {
		buf_addz(&text, "--z\r\nContent-Type: message/rfc822\r\n\r\n"
		    "Subject: it\r\nFrom: ");
		for (k = 0; k < 9000; k++)
			buf_addz(&text, "a,");
		buf_addz(&text, "\r\n\r\nx\r\n");
	}
	buf_addz(&text, "--z--\r\n");
	model_store_add(r.m, "INBOX", buf_str(&text), 0, 0);
	buf_addz(&r.in, "s SELECT INBOX\r\n");
	assert_true(says(&r, "* FLAGS"));
	buf_addz(&r.in, "a FETCH 4 (BODYSTRUCTURE UID)\r\n");
	assert_true(says(&r, "* 4 FETCH (BODYSTRUCTURE ((\"message\" "
	    "\"rfc822\" NIL NIL NIL \"7bit\" 18024 (NIL \"it\" "
	    "((NIL NIL \"a\" \"\")(NIL NIL \"a\""));
	assert_true(str_find(buf_str(&r.said), S(" \"mixed\" (\"boundary\" "
	    "\"z\") NIL NIL NIL) UID 4)\r\na OK")) > 1 << 20);
	/* The last one has its parts, and nobody in it. */
	assert_true(str_find(buf_str(&r.said), S("(NIL \"it\" NIL NIL NIL NIL "
	    "NIL NIL NIL NIL)")) > 1 << 20);
	buf_clear(&text);
	rig_clear(&r);
}

/* Many messages: every command in pieces, answers complete. */
static void
test_many_messages(void **state)
{
	struct rig	r;
	unsigned	i;

	(void)state;
	rig_init(&r);
	for (i = 0; i < 3000; i++)
		model_store_add(r.m, "INBOX", S("A: b\r\n\r\nc"), 0, 0);
	buf_addz(&r.in, "s SELECT INBOX\r\n");
	assert_true(says(&r, "* FLAGS"));
	imap_feed(r.s, S("a FETCH 1:* (FLAGS UID BODY.PEEK[])\r\n"));
	imap_step(r.s, 0);
	assert_int_equal(imap_wants(r.s), IMAP_WANT_ROOM);
	assert_true(says(&r, "* 1 FETCH"));
	assert_true(str_find(buf_str(&r.said), S("* 3003 FETCH")) > 0);
	buf_addz(&r.in, "b STORE 1:* +FLAGS (\\Deleted)\r\n");
	assert_true(says(&r, "* 1 FETCH"));
	assert_true(str_find(buf_str(&r.said), S("* 3003 FETCH")) > 0);
	buf_addz(&r.in, "c COPY 1:* Archive\r\n");
	assert_true(says(&r, "c OK [COPYUID 2 1:3003 1:3003]"));
	buf_addz(&r.in, "d SEARCH DELETED\r\n");
	assert_true(says(&r, "* SEARCH 1 2 3"));
	assert_true(str_find(buf_str(&r.said), S(" 3003\r\nd OK")) > 0);
	buf_addz(&r.in, "e EXPUNGE\r\n");
	assert_true(says(&r, "* 1 EXPUNGE"));
	assert_true(str_find(buf_str(&r.said), S("e OK")) > 3003 * 13);
	rig_clear(&r);
}

/*
 * A message that the store is not done with: its session waits, and others
 * do not; then it is there, or refused, or the session has gone.
 */
static void
test_append_waits(void **state)
{
	static const struct {
		bool		 gone, broken;
		const char	*want;
		size_t		 n;
	} rows[] = {
		{ false, false, "x OK [APPENDUID 1 4] appended\r\n"
		    "y OK nothing done\r\n", 4 },
		{ false, true, "x NO [UNAVAILABLE]", 3 },
		{ true, false, "x NO [TRYCREATE]", 0 },
	};
	struct rig	r;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		rig_init(&r);
		r.m->slow = true;
		buf_addz(&r.in, rows[i].gone ? "x APPEND Archive" :
		    "x APPEND INBOX");
		buf_addz(&r.in, " {3+}\r\nabc\r\ny NOOP\r\n");
		assert_true(says(&r, ""));
		assert_int_equal(r.said.n, 0);
		assert_int_equal(imap_wants(r.s), IMAP_WANT_STORE);
		assert_false(imap_changed(r.s));
		imap_step(r.s, 0);
		assert_int_equal(imap_out(r.s)->n, 0);
		if (rows[i].gone)
			other_session(&r, "a DELETE Archive\r\n");
		else
			other_session(&r, "a SELECT INBOX\r\n"
			    "b STORE 1 FLAGS (\\Seen)\r\n");
		assert_int_equal(imap_wants(r.s), IMAP_WANT_STORE);
		r.m->slow = false;
		r.m->broken = rows[i].broken;
		assert_true(imap_changed(r.s));
		buf_addz(&r.in, "y NOOP\r\n");
		assert_true(says(&r, rows[i].want));
		if (!rows[i].gone)
			assert_int_equal(model_store_folder(r.m, "INBOX")->n,
			    rows[i].n);
		rig_clear(&r);
	}
	rig_init(&r);
	r.m->slow = true;
	buf_addz(&r.in, "x APPEND INBOX {3+}\r\nabc\r\n");
	assert_true(says(&r, ""));
	imap_timeout(r.s);
	assert_true(ended(&r));
	assert_int_equal(r.m->appends, 0);
	rig_clear(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_gone_while_sent),
		cmocka_unit_test(test_gone_while_searched),
		cmocka_unit_test(test_fails_while_sent),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_many_messages),
		cmocka_unit_test(test_append_waits),
	};

	return cmocka_run_group_tests_name("imap_large", tests, NULL, NULL);
}
