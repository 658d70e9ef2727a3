/*
 * sockets - every listening socket of the suite.  They are the starter's and
 * outlive the daemons, which find them again when they come back.
 */
#ifndef MAILCTL_SOCKETS_H
#define MAILCTL_SOCKETS_H

#include "mailctl/instance.h"

struct fd_list {
	int		*fd;
	const char	**name;
	size_t		 n, cap;
};

void	fd_list_add(struct fd_list *, const char *name, int fd);
void	fd_list_clear(struct fd_list *);	/* closes nothing */

/*
 * Makes them all below DIR/run, one directory per client that only it can
 * enter, and binds the addresses of the configuration.  Mistakes (address in
 * use) are fatal with what to do about them.
 */
void	sockets_open(const struct instance *);
/* Adds the ones on which this unit listens. */
void	sockets_of(const struct unit *, struct fd_list *);
/* The directory with the sockets that this unit may connect to. */
int	sockets_view(const struct instance *, const struct unit *);
/* The starter's own control socket. */
int	sockets_ctl(void);

#endif
