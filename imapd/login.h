/*
 * login - IMAP up to the login (RFC 3501 6.1 and 6.2, SASL-IR RFC 4959,
 * LITERAL+ RFC 7888, ID RFC 2971).  Pure; see common/net/login.h.
 *
 * It never greets with PREAUTH.
 */
#ifndef IMAPD_LOGIN_H
#define IMAPD_LOGIN_H

#include "common/net/login.h"

/* Before a login; afterwards it is IMAP_CAPABILITY of capability.h. */
#define IMAP_CAPABILITY_LOGIN	"IMAP4rev1 LITERAL+ ID SASL-IR AUTH=PLAIN"
/* No passwords over this connection. */
#define IMAP_CAPABILITY_NO_LOGIN "IMAP4rev1 LITERAL+ ID LOGINDISABLED"

extern const struct login_ops imap_login_ops;

#endif
