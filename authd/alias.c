/*
 * alias - the aliases of the directory, and what an address leads to (see
 * directory.h).  A target is an address in canonical form, of ours or not;
 * what it leads to is looked up when mail comes, never stored.
 */
#include "authd/directory.h"

#include <string.h>

#include "authd/dirdb.h"
#include "common/core/log.h"
#include "common/core/pack.h"
#include "common/mail/addr.h"

enum { VALUE_MAX = DIR_TARGETS_MAX * (DIR_TEXT_MAX + 4) + 64 };

static void
read_alias(const char *address, struct str value, struct dir_alias *a)
{
	struct unpack u = unpack_of(value);

	memcpy(a->address, address, strlen(address) + 1);
	a->tenant = unpack_u32(&u);
	a->created = (int64_t)unpack_u64(&u);
	a->n = unpack_u32(&u);
	a->targets = u.s;
	if (u.bad || a->n > DIR_TARGETS_MAX)
		fatalx("directory: an alias cannot be read");
}

bool
dir_alias_next(struct dir_alias *a, struct str *target)
{
	struct unpack u = unpack_of(a->targets);

	if (a->n == 0)
		return false;
	*target = unpack_str(&u, DIR_TEXT_MAX);
	if (u.bad)
		fatalx("directory: a target cannot be read");
	a->targets = u.s;
	a->n--;
	return true;
}

static bool
get_alias(struct dir *d, const char *address, struct dir_alias *a)
{
	struct str v;

	if (!dir_get(d, dir_key_address('L', str_c(address)), &v))
		return false;
	read_alias(address, v, a);
	return true;
}

/* The head is written last, when the number of targets is known. */
static enum dir_result
put_alias(struct dir *d, const struct dir_alias *a, uint32_t n,
    struct str targets)
{
	struct buf	b;
	enum dir_result	r = DIR_OK;

	buf_init(&b, VALUE_MAX);
	pack_u32(&b, a->tenant);
	pack_u64(&b, (uint64_t)a->created);
	pack_u32(&b, n);
	buf_add(&b, targets);
	if (n > DIR_TARGETS_MAX || !buf_ok(&b))
		r = DIR_FULL;
	dir_begin(d);
	if (r == DIR_OK && n == 0)
		dir_del(d, dir_key_address('L', str_c(a->address)));
	else if (r == DIR_OK)
		dir_put(d, dir_key_address('L', str_c(a->address)),
		    buf_str(&b));
	buf_clear(&b);
	return dir_finish(d, r);
}

static bool
has_target(struct dir_alias a, struct str target)
{
	struct str t;

	while (dir_alias_next(&a, &t)) {
		if (str_eq(t, target))
			return true;
	}
	return false;
}

enum dir_result
dir_alias_add(struct dir *d, struct str address, const struct str *targets,
    size_t n, int64_t wall)
{
	struct dir_alias	a = { .created = wall };
	struct buf		b;
	char			text[DIR_TEXT_MAX + 1];
	enum dir_result		r;
	size_t			i;

	r = dir_our_address(d, address, a.address, &a.tenant);
	if (r != DIR_OK)
		return r;
	if (a.address[0] != '@' &&
	    dir_has(d, dir_key_address('A', str_c(a.address))))
		return DIR_EXISTS;
	memcpy(text, a.address, sizeof(text));
	get_alias(d, text, &a);
	buf_init(&b, VALUE_MAX);
	buf_add(&b, a.targets);
	for (i = 0; i < n && r == DIR_OK; i++) {
		r = dir_canon(targets[i], text);
		if (r == DIR_OK && text[0] == '@')
			r = DIR_BAD;
		a.targets = buf_str(&b);
		if (r != DIR_OK || has_target(a, str_c(text)))
			continue;
		pack_str(&b, str_c(text));
		a.n++;
	}
	if (r == DIR_OK)
		r = put_alias(d, &a, a.n, buf_str(&b));
	buf_clear(&b);
	return r;
}

static bool
is_among(struct str target, char (*names)[DIR_TEXT_MAX + 1], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (str_eq(target, str_c(names[i])))
			return true;
	}
	return false;
}

/* All of those targets must be there, or nothing changes. */
static enum dir_result
remove_targets(struct dir *d, struct dir_alias *a, const struct str *targets,
    size_t n)
{
	char		names[64][DIR_TEXT_MAX + 1];
	struct dir_alias rest = *a;
	struct str	t;
	struct buf	b;
	uint32_t	left = 0;
	enum dir_result	r;
	size_t		i;

	if (n > sizeof(names) / sizeof(names[0]))
		return DIR_FULL;
	for (i = 0; i < n; i++) {
		r = dir_canon(targets[i], names[i]);
		if (r != DIR_OK)
			return r;
		if (!has_target(*a, str_c(names[i])))
			return DIR_NOT_FOUND;
	}
	buf_init(&b, VALUE_MAX);
	while (dir_alias_next(&rest, &t)) {
		if (is_among(t, names, n))
			continue;
		pack_str(&b, t);
		left++;
	}
	r = put_alias(d, a, left, buf_str(&b));
	buf_clear(&b);
	return r;
}

