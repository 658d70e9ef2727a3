/*
 * zygote - see zygote.h.
 */
#include "mailboxd/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/conf.h"
#include "common/core/identity.h"
#include "common/core/log.h"
#include "common/core/pass.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/disk/bulk.h"
#include "common/ipc/msg.h"
#include "mailboxd/large.h"
#include "mailboxd/owner.h"
#include "mailboxd/place.h"

/* OWNER_WANT: a header, a u64, two u32, a u8; one byte more is refused. */
enum { WANT_LEN = MSG_HEADER + 17, CTL_FD = 3, DIR_FD = 4,
    HELPER_FILES = 16 };

static bool	may_change;	/* started as root: owners get their own ids */
static sigset_t	unblocked;	/* SIGCHLD comes only while we wait */

/* -- in the child ----------------------------------------------------- */

/* The mailbox again, now by its own right, and nothing else. */
static int
keep_only(int ctl, int path)
{
	int dir = openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir == -1)
		fatal("open the mailbox");
	/* Neither may be in the way of the other's new number. */
	ctl = fcntl(ctl, F_DUPFD_CLOEXEC, DIR_FD + 1);
	dir = fcntl(dir, F_DUPFD_CLOEXEC, DIR_FD + 1);
	if (ctl == -1 || dir == -1 ||
	    dup3(ctl, CTL_FD, O_CLOEXEC) == -1 ||
	    dup3(dir, DIR_FD, O_CLOEXEC) == -1 ||
	    close_range(DIR_FD + 1, ~0u, 0) == -1)
		fatal("descriptors");
	start_forget();
	return DIR_FD;
}

/* The user of the mailbox, with its directory and this socket; the former. */
static int
become(struct place *p, const char *what, int sock, int store)
{
	char name[16];
	int  path;

	log_init(what);
	/* For ps; cut off for mailboxes over nine digits. */
	snprintf(name, sizeof(name), "%s-%llu", what,
	    (unsigned long long)p->mailbox);
	prctl(PR_SET_NAME, name);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &unblocked, NULL);
	path = place_open(store, p, may_change);
	if (path == -1)
		fatal("mailbox %llu", (unsigned long long)p->mailbox);
	if (may_change)
		identity_become(p->uid, p->gid, 0);
	return keep_only(sock, path);
}

static _Noreturn void
become_owner(struct place *p, int ctl, int store)
{
	int dir = become(p, "owner", ctl, store);

	owner_prepare();
	sandbox_enter(&(struct sandbox){
		.allow = SB_FILES,
		.dir = dir,
		.files = OWNER_FILES_MAX,
	});

	/* One user, one group, one directory, one channel. */
	_exit(owner_main(p, CTL_FD, dir));
}

