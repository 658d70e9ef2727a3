/*
 * reclog_test - the record log on real files: adding, committing, reading,
 * sealing, recycling, marks and limits.  Damage: every byte of a small log
 * flipped in turn, every length that the last segment could be cut to.  The
 * power cuts are in tests/fault/reclog_crash_test.c.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/core/xalloc.h"
#include "common/disk/io.h"
#include "common/disk/reclog.h"

enum { IDS = 4096 };

static char			dir[] = "/tmp/reclog_test.XXXXXX";
static int			dirfd_;
static struct reclog_conf	conf;
static struct reclog_report	report;

/* What the last replay brought. */
static uint64_t			ids[IDS];
static struct recpos		places[IDS];
static size_t			n_ids;
static bool			refuse;

static void
empty_dir(void)
{
	struct dirent	*e;
	DIR		*d = opendir(dir);

	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			unlinkat(dirfd_, e->d_name, 0);
	closedir(d);
}

static int
setup(void **state)
{
	(void)state;
	empty_dir();
	refuse = false;
	conf = (struct reclog_conf){
		.dirfd = dirfd_, .epoch = 1, .segment_max = 1 << 20,
		.recycle = 2,
	};
	return 0;
}

static int
on_record(void *arg, const struct rec *r, struct recpos pos)
{
	(void)arg;
	assert_null(r->payload.p);
	assert_true(n_ids < IDS);
	ids[n_ids] = r->id;
	places[n_ids++] = pos;
	return refuse ? 1 : 0;
}

static struct reclog *
open_log(void)
{
	n_ids = 0;
	return reclog_open(&conf, on_record, NULL, &report);
}

static struct reclog *
must_open(void)
{
	struct reclog *l = open_log();

	if (l == NULL)
		fail_msg("open: %s", strerror(errno));
	return l;
}

static struct recpos
add(struct reclog *l, uint64_t id, struct str meta, struct str payload)
{
	struct rec	r = { 1, id, meta, payload };
	struct recpos	pos;

	assert_int_equal(reclog_add(l, &r, &pos), 0);
	return pos;
}

static struct recpos
put(struct reclog *l, uint64_t id, struct str meta, struct str payload)
{
	struct recpos pos = add(l, id, meta, payload);

	assert_int_equal(reclog_commit(l, true), RECLOG_OK);
	return pos;
}

static void
expect(struct reclog *l, struct recpos pos, struct str meta,
    struct str payload)
{
	struct buf	m, p;
	struct rec	r;

	buf_init(&m, RECLOG_META_MAX);
	buf_init(&p, RECLOG_PAYLOAD_MAX);
	assert_int_equal(reclog_read_rec(l, pos, &r, &m, &p), 0);
	assert_true(str_eq(r.meta, meta));
	assert_true(str_eq(r.payload, payload));
	buf_clear(&m);
	buf_clear(&p);
}

