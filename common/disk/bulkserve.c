/*
 * bulkserve - the helper process of bulk.h.  It has a directory and a socket,
 * and does what it is asked in the order in which it is asked.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/disk/bulk_int.h"

static int
serve(const struct bodyfiles *files, const struct bulk_packet *p)
{
	switch ((enum bulk_op)p->op) {
	case BULK_SYNC:
		return bodyfile_sync(files, p->id);
	case BULK_REMOVE:
		return bodyfile_remove(files, p->id);
	case BULK_CHECK:
		return bodyfile_check(files->dir,
		    bodyfile_name(files, p->id).s, p->size, p->hash);
	}
	errno = EINVAL;
	return -1;
}

bool
bulk_serve_one(const struct bodyfiles *files, int sock, unsigned may)
{
	struct bulk_packet	p;
	ssize_t			n;

	do
		n = recv(sock, &p, sizeof(p), 0);
	while (n == -1 && errno == EINTR);
	if (n != sizeof(p) || (p.op & may) == 0)
		return false;
	p.error = serve(files, &p) == -1 ? errno : 0;
	return send(sock, &p, sizeof(p), MSG_NOSIGNAL) == sizeof(p);
}

static int
compare(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The helper has the directory, its socket, the log and the view. */
static void
close_others(int dir, int sock)
{
	int	keep[] = { 2, dir, sock, start_view() };
	size_t	i, n = sizeof(keep) / sizeof(keep[0]);

	qsort(keep, n, sizeof(keep[0]), compare);
	for (i = 0; i < n; i++) {
		unsigned from = keep[i] < 2 ? 3 : (unsigned)keep[i] + 1;
		unsigned to = i + 1 < n ? (unsigned)keep[i + 1] - 1 : ~0u;

		if (keep[i] >= 2 && from <= to)
			(void)close_range(from, to, 0);
	}
}

_Noreturn static void
helper(const struct bodyfiles *files, int sock, bool lock)
{
	close_others(files->dir, sock);
	if (lock)
		sandbox_enter(&(struct sandbox){
			.dir = files->dir,
			.allow = SB_FILES,
			.chroot = true,
			.files = 32,
		});
	while (bulk_serve_one(files, sock, BULK_SYNC | BULK_REMOVE |
	    BULK_CHECK))
		continue;
	_exit(0);
}

int
bulk_fork(const struct bodyfiles *files, bool lock)
{
	int	sv[2];
	pid_t	pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) == -1)
		fatal("socketpair");
	log_flush();
	pid = fork();
	if (pid == -1)
		fatal("fork");
	if (pid == 0) {
		close(sv[0]);
		helper(files, sv[1], lock);
	}
	close(sv[1]);
	return sv[0];
}
