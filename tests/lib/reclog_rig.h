/*
 * reclog_rig - a record log in a directory of its own, and what its last
 * replay brought.  For the tests of the log, each of which has its copy.
 */
#ifndef TESTS_RECLOG_RIG_H
#define TESTS_RECLOG_RIG_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/core/xalloc.h"
#include "common/disk/reclog.h"
#include "tests/lib/unit.h"

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

static inline void
empty_dir(void)
{
	struct dirent	*e;
	DIR		*d = opendir(dir);

	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			unlinkat(dirfd_, e->d_name, 0);
	closedir(d);
}

static inline int
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

static inline int
on_record(void *arg, const struct rec *r, struct recpos pos)
{
	(void)arg;
	assert_null(r->payload.p);
	assert_true(n_ids < IDS);
	ids[n_ids] = r->id;
	places[n_ids++] = pos;
	return refuse ? 1 : 0;
}

static inline struct reclog *
open_log(void)
{
	n_ids = 0;
	return reclog_open(&conf, on_record, NULL, &report);
}

static inline struct reclog *
must_open(void)
{
	struct reclog *l = open_log();

	if (l == NULL)
		fail_msg("open: %s", strerror(errno));
	return l;
}

static inline struct recpos
add(struct reclog *l, uint64_t id, struct str meta, struct str payload)
{
	struct rec	r = { 1, id, meta, payload };
	struct recpos	pos;

	assert_int_equal(reclog_add(l, &r, &pos), 0);
	return pos;
}

static inline struct recpos
put(struct reclog *l, uint64_t id, struct str meta, struct str payload)
{
	struct recpos pos = add(l, id, meta, payload);

	assert_int_equal(reclog_commit(l, true), RECLOG_OK);
	return pos;
}

static inline void
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

static inline int
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

static inline bool
is_healthy(void)
{
	return report.quarantined == 0 && report.damaged == 0 &&
	    report.torn_bytes == 0 && report.footers_rebuilt == 0;
}

#define TEST(f)	cmocka_unit_test_setup(f, setup)

/* Around all tests of a program. */
static inline int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ == -1 ? -1 : 0;
}

static inline int
remove_dir(void **state)
{
	(void)state;
	empty_dir();
	close(dirfd_);
	return rmdir(dir);
}

#endif