static int
count_files(const char *prefix)
{
	struct dirent	*e;
	DIR		*d = opendir(dir);
	int		 n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static bool
is_healthy(void)
{
	return report.quarantined == 0 && report.damaged == 0 &&
	    report.torn_bytes == 0 && report.footers_rebuilt == 0;
}

static void
there_and_back(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 a, b, c;

	(void)state;
	assert_int_equal(report.segments, 0);
	assert_int_equal(reclog_pending(l), 0);
	assert_int_equal(reclog_commit(l, true), RECLOG_OK);
	a = put(l, 1, S("meta"), S("payload"));
	b = add(l, 2, S(""), S("no meta"));
	c = add(l, 3, S("no payload"), S(""));
	assert_true(reclog_pending(l) > 0);
	assert_int_equal(reclog_commit(l, false), RECLOG_OK);
	assert_false(reclog_is_synced(l));
	assert_int_equal(reclog_commit(l, true), RECLOG_OK);
	assert_true(reclog_is_synced(l));
	expect(l, a, S("meta"), S("payload"));
	expect(l, b, S(""), S("no meta"));
	expect(l, c, S("no payload"), S(""));
	reclog_close(l);
	reclog_close(NULL);

	l = must_open();
	assert_true(is_healthy());
	assert_int_equal(report.records, 3);
	assert_int_equal(report.segments, 1);
	assert_int_equal(ids[0], 1);
	assert_int_equal(ids[2], 3);
	assert_int_equal(places[1].offset, b.offset);
	expect(l, places[0], S("meta"), S("payload"));
	reclog_close(l);
}

static void
dropped_is_nowhere(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 pos;

	(void)state;
	add(l, 1, S("x"), S("gone"));
	reclog_drop(l);
	assert_int_equal(reclog_pending(l), 0);
	pos = put(l, 2, S("y"), S("stays"));
	reclog_close(l);
	l = must_open();
	assert_int_equal(n_ids, 1);
	assert_int_equal(ids[0], 2);
	expect(l, pos, S("y"), S("stays"));
	reclog_close(l);
}

static void
reads_pieces(void **state)
{
	static const struct { uint64_t from; size_t n; const char *want; }
	table[] = {
		{ 0, 10, "0123456789" }, { 0, 11, "0123456789" },
		{ 0, 9, "012345678" }, { 9, 1, "9" }, { 9, 5, "9" },
		{ 10, 5, "" }, { 11, 1, "" }, { 3, 0, "" },
		{ UINT64_MAX, 5, "" },
	};
	struct reclog	*l = must_open();
	struct recpos	 pos = put(l, 1, S("m"), S("0123456789"));
	struct buf	 b;
	size_t		 i;

	(void)state;
	buf_init(&b, 100);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		buf_reset(&b);
		assert_int_equal(reclog_read(l, pos, table[i].from,
		    table[i].n, &b), 0);
		assert_string_equal(buf_cstr(&b), table[i].want);
	}
	buf_clear(&b);
	reclog_close(l);
}

/* A position that is none: of no segment, or inside a record. */
static void
refuses_false_positions(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 pos = put(l, 1, S("m"), S("0123456789")), wrong;
	struct buf	 b;

	(void)state;
	buf_init(&b, 100);
	wrong = (struct recpos){ pos.segment + 1, pos.offset };
	assert_int_equal(reclog_read(l, wrong, 0, 10, &b), -1);
	assert_int_equal(errno, ENOENT);
	wrong = (struct recpos){ pos.segment, pos.offset + 1 };
	assert_int_equal(reclog_read(l, wrong, 0, 10, &b), -1);
	assert_int_equal(errno, EBADMSG);
	wrong = (struct recpos){ pos.segment, 1 << 30 };
	assert_int_equal(reclog_read(l, wrong, 0, 10, &b), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(b.n, 0);
	buf_clear(&b);
	reclog_close(l);
}

static void
limits(void **state)
{
	static const struct { size_t meta, payload; int want; } table[] = {
		{ RECLOG_META_MAX - 1, 0, 0 },
		{ RECLOG_META_MAX, 0, 0 },
		{ RECLOG_META_MAX + 1, 0, -1 },
		{ 0, RECLOG_PAYLOAD_MAX - 1, 0 },
		{ 0, RECLOG_PAYLOAD_MAX, 0 },
		{ 0, RECLOG_PAYLOAD_MAX + 1, -1 },
	};
	char		*big = xcalloc(1, RECLOG_PAYLOAD_MAX + 1);
	struct reclog	*l = must_open();
	struct recpos	 pos;
	size_t		 i, before;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct rec r = { 239, i, str_of(big, table[i].meta),
		    str_of(big, table[i].payload) };

		before = reclog_pending(l);
		assert_int_equal(reclog_add(l, &r, &pos), table[i].want);
		if (table[i].want == -1)
			assert_int_equal(reclog_pending(l), before);
		else
			assert_int_equal(reclog_commit(l, true), RECLOG_OK);
		if (table[i].want == 0)
			expect(l, pos, r.meta, r.payload);
	}
	reclog_close(l);
	l = must_open();
	assert_int_equal(n_ids, 4);
	assert_true(is_healthy());
	reclog_close(l);
	free(big);
}

