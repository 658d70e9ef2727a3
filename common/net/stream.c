/*
 * stream - see stream.h.  Plain sockets; what TLS would need to ask of the
 * descriptor goes through the same two wants.
 */
#include "common/net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/loop.h"
#include "common/core/xalloc.h"

enum {
	READ_MAX = 64 * 1024,		/* bytes taken from one in a turn */
	FLUSH_MS = 10 * 1000,		/* for the last bytes of a closed one */
	DRAIN_MS = 1000			/* then for the peer to close as well */
};

struct stream {
	LIST_ENTRY(stream)	 dirty;
	int			 fd;
	struct buf		 in, out;
	stream_fn		*fn;
	void			*arg;
	struct loop_fd		*watch;
	struct loop_timer	*linger;
	bool			 is_dirty;
	bool			 paused;	/* the owner wants no input */
	bool			 held;		/* output waits */
	bool			 eof;		/* no more input */
	bool			 closed;	/* the owner is done */
	bool			 failed;
	bool			 tell;		/* the failure, in the loop */
	bool			 flushes;	/* closed, and output counts */
	bool			 drains;	/* sent; input is discarded */
	bool			 was_full;
};

static LIST_HEAD(, stream) dirties = LIST_HEAD_INITIALIZER(dirties);
static char scratch[READ_MAX];

static void
mark_dirty(struct stream *s)
{
	if (!s->is_dirty)
		LIST_INSERT_HEAD(&dirties, s, dirty);
	s->is_dirty = true;
	loop_again();
}

static void
update_watch(struct stream *s)
{
	int want = 0;

	if (!s->paused && !s->eof && !s->closed && !s->failed &&
	    s->in.n < STREAM_IN_MAX)
		want |= LOOP_READ;
	if (s->drains)
		want |= LOOP_READ;
	if (s->out.n > 0 && !s->held && !s->failed)
		want |= LOOP_WRITE;
	if (s->watch != NULL)
		loop_want(s->watch, want);
}

static void
fail(struct stream *s)
{
	if (s->failed)
		return;
	s->failed = true;
	buf_clear(&s->out);
	mark_dirty(s);
	if (!s->closed)
		s->fn(s, STREAM_FAILED, s->arg);
}

static void
on_linger(void *arg)
{
	fail(arg);
}

static void
flush(struct stream *s)
{
	ssize_t n;

	while (s->out.n > 0 && !s->held && !s->failed) {
		n = send(s->fd, s->out.p + s->out.at, s->out.n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1) {
			fail(s);
			return;
		}
		buf_drop(&s->out, (size_t)n);
	}
	/* An idle connection keeps no buffers. */
	if (s->out.n == 0)
		buf_clear(&s->out);
	if (s->was_full && s->out.n <= STREAM_OUT_SOFT / 2) {
		s->was_full = false;
		if (!s->closed && !s->failed)
			s->fn(s, STREAM_ROOM, s->arg);
	}
}

static void
receive(struct stream *s)
{
	size_t	room = STREAM_IN_MAX - s->in.n;
	ssize_t	n;

	if (room > sizeof(scratch))
		room = sizeof(scratch);
	if (room == 0)
		return;
	n = recv(s->fd, scratch, room, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == -1) {
		fail(s);
		return;
	}
	if (n == 0) {
		s->eof = true;
		s->fn(s, STREAM_EOF, s->arg);
		return;
	}
	buf_add(&s->in, str_of(scratch, (size_t)n));
	/* It may be a password. */
	explicit_bzero(scratch, (size_t)n);
	s->fn(s, STREAM_DATA, s->arg);
}

static void
set_linger(struct stream *s, int64_t ms)
{
	if (s->linger == NULL)
		s->linger = loop_timer(on_linger, s);
	loop_timer_set(s->linger, ms);
}

/*
 * To close with input unread is a reset, which can destroy the last reply on
 * its way.  So say that nothing follows, and wait for the peer's end.  Not on
 * a Unix socket: nothing is lost there, and it may be another process's now.
 */
