/*
 * base64, sasl - every length (G-05), every refusal, RFC 4648 10.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/core/base64.h"
#include "common/mail/sasl.h"

static void
vectors(void **state)
{
	static const struct {
		const char	*plain, *coded;
	} t[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	struct buf	b;
	size_t		i;

	(void)state;
	buf_init(&b, 1000);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_reset(&b);
		base64_encode(&b, str_c(t[i].plain));
		assert_string_equal(buf_cstr(&b), t[i].coded);
		buf_reset(&b);
		assert_int_equal(base64_decode(&b, str_c(t[i].coded)), 0);
		assert_string_equal(buf_cstr(&b), t[i].plain);
	}
	buf_clear(&b);
}

static void
refusals(void **state)
{
	static const struct str bad[] = {
		STR_INIT("Z"), STR_INIT("Zg"), STR_INIT("Zg="),
		STR_INIT("Zg==="), STR_INIT("Zh=="), STR_INIT("Zm9="),
		STR_INIT("="), STR_INIT("=="), STR_INIT("===="),
		STR_INIT("Zg==Zg=="), STR_INIT("Zm9v\n"), STR_INIT(" Zm9v"),
		STR_INIT("Zm 9v"), STR_INIT("Zm-_"), STR_INIT("Zm9\0"),
		STR_INIT("\0\0\0\0"), STR_INIT("Zm9\xff"), STR_INIT("Zg=x"),
		STR_INIT("Z==="), STR_INIT("Zg==AAA"),
	};
	struct buf	b;
	size_t		i;
	int		c, good = 0;
	char		text[4];

	(void)state;
	buf_init(&b, 10000);
	buf_addz(&b, "x");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (base64_decode(&b, bad[i]) != -1)
			fail_msg("%zu", i);
		assert_string_equal(buf_cstr(&b), "x");
	}
	/* Each byte in each place: 64 of them are digits. */
	for (c = 0; c < 256 * 4; c++) {
		memcpy(text, "AAAA", 4);
		text[c & 3] = (char)(c >> 2);
		good += base64_decode(&b, str_of(text, 4)) == 0;
	}
	/* And the padding in the last place. */
	assert_int_equal(good, 4 * 64 + 1);
	buf_clear(&b);
}

/* Each length, into a buffer that has just that room, and one byte less. */
static void
lengths(void **state)
{
	unsigned char	in[130];
	struct buf	coded, b;
	size_t		n;

	(void)state;
	for (n = 0; n < sizeof(in); n++) {
		memset(in, (int)(n * 37 + 128), n);
		buf_init(&coded, (n + 2) / 3 * 4);
		base64_encode(&coded, str_of(in, n));
		assert_true(buf_ok(&coded));
		assert_int_equal(coded.n, (n + 2) / 3 * 4);
		buf_init(&b, (n + 2) / 3 * 3);
		assert_int_equal(base64_decode(&b, buf_str(&coded)), 0);
		assert_true(str_eq(buf_str(&b), str_of(in, n)));
		buf_clear(&b);
		if (n > 0) {
			buf_init(&b, (n + 2) / 3 * 3 - 1);
			assert_int_equal(base64_decode(&b,
			    buf_str(&coded)), -1);
			buf_clear(&b);
			assert_int_equal(base64_decode(&b,
			    str_sub(buf_str(&coded), 0, coded.n - 1)), -1);
			buf_clear(&b);
			buf_init(&b, coded.n - 1);
			base64_encode(&b, str_of(in, n));
			assert_false(buf_ok(&b));
			buf_clear(&b);
		}
		buf_clear(&coded);
	}
}

static void
plain(void **state)
{
	static const struct {
		struct str	 in;
		const char	*authzid, *user, *password;
	} t[] = {
		{ STR_INIT("\0tim\0tanstaaf"), "", "tim", "tanstaaf" },
		{ STR_INIT("Ursel\0Kurt\0xipj"), "Ursel", "Kurt", "xipj" },
		{ STR_INIT("\0\xc3\xa9\0\xff"), "", "\xc3\xa9", "\xff" },
		{ STR_INIT("\0\0pw"), NULL, NULL, NULL },
		{ STR_INIT("\0user\0"), NULL, NULL, NULL },
		{ STR_INIT("user\0pw"), NULL, NULL, NULL },
		{ STR_INIT("a\0b\0c\0d"), NULL, NULL, NULL },
		{ STR_INIT("a\0b\0c\0"), NULL, NULL, NULL },
		{ STR_INIT(""), NULL, NULL, NULL },
		{ STR_INIT("\0\0"), NULL, NULL, NULL },
	};
	struct str	a, u, p;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(sasl_plain(t[i].in, &a, &u, &p),
		    t[i].user == NULL ? -1 : 0);
		if (t[i].user == NULL)
			continue;
		assert_true(str_eq(a, str_c(t[i].authzid)));
		assert_true(str_eq(u, str_c(t[i].user)));
		assert_true(str_eq(p, str_c(t[i].password)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(refusals),
		cmocka_unit_test(lengths),
		cmocka_unit_test(plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
