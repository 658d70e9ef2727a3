/*
 * authd - answers the daemons that ask about accounts: lookups, logins,
 * expansion of aliases, ticket keys, usage and quotas, and mailctl's commands.
 *
 * One struct authd is the whole daemon; it borrows the directory and the hash
 * workers.  What a peer may ask follows from the socket that it came in by.
 */
#ifndef AUTHD_AUTHD_H
#define AUTHD_AUTHD_H

#include "authd/cache.h"
#include "authd/directory.h"
#include "authd/expansion.h"
#include "authd/hash.h"
#include "authd/usage.h"
#include "common/ipc/chan.h"
#include "common/ipc/ticket.h"

enum { AUTHD_MONITORS_MAX = 4 };

struct login;
struct admin;

struct authd {
	struct dir		*dir;
	struct hash		*hash;
	struct cache		*cache;
	struct usage		*usage;
	struct expansion	*expansion;
	/* The monitors of mailboxd: one, or two while one follows another. */
	struct chan		*monitors[AUTHD_MONITORS_MAX];
	/* Made at start, one key for each audience. */
	struct ticket_keys	 for_mailboxd, for_queued;
	struct login		*logins;	/* that wait for a worker */
	struct admin		*admins;	/* the same of mailctl */
};

/* Settings must be loaded, the loop be there. */
struct authd	*authd_new(struct dir *, struct hash *);
void		 authd_free(struct authd *);

/* A listening socket for one client role; for ever. */
void		 authd_listen(struct authd *, int fd, enum role peer);
/* A connected client; takes the descriptor over.  For tests. */
struct chan	*authd_serve(struct authd *, int fd, enum role peer);

#endif
