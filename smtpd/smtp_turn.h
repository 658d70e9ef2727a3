/*
 * smtp_turn - inside the SMTP engine: the state, questions to the caller, and
 * replies that leave in the order of the commands.  Not for use outside; the
 * answers' side is in smtp.h.
 */
#ifndef SMTPD_SMTP_TURN_H
#define SMTPD_SMTP_TURN_H

#include "smtpd/smtp.h"

bool		turn_offers_auth(const struct smtp *);

/* The only place that changes the state. */
void		turn_enter(struct smtp *, enum smtp_state);

/* The transaction is over without a message. */
void		turn_forget(struct smtp *, enum smtp_reply why);

/* Ends the session; nothing that still waits will leave. */
void		turn_stop(struct smtp *, enum smtp_reply why);

/* After all that was asked before it. */
void		turn_reply(struct smtp *, enum smtp_reply);

/* Makes *ev that question; always true.  There must be a slot free. */
bool		turn_ask(struct smtp *, enum smtp_event_kind,
		    struct smtp_event *);

#endif
