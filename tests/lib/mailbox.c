/*
 * mailbox - see mailbox.h.
 */
#include "tests/lib/mailbox.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/unit.h"

enum { DUMP_MAX = 64 * 1024 * 1024 };

#ifdef POSTERN_SANITIZE
/* Berkeley DB does not free an environment that it found damaged. */
const char	*__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:libdb-5.3.so";
}
#endif

void
mailbox_make(struct mailbox *b)
{
	*b = (struct mailbox){ .path = "/tmp/postern-mailbox-XXXXXX" };
	if (mkdtemp(b->path) == NULL)
		abort();
	b->dirfd = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(b->dirfd != -1);
	b->conf = (struct mbox_conf){
		.dirfd = b->dirfd, .epoch = 1, .segment_max = 64 * 1024,
		.message_max = 1024 * 1024, .inline_max = 8 * 1024,
		.flags_sync = true, .undelete = 7 * 86400,
		.delivered = 12 * 86400
	};
}

void
mailbox_open(struct mailbox *b)
{
	if (mbox_open(&b->conf, &b->m, &b->report) == -1) {
		perror("mbox_open");
		abort();
	}
	b->s = mbox_store(b->m);
}

void
mailbox_close(struct mailbox *b)
{
	mbox_close(b->m);
	b->m = NULL;
}

void
mailbox_turn(struct mailbox *b)
{
	enum mbox_result r = mbox_turn(b->m);

	assert(r == MBOX_OK);
	(void)r;
}

static void
empty(int fd)
{
	struct dirent	*e;
	DIR		*d = fdopendir(fd);
	int		 sub;

	assert(d != NULL);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY);
		if (sub == -1)
			continue;
		empty(sub);
		(void)unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	}
	(void)closedir(d);
}

void
mailbox_remove_dir(const struct mailbox *b, const char *name)
{
	int fd = openat(b->dirfd, name, O_RDONLY | O_DIRECTORY);

	if (fd == -1)
		return;
	empty(fd);
	(void)unlinkat(b->dirfd, name, AT_REMOVEDIR);
}

void
mailbox_remove(struct mailbox *b)
{
	if (b->m != NULL)
		mailbox_close(b);
	empty(dup(b->dirfd));
	(void)close(b->dirfd);
	if (chdir("/") == -1 || rmdir(b->path) == -1)
		abort();
}

static void
copy_file(int from, int to, const char *name)
{
	char	p[4096];
	ssize_t	n;
	int	in = openat(from, name, O_RDONLY);
	int	out = openat(to, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(in != -1 && out != -1);
	while ((n = read(in, p, sizeof(p))) > 0) {
		if (write(out, p, (size_t)n) != n)
			abort();
	}
	(void)close(in);
	(void)close(out);
}

void
mailbox_copy_dir(const struct mailbox *b, const char *from, const char *to)
{
	struct dirent	*e;
	DIR		*d;
	int		 out;

	mailbox_remove_dir(b, to);
	if (mkdirat(b->dirfd, to, 0700) == -1)
		abort();
	out = openat(b->dirfd, to, O_RDONLY | O_DIRECTORY);
	d = fdopendir(openat(b->dirfd, from, O_RDONLY | O_DIRECTORY));
	assert(d != NULL && out != -1);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] != '.')
			copy_file(dirfd(d), out, e->d_name);
	}
	(void)closedir(d);
	(void)close(out);
}

