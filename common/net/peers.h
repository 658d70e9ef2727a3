/*
 * peers - what an address is allowed: how many connections it has, for the
 * limit per address, and whether it may send a password in the clear.
 * IPv6 addresses count by their /64, which is what one customer gets.
 */
#ifndef NET_PEERS_H
#define NET_PEERS_H

#include "common/core/str.h"

struct peers;

struct peers	*peers_new(void);
void		 peers_free(struct peers *);	/* NULL is fine */

/* Addresses as listen.h writes them.  Counts one; false when max are there. */
bool		 peers_enter(struct peers *, struct str address, unsigned max);
void		 peers_leave(struct peers *, struct str address);
unsigned	 peers_count(const struct peers *, struct str address);

/*
 * Whether a password may come from there over a connection without TLS.
 * plaintext: the setting auth.plaintext; loopback is 127.0.0.0/8 and ::1.
 */
bool		 peers_may_log_in(const char *plaintext, struct str address);

#endif
