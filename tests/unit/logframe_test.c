/*
 * logframe_test - heads there and back, every byte of them flipped in turn, and
 * the two ways to a CRC-32C.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/core/pack.h"
#include "common/disk/crc32c.h"
#include "common/disk/frame.h"
#include "common/disk/reclog.h"

/* RFC 3720 B.4, and the check value that every catalogue has. */
static void
crc_vectors(void **state)
{
	unsigned char	b[32];
	int		i;
	uint32_t	(*way[])(uint32_t, const void *, size_t) = {
		crc32c, crc32c_table,
	};
	size_t		k;

	(void)state;
	for (k = 0; k < 2; k++) {
		assert_int_equal(way[k](0, "123456789", 9), 0xe3069283);
		memset(b, 0, sizeof(b));
		assert_int_equal(way[k](0, b, 32), 0x8a9136aa);
		memset(b, 0xff, sizeof(b));
		assert_int_equal(way[k](0, b, 32), 0x62a8ab43);
		for (i = 0; i < 32; i++)
			b[i] = (unsigned char)i;
		assert_int_equal(way[k](0, b, 32), 0x46dd794e);
		for (i = 0; i < 32; i++)
			b[i] = (unsigned char)(31 - i);
		assert_int_equal(way[k](0, b, 32), 0x113fdb5c);
		assert_int_equal(way[k](7, b, 0), 7);
	}
}

static void
crc_in_pieces(void **state)
{
	unsigned char	b[300];
	uint32_t	whole;
	size_t		i, n;

	(void)state;
	for (i = 0; i < sizeof(b); i++)
		b[i] = (unsigned char)(i * i + 3);
	for (n = 0; n <= sizeof(b); n++) {
		whole = crc32c(0, b, n);
		assert_int_equal(crc32c_table(0, b, n), whole);
		for (i = 0; i <= n; i += 7)
			assert_int_equal(crc32c(crc32c(0, b, i), b + i,
			    n - i), whole);
	}
}

static const struct frame_head	sample = {
	.kind = FRAME_DATA, .key = 0x1122334455667788, .segment = 7,
	.offset = 1024, .sequence = 99, .epoch = 3, .durable = 1024,
	.length = 4096, .records = 12, .body = 0xdeadbeef,
};

static void
frame_heads(void **state)
{
	char			p[FRAME_HEAD];
	struct frame_head	h = sample, g;
	size_t			i;

	(void)state;
	frame_head_put(p, &h);
	assert_int_equal(frame_head_get(p, &g), FRAME_GOOD);
	assert_int_equal(g.kind, FRAME_DATA);
	assert_int_equal(g.key, sample.key);
	assert_int_equal(g.segment, 7);
	assert_int_equal(g.offset, 1024);
	assert_int_equal(g.sequence, 99);
	assert_int_equal(g.epoch, 3);
	assert_int_equal(g.durable, 1024);
	assert_int_equal(g.length, 4096);
	assert_int_equal(g.records, 12);
	assert_int_equal(g.body, 0xdeadbeef);
	assert_int_equal(g.checksum, h.checksum);
	assert_int_equal(get_u64(p + 8), sample.key);
	for (i = 0; i < sizeof(p) * 8; i++) {
		p[i / 8] = (char)(p[i / 8] ^ 1 << i % 8);
		assert_int_equal(frame_head_get(p, &g), FRAME_BAD);
		p[i / 8] = (char)(p[i / 8] ^ 1 << i % 8);
	}
	p[4] = FRAME_VERSION + 1;
	put_u32(p + FRAME_HEAD - 4, crc32c(0, p, FRAME_HEAD - 4));
	assert_int_equal(frame_head_get(p, &g), FRAME_FOREIGN);
}

