/*
 * tenant - the tenants of the directory, and what mailboxes hold (see
 * directory.h).  Who adds that up is usage.c.
 */
#include "authd/directory.h"

#include <string.h>

#include "authd/dirdb.h"
#include "common/core/log.h"
#include "common/core/pack.h"

/* -- tenants ---------------------------------------------------------- */

void
dir_put_tenant(struct dir *d, struct str name, uint32_t tenant,
    struct dir_quota quota)
{
	struct buf b;

	buf_init(&b, 32);
	pack_u32(&b, tenant);
	pack_u64(&b, quota.size);
	pack_u64(&b, quota.messages);
	dir_put(d, dir_key_text('T', name), buf_str(&b));
	buf_clear(&b);
}

static void
read_tenant(struct str key, struct str value, struct dir_tenant *out)
{
	struct unpack	u = unpack_of(value);
	struct str	name = str_from(key, 1);

	out->tenant = unpack_u32(&u);
	out->quota.size = unpack_u64(&u);
	out->quota.messages = unpack_u64(&u);
	if (!unpack_done(&u) || name.n > DIR_TEXT_MAX)
		fatalx("directory: a tenant cannot be read");
	memcpy(out->name, name.p, name.n);
	out->name[name.n] = '\0';
}

enum dir_result
dir_tenant_get(struct dir *d, struct str name, struct dir_tenant *out)
{
	struct dir_key	key;
	struct str	v;

	if (name.n == 0 || name.n > DIR_TEXT_MAX)
		return DIR_BAD;
	key = dir_key_text('T', name);
	if (!dir_get(d, key, &v))
		return DIR_NOT_FOUND;
	read_tenant(str_of(key.p, key.n), v, out);
	return DIR_OK;
}

enum dir_result
dir_tenant_set_quota(struct dir *d, struct str name, struct dir_quota quota)
{
	struct dir_tenant	t;
	enum dir_result		r = dir_tenant_get(d, name, &t);

	if (r != DIR_OK)
		return r;
	dir_begin(d);
	dir_put_tenant(d, name, t.tenant, quota);
	return dir_finish(d, DIR_OK);
}

enum dir_result
dir_tenant_next(struct dir *d, struct str after, struct dir_tenant *out)
{
	struct str k, v;

	if (after.n > DIR_TEXT_MAX)
		return DIR_BAD;
	if (!dir_seek(d, dir_key_text('T', after), true, &k, &v) ||
	    k.p[0] != 'T')
		return DIR_NOT_FOUND;
	read_tenant(k, v, out);
	return DIR_OK;
}

/* -- usage ------------------------------------------------------------ */

static void
put_usage(struct dir *d, struct dir_key key, uint32_t tenant,
    struct dir_quota used)
{
	struct buf b;

	buf_init(&b, 32);
	pack_u32(&b, tenant);
	pack_u64(&b, used.size);
	pack_u64(&b, used.messages);
	dir_put(d, key, buf_str(&b));
	buf_clear(&b);
}

static bool
get_usage(struct dir *d, struct dir_key key, uint32_t *tenant,
    struct dir_quota *used)
{
	struct unpack	u;
	struct str	v;

	if (!dir_get(d, key, &v))
		return false;
	u = unpack_of(v);
	*tenant = unpack_u32(&u);
	used->size = unpack_u64(&u);
	used->messages = unpack_u64(&u);
	if (!unpack_done(&u))
		fatalx("directory: a usage cannot be read");
	return true;
}

bool
dir_usage_get(struct dir *d, uint64_t mailbox, struct dir_usage *out)
{
	out->mailbox = mailbox;
	return get_usage(d, dir_key_id('U', mailbox), &out->tenant,
	    &out->used);
}

struct dir_quota
dir_usage_sum(struct dir *d, uint32_t tenant)
{
	struct dir_quota sum = { 0, 0 };

	(void)get_usage(d, dir_key_id('S', tenant), &tenant, &sum);
	return sum;
}

/* Unsigned: what came off can always be put back. */
static void
change_sum(struct dir *d, uint32_t tenant, struct dir_quota old,
    struct dir_quota new)
{
	struct dir_quota sum = dir_usage_sum(d, tenant);

	sum.size += new.size - old.size;
	sum.messages += new.messages - old.messages;
	put_usage(d, dir_key_id('S', tenant), tenant, sum);
}

void
dir_usage_drop(struct dir *d, uint64_t mailbox)
{
	struct dir_usage old;

	if (!dir_usage_get(d, mailbox, &old))
		return;
	change_sum(d, old.tenant, old.used, (struct dir_quota){ 0, 0 });
	dir_del(d, dir_key_id('U', mailbox));
}

void
dir_usage_begin(struct dir *d)
{
	dir_begin(d);
}

/* A mailbox stays in its tenant. */
void
dir_usage_put(struct dir *d, const struct dir_usage *in)
{
	struct dir_usage old = { .used = { 0, 0 } };

	(void)dir_usage_get(d, in->mailbox, &old);
	change_sum(d, in->tenant, old.used, in->used);
	put_usage(d, dir_key_id('U', in->mailbox), in->tenant, in->used);
}

void
dir_usage_end(struct dir *d)
{
	(void)dir_finish(d, DIR_OK);
}
