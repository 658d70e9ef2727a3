/*
 * login - POP3 up to the login: RFC 1939 AUTHORIZATION with USER and PASS,
 * AUTH PLAIN (RFC 5034), CAPA, NOOP and QUIT.  Pure; see common/net/login.h.
 */
#ifndef POP3D_LOGIN_H
#define POP3D_LOGIN_H

#include "common/net/login.h"

extern const struct login_ops pop3_login_ops;

#endif
