/*
 * Envelopes and structures that the index keeps: FETCH says the same whether
 * they are made anew, were made at delivery or are remembered, and they go
 * with their bodies.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "imapd/imap.h"
#include "mailboxd/derived.h"
#include "tests/lib/mailbox.h"

static const char *const messages[] = {
	"Subject: plain\r\nFrom: A <a@x.test>\r\n\r\nhello\r\n",
	"",
	"\r\nno header\r\n",
	"Subject: =?utf-8?q?=C3=A4?= \"quoted\" \\\r\n\tfolded\r\n"
	"To: group: b@x.test, \"c d\" <c@x.test>;, e@x.test\r\n"
	"Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nMessage-ID: <1@x>\r\n\r\n",
	"Subject: raw \xe4 8-bit\r\nCc: <@r.test:f@x.test>\r\n\r\nx",
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
	"\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>\r\n"
	"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\n"
	"in\r\n--b\r\nContent-Disposition: attachment; filename=\"a b\"\r\n"
	"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n",
};

enum { MESSAGES = sizeof(messages) / sizeof(messages[0]) };

static struct mailbox	box;

static int
set_up(void **state)
{
	size_t			i;
	enum store_result	r;

	(void)state;
	mailbox_make(&box);
	mailbox_open(&box);
	for (i = 0; i < MESSAGES; i++) {
		assert_int_equal(store_put(box.s, "INBOX",
		    str_c(messages[i]), 0, &r), i + 1);
		mailbox_turn(&box);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	mailbox_remove(&box);
	return 0;
}

/* What a session is told of all messages. */
static void
fetch(struct buf *out, const char *items)
{
	struct imap	*s = imap_new(&box.s, 1000000);
	char		 line[200];
	struct str	 in;
	size_t		 n;

	assert_non_null(s);
	snprintf(line, sizeof(line),
	    "a EXAMINE INBOX\r\nb FETCH 1:* (%s)\r\n", items);
	in = str_c(line);
	while (in.n > 0 || imap_wants(s) == IMAP_WANT_STEP) {
		n = imap_feed(s, in);
		in = str_from(in, n);
		if (imap_wants(s) == IMAP_WANT_STEP)
			imap_step(s, 0);
	}
	buf_init(out, 1 << 20);
	buf_add(out, buf_str(imap_out(s)));
	assert_true(str_find(buf_str(out), S("\r\nb OK ")) != -1);
	imap_free(s);
	mailbox_turn(&box);
}

static bool
is_kept(uint64_t source, enum store_derived what)
{
	struct buf	out;
	int		r;

	buf_init(&out, 1 << 20);
	r = rows_derived(box.m->ix, source, what, &out);
	buf_clear(&out);
	assert_int_not_equal(r, -1);
	return r == 1;
}

static uint64_t
source_of(uint32_t uid)
{
	struct store_folder	*f;
	uint64_t		 id;

	assert_int_equal(box.s.ops->open(box.s.impl, S("INBOX"), &f),
	    STORE_OK);
	id = f->msgs[uid - 1].id;
	box.s.ops->close(box.s.impl, f);
	return id;
}

/* The rows that are derived, not where the body is. */
static void
forget(uint64_t source)
{
	char		key[10] = { 'E' };
	unsigned	i;

	for (i = 0; i < 8; i++)
		key[1 + i] = (char)(source >> (56 - 8 * i) & 0xff);
	assert_int_equal(index_begin(box.m->ix), 0);
	for (key[9] = 0; key[9] < STORE_DERIVED; key[9]++)
		assert_int_equal(index_del(box.m->ix, str_of(key,
		    sizeof(key))), 0);
	assert_int_equal(index_commit(box.m->ix), 0);
	assert_false(is_kept(source, STORE_ENVELOPE));
}

