/*
 * Snapshots and compaction of a mailbox's log: what the mailbox shows never
 * changes by them, not after a rebuild either; what they keep, and what not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/id.h"
#include "common/core/log.h"
#include "mailboxd/deliver.h"
#include "mailboxd/mbox.h"
#include "mailboxd/snapshot.h"
#include "tests/lib/mailbox.h"
#include "tests/lib/model_store.h"
#include "tests/lib/steps.h"

enum {
	DUMP_MAX = 16 * 1024 * 1024,
	DAY = 86400,
	NOW = 1700000000,
	STEPS_MAX = 20000	/* upkeep that never ends is a fault */
};

static int
set_up(void **state)
{
	static struct mailbox b;

	clock_set(1000, NOW * INT64_C(1000));
	mailbox_make(&b);
	b.conf.segment_max = 8 * 1024;
	b.conf.inline_max = 4 * 1024;
	b.conf.undelete = 0;
	*state = &b;
	return 0;
}

static int
tear_down(void **state)
{
	log_flush();
	mailbox_remove(*state);
	clock_release();
	return 0;
}

static void
at_day(double day)
{
	clock_set(clock_now() + 120 * 1000,
	    (NOW + (int64_t)(day * DAY)) * 1000);
}

/* All that is due; how many steps. */
static unsigned
upkeep(struct mailbox *b)
{
	unsigned n = 0;

	while (mbox_wants_upkeep(b->m)) {
		log_flush();
		assert_int_equal(mbox_upkeep(b->m), MBOX_OK);
		assert_true(++n < STEPS_MAX);
	}
	return n;
}

static void
dump(struct mailbox *b, struct buf *out, bool exact)
{
	buf_init(out, DUMP_MAX);
	store_dump(b->s, out, exact);
	assert_true(buf_ok(out));
}

/* Shows the first line that differs. */
static void
assert_same(const struct buf *a, const struct buf *b, const char *what)
{
	struct str	s = buf_str(a), t = buf_str(b), x = S(""), y = S("");
	bool		more = true;

	if (str_eq(s, t))
		return;
	while (more && str_eq(x, y)) {
		more = str_cut(&s, '\n', &x);
		more = str_cut(&t, '\n', &y) && more;
	}
	print_message("%s: %.*s | %.*s\n", what, (int)x.n, x.p, (int)y.n,
	    y.p);
	fail();
}

static void
reopen(struct mailbox *b, bool without_index)
{
	mailbox_close(b);
	if (without_index)
		mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_int_equal(b->report.rebuilt, without_index);
	assert_int_equal(b->report.skipped, 0);
	assert_false(b->report.no_index);
}

/* With the index and without, the same to the last modseq. */
static void
check_reopen(struct mailbox *b)
{
	struct quota	used;
	struct buf	x, y;

	dump(b, &x, true);
	used = mbox_usage(b->m);
	reopen(b, false);
	dump(b, &y, true);
	assert_same(&x, &y, "with index");
	buf_clear(&y);
	assert_true(quota_is_equal(mbox_usage(b->m), used));
	reopen(b, true);
	dump(b, &y, true);
	assert_same(&x, &y, "without index");
	assert_true(quota_is_equal(mbox_usage(b->m), used));
	buf_clear(&x);
	buf_clear(&y);
}

static struct store_folder *
open_folder(struct mailbox *b, const char *name)
{
	struct store_folder *f;

	assert_int_equal(b->s.ops->open(b->s.impl, str_c(name), &f),
	    STORE_OK);
	return f;
}

static void
put(struct mailbox *b, const char *name, struct str s)
{
	enum store_result r;

	assert_int_not_equal(store_put(b->s, name, s, 0, &r), 0);
	mailbox_turn(b);
}

/* Octets that do not compress, of a number. */
static struct str
noise(uint32_t seed, size_t n)
{
	static char	text[64 * 1024];
	size_t		i;

	for (i = 0; i < n; i++)
		text[i] = (char)(33 + step_below(&seed, 90));
	return str_of(text, n);
}