/* One byte less, as much, and one byte more than a frame may have. */
static void
frame_limit(void **state)
{
	char		*big = xcalloc(1, RECLOG_PAYLOAD_MAX);
	struct reclog	*l;
	struct rec	 r;
	struct recpos	 pos;
	size_t		 left;
	int		 over, i;

	(void)state;
	for (over = -1; over <= 1; over++) {
		empty_dir();
		l = must_open();
		for (i = 0; i < 3; i++)
			add(l, 1, S(""), str_of(big, RECLOG_PAYLOAD_MAX));
		left = RECLOG_FRAME_MAX - reclog_pending(l) - 64;
		r = (struct rec){ 1, 2, S(""),
		    str_of(big, left + (size_t)over) };
		assert_int_equal(reclog_add(l, &r, &pos), over == 1 ? -1 : 0);
		assert_int_equal(reclog_commit(l, true), RECLOG_OK);
		reclog_close(l);
		l = must_open();
		assert_int_equal(n_ids, over == 1 ? 3 : 4);
		assert_true(is_healthy());
		reclog_close(l);
	}
	free(big);
}

/* More pieces than one pwritev takes. */
static void
many_records(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 pos[3000];
	uint64_t	 i;

	(void)state;
	conf.segment_max = 1 << 20;
	for (i = 0; i < 3000; i++)
		pos[i] = add(l, i, S("meta"), str_from(S("payload"), i % 7));
	assert_int_equal(reclog_commit(l, true), RECLOG_OK);
	assert_int_equal(reclog_mark(l).sequence, 1);
	for (i = 0; i < 3000; i += 97)
		expect(l, pos[i], S("meta"), str_from(S("payload"), i % 7));
	reclog_close(l);
	l = must_open();
	assert_int_equal(n_ids, 3000);
	for (i = 0; i < 3000; i++)
		assert_int_equal(ids[i], i);
	reclog_close(l);
}

