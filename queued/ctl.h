/*
 * ctl - the queue for operators: `mailctl queue list|show|retry|remove`.
 */
#ifndef QUEUED_CTL_H
#define QUEUED_CTL_H

#include "common/ipc/chan.h"

struct queued;

const struct chan_ops *ctl_ops(void);
/* For chan_listen: refuses whom ctl_allowed does not name. */
int	ctl_accept(struct chan *, void *queued);
/* A piece of what --all began. */
void	ctl_turn(struct queued *);

#endif
