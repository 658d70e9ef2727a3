/*
 * reclog_bench - what a durable record costs, beside the floor: the same
 * bytes by pwrite and fdatasync alone, in the same run, turn about.
 *
 *	reclog_bench [directory]
 *
 * Columns: records per second and CPU microseconds per record of the log, of
 * the floor, and the ratio of the rates.  The floor of "recycled" overwrites
 * a file that is there.  Then opening: 100,000 records of 2 KB, sealed and
 * in one unsealed segment; and a scrub of them.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/xalloc.h"
#include "common/disk/reclog.h"
#include "common/disk/scrub.h"
#include "tests/lib/bench.h"
#include "tests/lib/tmpdir.h"

enum {
	PAYLOAD = 10240,
	SEGMENT = 16 << 20,
	OPEN_RECORDS = 100000
};

static struct tmpdir	dir;
static char		payload[PAYLOAD];

static int
on_record(void *arg, const struct rec *r, struct recpos pos)
{
	(void)arg;
	(void)r;
	(void)pos;
	return 0;
}

static struct reclog *
open_log(unsigned recycle, uint64_t segment_max)
{
	struct reclog_conf	 conf = { dir.fd, 1, segment_max, recycle };
	struct reclog_report	 report;
	struct reclog		*l;

	l = reclog_open(&conf, on_record, NULL, &report);
	if (l == NULL)
		err(1, "reclog_open");
	return l;
}

/* Retires all but what is written, so that spares are used. */
static void
retire(struct reclog *l, uint64_t *oldest)
{
	while (*oldest + 1 < reclog_segment(l) &&
	    reclog_retire(l, *oldest) == 0)
		++*oldest;
}

static struct cost
run_log(struct reclog *l, uint64_t *oldest, int batch, int total)
{
	char		meta[120] = { 1 };
	struct recpos	pos;
	struct lap	t = bench_start();
	int		i, k;

	for (i = 0; i < total; i += batch) {
		for (k = 0; k < batch; k++) {
			struct rec r = { 1, (uint64_t)(i + k),
			    str_of(meta, sizeof(meta)),
			    str_of(payload, sizeof(payload)) };

			memcpy(payload, &i, sizeof(i));
			if (reclog_add(l, &r, &pos) == -1)
				err(1, "reclog_add");
		}
		if (reclog_commit(l, true) != RECLOG_OK)
			err(1, "reclog_commit");
		if (oldest != NULL)
			retire(l, oldest);
	}
	return bench_cost(t, total);
}

static struct cost
run_floor(int fd, off_t *at, off_t wrap, int batch, int total)
{
	size_t		 n = (size_t)batch * (PAYLOAD + 184) + 80;
	char		*p = xcalloc(1, n);
	struct lap	 t = bench_start();
	int		 i;

	for (i = 0; i < total; i += batch) {
		if (wrap > 0 && *at + (off_t)n > wrap)
			*at = 0;
		if (pwrite(fd, p, n, *at) != (ssize_t)n ||
		    fdatasync(fd) == -1)
			err(1, "pwrite");
		*at += (off_t)n;
	}
	free(p);
	return bench_cost(t, total);
}