/* Bytes and number of files of the log whose names begin so. */
static size_t
log_size(const struct mailbox *b, const char *prefix, unsigned *files)
{
	int		 fd = openat(b->dirfd, "log", O_RDONLY | O_DIRECTORY);
	DIR		*d = fdopendir(fd);
	struct dirent	*e;
	struct stat	 st;
	size_t		 n = 0;

	*files = 0;
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' ||
		    strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		assert_int_equal(fstatat(fd, e->d_name, &st, 0), 0);
		n += (size_t)st.st_size;
		(*files)++;
	}
	closedir(d);
	return n;
}

static void
expunge_all(struct mailbox *b, const char *name)
{
	struct store_folder	*f = open_folder(b, name);
	uint32_t		*uids = calloc(f->n + 1, sizeof(*uids));
	size_t			 i;

	for (i = 0; i < f->n; i++)
		uids[i] = f->msgs[i].uid;
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, uids, f->n),
	    STORE_OK);
	free(uids);
	b->s.ops->close(b->s.impl, f);
	mailbox_turn(b);
}

static enum deliver_result
deliver(struct mailbox *b, uint64_t qid, int64_t date, struct str text)
{
	const struct deliver_new new = { .qid = qid, .date = date,
	    .sender = S("s@x"), .rcpt = S("r@x"), .size = text.n };
	enum deliver_result	 r;
	struct deliver		*d;

	r = deliver_begin(b->m, &new, &d);
	if (r != DELIVER_OK)
		return r;
	assert_int_equal(deliver_data(d, text), DELIVER_OK);
	r = deliver_end(d);
	mailbox_turn(b);
	return r;
}

/* -- a random walk ---------------------------------------------------- */

struct walk {
	struct mailbox		*b;
	struct model_store	*model;
	uint32_t		 seed;
	bool			 taken[64];	/* queue ids */
	unsigned		 snapshots, retired;
};

/* A delivery, maybe of what was delivered before. */
static void
walk_deliver(struct walk *w)
{
	static const char trace[] =
	    "Return-Path: <s@x>\r\nDelivered-To: r@x\r\n";
	uint32_t	qid = step_below(&w->seed, 64);
	struct str	body = noise(qid, 50 + qid * 90);
	struct buf	text;

	if (w->taken[qid]) {
		assert_int_equal(deliver(w->b, qid, NOW, body),
		    DELIVER_AGAIN);
		return;
	}
	w->taken[qid] = true;
	assert_int_equal(deliver(w->b, qid, NOW, body), DELIVER_OK);
	buf_init(&text, 64 * 1024);
	buf_add(&text, str_c(trace));
	buf_add(&text, body);
	(void)model_store_add(w->model, "INBOX", buf_str(&text), 0, NOW);
	buf_clear(&text);
}

static void
walk_step(struct walk *w)
{
	struct step		t;
	enum store_result	r;

	if (step_below(&w->seed, 12) == 0) {
		walk_deliver(w);
		return;
	}
	t = step_random(w->model->store, &w->seed);
	r = step_run(w->b->s, &t);
	assert_int_equal(r, step_run(w->model->store, &t));
}

static void
walk_compare(struct walk *w)
{
	struct buf x, y;

	dump(w->b, &x, false);
	buf_init(&y, DUMP_MAX);
	store_dump(w->model->store, &y, false);
	assert_same(&x, &y, "store and model");
	buf_clear(&x);
	buf_clear(&y);
}

/* Some steps of upkeep, all of it, or the mailbox is opened again. */
static void
walk_on(struct walk *w)
{
	struct mailbox	*b = w->b;
	uint32_t	 what = step_below(&w->seed, 12);
	struct buf	 x, y;

	mailbox_turn(b);
	if (what > 6) {
		while (what-- > 6 && mbox_wants_upkeep(b->m))
			assert_int_equal(mbox_upkeep(b->m), MBOX_OK);
		return;
	}
	if (what > 3) {
		(void)upkeep(b);
		return;
	}
	dump(b, &x, true);
	if (what == 2 && faccessat(b->dirfd, "before", F_OK, 0) == 0) {
		/* It may be of before segments that are gone now. */
		mailbox_close(b);
		mailbox_copy_dir(b, "before", "index");
		mailbox_open(b);
		assert_int_equal(b->report.skipped, 0);
	} else {
		reopen(b, what == 1);
	}
	if (what == 3)
		mailbox_copy_dir(b, "index", "before");
	dump(b, &y, true);
	assert_same(&x, &y, "opened again");
	buf_clear(&x);
	buf_clear(&y);
}

