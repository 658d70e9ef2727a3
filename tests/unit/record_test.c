/*
 * The codec of records, and sets of UIDs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "mailboxd/record.h"

/* -- sets of UIDs ----------------------------------------------------- */

static const struct {
	uint32_t	uids[6];
	size_t		n;
	const char	*bytes;
	size_t		len;
} sets[] = {
	{ { 1 }, 1, "\x01\x00", 2 },
	{ { 1, 2, 3 }, 3, "\x01\x02", 2 },
	{ { 5, 7, 8 }, 3, "\x05\x00\x02\x01", 4 },
	{ { 127, 255 }, 2, "\x7f\x00\x80\x01\x00", 5 },
	{ { 4294967295u }, 1, "\xff\xff\xff\xff\x0f\x00", 6 },
	{ { 1, 4294967294u, 4294967295u }, 3,
	    "\x01\x00\xfd\xff\xff\xff\x0f\x01", 8 },
};

static void
test_sets(void **state)
{
	struct buf	b;
	struct uids	u;
	uint32_t	lo, hi;
	size_t		i, k;

	(void)state;
	buf_init(&b, 1000);
	for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		buf_reset(&b);
		assert_int_equal(uids_add(&b, sets[i].uids, sets[i].n, 100),
		    sets[i].n);
		assert_int_equal(b.n, sets[i].len);
		assert_memory_equal(b.p + b.at, sets[i].bytes, b.n);
		assert_int_equal(uids_count(buf_str(&b)), sets[i].n);
		u = uids_of(buf_str(&b));
		k = 0;
		while (uids_next(&u, &lo, &hi)) {
			for (; lo < hi; lo++)
				assert_int_equal(lo, sets[i].uids[k++]);
			assert_int_equal(hi, sets[i].uids[k++]);
		}
		assert_int_equal(k, sets[i].n);
	}
	buf_clear(&b);
}

static const struct {
	const char	*bytes;
	size_t		 n;
} bad_sets[] = {
	{ "", 0 },
	{ "\x01", 1 },				/* no length */
	{ "\x00\x00", 2 },			/* UID 0 */
	{ "\x01\x00\x00\x00", 4 },		/* not ascending */
	{ "\x81", 1 },				/* a number cut off */
	{ "\x01\x00\xff\xff\xff\xff\x0f\x00", 8 },	/* past 2^32 */
	{ "\x01\xff\xff\xff\xff\x0f", 6 },
	{ "\xff\xff\xff\xff\x1f\x00", 6 },
	{ "\xff\xff\xff\xff\xff\x00\x00", 7 },
};

static void
test_bad_sets(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_sets) / sizeof(bad_sets[0]); i++)
		assert_int_equal(uids_count(str_of(bad_sets[i].bytes,
		    bad_sets[i].n)), 0);
}

/* What does not fit goes into another record. */
static void
test_set_pieces(void **state)
{
	uint32_t	uids[1000], lo, hi;
	struct uids	u;
	struct buf	b;
	size_t		i, k, at = 0;

	(void)state;
	buf_init(&b, 1000);
	for (i = 0; i < 1000; i++)
		uids[i] = (uint32_t)(i * 200 + 1);
	for (i = 0; i < 1000; i += k) {
		buf_reset(&b);
		k = uids_add(&b, uids + i, 1000 - i, 100);
		assert_true(k > 0 && b.n <= 100);
		assert_int_equal(uids_count(buf_str(&b)), k);
		u = uids_of(buf_str(&b));
		while (uids_next(&u, &lo, &hi)) {
			assert_int_equal(lo, uids[at++]);
			assert_int_equal(lo, hi);
		}
	}
	assert_int_equal(at, 1000);
	buf_clear(&b);
}

/* -- records ---------------------------------------------------------- */

static struct record
sample_row(enum record_type type)
{
	struct record r = { .type = type };

	if (type == REC_ROW_FOLDER)
		r.row_folder = (struct record_row_folder){ 4, 3, 2, 1, 9, 1,
		    1, 7, S("c"), S("\x01\x00\x00\x00x") };
	else if (type == REC_ROW_MESSAGE)
		r.row_message = (struct record_row_message){ 4, 1, 10, 9, 8,
		    1700000000, 60, 1, 1, 112 };
	else if (type == REC_BODY)
		r.body = (struct record_body){ BODY_INLINE, CODING_ZSTD, 100,
		    S("Return-Path:"), S("") };
	else
		r.row_body = (struct record_row_body){ 9, 1, 64, BODY_INLINE,
		    CODING_ZSTD, 100, S("x"), S("") };
	return r;
}

