/*
 * evil - what somebody would try who took over a process of the suite.  A
 * test-only object that is linked into copies of the programs; no program
 * that is installed has a trace of it, not even a hook.
 */
#ifndef EVIL_H
#define EVIL_H

#define EVIL_UIDS	1879048192u	/* the default mailbox.uid_base */

/* Tried in a process that is locked down: 0 is a hole in a wall. */
struct probe {
	const char	*name;
	int		(*run)(void);	/* 0, or -1 with errno */
};

/* Each ends with a NULL name. */
extern const struct probe	evil_probes_files[], evil_probes_net[],
				evil_probes_self[];

/* What the probes aim at; set before any of them runs. */
extern const char	*evil_dir;	/* of the instance */
extern unsigned long	 evil_self;	/* our mailbox, 0 if none */
extern unsigned		 evil_port;	/* somebody listens there */

#endif
