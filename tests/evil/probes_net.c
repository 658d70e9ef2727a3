/*
 * probes_net - see evil.h: sockets, the network's and the suite's own.
 */
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/evil/probes.h"

static int
have_socket(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	return fd == -1 ? -1 : close(fd);
}

static int
sock_inet(void)
{
	return have_socket(AF_INET, SOCK_STREAM, 0);
}

static int
sock_udp(void)
{
	return have_socket(AF_INET, SOCK_DGRAM, 0);
}

static int
sock_inet6(void)
{
	return have_socket(AF_INET6, SOCK_STREAM, 0);
}

static int
sock_netlink(void)
{
	return have_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static int
sock_packet(void)
{
	return have_socket(AF_PACKET, SOCK_RAW, 0);
}

static int
sock_vsock(void)
{
	return have_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int
connect_loopback(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)evil_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static int
connect_unix(const char *path, int type, bool abstract)
{
	struct sockaddr_un	to = { .sun_family = AF_UNIX };
	socklen_t		len;
	int			fd = socket(AF_UNIX, type, 0);

	snprintf(to.sun_path + abstract, sizeof(to.sun_path) - 1, "%s", path);
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract +
	    strlen(path));
	if (fd == -1)
		return -1;
	return connect(fd, (struct sockaddr *)&to, len);
}

/* Sockets of the suite that are for others, and some for everybody. */
static int
connect_all(void)
{
	static const char *const names[] = { "run/ctl/authd",
	    "run/ctl/queued", "run/ctl/postern", "run/mailboxd/zygote",
	    "run/route/queued", "run/imapd/mailboxd" };
	char	path[PATH];
	size_t	i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), UP "%s/%s", evil_dir, names[i]);
		if (connect_unix(path, SOCK_SEQPACKET, false) == 0)
			return 0;
	}
	return -1;
}

static int
connect_suite(void)
{
	return connect_all();
}

/* The same from each directory that is open: a chroot does not hold those. */
static int
connect_from_dir(void)
{
	int fd, was = open(".", O_PATH), rc = -1;

	for (fd = 3; rc == -1 && fd < FDS; fd++) {
		if (fchdir(fd) == 0)
			rc = connect_all();
	}
	(void)!fchdir(was);
	close(was);
	return rc;
}

static int
connect_abstract(void)
{
	char name[64];

	snprintf(name, sizeof(name), "postern-evil-%u", evil_port);
	return connect_unix(name, SOCK_STREAM, true);
}

static int
do_bind(void)
{
	struct sockaddr_un	at = { .sun_family = AF_UNIX };
	int			fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	return bind(fd, (struct sockaddr *)&at, sizeof(at.sun_family));
}

const struct probe evil_probes_net[] = {
	P(sock_inet), P(sock_udp), P(sock_inet6), P(sock_netlink),
	P(sock_packet), P(sock_vsock), P(connect_loopback), P(connect_suite),
	P(connect_from_dir), P(connect_abstract), P(do_bind),
	{ NULL, NULL },
};
