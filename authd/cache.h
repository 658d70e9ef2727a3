/*
 * cache - passwords that were checked a moment ago.
 *
 * An entry is a keyed hash, under a random key of this process, over service,
 * mailbox, the stored credential and the password: so a credential that was
 * changed or removed is missed at once, and what lies here is of no use to
 * another process.  Only good passwords are remembered.  Bounded: an entry
 * may push out another.
 */
#ifndef AUTHD_CACHE_H
#define AUTHD_CACHE_H

#include "common/core/str.h"
#include "common/ipc/msg.h"

enum { CACHE_SLOTS = 8192 };		/* a power of two */

struct cache;

struct cache_key {
	uint8_t	b[32];
};

/* time 0 remembers nothing. */
struct cache	*cache_new(int64_t time_ms);
void		 cache_free(struct cache *);

struct cache_key cache_key(const struct cache *, enum service,
		    uint64_t mailbox, struct str creds, struct str password);
/* now is the clock that never goes back. */
bool		 cache_has(const struct cache *, const struct cache_key *,
		    int64_t now);
void		 cache_put(struct cache *, const struct cache_key *,
		    int64_t now);

#endif
