/*
 * directory - see directory.h.  Owns the Berkeley DB environment; one btree
 * whose keys begin with the letter of a table:
 *
 *	M name			counters: "mailbox", the next id; "tenant"
 *	T name			tenants
 *	D domain		domains
 *	A domain 0 local	accounts
 *	L domain 0 local	aliases; the local part of a catch-all is empty
 *	I id			account's address, by mailbox (big endian)
 *	C id			credentials, by mailbox
 *	U id			usage, by mailbox
 *	S id			the sum of these, by tenant
 *
 * What the rows mean is in domain.c, user.c, alias.c and tenant.c.  Never
 * asks the clock.
 */
#include "authd/directory.h"

#include <assert.h>
#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "authd/dirdb.h"
#include "authd/spare.h"
#include "common/core/log.h"
#include "common/core/pack.h"
#include "common/core/xalloc.h"

enum {
	PAGE = 4096,			/* the file system's block */
	CACHE = 8 * 1024 * 1024,
	LOG_MAX = 256 * 1024,		/* the cost of every open */
	LOG_BUFFER = 32 * 1024,
	CHECKPOINT_KB = 256,
	REMOVE_EVERY = 64		/* commits between looks for old logs */
};

struct dir {
	DB_ENV		*env;
	DB		*db;
	DB_TXN		*txn;		/* of the change under way */
	uint64_t	 ids_max;
	unsigned	 commits;
	uint64_t	 version;
	char		*postmaster, *hostname;		/* or NULL */
};

/* -- keys ------------------------------------------------------------- */

struct dir_key
dir_key_text(char table, struct str s)
{
	struct dir_key k = { .p = { table } };

	assert(s.n <= DIR_TEXT_MAX);
	memcpy(k.p + 1, s.p, s.n);
	k.n = 1 + s.n;
	return k;
}

/* Of an address in canonical form: sorted by domain. */
struct dir_key
dir_key_address(char table, struct str address)
{
	ptrdiff_t	at = str_rchr(address, '@');
	struct str	domain = str_from(address, (size_t)at + 1);
	struct dir_key	k = dir_key_text(table, domain);

	assert(at != -1);
	k.p[k.n++] = '\0';
	memcpy(k.p + k.n, address.p, (size_t)at);
	k.n += (size_t)at;
	return k;
}

struct dir_key
dir_key_id(char table, uint64_t id)
{
	struct dir_key	k = { .p = { table }, .n = 9 };
	int		i;

	for (i = 0; i < 8; i++)
		k.p[1 + i] = (char)(id >> (56 - 8 * i) & 0xff);
	return k;
}

/* The address that the key was made of. */
void
dir_key_to_address(struct str key, char out[DIR_TEXT_MAX + 1])
{
	struct str	local = str_from(key, 1), domain;

	str_cut(&local, '\0', &domain);
	assert(local.n + 1 + domain.n <= DIR_TEXT_MAX);
	memcpy(out, local.p, local.n);
	out[local.n] = '@';
	memcpy(out + local.n + 1, domain.p, domain.n);
	out[local.n + 1 + domain.n] = '\0';
}

/* -- Berkeley DB ------------------------------------------------------ */

static void
check(int rc, const char *what)
{
	if (rc != 0)
		fatalx("directory: %s: %s", what, db_strerror(rc));
}

static void
on_db_error(const DB_ENV *env, const char *prefix, const char *text)
{
	(void)env;
	(void)prefix;
	log_error("directory", L_Z("libdb", text));
}

static DBT
dbt(const void *p, size_t n)
{
	DBT d;

	memset(&d, 0, sizeof(d));
	d.data = (void *)(uintptr_t)p;
	d.size = (uint32_t)n;
	return d;
}

bool
dir_get(struct dir *d, struct dir_key key, struct str *value)
{
	DBT	k = dbt(key.p, key.n), v = dbt(NULL, 0);
	int	rc = d->db->get(d->db, d->txn, &k, &v, 0);

	if (rc == DB_NOTFOUND)
		return false;
	check(rc, "read");
	*value = str_of(v.data, v.size);
	return true;
}

bool
dir_has(struct dir *d, struct dir_key key)
{
	struct str value;

	return dir_get(d, key, &value);
}

/* The first key not below `from` (above it, if `behind`). */
bool
dir_seek(struct dir *d, struct dir_key from, bool behind, struct str *key,
    struct str *value)
{
	DBT	 k = dbt(from.p, from.n), v = dbt(NULL, 0);
	DBC	*c;
	int	 rc;

	check(d->db->cursor(d->db, d->txn, &c, 0), "cursor");
	rc = c->get(c, &k, &v, DB_SET_RANGE);
	if (rc == 0 && behind && k.size == from.n &&
	    memcmp(k.data, from.p, from.n) == 0)
		rc = c->get(c, &k, &v, DB_NEXT);
	if (rc != 0 && rc != DB_NOTFOUND)
		check(rc, "seek");
	*key = str_of(k.data, k.size);
	*value = str_of(v.data, v.size);
	check(c->close(c), "cursor");
	return rc == 0;
}

/* Usage, which is written all the time, leads nowhere. */
static bool
names_somebody(struct dir_key key)
{
	return key.p[0] == 'D' || key.p[0] == 'A' || key.p[0] == 'L';
}

uint64_t
dir_version(const struct dir *d)
{
	return d->version;
}

void
dir_put(struct dir *d, struct dir_key key, struct str value)
{
	DBT k = dbt(key.p, key.n), v = dbt(value.p, value.n);

	assert(d->txn != NULL);
	d->version += names_somebody(key);
	check(d->db->put(d->db, d->txn, &k, &v, 0), "write");
}

