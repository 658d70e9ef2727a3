/*
 * front - what imapd and pop3d have in common: they accept clients, run the
 * protocol up to the login, ask authd, bring the ticket to mailboxd, and from
 * then on carry bytes between client and owner.
 *
 * A front never sees a mailbox.  The client hears its OK only when the owner
 * has let it in.  Whoever does not read is not read from, in both directions.
 */
#ifndef NET_FRONT_H
#define NET_FRONT_H

#include "common/core/conf.h"
#include "common/ipc/msg.h"
#include "common/net/login.h"

/* What is a daemon's own: the rest of its life is front_main. */
struct front_service {
	const char		*name;
	enum role		 self;
	enum service		 service;
	const char		*listener;	/* a descriptor of that name */
	const struct login_ops	*login;
	enum setting		 sessions_max, sessions_per_address;
	enum setting		 login_time;	/* s */
};

int	front_main(const struct front_service *);

/* -- its parts, for tests --------------------------------------------- */

struct front_conf {
	const char		*name;		/* of the daemon */
	enum role		 self;
	enum service		 service;
	const struct login_ops	*login;
	int			 listener;
	unsigned		 sessions_max, sessions_per_address;
	int64_t			 login_ms;	/* from accept to OK */
	int64_t			 stall_ms;	/* client takes no output */
	const char		*plaintext;	/* auth.plaintext */
	const char		*hostname;
};

/* The loop, chan and stream are initialised after it (hooks). */
void	front_init(const struct front_conf *);
/* After the sandbox: connects and begins to accept. */
void	front_start(void);
/* Stops accepting, says goodbye; the loop ends with the last session. */
void	front_stop(void *);

#endif
