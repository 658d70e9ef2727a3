/*
 * smtp_auth - see smtp_auth.h.  Pure.
 */
#include "smtpd/smtp_auth.h"

#include "common/core/base64.h"
#include "common/mail/sasl.h"

void
smtp_auth_init(struct smtp_auth *a)
{
	*a = (struct smtp_auth){ .mech = MECH_PLAIN };
	buf_init(&a->secret, SMTP_AUTH_MAX);
}

void
smtp_auth_wipe(struct smtp_auth *a)
{
	buf_wipe(&a->secret);
	smtp_auth_init(a);
}

static enum smtp_reply
refuse(struct smtp_auth *a, enum smtp_reply r)
{
	smtp_auth_wipe(a);
	return r;
}

/*
 * All is there.  What no account can have is a failed login and not another
 * kind of error; it must not become a question that no message can carry.
 */
static enum smtp_reply
complete(struct smtp_auth *a)
{
	if (a->user.n == 0 || a->password.n == 0)
		return refuse(a, SMTP_AUTH_BASE64);
	if (!sasl_is_possible(a->user, a->password))
		return refuse(a, SMTP_BAD_LOGIN);
	return SMTP_NONE;
}

static enum smtp_reply
respond(struct smtp_auth *a, struct str base64)
{
	struct str all;

	/*
	 * The secret is in one piece of storage: room for all that can come
	 * is taken at once, since growing would leave a copy behind.
	 */
	if (buf_room(&a->secret, buf_left(&a->secret)) == NULL ||
	    base64_decode(&a->secret, base64) == -1)
		return refuse(a, SMTP_AUTH_BASE64);
	all = buf_str(&a->secret);
	if (a->mech == MECH_PLAIN) {
		if (sasl_plain(all, &a->authzid, &a->user,
		    &a->password) == -1)
			return refuse(a, SMTP_AUTH_BASE64);
		return complete(a);
	}
	if (!a->has_user) {
		a->has_user = true;
		a->user_n = all.n;
		return SMTP_AUTH_PASS;
	}
	a->user = str_sub(all, 0, a->user_n);
	a->password = str_from(all, a->user_n);
	return complete(a);
}

enum smtp_reply
smtp_auth_start(struct smtp_auth *a, struct str arg)
{
	struct str mech, initial = arg;

	smtp_auth_wipe(a);
	if (!str_cut(&initial, ' ', &mech) || mech.n == 0)
		return SMTP_ARGUMENT;
	if (str_ieq(mech, S("PLAIN")))
		a->mech = MECH_PLAIN;
	else if (str_ieq(mech, S("LOGIN")))
		a->mech = MECH_LOGIN;
	else
		return SMTP_AUTH_MECH;
	if (initial.p == NULL)
		return a->mech == MECH_PLAIN ? SMTP_AUTH_PLAIN :
		    SMTP_AUTH_USER;
	/* RFC 4954 4: "=" alone is an empty initial response. */
	if (str_eq(initial, S("=")))
		initial = S("");
	else if (initial.n == 0)
		return SMTP_ARGUMENT;
	return respond(a, initial);
}

enum smtp_reply
smtp_auth_line(struct smtp_auth *a, struct str line)
{
	if (str_eq(line, S("*")))
		return refuse(a, SMTP_AUTH_CANCEL);
	return respond(a, line);
}
