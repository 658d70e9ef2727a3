/*
 * pass - see pass.h.
 */
#include "common/core/pass.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
pass_send(int sock, struct str s, int fd, int flags)
{
	struct iovec	iov = { (char *)(uintptr_t)s.p, s.n };
	struct msghdr	m = { .msg_iov = &iov, .msg_iovlen = 1 };
	union {
		char		space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	align;
	} ctl = { { 0 } };
	struct cmsghdr	*cm;

	if (fd != -1) {
		m.msg_control = ctl.space;
		m.msg_controllen = sizeof(ctl.space);
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	}
	return sendmsg(sock, &m, flags) == -1 ? -1 : 0;
}

/* The first of them; the rest is not wanted. */
static void
take(const struct cmsghdr *cm, int *fd, bool *bad)
{
	size_t	i, got = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int	one;

	for (i = 0; i < got; i++) {
		memcpy(&one, CMSG_DATA(cm) + i * sizeof(int), sizeof(one));
		if (*fd == -1)
			*fd = one;
		else {
			close(one);
			*bad = true;
		}
	}
}

ssize_t
pass_receive(int sock, void *p, size_t size, int *fd, bool *bad)
{
	struct iovec	iov = { p, size };
	union {
		char		space[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr	align;
	} ctl;
	struct msghdr	m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = ctl.space, .msg_controllen = sizeof(ctl.space) };
	struct cmsghdr	*cm;
	ssize_t		n;

	*fd = -1;
	*bad = false;
	n = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n == -1)
		return -1;
	for (cm = CMSG_FIRSTHDR(&m); cm != NULL; cm = CMSG_NXTHDR(&m, cm)) {
		if (cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS)
			take(cm, fd, bad);
	}
	if ((m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		*bad = true;
	return n;
}
