/*
 * imap_limits_test - what an IMAP session refuses.  ATTACKS F-02, F-03, F-05,
 * F-11, F-12, E-01.
 */
#include "tests/lib/imap_rig.h"

#include "imapd/collect.h"

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
		cmocka_unit_test(test_timeout_and_bye),
	};

	return cmocka_run_group_tests_name("imap_limits", tests, NULL, NULL);
}
