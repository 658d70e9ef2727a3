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
