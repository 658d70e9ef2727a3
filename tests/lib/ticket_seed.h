/*
 * ticket_seed - what ticket_fuzz makes of its input, for its seeds' test too.
 *
 * First byte even: the rest is a sealed ticket under a known key; odd: the
 * rest is sealed by us, so that the decoder of what is inside is reached.
 */
#ifndef TESTS_TICKET_SEED_H
#define TESTS_TICKET_SEED_H

#include <sodium.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/ipc/ticket.h"

enum { TICKET_SEED_MAX = 2 * TICKET_MAX };	/* bytes when sealed */

/* The key goes into *k.  Borrowed from the seed or from out. */
static inline struct str
ticket_seed(struct str seed, struct ticket_keys *k,
    uint8_t out[TICKET_SEED_MAX])
{
	static const uint8_t	key[TICKET_KEY] =
	    "0123456789abcdef0123456789abcde";
	static const uint8_t	nonce[24];
	unsigned long long	n;
	struct str		plain = str_from(seed, 1);

	ticket_keys_add(k, 7, str_of(key, sizeof(key)));
	if (seed.p[0] % 2 == 0)
		return plain;
	memset(out, 0, 29);
	out[0] = 1;
	put_u32(out + 1, 7);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + 29, &n,
	    (const uint8_t *)plain.p, plain.n, out, 5, NULL, nonce, key);
	return str_of(out, 29 + (size_t)n);
}

#endif
