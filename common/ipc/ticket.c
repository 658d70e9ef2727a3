/*
 * ticket - see ticket.h.  Seals and opens, remembers serials; who may have a
 * ticket is authd's to decide.  Does no I/O and asks no clock.
 *
 * Sealed: {u8 version, u32 kid, nonce[24], ciphertext, tag[16]}.  Version and
 * kid are associated data, so every byte is authenticated.  There is one key
 * per audience, each under ids of its own.
 */
#include "common/ipc/ticket.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

enum {
	VERSION = 1,
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	HEADER = 1 + 4,
	USER_MAX = 320
};

static_assert(TICKET_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    "a ticket key is a key of the cipher");

/* -- keys ------------------------------------------------------------- */

/* The newest is the last.  A kid that is there already gets the new key. */
void
ticket_keys_add(struct ticket_keys *k, uint32_t kid, struct str key)
{
	unsigned i;

	assert(key.n == TICKET_KEY);
	for (i = 0; i < k->n && k->kid[i] != kid; i++)
		;
	if (i == 2 || (i == 0 && k->n == 2)) {
		k->kid[0] = k->kid[1];
		memcpy(k->key[0], k->key[1], TICKET_KEY);
		i = 1;
	}
	k->kid[i] = kid;
	memcpy(k->key[i], key.p, TICKET_KEY);
	if (i == k->n)
		k->n++;
}

void
ticket_keys_wipe(struct ticket_keys *k)
{
	sodium_memzero(k, sizeof(*k));
}

/* -- sealing ---------------------------------------------------------- */

static void
pack_ticket(struct buf *b, const struct ticket *t)
{
	pack_u8(b, (uint8_t)t->kind);
	pack_u8(b, (uint8_t)t->service);
	pack_u64(b, t->serial);
	pack_u64(b, t->sid);
	pack_u64(b, t->mailbox);
	pack_u32(b, t->tenant);
	pack_u32(b, t->shard);
	pack_u64(b, (uint64_t)t->expires);
	pack_str(b, str_c(t->user));
	buf_add(b, str_of(t->unlock, sizeof(t->unlock)));
}

static bool
unpack_ticket(struct str plain, struct ticket *t)
{
	struct unpack	u = unpack_of(plain);
	struct str	user, unlock;
	unsigned	kind, service;

	kind = unpack_u8(&u);
	service = unpack_u8(&u);
	t->kind = (enum ticket_kind)kind;
	t->service = (enum service)service;
	t->serial = unpack_u64(&u);
	t->sid = unpack_u64(&u);
	t->mailbox = unpack_u64(&u);
	t->tenant = unpack_u32(&u);
	t->shard = unpack_u32(&u);
	t->expires = (int64_t)unpack_u64(&u);
	user = unpack_text(&u, USER_MAX);
	unlock = unpack_bytes(&u, sizeof(t->unlock));
	if (!unpack_done(&u) || kind < TICKET_LOGIN || kind > TICKET_SUBMIT ||
	    service < SERVICE_SUBMISSION || service > SERVICE_POP3)
		return false;
	memcpy(t->user, user.p, user.n);
	memcpy(t->unlock, unlock.p, unlock.n);
	return true;
}

void
ticket_seal(const struct ticket_keys *k, const struct ticket *t,
    struct buf *out)
{
	struct buf		 plain, sealed;
	unsigned char		*p;
	unsigned char		 nonce[NONCE];
	unsigned long long	 n;

	assert(k->n > 0);
	buf_init(&plain, TICKET_MAX);
	pack_ticket(&plain, t);
	buf_init(&sealed, TICKET_MAX);
	pack_u8(&sealed, VERSION);
	pack_u32(&sealed, k->kid[k->n - 1]);
	randombytes_buf(nonce, sizeof(nonce));
	buf_add(&sealed, str_of(nonce, sizeof(nonce)));
	p = (unsigned char *)buf_room(&sealed, plain.n + TAG);
	assert(p != NULL && buf_ok(&plain));
	crypto_aead_xchacha20poly1305_ietf_encrypt(p, &n,
	    (const unsigned char *)buf_str(&plain).p, plain.n,
	    (const unsigned char *)buf_str(&sealed).p, HEADER, NULL, nonce,
	    k->key[k->n - 1]);
	buf_grow(&sealed, (size_t)n);
	buf_add(out, buf_str(&sealed));
	buf_clear(&sealed);
	buf_wipe(&plain);
}

