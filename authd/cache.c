/*
 * cache - see cache.h.  Pure but for the key, made once.
 */
#include "authd/cache.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/core/xalloc.h"

struct entry {
	struct cache_key	key;
	int64_t			until;	/* 0: free */
};

struct cache {
	uint8_t		secret[crypto_generichash_KEYBYTES];
	int64_t		time;
	struct entry	slot[CACHE_SLOTS];
};

struct cache *
cache_new(int64_t time_ms)
{
	struct cache *c = xcalloc(1, sizeof(*c));

	randombytes_buf(c->secret, sizeof(c->secret));
	c->time = time_ms;
	return c;
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	sodium_memzero(c, sizeof(*c));
	free(c);
}

static void
add_part(crypto_generichash_state *h, struct str s)
{
	uint8_t n[8];

	put_u64(n, s.n);
	crypto_generichash_update(h, n, sizeof(n));
	crypto_generichash_update(h, (const uint8_t *)s.p, s.n);
}

struct cache_key
cache_key(const struct cache *c, enum service service, uint64_t mailbox,
    struct str creds, struct str password)
{
	crypto_generichash_state	h;
	struct cache_key		k;
	uint8_t				head[16];

	crypto_generichash_init(&h, c->secret, sizeof(c->secret),
	    sizeof(k.b));
	put_u64(head, (uint64_t)service);
	put_u64(head + 8, mailbox);
	crypto_generichash_update(&h, head, sizeof(head));
	add_part(&h, creds);
	add_part(&h, password);
	crypto_generichash_final(&h, k.b, sizeof(k.b));
	sodium_memzero(&h, sizeof(h));
	return k;
}

static size_t
slot_of(const struct cache_key *k)
{
	return get_u32(k->b) & (CACHE_SLOTS - 1);
}

bool
cache_has(const struct cache *c, const struct cache_key *k, int64_t now)
{
	const struct entry *e = &c->slot[slot_of(k)];

	return now < e->until &&
	    sodium_memcmp(e->key.b, k->b, sizeof(k->b)) == 0;
}

void
cache_put(struct cache *c, const struct cache_key *k, int64_t now)
{
	struct entry *e = &c->slot[slot_of(k)];

	if (c->time == 0)
		return;
	e->key = *k;
	e->until = now + c->time;
}