static void
frame_limits(void **state)
{
	static const struct {
		int		  kind;
		uint32_t	  length, records;
		enum frame_sight  want;
	} table[] = {
		{ FRAME_DATA, 143, 1, FRAME_BAD },
		{ FRAME_DATA, 144, 1, FRAME_GOOD },
		{ FRAME_DATA, 207, 2, FRAME_BAD },
		{ FRAME_DATA, 208, 2, FRAME_GOOD },
		{ FRAME_DATA, 4096, 0, FRAME_BAD },
		{ FRAME_DATA, RECLOG_FRAME_MAX - 1, 1, FRAME_GOOD },
		{ FRAME_DATA, RECLOG_FRAME_MAX, 1, FRAME_GOOD },
		{ FRAME_DATA, RECLOG_FRAME_MAX + 1, 1, FRAME_BAD },
		{ FRAME_DATA, 4096, 0xffffffff, FRAME_BAD },
		{ FRAME_FOOTER, 135, 0, FRAME_BAD },
		{ FRAME_FOOTER, 136, 0, FRAME_GOOD },
		{ FRAME_END, FRAME_HEAD, 0, FRAME_GOOD },
		{ FRAME_END, FRAME_HEAD, 1, FRAME_BAD },
		{ FRAME_END, FRAME_HEAD + 1, 0, FRAME_BAD },
		{ 0, 4096, 1, FRAME_BAD },
		{ 4, 4096, 1, FRAME_BAD },
	};
	char			p[FRAME_HEAD];
	struct frame_head	h, g;
	size_t			i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		h = sample;
		h.kind = (enum frame_kind)table[i].kind;
		h.length = table[i].length;
		h.records = table[i].records;
		frame_head_put(p, &h);
		if (frame_head_get(p, &g) != table[i].want)
			fail_msg("row %zu", i);
	}
}

static void
seg_heads(void **state)
{
	char		p[SEG_COPY];
	struct seg_head	h = { 5, 77, 2, 1000, true }, g;
	size_t		i;

	(void)state;
	seg_head_put(p, &h);
	assert_int_equal(seg_head_get(p, &g), FRAME_GOOD);
	assert_int_equal(g.id, 5);
	assert_int_equal(g.key, 77);
	assert_int_equal(g.epoch, 2);
	assert_int_equal(g.sequence, 1000);
	assert_true(g.recycled);
	for (i = 0; i < 48 * 8; i++) {
		p[i / 8] = (char)(p[i / 8] ^ 1 << i % 8);
		assert_int_equal(seg_head_get(p, &g), FRAME_BAD);
		p[i / 8] = (char)(p[i / 8] ^ 1 << i % 8);
	}
	p[4] = FRAME_VERSION + 1;
	put_u32(p + 44, crc32c(0, p, 44));
	assert_int_equal(seg_head_get(p, &g), FRAME_FOREIGN);
}

static void
rec_heads(void **state)
{
	char		p[REC_HEAD];
	struct rec_head	h = { .type = 239, .id = 1ULL << 60, .meta_n = 3,
			    .payload_n = 10, .payload_crc = 4 }, g;
	size_t		i;

	(void)state;
	memset(h.hash, 0xab, sizeof(h.hash));
	rec_head_put(p, &h);
	h.checksum = rec_sum(p, S("abc"), 42, 2048);
	rec_head_put(p, &h);
	rec_head_get(p, &g);
	assert_memory_equal(&g.hash, &h.hash, HASH_LEN);
	assert_int_equal(g.type, 239);
	assert_int_equal(rec_size(&g), REC_HEAD + 13);
	assert_int_equal(rec_sum(p, S("abc"), 42, 2048), g.checksum);
	/* Elsewhere, under another key, or with other metadata: refused. */
	assert_int_not_equal(rec_sum(p, S("abc"), 42, 2049), g.checksum);
	assert_int_not_equal(rec_sum(p, S("abc"), 43, 2048), g.checksum);
	assert_int_not_equal(rec_sum(p, S("abd"), 42, 2048), g.checksum);
	for (i = 0; i < 56; i++) {
		p[i] = (char)(p[i] ^ 0x10);
		assert_int_not_equal(rec_sum(p, S("abc"), 42, 2048),
		    g.checksum);
		p[i] = (char)(p[i] ^ 0x10);
	}
}

static void
foot_tails(void **state)
{
	char			p[FOOT_TAIL];
	struct foot_tail	t = { 1, 2, 3 }, u;
	size_t			i;

	(void)state;
	foot_tail_put(p, &t);
	assert_int_equal(foot_tail_get(p, &u), FRAME_GOOD);
	assert_int_equal(u.key, 1);
	assert_int_equal(u.offset, 2);
	assert_int_equal(u.length, 3);
	for (i = 0; i < sizeof(p) * 8; i++) {
		p[i / 8] = (char)(p[i / 8] ^ 1 << i % 8);
		assert_int_equal(foot_tail_get(p, &u), FRAME_BAD);
		p[i / 8] = (char)(p[i / 8] ^ 1 << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_vectors),
		cmocka_unit_test(crc_in_pieces),
		cmocka_unit_test(frame_heads),
		cmocka_unit_test(frame_limits),
		cmocka_unit_test(seg_heads),
		cmocka_unit_test(rec_heads),
		cmocka_unit_test(foot_tails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