static void
test_same(void **state)
{
	static const char *const items[] = {
		"ENVELOPE", "BODY", "BODYSTRUCTURE",
		"BODY ENVELOPE BODYSTRUCTURE", "BODYSTRUCTURE BODY[1]",
	};
	struct buf	kept, made, again;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
		mailbox_remove(&box);
		set_up(NULL);
		fetch(&kept, items[i]);
		mailbox_close(&box);
		mailbox_remove_dir(&box, "index");
		mailbox_open(&box);
		fetch(&made, items[i]);
		assert_string_equal(buf_cstr(&kept), buf_cstr(&made));
		mailbox_close(&box);
		mailbox_open(&box);
		/* Some are known and some are not. */
		forget(source_of(3));
		fetch(&again, items[i]);
		assert_string_equal(buf_cstr(&again), buf_cstr(&made));
		buf_clear(&kept);
		buf_clear(&made);
		buf_clear(&again);
	}
}

/* It is the index that answers, not the octets. */
static void
test_kept(void **state)
{
	const uint64_t	source = source_of(1);
	struct buf	out;

	(void)state;
	assert_true(is_kept(source, STORE_ENVELOPE));
	assert_false(is_kept(source, STORE_BODYSTRUCTURE));
	assert_false(is_kept(source, STORE_STRUCTURE));
	state_add_derived(&box.m->st, source, STORE_ENVELOPE, S("(here)"));
	state_add_derived(&box.m->st, source, STORE_BODYSTRUCTURE,
	    S("(there)"));
	box.m->changed = true;
	mailbox_turn(&box);
	fetch(&out, "ENVELOPE BODYSTRUCTURE");
	assert_true(str_find(buf_str(&out), S("ENVELOPE (here)")) != -1);
	assert_true(str_find(buf_str(&out), S("STRUCTURE (there)")) != -1);
	buf_clear(&out);
	/* With a part to look for, the parts are known anyway. */
	fetch(&out, "BODYSTRUCTURE BODY[1]");
	assert_true(str_find(buf_str(&out), S("(there)")) == -1);
	buf_clear(&out);
	fetch(&out, "BODY");
	assert_true(is_kept(source, STORE_STRUCTURE));
	buf_clear(&out);
}

/* A body that is a file, or a text that is long, is not in the index. */
static void
test_long(void **state)
{
	static char		text[20000];
	static const struct {
		size_t		subject;
		bool		kept;
	} rows[] = {
		{ 1000, true }, { DERIVED_MAX + 1, false },
	};
	enum store_result	r;
	size_t			i;

	(void)state;
	box.conf.inline_max = 64 * 1024;
	mailbox_close(&box);
	mailbox_open(&box);
	for (i = 0; i < 2; i++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "Subject: ", 9);
		memcpy(text + 9 + rows[i].subject, "\r\n\r\n", 5);
		assert_int_equal(store_put(box.s, "INBOX", str_c(text), 0,
		    &r), MESSAGES + 1 + i);
		mailbox_turn(&box);
		assert_int_equal(is_kept(source_of((uint32_t)(MESSAGES + 1 +
		    i)), STORE_ENVELOPE), rows[i].kept);
	}
	box.conf.inline_max = 8;
	mailbox_close(&box);
	mailbox_open(&box);
	(void)store_put(box.s, "INBOX", str_c(messages[0]), 0, &r);
	mailbox_turn(&box);
	assert_false(is_kept(source_of(MESSAGES + 3), STORE_ENVELOPE));
}

static void
test_forgotten(void **state)
{
	const uint64_t	source = source_of(1);
	struct buf	out;

	(void)state;
	fetch(&out, "BODYSTRUCTURE");
	buf_clear(&out);
	assert_true(is_kept(source, STORE_BODYSTRUCTURE));
	assert_int_equal(rows_forget(box.m->ix, &source, 1, NULL, 0), 0);
	assert_false(is_kept(source, STORE_ENVELOPE));
	assert_false(is_kept(source, STORE_BODYSTRUCTURE));
	assert_true(is_kept(source_of(2), STORE_ENVELOPE));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_same), T(test_kept), T(test_long), T(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
