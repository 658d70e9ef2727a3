/*
 * imap_rig - around each test of one IMAP session over a model store that is
 * not a dialogue: what is to be sent, and what came of it.
 */
#ifndef TESTS_IMAP_RIG_H
#define TESTS_IMAP_RIG_H

#include "tests/lib/unit.h"

#include "tests/lib/imap_script.h"

struct rig {
	struct model_store	*m;
	struct imap		*s;
	struct buf		 in, said;
};

static inline void
rig_init(struct rig *r)
{
	r->m = imap_script_store();
	r->s = imap_new(&r->m->store, 100000);
	buf_init(&r->in, 32 << 20);
	buf_init(&r->said, 64 << 20);
}

static inline void
rig_clear(struct rig *r)
{
	imap_free(r->s);
	assert_int_equal(r->m->opens, 0);
	assert_int_equal(r->m->appends, 0);
	assert_int_equal(r->m->bodies, 0);
	model_store_free(r->m);
	buf_clear(&r->in);
	buf_clear(&r->said);
}

static inline void
fill(struct buf *b, char c, size_t n)
{
	char *p = buf_room(b, n);

	assert_non_null(p);
	memset(p, c, n);
	buf_grow(b, n);
}

/* Sends what is in `in`; true if what comes begins so. */
static inline bool
says(struct rig *r, const char *want)
{
	bool yes;

	buf_reset(&r->said);
	imap_script_pump(r->s, buf_str(&r->in), 4096, &r->said);
	buf_reset(&r->in);
	yes = str_starts(buf_str(&r->said), str_c(want));
	if (!yes)
		print_message("want %s, got %.200s\n", want,
		    buf_cstr(&r->said));
	return yes;
}

static inline bool
ended(struct rig *r)
{
	return imap_wants(r->s) == IMAP_WANT_END;
}

#endif
