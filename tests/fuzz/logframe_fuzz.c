/*
 * logframe_fuzz - opens a log whose one segment is what the fuzzer says, on the
 * disk in memory.  The first byte chooses whether checksums and the key are
 * made right first, so that the walk behind them is reached.
 *
 * Must not crash, loop or read outside; a log that opens must take a record
 * and give it back after the next open.
 */
#include <assert.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/disk/crc32c.h"
#include "common/disk/frame.h"
#include "common/disk/reclog.h"
#include "common/disk/scrub.h"
#include "tests/lib/simdisk.h"

enum { FIX_SUMS = 1, MAKE_FOOTER = 2, TWO_SEGMENTS = 4, KEY = 0x5eed };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct recpos	places[64];
static size_t		n_places;
static uint64_t		last_id;

static int
on_record(void *arg, const struct rec *r, struct recpos pos)
{
	(void)arg;
	if (n_places < 64)
		places[n_places++] = pos;
	last_id = r->id;
	return 0;
}

static void
put_file(const char *name, const char *p, size_t n)
{
	struct iovec	v = { (char *)(uintptr_t)p, n };
	int		fd = disk_open(SIM_DIRFD, name, O_RDWR | O_CREAT);

	assert(disk_write(fd, &v, 1, 0) == 0);
	disk_io->close(fd);
}

/* Makes heads that look meant right, frame by frame and record by record. */
static void
fix_sums(char *p, size_t n)
{
	struct frame_head	f;
	struct rec_head		r;
	size_t			at = SEG_HEAD, rec, i;
	uint32_t		body;

	seg_head_put(p, &(struct seg_head){ 1, KEY, 1, 1, p[7] & 1 });
	while (at + FRAME_HEAD <= n) {
		f = (struct frame_head){
			.kind = (enum frame_kind)(1 + p[at + 5] % 3),
			.key = KEY, .segment = 1, .offset = at,
			.sequence = get_u16(p + at + 32), .epoch = 1,
			.durable = get_u32(p + at + 48) % (n + 1),
			.length = get_u32(p + at + 56) % (uint32_t)(n + 1),
			.records = get_u32(p + at + 60) % 64,
		};
		rec = at + FRAME_HEAD;
		body = 0;
		for (i = 0; i < f.records && rec + REC_HEAD <= n; i++) {
			put_u32(p + rec + 12, get_u32(p + rec + 12) % 64);
			put_u32(p + rec + 16, get_u32(p + rec + 16) % 512);
			rec_head_get(p + rec, &r);
			if (rec + rec_size(&r) > n)
				break;
			r.checksum = rec_sum(p + rec, str_of(p + rec +
			    REC_HEAD, r.meta_n), KEY, rec);
			rec_head_put(p + rec, &r);
			body = crc32c(body, p + rec + 56, 4);
			rec += rec_size(&r);
		}
		f.body = body;
		frame_head_put(p + at, &f);
		at += f.length > FRAME_HEAD ? f.length : FRAME_HEAD;
	}
}

/* All behind the segment head becomes a footer.  Returns the new size. */
static size_t
make_footer(char *p, size_t n)
{
	uint32_t		 length;
	struct frame_head	 f = {
		.kind = FRAME_FOOTER, .key = KEY, .segment = 1,
		.offset = SEG_HEAD, .sequence = 9, .epoch = 1,
	};
	struct foot_tail	 t = { .key = KEY, .offset = SEG_HEAD };
	unsigned char		*body = (unsigned char *)p + SEG_HEAD;

	length = (uint32_t)(n - SEG_HEAD + HASH_LEN + FOOT_TAIL);
	f.length = t.length = length;
	frame_head_put(p + SEG_HEAD, &f);
	crypto_generichash(body + n - SEG_HEAD, HASH_LEN, body,
	    n - SEG_HEAD, NULL, 0);
	foot_tail_put(p + n + HASH_LEN, &t);
	return n + HASH_LEN + FOOT_TAIL;
}

static struct reclog *
open_log(void)
{
	struct reclog_conf	conf = { SIM_DIRFD, 1, 4096, 1 };
	struct reclog_report	report;

	n_places = 0;
	return reclog_open(&conf, on_record, NULL, &report);
}

static void
on_damage(void *arg, const struct scrub_damage *d)
{
	(void)arg;
	assert(scrub_part_name(d->part) != NULL && d->pos.segment != 0);
}

/* Comes to an end, whatever there is. */
static void
scrub(struct reclog *l, uint64_t budget)
{
	const struct scrub_ops	 ops = { .damage = on_damage };
	struct scrub		*s = scrub_new(l, &ops);
	unsigned		 steps = 0;

	while (scrub_step(s, l, budget))
		assert(++steps < 1000000);
	scrub_free(s);
}

static void
use(struct reclog *l)
{
	struct rec	r = { 1, 4711, S("meta"), S("payload") };
	struct recpos	pos;
	struct buf	b;
	size_t		i;

	buf_init(&b, 1 << 20);
	for (i = 0; i < n_places; i++)
		(void)reclog_read(l, places[i], 0, 1 << 16, &b);
	(void)reclog_has(l, reclog_mark(l));
	scrub(l, 300);
	buf_reset(&b);
	assert(reclog_add(l, &r, &pos) == 0);
	assert(reclog_commit(l, true) == RECLOG_OK);
	assert(reclog_read(l, pos, 0, 100, &b) == 0);
	assert(str_eq(buf_str(&b), S("payload")));
	buf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
	struct reclog	*l;
	char		*p;

	if (n < 1 || n > 65536)
		return 0;
	disk_io = &sim_io;
	sim_reset(1);
	p = calloc(1, n + HASH_LEN + FOOT_TAIL);
	memcpy(p, in + 1, n - 1);
	n--;
	if ((in[0] & FIX_SUMS) != 0 && n >= SEG_HEAD + FRAME_HEAD)
		fix_sums(p, n);
	if ((in[0] & MAKE_FOOTER) != 0 && n >= SEG_HEAD + FRAME_HEAD + 16)
		n = make_footer(p, n);
	put_file("0000000000000001.seg", p, n);
	if ((in[0] & TWO_SEGMENTS) != 0)
		put_file("0000000000000002.seg", "", 0);
	free(p);
	l = open_log();
	if (l != NULL) {
		use(l);
		reclog_close(l);
		last_id = 0;
		l = open_log();
		assert(l != NULL && last_id == 4711);
		reclog_close(l);
	}
	sim_reset(1);
	return 0;
}