static void
seals_and_recycles(void **state)
{
	struct reclog	*l;
	char		 text[1000] = { 1 };
	uint64_t	 i, first, sealed;

	(void)state;
	conf.segment_max = 10000;
	l = must_open();
	first = reclog_segment(l);
	for (i = 0; reclog_segment(l) < first + 4; i++)
		put(l, i, S("meta"), str_of(text, sizeof(text)));
	sealed = i;
	/* The newest file keeps the count of segments: it must stay. */
	assert_int_equal(reclog_retire(l, first + 3), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(reclog_retire(l, reclog_segment(l)), -1);
	assert_int_equal(errno, EBUSY);
	put(l, i++, S("meta"), str_of(text, sizeof(text)));
	sealed++;
	/* What the caller copied out of it must be durable before it goes. */
	add(l, i++, S("meta"), str_of(text, sizeof(text)));
	sealed++;
	assert_int_equal(reclog_commit(l, false), RECLOG_OK);
	assert_int_equal(reclog_retire(l, first), 0);
	assert_true(reclog_is_synced(l));
	assert_int_equal(reclog_retire(l, first), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(reclog_retire(l, first + 1), 0);
	assert_int_equal(reclog_retire(l, first + 2), 0);
	assert_int_equal(count_files("spare-"), 2);
	assert_int_equal(count_files("0000"), 2);
	assert_int_equal(reclog_seal(l), RECLOG_OK);
	put(l, i++, S("in a spare"), S("x"));
	assert_int_equal(count_files("spare-"), 1);
	reclog_close(l);

	l = must_open();
	assert_true(is_healthy());
	assert_int_equal(report.segments, 3);
	assert_int_equal(n_ids, (sealed - 2) / 4 + 3);
	assert_int_equal(ids[n_ids - 1], i - 1);
	expect(l, places[n_ids - 1], S("in a spare"), S("x"));
	expect(l, places[0], S("meta"), str_of(text, sizeof(text)));
	assert_int_equal(reclog_segment(l), first + 5);
	reclog_close(l);
	conf.recycle = 0;
	reclog_close(must_open());
	assert_int_equal(count_files("spare-"), 0);
}

static void
seal_by_hand(void **state)
{
	struct reclog	*l = must_open();
	uint64_t	 first = reclog_segment(l);

	(void)state;
	assert_int_equal(reclog_seal(l), RECLOG_OK);
	assert_int_equal(reclog_segment(l), first);
	add(l, 1, S("a"), S("pending goes along"));
	assert_int_equal(reclog_seal(l), RECLOG_OK);
	assert_int_equal(reclog_segment(l), first + 1);
	reclog_close(l);
	l = must_open();
	assert_true(is_healthy());
	assert_int_equal(n_ids, 1);
	assert_int_equal(reclog_segment(l), first + 1);
	reclog_close(l);
}

static void
epochs(void **state)
{
	static const struct { uint64_t epoch; int want; } table[] = {
		{ 4, EPERM }, { 5, 0 }, { 6, 0 },
	};
	struct reclog	*l;
	size_t		 i;
	int		 sealed;

	(void)state;
	for (sealed = 0; sealed < 2; sealed++)
		for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
			empty_dir();
			conf.epoch = 5;
			l = must_open();
			put(l, 1, S("a"), S("b"));
			if (sealed)
				reclog_seal(l);
			reclog_close(l);
			conf.epoch = table[i].epoch;
			l = open_log();
			if (table[i].want == 0)
				assert_non_null(l);
			else {
				assert_null(l);
				assert_int_equal(errno, table[i].want);
			}
			reclog_close(l);
		}
}

static void
replay_may_refuse(void **state)
{
	struct reclog *l = must_open();

	(void)state;
	put(l, 1, S("a"), S("b"));
	reclog_close(l);
	refuse = true;
	assert_null(open_log());
	assert_int_equal(errno, EINVAL);
	refuse = false;
	reclog_close(must_open());
	assert_int_equal(n_ids, 1);
}

static void
marks(void **state)
{
	struct recmark	 mark[40], none = { 0, 0, 0 }, wrong;
	struct reclog	*l;
	size_t		 i;
	int		 again;

	(void)state;
	conf.segment_max = 4000;
	l = must_open();
	assert_false(reclog_has(l, reclog_mark(l)));
	for (i = 0; i < 40; i++) {
		put(l, i, S("0123456789"), S("some payload or other"));
		mark[i] = reclog_mark(l);
	}
	assert_true(reclog_segment(l) > 1);
	for (again = 0; again < 2; again++) {
		for (i = 0; i < 40; i++) {
			assert_true(reclog_has(l, mark[i]));
			wrong = mark[i];
			wrong.checksum ^= 1;
			assert_false(reclog_has(l, wrong));
			wrong = mark[i];
			wrong.segment += 100;
			assert_false(reclog_has(l, wrong));
			n_ids = 0;
			assert_int_equal(reclog_replay_from(l, mark[i],
			    on_record, NULL), 0);
			assert_int_equal(n_ids, 39 - i);
			if (n_ids > 0)
				assert_int_equal(ids[0], i + 1);
		}
		n_ids = 0;
		assert_int_equal(reclog_replay_from(l, none, on_record,
		    NULL), 0);
		assert_int_equal(n_ids, 40);
		assert_int_equal(places[0].segment, 1);
		reclog_close(l);
		l = must_open();
		assert_int_equal(reclog_mark(l).checksum, mark[39].checksum);
	}
	refuse = true;
	assert_int_equal(reclog_replay_from(l, none, on_record, NULL), -1);
	reclog_close(l);
}

struct file {
	char		name[64];
	unsigned char	*p;
	size_t		n;
};

static void
load_file(struct file *f)
{
	struct stat	st;
	int		fd = openat(dirfd_, f->name, O_RDONLY);

	assert_int_equal(fstat(fd, &st), 0);
	f->n = (size_t)st.st_size;
	f->p = xrealloc(NULL, f->n + 1, 1);
	assert_int_equal(pread(fd, f->p, f->n, 0), (ssize_t)f->n);
	close(fd);
}

static void
store_file(const struct file *f, size_t n)
{
	int fd = openat(dirfd_, f->name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(pwrite(fd, f->p, n, 0), (ssize_t)n);
	close(fd);
}

/* Three frames of two records; the last one may be unproven. */
static void
make_small(struct file *f, size_t files, bool sealed)
{
	struct reclog	*l;
	uint64_t	 i;
	size_t		 k;

	empty_dir();
	conf.segment_max = 1 << 20;
	l = must_open();
	for (k = 0; k < files; k++) {
		for (i = 0; i < 3; i++) {
			add(l, k * 6 + i * 2, S("metadata"),
			    S("payload of it"));
			add(l, k * 6 + i * 2 + 1, S("other"), S(""));
			assert_int_equal(reclog_commit(l, true), RECLOG_OK);
		}
		if (sealed || k + 1 < files)
			assert_int_equal(reclog_seal(l), RECLOG_OK);
	}
	reclog_close(l);
	for (k = 0; k < files; k++) {
		snprintf(f[k].name, sizeof(f[k].name), "%016zx.seg", k + 1);
		load_file(&f[k]);
	}
}

/*
 * With one byte wrong: opens, gives each record but at most one, says what
 * it did not give, and each payload is right or refused.  Twice.
 */
static void
check_flipped(size_t total, size_t at, bool last_may_go)
{
	struct reclog	*l;
	struct buf	 b;
	size_t		 i, seen = 0;
	int		 again;

	for (again = 0; again < 2; again++) {
		l = open_log();
		if (l == NULL)
			fail_msg("byte %zu: %s", at, strerror(errno));
		if (n_ids < total && report.quarantined == 0 &&
		    report.torn_bytes == 0 && again == 0)
			fail_msg("byte %zu: silent loss", at);
		if (n_ids + (last_may_go ? 2 : 1) < total)
			fail_msg("byte %zu: %zu records left", at, n_ids);
		if (again == 1)
			assert_int_equal(n_ids, seen);
		seen = n_ids;
		buf_init(&b, 1000);
		for (i = 0; i < n_ids; i++) {
			buf_reset(&b);
			if (i > 0)
				assert_true(ids[i] > ids[i - 1]);
			if (reclog_read(l, places[i], 0, 1000, &b) == -1)
				assert_int_equal(errno, EBADMSG);
			else if (ids[i] % 2 == 0)
				assert_string_equal(buf_cstr(&b),
				    "payload of it");
		}
		buf_clear(&b);
		reclog_close(l);
	}
}

static void
flip_each_byte(struct file *f, size_t files, size_t which, bool last_may_go)
{
	size_t i, k;

	for (i = 0; i < f[which].n; i++) {
		empty_dir();
		for (k = 0; k < files; k++)
			store_file(&f[k], f[k].n);
		f[which].p[i] ^= 0x41;
		store_file(&f[which], f[which].n);
		f[which].p[i] ^= 0x41;
		check_flipped(files * 6, i, last_may_go);
	}
	for (k = 0; k < files; k++)
		free(f[k].p);
}

static void
flips_in_tail(void **state)
{
	struct file f[1];

	(void)state;
	make_small(f, 1, false);
	/* Without the end mark the last frame has no proof. */
	f[0].n -= 72;
	flip_each_byte(f, 1, 0, true);
}

static void
flips_in_closed(void **state)
{
	struct file f[1];

	(void)state;
	make_small(f, 1, false);
	flip_each_byte(f, 1, 0, true);
}

static void
flips_in_sealed(void **state)
{
	struct file f[1];

	(void)state;
	make_small(f, 1, true);
	flip_each_byte(f, 1, 0, false);
}

static void
flips_in_middle(void **state)
{
	struct file f[3];

	(void)state;
	make_small(f, 3, false);
	flip_each_byte(f, 3, 1, false);
}

/* Without its footer at all the middle one is walked. */
static void
flips_without_footer(void **state)
{
	struct file f[3], plain;

	(void)state;
	make_small(f, 1, false);
	plain = f[0];
	make_small(f, 3, false);
	f[1].n = plain.n - 72;
	free(plain.p);
	flip_each_byte(f, 3, 1, false);
}

/* The last segment cut to each length: what is whole stays, nothing else. */
static void
each_length(void **state)
{
	struct file	 f[1];
	struct reclog	*l;
	size_t		 n, had = 6;

	(void)state;
	make_small(f, 1, false);
	for (n = f[0].n + 1; n-- > 0;) {
		empty_dir();
		store_file(&f[0], n);
		l = must_open();
		assert_int_equal(report.quarantined, 0);
		assert_true(n_ids <= had && n_ids % 2 == 0);
		had = n_ids;
		assert_true(n_ids < 6 || n >= f[0].n - 72);
		put(l, 100, S("on it goes"), S("x"));
		reclog_close(l);
		l = must_open();
		assert_int_equal(n_ids, had + 1);
		assert_true(is_healthy());
		expect(l, places[had], S("on it goes"), S("x"));
		reclog_close(l);
	}
	assert_int_equal(had, 0);
	free(f[0].p);
}

static void
keeps_torn_bytes(void **state)
{
	struct file	 f[1], torn = { "torn-0000000000000001-", NULL, 0 };
	struct reclog	*l;
	struct dirent	*e;
	DIR		*d;
	size_t		 n;

	(void)state;
	make_small(f, 1, false);
	n = f[0].n - 72 - 20;
	store_file(&f[0], n);
	l = must_open();
	assert_int_equal(n_ids, 4);
	assert_int_equal(report.torn_bytes, n - places[3].offset - 60 - 5 -
	    8 - 8);
	reclog_close(l);
	d = opendir(dir);
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "torn-", 5) == 0)
			snprintf(torn.name, sizeof(torn.name), "%.60s",
			    e->d_name);
	closedir(d);
	load_file(&torn);
	assert_int_equal(torn.n, report.torn_bytes);
	assert_memory_equal(torn.p, f[0].p + n - torn.n, torn.n);
	l = must_open();
	assert_true(is_healthy());
	reclog_close(l);
	free(f[0].p);
	free(torn.p);
}

