/*
 * sockets - see sockets.h.
 */
#include "mailctl/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/core/conf_value.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"

enum { BACKLOG = 1024, OPEN_MAX_ = 64 };

static struct {
	const char	*unit, *name;	/* of whom listens, and what it is */
	int		 fd;
} open_[OPEN_MAX_];
static size_t nopen;
static int own_ctl = -1;

void
fd_list_add(struct fd_list *l, const char *name, int fd)
{
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->fd = xrealloc(l->fd, l->cap, sizeof(*l->fd));
		l->name = xrealloc(l->name, l->cap, sizeof(*l->name));
	}
	l->fd[l->n] = fd;
	l->name[l->n] = name;
	l->n++;
}

void
fd_list_clear(struct fd_list *l)
{
	free(l->fd);
	free(l->name);
	*l = (struct fd_list){ 0 };
}

static void
keep(const char *unit, const char *name, int fd)
{
	if (nopen == OPEN_MAX_)
		fatalx("too many sockets");
	open_[nopen].unit = unit;
	open_[nopen].name = name;
	open_[nopen].fd = fd;
	nopen++;
}

/* -- the suite's own ------------------------------------------------------ */

/*
 * Binds below a directory that is known by descriptor only, so that the
 * length of the instance's path does not matter.
 */
static int
bind_unix(int dirfd, const char *name, int type, uid_t uid, unsigned mode)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX };
	int			fd;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/proc/self/fd/%d/%s",
	    dirfd, name);
	if (unlinkat(dirfd, name, 0) == -1 && errno != ENOENT)
		fatal("remove old socket %s", name);
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 ||
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    fchmodat(dirfd, name, mode, 0) == -1)
		fatal("make socket %s", name);
	if (geteuid() == 0 &&
	    fchownat(dirfd, name, uid, uid, AT_SYMLINK_NOFOLLOW) == -1)
		fatal("give socket %s to user %u", name, uid);
	if (listen(fd, BACKLOG) == -1)
		fatal("listen on socket %s", name);
	return fd;
}

static int
open_run(const struct instance *in)
{
	int fd = openat(in->dirfd, "run",
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		fatal("open %s/run", in->dir);
	return fd;
}

int
sockets_view(const struct instance *in, const struct unit *u)
{
	int run = open_run(in);
	int fd = openat(run, u->name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd == -1)
		fatal("open %s/run/%s", in->dir, u->name);
	close(run);
	return fd;
}

static void
open_view(int run, const struct unit *u)
{
	uid_t		uid = (uid_t)conf_num(u->uid);
	int		dir = instance_mkdir(run, u->name, 0710, 0, uid);
	unsigned	i;

	for (i = 0; i < nsockets; i++) {
		if (strcmp(sockets[i].client, u->name) != 0)
			continue;
		keep(sockets[i].server, sockets[i].client,
		    bind_unix(dir, sockets[i].server, sockets[i].stream ?
		    SOCK_STREAM : SOCK_SEQPACKET, uid, 0600));
	}
	close(dir);
}

static void
open_ctl(int run)
{
	int		dir = instance_mkdir(run, "ctl", 0711, 0, 0);
	unsigned	i;

	/* Everybody may knock; who connects is asked by SO_PEERCRED. */
	for (i = 0; i < UNITS; i++) {
		if ((units[i].flags & UNIT_CTL) != 0)
			keep(units[i].name, "ctl", bind_unix(dir,
			    units[i].name, SOCK_SEQPACKET, 0, 0666));
	}
	own_ctl = bind_unix(dir, "postern", SOCK_SEQPACKET, 0, 0666);
	close(dir);
}

int
sockets_ctl(void)
{
	return own_ctl;
}

/* -- the world's ------------------------------------------------------ */

static socklen_t
fill_address(const char *text, struct sockaddr_storage *ss)
{
	struct sockaddr_in6	*in6 = (void *)ss;
	struct sockaddr_in	*in = (void *)ss;
	struct str		 host;
	uint16_t		 port;
	char			*name;
	bool			 v6;

	memset(ss, 0, sizeof(*ss));
	if (conf_addr(str_c(text), &host, &port) == -1)
		fatalx("listen on %s", text);
	name = xstr(host);
	v6 = strchr(name, ':') != NULL;
	if (v6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		inet_pton(AF_INET6, name, &in6->sin6_addr);
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		inet_pton(AF_INET, name, &in->sin_addr);
	}
	free(name);
	return v6 ? sizeof(*in6) : sizeof(*in);
}

static int
bind_inet(enum setting s)
{
	struct sockaddr_storage	ss;
	socklen_t		len = fill_address(conf_text(s), &ss);
	int			fd, one = 1;

	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1)
		fatal("listen on %s", conf_text(s));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ss.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&ss, len) == -1 ||
	    listen(fd, BACKLOG) == -1)
		fatal("listen on %s: change %s, or stop who has the port",
		    conf_text(s), conf_info(s)->name);
	return fd;
}

void
sockets_open(const struct instance *in)
{
	int		run;
	unsigned	i;

	for (i = 0; i < nlistens; i++)
		keep(listens[i].unit, listens[i].name,
		    bind_inet(listens[i].addr));
	run = open_run(in);
	for (i = 0; i < UNITS; i++)
		open_view(run, &units[i]);
	open_ctl(run);
	close(run);
}

void
sockets_of(const struct unit *u, struct fd_list *l)
{
	size_t i;

	for (i = 0; i < nopen; i++) {
		if (strcmp(open_[i].unit, u->name) == 0)
			fd_list_add(l, open_[i].name, open_[i].fd);
	}
}