static struct record
sample_snapshot(enum record_type type)
{
	struct record r = { .type = type };

	if (type == REC_SNAPSHOT_BEGIN)
		r.snapshot_begin = (struct record_snapshot_begin){ 1700000000,
		    4, 7, 1 };
	else if (type == REC_SNAPSHOT_ROWS)
		r.snapshot_rows = (struct record_snapshot_rows){ 0, 3,
		    RECORD_RUN_MAX, CODING_ZSTD };
	else if (type == REC_SNAPSHOT_END)
		r.snapshot_end = (struct record_snapshot_end){ 1, 3 };
	else
		r.row_snapshot = (struct record_row_snapshot){ 91, 1700000000,
		    1, 2, 1024, 3, 100 };
	return r;
}

static struct record
sample(enum record_type type)
{
	struct record r = { .type = type };

	switch (type) {
	case REC_MESSAGE:
		r.message = (struct record_message){ 3, 9, 77, 1700000000,
		    (uint16_t)-60, 17, 5, 112, BODY_FILE, 100,
		    S("Return-Path:"),
		    S("0123456789abcdef0123456789abcdef") };
		return r;
	case REC_FLAGS:
		r.flags = (struct record_flags){ 3, 78, STORE_REMOVE, 31,
		    UINT64_MAX, S("\x01\x02") };
		return r;
	case REC_EXPUNGE:
		r.expunge = (struct record_expunge){ 3, 79, S("\x01\x02") };
		return r;
	case REC_COPY:
		r.copy = (struct record_copy){ 3, 4, 12, 5, S("\x05\x00") };
		return r;
	case REC_FOLDER:
		r.folder = (struct record_folder){ 4, 2, S("a/b") };
		return r;
	case REC_RENAME:
		r.rename = (struct record_rename){ 4, 3, S("c") };
		return r;
	case REC_REMOVE:
		r.remove.folder = UINT64_MAX;
		return r;
	case REC_SUBSCRIBE:
		r.subscribe = (struct record_subscribe){ 1, S("c") };
		return r;
	case REC_KEYWORD:
		r.keyword = (struct record_keyword){ 4, 63, S("$Junk") };
		return r;
	case REC_RECENT:
		r.recent = (struct record_recent){ 4, 1 };
		return r;
	case REC_DELIVERED:
		r.delivered = (struct record_delivered){ 0, 1700000000 };
		return r;
	case REC_COUNTERS:
		r.counters = (struct record_counters){ 1, 2, 3, 4, 5 };
		return r;
	case REC_ROW_FOLDER:
	case REC_ROW_MESSAGE:
	case REC_ROW_BODY:
	case REC_BODY:
		return sample_row(type);
	case REC_ROW_SNAPSHOT:
	case REC_SNAPSHOT_BEGIN:
	case REC_SNAPSHOT_END:
	case REC_SNAPSHOT_ROWS:
		return sample_snapshot(type);
	}
	return r;
}

static const enum record_type types[] = {
#define RECORD(TAG, tag, no, fields) REC_##TAG,
#define U8(x)
#define U16(x)
#define U32(x)
#define U64(x)
#define STR(x, cap)
#define RAW(x, cap)
#define UIDS(x)
#include "mailboxd/record.def"
};

/* There and back; and every shorter or longer form is refused. */
static void
test_records(void **state)
{
	struct record	r, s;
	struct buf	a, b;
	size_t		i, n;

	(void)state;
	buf_init(&a, RECORD_META_MAX);
	buf_init(&b, RECORD_META_MAX);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		r = sample(types[i]);
		buf_reset(&a);
		buf_reset(&b);
		record_encode(&a, &r);
		assert_int_equal(record_decode((uint8_t)types[i],
		    buf_str(&a), &s), 0);
		record_encode(&b, &s);
		assert_true(str_eq(buf_str(&a), buf_str(&b)));
		assert_string_not_equal(record_name((uint8_t)types[i]), "?");
		for (n = 0; n < a.n; n++)
			assert_int_equal(record_decode((uint8_t)types[i],
			    str_sub(buf_str(&a), 0, n), &s), -1);
		buf_addc(&a, 0);
		assert_int_equal(record_decode((uint8_t)types[i],
		    buf_str(&a), &s), -1);
	}
	buf_clear(&a);
	buf_clear(&b);
}

