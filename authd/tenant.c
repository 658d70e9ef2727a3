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
read_usage(struct str key, struct str value, struct dir_usage *out)
{
	struct unpack	u = unpack_of(value);
	size_t		i;

	out->mailbox = 0;
	for (i = 1; i < key.n; i++)
		out->mailbox = out->mailbox << 8 | (unsigned char)key.p[i];
	out->tenant = unpack_u32(&u);
	out->used.size = unpack_u64(&u);
	out->used.messages = unpack_u64(&u);
	if (!unpack_done(&u) || key.n != 9)
		fatalx("directory: a usage cannot be read");
}

bool
dir_usage_get(struct dir *d, uint64_t mailbox, struct dir_usage *out)
{
	struct dir_key	key = dir_key_id('U', mailbox);
	struct str	v;

	if (!dir_get(d, key, &v))
		return false;
	read_usage(str_of(key.p, key.n), v, out);
	return true;
}

bool
dir_usage_next(struct dir *d, uint64_t mailbox, struct dir_usage *out)
{
	struct str k, v;

	if (!dir_seek(d, dir_key_id('U', mailbox), true, &k, &v) ||
	    k.p[0] != 'U')
		return false;
	read_usage(k, v, out);
	return true;
}

void
dir_usage_begin(struct dir *d)
{
	dir_begin(d);
}

void
dir_usage_put(struct dir *d, const struct dir_usage *in)
{
	struct buf b;

	buf_init(&b, 32);
	pack_u32(&b, in->tenant);
	pack_u64(&b, in->used.size);
	pack_u64(&b, in->used.messages);
	dir_put(d, dir_key_id('U', in->mailbox), buf_str(&b));
	buf_clear(&b);
}

void
dir_usage_end(struct dir *d)
{
	(void)dir_finish(d, DIR_OK);
}
