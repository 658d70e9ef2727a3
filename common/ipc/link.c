/*
 * link - a client's channel to a server that comes back whenever it went
 * down; see chan.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"
#include "common/ipc/chan.h"

enum {
	RETRY_MIN = 10, RETRY_MAX = 1000,	/* ms */
	LINKS_MAX = 64			/* of a process */
};

struct link {
	const char		*name;
	enum role		 self, peer;
	const struct link_ops	*ops;
	struct chan_ops		 chan_ops;
	void			*arg;
	struct chan		*chan;
	struct loop_timer	*retry;
	int			 wait;		/* ms until the next try */
	int64_t			 since;		/* when it came up */
};

static struct link *links[LINKS_MAX];
static size_t nlinks;

int
chan_dial(const char *name, int type)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	size_t			n = strlen(name);
	int			fd, saved;

	if (n >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, name, n);
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static void
schedule(struct link *l)
{
	loop_timer_set(l->retry, l->wait);
	l->wait = l->wait * 2 > RETRY_MAX ? RETRY_MAX : l->wait * 2;
}

static void
on_down(struct chan *c)
{
	struct link	*l;
	size_t		 i;

	for (i = 0; i < nlinks; i++) {
		l = links[i];
		if (l->chan != c)
			continue;
		l->chan = NULL;
		/* One that lets nobody stay is as good as not there. */
		if (clock_now() - l->since >= RETRY_MAX)
			l->wait = RETRY_MIN;
		schedule(l);
		if (l->ops->on_down != NULL)
			l->ops->on_down(l->arg);
		return;
	}
}

static void
try_connect(void *arg)
{
	struct link	*l = arg;
	int		 fd = chan_dial(l->name, SOCK_SEQPACKET);

	if (fd == -1) {
		schedule(l);
		return;
	}
	l->since = clock_now();
	l->chan = chan_new(fd, l->self, l->peer, &l->chan_ops, l->arg);
	if (l->ops->on_up != NULL)
		l->ops->on_up(l->chan, l->arg);
}

struct link *
link_new(const char *name, enum role self, enum role peer,
    const struct link_ops *ops, void *arg)
{
	struct link *l = xcalloc(1, sizeof(*l));

	if (nlinks == LINKS_MAX)
		fatalx("too many links");
	*l = (struct link){ .name = name, .self = self, .peer = peer,
	    .ops = ops, .arg = arg, .wait = RETRY_MIN };
	l->chan_ops = (struct chan_ops){ .on_msg = ops->on_msg,
	    .on_down = on_down, .on_room = ops->on_room };
	l->retry = loop_timer(try_connect, l);
	links[nlinks++] = l;
	try_connect(l);
	return l;
}

struct chan *
link_chan(const struct link *l)
{
	return l->chan;
}

void
link_free(struct link *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < nlinks; i++) {
		if (links[i] == l)
			links[i] = links[--nlinks];
	}
	chan_close(l->chan);
	loop_timer_free(l->retry);
	free(l);
}
