/*
 * buf: the limit, the bad state, the queue, the wiping.
 */
#include "tests/lib/unit.h"

#include <malloc.h>

#include "common/core/buf.h"

static void
test_limit(void **state)
{
	static const size_t maxes[] = { 0, 1, 2, 127, 128, 129, 4096, 70000 };
	struct buf	b;
	size_t		i, n;
	char		*bytes;

	(void)state;
	for (i = 0; i < LENGTH(maxes); i++) {
		for (n = maxes[i] == 0 ? 0 : maxes[i] - 1; n <= maxes[i] + 1;
		    n++) {
			bytes = calloc(1, n + 1);
			buf_init(&b, maxes[i]);
			buf_add(&b, str_of(bytes, n));
			assert_int_equal(buf_ok(&b), n <= maxes[i]);
			assert_int_equal(b.n, n <= maxes[i] ? n : 0);
			assert_int_equal(buf_left(&b),
			    n <= maxes[i] ? maxes[i] - n : 0);
			assert_int_equal(strlen(buf_cstr(&b)), 0);
			buf_clear(&b);
			assert_true(buf_ok(&b));
			free(bytes);
		}
	}
}

/* Limits that no memory could hold: it grows, and refuses what overflows. */
static void
test_no_limit(void **state)
{
	static const size_t maxes[] = { SIZE_MAX, SIZE_MAX - 1,
	    (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX, PTRDIFF_MAX - 1 };
	struct buf	b;
	size_t		i, k;

	(void)state;
	for (i = 0; i < LENGTH(maxes); i++) {
		buf_init(&b, maxes[i]);
		for (k = 0; k < 1000; k++)
			buf_addz(&b, "0123456789");
		assert_true(buf_ok(&b));
		assert_int_equal(b.n, 10000);
		assert_true(b.cap > b.n);
		assert_int_equal(strlen(buf_cstr(&b)), 10000);
		assert_true(buf_left(&b) > SIZE_MAX / 4);
		assert_null(buf_room(&b, SIZE_MAX));
		assert_false(buf_ok(&b));
		buf_clear(&b);
	}
}

static void
test_bad(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_addz(&b, "abc");
	buf_addz(&b, "de");
	assert_false(buf_ok(&b));
	assert_str(buf_str(&b), "abc");
	assert_string_equal(buf_cstr(&b), "");
	buf_addc(&b, 'x');
	buf_addu(&b, 1);
	buf_addf(&b, "%d", 1);
	assert_null(buf_room(&b, 0));
	assert_str(buf_str(&b), "abc");
	/* Taking bytes off does not heal what was lost. */
	buf_drop(&b, 3);
	buf_addc(&b, 'x');
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 0);
	buf_reset(&b);
	assert_true(buf_ok(&b));
	buf_addz(&b, "wxyz");
	assert_string_equal(buf_cstr(&b), "wxyz");
	assert_int_equal(buf_left(&b), 0);
	buf_clear(&b);
}

static void
test_forms(void **state)
{
	static const uint64_t numbers[] = { 0, 9, 10, 4294967296, UINT64_MAX };
	struct buf	b;
	char		want[64], *wide;
	size_t		i;
	int		n;

	(void)state;
	buf_init(&b, 100000);
	for (i = 0; i < LENGTH(numbers); i++) {
		buf_reset(&b);
		buf_addu(&b, numbers[i]);
		snprintf(want, sizeof(want), "%llu",
		    (unsigned long long)numbers[i]);
		assert_string_equal(buf_cstr(&b), want);
	}
	/* Around the size of the stack buffer in buf_addf. */
	for (n = 510; n <= 514; n++) {
		buf_reset(&b);
		buf_addf(&b, "%0*d|%s", n, 7, "x");
		assert_int_equal(b.n, n + 2);
		assert_memory_equal(buf_cstr(&b) + n - 1, "7|x", 4);
	}
	wide = calloc(1, 100002);
	memset(wide, 'a', 100001);
	buf_reset(&b);
	buf_addf(&b, "%s", wide);
	assert_false(buf_ok(&b));
	buf_add(&b, (struct str){ NULL, 0 });
	free(wide);
	buf_clear(&b);
}

static void
test_room(void **state)
{
	struct buf	b;
	char		*room;

	(void)state;
	buf_init(&b, 10);
	room = buf_room(&b, 10);
	assert_non_null(room);
	memcpy(room, "0123456789", 10);
	assert_int_equal(b.n, 0);
	buf_grow(&b, 10);
	assert_string_equal(buf_cstr(&b), "0123456789");
	assert_non_null(buf_room(&b, 0));
	assert_null(buf_room(&b, 1));
	assert_false(buf_ok(&b));
	buf_trunc(&b, 11);
	buf_trunc(&b, 3);
	assert_str(buf_str(&b), "012");
	buf_clear(&b);
	assert_str(buf_str(&b), "");
	assert_string_equal(buf_cstr(&b), "");
	buf_clear(&b);
}

/* A queue: bytes in at the end, out at the front, against a plain model. */
static void
test_queue(void **state)
{
	enum { MAX = 1000 };
	struct buf	b;
	unsigned char	in = 0, out = 0;
	unsigned	seed = 1, n, i;
	size_t		held = 0, round;
	char		c;

	(void)state;
	buf_init(&b, MAX);
	for (round = 0; round < 20000; round++) {
		seed = seed * 1103515245 + 12345;
		n = seed >> 16 & 255;
		if ((seed >> 30 & 1) != 0) {
			if (n > MAX - held)
				n = (unsigned)(MAX - held);
			for (i = 0; i < n; i++) {
				c = (char)in++;
				buf_add(&b, str_of(&c, 1));
			}
			held += n;
		} else {
			for (i = 0; i < n && i < held; i++)
				assert_int_equal((unsigned char)(out + i),
				    (unsigned char)buf_str(&b).p[i]);
			buf_drop(&b, n);
			n = n > held ? (unsigned)held : n;
			held -= n;
			out = (unsigned char)(out + n);
		}
		assert_int_equal(b.n, held);
		assert_true(b.cap <= MAX + 1);
	}
	assert_true(buf_ok(&b));
	buf_clear(&b);
}

/*
 * A password read byte by byte makes the buffer grow; what it grew out of
 * must not keep a copy.  free() gives the storage back to malloc's free list,
 * where all but its first bytes stay as they were.
 */
static void
test_growth_wipes(void **state)
{
	static const char secret[] = "correct horse battery staple";
	struct buf	 b;
	char		*old, *pad;
	size_t		 i;

	(void)state;
#ifdef POSTERN_SANITIZE
	skip_because("test_growth_wipes", "the sanitizer owns freed memory");
#endif
	buf_init(&b, 4096);
	for (i = 0; i < 100; i++)
		buf_addc(&b, '.');
	buf_addz(&b, secret);
	old = b.p;
	pad = malloc(64);		/* keeps the top of the heap away */
	for (i = 0; i < 400; i++)
		buf_addc(&b, '.');
	assert_ptr_not_equal(b.p, old);
	/* Read through a pointer that the compiler cannot follow. */
	__asm__ volatile("" : "+r"(old));
	assert_memory_not_equal(old + 100, secret, 10);
	free(pad);
	buf_wipe(&b);
	assert_null(b.p);
	assert_true(buf_ok(&b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_growth_wipes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
