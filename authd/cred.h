/*
 * cred - a credential: a tagged list of what was made of one password.
 *
 *	ARGON2ID	the string that libsodium's crypto_pwhash_str makes
 *	SCRAM_SHA256	salt, iterations, StoredKey, ServerKey; RFC 5802, 7677
 *
 * A list is {u8 tag, u32 length, bytes} as often as needed.  Unknown tags are
 * passed over, so that a later version's list can be read.
 *
 * A password is a string of bytes: 1 to CRED_PASSWORD_MAX of them, any of
 * them, never cut.  Only for SCRAM, whose clients do the same, it goes
 * through SASLprep; one that SASLprep refuses gets no SCRAM verifier.
 *
 * Pure but for randomness in cred_make.  Slow by design: for hash workers.
 */
#ifndef AUTHD_CRED_H
#define AUTHD_CRED_H

#include "common/core/buf.h"

enum {
	CRED_PASSWORD_MAX = 1024,
	CRED_MAX = 4096,		/* bytes of a list */
	CRED_SALT_MAX = 64,
	CRED_ITERATIONS = 10000,	/* of a new SCRAM verifier */
	CRED_ITERATIONS_MAX = 1000000	/* of one that is read */
};

enum cred_tag {
	CRED_ARGON2ID = 1,
	CRED_SCRAM_SHA256 = 2
};

struct cred_scram {
	uint32_t	iterations;
	struct str	salt;		/* borrowed */
	uint8_t		stored[32];
	uint8_t		server[32];
};

/* What an Argon2id computation costs. */
struct cred_cost {
	uint64_t	memory;		/* bytes */
	uint64_t	passes;
};

void	cred_add(struct buf *list, enum cred_tag, struct str body);
/* The first entry with that tag, borrowed from the list; false without. */
bool	cred_find(struct str list, enum cred_tag, struct str *body);
/* Whether it is a list at all. */
bool	cred_is_list(struct str list);

/* The list for a new password; -1 out of memory or a bad length. */
int	cred_make(struct str password, const struct cred_cost *,
	    struct buf *list);

enum cred_result {
	CRED_GOOD,
	CRED_WRONG,
	CRED_FAILED		/* could not compute: out of memory */
};

/*
 * Exactly one Argon2id computation, whatever the list holds: where it has
 * no hash, `dummy` (a string that cred_dummy made) is computed in its place,
 * and the answer is CRED_WRONG.
 */
enum cred_result cred_check(struct str list, struct str password,
		    const char *dummy);
/* A hash of something that nobody knows; -1 out of memory. */
int	cred_dummy(const struct cred_cost *, char out[128]);
/* Whether the list was made at another cost. */
bool	cred_is_stale(struct str list, const struct cred_cost *);

/* Argon2id computations that this process has made; for tests. */
uint64_t cred_computations(void);

/* PBKDF2-HMAC-SHA256 and the keys of it; the password is used as it is. */
void	cred_scram_make(struct str password, struct str salt,
	    uint32_t iterations, struct cred_scram *);
void	cred_scram_encode(const struct cred_scram *, struct buf *);
int	cred_scram_decode(struct str body, struct cred_scram *);

#endif