/* BLAKE2b sees what has the right checksums: here, once per process. */
static void
first_read_hashes(void **state)
{
	struct reclog	*l = must_open();
	struct recpos	 pos = put(l, 1, S("m"), S("0123456789"));
	struct buf	 b;
	int		 fd;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), 0);
	fd = openat(dirfd_, "0000000000000001.seg", O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, (off_t)pos.offset + 61), 1);
	close(fd);
	/* Seen already: a piece is not checked again, the whole is. */
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), 0);
	assert_int_equal(reclog_read(l, pos, 0, 10, &b), -1);
	assert_int_equal(errno, EBADMSG);
	reclog_close(l);
	l = must_open();
	buf_reset(&b);
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(b.n, 0);
	/* Metadata is checked at each read. */
	fd = openat(dirfd_, "0000000000000001.seg", O_WRONLY);
	assert_int_equal(pwrite(fd, "X0", 2, (off_t)pos.offset + 60), 2);
	close(fd);
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), -1);
	assert_int_equal(errno, EBADMSG);
	fd = openat(dirfd_, "0000000000000001.seg", O_WRONLY);
	assert_int_equal(pwrite(fd, "m", 1, (off_t)pos.offset + 60), 1);
	close(fd);
	assert_int_equal(reclog_read(l, pos, 2, 3, &b), 0);
	buf_clear(&b);
	reclog_close(l);
}

