/*
 * imap_limits_test - what an IMAP session refuses, and how much it does at a
 * time.  ATTACKS F-02, F-03, F-05, F-11, F-12, E-01.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "imapd/collect.h"
#include "tests/lib/imap_script.h"

struct rig {
	struct model_store	*m;
	struct imap		*s;
	struct buf		 in, said;
};

static void
rig_init(struct rig *r)
{
	r->m = imap_script_store();
	r->s = imap_new(&r->m->store, 100000);
	buf_init(&r->in, 32 << 20);
	buf_init(&r->said, 64 << 20);
}

static void
rig_clear(struct rig *r)
{
	imap_free(r->s);
	assert_int_equal(r->m->opens, 0);
	assert_int_equal(r->m->appends, 0);
	assert_int_equal(r->m->bodies, 0);
	model_store_free(r->m);
	buf_clear(&r->in);
	buf_clear(&r->said);
}

static void
fill(struct buf *b, char c, size_t n)
{
	char *p = buf_room(b, n);

	assert_non_null(p);
	memset(p, c, n);
	buf_grow(b, n);
}

/* Sends what is in `in`; true if what comes begins so. */
static bool
says(struct rig *r, const char *want)
{
	bool yes;

	buf_reset(&r->said);
	imap_script_pump(r->s, buf_str(&r->in), 4096, &r->said);
	buf_reset(&r->in);
	yes = str_starts(buf_str(&r->said), str_c(want));
	if (!yes)
		print_message("want %s, got %.200s\n", want,
		    buf_cstr(&r->said));
	return yes;
}

static bool
ended(struct rig *r)
{
	return imap_wants(r->s) == IMAP_WANT_END;
}

static void
test_line(void **state)
{
	struct rig	r;
	size_t		n;

	(void)state;
	for (n = COLLECT_LINES_MAX - 1; n <= COLLECT_LINES_MAX + 1; n++) {
		rig_init(&r);
		buf_addz(&r.in, "a NOOP ");
		fill(&r.in, 'x', n - 9);
		buf_addz(&r.in, "\r\n");
		if (n <= COLLECT_LINES_MAX) {
			assert_true(says(&r, "a BAD "));
			assert_false(ended(&r));
		} else {
			assert_true(says(&r, "* BYE [TOOBIG]"));
			assert_true(ended(&r));
		}
		rig_clear(&r);
	}
	/* Endless, without a line end. */
	rig_init(&r);
	fill(&r.in, 'x', 1 << 20);
	assert_true(says(&r, "* BYE [TOOBIG]"));
	rig_clear(&r);
}

static void
test_tag(void **state)
{
	struct rig	r;
	size_t		n;

	(void)state;
	for (n = PARSE_TAG_MAX; n <= PARSE_TAG_MAX + 1; n++) {
		rig_init(&r);
		fill(&r.in, 't', n);
		buf_addz(&r.in, " NOOP\r\n");
		assert_true(says(&r, n == PARSE_TAG_MAX ? "tttt" : "* BAD"));
		rig_clear(&r);
	}
}

static void
test_literals(void **state)
{
	struct rig	r;
	unsigned	n, i;

	(void)state;
	for (n = COLLECT_LITERALS_MAX; n <= COLLECT_LITERALS_MAX + 1; n++) {
		rig_init(&r);
		buf_addz(&r.in, "a NOOP");
		for (i = 0; i < n; i++)
			buf_addz(&r.in, " {1+}\r\nx");
		buf_addz(&r.in, "\r\n");
		assert_true(says(&r, n <= COLLECT_LITERALS_MAX ? "a BAD" :
		    "* BYE [TOOBIG]"));
		rig_clear(&r);
	}
	/* Asked for, the one too many is refused and the session goes on. */
	rig_init(&r);
	buf_addz(&r.in, "a NOOP");
	for (i = 0; i < COLLECT_LITERALS_MAX; i++)
		buf_addz(&r.in, " {1+}\r\nx");
	buf_addz(&r.in, " {1}\r\nb NOOP\r\n");
	assert_true(says(&r, "a BAD [TOOBIG]"));
	assert_false(ended(&r));
	rig_clear(&r);
}

