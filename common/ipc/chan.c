/*
 * chan - see chan.h.  One process-wide list of channels; packets in, packets
 * out, and the reaping of what went down.
 */
#include "common/ipc/chan.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/pass.h"
#include "common/core/xalloc.h"

enum {
	PACKETS_A_TURN = 64,		/* read from one channel */
	REST_MS = 100,			/* of a listener that cannot accept */
	/* Bytes; below it there is room for one more message of any kind. */
	PACK_TARGET = MSG_PACKET_MAX - MSG_MAX
};

struct packet {
	TAILQ_ENTRY(packet)	 next;
	struct buf		 b;
	int			 fd;		/* ours, or -1 */
};

struct chan {
	LIST_ENTRY(chan)	 all;
	LIST_ENTRY(chan)	 dirty;
	TAILQ_HEAD(packets, packet) out;
	size_t			 queued;	/* bytes in out */
	int			 fd;
	uid_t			 uid;
	enum role		 self, peer;
	const struct chan_ops	*ops;
	void			*arg;
	struct loop_fd		*watch;
	struct chan_listener	*from;		/* NULL: none, or stopped */
	bool			 is_dirty, is_paused, was_full;
	bool			 is_down;	/* on_down is due */
	bool			 is_closed;	/* freed without on_down */
};

static LIST_HEAD(, chan) chans = LIST_HEAD_INITIALIZER(chans);
static LIST_HEAD(, chan) dirties = LIST_HEAD_INITIALIZER(dirties);
static char inbox[MSG_PACKET_MAX];

static void
mark_dirty(struct chan *c)
{
	if (!c->is_dirty)
		LIST_INSERT_HEAD(&dirties, c, dirty);
	c->is_dirty = true;
	loop_again();
}

static void
update_watch(struct chan *c)
{
	int want = 0;

	if (!c->is_paused)
		want |= LOOP_READ;
	if (!TAILQ_EMPTY(&c->out))
		want |= LOOP_WRITE;
	if (c->watch != NULL)
		loop_want(c->watch, want);
}

/* Ends all traffic; what follows happens at the end of the turn. */
static void
stop(struct chan *c)
{
	loop_unwatch(c->watch);
	c->watch = NULL;
	mark_dirty(c);
}

static void
drop(struct chan *c, const char *why, const char *what)
{
	if (c->is_down || c->is_closed)
		return;
	if (why != NULL)
		log_often(LOG_WARN, "channel dropped",
		    L_Z("peer", role_name(c->peer)), L_Z("why", why),
		    L_Z("what", what));
	c->is_down = true;
	stop(c);
}

void
chan_drop(struct chan *c, const char *why)
{
	drop(c, why, "");
}

void
chan_close(struct chan *c)
{
	if (c == NULL || c->is_closed)
		return;
	c->is_closed = true;
	stop(c);
}

/* -- out --------------------------------------------------------------- */

static void
packet_free(struct chan *c, struct packet *p)
{
	TAILQ_REMOVE(&c->out, p, next);
	c->queued -= p->b.n;
	if (p->fd != -1)
		close(p->fd);
	/* It may have held a password, as may what came: see on_ready. */
	buf_wipe(&p->b);
	free(p);
}

void
chan_flush(struct chan *c)
{
	struct packet *p;

	while (!c->is_down && (p = TAILQ_FIRST(&c->out)) != NULL) {
		/* NOLINTNEXTLINE: TAILQ_REMOVE took the freed one out. */
		if (pass_send(c->fd, buf_str(&p->b), p->fd,
		    MSG_DONTWAIT | MSG_NOSIGNAL) == -1) {
			if (errno == EINTR)
				continue;
			if (errno != EAGAIN && errno != ENOBUFS &&
			    errno != ETOOMANYREFS)
				drop(c, errno == EPIPE || errno == ECONNRESET ?
				    NULL : "send", strerror(errno));
			break;
		}
		packet_free(c, p);
	}
	if (c->was_full && !chan_is_full(c)) {
		c->was_full = false;
		/* Of a closed channel not even ops need be there any more. */
		if (!c->is_down && !c->is_closed && c->ops->on_room != NULL)
			c->ops->on_room(c);
	}
	update_watch(c);
}