static void
walk(struct mailbox *b, uint32_t seed, unsigned n)
{
	struct walk	w = { .b = b, .seed = seed };
	unsigned	i, files;

	w.model = model_store_new();
	mailbox_open(b);
	for (i = 0; i < n; i++) {
		walk_step(&w);
		if (step_below(&w.seed, 5) == 0)
			walk_on(&w);
		if (step_below(&w.seed, 12) == 0)
			walk_compare(&w);
	}
	mailbox_turn(b);
	(void)upkeep(b);
	walk_compare(&w);
	check_reopen(b);
	/* It did have something to do. */
	assert_true(b->m->st.snaps.n >= 2);
	(void)log_size(b, "0000", &files);
	assert_true(files < reclog_segment(b->m->log));
	model_store_free(w.model);
}

static void
test_walk(void **state)
{
	const char	*more = getenv("WALKS");
	uint64_t	 n = 10, i;

	if (more != NULL && str_u64(str_c(more), 1000000, &n) == -1)
		n = 10;
	for (i = 1; i <= n; i++) {
		walk(*state, (uint32_t)i, 600);
		tear_down(state);
		set_up(state);
	}
}

/* -- what is reclaimed ------------------------------------------------ */

/* New messages of a folder until so many segments were sealed. */
static void
fill(struct mailbox *b, const char *name, unsigned segments)
{
	uint64_t	until = reclog_segment(b->m->log) + segments;
	uint32_t	i = (uint32_t)b->m->st.next_id;

	while (reclog_segment(b->m->log) < until)
		put(b, name, noise(i++, 1500));
}

/* A hundred times more comes and goes than stays. */
static void
test_space(void **state)
{
	struct mailbox	*b = *state;
	struct stat	 st;
	unsigned	 i, k, files;
	size_t		 size, most = 0;

	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("kept")), STORE_OK);
	for (i = 0; i < 30; i++)
		put(b, "kept", noise(i, 1000 + i * 100));
	for (i = 0; i < 300; i++) {
		for (k = 0; k < 10; k++)
			put(b, "INBOX", noise(i, 2500));
		expunge_all(b, "INBOX");
		(void)upkeep(b);
		size = log_size(b, "0000", &files);
		most = size > most ? size : most;
	}
	/* 75 KB stay, of 7.5 MB; at most half of what there is is dead. */
	print_message("%zu bytes at most, %zu now, %u files\n", most, size,
	    files);
	assert_true(most < 2 * 75000 + 12 * b->conf.segment_max);
	assert_true(b->m->st.snaps.n < 20);
	check_reopen(b);
	mailbox_close(b);
	assert_int_equal(fstatat(b->dirfd, "index/index.db", &st, 0), 0);
	assert_true(st.st_size < 256 * 1024);
}

static bool
has_segment(const struct mailbox *b, uint64_t id)
{
	char name[64];

	snprintf(name, sizeof(name), "log/%016llx.seg",
	    (unsigned long long)id);
	return faccessat(b->dirfd, name, F_OK, 0) == 0;
}

static bool
has_file(const struct mailbox *b, uint64_t id)
{
	char name[64];

	snprintf(name, sizeof(name), "log/body-%s", id_text(id).s);
	return faccessat(b->dirfd, name, F_OK, 0) == 0;
}

/* A file stays as long as a copy of its message does. */
static void
test_files(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	uint64_t		 id;
	uint32_t		 validity;
	unsigned		 files;
	const uint32_t		 one = 1;

	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	put(b, "INBOX", noise(1, 20000));
	put(b, "INBOX", noise(2, 20000));
	f = open_folder(b, "INBOX");
	id = f->msgs[0].id;
	assert_int_equal(b->s.ops->copy(b->s.impl, f, &one, 1, S("a"),
	    &validity, NULL), STORE_OK);
	b->s.ops->close(b->s.impl, f);
	fill(b, "INBOX", 3);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	assert_true(has_file(b, id));
	(void)log_size(b, "body-", &files);
	assert_int_equal(files, 1);
	check_reopen(b);
	f = open_folder(b, "a");
	assert_int_equal(f->n, 1);
	b->s.ops->close(b->s.impl, f);
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	fill(b, "INBOX", 6);
	(void)upkeep(b);
	fill(b, "INBOX", 6);
	(void)upkeep(b);
	assert_false(has_file(b, id));
	check_reopen(b);
}

