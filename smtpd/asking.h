/*
 * asking - what smtpd asks of authd: are these recipients ours and is there
 * room, may this account send as that, is this password right.
 *
 * Recipients of all sessions that ask in one turn travel in batches of up to
 * 100.  While authd is away questions wait, and are asked again when it is
 * back: all of them may be asked twice.  One that has waited ASKING_MS is
 * answered "not now".
 */
#ifndef SMTPD_ASKING_H
#define SMTPD_ASKING_H

#include "common/core/str.h"
#include "smtpd/smtp.h"

enum { ASKING_MS = 10 * 1000 };

struct session;

/* Once, after loop_init and before chan_init. */
void	asking_init(void);

/*
 * The answer goes to session_answered with the engine's id, and of a recipient
 * with the number of targets that it leads to; the session must
 * live until then (its `holds`).  size: what the client announced, or 0.
 */
void	asking_recipient(struct session *, uint32_t id, struct str address,
	    uint64_t size);
/* Whether the account may send as the address. */
void	asking_sender(struct session *, uint32_t id, uint64_t account,
	    struct str address);
/* To session_logged_in.  The password is copied, and wiped when answered. */
void	asking_login(struct session *, uint32_t id, uint64_t sid,
	    struct str client, struct str user, struct str password);

#endif
