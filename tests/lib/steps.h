/*
 * steps - operations on a store as values, for tables and random walks.
 */
#ifndef TESTS_STEPS_H
#define TESTS_STEPS_H

#include "common/mail/store.h"

enum verb {
	V_CREATE, V_REMOVE, V_RENAME, V_SUB, V_UNSUB, V_PUT, V_FLAGS,
	V_EXPUNGE, V_COPY, V_RECENT, V_WORD
};

struct step {
	enum verb	 verb;
	const char	*a, *b;		/* of V_PUT, b is the octet */
	uint32_t	 uids[4];
	/* Size of a message; flags, and keywords from bit 8 on; create. */
	unsigned	 n;
	enum store_how	 how;
	enum store_result want;
};

enum store_result step_run(struct store, const struct step *);

/* Every operation, with its refusals, on a fresh mailbox in this order. */
extern const struct step steps[];
extern const size_t steps_n;

/* A random step for a store in this state; numbers come from *seed. */
struct step	step_random(struct store, uint32_t *seed);
uint32_t	step_below(uint32_t *seed, uint32_t n);

#endif