void
dir_del(struct dir *d, struct dir_key key)
{
	DBT	k = dbt(key.p, key.n);
	int	rc;

	assert(d->txn != NULL);
	d->version += names_somebody(key);
	rc = d->db->del(d->db, d->txn, &k, 0);
	if (rc != DB_NOTFOUND)
		check(rc, "delete");
}

void
dir_begin(struct dir *d)
{
	assert(d->txn == NULL);
	check(d->env->txn_begin(d->env, NULL, &d->txn, DB_TXN_SYNC), "begin");
}

/*
 * Removes logs that recovery no longer needs.  DB_LOG_AUTO_REMOVE would do it,
 * but asks for the absolute path, and in our root there is none.
 */
static void
remove_logs(struct dir *d)
{
	char	**names, **p;

	check(d->env->log_archive(d->env, &names, 0), "logs");
	for (p = names; p != NULL && *p != NULL; p++) {
		if (unlink(*p) == -1)
			fatal("directory: %s", *p);
	}
	free(names);
}

/*
 * A no-op until there is enough to write.  On a full disk the pages wait in
 * memory, and what they say is in the log.
 */
static void
checkpoint(struct dir *d)
{
	int rc = d->env->txn_checkpoint(d->env, CHECKPOINT_KB, 0, 0);

	if (rc == ENOSPC)
		return;
	check(rc, "checkpoint");
	if (++d->commits % REMOVE_EVERY == 0)
		remove_logs(d);
}

/* Durable when it returns; whatever was refused changes nothing. */
enum dir_result
dir_finish(struct dir *d, enum dir_result r)
{
	DB_TXN *t = d->txn;

	d->txn = NULL;
	if (r != DIR_OK) {
		check(t->abort(t), "abort");
		return r;
	}
	check(t->commit(t, DB_TXN_SYNC), "commit");
	checkpoint(d);
	return DIR_OK;
}

/* -- opening ---------------------------------------------------------- */

static void
open_env(struct dir *d)
{
	const uint32_t flags = DB_CREATE | DB_PRIVATE | DB_INIT_TXN |
	    DB_INIT_LOG | DB_INIT_MPOOL | DB_RECOVER;

	check(db_env_create(&d->env, 0), "environment");
	d->env->set_errcall(d->env, on_db_error);
	check(d->env->set_cachesize(d->env, 0, CACHE, 1), "cache size");
	check(d->env->set_lg_max(d->env, LOG_MAX), "log size");
	check(d->env->set_lg_bsize(d->env, LOG_BUFFER), "log buffer");
	/* Avoids counting processors in /sys. */
	check(d->env->mutex_set_tas_spins(d->env, 1), "spins");
	check(d->env->open(d->env, ".", flags, 0600), "open environment");
}

static void
open_db(struct dir *d)
{
	check(db_create(&d->db, d->env, 0), "database");
	check(d->db->set_pagesize(d->db, PAGE), "page size");
	check(d->db->set_flags(d->db, DB_CHKSUM), "checksums");
	check(d->db->open(d->db, NULL, "directory.db", NULL, DB_BTREE,
	    DB_CREATE | DB_AUTO_COMMIT, 0600), "open");
}

void
dir_put_number(struct dir *d, struct dir_key key, uint64_t v)
{
	char p[8];

	put_u64(p, v);
	dir_put(d, key, str_of(p, sizeof(p)));
}

uint64_t
dir_get_number(struct dir *d, struct dir_key key)
{
	struct str v;

	if (!dir_get(d, key, &v) || v.n != 8)
		fatalx("directory: a counter is missing");
	return get_u64(v.p);
}

static void
first_time(struct dir *d)
{
	if (dir_has(d, dir_key_text('T', S("default"))))
		return;
	dir_begin(d);
	dir_put_tenant(d, S("default"), DIR_TENANT_DEFAULT,
	    (struct dir_quota){ 0, 0 });
	dir_put_number(d, dir_key_text('M', S("tenant")),
	    DIR_TENANT_DEFAULT + 1);
	dir_put_number(d, dir_key_text('M', S("mailbox")), 1);
	dir_finish(d, DIR_OK);
}

struct dir *
dir_open(int fd, uint64_t mailboxes_max)
{
	struct dir	*d = xcalloc(1, sizeof(*d));
	struct stat	 st;

	if (fstatat(fd, "DB_CONFIG", &st, AT_SYMLINK_NOFOLLOW) == 0)
		fatalx("directory: DB_CONFIG is in the way; remove it");
	if (errno != ENOENT)
		fatal("directory");
	if (fchdir(fd) == -1)
		fatal("directory");
	d->ids_max = mailboxes_max;
	spare_use();
	open_env(d);
	open_db(d);
	remove_logs(d);
	first_time(d);
	return d;
}

void
dir_close(struct dir *d)
{
	if (d == NULL)
		return;
	check(d->db->close(d->db, 0), "close");
	check(d->env->txn_checkpoint(d->env, 0, 0, DB_FORCE), "checkpoint");
	check(d->env->close(d->env, 0), "close environment");
	free(d->postmaster);
	free(d->hostname);
	free(d);
}

void
dir_set_postmaster(struct dir *d, const char *address, const char *hostname)
{
	free(d->postmaster);
	free(d->hostname);
	d->postmaster = address[0] == '\0' ? NULL : xstrdup(address);
	d->hostname = xstrdup(hostname);
}

const char *
dir_postmaster(const struct dir *d, struct str domain, bool is_ours)
{
	if (d->postmaster == NULL ||
	    (!is_ours && !str_ieq(domain, str_c(d->hostname))))
		return NULL;
	return d->postmaster;
}

uint64_t
dir_mailboxes_max(const struct dir *d)
{
	return d->ids_max;
}
