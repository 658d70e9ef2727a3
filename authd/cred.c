/*
 * cred - see cred.h.  Argon2id by libsodium; SCRAM's keys by RFC 5802 3.
 */
#include "authd/cred.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "common/core/pack.h"
#include "common/mail/text.h"

enum { SALT = 16, HASH = crypto_auth_hmacsha256_BYTES };

static uint64_t computations;

static_assert(crypto_pwhash_STRBYTES == 128, "room for a hash string");

/* -- the list --------------------------------------------------------- */

void
cred_add(struct buf *list, enum cred_tag tag, struct str body)
{
	pack_u8(list, (uint8_t)tag);
	pack_str(list, body);
}

bool
cred_find(struct str list, enum cred_tag tag, struct str *body)
{
	struct unpack	u = unpack_of(list);
	unsigned	t;

	while (u.s.n > 0) {
		t = unpack_u8(&u);
		*body = unpack_str(&u, CRED_MAX);
		if (u.bad)
			return false;
		if (t == (unsigned)tag)
			return true;
	}
	return false;
}

bool
cred_is_list(struct str list)
{
	struct unpack u = unpack_of(list);

	if (list.n > CRED_MAX)
		return false;
	while (u.s.n > 0 && !u.bad) {
		unpack_u8(&u);
		unpack_str(&u, CRED_MAX);
	}
	return unpack_done(&u);
}

/* -- SCRAM ------------------------------------------------------------ */

static void
hmac(const crypto_auth_hmacsha256_state *keyed, const void *p, size_t n,
    uint8_t out[HASH])
{
	crypto_auth_hmacsha256_state h = *keyed;

	crypto_auth_hmacsha256_update(&h, p, n);
	crypto_auth_hmacsha256_final(&h, out);
	sodium_memzero(&h, sizeof(h));
}

/* Hi() of RFC 5802: PBKDF2 with one block of output. */
static void
salted_password(struct str password, struct str salt, uint32_t iterations,
    uint8_t out[HASH])
{
	static const uint8_t		one[4] = { 0, 0, 0, 1 };
	crypto_auth_hmacsha256_state	keyed, h;
	uint8_t				u[HASH];
	uint32_t			i;
	size_t				j;

	crypto_auth_hmacsha256_init(&keyed, (const uint8_t *)password.p,
	    password.n);
	h = keyed;
	crypto_auth_hmacsha256_update(&h, (const uint8_t *)salt.p, salt.n);
	crypto_auth_hmacsha256_update(&h, one, sizeof(one));
	crypto_auth_hmacsha256_final(&h, u);
	memcpy(out, u, HASH);
	for (i = 1; i < iterations; i++) {
		hmac(&keyed, u, sizeof(u), u);
		for (j = 0; j < HASH; j++)
			out[j] ^= u[j];
	}
	sodium_memzero(&keyed, sizeof(keyed));
	sodium_memzero(&h, sizeof(h));
	sodium_memzero(u, sizeof(u));
}

void
cred_scram_make(struct str password, struct str salt, uint32_t iterations,
    struct cred_scram *s)
{
	crypto_auth_hmacsha256_state	keyed;
	uint8_t				salted[HASH], client[HASH];

	assert(iterations > 0);
	s->iterations = iterations;
	s->salt = salt;
	salted_password(password, salt, iterations, salted);
	crypto_auth_hmacsha256_init(&keyed, salted, sizeof(salted));
	hmac(&keyed, "Client Key", 10, client);
	hmac(&keyed, "Server Key", 10, s->server);
	crypto_hash_sha256(s->stored, client, sizeof(client));
	sodium_memzero(&keyed, sizeof(keyed));
	sodium_memzero(salted, sizeof(salted));
	sodium_memzero(client, sizeof(client));
}

void
cred_scram_encode(const struct cred_scram *s, struct buf *b)
{
	assert(s->salt.n > 0 && s->salt.n <= CRED_SALT_MAX);
	pack_u32(b, s->iterations);
	pack_str(b, s->salt);
	buf_add(b, str_of(s->stored, sizeof(s->stored)));
	buf_add(b, str_of(s->server, sizeof(s->server)));
}

int
cred_scram_decode(struct str body, struct cred_scram *s)
{
	struct unpack	u = unpack_of(body);
	struct str	stored, server;

	s->iterations = unpack_u32(&u);
	s->salt = unpack_str(&u, CRED_SALT_MAX);
	stored = unpack_bytes(&u, sizeof(s->stored));
	server = unpack_bytes(&u, sizeof(s->server));
	if (!unpack_done(&u) || s->iterations == 0 || s->salt.n == 0 ||
	    s->iterations > CRED_ITERATIONS_MAX)
		return -1;
	memcpy(s->stored, stored.p, stored.n);
	memcpy(s->server, server.p, server.n);
	return 0;
}