static void
compare(int batch, bool recycled)
{
	double		 lr[BENCH_ROUNDS], lc[BENCH_ROUNDS];
	double		 fr[BENCH_ROUNDS], fc[BENCH_ROUNDS];
	double		 ratio[BENCH_ROUNDS];
	int		 i, fd, total = batch == 1 ? 1000 : 4000;
	uint64_t	 oldest = 1;
	off_t		 at = 0;
	struct reclog	*l;
	struct cost	 c;

	tmpdir_empty(&dir);
	fd = openat(dir.fd, "floor", O_RDWR | O_CREAT, 0600);
	l = open_log(2, SEGMENT);
	if (recycled) {
		/* Enough for two spares, and a floor to overwrite. */
		run_log(l, &oldest, 64, 3 * SEGMENT / PAYLOAD);
		run_floor(fd, &at, 0, 64, 3 * SEGMENT / PAYLOAD);
		at = 0;
	}
	for (i = 0; i < BENCH_ROUNDS; i++) {
		c = run_log(l, recycled ? &oldest : NULL, batch, total);
		lr[i] = c.rate;
		lc[i] = c.cpu;
		c = run_floor(fd, &at, recycled ? 3 * SEGMENT : 0, batch,
		    total);
		fr[i] = c.rate;
		fc[i] = c.cpu;
		ratio[i] = lr[i] / fr[i];
	}
	printf("%-9s %3d  %8.0f/s %6.1f us   %8.0f/s %6.1f us   %.2f\n",
	    recycled ? "recycled" : "growing", batch, bench_median(lr),
	    bench_median(lc), bench_median(fr), bench_median(fc),
	    bench_median(ratio));
	reclog_close(l);
	close(fd);
}

static void
on_damage(void *arg, const struct scrub_damage *d)
{
	(void)arg;
	errx(1, "damage: %s", scrub_part_name(d->part));
}

static void
time_scrub(struct reclog *l, const char *what)
{
	const struct scrub_ops	 ops = { .damage = on_damage };
	struct scrub		*s = scrub_new(l, &ops);
	double			 t = bench_seconds(), longest = 0, from, last;
	bool			 more;

	do {
		from = bench_seconds();
		more = scrub_step(s, l, 1 << 20);
		last = bench_seconds() - from;
		longest = last > longest ? last : longest;
	} while (more);
	printf("scrub of %s: %.0f MB/s; a step of 1 MiB at most %.1f ms\n",
	    what, (double)scrub_counts(s)->bytes / 1e6 / (bench_seconds() - t),
	    longest * 1e3);
	scrub_free(s);
}

static void
time_open(const char *what, uint64_t segment_max)
{
	struct recpos	 pos;
	struct reclog	*l;
	char		 meta[144] = { 1 };
	int		 i, warm;
	double		 t;

	tmpdir_empty(&dir);
	l = open_log(0, segment_max);
	for (i = 0; i < OPEN_RECORDS; i++) {
		struct rec r = { 1, (uint64_t)i, str_of(meta, sizeof(meta)),
		    str_of(payload, 2048) };

		if (reclog_add(l, &r, &pos) == -1)
			err(1, "reclog_add");
		if (i % 16 == 15 && reclog_commit(l, false) != RECLOG_OK)
			err(1, "reclog_commit");
	}
	if (segment_max == SEGMENT)
		reclog_seal(l);
	else
		reclog_commit(l, true);
	reclog_close(l);
	for (warm = 0; warm < 2; warm++) {
		struct dirent	*e;
		DIR		*d = opendir(dir.path);
		int		 fd;

		while (warm == 0 && (e = readdir(d)) != NULL) {
			fd = openat(dir.fd, e->d_name, O_RDONLY);
			posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			close(fd);
		}
		closedir(d);
		t = bench_seconds();
		l = open_log(0, segment_max);
		printf("open of %d records, %s, %s: %.0f ms\n", OPEN_RECORDS,
		    what, warm ? "warm" : "cold", (bench_seconds() - t) * 1e3);
		if (warm)
			time_scrub(l, what);
		reclog_close(l);
	}
}

int
main(int argc, char **argv)
{
	static const int	batch[] = { 1, 8, 64 };
	size_t			i;

	if (argc > 1 && chdir(argv[1]) == -1)
		err(1, "%s", argv[1]);
	tmpdir_make_in(&dir, argc > 1 ? "." : "/tmp");
	printf("segments   per        log                  floor           "
	    "ratio\n");
	for (i = 0; i < 3; i++)
		compare(batch[i], false);
	for (i = 0; i < 3; i++)
		compare(batch[i], true);
	time_open("sealed", SEGMENT);
	time_open("one unsealed segment", 512 << 20);
	tmpdir_remove(&dir);
	return 0;
}
