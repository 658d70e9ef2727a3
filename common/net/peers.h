/*
 * peers - how many connections each address has, for the limit per address.
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

/* 127.0.0.0/8 and ::1. */
bool		 peers_is_loopback(struct str address);

#endif
