/*
 * compact_bench - a mailbox of 100,000 messages with a history: what its
 * snapshot costs, a rebuild of its index with and without it, and the space
 * and time of reclaiming nine messages of ten.
 *
 *	compact_bench [directory]
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/deliver.h"
#include "mailboxd/mbox.h"
#include "mailboxd/snapshot.h"

enum {
	BODY = 3000,
	MANY = 100000,
	FLAGS = 500000,		/* changes of single messages */
	SEGMENT = 16 << 20
};

static char	path[] = "/tmp/compact_bench.XXXXXX";
static int	top;
static char	body[BODY];

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
lap(double *t)
{
	double now = seconds(), ms = (now - *t) * 1e3;

	*t = now;
	return ms;
}

/* Bytes of the files; with `gone` they are removed. */
static double
files(const char *name, bool gone)
{
	struct dirent	*e;
	struct stat	 st;
	DIR		*d = fdopendir(openat(top, name, O_RDONLY));
	double		 n = 0;

	if (d == NULL)
		err(1, "%s", name);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (fstatat(dirfd(d), e->d_name, &st, 0) == 0)
			n += (double)st.st_size;
		if (gone)
			unlinkat(dirfd(d), e->d_name, 0);
	}
	closedir(d);
	return n / 1e6;
}

static struct mbox *
open_mailbox(void)
{
	const struct mbox_conf	 conf = {
		.dirfd = top, .epoch = 1, .segment_max = SEGMENT,
		.message_max = 1 << 26, .inline_max = MBOX_INLINE_MAX,
		.undelete = 0, .delivered = 12 * 86400
	};
	struct mbox_report	 report;
	struct mbox		*m;

	if (mbox_open(&conf, &m, &report) == -1)
		err(1, "mbox_open");
	return m;
}

static void
turn(struct mbox *m)
{
	if (mbox_turn(m) == MBOX_DEAD)
		errx(1, "mbox_turn");
}

/* Words, so that it is no better to compress than mail is. */
static void
make_body(uint64_t seed)
{
	size_t i;

	for (i = 0; i < sizeof(body); i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		body[i] = (char)("etaoinshrdlucmfwypvbgkq xjz\n      "
		    "EETTAAOO"[(seed >> 33) % 40]);
	}
}

static void
fill(struct mbox *m)
{
	struct deliver_new new = {
		.date = clock_wall() / 1000, .size = BODY,
		.sender = S("somebody@example.org"),
		.rcpt = S("somebody.else@example.net")
	};
	struct deliver *d;

	for (new.qid = 1; new.qid <= MANY; new.qid++) {
		make_body(new.qid);
		if (deliver_begin(m, &new, &d) != DELIVER_OK ||
		    deliver_data(d, str_of(body, BODY)) != DELIVER_OK ||
		    deliver_end(d) != DELIVER_OK)
			errx(1, "deliver");
		if (new.qid % 256 == 0)
			turn(m);
	}
	turn(m);
}

static void
flag(struct mbox *m)
{
	struct store		 s = mbox_store(m);
	struct store_folder	*f;
	uint64_t		 seed = 1;
	uint32_t		 uid;
	int			 i;

	if (s.ops->open(s.impl, S("INBOX"), &f) != STORE_OK)
		errx(1, "INBOX");
	for (i = 0; i < FLAGS; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		uid = 1 + (uint32_t)((seed >> 33) % MANY);
		s.ops->flags(s.impl, f, &uid, 1, STORE_SET,
		    (uint8_t)(seed >> 60), 0);
		if (i % 64 == 0)
			turn(m);
	}
	s.ops->close(s.impl, f);
	(void)mbox_sync(m);
}

/* Nine of ten go. */
static void
expunge(struct mbox *m)
{
	struct store		 s = mbox_store(m);
	struct store_folder	*f;
	uint32_t		*uids = xcalloc(MANY, sizeof(*uids));
	size_t			 i, n = 0;

	if (s.ops->open(s.impl, S("INBOX"), &f) != STORE_OK)
		errx(1, "INBOX");
	for (i = 0; i < f->n; i++) {
		if (i % 10 != 0)
			uids[n++] = f->msgs[i].uid;
	}
	if (s.ops->expunge(s.impl, f, uids, n) != STORE_OK)
		errx(1, "expunge");
	s.ops->close(s.impl, f);
	turn(m);
	free(uids);
}

static struct mbox *
rebuild(struct mbox *m, const char *what)
{
	struct rusage	u;
	double		t, ms;

	mbox_close(m);
	(void)files("index", true);
	t = seconds();
	m = open_mailbox();
	ms = lap(&t);
	getrusage(RUSAGE_SELF, &u);
	printf("%-34s %8.1f ms (peak so far %ld MB)\n", what, ms,
	    u.ru_maxrss / 1024);
	return m;
}

static void
reclaim(struct mbox *m)
{
	double	t = seconds(), from = t, worst = 0, ms;
	int	steps = 0;

	printf("log before reclaiming %.1f MB\n", files("log", false));
	while (mbox_wants_upkeep(m)) {
		if (mbox_upkeep(m) != MBOX_OK)
			errx(1, "upkeep");
		ms = lap(&t);
		worst = ms > worst ? ms : worst;
		steps++;
	}
	printf("log after %.1f MB; %.1f ms in %d steps, the longest %.1f ms\n",
	    files("log", false), (t - from) * 1e3, steps, worst);
}

static void
bench(void)
{
	struct mbox	*m = open_mailbox();
	double		 t;

	fill(m);
	flag(m);
	printf("%d messages of %d octets, %d flag changes: log %.1f MB, "
	    "index %.1f MB\n", MANY, BODY, FLAGS, files("log", false),
	    files("index", false));
	m = rebuild(m, "rebuild, whole replay");
	t = seconds();
	if (snapshot_write(m) != RECLOG_OK)
		errx(1, "snapshot");
	turn(m);
	printf("snapshot written %20.1f ms, %.2f MB\n", lap(&t),
	    (double)snaps_last(&m->st.snaps)->bytes / 1e6);
	m = rebuild(m, "rebuild from the snapshot");
	mbox_close(m);
	t = seconds();
	m = open_mailbox();
	printf("opened with its index %14.1f ms\n", lap(&t));
	expunge(m);
	reclaim(m);
	m = rebuild(m, "rebuild after it");
	mbox_close(m);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && chdir(argv[1]) == -1)
		err(1, "%s", argv[1]);
	if (mkdtemp(path) == NULL)
		err(1, "%s", path);
	top = open(path, O_RDONLY | O_DIRECTORY);
	log_to(open("/dev/null", O_WRONLY));
	bench();
	(void)files("index", true);
	(void)files("log", true);
	if (chdir("/") == -1 || unlinkat(top, "index", AT_REMOVEDIR) == -1 ||
	    unlinkat(top, "log", AT_REMOVEDIR) == -1 ||
	    unlinkat(top, "lock", 0) == -1 || rmdir(path) == -1)
		err(1, "%s", path);
	return 0;
}