static void
test_literal_octets(void **state)
{
	struct rig	r;
	size_t		n;

	(void)state;
	for (n = COLLECT_LITERAL_MAX - 1; n <= COLLECT_LITERAL_MAX + 1;
	    n++) {
		rig_init(&r);
		buf_addf(&r.in, "a CREATE {%zu+}\r\n", n);
		fill(&r.in, 'x', n);
		buf_addz(&r.in, "\r\n");
		assert_true(says(&r, n <= COLLECT_LITERAL_MAX ? "a NO" :
		    "* BYE [TOOBIG]"));
		rig_clear(&r);
	}
	/* All literals of a command together. */
	rig_init(&r);
	buf_addf(&r.in, "a RENAME {%d+}\r\n", COLLECT_LITERAL_MAX);
	fill(&r.in, 'x', COLLECT_LITERAL_MAX);
	buf_addz(&r.in, " {1}\r\n");
	assert_true(says(&r, "a BAD [TOOBIG]"));
	rig_clear(&r);
}

static void
test_errors(void **state)
{
	struct rig	r;
	unsigned	i, k;

	(void)state;
	rig_init(&r);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < IMAP_ERRORS_MAX - 1; i++)
			buf_addz(&r.in, "\r\n");
		assert_true(says(&r, "* BAD"));
		assert_false(ended(&r));
		/* A good command makes up for all. */
		buf_addz(&r.in, "a NOOP\r\n");
		assert_true(says(&r, "a OK"));
	}
	for (i = 0; i < IMAP_ERRORS_MAX; i++) {
		assert_false(ended(&r));
		buf_addz(&r.in, "\r\n");
		assert_true(says(&r, "* BAD"));
	}
	assert_true(ended(&r));
	assert_true(str_find(buf_str(&r.said), S("* BYE too many")) > 0);
	rig_clear(&r);
	/* ATTACKS F-12. */
	rig_init(&r);
	for (i = 0; i < 1000000; i++)
		buf_addz(&r.in, "\r\n");
	assert_true(says(&r, "* BAD"));
	assert_true(ended(&r));
	rig_clear(&r);
}

static void
test_dropped(void **state)
{
	struct rig	r;
	unsigned	i;

	(void)state;
	/* Refused, but sent all the same: up to a message's size. */
	rig_init(&r);
	buf_addz(&r.in, "a APPEND none {100000+}\r\n");
	fill(&r.in, 'x', 100000);
	buf_addz(&r.in, "\r\nb NOOP\r\n");
	assert_true(says(&r, "a NO [TRYCREATE] no such folder\r\nb OK"));
	buf_addz(&r.in, "a XYZZY {60000+}\r\n");
	fill(&r.in, 'x', 60000);
	buf_addz(&r.in, " {60000+}\r\n");
	assert_true(says(&r, "* BYE [TOOBIG]"));
	rig_clear(&r);
	/* Every line that follows a refusal is a command's, not a new one. */
	rig_init(&r);
	buf_addz(&r.in, "a XYZZY");
	for (i = 0; i < 5000; i++)
		buf_addz(&r.in, " {2+}\r\n\r\n");
	buf_addz(&r.in, "\r\nb NOOP\r\n");
	assert_true(says(&r, "a BAD no such command\r\nb OK"));
	rig_clear(&r);
}

static void
test_append_size(void **state)
{
	struct rig	r;
	uint32_t	n;

	(void)state;
	for (n = 99999; n <= 100001; n++) {
		rig_init(&r);
		buf_addf(&r.in, "a APPEND INBOX {%u+}\r\n", n);
		fill(&r.in, 'x', n);
		buf_addz(&r.in, "\r\n");
		assert_true(says(&r, n <= 100000 ? "a OK [APPENDUID 1 4]" :
		    "* BYE [TOOBIG]"));
		rig_clear(&r);
	}
}

static void
test_keywords(void **state)
{
	struct rig	r;
	unsigned	n, i;

	(void)state;
	for (n = STORE_KEYWORDS_MAX - 1; n <= STORE_KEYWORDS_MAX + 1; n++) {
		rig_init(&r);
		buf_addz(&r.in, "s SELECT INBOX\r\n");
		assert_true(says(&r, "* FLAGS"));
		buf_addz(&r.in, "a STORE 1 FLAGS.SILENT (");
		for (i = 0; i < n; i++)
			buf_addf(&r.in, "%sk%u", i == 0 ? "" : " ", i);
		buf_addz(&r.in, ")\r\n");
		assert_true(says(&r, n <= STORE_KEYWORDS_MAX ? "* FLAGS" :
		    "a NO [LIMIT]"));
		/* In many commands it comes to the same. */
		if (n == STORE_KEYWORDS_MAX) {
			buf_addz(&r.in, "b STORE 2 +FLAGS (onemore)\r\n");
			assert_true(says(&r, "b NO [LIMIT]"));
			buf_addz(&r.in, "c STORE 2 +FLAGS.SILENT (K7)\r\n");
			assert_true(says(&r, "c OK"));
		}
		rig_clear(&r);
	}
	/* ATTACKS F-05. */
	rig_init(&r);
	buf_addz(&r.in, "s SELECT INBOX\r\n");
	assert_true(says(&r, "* FLAGS"));
	buf_addz(&r.in, "a STORE 1 FLAGS (");
	for (i = 0; i < 9000; i++)
		buf_addf(&r.in, "k%u ", i);
	buf_addz(&r.in, "x)\r\n");
	assert_true(says(&r, "a NO [LIMIT]"));
	rig_clear(&r);
}