enum dir_result
dir_alias_remove(struct dir *d, struct str address, const struct str *targets,
    size_t n)
{
	struct dir_alias	a;
	enum dir_result		r = dir_alias_get(d, address, &a);

	if (r != DIR_OK)
		return r;
	if (n == 0)
		return put_alias(d, &a, 0, S(""));
	return remove_targets(d, &a, targets, n);
}

enum dir_result
dir_alias_get(struct dir *d, struct str address, struct dir_alias *out)
{
	char		text[DIR_TEXT_MAX + 1];
	enum dir_result	r = dir_canon(address, text);

	if (r != DIR_OK)
		return r;
	return get_alias(d, text, out) ? DIR_OK : DIR_NOT_FOUND;
}

enum dir_result
dir_alias_list_next(struct dir *d, struct str domain, struct str after,
    struct dir_alias *out)
{
	char		text[DIR_TEXT_MAX + 1];
	struct str	v;
	enum dir_result	r;

	r = dir_next_address(d, 'L', domain, after, text, &v);
	if (r == DIR_OK)
		read_alias(text, v, out);
	return r;
}

/* -- what an address leads to ----------------------------------------- */

static bool
find_exact(struct dir *d, const char *address, struct dir_found *f)
{
	if (dir_user_get(d, str_c(address), &f->account) == DIR_OK) {
		f->kind = DIR_MAILBOX;
		return true;
	}
	if (get_alias(d, address, &f->alias)) {
		f->kind = DIR_ALIAS;
		return true;
	}
	return false;
}

/* user+tag@domain as user@domain; false if there is no tag. */
static bool
without_tag(const struct addr *a, char out[DIR_TEXT_MAX + 1])
{
	struct addr	base = *a;
	struct str	user, tag, key;
	char		text[ADDR_TEXT_MAX];

	if (!addr_split_tag(addr_local(a), '+', &user, &tag))
		return false;
	base.local_n = (uint8_t)user.n;
	key = addr_key(&base, text);
	memcpy(out, key.p, key.n);
	out[key.n] = '\0';
	return true;
}

static enum dir_kind
find(struct dir *d, struct str address, struct dir_found *f)
{
	char			text[DIR_TEXT_MAX + 1];
	char			base[DIR_TEXT_MAX + 1];
	struct dir_domain	dom;
	struct addr		a;

	f->kind = DIR_FOREIGN;
	if (addr_parse(address, &a) != ADDR_OK || a.kind != ADDR_NAME ||
	    dir_domain_get(d, addr_domain(&a), &dom) != DIR_OK)
		return f->kind;
	f->kind = DIR_UNKNOWN;
	if (dir_canon(address, text) != DIR_OK || find_exact(d, text, f))
		return f->kind;
	if (without_tag(&a, base) && find_exact(d, base, f))
		return f->kind;
	base[0] = '@';
	memcpy(base + 1, dom.name, strlen(dom.name) + 1);
	if (get_alias(d, base, &f->alias))
		f->kind = DIR_ALIAS;
	return f->kind;
}

enum dir_kind
dir_find(struct dir *d, struct str address, struct dir_found *f)
{
	enum dir_kind	 kind = find(d, address, f);
	const char	*postmaster;
	struct addr	 a;

	if (kind == DIR_MAILBOX || kind == DIR_ALIAS ||
	    addr_parse(address, &a) != ADDR_OK ||
	    !str_ieq(addr_local(&a), S("postmaster")))
		return kind;
	postmaster = dir_postmaster(d, addr_domain(&a), kind == DIR_UNKNOWN);
	return postmaster == NULL ? kind : find(d, str_c(postmaster), f);
}

/* Targets elsewhere get copies; among ours it must be the only one. */
static bool
is_only_target(struct dir *d, struct dir_alias *alias, uint64_t mailbox)
{
	struct dir_found	f;
	struct buf		b;
	struct str		t;
	bool			is_there = false, others = false;

	/* Looking one up ends the loan of the alias. */
	buf_init(&b, VALUE_MAX);
	buf_add(&b, alias->targets);
	alias->targets = buf_str(&b);
	while (!others && dir_alias_next(alias, &t)) {
		switch (dir_find(d, t, &f)) {
		case DIR_MAILBOX:
			if (f.account.mailbox == mailbox)
				is_there = true;
			else
				others = true;
			break;
		case DIR_ALIAS:
			others = true;
			break;
		case DIR_UNKNOWN:
		case DIR_FOREIGN:
			break;
		}
	}
	buf_clear(&b);
	return is_there && !others;
}

enum dir_kind
dir_may_send(struct dir *d, uint64_t mailbox, struct str address)
{
	struct dir_found f;

	switch (dir_find(d, address, &f)) {
	case DIR_MAILBOX:
		return f.account.mailbox == mailbox ? DIR_MAILBOX :
		    DIR_UNKNOWN;
	case DIR_ALIAS:
		return is_only_target(d, &f.alias, mailbox) ? DIR_MAILBOX :
		    DIR_UNKNOWN;
	case DIR_UNKNOWN:
		return DIR_UNKNOWN;
	case DIR_FOREIGN:
		return DIR_FOREIGN;
	}
	return DIR_UNKNOWN;
}