static void
start_drain(struct stream *s)
{
	socklen_t	len = sizeof(int);
	int		domain = AF_UNIX;

	s->flushes = false;
	if (getsockopt(s->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == -1 ||
	    domain == AF_UNIX)
		return;
	if (s->eof || shutdown(s->fd, SHUT_WR) == -1)
		return;
	s->drains = true;
	set_linger(s, DRAIN_MS);
}

static void
drain(struct stream *s)
{
	ssize_t n = recv(s->fd, scratch, sizeof(scratch), MSG_DONTWAIT);

	if (n > 0)
		explicit_bzero(scratch, (size_t)n);
	if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
		s->drains = false;
}

static void
on_ready(void *arg, int events)
{
	struct stream *s = arg;

	if ((events & LOOP_WRITE) != 0)
		flush(s);
	if ((events & LOOP_READ) != 0 && !s->paused && !s->closed &&
	    !s->failed && !s->eof)
		receive(s);
	if ((events & LOOP_READ) != 0 && s->drains)
		drain(s);
	mark_dirty(s);
}

static void
stream_free(struct stream *s)
{
	if (s->is_dirty)
		LIST_REMOVE(s, dirty);
	loop_unwatch(s->watch);
	loop_timer_free(s->linger);
	buf_wipe(&s->in);
	buf_clear(&s->out);
	close(s->fd);
	free(s);
}

static void
settle(struct stream *s)
{
	if (s->tell) {
		s->tell = false;
		if (!s->closed)
			s->fn(s, STREAM_FAILED, s->arg);
	}
	if (!s->failed)
		flush(s);
	/* It may have held a password.  Of a closed one nobody reads it. */
	if (s->in.n == 0 || s->closed)
		buf_wipe(&s->in);
	if (s->flushes && !s->failed && s->out.n == 0)
		start_drain(s);
	if (s->closed && (s->failed || (s->out.n == 0 && !s->drains))) {
		stream_free(s);
		return;
	}
	update_watch(s);
}

/* The end of a turn: output leaves, the finished are freed. */
static void
on_turn(void *arg)
{
	LIST_HEAD(, stream)	work;
	struct stream		*s;

	(void)arg;
	LIST_INIT(&work);
	while ((s = LIST_FIRST(&dirties)) != NULL) {
		LIST_REMOVE(s, dirty);
		LIST_INSERT_HEAD(&work, s, dirty);
	}
	while ((s = LIST_FIRST(&work)) != NULL) {
		LIST_REMOVE(s, dirty);
		s->is_dirty = false;
		settle(s);
	}
}

void
stream_init(void)
{
	loop_hook(on_turn, NULL);
}

struct stream *
stream_new(int fd, stream_fn *fn, void *arg)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	*s = (struct stream){ .fd = fd, .fn = fn, .arg = arg };
	buf_init(&s->in, STREAM_IN_MAX);
	buf_init(&s->out, STREAM_OUT_MAX);
	s->watch = loop_watch(fd, LOOP_READ, on_ready, s);
	return s;
}

void
stream_close(struct stream *s, bool flush_first)
{
	if (s == NULL || s->closed)
		return;
	s->closed = true;
	s->flushes = flush_first;
	if (!flush_first)
		buf_clear(&s->out);
	else if (s->out.n > 0 && !s->held)
		set_linger(s, FLUSH_MS);
	mark_dirty(s);
}

struct buf *
stream_in(struct stream *s)
{
	/* Whoever asks may take bytes out and so make room to read on. */
	mark_dirty(s);
	return &s->in;
}

void
stream_pause(struct stream *s, bool on)
{
	s->paused = on;
	mark_dirty(s);
}

void
stream_write(struct stream *s, struct str bytes)
{
	if (s->closed || s->failed || bytes.n == 0)
		return;
	buf_add(&s->out, bytes);
	if (!buf_ok(&s->out)) {
		/* The owner is in the middle of something: told by the loop. */
		s->failed = true;
		s->tell = true;
		buf_clear(&s->out);
	}
	if (s->out.n > STREAM_OUT_SOFT)
		s->was_full = true;
	mark_dirty(s);
}

size_t
stream_unsent(const struct stream *s)
{
	return s->out.n;
}

void
stream_hold(struct stream *s, bool on)
{
	s->held = on;
	if (!on && s->closed && s->out.n > 0)
		set_linger(s, FLUSH_MS);
	mark_dirty(s);
}

int
stream_fd(const struct stream *s)
{
	return s->fd;
}
