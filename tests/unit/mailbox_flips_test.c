/*
 * mailbox_flips_test - a mailbox whose files are flipped, cut, swapped and
 * lost at random, log and index and contents: it opens and shows what is
 * right, or says that it does not; it never shows what is wrong, and no
 * process dies of it.  FLIPS sets how many, SEED where to start.  ATTACKS
 * K-04.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/log.h"
#include "tests/lib/mailbox.h"
#include "tests/lib/steps.h"
#include "tests/lib/unit.h"

enum { MESSAGES = 24, FILES_MAX = 64, SECONDS = 60 };

/* What a child that opened the mailbox tells by its exit. */
enum { SHOWN_ALL, SHOWN_LESS, NOT_OPENED, WRONG };

static size_t
length_of(unsigned i)
{
	/* Some in the log, some in files of their own. */
	return i % 6 == 5 ? 9000 + i : 100 + 300 * i;
}

/* Each message says its number all over. */
static void
make_text(unsigned i, struct buf *b)
{
	buf_reset(b);
	while (b->n < length_of(i))
		buf_addf(b, "message %u line %zu\n", i, b->n);
}

static void
fill(struct mailbox *b)
{
	struct buf		text;
	enum store_result	r;
	unsigned		i;

	buf_init(&text, 100000);
	mailbox_make(b);
	b->conf.segment_max = 32 * 1024;
	mailbox_open(b);
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	for (i = 0; i < MESSAGES; i++) {
		make_text(i, &text);
		assert_true(store_put(b->s, i % 2 == 0 ? "INBOX" : "a",
		    buf_str(&text), 0, &r) != 0);
		mailbox_turn(b);
	}
	mailbox_close(b);
	mailbox_copy_dir(b, "log", "log.sound");
	mailbox_copy_dir(b, "index", "index.sound");
	buf_clear(&text);
}

/* -- damage --------------------------------------------------------------- */

static unsigned
list(int dirfd, char names[FILES_MAX][64])
{
	struct dirent	*e;
	DIR		*d = fdopendir(openat(dirfd, ".", O_RDONLY));
	unsigned	 n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL && n < FILES_MAX) {
		if (e->d_name[0] != '.')
			snprintf(names[n++], 64, "%.60s", e->d_name);
	}
	(void)closedir(d);
	return n;
}

static void
damage_file(int fd, uint32_t *seed)
{
	off_t	size = lseek(fd, 0, SEEK_END);
	char	p[600];
	size_t	n, i;

	if (size == 0)
		return;
	switch (step_below(seed, 5)) {
	case 0:
		assert_int_equal(ftruncate(fd, (off_t)step_below(seed,
		    (uint32_t)size)), 0);
		return;
	case 1:			/* longer */
		n = 1 + step_below(seed, sizeof(p) - 1);
		memset(p, (int)step_below(seed, 256), n);
		assert_int_equal(pwrite(fd, p, n, size), n);
		return;
	case 2:			/* a piece elsewhere */
		n = 1 + step_below(seed, sizeof(p) - 1);
		n = (size_t)pread(fd, p, n, (off_t)step_below(seed,
		    (uint32_t)size));
		assert_int_equal(pwrite(fd, p, n, (off_t)step_below(seed,
		    (uint32_t)size)), n);
		return;
	default:
		n = 1 + step_below(seed, 3);
		for (i = 0; i < n; i++)
			p[i] = (char)step_below(seed, 256);
		assert_int_equal(pwrite(fd, p, n, (off_t)step_below(seed,
		    (uint32_t)size)), n);
	}
}

/* One of the files, or two change places, or one is gone. */
static void
damage(const struct mailbox *b, const char *dir, uint32_t *seed)
{
	static char	names[FILES_MAX][64];
	int		dirfd = openat(b->dirfd, dir, O_RDONLY | O_DIRECTORY);
	unsigned	n = list(dirfd, names);
	const char	*one = names[step_below(seed, n)];
	const char	*two = names[step_below(seed, n)];
	int		fd;

	switch (step_below(seed, 12)) {
	case 0:
		assert_int_equal(unlinkat(dirfd, one, 0), 0);
		break;
	case 1:
		assert_int_equal(renameat2(dirfd, one, dirfd, two,
		    RENAME_EXCHANGE), 0);
		break;
	default:
		fd = openat(dirfd, one, O_RDWR | O_CLOEXEC);
		assert_int_not_equal(fd, -1);
		damage_file(fd, seed);
		(void)close(fd);
	}
	(void)close(dirfd);
}