/* It can read one directory and sync what is in it. */
static _Noreturn void
become_helper(struct place *p, int sock, int store)
{
	int dir = become(p, "helper", sock, store);

	dir = openat(dir, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (dir == -1)
		fatal("open the mailbox's log");
	close(DIR_FD);
	sandbox_enter(&(struct sandbox){
		.allow = SB_SYNC,
		.dir = dir,
		.files = HELPER_FILES,
	});
	while (bulk_serve_one(&(struct bodyfiles){ dir, BODY_PREFIX }, CTL_FD,
	    BULK_SYNC))
		continue;
	_exit(0);
}

/* -- the zygote ------------------------------------------------------- */

static void
answer(int conn, const struct msg_owner_want *w, pid_t pid, int error)
{
	struct msg m = { .type = MSG_OWNER_FORKED,
	    .owner_forked = { w->mailbox, pid > 0 ? (uint32_t)pid : 0,
	    (uint32_t)error, w->kind } };
	struct buf b;

	buf_init(&b, 256);
	msg_encode(&b, &m);
	/* A monitor that does not read is no reason to wait. */
	(void)!send(conn, buf_cstr(&b), b.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	buf_clear(&b);
}

static void
fork_owner(int conn, const struct msg_owner_want *w, int ctl, int store)
{
	struct place	p = { .mailbox = w->mailbox, .tenant = w->tenant,
	    .shard = w->shard };
	pid_t		pid;

	if (place_ids(&p) == -1) {
		log_warn("mailbox out of range", L_NUM("mailbox", w->mailbox),
		    L_NUM("tenant", w->tenant));
		answer(conn, w, -1, ERANGE);
		return;
	}
	log_flush();
	pid = fork();
	if (pid == 0 && w->kind == OWNER_HELPER)
		become_helper(&p, ctl, store);
	if (pid == 0)
		become_owner(&p, ctl, store);
	answer(conn, w, pid, pid == -1 ? errno : 0);
}

/* One packet; false when the monitor is gone or says what it may not. */
static bool
serve(int conn, int store)
{
	char		packet[WANT_LEN + 1];
	struct msg	m;
	struct str	s;
	ssize_t		n;
	int		fd;
	bool		bad, ok;

	n = pass_receive(conn, packet, sizeof(packet), &fd, &bad);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n == -1)
		return false;
	s = str_of(packet, (size_t)n);
	ok = n == WANT_LEN && !bad && fd != -1 &&
	    msg_decode(&s, R_MAILBOXD, R_ZYGOTE, &m) == 0 &&
	    m.owner_want.kind <= OWNER_HELPER;
	if (ok)
		fork_owner(conn, &m.owner_want, fd, store);
	else if (n > 0)
		log_warn("malformed message", L_Z("peer", "mailboxd"));
	if (fd != -1)
		close(fd);
	return ok;
}

static void
on_child(int signo)
{
	(void)signo;
}

/* An owner ends by itself, or the log says by what. */
static void
reap(void)
{
	int	status;
	pid_t	pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status))
			log_warn("owner died", L_NUM("pid", pid),
			    L_NUM("signal", WTERMSIG(status)));
	}
}

static void
watch_children(void)
{
	struct sigaction	sa = { .sa_handler = on_child,
	    .sa_flags = SA_NOCLDSTOP };
	sigset_t		child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &child, &unblocked) == -1 ||
	    sigaction(SIGCHLD, &sa, NULL) == -1)
		fatal("signals");
	sigdelset(&unblocked, SIGCHLD);
}

static _Noreturn void
run(int listener, int store, int starter)
{
	struct pollfd	p[3] = { { starter, POLLIN, 0 },
	    { listener, POLLIN, 0 }, { -1, POLLIN, 0 } };

	for (;;) {
		reap();
		log_flush();
		if (ppoll(p, 3, NULL, &unblocked) == -1) {
			if (errno != EINTR)
				fatal("poll");
			continue;
		}
		if (p[0].revents != 0)
			fatalx("the starter is gone");
		if (p[2].revents != 0 && !serve(p[2].fd, store)) {
			close(p[2].fd);
			p[2].fd = -1;
		}
		if (p[1].revents == 0)
			continue;
		/* A new monitor takes the place of the old one. */
		if (p[2].fd != -1)
			close(p[2].fd);
		p[2].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		p[2].revents = 0;
	}
}

int
zygote_main(void)
{
	int		 listener = start_fd("mailboxd");
	int		 store = start_fd("store");
	int		 starter = start_fd("notify");
	const char	*sandbox;

	may_change = sandbox_has_ids();
	watch_children();
	sandbox = sandbox_enter(&(struct sandbox){
		.allow = SB_ACCEPT | SB_FILES | SB_FORK | SB_IDS,
		.dir = store,
		.chroot = true,
		.uid_base = (unsigned)conf_num(C_MAILBOX_UID_BASE),
		.uid_count = (unsigned)conf_num(C_MAILBOX_UID_COUNT),
		.gid_base = (unsigned)conf_num(C_TENANT_GID_BASE),
		.gid_count = (unsigned)conf_num(C_TENANT_GID_COUNT),
	});
	start_ready(sandbox);
	run(listener, store, starter);
}
