/*
 * sasl - what a client says in one SASL message.  Pure.
 */
#ifndef MAIL_SASL_H
#define MAIL_SASL_H

#include "common/core/str.h"

/*
 * RFC 4616: [authzid] NUL user NUL password, decoded already.  Borrowed from
 * it.  -1 unless there are three parts and the last two are not empty.  That
 * authzid is empty or means the user is for authd to say.
 */
int		sasl_plain(struct str message, struct str *authzid,
		    struct str *user, struct str *password);

#endif
