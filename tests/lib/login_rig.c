/*
 * login_rig - see login_rig.h.
 */
#include "tests/lib/login_rig.h"

#include <assert.h>

#include "tests/lib/feed.h"

static enum login_answer
decide(struct str user)
{
	if (str_eq(user, S("ok")))
		return ANSWER_OK;
	if (str_eq(user, S("temp")))
		return ANSWER_TEMP;
	if (str_eq(user, S("gone")))
		return ANSWER_UNAVAILABLE;
	return ANSWER_BAD;
}

static size_t
feed_one(void *arg, struct str in)
{
	struct login_rig	*r = arg;
	struct login		*l = r->l;
	enum login_answer	 a;
	size_t			 used = login_feed(l, in);

	buf_add(&r->got, buf_str(&l->out));
	buf_reset(&l->out);
	if (l->state == LOGIN_ASKING) {
		/* No question may be overtaken. */
		assert(login_feed(l, str_from(in, used)) == 0);
		a = decide(buf_str(&l->user));
		buf_addc(&r->got, '<');
		buf_add(&r->got, buf_str(&l->user));
		buf_addc(&r->got, '|');
		buf_add(&r->got, buf_str(&l->password));
		buf_addz(&r->got, ">\r\n");
		login_answer(l, a);
		assert(l->password.n == 0 && l->password.p == NULL);
		buf_add(&r->got, buf_str(&l->out));
		buf_reset(&l->out);
	}
	if (l->state == LOGIN_IN || l->state == LOGIN_OVER) {
		if (used == 0) {
			buf_add(&r->left, in);
			return in.n;
		}
	}
	return used;
}

void
login_rig_run(struct login_rig *r, const struct login_ops *ops, bool open,
    unsigned way, struct str in)
{
	buf_init(&r->got, 64 << 20);
	buf_init(&r->left, 64 << 20);
	r->l = login_new(ops, "mx.example", open);
	feed(way, in, feed_one, r);
}

void
login_rig_clear(struct login_rig *r)
{
	login_free(r->l);
	buf_clear(&r->got);
	buf_clear(&r->left);
}
