/*
 * login_rig - drives a login engine: asks are written into what it said as
 * "<user|password>" and answered by the user's name: "ok", "temp", "gone";
 * everybody else has a wrong password.
 */
#ifndef TESTS_LOGIN_RIG_H
#define TESTS_LOGIN_RIG_H

#include "common/net/login.h"

struct login_rig {
	struct login	*l;
	struct buf	 got;		/* what it said */
	struct buf	 left;		/* what it did not take */
};

/* Feeds all of it in one of the ways of feed.h. */
void	login_rig_run(struct login_rig *, const struct login_ops *, bool open,
	    unsigned way, struct str in);
void	login_rig_clear(struct login_rig *);

#endif
