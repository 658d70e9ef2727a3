/*
 * session - one SMTP connection: joins the engine (smtp.h) to the stream, to
 * authd (asking.h) and to queued (pool.h).
 */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include "common/ipc/msg.h"
#include "smtpd/smtp.h"

struct session;

/* Once, after loop_init, before chan_init and stream_init. */
void	sessions_init(void);
/* Takes the descriptor; refuses politely over the limits. */
void	session_new(enum smtp_kind, int fd, struct str address);
/* Something that sessions waited for may be there now. */
void	sessions_retry(void);
/* No more sessions; those that are there finish; then the loop stops. */
void	sessions_drain(void);

/* Answers to what the session asked.  It may have ended meanwhile. */
void	session_answered(struct session *, uint32_t id, enum smtp_reply,
	    uint32_t targets);
void	session_logged_in(struct session *, uint32_t id,
	    const struct msg_logged_in *);
void	session_submitted(struct session *, uint64_t qid, unsigned verdict);

#endif
