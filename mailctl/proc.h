/*
 * proc - one supervised daemon: its process, its notify socket, the
 * descriptors that it left, and when it is to be started again.
 */
#ifndef MAILCTL_PROC_H
#define MAILCTL_PROC_H

#include <sys/types.h>

#include "common/core/loop.h"
#include "mailctl/instance.h"

enum {
	PROC_STORED_MAX = 5000,		/* descriptors one may leave */
	PROC_STABLE_MS = 5000,		/* up so long: back-off forgotten */
	PROC_BACKOFF_MIN = 50,		/* ms */
	PROC_BACKOFF_MAX = 10000
};

struct stored {
	char	*name;
	int	 fd;
};

struct proc {
	const struct unit	*unit;
	struct supervisor	*sup;
	pid_t			 pid;		/* 0: not running */
	bool			 ready;
	int64_t			 since;		/* clock_now of the start */
	unsigned		 restarts;
	int64_t			 backoff;	/* ms; 0 at first */
	struct loop_timer	*again;
	int			 notify;	/* our end, or -1 */
	struct loop_fd		*watch;
	char			*status;	/* what READY told */
	struct stored		*stored;
	size_t			 nstored;
};

struct supervisor {
	struct instance	*in;
	struct proc	 procs[UNITS];
	unsigned	 generation;	/* of the configuration */
	int		 lock;
	int64_t		 started;	/* ms, for the time to ready */
	bool		 announced, stopping;
	unsigned	 stage;		/* of the stop */
	struct loop_timer *kill_timer;
	int		 exit_code;
};

void	proc_init(struct proc *, struct supervisor *, const struct unit *);
void	proc_start(struct proc *);
/* Its process ended: starts it again, at once or with back-off. */
void	proc_ended(struct proc *, int wait_status);

/* Told by proc: one became ready. */
void	supervisor_ready(struct supervisor *);

/* The control socket: mailctl status. */
void	status_listen(struct supervisor *);

#endif
