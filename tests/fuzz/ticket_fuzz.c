/*
 * ticket: foreign bytes as a sealed ticket, and as what is inside one (see
 * ticket_seed.h).  One that is good is good once.
 */
#include <assert.h>
#include <stddef.h>

#include "tests/lib/ticket_seed.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
again(const struct ticket_keys *k, const struct ticket *t)
{
	struct ticket_replays	*seen = ticket_replays_new();
	struct ticket		 same;
	struct buf		 b;

	assert(memchr(t->user, '\0', sizeof(t->user)) != NULL);
	buf_init(&b, TICKET_MAX);
	ticket_seal(k, t, &b);
	assert(ticket_open(k, buf_str(&b), 0, &same) == TICKET_GOOD);
	assert(memcmp(t, &same, offsetof(struct ticket, unlock) + 32) == 0);
	buf_clear(&b);
	assert(ticket_once(seen, t, 0) == TICKET_GOOD);
	assert(ticket_once(seen, &same, 0) == TICKET_REPLAYED);
	ticket_replays_free(seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ticket_keys	k = { .n = 0 };
	struct ticket		t;
	struct str		in;
	uint8_t			out[TICKET_SEED_MAX];

	if (n == 0 || n > TICKET_MAX || sodium_init() == -1)
		return 0;
	in = ticket_seed(str_of(p, n), &k, out);
	if (ticket_open(&k, in, 0, &t) == TICKET_GOOD)
		again(&k, &t);
	return 0;
}
