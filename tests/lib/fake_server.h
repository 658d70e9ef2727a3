/*
 * fake_server - the servers that a client daemon talks to, in the test's own
 * process: listening sockets by name in a directory of its own, which is the
 * working directory, and what arrived on them as a list.
 */
#ifndef TESTS_FAKE_SERVER_H
#define TESTS_FAKE_SERVER_H

#include "common/ipc/chan.h"

enum { FAKE_MSGS = 256, FAKE_CHANS = 64 };

struct fake_msg {
	struct msg	 m;		/* its texts are copies */
	struct chan	*chan;		/* NULL once it is down */
	int		 fd;
	char		*packet;
};

struct fake {
	int			 fd;
	enum role		 self, peer;
	struct chan_listener	*listener;
	struct chan		*chans[FAKE_CHANS];
	unsigned		 nchans;	/* accepted so far */
	unsigned		 ndown;
	struct fake_msg		 msgs[FAKE_MSGS];
	unsigned		 nmsgs, at;
};

/* Makes the directory, once per process, and goes there; and leaves it. */
void	fake_begin(void);
void	fake_end(void);

void	fake_listen(struct fake *, const char *name, enum role self,
	    enum role peer);
/* Turns of the loop until a message is there; fails the test without. */
struct fake_msg *fake_next(struct fake *, enum msg_type);
/* Turns that must not bring one. */
void	fake_quiet(struct fake *, int turns);
/* The peer's channel number i goes down, as if this server had died. */
void	fake_cut(struct fake *, unsigned i);
struct chan *fake_chan(struct fake *, unsigned i);

#endif
