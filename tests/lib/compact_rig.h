/*
 * compact_rig - around each test of snapshots and compaction: a mailbox of
 * small segments under a clock of its own, that is filled, emptied and kept
 * up.  Nothing is kept for undeletion unless the test says so.
 */
#ifndef TESTS_COMPACT_RIG_H
#define TESTS_COMPACT_RIG_H

#include "tests/lib/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "mailboxd/deliver.h"
#include "mailboxd/mbox.h"
#include "tests/lib/mailbox.h"
#include "tests/lib/steps.h"

enum {
	DUMP_MAX = 16 * 1024 * 1024,
	DAY = 86400,
	NOW = 1700000000,
	STEPS_MAX = 20000	/* upkeep that never ends is a fault */
};

static inline int
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

static inline int
tear_down(void **state)
{
	log_flush();
	mailbox_remove(*state);
	clock_release();
	return 0;
}

static inline void
at_day(double day)
{
	clock_set(clock_now() + 120 * 1000,
	    (NOW + (int64_t)(day * DAY)) * 1000);
}

/* All that is due; how many steps. */
static inline unsigned
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

static inline void
dump(struct mailbox *b, struct buf *out, bool exact)
{
	buf_init(out, DUMP_MAX);
	store_dump(b->s, out, exact);
	assert_true(buf_ok(out));
}

static inline void
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
static inline void
check_reopen(struct mailbox *b)
{
	struct quota	used;
	struct buf	x, y;

	dump(b, &x, true);
	used = mbox_usage(b->m);
	reopen(b, false);
	dump(b, &y, true);
	assert_same_dump(&x, &y, "with index");
	buf_clear(&y);
	assert_true(quota_is_equal(mbox_usage(b->m), used));
	reopen(b, true);
	dump(b, &y, true);
	assert_same_dump(&x, &y, "without index");
	assert_true(quota_is_equal(mbox_usage(b->m), used));
	buf_clear(&x);
	buf_clear(&y);
}

static inline struct store_folder *
open_folder(struct mailbox *b, const char *name)
{
	struct store_folder *f;

	assert_int_equal(b->s.ops->open(b->s.impl, str_c(name), &f),
	    STORE_OK);
	return f;
}

static inline void
put(struct mailbox *b, const char *name, struct str s)
{
	enum store_result r;

	assert_int_not_equal(store_put(b->s, name, s, 0, &r), 0);
	mailbox_turn(b);
}

/* Octets that do not compress, of a number. */
static inline struct str
noise(uint32_t seed, size_t n)
{
	static char	text[64 * 1024];
	size_t		i;

	for (i = 0; i < n; i++)
		text[i] = (char)(33 + step_below(&seed, 90));
	return str_of(text, n);
}

/* New messages of a folder until so many segments were sealed. */
static inline void
fill(struct mailbox *b, const char *name, unsigned segments)
{
	uint64_t	until = reclog_segment(b->m->log) + segments;
	uint32_t	i = (uint32_t)b->m->st.next_id;

	while (reclog_segment(b->m->log) < until)
		put(b, name, noise(i++, 1500));
}

static inline void
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

static inline enum deliver_result
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

/* Bytes and number of files of the log whose names begin so. */
static inline size_t
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

static inline bool
has_segment(const struct mailbox *b, uint64_t id)
{
	char name[64];

	snprintf(name, sizeof(name), "log/%016llx.seg",
	    (unsigned long long)id);
	return faccessat(b->dirfd, name, F_OK, 0) == 0;
}

/* Quiet, unless somebody wants to read what it logs. */
static inline void
log_quietly(void)
{
	if (getenv("LOUD") == NULL)
		log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

#endif
