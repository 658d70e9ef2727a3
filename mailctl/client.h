/*
 * client - asks a running daemon over its control socket.
 */
#ifndef MAILCTL_CLIENT_H
#define MAILCTL_CLIENT_H

#include "common/ipc/ctl.h"
#include "mailctl/instance.h"

enum { CLIENT_WAIT_MS = 30 * 1000 };	/* for an answer */

/*
 * Sends the command, prints the answer; the exit code.  `extra` is the
 * password where the command wants one; the caller wipes it.
 */
int	client_run(const struct instance *, const struct ctl_info *,
	    char **words, unsigned n, struct str extra, bool json);

#endif
