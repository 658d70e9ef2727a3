/*
 * frame_test - frames and HELLO: whole, in pieces, at their limits, refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/core/pack.h"
#include "common/ipc/frame.h"

static struct str
head(char *p, unsigned type, uint32_t n)
{
	put_u32(p, n << 8 | type);
	return str_of(p, FRAME_HEADER);
}

static void
test_types(void **state)
{
	struct frame	f;
	size_t		used;
	unsigned	type;
	char		p[FRAME_HEADER];

	(void)state;
	for (type = 0; type < 256; type++) {
		enum frame_result want = type >= 1 && type <= 9 ?
		    FRAME_GOT : FRAME_BAD;

		assert_int_equal(frame_next(head(p, type, 0), &f, &used),
		    want);
		if (want == FRAME_GOT) {
			assert_int_equal(f.type, type);
			assert_int_equal(f.body.n, 0);
			assert_int_equal(used, FRAME_HEADER);
		}
		/* Already the first byte decides. */
		assert_int_equal(frame_next(str_of(p, 1), &f, &used),
		    want == FRAME_GOT ? FRAME_MORE : FRAME_BAD);
	}
}

static void
test_length(void **state)
{
	static char	 p[FRAME_HEADER + FRAME_MAX + 1];
	static const struct {
		uint32_t		n;
		enum frame_result	want;
	} rows[] = {
		{ FRAME_MAX - 1, FRAME_GOT },
		{ FRAME_MAX, FRAME_GOT },
		{ FRAME_MAX + 1, FRAME_BAD },
		{ 0xffffff, FRAME_BAD },
	};
	struct frame	 f;
	size_t		 i, used;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		head(p, FRAME_DATA, rows[i].n);
		assert_int_equal(frame_next(str_of(p, sizeof(p)), &f, &used),
		    rows[i].want);
		if (rows[i].want == FRAME_GOT) {
			assert_int_equal(f.body.n, rows[i].n);
			assert_int_equal(used, rows[i].n + FRAME_HEADER);
			assert_int_equal(frame_next(str_of(p, used - 1), &f,
			    &used), FRAME_MORE);
		}
	}
	/* Refused by its length, not waited for. */
	assert_int_equal(frame_next(head(p, FRAME_DATA, FRAME_MAX + 1), &f,
	    &used), FRAME_BAD);
}

/* Two frames, cut at every place. */
static void
test_pieces(void **state)
{
	struct buf	b;
	struct frame	f;
	struct str	s;
	size_t		i, used;

	(void)state;
	buf_init(&b, 100);
	frame_add(&b, FRAME_DATA, S("abc"));
	frame_add_close(&b, CLOSE_LOST);
	s = buf_str(&b);
	assert_int_equal(s.n, 4 + 3 + 4 + 1);
	for (i = 0; i <= s.n; i++) {
		struct str		 part = str_sub(s, 0, i);
		enum frame_result	 r = frame_next(part, &f, &used);

		assert_int_equal(r, i < 7 ? FRAME_MORE : FRAME_GOT);
		if (i < 7)
			continue;
		assert_true(str_eq(f.body, S("abc")));
		r = frame_next(str_from(part, used), &f, &used);
		assert_int_equal(r, i < s.n ? FRAME_MORE : FRAME_GOT);
	}
	assert_int_equal(f.type, FRAME_CLOSE);
	assert_true(str_eq(f.body, S("\1")));
	buf_clear(&b);
}

static void
test_data(void **state)
{
	static char	 p[2 * FRAME_PIECE + 1];
	static const size_t sizes[] = { 0, 1, FRAME_PIECE - 1, FRAME_PIECE,
	    FRAME_PIECE + 1, 2 * FRAME_PIECE, 2 * FRAME_PIECE + 1 };
	static const unsigned frames[] = { 0, 1, 1, 1, 2, 2, 3 };
	struct buf	 b, got;
	struct frame	 f;
	size_t		 i, used, n;

	(void)state;
	for (i = 0; i < sizeof(p); i++)
		p[i] = (char)(i * 7 + i / 251);
	buf_init(&b, sizeof(p) + 100);
	buf_init(&got, sizeof(p));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buf_reset(&b);
		buf_reset(&got);
		frame_add_data(&b, str_of(p, sizes[i]));
		for (n = 0; b.n > 0; n++) {
			assert_int_equal(frame_next(buf_str(&b), &f, &used),
			    FRAME_GOT);
			assert_int_equal(f.type, FRAME_DATA);
			buf_add(&got, f.body);
			buf_drop(&b, used);
		}
		assert_int_equal(n, frames[i]);
		assert_true(str_eq(buf_str(&got), str_of(p, sizes[i])));
	}
	buf_clear(&b);
	buf_clear(&got);
}

static int
parse(struct hello h, struct hello *out, struct buf *b)
{
	struct frame	f;
	size_t		used;

	buf_reset(b);
	buf_add(b, S("before"));
	hello_add(b, &h);
	assert_true(buf_ok(b));
	buf_drop(b, 6);
	assert_int_equal(frame_next(buf_str(b), &f, &used), FRAME_GOT);
	assert_int_equal(f.type, FRAME_HELLO);
	assert_int_equal(used, b->n);
	return hello_parse(f.body, out);
}

static void
test_hello(void **state)
{
	static const char big[HELLO_RESUME_MAX + 1];
	struct hello	 h = { SERVICE_IMAP, 0x123456789abcdef0, S("tick\0et"),
	    S("192.0.2.1"), { NULL, 0 } };
	struct hello	 out, bad;
	struct buf	 b;
	struct str	 s;
	size_t		 i;

	(void)state;
	buf_init(&b, 100000);
	assert_int_equal(parse(h, &out, &b), 0);
	assert_int_equal(out.service, SERVICE_IMAP);
	assert_int_equal(out.sid, h.sid);
	assert_true(str_eq(out.ticket, h.ticket));
	assert_true(str_eq(out.client, h.client));
	assert_int_equal(out.resume.n, 0);

	/* Cut short anywhere, or with one byte more: not a HELLO. */
	s = str_from(buf_str(&b), FRAME_HEADER);
	for (i = 0; i < s.n; i++)
		assert_int_equal(hello_parse(str_sub(s, 0, i), &out), -1);
	buf_addc(&b, 'x');
	assert_int_equal(hello_parse(str_from(buf_str(&b), FRAME_HEADER),
	    &out), -1);

	bad = h, bad.service = SERVICE_SUBMISSION;
	assert_int_equal(parse(bad, &out, &b), -1);
	bad = h, bad.service = (enum service)200;
	assert_int_equal(parse(bad, &out, &b), -1);
	bad = h, bad.client = S("192.0.2.1\n");
	assert_int_equal(parse(bad, &out, &b), -1);

	bad = h, bad.ticket = str_of(big, TICKET_MAX);
	assert_int_equal(parse(bad, &out, &b), 0);
	bad = h, bad.ticket = str_of(big, TICKET_MAX + 1);
	assert_int_equal(parse(bad, &out, &b), -1);
	bad = h, bad.resume = str_of(big, HELLO_RESUME_MAX);
	assert_int_equal(parse(bad, &out, &b), 0);
	assert_int_equal(out.resume.n, HELLO_RESUME_MAX);
	bad = h, bad.resume = str_of(big, HELLO_RESUME_MAX + 1);
	assert_int_equal(parse(bad, &out, &b), -1);
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_hello),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