/* Everything goes and nothing comes: its space comes back all the same. */
static void
test_quiet(void **state)
{
	struct mailbox	*b = *state;
	unsigned	 files;
	size_t		 before;

	mailbox_open(b);
	fill(b, "INBOX", 20);
	(void)upkeep(b);
	before = log_size(b, "0000", &files);
	assert_true(before > 20 * b->conf.segment_max);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_true(log_size(b, "0000", &files) < before / 5);
	check_reopen(b);
	/* So does that of a folder. */
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	fill(b, "a", 20);
	(void)upkeep(b);
	assert_true(log_size(b, "0000", &files) > before * 9 / 10);
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	mailbox_turn(b);
	(void)upkeep(b);
	assert_true(log_size(b, "0000", &files) < before / 5);
	check_reopen(b);
}

/* With nothing new there is nothing to do, whatever was before. */
static void
test_rest(void **state)
{
	struct mailbox	*b = *state;
	unsigned	 files;
	size_t		 size;

	mailbox_open(b);
	assert_false(mbox_wants_upkeep(b->m));
	fill(b, "INBOX", 5);
	assert_true(mbox_wants_upkeep(b->m));
	assert_true(upkeep(b) > 0);
	size = log_size(b, "", &files);
	at_day(30);
	assert_int_equal(upkeep(b), 0);
	reopen(b, false);
	assert_int_equal(upkeep(b), 0);
	mailbox_close(b);
	/* Closing leaves an end mark, nothing else. */
	assert_true(log_size(b, "", &files) - size < 200);
	mailbox_open(b);
}

/* -- what is kept ----------------------------------------------------- */

/* Nothing of the last seven days goes, whatever the clock says meanwhile. */
static void
test_window(void **state)
{
	struct mailbox	*b = *state;
	uint64_t	 first;
	unsigned	 day;

	b->conf.undelete = 7 * DAY;
	mailbox_open(b);
	fill(b, "INBOX", 4);
	(void)upkeep(b);
	at_day(1);
	fill(b, "INBOX", 1);
	(void)upkeep(b);
	first = reclog_segment(b->m->log);
	fill(b, "INBOX", 1);
	at_day(2);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	/* The clock goes back: what is made now does not look old later. */
	at_day(-400);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	expunge_all(b, "INBOX");
	for (day = 2; day < 9; day++) {
		at_day(day + 0.9);
		fill(b, "INBOX", 1);
		(void)upkeep(b);
		assert_true(has_segment(b, first));
		assert_true(has_segment(b, 1));
	}
	/* Day 9.9: what was expunged on day 2 goes. */
	at_day(day + 0.9);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	assert_false(has_segment(b, first));
	check_reopen(b);
}

/* A clock that was far ahead for a while delays nothing for long. */
static void
test_future(void **state)
{
	struct mailbox *b = *state;

	b->conf.undelete = 7 * DAY;
	at_day(5000);
	mailbox_open(b);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	at_day(0);
	fill(b, "INBOX", 2);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_true(has_segment(b, 1));
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	at_day(7.5);
	fill(b, "INBOX", 2);
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	check_reopen(b);
}

/* A delivery is known by its queue id until nobody can ask again. */
static void
test_delivered(void **state)
{
	struct mailbox	*b = *state;
	uint64_t	 qid;

	b->conf.delivered = 12 * DAY;
	mailbox_open(b);
	for (qid = 1; qid <= 40; qid++)
		assert_int_equal(deliver(b, qid, NOW + (int64_t)qid * 60,
		    noise((uint32_t)qid, 1500)), DELIVER_OK);
	expunge_all(b, "INBOX");
	at_day(11.9);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	for (qid = 1; qid <= 40; qid++)
		assert_int_equal(deliver(b, qid, NOW, S("x")),
		    DELIVER_AGAIN);
	check_reopen(b);
	for (qid = 1; qid <= 40; qid++)
		assert_int_equal(deliver(b, qid, NOW, S("x")),
		    DELIVER_AGAIN);
	/* 12 days after the 20th. */
	at_day(12 + 20 * 60.5 / DAY);
	expunge_all(b, "INBOX");
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	reopen(b, true);
	for (qid = 1; qid <= 40; qid++)
		assert_int_equal(deliver(b, qid, NOW, S("x")),
		    qid <= 20 ? DELIVER_OK : DELIVER_AGAIN);
}

