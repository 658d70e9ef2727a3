/*
 * login - see login.h.  Pure.
 */
#include "common/net/login.h"

#include <assert.h>

#include "common/core/base64.h"
#include "common/mail/sasl.h"

struct login *
login_new(const struct login_ops *ops, const char *hostname, bool open)
{
	struct login *l = ops->make();

	l->ops = ops;
	l->hostname = hostname;
	l->open = open;
	l->state = LOGIN_TALKING;
	buf_init(&l->out, LOGIN_OUT_MAX);
	buf_init(&l->user, LOGIN_USER_MAX);
	buf_init(&l->password, LOGIN_PASSWORD_MAX);
	return l;
}

void
login_greet(struct login *l)
{
	l->ops->greet(l);
}

static void
forget(struct login *l)
{
	buf_wipe(&l->password);
	buf_clear(&l->user);
}

void
login_free(struct login *l)
{
	if (l == NULL)
		return;
	forget(l);
	buf_clear(&l->out);
	l->ops->free(l);
}

void
login_bye(struct login *l, enum login_bye why)
{
	forget(l);
	if (l->state == LOGIN_OVER || l->state == LOGIN_IN)
		return;
	l->ops->bye(l, why);
	l->state = LOGIN_OVER;
}

size_t
login_feed(struct login *l, struct str in)
{
	size_t total = 0, used;

	while (l->state == LOGIN_TALKING) {
		used = l->ops->feed(l, str_from(in, total));
		if (used == 0)
			break;
		total += used;
		l->input += used;
	}
	assert(buf_ok(&l->out));
	return total;
}

void
login_answer(struct login *l, enum login_answer answer)
{
	assert(l->state == LOGIN_ASKING);
	forget(l);
	l->state = answer == ANSWER_OK ? LOGIN_IN : LOGIN_TALKING;
	l->ops->answer(l, answer);
}

bool
login_ask(struct login *l, struct str user, struct str password)
{
	if (user.n == 0 || user.n > LOGIN_USER_MAX || password.n == 0 ||
	    password.n > LOGIN_PASSWORD_MAX || str_chr(user, '\0') != -1)
		return false;
	buf_add(&l->user, user);
	buf_add(&l->password, password);
	l->state = LOGIN_ASKING;
	return true;
}

enum login_plain
login_ask_plain(struct login *l, struct str base64)
{
	enum login_plain	r = PLAIN_REFUSED;
	struct buf		b;
	struct str		authzid, user, password;

	buf_init(&b, LOGIN_INPUT_MAX);
	if (base64_decode(&b, base64) == -1)
		r = PLAIN_NOT_BASE64;
	else if (sasl_plain(buf_str(&b), &authzid, &user, &password) == 0 &&
	    (authzid.n == 0 || str_eq(authzid, user)) &&
	    login_ask(l, user, password))
		r = PLAIN_ASKED;
	buf_wipe(&b);
	return r;
}

void
login_error(struct login *l)
{
	l->errors++;
	if (l->commands == 0 || l->errors >= LOGIN_ERRORS_MAX)
		l->state = LOGIN_OVER;
}

void
login_failure(struct login *l)
{
	l->failures++;
	if (l->failures >= LOGIN_FAILURES_MAX)
		l->state = LOGIN_OVER;
}
