/*
 * store_bench - what a delivery into a mailbox costs, beside the bare record
 * log with the same bytes, turn about in the same run.
 *
 *	store_bench [directory]
 *
 * Columns: deliveries per second and CPU microseconds each, of the mailbox
 * and of the log, and the median ratio of the rates.  Then a mailbox of
 * 100,000 messages: opening it, its INBOX, STORE of all, and a rebuild of
 * its index.
 */
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/xalloc.h"
#include "mailboxd/deliver.h"
#include "mailboxd/index.h"
#include "tests/lib/bench.h"
#include "tests/lib/tmpdir.h"

enum {
	BODY = 10240,
	META = 220,		/* of both records, about */
	MANY = 100000,
	SEGMENT = 16 << 20
};

static struct tmpdir	top;
static char		body[BODY];

static int
make_dir(const char *name)
{
	int fd;

	if (mkdirat(top.fd, name, 0700) == -1)
		err(1, "mkdir");
	fd = openat(top.fd, name, O_RDONLY | O_DIRECTORY);
	if (fd == -1)
		err(1, "open");
	return fd;
}

static struct mbox *
open_mailbox(int fd)
{
	const struct mbox_conf	 conf = {
		.dirfd = fd, .epoch = 1, .segment_max = SEGMENT,
		.message_max = 1 << 26, .inline_max = MBOX_INLINE_MAX
	};
	struct mbox_report	 report;
	struct mbox		*m;

	if (mbox_open(&conf, &m, &report) == -1)
		err(1, "mbox_open");
	return m;
}

static void
deliver(struct mbox *m, uint64_t qid, size_t n)
{
	const struct deliver_new new = {
		.qid = qid, .date = 1700000000, .size = n,
		.sender = S("somebody@example.org"),
		.rcpt = S("somebody.else@example.net")
	};
	struct deliver *d;

	if (deliver_begin(m, &new, &d) != DELIVER_OK ||
	    deliver_data(d, str_of(body, n)) != DELIVER_OK ||
	    deliver_end(d) != DELIVER_OK)
		errx(1, "deliver");
}

static struct cost
run_mailbox(struct mbox *m, uint64_t *qid, int batch, int total)
{
	struct lap	t = bench_start();
	int		i, k;

	for (i = 0; i < total; i += batch) {
		for (k = 0; k < batch; k++)
			deliver(m, ++*qid, BODY);
		if (mbox_turn(m) != MBOX_OK)
			errx(1, "mbox_turn");
	}
	return bench_cost(t, total);
}

static struct cost
run_log(struct reclog *l, int batch, int total)
{
	char		meta[META] = { 1 };
	struct recpos	pos;
	struct lap	t = bench_start();
	int		i, k;

	for (i = 0; i < total; i += batch) {
		for (k = 0; k < batch; k++) {
			struct rec r = { 1, (uint64_t)(i + k),
			    str_of(meta, sizeof(meta)),
			    str_of(body, sizeof(body)) };

			if (reclog_add(l, &r, &pos) == -1)
				err(1, "reclog_add");
		}
		if (reclog_commit(l, true) != RECLOG_OK)
			err(1, "reclog_commit");
	}
	return bench_cost(t, total);
}

static int
ignore(void *arg, const struct rec *r, struct recpos pos)
{
	(void)arg;
	(void)r;
	(void)pos;
	return 0;
}

