/*
 * login - see login.h.  Pure.
 */
#include "common/net/login.h"

#include <assert.h>

#include "common/core/base64.h"
#include "common/mail/sasl.h"

static const struct {
	enum login_reply	 reply;
	const char		*text;
} answers[] = {
	[ANSWER_OK] = { REPLY_IN, "logged in" },
	/* The one text for all that is not a right user and password. */
	[ANSWER_BAD] = { REPLY_FAILED, "wrong user or password" },
	[ANSWER_TEMP] = { REPLY_TEMP, "no login now, try again later" },
	[ANSWER_UNAVAILABLE] = { REPLY_TEMP,
	    "the mailbox is not available now" },
	[ANSWER_IN_USE] = { REPLY_IN_USE,
	    "another session has the mailbox open" },
};

static const char *const byes[] = {
	[BYE_FULL] = "too many connections",
	[BYE_ADDRESS_FULL] = "too many connections from your address",
	[BYE_TIME] = "no login in time",
	[BYE_STOPPING] = "going down",
	[BYE_INPUT] = "too much before a login",
	[BYE_ERRORS] = "too many errors",
	[BYE_FAILURES] = "too many failures",
};

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
	l->ops->bye(l, why, byes[why]);
	l->state = LOGIN_OVER;
}

size_t
login_feed(struct login *l, struct str in)
{
	size_t total = 0, used;

	l->out_from = l->out.n;
	while (l->state == LOGIN_TALKING) {
		used = l->ops->feed(l, str_from(in, total));
		if (used == 0)
			break;
		total += used;
		l->input += used;
	}
	assert(buf_ok(&l->out));
	l->output += l->out.n - l->out_from;
	l->out_from = l->out.n;
	return total;
}

static void
reply_answer(struct login *l, enum login_answer answer)
{
	l->ops->reply(l, answers[answer].reply, answers[answer].text);
	if (answer == ANSWER_BAD && ++l->failures >= LOGIN_FAILURES_MAX)
		login_bye(l, BYE_FAILURES);
}

void
login_answer(struct login *l, enum login_answer answer)
{
	assert(l->state == LOGIN_ASKING);
	forget(l);
	l->state = answer == ANSWER_OK ? LOGIN_IN : LOGIN_TALKING;
	reply_answer(l, answer);
}

/* -- for the engines -------------------------------------------------- */

void
login_error(struct login *l, const char *text)
{
	l->ops->reply(l, REPLY_BAD, text);
	l->errors++;
	if (l->commands == 0 || l->errors >= LOGIN_ERRORS_MAX)
		login_bye(l, BYE_ERRORS);
}

bool
login_is_too_much(struct login *l, size_t more)
{
	if (more <= LOGIN_INPUT_MAX - l->input &&
	    l->output + l->out.n - l->out_from <= LOGIN_OUTPUT_MAX)
		return false;
	login_bye(l, BYE_INPUT);
	return true;
}

bool
login_is_closed(struct login *l)
{
	if (!l->open)
		l->ops->reply(l, REPLY_CLOSED,
		    "no passwords over this connection");
	return !l->open;
}

void
login_try(struct login *l, struct str user, struct str password)
{
	if (user.n == 0 || user.n > LOGIN_USER_MAX || password.n == 0 ||
	    password.n > LOGIN_PASSWORD_MAX || str_chr(user, '\0') != -1) {
		reply_answer(l, ANSWER_BAD);
		return;
	}
	buf_add(&l->user, user);
	buf_add(&l->password, password);
	l->state = LOGIN_ASKING;
}

static void
plain(struct login *l, struct str base64)
{
	struct buf b;
	struct str authzid, user, password;

	buf_init(&b, LOGIN_INPUT_MAX);
	if (base64_decode(&b, base64) == -1)
		login_error(l, "not base64");
	else if (sasl_plain(buf_str(&b), &authzid, &user, &password) == -1 ||
	    (authzid.n > 0 && !str_eq(authzid, user)))
		reply_answer(l, ANSWER_BAD);
	else
		login_try(l, user, password);
	buf_wipe(&b);
}

void
login_auth(struct login *l, struct str mechanism, struct str initial)
{
	if (!str_ieq(mechanism, S("PLAIN"))) {
		l->ops->reply(l, REPLY_NO, "PLAIN is the only mechanism");
		return;
	}
	if (login_is_closed(l))
		return;
	if (initial.p != NULL) {
		/* "=" is the empty message: RFC 4959 3, RFC 5034 4. */
		plain(l, str_eq(initial, S("=")) ? S("") : initial);
		return;
	}
	l->in_auth = true;
	buf_add(&l->out, S("+ \r\n"));
}

void
login_auth_line(struct login *l, struct str line)
{
	l->in_auth = false;
	if (str_eq(line, S("*")))
		login_error(l, "cancelled");
	else
		plain(l, line);
}
