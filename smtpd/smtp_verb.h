/*
 * smtp_verb - inside the SMTP engine: which command when, and what it does.
 * Not for use outside.
 */
#ifndef SMTPD_SMTP_VERB_H
#define SMTPD_SMTP_VERB_H

#include "smtpd/smtp.h"

/*
 * One line without its CRLF: 1 *ev is an event, 0 it is done, -1 it cannot be
 * understood before what is asked is answered: come again.
 */
int		verb_run(struct smtp *, struct str line, struct smtp_event *);

/* Goes on with AUTH after what the exchange came to; true: an event. */
bool		verb_on_auth(struct smtp *, enum smtp_reply,
		    struct smtp_event *);

#endif
