/*
 * log_seed - see log_seed.h.
 */
#include "tests/lib/log_seed.h"

#include <assert.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/disk/crc32c.h"
#include "common/disk/io.h"
#include "tests/lib/simdisk.h"

#define FIRST	"0000000000000001.seg"

enum { KEY = 0x5eed, RECORDS_MAX = 64 };

static void
put_file(const char *name, const char *p, size_t n)
{
	struct iovec	v = { (char *)(uintptr_t)p, n };
	int		fd = disk_open(SIM_DIRFD, name, O_RDWR | O_CREAT);

	assert(disk_write(fd, &v, 1, 0) == 0);
	disk_io->close(fd);
}

/* -- frames that look meant ------------------------------------------- */

static void
fix_payload(struct rec_head *r, const char *p)
{
	memset(r->hash, 0, HASH_LEN);
	r->payload_crc = crc32c(0, p, r->payload_n);
	if (r->payload_n > 0)
		crypto_generichash(r->hash, HASH_LEN,
		    (const unsigned char *)p, r->payload_n, NULL, 0);
}

/* The record at p, whose place in the segment is `at`; 0: it does not fit. */
static size_t
fix_record(char *p, size_t n, size_t at, bool whole, uint32_t *body)
{
	struct rec_head r;

	if (n < REC_HEAD)
		return 0;
	put_u32(p + 12, get_u32(p + 12) % 64);
	put_u32(p + 16, get_u32(p + 16) % 512);
	rec_head_get(p, &r);
	if (rec_size(&r) > n)
		return 0;
	if (whole)
		fix_payload(&r, p + REC_HEAD + r.meta_n);
	rec_head_put(p, &r);
	r.checksum = rec_sum(p, str_of(p + REC_HEAD, r.meta_n), KEY, at);
	rec_head_put(p, &r);
	*body = crc32c(*body, p + 56, 4);
	return (size_t)rec_size(&r);
}

/* The trailer of n records at p; its size, or 0 without room. */
static size_t
put_trailer(char *p, size_t room, const uint32_t *slots, uint32_t n,
    uint64_t frame)
{
	size_t		size = (size_t)n * FRAME_SLOT;
	uint32_t	i;

	if (n == 0 || room < size + FRAME_TAIL)
		return 0;
	for (i = 0; i < n; i++)
		put_u32(p + i * FRAME_SLOT, slots[i]);
	put_u32(p + size, n);
	put_u32(p + size + 4, trailer_sum(p, n, KEY, frame));
	return size + FRAME_TAIL;
}

/* Returns how long the frame says that it is. */
static size_t
fix_frame(char *p, size_t n, size_t at)
{
	struct frame_head	f;
	uint32_t		slots[RECORDS_MAX], i;
	size_t			rec = at + FRAME_HEAD, size;
	bool			whole = p[at + LOG_SEED_WHOLE_AT] & 1;

	f = (struct frame_head){
		.kind = (enum frame_kind)(1 + p[at + 5] % 3),
		.key = KEY, .segment = 1, .offset = at,
		.sequence = get_u16(p + at + 32), .epoch = 1,
		.durable = get_u32(p + at + 48) % (n + 1),
		.length = get_u32(p + at + 56) % (uint32_t)(n + 1),
		.records = get_u32(p + at + 60) % RECORDS_MAX,
	};
	for (i = 0; i < f.records; i++) {
		size = fix_record(p + rec, n - rec, rec, whole, &f.body);
		if (size == 0)
			break;
		slots[i] = (uint32_t)(rec - at);
		rec += size;
	}
	size = whole ? put_trailer(p + rec, n - rec, slots, i, at) : 0;
	if (size > 0) {
		f.records = i;
		f.length = (uint32_t)(rec + size - at);
	}
	frame_head_put(p + at, &f);
	return f.length;
}

static void
fix_sums(char *p, size_t n)
{
	size_t at = SEG_HEAD, length;

	seg_head_put(p, &(struct seg_head){ 1, KEY, 1, 1, p[7] & 1 });
	while (at + FRAME_HEAD <= n) {
		length = fix_frame(p, n, at);
		at += length > FRAME_HEAD ? length : FRAME_HEAD;
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

/* -- the log ---------------------------------------------------------- */

bool
log_seed_put(struct str seed)
{
	size_t	n = seed.n - 1;
	char	*p;

	if (seed.n < 1 || seed.n > 65536)
		return false;
	disk_io = &sim_io;
	sim_reset(1);
	p = calloc(1, n + HASH_LEN + FOOT_TAIL);
	assert(p != NULL);
	memcpy(p, seed.p + 1, n);
	if ((seed.p[0] & LOG_SUMS) != 0 && n >= SEG_HEAD + FRAME_HEAD)
		fix_sums(p, n);
	if ((seed.p[0] & LOG_FOOTER) != 0 && n >= SEG_HEAD + FRAME_HEAD + 16)
		n = make_footer(p, n);
	put_file(FIRST, p, n);
	if ((seed.p[0] & LOG_SECOND) != 0)
		put_file("0000000000000002.seg", "", 0);
	free(p);
	return true;
}

struct reclog *
log_seed_open(reclog_replay_fn *fn, void *arg, struct reclog_report *report)
{
	struct reclog_conf conf = { SIM_DIRFD, 1, 4096, 1 };

	return reclog_open(&conf, fn, arg, report);
}

void
log_seed_rot(struct str seed)
{
	unsigned	 bits = (unsigned char)seed.p[0];
	size_t		 n, back = bits / LOG_ROTS_AT * 8 + 1;
	unsigned char	*p = sim_file(FIRST, &n);

	if ((bits & LOG_ROTS) != 0 && p != NULL && n >= back)
		p[n - back] ^= 1;
}

bool
log_seed_file_of(void *arg, const struct rec *r, struct recpos pos,
    struct scrub_file *f)
{
	size_t n;

	(void)arg;
	(void)pos;
	if (r->type != LOG_SEED_FILE_TYPE)
		return false;
	*f = (struct scrub_file){ .dirfd = SIM_DIRFD };
	/* An odd one names a file that is there. */
	snprintf(f->name, sizeof(f->name), r->id % 2 == 0 ? "gone" : FIRST);
	if (r->id % 2 == 1 && sim_file(FIRST, &n) != NULL)
		f->size = n;
	f->has_hash = r->id % 4 == 1;
	return true;
}
