/*
 * pack: numbers as bytes, strings, and readers that run out.
 */
#include "tests/lib/unit.h"

#include "common/core/pack.h"

static void
test_layout(void **state)
{
	static const char want[] = "\x01" "\x03\x02" "\x07\x06\x05\x04"
	    "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08" "\x03\0\0\0" "abc" "\0\0\0\0";
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	pack_u8(&b, 0x01);
	pack_u16(&b, 0x0203);
	pack_u32(&b, 0x04050607);
	pack_u64(&b, 0x08090a0b0c0d0e0f);
	pack_str(&b, S("abc"));
	pack_str(&b, (struct str){ NULL, 0 });
	assert_int_equal(b.n, sizeof(want) - 1);
	assert_memory_equal(buf_str(&b).p, want, b.n);
	buf_clear(&b);
}

static void
test_round_trip(void **state)
{
	static const uint64_t v[] = { 0, 1, 0x7f, 0x80, 0xff, 0x100, 0x8000,
	    0xffff, 0x10000, 0x80000000, 0xffffffff, 0x100000000,
	    0x8000000000000000, UINT64_MAX };
	struct buf	b;
	struct unpack	u;
	size_t		i;

	(void)state;
	buf_init(&b, 100);
	for (i = 0; i < LENGTH(v); i++) {
		buf_reset(&b);
		pack_u8(&b, (uint8_t)v[i]);
		pack_u16(&b, (uint16_t)v[i]);
		pack_u32(&b, (uint32_t)v[i]);
		pack_u64(&b, v[i]);
		u = unpack_of(buf_str(&b));
		assert_int_equal(unpack_u8(&u), (uint8_t)v[i]);
		assert_int_equal(unpack_u16(&u), (uint16_t)v[i]);
		assert_int_equal(unpack_u32(&u), (uint32_t)v[i]);
		assert_false(unpack_done(&u));
		assert_true(unpack_u64(&u) == v[i]);
		assert_true(unpack_done(&u));
	}
	buf_clear(&b);
}

/* Every truncation marks the reader bad, and bad it stays. */
static void
test_short(void **state)
{
	static const char bytes[] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a"
	    "\x0b\x0c\x0d\x0e\x0f\x03\0\0\0abc";
	struct unpack	u;
	size_t		n;
	char		*copy;

	(void)state;
	for (n = 0; n < sizeof(bytes) - 1; n++) {
		copy = malloc(n == 0 ? 1 : n);
		memcpy(copy, bytes, n);
		u = unpack_of(str_of(copy, n));
		unpack_u8(&u);
		unpack_u16(&u);
		unpack_u32(&u);
		unpack_u64(&u);
		assert_int_equal(unpack_str(&u, 3).n, 0);
		assert_true(u.bad);
		assert_int_equal(unpack_u8(&u), 0);
		assert_int_equal(unpack_u16(&u), 0);
		assert_true(unpack_u32(&u) == 0 && unpack_u64(&u) == 0);
		assert_int_equal(unpack_bytes(&u, 0).n, 0);
		assert_false(unpack_done(&u));
		free(copy);
	}
}

static void
test_str_limit(void **state)
{
	static const struct {
		struct str	s;
		size_t		max;
		bool		ok;
	} t[] = {
		{ STR_INIT("\x02\0\0\0ab"), 1, false },
		{ STR_INIT("\x02\0\0\0ab"), 2, true },
		{ STR_INIT("\x02\0\0\0ab"), 3, true },
		{ STR_INIT("\x03\0\0\0ab"), 3, false },
		{ STR_INIT("\x02\0\0\0abc"), 3, false },
		{ STR_INIT("\xff\xff\xff\xff" "ab"), SIZE_MAX, false },
		{ STR_INIT("\0\0\0\0"), 0, true },
	};
	struct unpack	u;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(t); i++) {
		u = unpack_of(t[i].s);
		unpack_str(&u, t[i].max);
		assert_int_equal(unpack_done(&u), t[i].ok);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_short),
		cmocka_unit_test(test_str_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
