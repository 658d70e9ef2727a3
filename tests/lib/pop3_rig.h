/*
 * pop3_rig - around each test of a POP3 session: the engine over a model of
 * the store that counts some calls and can refuse one, and all it said.
 */
#ifndef TESTS_POP3_RIG_H
#define TESTS_POP3_RIG_H

#include "tests/lib/unit.h"

#include "pop3d/pop3.h"
#include "tests/lib/feed.h"
#include "tests/lib/model_store.h"

#define ONE	"Subject: one\r\n\r\nfirst\r\n.dot\r\n\r\nlast\r\n"
#define TWO	"Subject: two\r\n"
#define THREE	"A: b\r\n\r\nno end"

struct rig {
	struct model_store	*model;
	struct store_ops	 ops;
	struct store		 store;
	struct pop3		*s;
	struct buf		 got;
	size_t			 most;		/* `out` was never larger */
};

/* Of this store; set by rig_up. */
static struct {
	unsigned		 expunges, flags;
	size_t			 expunged;
	enum store_result	 answer;
	const struct store_ops	*real;
} spy;

static inline enum store_result
spy_expunge(void *impl, struct store_folder *f, const uint32_t *uids, size_t n)
{
	spy.expunges++;
	spy.expunged += n;
	if (spy.answer != STORE_OK)
		return spy.answer;
	return spy.real->expunge(impl, f, uids, n);
}

static inline enum store_result
spy_flags(void *impl, struct store_folder *f, const uint32_t *uids, size_t n,
    enum store_how how, uint8_t flags, uint64_t keywords)
{
	spy.flags++;
	return spy.real->flags(impl, f, uids, n, how, flags, keywords);
}

static inline void
rig_up(struct rig *r, bool mail)
{
	memset(&spy, 0, sizeof(spy));
	memset(r, 0, sizeof(*r));
	r->model = model_store_new();
	if (mail) {
		model_store_add(r->model, "INBOX", S(ONE), 0, 0);
		model_store_add(r->model, "INBOX", S(TWO), 0, 0);
		model_store_add(r->model, "INBOX", S(THREE), 0, 0);
	}
	spy.real = r->model->store.ops;
	r->ops = *spy.real;
	r->ops.expunge = spy_expunge;
	r->ops.flags = spy_flags;
	r->store = (struct store){ &r->ops, r->model->store.impl };
	r->s = pop3_new(&r->store);
	assert_non_null(r->s);
	buf_init(&r->got, 64 * 1024 * 1024);
}

static inline void
rig_down(struct rig *r)
{
	pop3_free(r->s);
	assert_int_equal(r->model->opens, 0);
	model_store_free(r->model);
	buf_clear(&r->got);
}

static inline void
take(struct rig *r)
{
	struct buf *out = pop3_out(r->s);

	if (out->n > r->most)
		r->most = out->n;
	buf_add(&r->got, buf_str(out));
	buf_drop(out, out->n);
}

static inline size_t
feed_one(void *arg, struct str in)
{
	struct rig	*r = arg;
	size_t		 used;

	do {
		take(r);
	} while (pop3_step(r->s));
	used = pop3_feed(r->s, in);
	do {
		take(r);
	} while (pop3_step(r->s));
	take(r);
	return used;
}

static inline const struct store_folder *
inbox(const struct rig *r)
{
	return model_store_folder(r->model, "INBOX");
}

#endif
