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

struct login_scene {
	const char		*name, *in, *out, *left;
	enum login_state	 state;
	bool			 closed;	/* no passwords here */
};

/* Each scene in each of the ways; fails the test where one differs. */
void	login_rig_play(const struct login_ops *, const struct login_scene *,
	    size_t n);

struct login_farewell {
	enum login_bye	 why;
	const char	*text;
};

/* Each to a client that was not greeted yet; nothing is taken from it. */
void	login_rig_part(const struct login_ops *, const struct login_farewell *,
	    size_t n);

/*
 * For a fuzzer: the first byte says how the rest is cut; whole and in pieces
 * it must say, ask and leave the same.
 */
void	login_rig_fuzz(const struct login_ops *, const uint8_t *, size_t n);

#endif
