/*
 * str - a borrowed piece of bytes: pointer and length, no NUL at the end.
 *
 * A str never owns what it points to.  Whoever hands one out says how long it
 * lives.  Comparisons that fold case fold ASCII only, in every locale.
 */
#ifndef CORE_STR_H
#define CORE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
	const char	*p;
	size_t		 n;
};

/* A string literal as a str; the first form for static initialisers. */
#define STR_INIT(lit)	{ (lit), sizeof(lit) - 1 }
#define S(lit)		((struct str)STR_INIT(lit))

/* Of a C string; NULL gives the empty str. */
struct str	str_c(const char *);
struct str	str_of(const void *, size_t);

bool		str_eq(struct str, struct str);
bool		str_ieq(struct str, struct str);
bool		str_starts(struct str, struct str);
bool		str_istarts(struct str, struct str);
int		str_cmp(struct str, struct str);	/* as memcmp */

/* From byte `from`, at most `n` bytes; clamped to what is there. */
struct str	str_sub(struct str, size_t from, size_t n);
struct str	str_from(struct str, size_t from);

/* Position of the first such byte or piece, or -1. */
ptrdiff_t	str_chr(struct str, char);
ptrdiff_t	str_rchr(struct str, char);
ptrdiff_t	str_find(struct str, struct str);
ptrdiff_t	str_ifind(struct str, struct str);

/* Without leading and trailing spaces and tabs. */
struct str	str_trim(struct str);

/*
 * Cuts the piece before the first `sep` off the front of *rest, which moves
 * past the separator.  False when *rest was used up (p == NULL).
 */
bool		str_cut(struct str *rest, char sep, struct str *piece);

/*
 * Decimal digits only, at least one, no sign, no space; leading zeros are
 * allowed.  -1 when it is anything else or above max.
 */
int		str_u64(struct str, uint64_t max, uint64_t *);

/* True if the bytes are well-formed UTF-8 (RFC 3629), no NUL. */
bool		str_is_utf8(struct str);
/* True if every byte is 0x20 to 0x7e. */
bool		str_is_print(struct str);

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

static inline bool
ascii_isdigit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_isalpha(char c)
{
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'z';
}

static inline bool
ascii_isalnum(char c)
{
	return ascii_isdigit(c) || ascii_isalpha(c);
}

#endif