/* -- what is shown -------------------------------------------------------- */

/* Which message that is; MESSAGES: none of ours. */
static unsigned
which(struct str text)
{
	struct buf	want;
	unsigned	i;

	buf_init(&want, 100000);
	for (i = 0; i < MESSAGES; i++) {
		make_text(i, &want);
		if (str_eq(buf_str(&want), text))
			break;
	}
	buf_clear(&want);
	return i;
}

static unsigned
look_in(struct store s, struct str name, bool *is_wrong)
{
	struct store_folder	*f;
	struct buf		 text;
	unsigned		 good = 0;
	size_t			 i;

	if (s.ops->open(s.impl, name, &f) != STORE_OK)
		return 0;
	buf_init(&text, 1 << 20);
	for (i = 0; i < f->n; i++) {
		buf_reset(&text);
		/* Less than there is: nobody takes it for the message. */
		if (store_octets(s, f, f->msgs[i].uid, 0, SIZE_MAX,
		    &text) != STORE_OK || text.n < f->msgs[i].size)
			continue;
		if (which(buf_str(&text)) == MESSAGES)
			*is_wrong = true;
		good++;
	}
	s.ops->close(s.impl, f);
	buf_clear(&text);
	return good;
}

/* As an owner does: open, read, a turn, close. */
static int
look(struct mailbox *b)
{
	struct store_name	e;
	struct str		name = S("");
	char			at[STORE_NAME_MAX];
	unsigned		good = 0;
	bool			is_wrong = false;

	if (mbox_open(&b->conf, &b->m, &b->report) == -1)
		return NOT_OPENED;
	b->s = mbox_store(b->m);
	while (b->s.ops->next(b->s.impl, name, &e) == STORE_OK) {
		memcpy(at, e.name.p, e.name.n);
		name = str_of(at, e.name.n);
		if (e.exists)
			good += look_in(b->s, name, &is_wrong);
	}
	(void)mbox_turn(b->m);
	mbox_close(b->m);
	return is_wrong ? WRONG : good == MESSAGES ? SHOWN_ALL : SHOWN_LESS;
}

static int
in_a_child(struct mailbox *b, uint32_t was)
{
	const struct rlimit	none = { 0, 0 };
	int			status;
	pid_t			pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		alarm(SECONDS);
		_exit(look(b));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		fail_msg("seed %u: signal %d", was, WTERMSIG(status));
	if (WEXITSTATUS(status) >= WRONG)
		fail_msg("seed %u: exit %d", was, WEXITSTATUS(status));
	return WEXITSTATUS(status);
}

static uint32_t
number(const char *name, uint32_t otherwise)
{
	const char	*text = getenv(name);
	uint64_t	 v;

	return text == NULL || str_u64(str_c(text), UINT32_MAX, &v) == -1 ?
	    otherwise : (uint32_t)v;
}

static void
test_flips(void **state)
{
	struct mailbox	b;
	uint32_t	seed, was, i, n = number("FLIPS", 120);
	unsigned	said[WRONG] = { 0 };
	int		r;

	(void)state;
	fill(&b);
	assert_int_equal(in_a_child(&b, 0), SHOWN_ALL);
	for (i = 0; i < n; i++) {
		seed = was = number("SEED", 1) + i;
		mailbox_copy_dir(&b, "log.sound", "log");
		mailbox_copy_dir(&b, "index.sound", "index");
		if (was % 3 != 0)
			damage(&b, "log", &seed);
		if (was % 3 != 1)
			damage(&b, "index", &seed);
		r = in_a_child(&b, was);
		said[r]++;
		/* The log is sound: so is the mailbox, at the latest now. */
		if (was % 3 == 0 && in_a_child(&b, was) != SHOWN_ALL)
			fail_msg("seed %u: lost with the index", was);
	}
	print_message("%u shown, %u less, %u not opened\n", said[SHOWN_ALL],
	    said[SHOWN_LESS], said[NOT_OPENED]);
	assert_true(said[SHOWN_ALL] > n / 10 && said[SHOWN_LESS] > n / 20);
	mailbox_remove(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flips),
	};

	log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests_name("mailbox_flips", tests, NULL,
	    NULL);
}
