/*
 * cred_fuzz - a credential list as the directory has it: any bytes behind
 * the first, whose lowest bit says that the hash to compute in place of a
 * missing one is none either.  Hashes are computed only where that is cheap.
 */
#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "authd/cred.h"
#include "common/core/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char dummy[128];

static bool
is_cheap(struct str hash)
{
	return str_starts(hash, S("$argon2id$v=19$m=8,t=1,"));
}

/* Only entries, and all of them: written again they are the same bytes. */
static void
again(struct str list)
{
	struct unpack	u = unpack_of(list);
	struct buf	b;
	unsigned	tag;

	buf_init(&b, list.n);
	while (u.s.n > 0) {
		tag = unpack_u8(&u);
		cred_add(&b, (enum cred_tag)tag, unpack_str(&u, CRED_MAX));
	}
	assert(!u.bad && str_eq(buf_str(&b), list));
	buf_clear(&b);
}

static void
scram(struct str body)
{
	struct cred_scram	s;
	struct buf		b;

	if (cred_scram_decode(body, &s) == -1)
		return;
	assert(s.iterations > 0 && s.iterations <= CRED_ITERATIONS_MAX);
	buf_init(&b, CRED_MAX);
	cred_scram_encode(&s, &b);
	assert(str_eq(buf_str(&b), body));
	buf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct cred_cost	cost = { 8 * 1024, 1 };
	struct str			list, body;
	enum cred_result		r;

	if (n < 1 || n > 2 * CRED_MAX || sodium_init() == -1)
		return 0;
	if (dummy[0] == '\0')
		assert(cred_dummy(&cost, dummy) == 0);
	list = str_of(p + 1, n - 1);
	if (cred_is_list(list))
		again(list);
	if (cred_find(list, CRED_SCRAM_SHA256, &body)) {
		assert(body.p >= list.p && body.p + body.n <= list.p + list.n);
		scram(body);
	}
	body = S("");
	if (!cred_find(list, CRED_ARGON2ID, &body) || is_cheap(body)) {
		r = cred_check(list, S("pencil"), p[0] & 1 ? "" : dummy);
		assert(r != CRED_GOOD || is_cheap(body));
	}
	(void)cred_is_stale(list, &cost);
	return 0;
}
