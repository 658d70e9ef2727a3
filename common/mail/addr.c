/*
 * addr - see addr.h.  Pure.  Each take_x cuts its production off the front of
 * *s; what it says about a limit counts the bytes as written.
 */
#include "common/mail/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

/* RFC 5322 3.2.3 atext. */
static bool
is_atext(char c)
{
	return ascii_isalnum(c) || (c != '\0' &&
	    strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Which refusal a byte that does not fit here deserves. */
static enum addr_result
misfit(char c)
{
	return (unsigned char)c >= 0x80 ? ADDR_NOT_ASCII : ADDR_SYNTAX;
}

static enum addr_result
misfit_at(struct str s)
{
	return s.n == 0 ? ADDR_SYNTAX : misfit(s.p[0]);
}

static void
local_add(struct addr *a, char c)
{
	/* Bytes past the limit are dropped; the length as written tells. */
	if (a->local_n < ADDR_LOCAL_MAX)
		a->local[a->local_n++] = c;
}

static enum addr_result
take_quoted(struct str *s, struct addr *a)
{
	char	 c;

	for (*s = str_from(*s, 1); s->n > 0; *s = str_from(*s, 1)) {
		c = s->p[0];
		if (c == '"') {
			*s = str_from(*s, 1);
			return ADDR_OK;
		}
		if (c == '\\') {
			*s = str_from(*s, 1);
			if (s->n == 0)
				return ADDR_SYNTAX;
			c = s->p[0];
		}
		if (c < 0x20 || c > 0x7e)
			return misfit(c);
		local_add(a, c);
	}
	return ADDR_SYNTAX;
}

static enum addr_result
take_dot_string(struct str *s, struct addr *a)
{
	for (;;) {
		if (s->n == 0 || !is_atext(s->p[0]))
			return misfit_at(*s);
		for (; s->n > 0 && is_atext(s->p[0]); *s = str_from(*s, 1))
			local_add(a, s->p[0]);
		if (s->n == 0 || s->p[0] != '.')
			return ADDR_OK;
		local_add(a, '.');
		*s = str_from(*s, 1);
	}
}

static enum addr_result
take_local(struct str *s, struct addr *a)
{
	enum addr_result	r;
	size_t			before = s->n;

	a->local_n = 0;
	if (s->n > 0 && s->p[0] == '"')
		r = take_quoted(s, a);
	else
		r = take_dot_string(s, a);
	if (r == ADDR_OK && before - s->n > ADDR_LOCAL_MAX)
		r = ADDR_LOCAL_LONG;
	return r;
}

/* One label: letters, digits and, not at an end, hyphens. */
static enum addr_result
take_label(struct str *s)
{
	size_t i = 0;

	while (i < s->n && (ascii_isalnum(s->p[i]) || s->p[i] == '-'))
		i++;
	if (i == 0)
		return misfit_at(*s);
	if (s->p[0] == '-' || s->p[i - 1] == '-' || i > ADDR_LABEL_MAX)
		return ADDR_SYNTAX;
	*s = str_from(*s, i);
	return ADDR_OK;
}

static enum addr_result
take_name(struct str *s)
{
	enum addr_result r;

	for (;;) {
		r = take_label(s);
		if (r != ADDR_OK || s->n == 0 || s->p[0] != '.')
			return r;
		*s = str_from(*s, 1);
	}
}

/* RFC 5321 4.1.3 General-address-literal: tag ":" 1*dcontent. */
static bool
is_tagged(struct str s)
{
	ptrdiff_t	colon = str_chr(s, ':');
	ptrdiff_t	i;

	if (colon < 1 || (size_t)colon + 1 == s.n)
		return false;
	for (i = 0; i < colon; i++) {
		if (!ascii_isalnum(s.p[i]) && s.p[i] != '-')
			return false;
	}
	return s.p[colon - 1] != '-';
}

static bool
is_ip(struct str s, int family)
{
	struct in6_addr	ip;
	char		text[INET6_ADDRSTRLEN];

	if (s.n >= sizeof(text) || str_chr(s, '\0') != -1)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(family, text, &ip) == 1;
}

static enum addr_result
literal_kind(struct str s, enum addr_kind *kind)
{
	if (str_istarts(s, S("IPv6:"))) {
		*kind = ADDR_IP6;
		return is_ip(str_from(s, 5), AF_INET6) ? ADDR_OK :
		    ADDR_SYNTAX;
	}
	if (str_chr(s, ':') == -1) {
		*kind = ADDR_IP4;
		return is_ip(s, AF_INET) ? ADDR_OK : ADDR_SYNTAX;
	}
	/* An IPv6 address that lacks its tag is not the tag "2001". */
	if (is_ip(s, AF_INET6))
		return ADDR_SYNTAX;
	*kind = ADDR_LITERAL;
	return is_tagged(s) ? ADDR_OK : ADDR_SYNTAX;
}

static enum addr_result
take_literal(struct str *s, enum addr_kind *kind)
{
	size_t	i;

	for (i = 1; i < s->n && s->p[i] != ']'; i++) {
		if (s->p[i] < 33 || s->p[i] > 126 || s->p[i] == '[' ||
		    s->p[i] == '\\')
			return misfit(s->p[i]);
	}
	if (i >= s->n)
		return ADDR_SYNTAX;
	if (i + 1 <= ADDR_DOMAIN_MAX &&
	    literal_kind(str_sub(*s, 1, i - 1), kind) != ADDR_OK)
		return ADDR_SYNTAX;
	*s = str_from(*s, i + 1);
	return ADDR_OK;
}

static enum addr_result
take_domain(struct str *s, struct str *domain, enum addr_kind *kind)
{
	enum addr_result	r;
	struct str		all = *s;

	*kind = ADDR_NAME;
	if (s->n > 0 && s->p[0] == '[')
		r = take_literal(s, kind);
	else
		r = take_name(s);
	*domain = str_sub(all, 0, all.n - s->n);
	if (r == ADDR_OK && domain->n > ADDR_DOMAIN_MAX)
		r = ADDR_DOMAIN_LONG;
	return r;
}

static enum addr_result
take_mailbox(struct str *s, struct addr *a)
{
	enum addr_result	r;
	struct str		domain;
	size_t			i;

	r = take_local(s, a);
	if (r != ADDR_OK)
		return r;
	if (s->n == 0 || s->p[0] != '@')
		return misfit_at(*s);
	*s = str_from(*s, 1);
	r = take_domain(s, &domain, &a->kind);
	if (r != ADDR_OK)
		return r;
	a->domain_n = (uint8_t)domain.n;
	for (i = 0; i < domain.n; i++)
		a->domain[i] = ascii_lower(domain.p[i]);
	return ADDR_OK;
}

/* RFC 5321 4.1.2 A-d-l and its colon: @a,@b: */
static enum addr_result
take_route(struct str *s)
{
	enum addr_result	r;
	enum addr_kind		kind;
	struct str		domain;

	for (;;) {
		if (s->n == 0 || s->p[0] != '@')
			return misfit_at(*s);
		*s = str_from(*s, 1);
		r = take_domain(s, &domain, &kind);
		if (r != ADDR_OK)
			return r;
		if (s->n == 0 || (s->p[0] != ',' && s->p[0] != ':'))
			return misfit_at(*s);
		*s = str_from(*s, 1);
		if (s->p[-1] == ':')
			return ADDR_OK;
	}
}

enum addr_result
addr_parse_path(struct str s, struct addr *a, struct str *rest)
{
	enum addr_result	r;
	size_t			before = s.n;

	*a = (struct addr){ .kind = ADDR_NULL };
	if (s.n == 0 || s.p[0] != '<')
		return ADDR_SYNTAX;
	s = str_from(s, 1);
	if (str_istarts(s, S("postmaster>"))) {
		a->kind = ADDR_POSTMASTER;
		a->local_n = 10;
		memcpy(a->local, "postmaster", 10);
		s = str_from(s, 10);
	} else if (!str_starts(s, S(">"))) {
		a->routed = s.n > 0 && s.p[0] == '@';
		r = a->routed ? take_route(&s) : ADDR_OK;
		if (r == ADDR_OK)
			r = take_mailbox(&s, a);
		if (r != ADDR_OK)
			return r;
	}
	if (s.n == 0 || s.p[0] != '>')
		return misfit_at(s);
	*rest = str_from(s, 1);
	return before - rest->n > ADDR_PATH_MAX ? ADDR_PATH_LONG : ADDR_OK;
}

enum addr_result
addr_parse(struct str s, struct addr *a)
{
	enum addr_result	r;
	size_t			before = s.n;

	*a = (struct addr){ .kind = ADDR_NULL };
	r = take_mailbox(&s, a);
	if (r == ADDR_OK && s.n > 0)
		r = misfit_at(s);
	/* In brackets it must be a path. */
	if (r == ADDR_OK && before + 2 > ADDR_PATH_MAX)
		r = ADDR_PATH_LONG;
	return r;
}

enum addr_result
addr_parse_host(struct str s)
{
	enum addr_result	r;
	enum addr_kind		kind;
	struct str		host;

	r = take_domain(&s, &host, &kind);
	if (r == ADDR_OK && s.n > 0)
		r = misfit_at(s);
	return r;
}

struct str
addr_local(const struct addr *a)
{
	return str_of(a->local, a->local_n);
}

struct str
addr_domain(const struct addr *a)
{
	return str_of(a->domain, a->domain_n);
}

static bool
is_dot_string(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && i > 0 && i + 1 < s.n && s.p[i - 1] != '.')
			continue;
		if (!is_atext(s.p[i]))
			return false;
	}
	return s.n > 0;
}

