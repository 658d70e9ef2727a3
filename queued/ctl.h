/*
 * ctl - the queue for operators: `mailctl queue list|show|retry|remove`.
 */
#ifndef QUEUED_CTL_H
#define QUEUED_CTL_H

#include "common/ipc/chan.h"

struct queued;

const struct chan_ops *queue_ctl_ops(void);
/* For chan_listen: refuses whom ctl_allowed does not name. */
int	queue_ctl_accept(struct chan *, void *queued);
/* A piece of what --all began. */
void	queue_ctl_turn(struct queued *);

#endif
