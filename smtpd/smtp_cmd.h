/*
 * smtp_cmd - one command line: its verb, and what stands behind MAIL and
 * RCPT.  RFC 5321 4.1.  Pure; knows no session.
 */
#ifndef SMTPD_SMTP_CMD_H
#define SMTPD_SMTP_CMD_H

#include "common/mail/addr.h"
#include "smtpd/smtp_reply.h"

enum smtp_verb {
	V_HELO,
	V_EHLO,
	V_MAIL,
	V_RCPT,
	V_DATA,
	V_RSET,
	V_NOOP,
	V_VRFY,
	V_HELP,
	V_QUIT,
	V_AUTH,
	V_ELSEWHERE,	/* a command of SMTP that is not for here: 502 */
	V_BAD
};

/* *arg is what follows the verb and its space, without spaces at its end. */
enum smtp_verb	smtp_verb(struct str line, struct str *arg);

struct smtp_mail {
	struct addr	sender;
	uint64_t	size;		/* as announced; 0 if it was not */
	bool		eight;		/* BODY=8BITMIME */
};

/*
 * SMTP_NONE, or the reply that refuses it.  AUTH= is understood only where
 * AUTH is offered.
 */
enum smtp_reply	smtp_parse_mail(struct str arg, uint64_t size_max, bool auth,
		    struct smtp_mail *);
enum smtp_reply	smtp_parse_rcpt(struct str arg, struct addr *);

/* What HELO and EHLO name: printable, no space, at most ADDR_DOMAIN_MAX. */
bool		smtp_is_helo(struct str arg);

#endif
