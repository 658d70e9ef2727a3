/*
 * proc - see proc.h.
 */
#include "mailctl/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/pass.h"
#include "common/core/xalloc.h"
#include "mailctl/notice.h"
#include "mailctl/snapshot.h"
#include "mailctl/sockets.h"
#include "mailctl/spawn.h"

/* -- descriptors that a daemon leaves with us ----------------------------- */

static void
forget(struct proc *p, struct str name)
{
	size_t i;

	for (i = 0; i < p->nstored; i++) {
		if (!str_eq(str_c(p->stored[i].name), name))
			continue;
		close(p->stored[i].fd);
		free(p->stored[i].name);
		p->stored[i--] = p->stored[--p->nstored];
	}
}

static void
store(struct proc *p, struct str name, int fd)
{
	if ((p->unit->flags & UNIT_STORE_FDS) == 0 ||
	    p->nstored == PROC_STORED_MAX || name.n == 0 || name.n > 64 ||
	    !str_is_print(name) || str_chr(name, ':') != -1) {
		log_warn("descriptor not stored", L_Z("daemon", p->unit->name),
		    L_STR("name", name));
		close(fd);
		return;
	}
	p->stored = xrealloc(p->stored, p->nstored + 1, sizeof(*p->stored));
	p->stored[p->nstored].name = xstr(name);
	p->stored[p->nstored].fd = fd;
	p->nstored++;
}

/* -- what a daemon says ----------------------------------------------- */

static void
act_on(struct proc *p, struct notice n, int fd)
{
	if (n.fdstore && fd != -1) {
		store(p, n.name, fd);
		fd = -1;
	}
	if (fd != -1)
		close(fd);
	if (n.fdremove)
		forget(p, n.name);
	if (n.ready) {
		free(p->status);
		p->status = xcalloc(1, n.status.n + 1);
		if (n.status.n > 0)
			memcpy(p->status, n.status.p, n.status.n);
		p->ready = true;
		log_info("ready", L_Z("daemon", p->unit->name),
		    L_NUM("pid", p->pid), L_STR("sandbox", n.status));
		supervisor_ready(p->sup);
	}
}

static void
on_notify(void *arg, int events)
{
	struct proc	*p = arg;
	char		 text[4096];
	ssize_t		 n;
	int		 fd;
	bool		 bad;

	(void)events;
	n = pass_receive(p->notify, text, sizeof(text), &fd, &bad);
	if (n > 0 && !bad) {
		act_on(p, notice_parse(str_of(text, (size_t)n)), fd);
		return;
	}
	if (fd != -1)
		close(fd);
	if (n > 0) {
		log_warn("malformed notice", L_Z("daemon", p->unit->name));
		return;
	}
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	loop_unwatch(p->watch);
	p->watch = NULL;
	close(p->notify);
	p->notify = -1;
}

/* -- life ------------------------------------------------------------- */

static void
on_again(void *arg)
{
	proc_start(arg);
}

void
proc_init(struct proc *p, struct supervisor *sup, const struct unit *u)
{
	*p = (struct proc){ .unit = u, .sup = sup, .notify = -1 };
	p->again = loop_timer(on_again, p);
}

static void
open_notify(struct proc *p, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		fatal("notify socket");
	p->notify = pair[0];
	*theirs = pair[1];
	p->watch = loop_watch(p->notify, LOOP_READ, on_notify, p);
}

/*
 * Every daemon keeps a lock of its own behind the starter's: the next start
 * waits until the last one is gone, and none can end another's or write.
 */
static int
own_lock(const struct supervisor *s)
{
	struct flock	fl = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
	    .l_start = 1 };
	char		path[64];
	int		fd;

	/* The file that is locked, whatever bears its name by now. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->lock);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 || fcntl(fd, F_OFD_SETLK, &fl) == -1)
		fatal("share the lock");
	return fd;
}

static void
wait_longer(struct proc *p)
{
	p->restarts++;
	if (p->backoff == 0)
		p->backoff = PROC_BACKOFF_MIN;
	loop_timer_set(p->again, p->backoff);
	p->backoff = p->backoff * 2 > PROC_BACKOFF_MAX ? PROC_BACKOFF_MAX :
	    p->backoff * 2;
}

/* Out of processes or memory, for now: the others go on. */
static void
start_later(struct proc *p)
{
	log_error("cannot start", L_Z("daemon", p->unit->name), L_ERRNO);
	p->pid = 0;
	wait_longer(p);
}

void
proc_start(struct proc *p)
{
	const struct instance	*in = p->sup->in;
	struct fd_list		 l = { 0 };
	int			 theirs, slice, view, lock, dir = -1;
	size_t			 i;

	if (p->watch != NULL) {
		loop_unwatch(p->watch);
		p->watch = NULL;
		close(p->notify);
	}
	open_notify(p, &theirs);
	slice = snapshot_slice(in, p->sup->generation, p->unit);
	view = sockets_view(in, p->unit);
	fd_list_add(&l, "notify", theirs);
	fd_list_add(&l, "config", slice);
	fd_list_add(&l, "view", view);
	lock = own_lock(p->sup);
	fd_list_add(&l, "lock", lock);
	sockets_of(p->unit, &l);
	if (p->unit->dir != NULL) {
		dir = instance_mkdir(in->dirfd, p->unit->dir, 0700,
		    (uid_t)conf_num(p->unit->uid),
		    (gid_t)conf_num(p->unit->uid));
		fd_list_add(&l, p->unit->dir, dir);
	}
	for (i = 0; i < p->nstored; i++)
		fd_list_add(&l, p->stored[i].name, p->stored[i].fd);
	p->ready = false;
	p->since = clock_now();
	p->pid = spawn(p->unit, &l);
	if (p->pid == -1)
		start_later(p);
	close(theirs);
	close(slice);
	close(view);
	close(lock);
	if (dir != -1)
		close(dir);
	fd_list_clear(&l);
}

static void
log_end(const struct proc *p, int ws)
{
	/* Some only end by the signal that asks them to. */
	if (p->sup->stopping && WIFSIGNALED(ws) && WTERMSIG(ws) == SIGTERM)
		return;
	if (WIFSIGNALED(ws))
		log_warn("daemon died", L_Z("daemon", p->unit->name),
		    L_NUM("pid", p->pid), L_NUM("signal", WTERMSIG(ws)));
	else if (!p->sup->stopping)
		log_warn("daemon ended", L_Z("daemon", p->unit->name),
		    L_NUM("pid", p->pid), L_NUM("status", WEXITSTATUS(ws)));
}

void
proc_ended(struct proc *p, int ws)
{
	log_end(p, ws);
	if (clock_now() - p->since > PROC_STABLE_MS)
		p->backoff = 0;
	p->pid = 0;
	p->ready = false;
	if (p->sup->stopping)
		return;
	if (p->backoff == 0) {
		p->backoff = PROC_BACKOFF_MIN;
		p->restarts++;
		proc_start(p);
		return;
	}
	wait_longer(p);
}
