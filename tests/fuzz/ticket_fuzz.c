/*
 * ticket: foreign bytes as a sealed ticket, and as what is inside one.
 *
 * First byte even: the rest is a sealed ticket under a known key; odd: the
 * rest is sealed by us and opened, so that the inner decoder is reached.
 */
#include <assert.h>
#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "common/ipc/ticket.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t key[TICKET_KEY] = "0123456789abcdef0123456789abcde";

static struct str
wrap(struct str plain, uint8_t *out)
{
	static const uint8_t	nonce[24];
	unsigned long long	n;

	memset(out, 0, 29);
	out[0] = 1;
	put_u32(out + 1, 7);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + 29, &n,
	    (const uint8_t *)plain.p, plain.n, out, 5, NULL, nonce, key);
	return str_of(out, 29 + (size_t)n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ticket_keys	k = { .n = 0 };
	struct ticket		t, again;
	struct buf		b;
	struct str		in;
	uint8_t			out[2 * TICKET_MAX];

	if (n == 0 || n > TICKET_MAX || sodium_init() == -1)
		return 0;
	ticket_keys_add(&k, 7, str_of(key, sizeof(key)));
	in = str_of(p + 1, n - 1);
	if (p[0] % 2 == 1)
		in = wrap(in, out);
	if (ticket_open(&k, in, 0, &t) != TICKET_GOOD)
		return 0;
	assert(memchr(t.user, '\0', sizeof(t.user)) != NULL);
	buf_init(&b, TICKET_MAX);
	ticket_seal(&k, &t, &b);
	assert(ticket_open(&k, buf_str(&b), 0, &again) == TICKET_GOOD);
	assert(memcmp(&t, &again, offsetof(struct ticket, unlock) + 32) == 0);
	buf_clear(&b);
	return 0;
}
