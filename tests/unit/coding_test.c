/*
 * Payloads there and back; what is damaged or of another length is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "mailboxd/coding.h"

enum { MAX = 300 * 1024 };

static char text[MAX];

static void
fill(size_t n, uint32_t kinds)
{
	uint32_t	seed = 1;
	size_t		i;

	for (i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		text[i] = (char)((seed >> 16) % kinds);
	}
}

static void
check(size_t n, uint32_t kinds, enum coding want)
{
	struct buf	packed, out;
	enum coding	c;

	fill(n, kinds);
	buf_init(&packed, MAX);
	buf_init(&out, MAX);
	buf_addz(&packed, "head");
	buf_addz(&out, "head");
	c = coding_pack(str_of(text, n), &packed);
	assert_int_equal(c, want);
	assert_true(buf_ok(&packed));
	assert_true(packed.n - 4 <= n);
	if (c == CODING_ZSTD)
		assert_true(packed.n - 4 <= n - n / 16);
	assert_int_equal(coding_unpack(c, str_from(buf_str(&packed), 4), n,
	    &out), 0);
	assert_int_equal(out.n, n + 4);
	assert_memory_equal(out.p + out.at + 4, text, n);
	/* A length that it does not have. */
	assert_int_equal(coding_unpack(c, str_from(buf_str(&packed), 4),
	    n + 1, &out), -1);
	assert_int_equal(errno, EBADMSG);
	buf_clear(&packed);
	buf_clear(&out);
}

static void
test_there_and_back(void **state)
{
	(void)state;
	check(0, 1, CODING_PLAIN);
	check(1, 1, CODING_PLAIN);
	check(15, 4, CODING_PLAIN);
	check(4000, 4, CODING_ZSTD);
	check(4000, 256, CODING_PLAIN);
	check(MAX - 4, 3, CODING_ZSTD);
	check(MAX - 4, 256, CODING_PLAIN);
	check(200 * 1024, 1, CODING_ZSTD);
}

/* No octet of a coded payload may hurt; most are noticed. */
static void
test_damaged(void **state)
{
	struct buf	packed, out;
	size_t		i;

	(void)state;
	fill(4000, 4);
	buf_init(&packed, MAX);
	buf_init(&out, MAX);
	assert_int_equal(coding_pack(str_of(text, 4000), &packed),
	    CODING_ZSTD);
	for (i = 0; i < packed.n; i++) {
		packed.p[packed.at + i] ^= 0x55;
		buf_reset(&out);
		if (coding_unpack(CODING_ZSTD, buf_str(&packed), 4000,
		    &out) == 0)
			assert_int_equal(out.n, 4000);
		packed.p[packed.at + i] ^= 0x55;
		buf_reset(&out);
		assert_int_equal(coding_unpack(CODING_ZSTD,
		    str_sub(buf_str(&packed), 0, i), 4000, &out), -1);
	}
	buf_clear(&packed);
	buf_clear(&out);
}

static void
test_limits(void **state)
{
	struct buf	out;

	(void)state;
	buf_init(&out, 10);
	assert_int_equal(coding_unpack(CODING_PLAIN, S("0123456789"), 10,
	    &out), 0);
	buf_reset(&out);
	assert_int_equal(coding_unpack(CODING_PLAIN, S("0123456789a"), 11,
	    &out), -1);
	assert_int_equal(errno, ENOMEM);
	buf_clear(&out);
	assert_int_equal(coding_unpack((enum coding)7, S(""), 0, &out), -1);
	assert_int_equal(errno, EBADMSG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