static struct str
format(const struct addr *a, bool fold, char *out)
{
	struct str	local = addr_local(a);
	bool		quote = !is_dot_string(local);
	size_t		i, n = 0;

	if (a->kind == ADDR_NULL)
		return str_of(out, 0);
	if (quote)
		out[n++] = '"';
	for (i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			out[n++] = '\\';
		/* As written it was no longer than this, so it fits. */
		assert(n < ADDR_LOCAL_MAX);
		out[n++] = fold ? ascii_lower(local.p[i]) : local.p[i];
	}
	if (quote)
		out[n++] = '"';
	if (a->kind == ADDR_POSTMASTER)
		return str_of(out, n);
	assert(n <= ADDR_LOCAL_MAX);
	out[n++] = '@';
	memcpy(out + n, a->domain, a->domain_n);
	return str_of(out, n + a->domain_n);
}

struct str
addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	return format(a, false, out);
}

struct str
addr_key(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	return format(a, true, out);
}

bool
addr_split_tag(struct str local, char sep, struct str *user, struct str *tag)
{
	ptrdiff_t at = str_chr(str_from(local, 1), sep);

	*user = local;
	*tag = str_from(local, local.n);
	if (at == -1)
		return false;
	*user = str_sub(local, 0, (size_t)at + 1);
	*tag = str_from(local, (size_t)at + 2);
	return true;
}