static int	interrupts;

static ssize_t
interrupted_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	if (interrupts-- > 0) {
		errno = EINTR;
		return -1;
	}
	return disk_io_real.pwritev(fd, v, n, at);
}

static void
goes_on_when_interrupted(void **state)
{
	struct disk_io	 io = disk_io_real;
	struct reclog	*l = must_open();

	(void)state;
	io.pwritev = interrupted_pwritev;
	interrupts = 3;
	disk_io = &io;
	put(l, 1, S("a"), S("b"));
	assert_int_equal(interrupts, -1);
	reclog_close(l);
	disk_io = &disk_io_real;
}

/*
 * Somebody sends a segment as content: inside damage it must not be taken
 * for frames.
 */
static void
forged_content(void **state)
{
	struct file	 f[1], g;
	struct reclog	*l;
	struct recpos	 pos;

	(void)state;
	empty_dir();
	l = must_open();
	put(l, 1, S("a"), S("b"));
	/* With the right key even: an operator mails a segment around. */
	snprintf(f[0].name, sizeof(f[0].name), "%016x.seg", 1);
	load_file(&f[0]);
	pos = put(l, 2, S("evil"), str_of(f[0].p, f[0].n));
	put(l, 3, S("c"), S("d"));
	reclog_close(l);
	g = (struct file){ "0000000000000001.seg", NULL, 0 };
	load_file(&g);
	/* The copy of the first frame is now later than what is sound. */
	memset(g.p + 1024, 0xff, 72);
	memset(g.p + pos.offset - 72, 0xff, 100);
	store_file(&g, g.n);
	l = must_open();
	assert_int_equal(n_ids, 1);
	assert_int_equal(ids[0], 3);
	assert_int_equal(report.quarantined, 2);
	assert_int_equal(report.damaged, 2);
	reclog_close(l);
	free(f[0].p);
	free(g.p);
}