/* -- bodies ----------------------------------------------------------- */

/* Coded bodies, in pieces of all sizes. */
static void
test_pieces(void **state)
{
	static char		 text[2000];
	struct mailbox		*b = *state;
	struct store_folder	*f;
	struct state_body	 body;
	struct buf		 out, scratch;
	size_t			 i, at, n;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i / 7 % 20);
	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("kept")), STORE_OK);
	put(b, "kept", str_of(text, sizeof(text)));
	put(b, "kept", S("short"));
	put(b, "kept", S(""));
	put(b, "kept", noise(1, 100));
	fill(b, "INBOX", 6);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_false(has_segment(b, 1));
	reopen(b, false);
	buf_init(&out, 100000);
	buf_init(&scratch, INDEX_VALUE_MAX);
	f = open_folder(b, "kept");
	assert_int_equal(mbox_body(b->m, f->msgs[0].id, &scratch, &body), 1);
	assert_int_equal(body.coding, CODING_ZSTD);
	assert_int_equal(mbox_body(b->m, f->msgs[1].id, &scratch, &body), 1);
	assert_int_equal(body.coding, CODING_PLAIN);
	for (n = 1; n < 2100; n = n * 3 + 1) {
		buf_reset(&out);
		for (at = 0; at < sizeof(text) + n; at += n)
			assert_int_equal(store_octets(b->s, f, 1,
			    (uint32_t)at, n, &out), STORE_OK);
		assert_true(str_eq(buf_str(&out), str_of(text,
		    sizeof(text))));
		mailbox_turn(b);
	}
	/* Forgotten when a turn has not read it. */
	mailbox_turn(b);
	assert_int_equal(b->m->unpacked.source, 0);
	b->s.ops->close(b->s.impl, f);
	buf_clear(&out);
	buf_clear(&scratch);
	/* And moved once more, as they are stored. */
	fill(b, "INBOX", 6);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	check_reopen(b);
}

/* A body stays while somebody reads it, expunged or not. */
static void
test_reader(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f;
	struct store_body	*body[2];
	struct buf		 out;
	unsigned		 i, files;

	mailbox_open(b);
	put(b, "INBOX", noise(1, 3000));
	put(b, "INBOX", noise(2, 9000));
	f = open_folder(b, "INBOX");
	for (i = 0; i < 2; i++)
		assert_int_equal(b->s.ops->body_open(b->s.impl, f, i + 1,
		    &body[i]), STORE_OK);
	b->s.ops->close(b->s.impl, f);
	fill(b, "INBOX", 6);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_false(has_segment(b, 2));
	buf_init(&out, 100000);
	for (i = 0; i < 2; i++) {
		buf_reset(&out);
		assert_int_equal(b->s.ops->body_read(b->s.impl, body[i], 0,
		    SIZE_MAX, &out), STORE_OK);
		assert_true(str_eq(buf_str(&out), noise(i + 1,
		    i == 0 ? 3000 : 9000)));
		b->s.ops->body_close(b->s.impl, body[i]);
	}
	buf_clear(&out);
	fill(b, "INBOX", 6);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	(void)log_size(b, "body-", &files);
	assert_int_equal(files, 0);
	assert_false(has_segment(b, 1));
}

/* -- damage ----------------------------------------------------------- */

/* Flips a bit in the middle of the payload of a snapshot's first piece. */
static void
damage(struct mailbox *b, const struct snap *snap)
{
	struct snapshot	s;
	char		name[64], c;
	off_t		at;
	int		fd;

	assert_int_equal(snapshot_find(b->m->log, snap, &s), 0);
	assert_true(s.n > 0);
	snprintf(name, sizeof(name), "log/%016llx.seg",
	    (unsigned long long)s.pieces[0].segment);
	at = (off_t)s.pieces[0].offset + 120;
	fd = openat(b->dirfd, name, O_RDWR);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c = (char)(c ^ 4);
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
	snapshot_clear(&s);
}

