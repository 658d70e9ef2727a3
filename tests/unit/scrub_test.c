/*
 * scrub_test - a log in which every byte is flipped in turn, and each flip is
 * found and named; and what goes on in a log while it is scrubbed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/disk/io.h"
#include "common/disk/scrub.h"
#include "tests/lib/tmpdir.h"

enum {
	SEGMENTS = 3,		/* the last one is being written */
	FRAMES = 3, RECORDS = 3,
	META = 21, PAYLOAD = 90,
	PLENTY = 1 << 30,
	WINDOW = 256 * 1024,	/* read ahead at a time */
	PIECE = 128 * 1024	/* that a step may go over its budget */
};

static struct tmpdir		tmp;
static struct reclog		*log_;
static struct recpos		pos[SEGMENTS][FRAMES][RECORDS];
static struct scrub_damage	found[64];
static size_t			nfound;

/* -- a log --------------------------------------------------------------- */

static uint64_t
id_of(int seg, int frame, int rec)
{
	int id = seg * 100 + frame * 10 + rec + 1;

	return (uint64_t)id;
}

/* The first record of a frame has no payload. */
static size_t
payload_of(int rec)
{
	return rec == 0 ? 0 : PAYLOAD;
}

static void
put_frame(int seg, int frame)
{
	static const char	meta[META] = "some metadata";
	static const char	payload[PAYLOAD] = "some payload";
	struct rec		r = { .type = 7 };
	int			i;

	r.meta = str_of(meta, META);
	for (i = 0; i < RECORDS; i++) {
		r.id = id_of(seg, frame, i);
		r.payload = str_of(payload, payload_of(i));
		assert_int_equal(reclog_add(log_, &r, &pos[seg][frame][i]), 0);
	}
	assert_int_equal(reclog_commit(log_, true), RECLOG_OK);
}

static void
open_log(unsigned recycle)
{
	struct reclog_conf	c = { .dirfd = tmp.fd, .epoch = 1,
	    .segment_max = PLENTY, .recycle = recycle };
	struct reclog_report	rep;

	log_ = reclog_open(&c, NULL, NULL, &rep);
	assert_non_null(log_);
}

