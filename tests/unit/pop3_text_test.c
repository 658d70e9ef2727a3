/*
 * pop3_text_test - how a POP3 session sends a message: line ends and dots,
 * in bounded pieces, and what happens when it fails or goes on the way.
 */
#include "tests/lib/pop3_rig.h"

#include "common/core/xalloc.h"

/* What a message may look like, and how it must look to the client. */
static void
test_text(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ ".", "..\r\n" },
		{ ".\r\n", "..\r\n" },
		{ "a\r\n.\r\n.\r\nb", "a\r\n..\r\n..\r\nb\r\n" },
		{ "a\n.\nb\n", "a\r\n..\r\nb\r\n" },
		{ "a\n.\r\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n" },
		{ "a\r.\rb", "a\r.\rb\r\n" },
		{ "a\r", "a\r\r\n" },
		{ "\n\n", "\r\n\r\n" },
		{ "..a\r\n", "...a\r\n" },
	};
	struct rig	 r;
	char		 want[200];
	size_t		 i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		rig_up(&r, false);
		pop3_free(r.s);
		model_store_add(r.model, "INBOX", str_c(rows[i].in), 0, 0);
		r.s = pop3_new(&r.store);
		snprintf(want, sizeof(want), "+OK %zu octets\r\n%s.\r\n",
		    strlen(rows[i].in), rows[i].out);
		feed(0, S("RETR 1\r\n"), feed_one, &r);
		assert_string_equal(buf_cstr(&r.got), want);
		rig_down(&r);
	}
}

/* A large message of dots: exact, in bounded pieces, whatever the cut. */
static void
test_large(void **state)
{
	static const size_t sizes[] = { 16383, 16384, 16385, 32768, 300001 };
	struct rig	 r;
	struct buf	 text, want;
	size_t		 i, k;

	(void)state;
	for (i = 0; i < LENGTH(sizes); i++) {
		rig_up(&r, false);
		pop3_free(r.s);
		buf_init(&text, 1 << 20);
		buf_init(&want, 1 << 21);
		buf_addf(&want, "+OK %zu octets\r\n", sizes[i]);
		for (k = 0; k < sizes[i]; k++)
			buf_addc(&text, ".\n"[k % 2]);
		for (k = 0; k < sizes[i]; k++)
			buf_addz(&want, k % 2 == 0 ? ".." : "\r\n");
		buf_addz(&want, sizes[i] % 2 == 0 ? ".\r\n" : "\r\n.\r\n");
		model_store_add(r.model, "INBOX", buf_str(&text), 0, 0);
		r.s = pop3_new(&r.store);
		feed(0, S("RETR 1\r\n"), feed_one, &r);
		assert_true(str_eq(buf_str(&r.got), buf_str(&want)));
		assert_true(r.most < 2 * POP3_OUT_SOFT);
		rig_down(&r);
		buf_clear(&text);
		buf_clear(&want);
	}
}

/* Where one piece of the text ends is no place in a line. */
static void
test_seams(void **state)
{
	static const char *const tails[] = { ".x\r\n", "\r\n", "\n.\r\n" };
	static const char *const heads[] = { "a", "\r", "\n" };
	struct rig	 r;
	struct buf	 text, want;
	size_t		 i, k;

	(void)state;
	for (i = 0; i < 9; i++) {
		rig_up(&r, false);
		pop3_free(r.s);
		buf_init(&text, 1 << 20);
		buf_init(&want, 1 << 20);
		for (k = 0; k < 16384 - 1; k++)
			buf_addc(&text, 'a');
		buf_addz(&text, heads[i / 3]);
		buf_addz(&text, tails[i % 3]);
		/* The rules of add_line, octet by octet. */
		buf_addf(&want, "+OK %zu octets\r\n", text.n);
		for (k = 0; k < text.n; k++) {
			char c = text.p[k], last = k > 0 ? text.p[k - 1] : '\n';

			if (c == '.' && last == '\n')
				buf_addc(&want, '.');
			if (c == '\n' && last != '\r')
				buf_addc(&want, '\r');
			buf_addc(&want, c);
		}
		buf_addz(&want, ".\r\n");
		model_store_add(r.model, "INBOX", buf_str(&text), 0, 0);
		r.s = pop3_new(&r.store);
		feed(0, S("RETR 1\r\n"), feed_one, &r);
		assert_true(str_eq(buf_str(&r.got), buf_str(&want)));
		rig_down(&r);
		buf_clear(&text);
		buf_clear(&want);
	}
}

/* Message 4, large; the session has numbered it. */
static void
rig_up_large(struct rig *r)
{
	char *big = xcalloc(100000, 1);

	rig_up(r, true);
	memset(big, 'a', 100000);
	pop3_free(r->s);
	model_store_add(r->model, "INBOX", str_of(big, 100000), 0, 0);
	r->s = pop3_new(&r->store);
	free(big);
}

/* The store fails: before the first octet -ERR, after it no last line. */
static void
test_broken(void **state)
{
	struct rig	r;
	int		i;

	(void)state;
	for (i = 0; i < 2; i++) {
		rig_up_large(&r);
		r.model->broken = true;
		feed(0, S("RETR 4\r\nTOP 1 1\r\n"), feed_one, &r);
		assert_string_equal(buf_cstr(&r.got),
		    "-ERR [SYS/TEMP] message cannot be read\r\n"
		    "-ERR [SYS/TEMP] message cannot be read\r\n");
		assert_int_equal(r.model->bodies, 0);
		r.model->broken = false;
		buf_reset(&r.got);
		pop3_feed(r.s, S("RETR 4\r\n"));
		take(&r);
		r.model->broken = i == 0;
		r.model->torn = i == 0 ? 0 : 99990;
		while (pop3_step(r.s))
			take(&r);
		take(&r);
		assert_true(pop3_done(r.s));
		assert_true(r.got.n < 100020);
		assert_int_equal(str_find(buf_str(&r.got), S(".\r\n")), -1);
		assert_int_equal(r.model->bodies, 0);
		rig_down(&r);
	}
}

/* Another session expunges what is being sent: it comes whole. */
static void
test_gone_while_sent(void **state)
{
	static const char	*const commands[] = { "RETR 4\r\n",
	    "TOP 4 9\r\n" };
	const uint32_t		 uid = 4;
	struct rig		 r;
	int			 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		rig_up_large(&r);
		pop3_feed(r.s, str_c(commands[i]));
		take(&r);
		assert_true(r.got.n < 100000);
		spy.real->expunge(r.store.impl,
		    (struct store_folder *)inbox(&r), &uid, 1);
		while (pop3_step(r.s))
			take(&r);
		take(&r);
		assert_string_equal(buf_cstr(&r.got) + r.got.n - 8,
		    "aaa\r\n.\r\n");
		assert_int_equal(str_find(buf_str(&r.got), S("\r\n")) + 2 +
		    100000 + 5, (ptrdiff_t)r.got.n);
		assert_int_equal(r.model->bodies, 0);
		feed(0, S("RETR 4\r\nNOOP\r\n"), feed_one, &r);
		assert_non_null(strstr(buf_cstr(&r.got),
		    "\r\n-ERR message is gone\r\n+OK done\r\n"));
		rig_down(&r);
	}
	/* A client that goes in the middle leaves nothing open. */
	rig_up_large(&r);
	pop3_feed(r.s, S("RETR 4\r\n"));
	assert_int_equal(r.model->bodies, 1);
	pop3_timeout(r.s);
	assert_int_equal(r.model->bodies, 0);
	rig_down(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_seams),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_gone_while_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