static int	kill_at;

static void
count_down(void)
{
	if (--kill_at == 0)
		raise(SIGKILL);
}

static ssize_t
killing_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	count_down();
	return disk_io_real.pwritev(fd, v, n, at);
}

static int
killing_datasync(int fd)
{
	count_down();
	return disk_io_real.datasync(fd);
}

static int
killing_sync(int fd)
{
	count_down();
	return disk_io_real.sync(fd);
}

static int
killing_rename(int fd, const char *from, const char *to)
{
	count_down();
	return disk_io_real.rename(fd, from, to);
}

static void
child(int told)
{
	static struct disk_io	 io;
	struct reclog		*l;
	char			 text[700] = { 2 };
	uint64_t		 i;

	io = disk_io_real;
	io.pwritev = killing_pwritev;
	io.datasync = killing_datasync;
	io.sync = killing_sync;
	io.rename = killing_rename;
	disk_io = &io;
	l = must_open();
	for (i = n_ids == 0 ? 0 : ids[n_ids - 1] + 1; i < 40; i++) {
		put(l, i, S("m"), str_of(text, sizeof(text)));
		if (write(told, &i, sizeof(i)) != sizeof(i))
			_exit(2);
		if (reclog_segment(l) > 4)
			reclog_retire(l, reclog_segment(l) - 3);
	}
	_exit(0);
}

/* A real process, killed at each call: what it told is there. */
static void
killed_at_each_call(void **state)
{
	struct reclog	*l;
	uint64_t	 told, last, n;
	int		 p[2], status, at;
	pid_t		 pid;

	(void)state;
	conf.segment_max = 3000;
	for (at = 1;; at++) {
		empty_dir();
		assert_int_equal(pipe(p), 0);
		kill_at = at;
		pid = fork();
		if (pid == 0)
			child(p[1]);
		close(p[1]);
		told = last = n = 0;
		while (read(p[0], &last, sizeof(last)) == sizeof(last)) {
			told = last;
			n++;
		}
		close(p[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		kill_at = 0;
		l = must_open();
		assert_int_equal(report.quarantined, 0);
		if (n > 0)
			assert_true(n_ids > 0 && ids[n_ids - 1] >= told);
		reclog_close(l);
		if (WIFEXITED(status))
			break;
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(at > 80);
}

static void
names_are_safe(void **state)
{
	struct reclog	*l;

	(void)state;
	/* Not names of the log: left alone. */
	close(openat(dirfd_, "0000000000000001.segx", O_CREAT | O_WRONLY,
	    0600));
	close(openat(dirfd_, "000000000000000G.seg", O_CREAT | O_WRONLY,
	    0600));
	close(openat(dirfd_, "note", O_CREAT | O_WRONLY, 0600));
	l = must_open();
	assert_int_equal(report.segments, 0);
	reclog_close(l);
	/* A link is never followed. */
	assert_int_equal(symlinkat("note", dirfd_, "0000000000000002.seg"),
	    0);
	assert_null(open_log());
	assert_int_equal(errno, ELOOP);
}

#define TEST(f)	cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_and_back), TEST(dropped_is_nowhere),
		TEST(reads_pieces), TEST(refuses_false_positions),
		TEST(limits), TEST(frame_limit), TEST(many_records),
		TEST(seals_and_recycles), TEST(seal_by_hand), TEST(epochs),
		TEST(replay_may_refuse), TEST(marks), TEST(flips_in_tail),
		TEST(flips_in_closed), TEST(flips_in_sealed),
		TEST(flips_in_middle), TEST(flips_without_footer),
		TEST(each_length), TEST(keeps_torn_bytes),
		TEST(first_read_hashes), TEST(forged_content),
		TEST(goes_on_when_interrupted),
		TEST(killed_at_each_call), TEST(names_are_safe),
	};
	int r;

	if (mkdtemp(dir) == NULL)
		return 1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	empty_dir();
	close(dirfd_);
	rmdir(dir);
	return r;
}