static int
setup(void **state)
{
	int i, k;

	(void)state;
	tmpdir_make(&tmp);
	open_log(2);
	for (i = 0; i < SEGMENTS; i++) {
		for (k = 0; k < FRAMES; k++)
			put_frame(i, k);
		if (i < SEGMENTS - 1)
			assert_int_equal(reclog_seal(log_), RECLOG_OK);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	disk_io = &disk_io_real;
	reclog_close(log_);
	tmpdir_remove(&tmp);
	return 0;
}

/* -- scrubbing ----------------------------------------------------------- */

static void
on_damage(void *arg, const struct scrub_damage *d)
{
	(void)arg;
	if (nfound < sizeof(found) / sizeof(found[0]))
		found[nfound] = *d;
	nfound++;
}

static const struct scrub_ops ops = { .damage = on_damage };

static struct scrub_counts
scrub_all(const struct scrub_ops *o, uint64_t budget)
{
	struct scrub		*s = scrub_new(log_, o);
	struct scrub_counts	 c;

	nfound = 0;
	while (scrub_step(s, log_, budget))
		continue;
	c = *scrub_counts(s);
	scrub_free(s);
	return c;
}

static void
test_clean(void **state)
{
	static const uint64_t	budgets[] = { 1, 100, 5000, PLENTY };
	struct scrub_counts	c;
	size_t			i;

	(void)state;
	for (i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
		c = scrub_all(&ops, budgets[i]);
		assert_int_equal(nfound, 0);
		assert_int_equal(c.damaged, 0);
		assert_int_equal(c.segments, SEGMENTS);
		assert_int_equal(c.frames, SEGMENTS * FRAMES);
		assert_int_equal(c.records, SEGMENTS * FRAMES * RECORDS);
		assert_true(c.bytes > SEGMENTS * FRAMES * RECORDS * META);
	}
	/* One that nothing was ever written to. */
	reclog_close(log_);
	assert_int_equal(unlinkat(tmp.fd, "0000000000000001.seg", 0), 0);
	assert_int_equal(unlinkat(tmp.fd, "0000000000000002.seg", 0), 0);
	assert_int_equal(unlinkat(tmp.fd, "0000000000000003.seg", 0), 0);
	open_log(0);
	c = scrub_all(&ops, PLENTY);
	assert_int_equal(c.segments + c.bytes + nfound, 0);
}

/* -- every byte ---------------------------------------------------------- */

/* What the byte belongs to, by what is known of the layout. */
static struct scrub_damage
expected(int seg, uint64_t at, uint64_t size)
{
	struct scrub_damage	d = { .pos.segment = (uint64_t)seg + 1 };
	uint64_t		off, end = 0;
	int			f, r;

	d.part = SCRUB_HEAD;
	d.pos.offset = at < SEG_COPY ? 0 : SEG_COPY;
	if (at < SEG_HEAD)
		return d;
	for (f = 0; f < FRAMES; f++) {
		d.part = SCRUB_FRAME;
		d.pos.offset = pos[seg][f][0].offset - FRAME_HEAD;
		if (at < pos[seg][f][0].offset)
			return d;
		d.type = 7;
		for (r = 0; r < RECORDS; r++) {
			off = pos[seg][f][r].offset;
			d.pos.offset = off;
			d.id = id_of(seg, f, r);
			d.part = SCRUB_RECORD;
			if (at < off + REC_HEAD + META)
				return d;
			end = off + REC_HEAD + META + payload_of(r);
			d.part = SCRUB_PAYLOAD;
			if (at < end)
				return d;
		}
		end += RECORDS * FRAME_SLOT + FRAME_TAIL;
		d.part = SCRUB_TRAILER;
		d.pos.offset = end - FRAME_TAIL;
		d.type = 0;
		d.id = 0;
		if (at < end)
			return d;
	}
	d.part = at < size - FOOT_TAIL ? SCRUB_FOOTER : SCRUB_TAIL;
	d.pos.offset = at < size - FOOT_TAIL ? end : size - FOOT_TAIL;
	return d;
}

static void
flip(int fd, uint64_t at, unsigned bit)
{
	unsigned char c;

	assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
	c ^= (unsigned char)(1u << bit);
	assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
}

/* A record's own head does not say what it was, and only a footer does. */
static bool
is_known(int seg, const struct scrub_damage *d)
{
	return seg < SEGMENTS - 1 || d->part != SCRUB_RECORD;
}

static void
check_flip(int fd, int seg, uint64_t at, uint64_t size)
{
	struct scrub_damage	d = expected(seg, at, size);
	unsigned		bit = (unsigned)(at % 8);

	flip(fd, at, bit);
	(void)scrub_all(&ops, at % 2 == 0 ? PLENTY : 200);
	flip(fd, at, bit);
	if (nfound != 1 || found[0].part != d.part ||
	    found[0].pos.segment != d.pos.segment ||
	    found[0].pos.offset != d.pos.offset)
		fail_msg("segment %d byte %llu: %zu found, %s at %llu:%llu, "
		    "not %s at %llu", seg, (unsigned long long)at, nfound,
		    scrub_part_name(found[0].part),
		    (unsigned long long)found[0].pos.segment,
		    (unsigned long long)found[0].pos.offset,
		    scrub_part_name(d.part),
		    (unsigned long long)d.pos.offset);
	if (is_known(seg, &d) && (found[0].type != d.type ||
	    found[0].id != d.id))
		fail_msg("segment %d byte %llu: type %u id %llu", seg,
		    (unsigned long long)at, found[0].type,
		    (unsigned long long)found[0].id);
}

static void
test_every_byte(void **state)
{
	char		name[32];
	int		seg, fd;
	uint64_t	at, size;

	(void)state;
	for (seg = 0; seg < SEGMENTS; seg++) {
		snprintf(name, sizeof(name), "%016x.seg", (unsigned)seg + 1);
		fd = openat(tmp.fd, name, O_RDWR);
		assert_int_not_equal(fd, -1);
		size = (uint64_t)lseek(fd, 0, SEEK_END);
		for (at = 0; at < size; at++)
			check_flip(fd, seg, at, size);
		close(fd);
	}
	(void)scrub_all(&ops, PLENTY);
	assert_int_equal(nfound, 0);
}

/* Several at once: each is told, and what lies between is still read. */
static void
test_many(void **state)
{
	struct scrub_counts	c;
	int			fd = openat(tmp.fd, "0000000000000001.seg",
				    O_RDWR);

	(void)state;
	flip(fd, pos[0][0][0].offset - FRAME_HEAD + 20, 1);
	flip(fd, pos[0][0][1].offset + 3, 1);
	flip(fd, pos[0][0][2].offset + REC_HEAD + META + 7, 1);
	flip(fd, pos[0][1][0].offset + 3, 1);
	flip(fd, pos[0][1][2].offset + REC_HEAD + META + PAYLOAD + 2, 1);
	/* The footer is the next head. */
	flip(fd, pos[0][2][0].offset - FRAME_HEAD + 9, 1);
	close(fd);
	c = scrub_all(&ops, 64);
	assert_int_equal(found[0].part, SCRUB_FRAME);
	assert_int_equal(found[1].part, SCRUB_RECORD);
	assert_int_equal(found[1].id, id_of(0, 0, 1));
	assert_int_equal(found[2].part, SCRUB_PAYLOAD);
	assert_int_equal(found[2].id, id_of(0, 0, 2));
	assert_int_equal(found[3].part, SCRUB_TRAILER);
	assert_int_equal(found[4].part, SCRUB_RECORD);
	assert_int_equal(found[4].id, id_of(0, 1, 0));
	assert_int_equal(found[5].part, SCRUB_FRAME);
	assert_int_equal(nfound, 6);
	assert_int_equal(c.damaged, 6);
	/* Gone with the table: the two behind the first of frame 1. */
	assert_int_equal(c.records, SEGMENTS * FRAMES * RECORDS - 1 - 3);
}

/* A payload with the right CRC-32C that is not what was written. */
static void
test_hash(void **state)
{
	struct seg_head	seg;
	struct rec_head	h;
	struct recpos	p = pos[0][1][1];
	char		raw[REC_HEAD + META], head[SEG_COPY];
	int		fd = openat(tmp.fd, "0000000000000001.seg", O_RDWR);

	(void)state;
	assert_int_equal(pread(fd, head, SEG_COPY, 0), SEG_COPY);
	assert_int_equal(seg_head_get(head, &seg), FRAME_GOOD);
	assert_int_equal(pread(fd, raw, sizeof(raw), (off_t)p.offset),
	    sizeof(raw));
	rec_head_get(raw, &h);
	h.hash[5] ^= 1;
	rec_head_put(raw, &h);
	h.checksum = rec_sum(raw, str_of(raw + REC_HEAD, META), seg.key,
	    p.offset);
	rec_head_put(raw, &h);
	assert_int_equal(pwrite(fd, raw, sizeof(raw), (off_t)p.offset),
	    sizeof(raw));
	close(fd);
	(void)scrub_all(&ops, 100);
	assert_int_equal(nfound, 2);
	assert_int_equal(found[0].part, SCRUB_PAYLOAD);
	assert_int_equal(found[0].id, id_of(0, 1, 1));
	/* And the frame is not the one that was committed. */
	assert_int_equal(found[1].part, SCRUB_FRAME);
}

/* -- while it is in use -------------------------------------------------- */

static uint64_t	bytes_read;

static ssize_t
counting_pread(int fd, void *p, size_t n, off_t at)
{
	bytes_read += n;
	return disk_io_real.pread(fd, p, n, at);
}

static void
test_budget(void **state)
{
	enum { BIG = 4 * 1024 * 1024, BUDGET = 300 * 1024 };
	struct disk_io	 counting = disk_io_real;
	struct rec	 r = { .type = 7, .id = 1 };
	struct scrub	*s;
	struct recpos	 at;
	char		*big = calloc(1, BIG);
	unsigned	 steps = 0;
	bool		 more;

	(void)state;
	counting.pread = counting_pread;
	disk_io = &counting;
	r.payload = str_of(big, BIG);
	assert_int_equal(reclog_add(log_, &r, &at), 0);
	assert_int_equal(reclog_commit(log_, true), RECLOG_OK);
	free(big);
	s = scrub_new(log_, &ops);
	do {
		bytes_read = 0;
		more = scrub_step(s, log_, BUDGET);
		steps++;
		/* The window reads ahead of the last piece. */
		assert_in_range(bytes_read, 0, BUDGET + PIECE + WINDOW);
	} while (more);
	assert_in_range(steps, BIG / (BUDGET + PIECE), BIG / BUDGET + 4);
	assert_false(scrub_step(s, log_, BUDGET));
	scrub_free(s);
}

/*
 * At each moment a segment may be retired, and its file written anew as
 * another; what was added since is not looked at.
 */
static void
test_retire(void **state)
{
	struct scrub	*s;
	unsigned	 k, when;
	bool		 more = true;

	(void)state;
	for (when = 0; more; when++) {
		teardown(NULL);
		setup(NULL);
		nfound = 0;
		s = scrub_new(log_, &ops);
		for (k = 0; k < when && more; k++)
			more = scrub_step(s, log_, 1);
		assert_int_equal(reclog_retire(log_, 1), 0);
		assert_int_equal(reclog_seal(log_), RECLOG_OK);
		put_frame(0, 0);
		put_frame(0, 1);
		while (scrub_step(s, log_, 1))
			continue;
		if (nfound != 0)
			fail_msg("retired after %u steps: %s", when,
			    scrub_part_name(found[0].part));
		assert_in_range(scrub_counts(s)->segments, SEGMENTS - 1,
		    SEGMENTS);
		scrub_free(s);
	}
	assert_true(when > FRAMES * RECORDS);
}

/* -- files and disks ----------------------------------------------------- */

static struct scrub_file	the_file;

static bool
file_of(void *arg, const struct rec *r, struct recpos p,
    struct scrub_file *f)
{
	(void)arg;
	(void)p;
	*f = the_file;
	return r->id == id_of(1, 1, 0);
}

static void
test_files(void **state)
{
	enum { SIZE = 300000 };
	static unsigned char	content[SIZE];
	struct scrub_ops	with = { on_damage, file_of, NULL };
	struct scrub_counts	c;
	int			fd;

	(void)state;
	memset(content, 'f', sizeof(content));
	fd = openat(tmp.fd, "large", O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, content, SIZE), SIZE);
	the_file = (struct scrub_file){ .dirfd = tmp.fd, .name = "large",
	    .size = SIZE, .has_hash = true };
	crypto_generichash(the_file.hash, HASH_LEN, content, SIZE, NULL, 0);
	c = scrub_all(&with, 1000);
	assert_int_equal(nfound, 0);
	assert_int_equal(c.files, 1);
	flip(fd, SIZE - 1, 0);
	c = scrub_all(&with, 1000);
	assert_int_equal(nfound, 1);
	assert_int_equal(found[0].part, SCRUB_FILE);
	assert_int_equal(found[0].id, id_of(1, 1, 0));
	assert_int_equal(found[0].pos.offset, pos[1][1][0].offset);
	assert_int_equal(c.records, SEGMENTS * FRAMES * RECORDS);
	/* Only its size can be told. */
	the_file.has_hash = false;
	(void)scrub_all(&with, 1000);
	assert_int_equal(nfound, 0);
	the_file.size++;
	(void)scrub_all(&with, 1000);
	assert_int_equal(nfound, 1);
	unlinkat(tmp.fd, "large", 0);
	(void)scrub_all(&with, 1000);
	assert_int_equal(nfound, 1);
	close(fd);
}

static int64_t bad_reads;

static ssize_t
failing_pread(int fd, void *p, size_t n, off_t at)
{
	if (bad_reads-- == 0) {
		errno = EIO;
		return -1;
	}
	return disk_io_real.pread(fd, p, n, at);
}

/* A disk that fails is damage, and no end. */
static void
test_unreadable(void **state)
{
	struct disk_io	failing = disk_io_real;
	int64_t		when;

	(void)state;
	failing.pread = failing_pread;
	disk_io = &failing;
	for (when = 0;; when++) {
		bad_reads = when;
		(void)scrub_all(&ops, 100);
		if (bad_reads >= 0)
			break;
		assert_int_equal(nfound, 1);
		assert_int_equal(found[0].part, SCRUB_UNREADABLE);
	}
	assert_true(when >= SEGMENTS);
	disk_io = &disk_io_real;
	assert_int_equal(unlinkat(tmp.fd, "0000000000000001.seg", 0), 0);
	(void)scrub_all(&ops, 100);
	assert_int_equal(nfound, 1);
	assert_int_equal(found[0].part, SCRUB_UNREADABLE);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_clean), T(test_every_byte), T(test_many), T(test_hash),
		T(test_budget), T(test_retire), T(test_files),
		T(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