static void
test_damaged(void **state)
{
	struct mailbox	*b = *state;
	struct snaps	*s;
	struct buf	 x, y;

	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	fill(b, "a", 6);
	fill(b, "INBOX", 6);
	(void)upkeep(b);
	expunge_all(b, "INBOX");
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	fill(b, "a", 1);
	s = &b->m->st.snaps;
	assert_true(s->n >= 2);
	assert_false(has_segment(b, 7));
	dump(b, &x, true);
	/* The last one: that before it has the same to say. */
	damage(b, &s->list[s->n - 1]);
	reopen(b, true);
	assert_int_equal(b->report.bad_snapshots, 1);
	dump(b, &y, true);
	assert_same(&x, &y, "without the last");
	buf_clear(&y);
	(void)upkeep(b);
	fill(b, "a", 3);
	(void)upkeep(b);
	check_reopen(b);
	buf_clear(&x);
	/* The base: what is behind it does. */
	s = &b->m->st.snaps;
	assert_true(s->n >= 2);
	damage(b, &s->list[s->n - 2]);
	fill(b, "a", 3);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	check_reopen(b);
	/* All: the mailbox opens, and has what the log has. */
	for (s = &b->m->st.snaps; s->n > 0; s->n--)
		damage(b, &s->list[s->n - 1]);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_true(b->report.bad_snapshots >= 2);
	put(b, "INBOX", S("new"));
	fill(b, "INBOX", 3);
	(void)upkeep(b);
	check_reopen(b);
}

static void
flip(const struct mailbox *b, off_t at)
{
	char	c;
	int	fd = openat(b->dirfd, "log/0000000000000001.seg", O_RDWR);

	assert_int_not_equal(fd, -1);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c = (char)(c ^ 4);
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
}

/*
 * Whatever of an old segment is damaged is not thrown away with it: neither
 * a live body nor, `dead`, a record that is lost and might be anything.
 */
static void
damage_segment(struct mailbox *b, bool dead)
{
	struct store_folder	*f;
	struct state_body	 body;
	struct buf		 scratch;

	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	put(b, dead ? "INBOX" : "a", noise(5, 3000));
	f = open_folder(b, dead ? "INBOX" : "a");
	buf_init(&scratch, INDEX_VALUE_MAX);
	assert_int_equal(mbox_body(b->m, f->msgs[0].id, &scratch, &body), 1);
	buf_clear(&scratch);
	b->s.ops->close(b->s.impl, f);
	if (dead)
		flip(b, (off_t)body.pos.offset + 70);
	fill(b, "INBOX", 3);
	expunge_all(b, "INBOX");
	if (!dead)
		flip(b, (off_t)body.pos.offset + 2000);
	fill(b, "INBOX", 3);
	expunge_all(b, "INBOX");
	(void)upkeep(b);
	assert_true(has_segment(b, 1));
	assert_false(has_segment(b, 2));
}

static void
test_damaged_body(void **state)
{
	damage_segment(*state, false);
}

static void
test_damaged_record(void **state)
{
	damage_segment(*state, true);
}

/* Without an index nothing is done, and nothing breaks. */
static void
test_no_index(void **state)
{
	struct mailbox *b = *state;

	mailbox_open(b);
	fill(b, "INBOX", 3);
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	assert_int_equal(mkdirat(b->dirfd, "index", 0700), 0);
	assert_int_equal(mkdirat(b->dirfd, "index/DB_CONFIG", 0700), 0);
	mailbox_open(b);
	assert_true(b->report.no_index);
	assert_false(mbox_wants_upkeep(b->m));
	assert_int_equal(mbox_upkeep(b->m), MBOX_OK);
	put(b, "INBOX", S("x"));
	assert_int_equal(upkeep(b), 0);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_walk),
		TEST(test_space),
		TEST(test_files),
		TEST(test_quiet),
		TEST(test_rest),
		TEST(test_window),
		TEST(test_future),
		TEST(test_delivered),
		TEST(test_pieces),
		TEST(test_reader),
		TEST(test_damaged),
		TEST(test_damaged_body),
		TEST(test_damaged_record),
		TEST(test_no_index),
	};

	if (getenv("LOUD") == NULL)
		log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
