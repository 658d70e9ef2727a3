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

static bool
may_store(const struct proc *p, struct str name)
{
	return (p->unit->flags & UNIT_STORE_FDS) != 0 && name.n > 0 &&
	    name.n <= 64 && str_is_print(name) && str_chr(name, ':') == -1;
}

static void
store(struct proc *p, struct str name, int fd)
{
	if (p->nstored == PROC_STORED_MAX) {
		log_often(LOG_WARN, "descriptor not stored",
		    L_Z("daemon", p->unit->name), L_STR("name", name));
		close(fd);
		return;
	}
	p->stored = xrealloc(p->stored, p->nstored + 1, sizeof(*p->stored));
	p->stored[p->nstored].name = xstr(name);
	p->stored[p->nstored].fd = fd;
	p->nstored++;
}

/* -- what a daemon says ----------------------------------------------- */

/* Once of each process: what it says again is no news. */
static void
on_ready(struct proc *p, struct str status)
{
	if (p->ready || p->pid == 0)
		return;
	free(p->status);
	p->status = xstr(status);
	p->ready = true;
	log_info("ready", L_Z("daemon", p->unit->name), L_NUM("pid", p->pid),
	    L_STR("sandbox", status));
	supervisor_ready(p->sup);
}

/* Takes fd; -1: that is not for this daemon to say. */
static int
act_on(struct proc *p, struct notice n, int fd)
{
	if (n.fdstore != (fd != -1) || (fd != -1 && !may_store(p, n.name))) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (fd != -1)
		store(p, n.name, fd);
	if (n.fdremove)
		forget(p, n.name);
	if (n.ready)
		on_ready(p, n.status);
	return 0;
}

static void
close_notify(struct proc *p)
{
	if (p->watch == NULL)
		return;
	loop_unwatch(p->watch);
	p->watch = NULL;
	close(p->notify);
	p->notify = -1;
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
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && str_chr(str_of(text, (size_t)n), '\0') != -1)
		bad = true;
	if (n > 0 && !bad &&
	    act_on(p, notice_parse(str_of(text, (size_t)n)), fd) == 0)
		return;
	if ((n <= 0 || bad) && fd != -1)
		close(fd);
	/* Ours end when we hang up, and are started again. */
	if (n > 0)
		log_warn("malformed notice: its channel is closed",
		    L_Z("daemon", p->unit->name), L_NUM("pid", p->pid));
	close_notify(p);
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

	close_notify(p);
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