static void
test_fetch_items(void **state)
{
	struct rig	r;
	unsigned	n, i;

	(void)state;
	rig_init(&r);
	buf_addz(&r.in, "s SELECT INBOX\r\n");
	assert_true(says(&r, "* FLAGS"));
	for (n = 99; n <= 101; n++) {
		buf_addz(&r.in, "a FETCH 1 (UID");
		for (i = 1; i < n; i++)
			buf_addz(&r.in, " UID");
		buf_addz(&r.in, ")\r\n");
		assert_true(says(&r, n <= 100 ? "* 1 FETCH (UID 1 UID" :
		    "a BAD [TOOBIG]"));
	}
	for (n = 31; n <= 33; n++) {
		buf_addz(&r.in, "a FETCH 1 BODY.PEEK[1");
		for (i = 1; i < n; i++)
			buf_addz(&r.in, ".1");
		buf_addz(&r.in, "]\r\n");
		assert_true(says(&r, n <= 32 ? "* 1 FETCH (BODY[1.1" :
		    "a BAD [TOOBIG]"));
	}
	for (n = 127; n <= 129; n++) {
		buf_addz(&r.in, "a FETCH 1 BODY.PEEK[HEADER.FIELDS (to");
		for (i = 1; i < n; i++)
			buf_addz(&r.in, " to");
		buf_addz(&r.in, ")]\r\n");
		assert_true(says(&r, n <= 128 ? "* 1 FETCH (BODY[HEADER" :
		    "a BAD [TOOBIG]"));
	}
	rig_clear(&r);
}

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
	for (i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
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

static void
test_timeout_and_bye(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	imap_timeout(r.s);
	assert_true(says(&r, "* BYE silent for too long\r\n"));
	assert_true(ended(&r));
	imap_timeout(r.s);
	assert_int_equal(imap_out(r.s)->n, 0);
	/* What still comes is taken and means nothing. */
	assert_int_equal(imap_feed(r.s, S("a NOOP\r\n")), 8);
	rig_clear(&r);
	rig_init(&r);
	buf_addz(&r.in, "a IDLE\r\n");
	assert_true(says(&r, "+ idling"));
	imap_bye(r.s, "going down");
	assert_true(says(&r, "* BYE going down\r\n"));
	rig_clear(&r);
	rig_init(&r);
	buf_addz(&r.in, "a APPEND INBOX {10+}\r\nabc");
	assert_true(says(&r, ""));
	imap_timeout(r.s);
	assert_true(says(&r, "* BYE"));
	rig_clear(&r);
	/* A client that takes no more octets of a message: no BYE in them. */
	rig_init(&r);
	fill(&r.in, 'x', 1 << 20);
	model_store_add(r.m, "INBOX", buf_str(&r.in), 0, 0);
	buf_reset(&r.in);
	buf_addz(&r.in, "a SELECT INBOX\r\n");
	assert_true(says(&r, "* FLAGS"));
	imap_feed(r.s, S("b FETCH 4 BODY[]\r\n"));
	imap_step(r.s, 0);
	imap_timeout(r.s);
	assert_int_equal(str_find(buf_str(imap_out(r.s)), S("BYE")), -1);
	assert_true(ended(&r));
	rig_clear(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_tag),
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_literal_octets),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_append_size),
		cmocka_unit_test(test_keywords),
		cmocka_unit_test(test_fetch_items),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_gone_while_sent),
		cmocka_unit_test(test_gone_while_searched),
		cmocka_unit_test(test_fails_while_sent),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_many_messages),
		cmocka_unit_test(test_timeout_and_bye),
	};

	return cmocka_run_group_tests_name("imap_limits", tests, NULL, NULL);
}
