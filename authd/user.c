/*
 * user - the accounts of the directory and their credentials (see
 * directory.h).  What a credential holds is cred.c's.
 */
#include "authd/directory.h"

#include <assert.h>
#include <string.h>

#include "authd/dirdb.h"
#include "common/core/log.h"
#include "common/core/pack.h"

static void
read_account(const char *address, struct str value, struct dir_account *a)
{
	struct unpack u = unpack_of(value);

	memcpy(a->address, address, strlen(address) + 1);
	a->mailbox = unpack_u64(&u);
	a->tenant = unpack_u32(&u);
	a->shard = unpack_u32(&u);
	a->created = (int64_t)unpack_u64(&u);
	a->quota.size = unpack_u64(&u);
	a->quota.messages = unpack_u64(&u);
	if (!unpack_done(&u))
		fatalx("directory: an account cannot be read");
}

static void
put_account(struct dir *d, const struct dir_account *a)
{
	struct buf b;

	buf_init(&b, 64);
	pack_u64(&b, a->mailbox);
	pack_u32(&b, a->tenant);
	pack_u32(&b, a->shard);
	pack_u64(&b, (uint64_t)a->created);
	pack_u64(&b, a->quota.size);
	pack_u64(&b, a->quota.messages);
	dir_put(d, dir_key_address('A', str_c(a->address)), buf_str(&b));
	dir_put(d, dir_key_id('I', a->mailbox), str_c(a->address));
	buf_clear(&b);
}

enum dir_result
dir_user_add(struct dir *d, struct str address, struct str creds,
    int64_t wall, struct dir_account *out)
{
	struct dir_key		next = dir_key_text('M', S("mailbox"));
	struct dir_account	a = { .created = wall,
	    .quota = { DIR_QUOTA_DEFAULT, DIR_QUOTA_DEFAULT } };
	enum dir_result		r;

	assert(creds.n <= DIR_CREDS_MAX);
	r = dir_our_address(d, address, a.address, &a.tenant);
	if (r != DIR_OK)
		return r;
	if (a.address[0] == '@')
		return DIR_BAD;
	if (dir_has(d, dir_key_address('A', str_c(a.address))) ||
	    dir_has(d, dir_key_address('L', str_c(a.address))))
		return DIR_EXISTS;
	a.mailbox = dir_get_number(d, next);
	if (a.mailbox >= dir_mailboxes_max(d))
		return DIR_FULL;
	dir_begin(d);
	put_account(d, &a);
	dir_put(d, dir_key_id('C', a.mailbox), creds);
	/* Counted on for ever: the id of a removed account stays its own. */
	dir_put_number(d, next, a.mailbox + 1);
	if (out != NULL)
		*out = a;
	return dir_finish(d, DIR_OK);
}

enum dir_result
dir_user_get(struct dir *d, struct str address, struct dir_account *out)
{
	char		text[DIR_TEXT_MAX + 1];
	struct str	v;
	enum dir_result	r = dir_canon(address, text);

	if (r != DIR_OK)
		return r;
	if (text[0] == '@')
		return DIR_BAD;
	if (!dir_get(d, dir_key_address('A', str_c(text)), &v))
		return DIR_NOT_FOUND;
	read_account(text, v, out);
	return DIR_OK;
}

enum dir_result
dir_user_by_id(struct dir *d, uint64_t mailbox, struct dir_account *out)
{
	char		text[DIR_TEXT_MAX + 1];
	struct str	v;

	if (!dir_get(d, dir_key_id('I', mailbox), &v))
		return DIR_NOT_FOUND;
	assert(v.n <= DIR_TEXT_MAX);
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	return dir_user_get(d, str_c(text), out);
}

enum dir_result
dir_user_remove(struct dir *d, struct str address)
{
	struct dir_account	a;
	enum dir_result		r = dir_user_get(d, address, &a);

	if (r != DIR_OK)
		return r;
	dir_begin(d);
	dir_del(d, dir_key_address('A', str_c(a.address)));
	dir_del(d, dir_key_id('I', a.mailbox));
	dir_del(d, dir_key_id('C', a.mailbox));
	dir_usage_drop(d, a.mailbox);
	return dir_finish(d, DIR_OK);
}

enum dir_result
dir_user_set_creds(struct dir *d, struct str address, struct str creds)
{
	struct dir_account	a;
	enum dir_result		r = dir_user_get(d, address, &a);

	assert(creds.n <= DIR_CREDS_MAX);
	if (r != DIR_OK)
		return r;
	dir_begin(d);
	dir_put(d, dir_key_id('C', a.mailbox), creds);
	return dir_finish(d, DIR_OK);
}

enum dir_result
dir_user_set_quota(struct dir *d, struct str address, struct dir_quota quota)
{
	struct dir_account	a;
	enum dir_result		r = dir_user_get(d, address, &a);

	if (r != DIR_OK)
		return r;
	a.quota = quota;
	dir_begin(d);
	put_account(d, &a);
	return dir_finish(d, DIR_OK);
}

struct str
dir_user_creds(struct dir *d, uint64_t mailbox)
{
	struct str v;

	if (!dir_get(d, dir_key_id('C', mailbox), &v))
		return S("");
	return v;
}

enum dir_result
dir_user_next(struct dir *d, struct str domain, struct str after,
    struct dir_account *out)
{
	char		text[DIR_TEXT_MAX + 1];
	struct str	v;
	enum dir_result	r;

	r = dir_next_address(d, 'A', domain, after, text, &v);
	if (r == DIR_OK)
		read_account(text, v, out);
	return r;
}
