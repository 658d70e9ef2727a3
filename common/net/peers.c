/*
 * peers - see peers.h.
 */
#include "common/net/peers.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/core/id.h"
#include "common/core/xalloc.h"

enum { BUCKETS = 4096, KEY_MAX = 64 };

struct peer {
	SLIST_ENTRY(peer)	next;
	unsigned		n;
	size_t			len;
	char			key[KEY_MAX];
};

struct peers {
	SLIST_HEAD(, peer)	bucket[BUCKETS];
	uint64_t		seed;	/* clients must not choose buckets */
};

struct peers *
peers_new(void)
{
	struct peers *p = xcalloc(1, sizeof(*p));

	p->seed = id_random();
	return p;
}

void
peers_free(struct peers *p)
{
	struct peer	*e;
	size_t		 i;

	if (p == NULL)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while ((e = SLIST_FIRST(&p->bucket[i])) != NULL) {
			SLIST_REMOVE_HEAD(&p->bucket[i], next);
			free(e);
		}
	}
	free(p);
}

/* What an address counts as; its length. */
static size_t
make_key(struct str address, char *key)
{
	char		text[KEY_MAX + 1] = "";
	unsigned char	in6[16];
	struct str	rest = address;

	if (rest.n > KEY_MAX)
		rest.n = KEY_MAX;
	if (str_starts(rest, S("IPv6:"))) {
		rest = str_from(rest, 5);
		memcpy(text, rest.p, rest.n);
		if (inet_pton(AF_INET6, text, in6) == 1) {
			key[0] = '6';
			memcpy(key + 1, in6, 8);
			return 9;
		}
	}
	memcpy(key, rest.p, rest.n);
	return rest.n;
}

static size_t
bucket_of(const struct peers *p, const char *key, size_t n)
{
	uint64_t	h = p->seed;
	size_t		i;

	for (i = 0; i < n; i++)
		h = (h ^ (unsigned char)key[i]) * 0x100000001b3;
	return (size_t)((h ^ h >> 32) % BUCKETS);
}

static struct peer *
find(const struct peers *p, struct str address, size_t *bucket,
    struct peer *probe)
{
	struct peer *e;

	probe->len = make_key(address, probe->key);
	*bucket = bucket_of(p, probe->key, probe->len);
	SLIST_FOREACH(e, &p->bucket[*bucket], next) {
		if (e->len == probe->len &&
		    memcmp(e->key, probe->key, e->len) == 0)
			return e;
	}
	return NULL;
}

bool
peers_enter(struct peers *p, struct str address, unsigned max)
{
	struct peer	 probe, *e;
	size_t		 bucket;

	e = find(p, address, &bucket, &probe);
	if (e == NULL && max > 0) {
		e = xcalloc(1, sizeof(*e));
		memcpy(e->key, probe.key, probe.len);
		e->len = probe.len;
		SLIST_INSERT_HEAD(&p->bucket[bucket], e, next);
	}
	if (e == NULL || e->n >= max)
		return false;
	e->n++;
	return true;
}

void
peers_leave(struct peers *p, struct str address)
{
	struct peer	 probe, *e;
	size_t		 bucket;

	e = find(p, address, &bucket, &probe);
	assert(e != NULL);
	if (--e->n > 0)
		return;
	SLIST_REMOVE(&p->bucket[bucket], e, peer, next);
	free(e);
}

unsigned
peers_count(const struct peers *p, struct str address)
{
	struct peer	 probe, *e;
	size_t		 bucket;

	e = find(p, address, &bucket, &probe);
	return e == NULL ? 0 : e->n;
}

static bool
is_loopback(struct str address)
{
	return str_starts(address, S("127.")) ||
	    str_eq(address, S("IPv6:::1"));
}

bool
peers_may_log_in(const char *plaintext, struct str address)
{
	if (strcmp(plaintext, "loopback") == 0)
		return is_loopback(address);
	return strcmp(plaintext, "always") == 0;
}