void
mailbox_flip(const struct mailbox *b, uint64_t segment, off_t at)
{
	char	name[64], c;
	int	fd;

	snprintf(name, sizeof(name), "log/%016llx.seg",
	    (unsigned long long)segment);
	fd = openat(b->dirfd, name, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(pread(fd, &c, 1, at), 1);
	c = (char)(c ^ 4);
	assert_int_equal(pwrite(fd, &c, 1, at), 1);
	(void)close(fd);
}

/* -- reading ---------------------------------------------------------- */

void
assert_same_dump(const struct buf *a, const struct buf *b, const char *what)
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

enum store_result
store_octets(struct store s, struct store_folder *f, uint32_t uid,
    uint32_t from, size_t n, struct buf *out)
{
	struct store_body	*b;
	enum store_result	 r;

	r = s.ops->body_open(s.impl, f, uid, &b);
	if (r != STORE_OK)
		return r;
	r = s.ops->body_read(s.impl, b, from, n, out);
	s.ops->body_close(s.impl, b);
	return r;
}

/* -- dump ------------------------------------------------------------- */

static void
dump_message(struct store s, struct store_folder *f, size_t i,
    struct buf *out, bool exact)
{
	const struct store_msg	*g = &f->msgs[i];
	struct buf		 text;
	uint64_t		 sum = 14695981039346656037u;
	size_t			 k;
	enum store_result	 r;

	buf_init(&text, DUMP_MAX);
	r = store_octets(s, f, g->uid, 0, SIZE_MAX, &text);
	for (k = 0; k < text.n; k++)
		sum = (sum ^ (unsigned char)text.p[text.at + k]) *
		    1099511628211u;
	buf_addf(out, "  %u flags %x words %llx date %lld %d size %u: "
	    "%d %zu %016llx", g->uid, g->flags,
	    (unsigned long long)g->keywords, (long long)g->date, g->zone,
	    g->size, (int)r, text.n, (unsigned long long)sum);
	if (exact)
		buf_addf(out, " id %llu modseq %llu",
		    (unsigned long long)g->id,
		    (unsigned long long)g->modseq);
	buf_addc(out, '\n');
	buf_clear(&text);
}

/* Before the folder is opened, which might put right what is wrong. */
static void
dump_status(struct store s, struct str name, struct buf *out)
{
	struct store_status	st, less;
	enum store_result	r = s.ops->status(s.impl, name, true, &st);

	if (r == STORE_OK)
		r = s.ops->status(s.impl, name, false, &less);
	if (r != STORE_OK) {
		buf_addf(out, " status: %d\n", (int)r);
		return;
	}
	assert(less.recent == 0 && less.unseen == st.unseen);
	buf_addf(out, " messages %u unseen %u recent %u next %u validity %u\n",
	    st.messages, st.unseen, st.recent, st.uidnext, st.uidvalidity);
}

static void
dump_folder(struct store s, struct str name, struct buf *out, bool exact)
{
	struct store_folder	*f;
	enum store_result	 r;
	size_t			 i;

	dump_status(s, name, out);
	r = s.ops->open(s.impl, name, &f);
	if (r != STORE_OK) {
		buf_addf(out, " open: %d\n", (int)r);
		return;
	}
	buf_addf(out, " validity %u next %u recent %u exists %zu",
	    f->uidvalidity, f->uidnext, f->recent, f->n);
	for (i = 0; i < f->nkeywords; i++) {
		buf_addc(out, ' ');
		buf_add(out, f->keywords[i]);
	}
	if (exact)
		buf_addf(out, " id %llu modseq %llu",
		    (unsigned long long)f->id,
		    (unsigned long long)f->modseq);
	buf_addc(out, '\n');
	for (i = 0; i < f->n; i++)
		dump_message(s, f, i, out, exact);
	s.ops->close(s.impl, f);
}

void
store_dump(struct store s, struct buf *out, bool exact)
{
	struct store_name	e;
	struct str		name;
	char			at[STORE_NAME_MAX];

	name = str_of("", 0);
	while (s.ops->next(s.impl, name, &e) == STORE_OK) {
		assert(e.name.n <= sizeof(at));
		memcpy(at, e.name.p, e.name.n);
		name = str_of(at, e.name.n);
		buf_addf(out, "%.*s:%s%s%s\n", (int)name.n, name.p,
		    e.exists ? " exists" : "",
		    e.subscribed ? " subscribed" : "",
		    e.has_children ? " children" : "");
		if (e.exists)
			dump_folder(s, name, out, exact);
	}
}

uint32_t
store_put(struct store s, const char *folder, struct str text, uint8_t flags,
    enum store_result *r)
{
	struct store_new	 new = {
		.folder = str_c(folder), .size = (uint32_t)text.n,
		.date = 1700000000, .zone = 60, .flags = flags
	};
	struct store_append	*a;
	uint32_t		 uidvalidity, uid = 0;

	*r = s.ops->append(s.impl, &new, &a);
	if (*r != STORE_OK)
		return 0;
	*r = s.ops->append_data(s.impl, a, text);
	if (*r != STORE_OK) {
		s.ops->append_abort(s.impl, a);
		return 0;
	}
	*r = s.ops->append_end(s.impl, a, &uidvalidity, &uid);
	return *r == STORE_OK ? uid : 0;
}
