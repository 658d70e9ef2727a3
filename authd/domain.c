/*
 * domain - the canonical form of addresses, and the domains of the directory
 * (see directory.h).
 */
#include "authd/directory.h"

#include <string.h>

#include "authd/dirdb.h"
#include "common/core/log.h"
#include "common/core/pack.h"
#include "common/mail/addr.h"

/* -- canonical forms -------------------------------------------------- */

static enum dir_result
of_parse(enum addr_result r)
{
	switch (r) {
	case ADDR_OK:
		return DIR_OK;
	case ADDR_NOT_ASCII:
		return DIR_NOT_ASCII;
	case ADDR_SYNTAX:
	case ADDR_LOCAL_LONG:
	case ADDR_DOMAIN_LONG:
	case ADDR_PATH_LONG:
		break;
	}
	return DIR_BAD;
}

enum dir_result
dir_canon_domain(struct str s, char out[DIR_TEXT_MAX + 1])
{
	enum dir_result	r = of_parse(addr_parse_host(s));
	size_t		i;

	if (r != DIR_OK)
		return r;
	if (s.p[0] == '[' || s.n > ADDR_DOMAIN_MAX)
		return DIR_BAD;
	for (i = 0; i < s.n; i++)
		out[i] = ascii_lower(s.p[i]);
	out[s.n] = '\0';
	return DIR_OK;
}

static enum dir_result
canon_catch_all(struct str s, char out[DIR_TEXT_MAX + 1])
{
	char		name[DIR_TEXT_MAX + 1];
	enum dir_result	r = dir_canon_domain(str_from(s, 1), name);

	if (r != DIR_OK)
		return r;
	out[0] = '@';
	memcpy(out + 1, name, s.n);
	return DIR_OK;
}

enum dir_result
dir_canon(struct str s, char out[DIR_TEXT_MAX + 1])
{
	enum dir_result	r;
	struct addr	a;
	struct str	key;
	char		text[ADDR_TEXT_MAX];

	if (s.n > 1 && s.p[0] == '@')
		return canon_catch_all(s, out);
	r = of_parse(addr_parse(s, &a));
	if (r != DIR_OK)
		return r;
	/* "" is no name: it would be the catch-all. */
	if (a.kind != ADDR_NAME || a.local_n == 0)
		return DIR_BAD;
	key = addr_key(&a, text);
	if (key.n > DIR_TEXT_MAX)
		return DIR_BAD;
	memcpy(out, key.p, key.n);
	out[key.n] = '\0';
	return DIR_OK;
}

/* -- domains ---------------------------------------------------------- */

static void
read_domain(struct str key, struct str value, struct dir_domain *out)
{
	struct unpack	u = unpack_of(value);
	struct str	name = str_from(key, 1);

	out->tenant = unpack_u32(&u);
	out->created = (int64_t)unpack_u64(&u);
	if (!unpack_done(&u) || name.n > DIR_TEXT_MAX)
		fatalx("directory: a domain cannot be read");
	memcpy(out->name, name.p, name.n);
	out->name[name.n] = '\0';
}

enum dir_result
dir_domain_add(struct dir *d, struct str text, int64_t wall)
{
	char		name[DIR_TEXT_MAX + 1];
	struct dir_key	key;
	struct buf	b;
	enum dir_result	r = dir_canon_domain(text, name);

	if (r != DIR_OK)
		return r;
	key = dir_key_text('D', str_c(name));
	if (dir_has(d, key))
		return DIR_EXISTS;
	buf_init(&b, 64);
	pack_u32(&b, DIR_TENANT_DEFAULT);
	pack_u64(&b, (uint64_t)wall);
	dir_begin(d);
	dir_put(d, key, buf_str(&b));
	buf_clear(&b);
	return dir_finish(d, DIR_OK);
}

/* Whether a table has an address of that domain. */
static bool
has_address(struct dir *d, char table, const char *domain)
{
	struct dir_key	from = dir_key_text(table, str_c(domain));
	struct str	k, v;

	from.p[from.n++] = '\0';
	return dir_seek(d, from, false, &k, &v) &&
	    str_starts(k, str_of(from.p, from.n));
}

enum dir_result
dir_domain_remove(struct dir *d, struct str text)
{
	char		name[DIR_TEXT_MAX + 1];
	enum dir_result	r = dir_canon_domain(text, name);

	if (r != DIR_OK)
		return r;
	if (!dir_has(d, dir_key_text('D', str_c(name))))
		return DIR_NOT_FOUND;
	if (has_address(d, 'A', name) || has_address(d, 'L', name))
		return DIR_IN_USE;
	dir_begin(d);
	dir_del(d, dir_key_text('D', str_c(name)));
	return dir_finish(d, DIR_OK);
}

enum dir_result
dir_domain_get(struct dir *d, struct str text, struct dir_domain *out)
{
	char		name[DIR_TEXT_MAX + 1];
	struct dir_key	key;
	struct str	v;
	enum dir_result	r = dir_canon_domain(text, name);

	if (r != DIR_OK)
		return r;
	key = dir_key_text('D', str_c(name));
	if (!dir_get(d, key, &v))
		return DIR_NOT_FOUND;
	read_domain(str_of(key.p, key.n), v, out);
	return DIR_OK;
}

enum dir_result
dir_domain_next(struct dir *d, struct str after, struct dir_domain *out)
{
	struct str k, v;

	if (after.n > DIR_TEXT_MAX)
		return DIR_BAD;
	if (!dir_seek(d, dir_key_text('D', after), true, &k, &v) ||
	    k.p[0] != 'D')
		return DIR_NOT_FOUND;
	read_domain(k, v, out);
	return DIR_OK;
}

/* Canonical form of an address, and its domain's tenant. */
enum dir_result
dir_our_address(struct dir *d, struct str text, char out[DIR_TEXT_MAX + 1],
    uint32_t *tenant)
{
	enum dir_result		r = dir_canon(text, out);
	struct dir_domain	dom;
	ptrdiff_t		at;

	if (r != DIR_OK)
		return r;
	at = str_rchr(str_c(out), '@');
	if (dir_domain_get(d, str_c(out + at + 1), &dom) != DIR_OK)
		return DIR_NO_DOMAIN;
	*tenant = dom.tenant;
	return DIR_OK;
}

enum dir_result
dir_next_address(struct dir *d, char table, struct str domain,
    struct str after, char address[DIR_TEXT_MAX + 1], struct str *value)
{
	char		name[DIR_TEXT_MAX + 1] = "", text[DIR_TEXT_MAX + 1];
	struct dir_key	from;
	struct str	key;
	bool		behind = false;

	if (domain.n > 0 && dir_canon_domain(domain, name) != DIR_OK)
		return DIR_BAD;
	from = dir_key_text(table, str_c(name));
	if (domain.n > 0)
		from.p[from.n++] = '\0';
	if (after.n > 0) {
		if (dir_canon(after, text) != DIR_OK)
			return DIR_BAD;
		behind = domain.n == 0 || str_eq(str_c(name),
		    str_from(str_c(text),
		    (size_t)str_rchr(str_c(text), '@') + 1));
		if (behind)
			from = dir_key_address(table, str_c(text));
	}
	if (!dir_seek(d, from, behind, &key, value) || key.p[0] != table)
		return DIR_NOT_FOUND;
	if (domain.n > 0 && !str_eq(str_sub(key, 1, strlen(name) + 1),
	    str_of(name, strlen(name) + 1)))
		return DIR_NOT_FOUND;
	dir_key_to_address(key, address);
	return DIR_OK;
}
