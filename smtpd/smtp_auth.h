/*
 * smtp_auth - the AUTH exchange: PLAIN (RFC 4616) and LOGIN, with or without
 * an initial response.  RFC 4954 4.  Pure.
 *
 * Holds the credentials from the moment they are decoded until smtp_auth_wipe;
 * the caller's input still holds them encoded, and is the caller's to wipe.
 */
#ifndef SMTPD_SMTP_AUTH_H
#define SMTPD_SMTP_AUTH_H

#include "smtpd/smtp_reply.h"

enum {
	SMTP_AUTH_MAX = 4096	/* decoded bytes of one exchange */
};

enum smtp_mech {
	MECH_PLAIN,
	MECH_LOGIN
};

struct smtp_auth {
	enum smtp_mech	mech;
	struct buf	secret;
	size_t		user_n;		/* LOGIN: where the password begins */
	bool		has_user;
	struct str	authzid;	/* PLAIN only; borrowed from secret */
	struct str	user;
	struct str	password;
};

void		smtp_auth_init(struct smtp_auth *);
void		smtp_auth_wipe(struct smtp_auth *);	/* usable again */

/*
 * What the client said, after AUTH or as a line of the exchange.  SMTP_NONE:
 * complete, the strings are set.  A 334: ask it, one more line.  Else the
 * exchange is over with that reply and everything is wiped.
 */
enum smtp_reply	smtp_auth_start(struct smtp_auth *, struct str arg);
enum smtp_reply	smtp_auth_line(struct smtp_auth *, struct str line);

#endif
