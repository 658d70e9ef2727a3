/*
 * addrlist - the addresses in a header field: From, To and their like, RFC
 * 5322 3.4 and 4.4, as ENVELOPE wants them.
 *
 * Lenient: what cannot be read is passed over up to the next comma.  Comments
 * are skipped at any depth without recursion; one behind an address without
 * a name is its name.  Pure.
 */
#ifndef MAIL_ADDRLIST_H
#define MAIL_ADDRLIST_H

#include "common/core/buf.h"

enum { ADDRLIST_MAX = 10000 };	/* addresses of a field; the rest is dropped */

enum addrlist_kind {
	ADDRLIST_END,
	ADDRLIST_ADDRESS,
	ADDRLIST_GROUP,		/* begins; its name is in `mailbox` */
	ADDRLIST_GROUP_END
};

/* Zeroed but for rest: a fresh walk.  The bufs are the walker's. */
struct addrlist {
	struct str	rest;		/* the value of the field */
	struct buf	name;		/* as written, without quotes */
	struct buf	route;		/* "@a,@b", mostly empty */
	struct buf	mailbox;
	struct buf	domain;
	bool		has_domain;
	bool		in_group;
	unsigned	count;
};

void	addrlist_init(struct addrlist *, struct str value);
void	addrlist_clear(struct addrlist *);
enum addrlist_kind addrlist_next(struct addrlist *);

#endif
