/*
 * A mailbox whose log is damaged: what is lost, and that nothing else is.
 */
#include <fcntl.h>
#include <unistd.h>

#include "common/core/id.h"
#include "common/core/log.h"
#include "mailboxd/index.h"
#include "tests/lib/mbox_rig.h"

/* Where the n-th record is that names a body of 9000 octets; 0: none. */
static off_t
find_record(const struct mailbox *b, unsigned n)
{
	static const char	want[] = "\x28\x23\0\0\1\x28\x23\0\0\0\0\0";
	static char		p[256 * 1024];
	const char		*at = p;
	int			 fd;
	ssize_t			 size;

	fd = openat(b->dirfd, "log/0000000000000001.seg", O_RDONLY);
	size = read(fd, p, sizeof(p));
	assert_true(size > 0);
	(void)close(fd);
	for (;; at++) {
		at = memmem(at, (size_t)(p + size - at), want, sizeof(want));
		if (at == NULL || n-- == 0)
			return at == NULL ? 0 : (off_t)(at - p);
	}
}

/* How many messages there are, and how many of them can be read. */
static size_t
readable(struct mailbox *b, const char *name, size_t *n)
{
	struct store_folder	*f;
	struct buf		 out;
	size_t			 i, ok = 0;

	if (b->s.ops->open(b->s.impl, str_c(name), &f) != STORE_OK)
		return 0;
	buf_init(&out, 1024 * 1024);
	for (i = 0; i < f->n; i++) {
		buf_reset(&out);
		if (store_octets(b->s, f, f->msgs[i].uid, 0, SIZE_MAX,
		    &out) == STORE_OK && out.n == f->msgs[i].size)
			ok++;
	}
	*n += f->n;
	close_folder(b, f);
	buf_clear(&out);
	return ok;
}

static unsigned
count_files(const struct mailbox *b)
{
	char		 name[64];
	unsigned	 n = 0;
	uint64_t	 id;

	for (id = 1; id < 100; id++) {
		snprintf(name, sizeof(name), "log/body-%s", id_text(id).s);
		n += faccessat(b->dirfd, name, F_OK, 0) == 0;
	}
	return n;
}

static void
fill_damaged(struct mailbox *b)
{
	static char	text[9000];
	unsigned	i;

	memset(text, 't', sizeof(text));
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	mailbox_turn(b);
	for (i = 0; i < 40; i++) {
		put(b, i % 2 == 0 ? "INBOX" : "a",
		    str_of(text, i % 4 == 0 ? sizeof(text) : 3000));
		mailbox_turn(b);
	}
	mailbox_close(b);
	mailbox_copy_dir(b, "log", "sound");
	mailbox_copy_dir(b, "index", "before");
	assert_int_equal(count_files(b), 10);
}

/*
 * One damaged octet costs at most the message it is in, no other body, and
 * no file; what the index knows stays known.
 */
static void
test_damaged_log(void **state)
{
	struct mailbox	*b = *state;
	unsigned	 damage = 0;
	size_t		 n, ok;
	off_t		 at;

	fill_damaged(b);
	for (at = 600; at < 60000; at += 1511) {
		mailbox_copy_dir(b, "sound", "log");
		mailbox_copy_dir(b, "before", "index");
		mailbox_flip(b, 1, at);
		mailbox_open(b);
		n = 0;
		ok = readable(b, "INBOX", &n) + readable(b, "a", &n);
		assert_int_equal(n, 40);
		assert_true(ok >= 39);
		damage += ok < 40;
		mailbox_close(b);
		mailbox_remove_dir(b, "index");
		mailbox_open(b);
		n = 0;
		ok = readable(b, "INBOX", &n) + readable(b, "a", &n) +
		    readable(b, "Recovered-2", &n);
		assert_true(ok >= 39);
		mailbox_close(b);
	}
	assert_true(damage > 5);
	mailbox_open(b);
}

/* A file whose record is damaged stays, at this open and at later ones. */
static void
test_damaged_names(void **state)
{
	struct mailbox	*b = *state;
	unsigned	 i;
	off_t		 at;

	fill_damaged(b);
	for (i = 0; (at = find_record(b, i)) != 0 && i < 10; i++) {
		mailbox_remove_dir(b, "index");
		mailbox_flip(b, 1, at);
		/* The footer, which would have told. */
		if (i % 2 == 1)
			mailbox_flip(b, 1, 70000);
		mailbox_open(b);
		assert_true(b->report.rebuilt);
		assert_int_equal(count_files(b), 10);
		mailbox_close(b);
		mailbox_open(b);
		assert_false(b->report.rebuilt);
		assert_int_equal(count_files(b), 10);
		mailbox_close(b);
		mailbox_copy_dir(b, "sound", "log");
	}
	assert_true(i > 3);
	mailbox_open(b);
}

/* The row of a body in the index; ids are big-endian. */
static void
forget_row(const struct mailbox *b, uint64_t id)
{
	int		 fd = openat(b->dirfd, "index", O_RDONLY | O_DIRECTORY);
	struct index	*ix = index_open(fd);
	char		 key[9] = "B";
	size_t		 i;

	assert_non_null(ix);
	for (i = 0; i < 8; i++)
		key[1 + i] = (char)(id >> (56 - 8 * i) & 0xff);
	assert_int_equal(index_begin(ix), 0);
	assert_int_equal(index_del(ix, str_of(key, sizeof(key))), 0);
	assert_int_equal(index_commit(ix), 0);
	index_close(ix);
	(void)close(fd);
}

/*
 * An index that lost the row of a body, of whatever cause: the file is not
 * taken for one that nobody names.
 */
static void
test_lost_rows(void **state)
{
	struct mailbox	*b = *state;
	unsigned	 tried = 0;
	uint64_t	 id;
	size_t		 n;
	char		 name[64];

	fill_damaged(b);
	for (id = 1; id < 100; id++) {
		snprintf(name, sizeof(name), "log/body-%s", id_text(id).s);
		if (faccessat(b->dirfd, name, F_OK, 0) == -1)
			continue;
		tried++;
		forget_row(b, id);
		mailbox_open(b);
		assert_true(b->report.rebuilt);
		assert_int_equal(b->report.swept, 0);
		assert_int_equal(count_files(b), 10);
		n = 0;
		assert_int_equal(readable(b, "INBOX", &n) +
		    readable(b, "a", &n), 40);
		mailbox_close(b);
	}
	assert_int_equal(tried, 10);
	mailbox_open(b);
	assert_false(b->report.rebuilt);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_damaged_log),
		TEST(test_damaged_names),
		TEST(test_lost_rows),
	};

	log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
