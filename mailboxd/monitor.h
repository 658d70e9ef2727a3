/*
 * monitor - mailboxd's door: who comes with a ticket is brought to the owner
 * of his mailbox, and so are deliveries.  It has no capability and opens no
 * mailbox; when it dies, owners and sessions go on.
 */
#ifndef MAILBOXD_MONITOR_H
#define MAILBOXD_MONITOR_H

#include "common/ipc/msg.h"

/* Sets up sockets and links; the loop, chan and stream are there already. */
void	monitor_init(void);
/* Stops accepting; owners keep what they have.  The loop ends. */
void	monitor_stop(void *);

/* Something for an owner: a session, a channel of deliverd, or a scrub. */
struct work_for {
	uint64_t	mailbox;
	uint32_t	tenant, shard;
	int		fd;		/* taken over, however it ends */
	bool		is_scrub;	/* fd is -1 */
	/* A session; service 0 is a channel. */
	unsigned	service;
	uint64_t	sid;
	struct str	user, client;	/* copied */
};
void	monitor_work(const struct work_for *);

/*
 * The authd that is there now has told its key: no ticket that is good can
 * name one that we do not hold.
 */
bool	monitor_has_keys(void);

#endif