/* -- opening ---------------------------------------------------------- */

static const uint8_t *
key_of(const struct ticket_keys *k, uint32_t kid)
{
	unsigned i;

	for (i = 0; i < k->n; i++) {
		if (k->kid[i] == kid)
			return k->key[i];
	}
	return NULL;
}

enum ticket_result
ticket_open(const struct ticket_keys *k, struct str sealed, int64_t wall,
    struct ticket *t)
{
	unsigned char		 plain[TICKET_MAX];
	const unsigned char	*p = (const unsigned char *)sealed.p;
	const uint8_t		*key;
	unsigned long long	 n;
	bool			 ok;

	memset(t, 0, sizeof(*t));
	if (sealed.n < HEADER + NONCE + TAG || sealed.n > TICKET_MAX ||
	    p[0] != VERSION)
		return TICKET_FORGED;
	key = key_of(k, get_u32(p + 1));
	if (key == NULL)
		return TICKET_UNKNOWN;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, &n, NULL,
	    p + HEADER + NONCE, sealed.n - HEADER - NONCE, p, HEADER,
	    p + HEADER, key) == -1)
		return TICKET_FORGED;
	ok = unpack_ticket(str_of(plain, (size_t)n), t);
	sodium_memzero(plain, sizeof(plain));
	if (ok && wall < t->expires)
		return TICKET_GOOD;
	sodium_memzero(t, sizeof(*t));
	return ok ? TICKET_EXPIRED : TICKET_FORGED;
}

/* -- replays ---------------------------------------------------------- */

/*
 * Serials in an open hash table.  When half of it is in use, what has expired
 * is left behind in a move to a table of the right size.
 */
struct seen {
	uint64_t	serial;
	int64_t		expires;	/* 0: free */
};

struct ticket_replays {
	struct seen	*slot;
	size_t		 size, n;	/* size is a power of two */
	int64_t		 first;		/* no entry expires before this */
};

enum { SLOTS_MIN = 1024 };

struct ticket_replays *
ticket_replays_new(void)
{
	struct ticket_replays *r = xcalloc(1, sizeof(*r));

	r->size = SLOTS_MIN;
	r->slot = xcalloc(r->size, sizeof(*r->slot));
	r->first = INT64_MAX;
	return r;
}

void
ticket_replays_free(struct ticket_replays *r)
{
	if (r == NULL)
		return;
	free(r->slot);
	free(r);
}

/* The slot of that serial, or the free one where it belongs. */
static struct seen *
find_slot(struct seen *slot, size_t size, uint64_t serial)
{
	size_t i = (size_t)(serial * 0x9e3779b97f4a7c15u >> 20);

	for (i &= size - 1; slot[i].expires != 0; i = (i + 1) & (size - 1)) {
		if (slot[i].serial == serial)
			break;
	}
	return &slot[i];
}

static void
forget_expired(struct ticket_replays *r, int64_t wall)
{
	struct seen	*old = r->slot, *to;
	size_t		 was = r->size, i, alive = 0;

	for (i = 0; i < was; i++) {
		if (old[i].expires > wall)
			alive++;
	}
	for (r->size = SLOTS_MIN; r->size < alive * 4; r->size *= 2)
		;
	r->slot = xcalloc(r->size, sizeof(*r->slot));
	r->n = alive;
	r->first = INT64_MAX;
	for (i = 0; i < was; i++) {
		if (old[i].expires <= wall)
			continue;
		to = find_slot(r->slot, r->size, old[i].serial);
		*to = old[i];
		if (to->expires < r->first)
			r->first = to->expires;
	}
	free(old);
}

enum ticket_result
ticket_once(struct ticket_replays *r, const struct ticket *t, int64_t wall)
{
	struct seen *s;

	if (t->expires <= wall)
		return TICKET_EXPIRED;
	if (r->n == TICKET_REPLAYS_MAX && wall < r->first)
		return TICKET_REPLAYED;
	if (r->n == TICKET_REPLAYS_MAX || r->n * 2 >= r->size)
		forget_expired(r, wall);
	s = find_slot(r->slot, r->size, t->serial);
	if (s->expires != 0)
		return TICKET_REPLAYED;
	if (r->n == TICKET_REPLAYS_MAX)
		return TICKET_REPLAYED;
	*s = (struct seen){ t->serial, t->expires };
	r->n++;
	if (t->expires < r->first)
		r->first = t->expires;
	return TICKET_GOOD;
}