static void
add_scram(struct str password, struct buf *list)
{
	struct cred_scram	s;
	struct buf		prepared, body;
	uint8_t			salt[SALT];

	/* SASLprep can make a password longer, never endless. */
	buf_init(&prepared, CRED_PASSWORD_MAX * 18);
	if (text_saslprep(password, true, &prepared) == 0 &&
	    prepared.n > 0) {
		randombytes_buf(salt, sizeof(salt));
		cred_scram_make(buf_str(&prepared), str_of(salt, sizeof(salt)),
		    CRED_ITERATIONS, &s);
		buf_init(&body, CRED_MAX);
		cred_scram_encode(&s, &body);
		cred_add(list, CRED_SCRAM_SHA256, buf_str(&body));
		buf_wipe(&body);
		sodium_memzero(&s, sizeof(s));
	}
	buf_wipe(&prepared);
}

/* -- passwords -------------------------------------------------------- */

int
cred_make(struct str password, const struct cred_cost *cost,
    struct buf *list)
{
	char text[crypto_pwhash_STRBYTES];

	if (password.n == 0 || password.n > CRED_PASSWORD_MAX)
		return -1;
	computations++;
	if (crypto_pwhash_str_alg(text, password.p, password.n, cost->passes,
	    (size_t)cost->memory, crypto_pwhash_ALG_ARGON2ID13) == -1)
		return -1;
	cred_add(list, CRED_ARGON2ID, str_c(text));
	add_scram(password, list);
	return buf_ok(list) ? 0 : -1;
}

int
cred_dummy(const struct cred_cost *cost, char out[128])
{
	char	secret[32];
	int	rc;

	randombytes_buf(secret, sizeof(secret));
	rc = crypto_pwhash_str_alg(out, secret, sizeof(secret), cost->passes,
	    (size_t)cost->memory, crypto_pwhash_ALG_ARGON2ID13);
	sodium_memzero(secret, sizeof(secret));
	return rc;
}

/*
 * The parts of "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH".  libsodium's own
 * verification does not tell a wrong password from a lack of memory, so the
 * hash is computed and compared here.
 */
struct argon {
	uint64_t	memory, passes;
	uint8_t		salt[crypto_pwhash_SALTBYTES];
	uint8_t		hash[HASH];
};

static bool
parse_base64(struct str s, uint8_t *out, size_t n)
{
	size_t got;

	return sodium_base642bin(out, n, s.p, s.n, NULL, &got, NULL,
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 && got == n;
}

static bool
parse_argon(struct str s, struct argon *a)
{
	struct str	part[6], m, t;
	size_t		i;

	for (i = 0; i < 6; i++) {
		if (!str_cut(&s, '$', &part[i]))
			return false;
	}
	if (s.p != NULL || part[0].n != 0 ||
	    !str_eq(part[1], S("argon2id")) || !str_eq(part[2], S("v=19")))
		return false;
	if (!str_cut(&part[3], ',', &m) || !str_starts(m, S("m=")) ||
	    !str_cut(&part[3], ',', &t) || !str_starts(t, S("t=")) ||
	    !str_eq(part[3], S("p=1")))
		return false;
	if (str_u64(str_from(m, 2), UINT32_MAX, &a->memory) == -1 ||
	    str_u64(str_from(t, 2), UINT32_MAX, &a->passes) == -1)
		return false;
	a->memory *= 1024;
	return a->memory >= crypto_pwhash_MEMLIMIT_MIN && a->passes > 0 &&
	    parse_base64(part[4], a->salt, sizeof(a->salt)) &&
	    parse_base64(part[5], a->hash, sizeof(a->hash));
}

static bool
find_argon(struct str list, struct argon *a)
{
	struct str body;

	return cred_find(list, CRED_ARGON2ID, &body) && parse_argon(body, a);
}

enum cred_result
cred_check(struct str list, struct str password, const char *dummy)
{
	struct argon		a;
	uint8_t			hash[HASH];
	bool			is_real = find_argon(list, &a);
	enum cred_result	r = CRED_WRONG;

	if (password.n == 0 || password.n > CRED_PASSWORD_MAX)
		return CRED_WRONG;
	if (!is_real && !parse_argon(str_c(dummy), &a))
		return CRED_FAILED;
	computations++;
	if (crypto_pwhash(hash, sizeof(hash), password.p, password.n, a.salt,
	    a.passes, (size_t)a.memory, crypto_pwhash_ALG_ARGON2ID13) == -1)
		r = CRED_FAILED;
	else if (sodium_memcmp(hash, a.hash, sizeof(hash)) == 0 && is_real)
		r = CRED_GOOD;
	sodium_memzero(hash, sizeof(hash));
	sodium_memzero(&a, sizeof(a));
	return r;
}

bool
cred_is_stale(struct str list, const struct cred_cost *cost)
{
	struct argon a;

	return !find_argon(list, &a) || a.passes != cost->passes ||
	    a.memory != cost->memory / 1024 * 1024;
}

uint64_t
cred_computations(void)
{
	return computations;
}
