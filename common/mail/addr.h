/*
 * addr - the addresses of the SMTP envelope.  RFC 5321 4.1.2 and 4.1.3.
 *
 * A struct addr is a value: it owns its bytes and needs no clearing.  The
 * local part is held as the bytes that it means, without quotes and
 * backslashes, in the case in which it came; the domain is in lower case.
 * `%`, `!`, `|` and encoded words are bytes of a local part and nothing more:
 * nothing here or behind here gives them a meaning.
 *
 * Refused, each by a result of its own: what the grammar does not allow, a
 * local part over 64 bytes as written, a domain over 255, a path over 256
 * with its brackets, and bytes above 0x7e (SMTPUTF8 is not offered).
 */
#ifndef MAIL_ADDR_H
#define MAIL_ADDR_H

#include "common/core/str.h"

enum {
	ADDR_LOCAL_MAX = 64,
	ADDR_DOMAIN_MAX = 255,
	ADDR_LABEL_MAX = 63,
	ADDR_PATH_MAX = 256,
	ADDR_TEXT_MAX = ADDR_LOCAL_MAX + 1 + ADDR_DOMAIN_MAX
};

enum addr_result {
	ADDR_OK,
	ADDR_SYNTAX,
	ADDR_NOT_ASCII,
	ADDR_LOCAL_LONG,
	ADDR_DOMAIN_LONG,
	ADDR_PATH_LONG
};

enum addr_kind {
	ADDR_NULL,		/* <>, in a reverse-path only */
	ADDR_POSTMASTER,	/* <postmaster> without a domain */
	ADDR_NAME,		/* local@domain */
	ADDR_IP4,		/* local@[192.0.2.1] */
	ADDR_IP6,		/* local@[ipv6:2001:db8::1] */
	ADDR_LITERAL		/* local@[tag:anything] */
};

struct addr {
	enum addr_kind	kind;
	bool		routed;		/* a source route stood before it */
	uint8_t		local_n;
	uint8_t		domain_n;
	char		local[ADDR_LOCAL_MAX];
	char		domain[ADDR_DOMAIN_MAX];
};

/*
 * A path in its brackets at the start of s; *rest is what follows it.  All
 * kinds are possible: the caller refuses ADDR_NULL as a recipient and
 * ADDR_POSTMASTER as a sender.  A source route is read, reported and not
 * kept: the mailbox alone says where the message goes.
 */
enum addr_result addr_parse_path(struct str s, struct addr *,
		    struct str *rest);

/* All of s is a mailbox without brackets: ADDR_NAME or a literal. */
enum addr_result addr_parse(struct str s, struct addr *);

/* All of s is a host name or an address literal.  RFC 5321 4.1.1.1. */
enum addr_result addr_parse_host(struct str s);

/* Borrowed from the addr. */
struct str	addr_local(const struct addr *);
struct str	addr_domain(const struct addr *);

/*
 * The one written form: quoted only where needed; empty for ADDR_NULL.  The
 * key is the same with the local part in lower case too (ASCII), for
 * lookups.  The result lies in out.
 */
struct str	addr_text(const struct addr *, char out[ADDR_TEXT_MAX]);
struct str	addr_key(const struct addr *, char out[ADDR_TEXT_MAX]);

/*
 * Splits user+tag at the first separator that is not the first byte.  False,
 * with all of it in *user and an empty tag, when there is none.
 */
bool		addr_split_tag(struct str local, char sep, struct str *user,
		    struct str *tag);

#endif
