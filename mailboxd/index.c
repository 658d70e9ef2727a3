/*
 * index - see index.h.  The only file of mailboxd that includes db.h.
 *
 * DB_PRIVATE without locks: one process, no threads.  DB_RECOVER always,
 * since nothing shows that the last owner died.  Pages are of the file
 * system's size and have checksums, for Berkeley DB has nothing else against
 * a torn page.  lg_max is small: recovery zero-fills a log file up to it.
 */
#include "mailboxd/index.h"

#include <assert.h>
#include <db.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "common/disk/crc32c.h"

enum {
	PAGE = 4096,
	CACHE = 512 * 1024,
	LOG_MAX = 256 * 1024,
	LOG_BUFFER = 32 * 1024,
	CHECKPOINT_KB = 256,
	REMOVE_EVERY = 64,		/* commits between removals of logs */
	BULK = 256 * 1024
};

#define CLOSED	"closed"

struct index {
	int	 dirfd;
	DB_ENV	*env;
	DB	*db;
	DB_TXN	*txn;
	char	*bulk;		/* for scans */
	unsigned commits;
	bool	 failed;
};

static void
on_error(const DB_ENV *env, const char *prefix, const char *text)
{
	(void)env;
	(void)prefix;
	log_warn("index", L_Z("text", text));
}

static int
failed(struct index *ix, const char *what, int r)
{
	log_warn("index", L_Z("call", what), L_Z("error", db_strerror(r)));
	ix->failed = true;
	return -1;
}

/* -- open, close ------------------------------------------------------ */

static int
open_env(struct index *ix)
{
	const uint32_t	 flags = DB_CREATE | DB_PRIVATE | DB_INIT_TXN |
	    DB_INIT_LOG | DB_INIT_MPOOL | DB_RECOVER;
	DB_ENV		*e;
	int		 r;

	r = db_env_create(&e, 0);
	if (r != 0)
		return failed(ix, "db_env_create", r);
	ix->env = e;
	e->set_errcall(e, on_error);
	if ((r = e->set_cachesize(e, 0, CACHE, 1)) != 0 ||
	    (r = e->set_lg_max(e, LOG_MAX)) != 0 ||
	    (r = e->set_lg_bsize(e, LOG_BUFFER)) != 0 ||
	    /* Else it reads the number of processors from sysfs. */
	    (r = e->mutex_set_tas_spins(e, 1)) != 0)
		return failed(ix, "settings", r);
	r = e->open(e, ".", flags, 0600);
	return r == 0 ? 0 : failed(ix, "env open", r);
}

static int
open_db(struct index *ix)
{
	DB	*d;
	int	 r;

	r = db_create(&d, ix->env, 0);
	if (r != 0)
		return failed(ix, "db_create", r);
	ix->db = d;
	if ((r = d->set_pagesize(d, PAGE)) != 0 ||
	    (r = d->set_flags(d, DB_CHKSUM)) != 0)
		return failed(ix, "settings", r);
	r = d->open(d, NULL, "index.db", NULL, DB_BTREE,
	    DB_CREATE | DB_AUTO_COMMIT, 0600);
	return r == 0 ? 0 : failed(ix, "db open", r);
}

/*
 * What is in the way: DB_CONFIG, which would be obeyed, and what is no file.
 * Berkeley DB would follow a link and wait at a fifo.
 */
static bool
is_foreign(int dirfd, const char *name)
{
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	return strcmp(name, "DB_CONFIG") == 0 ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode);
}

static DIR *
open_list(int dirfd)
{
	DIR	*d;
	int	 fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return NULL;
	d = fdopendir(fd);
	if (d == NULL)
		(void)close(fd);
	return d;
}

/* Nobody here makes anything else: it is all ours, or not to be opened. */
static bool
is_ours(int dirfd)
{
	struct dirent	*e;
	DIR		*d = open_list(dirfd);
	bool		 is_ok = d != NULL;

	while (is_ok && (e = readdir(d)) != NULL) {
		is_ok = !is_foreign(dirfd, e->d_name);
		if (!is_ok)
			log_warn("index", L_Z("error", "not of the index"),
			    L_Z("file", e->d_name));
	}
	if (d != NULL)
		(void)closedir(d);
	return is_ok;
}

/* -- what was left at the last close ------------------------------------ */

/*
 * Berkeley DB takes a damaged record of its log for the end of that log, and
 * undoes what it finds no end of: rows vanish and nobody is told.  So a
 * checksum of the logs stays behind when all is written, and goes when the
 * table is opened.  After a kill there is none.
 */
