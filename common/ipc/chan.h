/*
 * chan - a channel: messages of msg.def over a SOCK_SEQPACKET Unix socket.
 *
 * What a turn sends is packed into few packets and leaves at the end of the
 * turn (chan_init adds the hook) or when a packet is full.  What cannot leave
 * waits in a queue with a bound: chan_is_full asks callers to stop causing
 * more; past the hard bound the peer is not reading and is dropped.
 *
 * A peer that sends what msg_decode refuses, or that a handler rejects, is
 * logged and dropped; nobody exits.  A channel is never freed inside its own
 * callback: it is reaped at the end of the turn, after on_down.
 */
#ifndef IPC_CHAN_H
#define IPC_CHAN_H

#include <sys/types.h>

#include "common/ipc/msg.h"

enum {
	CHAN_SOFT_MAX = 1024 * 1024,	/* bytes queued: full */
	CHAN_HARD_MAX = 8 * 1024 * 1024, /* bytes queued: dropped */
	CHAN_PEERS_MAX = 1000		/* clients of one listening socket */
};

struct chan;

struct chan_ops {
	/*
	 * m is borrowed for the call.  fd is -1 or now the handler's.
	 * Returning -1 says that the peer may not say this: it is dropped.
	 */
	int	(*on_msg)(struct chan *, const struct msg *, int fd);
	/* The channel is gone after this; optional. */
	void	(*on_down)(struct chan *);
	/* It was full and no longer is; optional. */
	void	(*on_room)(struct chan *);
};

/* Once per process, after loop_init and after the hooks that send. */
void		 chan_init(void);

/* Takes the descriptor over. */
struct chan	*chan_new(int fd, enum role self, enum role peer,
		    const struct chan_ops *, void *arg);
/* Frees it at the end of the turn; on_down is not called.  NULL is fine. */
void		 chan_close(struct chan *);
/* As if the peer had gone: logs why, on_down, freed. */
void		 chan_drop(struct chan *, const char *why);

void		*chan_arg(const struct chan *);
void		 chan_set_arg(struct chan *, void *);
enum role	 chan_peer(const struct chan *);
/* Of the process that connected (accepting side only), else -1. */
uid_t		 chan_uid(const struct chan *);

/* A descriptor travels with its message; it is duplicated, not taken. */
void		 chan_send(struct chan *, const struct msg *, int fd);
bool		 chan_is_full(const struct chan *);
/*
 * It is up, and nothing that the peer has sent, nor its end, is still to be
 * read: what it said so far has been handled.
 */
bool		 chan_is_quiet(const struct chan *);
/* Stops or goes on reading from the peer: back-pressure. */
void		 chan_pause(struct chan *, bool);
/* Sends what is queued now, without waiting for the end of the turn. */
void		 chan_flush(struct chan *);
/*
 * Takes the descriptor out of a channel, which is then closed: for one that
 * is handed on to another process.  Only when nothing is queued or half read.
 */
int		 chan_release(struct chan *);

/* chan_send_login(c, &(struct msg_login){ .id = 1, ... }, -1); */
#define REC(tag, fields)
#define MSG(TAG, tag_, no, from, to, fds, fields) \
static inline void \
chan_send_##tag_(struct chan *c, const struct msg_##tag_ *body, int fd) \
{ \
	struct msg m = { .type = MSG_##TAG, .tag_ = *body }; \
\
	chan_send(c, &m, fd); \
}
#include "common/ipc/msg.def"

/*
 * A server's listening socket for one client role; CHAN_PEERS_MAX of them may
 * be there at a time.  on_accept may refuse by returning -1; it sets what the
 * channel's handlers need.
 */
struct chan_listener;
struct chan_listener *chan_listen(int fd, enum role self, enum role peer,
		    const struct chan_ops *,
		    int (*on_accept)(struct chan *, void *arg), void *arg);
void		 chan_listen_stop(struct chan_listener *);

/*
 * A client's link to a server: connects now and, whenever it went down,
 * again with back-off (10 ms to 1 s).  `name` is relative to the directory
 * that start_view() gives.  link_chan is NULL while it is down.
 */
struct link_ops {
	void	(*on_up)(struct chan *, void *arg);
	int	(*on_msg)(struct chan *, const struct msg *, int fd);
	void	(*on_down)(void *arg);
	void	(*on_room)(struct chan *);
};

/*
 * Connects to the named socket of the view: a non-blocking descriptor of
 * that type (SOCK_SEQPACKET, SOCK_STREAM), or -1 with errno.  EAGAIN: the
 * server's backlog is full and no event will tell; try again by timer.
 */
int		 chan_dial(const char *name, int type);

struct link;
struct link	*link_new(const char *name, enum role self, enum role peer,
		    const struct link_ops *, void *arg);
struct chan	*link_chan(const struct link *);
void		 link_free(struct link *);

#endif
