/*
 * conf_value - see conf_value.h.
 */
#include "common/core/conf_value.h"

#include <arpa/inet.h>
#include <string.h>

/* A number with one unit letter of `units`, whose factors are given. */
static int
with_unit(struct str s, const char *units, const uint64_t *factors,
    uint64_t *out)
{
	const char	*u;
	uint64_t	 f = 1, v;

	if (s.n > 1 && !ascii_isdigit(s.p[s.n - 1])) {
		u = strchr(units, s.p[s.n - 1]);
		if (u == NULL || s.p[s.n - 1] == '\0')
			return -1;
		f = factors[u - units];
		s.n--;
	}
	if (str_u64(s, UINT64_MAX / f, &v) == -1)
		return -1;
	*out = v * f;
	return 0;
}

static int
parse_number(const struct conf_info *c, struct str s, uint64_t *num)
{
	static const uint64_t sizes[] = { 1024, 1048576, 1073741824 };
	static const uint64_t times[] = { 1, 60, 3600, 86400 };

	if (c->type == CONF_SIZE)
		return with_unit(s, "KMG", sizes, num);
	if (c->type == CONF_TIME)
		return with_unit(s, "smhd", times, num);
	return str_u64(s, UINT64_MAX, num);
}

static int
find_word(struct str words, struct str s, uint64_t *num)
{
	struct str	w;
	uint64_t	i;

	for (i = 0; str_cut(&words, ' ', &w); i++) {
		if (str_eq(w, s)) {
			*num = i;
			return 0;
		}
	}
	return -1;
}

int
conf_addr(struct str s, struct str *host, uint16_t *port)
{
	ptrdiff_t	at = str_rchr(s, ':');
	unsigned char	raw[16];
	char		text[64];
	uint64_t	v;
	int		family = AF_INET;

	if (at == -1 || str_u64(str_from(s, (size_t)at + 1), 65535, &v) == -1 ||
	    v == 0)
		return -1;
	*host = str_sub(s, 0, (size_t)at);
	*port = (uint16_t)v;
	if (host->n >= 2 && host->p[0] == '[' && host->p[host->n - 1] == ']') {
		*host = str_sub(*host, 1, host->n - 2);
		family = AF_INET6;
	}
	/* inet_pton would stop at a NUL and not see what follows. */
	if (host->n >= sizeof(text) || str_chr(*host, '\0') != -1)
		return -1;
	memcpy(text, host->p, host->n);
	text[host->n] = '\0';
	return inet_pton(family, text, raw) == 1 ? 0 : -1;
}

/* RFC 1123 2.1: letters, digits and hyphens in labels of 63 at most. */
static bool
is_host(struct str s)
{
	struct str	label;
	size_t		i;

	if (s.n == 0 || s.n > 253)
		return false;
	while (str_cut(&s, '.', &label)) {
		if (label.n == 0 || label.n > 63 || label.p[0] == '-' ||
		    label.p[label.n - 1] == '-')
			return false;
		for (i = 0; i < label.n; i++) {
			if (!ascii_isalnum(label.p[i]) && label.p[i] != '-')
				return false;
		}
	}
	return true;
}

static const char *
check_number(const struct conf_info *c, struct str s, uint64_t *num)
{
	if (parse_number(c, s, num) == -1)
		return "not a number of this kind";
	if (*num < c->lo)
		return "too small";
	if (*num > c->hi)
		return "too large";
	return NULL;
}

const char *
conf_value(const struct conf_info *c, struct str s, uint64_t *num)
{
	struct str	host;
	uint16_t	port;

	*num = 0;
	switch (c->type) {
	case CONF_NUM:
	case CONF_SIZE:
	case CONF_TIME:
		return check_number(c, s, num);
	case CONF_BOOL:
		return find_word(str_c("no yes"), s, num) == -1 ?
		    "neither yes nor no" : NULL;
	case CONF_TEXT:
		if (s.n < c->lo)
			return "too short";
		if (s.n > c->hi)
			return "too long";
		return str_is_print(s) ? NULL : "has unprintable characters";
	case CONF_WORD:
		return find_word(str_c(c->words), s, num) == -1 ?
		    "not one of the words for this" : NULL;
	case CONF_ADDR:
		return conf_addr(s, &host, &port) == -1 ?
		    "not an address with a port" : NULL;
	case CONF_HOST:
		return is_host(s) ? NULL : "not a host name";
	}
	return "unknown type";
}

void
conf_remedy(const struct conf_info *c, struct buf *b)
{
	unsigned long long lo = c->lo, hi = c->hi;

	switch (c->type) {
	case CONF_NUM:
		buf_addf(b, "give a number from %llu to %llu", lo, hi);
		break;
	case CONF_SIZE:
		buf_addf(b, "give bytes from %llu to %llu; K, M and G may "
		    "follow", lo, hi);
		break;
	case CONF_TIME:
		buf_addf(b, "give seconds from %llu to %llu; m, h and d may "
		    "follow", lo, hi);
		break;
	case CONF_BOOL:
		buf_addz(b, "say yes or no");
		break;
	case CONF_TEXT:
		buf_addf(b, "give printable text of %llu to %llu characters",
		    lo, hi);
		break;
	case CONF_WORD:
		buf_addf(b, "say one of: %s", c->words);
		break;
	case CONF_ADDR:
		buf_addz(b, "write 127.0.0.1:25 or [::1]:25");
		break;
	case CONF_HOST:
		buf_addz(b, "write a name such as mail.example.org");
		break;
	}
}
