/*
 * login_rig - see login_rig.h.
 */
#include "tests/lib/login_rig.h"

#include <assert.h>

#include "tests/lib/feed.h"
#include "tests/lib/unit.h"

static enum login_answer
decide(struct str user)
{
	if (str_eq(user, S("ok")))
		return ANSWER_OK;
	if (str_eq(user, S("temp")))
		return ANSWER_TEMP;
	if (str_eq(user, S("gone")))
		return ANSWER_UNAVAILABLE;
	if (str_eq(user, S("busy")))
		return ANSWER_IN_USE;
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

void
login_rig_play(const struct login_ops *ops, const struct login_scene *scenes,
    size_t n)
{
	const struct login_scene	*s;
	struct login_rig		 r;
	unsigned			 way;

	for (s = scenes; s < scenes + n; s++) {
		for (way = 0; way < FEED_WAYS; way++) {
			login_rig_run(&r, ops, !s->closed, way, str_c(s->in));
			if (strcmp(buf_cstr(&r.got), s->out) != 0 ||
			    strcmp(buf_cstr(&r.left), s->left) != 0)
				fail_msg("%s (%u): %s[%s]", s->name, way,
				    buf_cstr(&r.got), buf_cstr(&r.left));
			assert_int_equal(r.l->state, s->state);
			login_rig_clear(&r);
		}
	}
}

void
login_rig_part(const struct login_ops *ops, const struct login_farewell *rows,
    size_t n)
{
	const struct login_farewell	*f;
	struct login			*l;

	for (f = rows; f < rows + n; f++) {
		l = login_new(ops, "mx.example", true);
		login_bye(l, f->why);
		assert_string_equal(buf_cstr(&l->out), f->text);
		assert_int_equal(l->state, LOGIN_OVER);
		assert_int_equal(login_feed(l, S("NOOP\r\n")), 0);
		login_free(l);
	}
}

void
login_rig_fuzz(const struct login_ops *ops, const uint8_t *p, size_t n)
{
	struct login_rig a, b;
	struct str	 in;

	if (n == 0)
		return;
	in = str_of(p + 1, n - 1);
	login_rig_run(&a, ops, true, 0, in);
	login_rig_run(&b, ops, true, 1 + p[0] % (FEED_WAYS - 1), in);
	if (!str_eq(buf_str(&a.got), buf_str(&b.got)) ||
	    a.l->state != b.l->state)
		abort();
	/* Behind an end by a limit, how much is dropped may differ. */
	if (a.l->state == LOGIN_IN &&
	    !str_eq(buf_str(&a.left), buf_str(&b.left)))
		abort();
	login_rig_clear(&a);
	login_rig_clear(&b);
}
