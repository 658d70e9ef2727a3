/*
 * listen - see listen.h.
 */
#include "common/net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/buf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"

enum { ACCEPTS_A_TURN = 64, PAUSE_MS = 100 };

struct listener {
	int			 fd, spare;
	listen_fn		*fn;
	void			*arg;
	struct loop_fd		*watch;
	struct loop_timer	*resume;
	bool			 paused;
};

static void
format_address(struct buf *b, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6	*in6 = (const void *)ss;
	const struct sockaddr_in	*in = (const void *)ss;
	char				 text[INET6_ADDRSTRLEN] = "";

	switch (ss->ss_family) {
	case AF_INET:
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		break;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], text,
			    sizeof(text));
			break;
		}
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		buf_addz(b, "IPv6:");
		break;
	default:
		buf_addz(b, "unknown");
		break;
	}
	buf_addz(b, text);
}

/* Out of descriptors: give one connection its end instead of a spin. */
static void
shed(struct listener *l)
{
	int fd;

	log_warn("out of descriptors");
	if (l->spare != -1) {
		close(l->spare);
		fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1)
			close(fd);
		l->spare = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
	}
	loop_want(l->watch, 0);
	loop_timer_set(l->resume, PAUSE_MS);
}

static void
on_connection(void *arg, int events)
{
	struct listener		*l = arg;
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	struct buf		 b;
	int			 fd, i, one = 1;

	(void)events;
	for (i = 0; i < ACCEPTS_A_TURN && !l->paused; i++) {
		len = sizeof(ss);
		memset(&ss, 0, sizeof(ss));
		fd = accept4(l->fd, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				shed(l);
			return;
		}
		if (ss.ss_family != AF_UNIX)
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
			    sizeof(one));
		buf_init(&b, 128);
		format_address(&b, &ss);
		l->fn(l->arg, fd, buf_str(&b));
		buf_clear(&b);
	}
}

static void
on_resume(void *arg)
{
	struct listener *l = arg;

	if (l->spare == -1)
		l->spare = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
	loop_want(l->watch, l->paused ? 0 : LOOP_READ);
}

struct listener *
listen_new(int fd, listen_fn *fn, void *arg)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	*l = (struct listener){ .fd = fd, .fn = fn, .arg = arg };
	l->spare = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	l->resume = loop_timer(on_resume, l);
	l->watch = loop_watch(fd, LOOP_READ, on_connection, l);
	return l;
}

void
listen_pause(struct listener *l, bool on)
{
	l->paused = on;
	loop_want(l->watch, on ? 0 : LOOP_READ);
}

void
listen_free(struct listener *l)
{
	if (l == NULL)
		return;
	loop_unwatch(l->watch);
	loop_timer_free(l->resume);
	if (l->spare != -1)
		close(l->spare);
	free(l);
}
