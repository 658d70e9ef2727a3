/*
 * parse - the words of an IMAP command, RFC 3501 section 9.
 *
 * Works over one whole command: its lines with the literals in place
 * ("{3}\r\nabc"), as collect.h delivers it, without the CRLF that ends it.
 * A quoted string is unescaped where it stands, so the bytes must be the
 * caller's to change and each word is read once.  Every str handed out
 * points into those bytes.
 *
 * Each function takes one thing off the front and gives 0, or -1 with
 * `error` saying what is wrong, for the client's eyes.  Refused: NUL, 8-bit
 * outside literals, a control byte in a string, numbers over 32 bits.
 */
#ifndef IMAPD_PARSE_H
#define IMAPD_PARSE_H

#include "common/core/str.h"

enum { PARSE_TAG_MAX = 128 };	/* bytes of a tag; a longer one is BAD */

struct parse {
	char		*p;
	size_t		 n;
	size_t		 at;
	const char	*error;		/* the first; static text */
};

struct parse	parse_of(char *, size_t);
int		parse_fail(struct parse *, const char *error);	/* -1 */

bool		parse_is(const struct parse *, char);	/* what comes next */
bool		parse_is_end(const struct parse *);
int		parse_char(struct parse *, char);
int		parse_sp(struct parse *);
int		parse_end(struct parse *);

int		parse_tag(struct parse *, struct str *);
int		parse_atom(struct parse *, struct str *);
/* Letters, digits, '.' and '-': command and item names. */
int		parse_word(struct parse *, struct str *);
int		parse_string(struct parse *, struct str *);
int		parse_astring(struct parse *, struct str *);
/* list-mailbox: an astring in which '%' and '*' may stand bare. */
int		parse_pattern(struct parse *, struct str *);
int		parse_number(struct parse *, uint32_t *);
/* Digits, ':', ',' and '*'; what it means is seqset_parse's business. */
int		parse_set_text(struct parse *, struct str *);
bool		parse_looks_like_set(const struct parse *);
/* A flag without or with its backslash: "\Seen", "$Forwarded". */
int		parse_flag(struct parse *, struct str *);

/* "{n}" or "{n+}" at the end of a line that has no CRLF any more. */
struct literal {
	uint64_t	n;	/* UINT64_MAX when it does not fit */
	bool		sync;
};
bool		parse_literal_at_end(struct str line, struct literal *);

#endif