static struct packet *
packet_for(struct chan *c, int fd)
{
	struct packet *p = TAILQ_LAST(&c->out, packets);

	if (fd == -1 && p != NULL && p->fd == -1 && p->b.n < PACK_TARGET)
		return p;
	p = xcalloc(1, sizeof(*p));
	buf_init(&p->b, MSG_PACKET_MAX);
	p->fd = -1;
	TAILQ_INSERT_TAIL(&c->out, p, next);
	return p;
}

void
chan_send(struct chan *c, const struct msg *m, int fd)
{
	struct packet	*p;
	size_t		 before;

	if (c->is_down || c->is_closed)
		return;
	if (c->queued > CHAN_HARD_MAX) {
		drop(c, "does not read", msg_name(m->type));
		return;
	}
	p = packet_for(c, fd);
	before = p->b.n;
	msg_encode(&p->b, m);
	if (!buf_ok(&p->b))
		fatalx("message %s does not fit a packet", msg_name(m->type));
	if (fd != -1) {
		p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (p->fd == -1)
			drop(c, "descriptor", strerror(errno));
	}
	c->queued += p->b.n - before;
	if (chan_is_full(c))
		c->was_full = true;
	mark_dirty(c);
}

bool
chan_is_full(const struct chan *c)
{
	return c->queued > CHAN_SOFT_MAX;
}

/* -- in ---------------------------------------------------------------- */

/* True if the descriptor that came (or did not) is as the schema says. */
static bool
fd_is_right(const struct msg *m, int fd, bool is_alone)
{
	int fds = msg_fds(m->type);

	if (fd != -1)
		return fds != 0 && is_alone;
	return fds != 1;
}

static void
handle_packet(struct chan *c, struct str packet, int fd)
{
	struct msg	m;
	bool		is_first = true;

	while (packet.n > 0 && !c->is_down && !c->is_closed) {
		if (msg_decode(&packet, c->peer, c->self, &m) == -1) {
			drop(c, "malformed message", "");
			break;
		}
		if (!fd_is_right(&m, fd, is_first && packet.n == 0)) {
			drop(c, "descriptor out of place", msg_name(m.type));
			break;
		}
		is_first = false;
		if (c->ops->on_msg(c, &m, fd) == -1) {
			fd = -1;
			drop(c, "not its to say", msg_name(m.type));
			break;
		}
		fd = -1;
	}
	if (fd != -1)
		close(fd);
}

static void
on_ready(void *arg, int events)
{
	struct chan	*c = arg;
	ssize_t		 n;
	int		 i, fd;
	bool		 bad;

	if ((events & LOOP_WRITE) != 0)
		chan_flush(c);
	if ((events & LOOP_READ) == 0)
		return;
	for (i = 0; i < PACKETS_A_TURN; i++) {
		if (c->is_down || c->is_closed || c->is_paused)
			return;
		n = pass_receive(c->fd, inbox, sizeof(inbox), &fd, &bad);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			return;
		/* An empty packet looks like the end, but may carry some. */
		if ((n <= 0 || bad) && fd != -1)
			close(fd);
		if (n <= 0) {
			drop(c, NULL, NULL);
			return;
		}
		if (bad) {
			drop(c, "malformed packet", "");
			return;
		}
		handle_packet(c, str_of(inbox, (size_t)n), fd);
		explicit_bzero(inbox, (size_t)n);
	}
}

bool
chan_is_quiet(const struct chan *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	return !c->is_down && !c->is_closed && poll(&p, 1, 0) == 0;
}

void
chan_pause(struct chan *c, bool on)
{
	c->is_paused = on;
	update_watch(c);
}

/* -- life --------------------------------------------------------------- */

struct chan_listener {
	int			 fd;
	enum role		 self, peer;
	unsigned		 peers;		/* that it let in */
	const struct chan_ops	*ops;
	int			(*on_accept)(struct chan *, void *);
	void			*arg;
	struct loop_fd		*watch;
	struct loop_timer	*resume;
};

static void
chan_free(struct chan *c)
{
	struct packet *p;

	while ((p = TAILQ_FIRST(&c->out)) != NULL)
		/* NOLINTNEXTLINE: TAILQ_REMOVE took the freed one out. */
		packet_free(c, p);
	if (c->is_dirty)
		LIST_REMOVE(c, dirty);
	LIST_REMOVE(c, all);
	loop_unwatch(c->watch);
	if (c->from != NULL)
		c->from->peers--;
	if (c->fd != -1)
		close(c->fd);
	free(c);
}