/* The bytes of a record are for ever. */
static void
test_bytes(void **state)
{
	static const char want[] =
	    "\x03\0\0\0\0\0\0\0" "\x09\0\0\0" "\x4d\0\0\0\0\0\0\0"
	    "\x00\xf1\x53\x65\0\0\0\0" "\xc4\xff" "\x11"
	    "\x05\0\0\0\0\0\0\0" "\x70\0\0\0" "\x01"
	    "\x64\0\0\0\0\0\0\0" "\x0c\0\0\0Return-Path:"
	    "\x20\0\0\0" "0123456789abcdef0123456789abcdef";
	struct record	r = sample(REC_MESSAGE);
	struct buf	b;

	(void)state;
	buf_init(&b, RECORD_META_MAX);
	record_encode(&b, &r);
	assert_int_equal(b.n, sizeof(want) - 1);
	assert_memory_equal(b.p + b.at, want, b.n);
	buf_clear(&b);
}

/* One octet of a sound record changed so that it makes no sense. */
static const struct {
	enum record_type type;
	size_t		 at;
	char		 value;
} wrong[] = {
	{ REC_MESSAGE, 0, 0 },		/* folder 0 */
	{ REC_MESSAGE, 8, 0 },		/* UID 0 */
	{ REC_MESSAGE, 30, 32 },	/* no such flag */
	{ REC_MESSAGE, 39, 111 },	/* size is not trace and body */
	{ REC_MESSAGE, 43, 2 },		/* no such place */
	{ REC_MESSAGE, 60, 0 },		/* NUL in the trace */
	{ REC_MESSAGE, 43, 0 },		/* a hash, and no file */
	{ REC_MESSAGE, 68, 31 },	/* a hash too short */
	{ REC_FLAGS, 0, 0 },
	{ REC_FLAGS, 16, 3 },		/* how */
	{ REC_FLAGS, 17, 32 },
	{ REC_FLAGS, 30, 0 },		/* the set */
	{ REC_EXPUNGE, 20, 0 },
	{ REC_COPY, 8, 0 },
	{ REC_COPY, 16, 0 },
	{ REC_FOLDER, 0, 0 },
	{ REC_SUBSCRIBE, 0, 2 },
	{ REC_KEYWORD, 8, 64 },
	{ REC_RECENT, 8, 0 },
	{ REC_ROW_FOLDER, 12, 0 },	/* uidnext 0 */
	{ REC_ROW_FOLDER, 53, 0 },	/* a keyword of no octets */
	{ REC_ROW_MESSAGE, 8, 0 },
	{ REC_ROW_BODY, 24, 2 },
	{ REC_ROW_BODY, 24, 1 },	/* a file without its hash */
	{ REC_ROW_BODY, 25, 2 },	/* coding */
	{ REC_BODY, 0, 2 },
	{ REC_BODY, 1, 2 },
	{ REC_BODY, 6, 1 },		/* length above 2^32 */
	{ REC_SNAPSHOT_ROWS, 4, 0 },	/* no row */
	{ REC_SNAPSHOT_ROWS, 8, 1 },	/* a run too long */
	{ REC_SNAPSHOT_ROWS, 12, 2 },
	{ REC_BODY, 0, 1 },		/* a file without its hash */
};

static void
test_wrong(void **state)
{
	struct record	r;
	struct buf	b;
	size_t		i;

	(void)state;
	buf_init(&b, RECORD_META_MAX);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		r = sample(wrong[i].type);
		buf_reset(&b);
		record_encode(&b, &r);
		assert_true(wrong[i].at < b.n);
		assert_int_not_equal(b.p[b.at + wrong[i].at],
		    wrong[i].value);
		b.p[b.at + wrong[i].at] = wrong[i].value;
		if (record_decode((uint8_t)wrong[i].type, buf_str(&b),
		    &r) == 0)
			print_message("case %zu\n", i);
		assert_int_equal(record_decode((uint8_t)wrong[i].type,
		    buf_str(&b), &r), -1);
	}
	buf_clear(&b);
	assert_int_equal(record_decode(0, S(""), &r), -1);
	assert_int_equal(record_decode(255, S(""), &r), -1);
	assert_string_equal(record_name(255), "?");
}

/* Caps: one below, at, above. */
static void
test_caps(void **state)
{
	static char	name[STORE_NAME_MAX + 1];
	struct record	r;
	struct buf	b;
	size_t		n;

	(void)state;
	memset(name, 'n', sizeof(name));
	buf_init(&b, RECORD_META_MAX);
	for (n = STORE_NAME_MAX - 1; n <= STORE_NAME_MAX + 1; n++) {
		buf_reset(&b);
		pack_u64(&b, 4);
		pack_u32(&b, 2);
		pack_str(&b, str_of(name, n));
		assert_int_equal(record_decode(REC_FOLDER, buf_str(&b), &r),
		    n <= STORE_NAME_MAX ? 0 : -1);
	}
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_bad_sets),
		cmocka_unit_test(test_set_pieces),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
