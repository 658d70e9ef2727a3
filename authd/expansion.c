/*
 * expansion - see expansion.h.
 */
#include "authd/expansion.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/core/xalloc.h"

enum {
	SLOTS = 256,			/* a power of two */
	LARGE = 64,			/* below it a walk is as good */
	ENCODED_MAX = DIR_TARGETS_MAX * (DIR_TEXT_MAX + 4)
};

struct known {
	char		address[DIR_TEXT_MAX + 1];
	uint32_t	count;			/* 0: free */
	uint64_t	version;		/* of the directory */
};

struct expansion {
	struct dir	*dir;
	unsigned	 depth_max;
	uint32_t	 most;			/* what is counted to */
	uint8_t		 secret[crypto_shorthash_KEYBYTES];
	struct known	 known[SLOTS];
};

struct expansion *
expansion_new(struct dir *d, unsigned depth_max, uint32_t targets_max)
{
	struct expansion *x = xcalloc(1, sizeof(*x));

	x->dir = d;
	x->depth_max = depth_max;
	x->most = targets_max + 1;
	crypto_shorthash_keygen(x->secret);
	return x;
}

void
expansion_free(struct expansion *x)
{
	free(x);
}

/* Under a secret: nobody chooses names that push each other out. */
static struct known *
slot_of(struct expansion *x, const char *address)
{
	uint8_t hash[crypto_shorthash_BYTES];

	crypto_shorthash(hash, (const uint8_t *)address, strlen(address),
	    x->secret);
	return &x->known[get_u64(hash) & (SLOTS - 1)];
}

/* Counts to `most` and no further. */
static uint32_t
walk(struct expansion *x, const struct dir_alias *alias, unsigned depth,
    uint32_t most)
{
	struct dir_alias	a = *alias;
	struct dir_found	f;
	struct buf		b;
	struct str		t;
	uint32_t		n = 1;

	if (depth == x->depth_max)
		return n;
	/* Looking another up ends the loan. */
	buf_init(&b, ENCODED_MAX);
	buf_add(&b, a.targets);
	a.targets = buf_str(&b);
	while (n < most && dir_alias_next(&a, &t)) {
		if (dir_find(x->dir, t, &f) == DIR_ALIAS)
			n += walk(x, &f.alias, depth + 1, most - n);
		else
			n++;
	}
	buf_clear(&b);
	return n;
}

uint32_t
expansion_count(struct expansion *x, const struct dir_alias *a)
{
	struct known	*k = slot_of(x, a->address);
	uint64_t	 version = dir_version(x->dir);
	uint32_t	 n;

	if (k->count != 0 && k->version == version &&
	    strcmp(k->address, a->address) == 0)
		return k->count;
	n = walk(x, a, 0, x->most);
	if (n >= LARGE) {
		memcpy(k->address, a->address, sizeof(k->address));
		k->count = n;
		k->version = version;
	}
	return n;
}