static int
add_file(int dirfd, const char *name, uint32_t *sum)
{
	static char	p[64 * 1024];
	int		fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK);
	uint32_t	crc = crc32c(0, name, strlen(name));
	ssize_t		n;

	if (fd == -1)
		return -1;
	while ((n = read(fd, p, sizeof(p))) > 0)
		crc = crc32c(crc, p, (size_t)n);
	(void)close(fd);
	*sum += crc;			/* in whatever order they come */
	return n == 0 ? 0 : -1;
}

static int
sum_logs(int dirfd, uint32_t *sum)
{
	struct dirent	*e;
	DIR		*d = open_list(dirfd);
	int		 r = 0;

	if (d == NULL)
		return -1;
	*sum = 0;
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "log.", 4) == 0)
			r = add_file(dirfd, e->d_name, sum);
	}
	(void)closedir(d);
	return r;
}

static void
leave_sum(int dirfd)
{
	uint32_t	sum;
	int		fd;

	if (sum_logs(dirfd, &sum) == -1)
		return;
	fd = openat(dirfd, CLOSED, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return;
	/* A part of it is no match either. */
	(void)!write(fd, &sum, sizeof(sum));
	(void)close(fd);
}

/* False when the logs are not those of the last close. */
static bool
take_sum(int dirfd)
{
	uint32_t	was = 0, sum;
	ssize_t		n;
	int		fd = openat(dirfd, CLOSED, O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW);

	if (fd == -1)
		return errno == ENOENT;
	n = read(fd, &was, sizeof(was));
	(void)close(fd);
	if (unlinkat(dirfd, CLOSED, 0) == 0 && n == sizeof(was) &&
	    sum_logs(dirfd, &sum) == 0 && sum == was)
		return true;
	log_warn("index", L_Z("error", "changed since it was closed"));
	return false;
}

struct index *
index_open(int dirfd)
{
	struct index *ix;

	if (!is_ours(dirfd) || !take_sum(dirfd))
		return NULL;
	if (fchdir(dirfd) == -1) {
		log_warn("index", L_Z("call", "fchdir"), L_ERRNO);
		return NULL;
	}
	ix = xcalloc(1, sizeof(*ix));
	ix->dirfd = dirfd;
	if (open_env(ix) == -1 || open_db(ix) == -1) {
		index_close(ix);
		return NULL;
	}
	return ix;
}

/*
 * Log files that no recovery needs any more.  The library's own removal
 * wants the absolute path of this directory, which a locked-in process
 * cannot know.
 */
static int
remove_logs(struct index *ix)
{
	char	**names, **p;
	int	  r;

	if (fchdir(ix->dirfd) == -1)
		return failed(ix, "fchdir", errno);
	r = ix->env->log_archive(ix->env, &names, 0);
	if (r != 0)
		return failed(ix, "log_archive", r);
	for (p = names; p != NULL && *p != NULL; p++) {
		if (unlink(*p) == -1)
			log_warn("index", L_Z("call", "unlink"), L_ERRNO);
	}
	free(names);
	return 0;
}

void
index_close(struct index *ix)
{
	bool is_whole;

	if (ix == NULL)
		return;
	if (fchdir(ix->dirfd) == -1)
		ix->failed = true;
	if (ix->txn != NULL)
		(void)ix->txn->abort(ix->txn);
	/* Never synced: what is lost here is in the log. */
	is_whole = !ix->failed && ix->env != NULL &&
	    ix->env->txn_checkpoint(ix->env, 0, 0, DB_FORCE) == 0 &&
	    remove_logs(ix) == 0;
	if (ix->db != NULL)
		(void)ix->db->close(ix->db, DB_NOSYNC);
	if (ix->env != NULL && ix->env->close(ix->env, 0) == 0 && is_whole)
		leave_sum(ix->dirfd);
	free(ix->bulk);
	free(ix);
}

int
index_wipe(int dirfd)
{
	struct dirent	*e;
	DIR		*d = open_list(dirfd);
	int		 r = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd, e->d_name, 0) == -1)
			r = -1;
	}
	(void)closedir(d);
	return r;
}

/* -- rows ------------------------------------------------------------- */

static DBT
dbt_of(struct str s)
{
	/* Berkeley DB does not write to what it is given to store. */
	return (DBT){
		.data = (void *)(uintptr_t)s.p, .size = (uint32_t)s.n
	};
}