static void
finish(struct chan *c)
{
	if (c->is_closed)
		chan_flush(c);
	else if (c->ops->on_down != NULL)
		c->ops->on_down(c);
	chan_free(c);
}

/* The end of a turn: everything that was sent leaves, the dead are buried. */
static void
on_turn(void *arg)
{
	LIST_HEAD(, chan)	work;
	struct chan		*c;

	(void)arg;
	LIST_INIT(&work);
	while ((c = LIST_FIRST(&dirties)) != NULL) {
		LIST_REMOVE(c, dirty);
		LIST_INSERT_HEAD(&work, c, dirty);
	}
	while ((c = LIST_FIRST(&work)) != NULL) {
		LIST_REMOVE(c, dirty);
		c->is_dirty = false;
		if (!c->is_down && !c->is_closed)
			chan_flush(c);
		if (c->is_down || c->is_closed)
			finish(c);
	}
}

void
chan_init(void)
{
	loop_hook(on_turn, NULL);
}

struct chan *
chan_new(int fd, enum role self, enum role peer, const struct chan_ops *ops,
    void *arg)
{
	struct chan *c = xcalloc(1, sizeof(*c));

	*c = (struct chan){ .fd = fd, .self = self, .peer = peer, .ops = ops,
	    .arg = arg, .uid = (uid_t)-1 };
	TAILQ_INIT(&c->out);
	LIST_INSERT_HEAD(&chans, c, all);
	c->watch = loop_watch(fd, LOOP_READ, on_ready, c);
	return c;
}

int
chan_release(struct chan *c)
{
	int fd = c->fd;

	assert(TAILQ_EMPTY(&c->out));
	loop_unwatch(c->watch);
	c->watch = NULL;
	c->fd = -1;
	chan_close(c);
	return fd;
}

void *
chan_arg(const struct chan *c)
{
	return c->arg;
}

void
chan_set_arg(struct chan *c, void *arg)
{
	c->arg = arg;
}

enum role
chan_peer(const struct chan *c)
{
	return c->peer;
}

uid_t
chan_uid(const struct chan *c)
{
	return c->uid;
}

/* -- listening ---------------------------------------------------------- */

static void
on_resume(void *arg)
{
	struct chan_listener *l = arg;

	loop_want(l->watch, LOOP_READ);
}

/* Out of descriptors or memory: the client waits, and we do not spin. */
static void
rest(struct chan_listener *l, int error)
{
	if (error == EAGAIN || error == EINTR || error == ECONNABORTED)
		return;
	log_warn("cannot accept", L_Z("peer", role_name(l->peer)),
	    L_Z("error", strerror(error)));
	loop_want(l->watch, 0);
	loop_timer_set(l->resume, REST_MS);
}

static void
on_connect(void *arg, int events)
{
	struct chan_listener	*l = arg;
	struct ucred		 cred;
	socklen_t		 len = sizeof(cred);
	struct chan		*c;
	int			 fd;

	(void)events;
	fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		rest(l, errno);
		return;
	}
	if (l->peers == CHAN_PEERS_MAX) {
		log_often(LOG_WARN, "too many channels",
		    L_Z("peer", role_name(l->peer)));
		close(fd);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1) {
		close(fd);
		return;
	}
	c = chan_new(fd, l->self, l->peer, l->ops, NULL);
	c->uid = cred.uid;
	c->from = l;
	l->peers++;
	if (l->on_accept(c, l->arg) == -1)
		chan_close(c);
}

struct chan_listener *
chan_listen(int fd, enum role self, enum role peer, const struct chan_ops *ops,
    int (*on_accept)(struct chan *, void *), void *arg)
{
	struct chan_listener *l = xcalloc(1, sizeof(*l));

	*l = (struct chan_listener){ .fd = fd, .self = self, .peer = peer,
	    .ops = ops, .on_accept = on_accept, .arg = arg };
	l->watch = loop_watch(fd, LOOP_READ, on_connect, l);
	l->resume = loop_timer(on_resume, l);
	return l;
}

void
chan_listen_stop(struct chan_listener *l)
{
	struct chan *c;

	if (l == NULL)
		return;
	LIST_FOREACH(c, &chans, all) {
		if (c->from == l)
			c->from = NULL;
	}
	loop_unwatch(l->watch);
	loop_timer_free(l->resume);
	free(l);
}