static void
bench_batch(int batch)
{
	int			 fd = make_dir("m"), lfd = make_dir("l");
	struct mbox		*m = open_mailbox(fd);
	struct reclog_conf	 conf = { lfd, 1, SEGMENT, 0 };
	struct reclog_report	 report;
	struct reclog		*l = reclog_open(&conf, ignore, NULL, &report);
	struct cost		 a[BENCH_ROUNDS], b[BENCH_ROUNDS];
	double			 ratio[BENCH_ROUNDS];
	double			 mine[BENCH_ROUNDS], bare[BENCH_ROUNDS];
	double			 cpu = 0, bare_cpu = 0;
	uint64_t		 qid = 0;
	int			 i, total = batch == 1 ? 500 : 1600;

	for (i = 0; i < BENCH_ROUNDS; i++) {
		a[i] = run_mailbox(m, &qid, batch, total);
		b[i] = run_log(l, batch, total);
		mine[i] = a[i].rate;
		bare[i] = b[i].rate;
		ratio[i] = a[i].rate / b[i].rate;
		cpu += a[i].cpu / BENCH_ROUNDS;
		bare_cpu += b[i].cpu / BENCH_ROUNDS;
	}
	printf("batch %2d: mailbox %7.0f/s %5.1f us  log %7.0f/s %5.1f us  "
	    "ratio %.2f\n", batch, bench_median(mine), cpu, bench_median(bare),
	    bare_cpu, bench_median(ratio));
	mbox_close(m);
	reclog_close(l);
	close(lfd);
	close(fd);
	tmpdir_empty(&top);
}

static double
lap(double *t)
{
	double now = bench_seconds(), ms = (now - *t) * 1e3;

	*t = now;
	return ms;
}

/* Opens INBOX, flags all of it, closes. */
static void
use_inbox(struct mbox *m)
{
	struct store		 s = mbox_store(m);
	struct store_folder	*f;
	uint32_t		*uids;
	size_t			 i;
	double			 t = bench_seconds(), open_ms;

	if (s.ops->open(s.impl, S("INBOX"), &f) != STORE_OK)
		errx(1, "INBOX");
	open_ms = lap(&t);
	uids = xcalloc(f->n, sizeof(*uids));
	for (i = 0; i < f->n; i++)
		uids[i] = f->msgs[i].uid;
	if (s.ops->flags(s.impl, f, uids, f->n, STORE_ADD, STORE_SEEN, 0) !=
	    STORE_OK || mbox_sync(m) != MBOX_OK)
		errx(1, "flags");
	printf("%d messages: INBOX opened %.1f ms, all flagged %.1f ms\n",
	    MANY, open_ms, lap(&t));
	s.ops->close(s.impl, f);
	free(uids);
}

static void
wipe_index(int fd)
{
	int index = openat(fd, "index", O_RDONLY | O_DIRECTORY);

	if (index == -1 || index_wipe(index) == -1)
		err(1, "index");
	close(index);
}

static void
bench_open(void)
{
	int		 fd = make_dir("m"), i;
	struct mbox	*m = open_mailbox(fd);
	double		 t = bench_seconds();

	printf("new mailbox: ");
	mbox_close(m);
	lap(&t);
	m = open_mailbox(fd);
	printf("empty one opened %.2f ms\n", lap(&t));
	for (i = 1; i <= MANY; i++) {
		deliver(m, (uint64_t)i, 2000);
		if (i % 256 == 0 && mbox_turn(m) != MBOX_OK)
			errx(1, "mbox_turn");
	}
	mbox_close(m);
	lap(&t);
	m = open_mailbox(fd);
	printf("%d messages: opened %.2f ms\n", MANY, lap(&t));
	use_inbox(m);
	mbox_close(m);
	wipe_index(fd);
	lap(&t);
	m = open_mailbox(fd);
	printf("%d messages: opened without index %.1f ms\n", MANY, lap(&t));
	mbox_close(m);
	close(fd);
	tmpdir_empty(&top);
}

int
main(int argc, char **argv)
{
	static const int batches[] = { 1, 8, 32 };
	size_t		 i;

	if (argc > 1 && chdir(argv[1]) == -1)
		err(1, "%s", argv[1]);
	tmpdir_make_in(&top, argc > 1 ? "." : "/tmp");
	for (i = 0; i < sizeof(body); i++)
		body[i] = (char)('a' + i * 31 % 26);
	for (i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
		bench_batch(batches[i]);
	bench_open();
	tmpdir_remove(&top);
	return 0;
}
