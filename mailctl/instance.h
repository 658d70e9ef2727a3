/*
 * instance - where an instance of the suite keeps what, and which processes
 * it is made of: the one table behind init, run and status.
 */
#ifndef MAILCTL_INSTANCE_H
#define MAILCTL_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/core/conf.h"

enum {
	UNIT_NETNS = 1,		/* an empty network namespace */
	UNIT_IDS = 2,		/* may take the ids of mailboxes */
	UNIT_STORE_FDS = 4,	/* may leave descriptors with the starter */
	UNIT_CTL = 8		/* answers mailctl */
};

/* A daemon, or one role of it. */
struct unit {
	const char	*name;		/* also of its sockets' client side */
	const char	*program;
	const char	*role;		/* argv[1], or NULL */
	enum setting	 uid;
	unsigned	 who;		/* its slice of the configuration */
	const char	*dir;		/* of the instance, passed; or NULL */
	unsigned	 flags;
	unsigned	 stop;		/* stopped in this order, 0 first */
};

enum { UNITS = 9 };
extern const struct unit units[UNITS];

/* A socket on which `server` waits for `client`. */
struct socket_row {
	const char	*client, *server;
	bool		 stream;
};

extern const struct socket_row sockets[];
extern const unsigned nsockets;

/* A listening socket for the world. */
struct listen_row {
	const char	*unit, *name;
	enum setting	 addr;
};

extern const struct listen_row listens[];
extern const unsigned nlistens;

/* The configuration of this invocation, as read. */
struct instance {
	const char	*conf_path;
	char		*text;		/* of the configuration */
	char		*dir;		/* the instance's directory */
	int		 dirfd;
};

/* How many mistakes the configuration has; one line each is appended. */
unsigned instance_check(const char *conf_path, struct buf *errors);

/*
 * Reads and checks the configuration; mistakes go to standard error and the
 * exit code is 78.  Then opens the instance's directory.
 */
void	instance_load(struct instance *, const char *conf_path);

void	instance_clear(struct instance *);

/* Directories below the instance, made when missing, with their owners. */
void	instance_dirs(const struct instance *);

/* A directory below dirfd, made if missing: no symlink, this owner. */
int	instance_mkdir(int dirfd, const char *name, unsigned mode, uid_t,
	    gid_t);

#endif
