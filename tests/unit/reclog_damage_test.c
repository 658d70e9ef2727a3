/*
 * reclog_damage_test - the record log when its files are damaged: every byte
 * of a small log flipped in turn, every length that the last segment could
 * be cut to, content that looks like frames; and a writer that is killed.
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/disk/io.h"
#include "tests/lib/reclog_rig.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flips_in_tail), TEST(flips_in_closed),
		TEST(flips_in_sealed), TEST(flips_in_middle),
		TEST(flips_without_footer), TEST(each_length),
		TEST(keeps_torn_bytes), TEST(forged_content),
		TEST(killed_at_each_call),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
