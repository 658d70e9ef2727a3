/*
 * smtp_reply - every reply that smtpd can give: code, enhanced status
 * (RFC 3463), text.  One table; nothing else in smtpd writes a code.
 *
 * Texts never contain anything that a client sent.
 */
#ifndef SMTPD_SMTP_REPLY_H
#define SMTPD_SMTP_REPLY_H

#include "common/core/buf.h"

/*	TAG		code	status		text */
#define SMTP_REPLIES(R)							\
	R(NONE,		0,	"",		"")			\
	/* Verdicts: what a caller answers and ends a session with. */	\
	R(OK,		250,	"2.0.0",	"ok")			\
	R(NO_USER,	550,	"5.1.1",	"no such user here")	\
	R(NO_RELAY,	550,	"5.7.1",	"relaying denied")	\
	R(NOT_YOURS,	553,	"5.7.1",	"sender is not yours")	\
	R(POLICY,	550,	"5.7.1",	"refused by policy")	\
	R(DISABLED,	550,	"5.2.1",	"mailbox disabled")	\
	R(MBOX_FULL,	452,	"4.2.2",	"mailbox full")		\
	R(OVER_QUOTA,	552,	"5.2.2",	"mailbox full")		\
	R(EXPANSION,	550,	"5.4.6",	"too many targets")	\
	R(TEMP,		451,	"4.3.0",	"try again later")	\
	R(FULL,		452,	"4.3.1",	"storage full, try later") \
	R(BAD_LOGIN,	535,	"5.7.8",	"authentication failed") \
	R(TEMP_LOGIN,	454,	"4.7.0",	"cannot check that now") \
	R(EXPIRED,	421,	"4.7.0",	"log in again, closing") \
	R(TIMEOUT,	421,	"4.4.2",	"timeout, closing")	\
	R(BUSY,		421,	"4.7.0",	"too many sessions, closing") \
	R(SHUTDOWN,	421,	"4.3.2",	"service closing")	\
	R(LOST,		421,	"4.3.0",	"internal error, closing") \
	/* Limits; a caller may give them as verdicts too. */		\
	R(TOO_BIG,	552,	"5.3.4",	"message too big")	\
	R(HEADER_BIG,	552,	"5.3.4",	"message header too big") \
	R(RCPTS,	452,	"4.5.3",	"too many recipients")	\
	R(LOOP,		554,	"5.4.6",	"too many hops, mail loop") \
	R(LONG_DATA,	550,	"5.6.0",	"line too long in message") \
	R(BAD_HEADER,	550,	"5.6.0",	"message header malformed") \
	R(BARE,		521,	"5.5.2",	"bare CR, LF or NUL, closing") \
	R(ERRORS,	421,	"4.7.0",	"too many errors, closing") \
	/* Commands. */							\
	R(BANNER,	220,	"",		" ESMTP Postern")	\
	R(BYE,		221,	"2.0.0",	"bye")			\
	R(HELO,		250,	"",		"")			\
	R(EHLO,		250,	"",		"")			\
	R(HELP,		214,	"2.0.0",	"see RFC 5321")		\
	R(MAIL_OK,	250,	"2.1.0",	"sender ok")		\
	R(RCPT_OK,	250,	"2.1.5",	"recipient ok")		\
	R(VRFY,		252,	"2.0.0",	"send mail to find out") \
	R(GO,		354,	"",		"end with <CRLF>.<CRLF>") \
	R(QUEUED,	250,	"2.0.0",	"queued as ")		\
	R(BAD_LINE,	500,	"5.5.2",	"malformed or overlong line") \
	R(UNKNOWN,	500,	"5.5.2",	"unknown command")	\
	R(ARGUMENT,	501,	"5.5.4",	"bad argument")		\
	R(NOT_HERE,	502,	"5.5.1",	"not implemented")	\
	R(ORDER,	503,	"5.5.1",	"not now")		\
	R(PARAM,	555,	"5.5.4",	"unknown parameter")	\
	R(SENDER,	501,	"5.1.7",	"bad sender address")	\
	R(RCPT,		501,	"5.1.3",	"bad recipient address") \
	R(UTF8,		553,	"5.6.7",	"address is not ASCII")	\
	R(NEED_AUTH,	530,	"5.7.0",	"authentication required") \
	/* AUTH.  RFC 4954. */						\
	R(AUTH_OK,	235,	"2.7.0",	"authenticated")	\
	R(AUTH_PLAIN,	334,	"",		"")			\
	R(AUTH_USER,	334,	"",		"VXNlcm5hbWU6")		\
	R(AUTH_PASS,	334,	"",		"UGFzc3dvcmQ6")		\
	R(AUTH_MECH,	504,	"5.5.4",	"mechanism not offered") \
	R(AUTH_BASE64,	501,	"5.5.2",	"cannot decode")	\
	R(AUTH_CANCEL,	501,	"5.7.0",	"authentication cancelled")

enum smtp_reply {
#define R(tag, code, status, text)	SMTP_##tag,
	SMTP_REPLIES(R) SMTP_REPLY_COUNT
#undef R
};

int		smtp_code(enum smtp_reply);
const char	*smtp_status(enum smtp_reply);
const char	*smtp_text(enum smtp_reply);

/* One line, `more` (may be empty) after its text. */
void		smtp_reply_add(struct buf *, enum smtp_reply, struct str more);

#endif
