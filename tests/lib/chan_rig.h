/*
 * chan_rig - a channel over a socket pair whose other end is the test's, and
 * what came over it.  For the tests of chan and link, each of which has its
 * copy.
 */
#ifndef TESTS_CHAN_RIG_H
#define TESTS_CHAN_RIG_H

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/ipc/chan.h"
#include "tests/lib/turn.h"

static struct chan	*left;		/* R_QUEUED, peer R_LOCAL */
static int		 raw;		/* its peer's end */
static unsigned		 msgs, downs, rooms;
static uint64_t		 last_qid;
static int		 last_fd = -1, verdict;
static bool		 close_inside, pause_inside, drop_inside;
static int		 null;

static inline int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	msgs++;
	switch ((unsigned)m->type) {
	case MSG_LOCAL_RESULT:
		last_qid = m->local_result.qid;
		break;
	case MSG_LOCAL_JOB:
		last_qid = m->local_job.qid;
		break;
	}
	if (fd != -1) {
		if (last_fd != -1)
			close(last_fd);
		last_fd = fd;
	}
	if (close_inside)
		chan_close(c);
	if (drop_inside)
		chan_drop(c, "test");
	if (pause_inside)
		chan_pause(c, true);
	return verdict;
}

static inline void
on_down(struct chan *c)
{
	downs++;
	if (c == left)
		left = NULL;
}

static inline void
on_room(struct chan *c)
{
	(void)c;
	rooms++;
}

static const struct chan_ops ops = { on_msg, on_down, on_room };

static inline unsigned
open_fds(void)
{
	unsigned n = 0;
	int	 fd;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static unsigned fds_before;

static inline int
setup(void **state)
{
	int pair[2];

	(void)state;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	log_to(null);
	loop_init();
	chan_init();
	msgs = downs = rooms = 0;
	verdict = 0;
	close_inside = pause_inside = drop_inside = false;
	last_fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, pair) == -1)
		return -1;
	raw = pair[1];
	left = chan_new(pair[0], R_QUEUED, R_LOCAL, &ops, NULL);
	fds_before = open_fds();
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	chan_close(left);
	left = NULL;
	loop_turn(0);
	loop_turn(0);
	if (last_fd != -1)
		close(last_fd);
	close(raw);
	loop_free();
	log_to(2);
	close(null);
	return 0;
}

static inline void
send_result(struct chan *c, uint64_t qid)
{
	chan_send_local_result(c, &(struct msg_local_result){ .qid = qid }, -1);
}

static inline void
encode_result(struct buf *b, uint64_t qid)
{
	struct msg m = { .type = MSG_LOCAL_RESULT,
	    .local_result = { .qid = qid } };

	msg_encode(b, &m);
}

/* From the raw end, with n descriptors of /dev/null. */
static inline void
send_raw(struct str bytes, unsigned n)
{
	static char	space[CMSG_SPACE(253 * sizeof(int))];
	struct iovec	iov = { (char *)(uintptr_t)bytes.p, bytes.n };
	struct msghdr	m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr	*cm;
	unsigned	i;

	if (n > 0) {
		m.msg_control = space;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (i = 0; i < n; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &null,
			    sizeof(int));
	}
	assert_int_equal(sendmsg(raw, &m, MSG_NOSIGNAL), bytes.n);
}

#endif
