/*
 * sasl - what a client says in one SASL message.  Pure.
 */
#ifndef MAIL_SASL_H
#define MAIL_SASL_H

#include "common/core/str.h"

/* What the suite's messages can carry; no account has more. */
enum {
	SASL_USER_MAX = 320,
	SASL_PASSWORD_MAX = 1024
};

/*
 * RFC 4616: [authzid] NUL user NUL password, decoded already.  Borrowed from
 * it.  -1 unless there are three parts and the last two are not empty.  That
 * authzid is empty or means the user is for authd to say.
 */
int		sasl_plain(struct str message, struct str *authzid,
		    struct str *user, struct str *password);

/*
 * Whether anybody can have that name and password, however a client gave
 * them: neither is empty or over its limit, and the name is text without NUL.
 */
bool		sasl_is_possible(struct str user, struct str password);

#endif
