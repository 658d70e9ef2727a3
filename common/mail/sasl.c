/*
 * sasl - see sasl.h.  Pure.
 */
#include "common/mail/sasl.h"

int
sasl_plain(struct str message, struct str *authzid, struct str *user,
    struct str *password)
{
	struct str more;

	if (!str_cut(&message, '\0', authzid) ||
	    !str_cut(&message, '\0', user) ||
	    !str_cut(&message, '\0', password) ||
	    str_cut(&message, '\0', &more))
		return -1;
	return user->n > 0 && password->n > 0 ? 0 : -1;
}

bool
sasl_is_possible(struct str user, struct str password)
{
	return user.n > 0 && user.n <= SASL_USER_MAX &&
	    str_chr(user, '\0') == -1 &&
	    password.n > 0 && password.n <= SASL_PASSWORD_MAX;
}