int
index_begin(struct index *ix)
{
	int r;

	assert(ix->txn == NULL);
	if (fchdir(ix->dirfd) == -1)
		return failed(ix, "fchdir", errno);
	r = ix->env->txn_begin(ix->env, NULL, &ix->txn, DB_TXN_NOSYNC);
	return r == 0 ? 0 : failed(ix, "begin", r);
}

int
index_put(struct index *ix, struct str key, struct str value)
{
	DBT	k = dbt_of(key), v = dbt_of(value);
	int	r;

	assert(ix->txn != NULL && key.n <= INDEX_KEY_MAX &&
	    value.n <= INDEX_VALUE_MAX);
	r = ix->db->put(ix->db, ix->txn, &k, &v, 0);
	return r == 0 ? 0 : failed(ix, "put", r);
}

int
index_del(struct index *ix, struct str key)
{
	DBT	k = dbt_of(key);
	int	r;

	assert(ix->txn != NULL);
	r = ix->db->del(ix->db, ix->txn, &k, 0);
	return r == 0 || r == DB_NOTFOUND ? 0 : failed(ix, "del", r);
}

int
index_commit(struct index *ix)
{
	DB_TXN	*t = ix->txn;
	int	 r;

	assert(t != NULL);
	ix->txn = NULL;
	r = t->commit(t, 0);
	if (r != 0)
		return failed(ix, "commit", r);
	/* Does nothing until there is that much of log. */
	r = ix->env->txn_checkpoint(ix->env, CHECKPOINT_KB, 0, 0);
	if (r != 0)
		return failed(ix, "checkpoint", r);
	return ++ix->commits % REMOVE_EVERY == 0 ? remove_logs(ix) : 0;
}

int
index_get(struct index *ix, struct str key, struct buf *out)
{
	char	room[4096];
	DBT	k = dbt_of(key);
	DBT	v = { .data = room, .ulen = sizeof(room),
		    .flags = DB_DBT_USERMEM };
	int	r;

	r = ix->db->get(ix->db, ix->txn, &k, &v, 0);
	if (r == DB_BUFFER_SMALL) {
		v.data = buf_room(out, v.size);
		v.ulen = v.size;
		if (v.data == NULL)
			return -1;
		r = ix->db->get(ix->db, ix->txn, &k, &v, 0);
		if (r == 0)
			buf_grow(out, v.size);
	} else if (r == 0) {
		buf_add(out, str_of(room, v.size));
	}
	if (r == DB_NOTFOUND)
		return 0;
	return r == 0 ? 1 : failed(ix, "get", r);
}

/* 1: go on; 0: behind the last row of the prefix; -1. */
static int
give_rows(DBT *bulk, struct str prefix, index_row_fn *fn, void *arg)
{
	struct str	 key, value;
	size_t		 kn, vn;
	void		*at, *k, *v;

	DB_MULTIPLE_INIT(at, bulk);
	for (;;) {
		DB_MULTIPLE_KEY_NEXT(at, bulk, k, kn, v, vn);
		if (at == NULL)
			return 1;
		key = str_of(k, kn);
		value = str_of(v, vn);
		if (!str_starts(key, prefix))
			return 0;
		if (fn(arg, key, value) == -1)
			return -1;
	}
}

int
index_scan(struct index *ix, struct str prefix, index_row_fn *fn, void *arg)
{
	uint32_t	 flags = DB_SET_RANGE | DB_MULTIPLE_KEY;
	DBT		 k, v;
	DBC		*c;
	char		 from[INDEX_KEY_MAX];
	int		 r, go = 1;

	assert(prefix.n <= sizeof(from));
	memcpy(from, prefix.p, prefix.n);
	k = (DBT){ .data = from, .size = (uint32_t)prefix.n,
	    .ulen = sizeof(from), .flags = DB_DBT_USERMEM };
	if (ix->bulk == NULL)
		ix->bulk = xcalloc(1, BULK);
	v = (DBT){ .data = ix->bulk, .ulen = BULK, .flags = DB_DBT_USERMEM };
	r = ix->db->cursor(ix->db, ix->txn, &c, 0);
	if (r != 0)
		return failed(ix, "cursor", r);
	while (go == 1) {
		r = c->get(c, &k, &v, flags);
		if (r != 0)
			break;
		go = give_rows(&v, prefix, fn, arg);
		flags = DB_NEXT | DB_MULTIPLE_KEY;
	}
	(void)c->close(c);
	if (r != 0 && r != DB_NOTFOUND)
		return failed(ix, "scan", r);
	free(ix->bulk);
	ix->bulk = NULL;
	return go == -1 ? -1 : 0;
}
