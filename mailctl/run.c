/*
 * run - see run.h.  Parses nothing that comes from a network.
 */
#include "mailctl/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/ipc/chan.h"
#include "mailctl/exits.h"
#include "mailctl/proc.h"
#include "mailctl/snapshot.h"
#include "mailctl/sockets.h"
#include "mailctl/spawn.h"

enum {
	LOCK_WAIT_MS = 10 * 1000,	/* for another instance to be gone */
	LOCK_POLL_MS = 20,
	STOP_MS = 10 * 1000,		/* a stage has to end by itself */
	STAGES = 6
};

static struct supervisor sup;

/* -- before the first daemon ------------------------------------------ */

static void
take_lock(void)
{
	struct flock	fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct timespec	pause = { 0, LOCK_POLL_MS * 1000000 };
	int64_t		waited = 0;

	sup.lock = openat(sup.in->dirfd, "lock", O_RDWR | O_CREAT |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (sup.lock == -1)
		fatal("open %s/lock", sup.in->dir);
	while (fcntl(sup.lock, F_OFD_SETLK, &fl) == -1) {
		if (errno != EAGAIN && errno != EACCES)
			fatal("lock %s/lock", sup.in->dir);
		if (waited == 0)
			log_warn("another instance holds the lock: waiting",
			    L_Z("dir", sup.in->dir));
		log_flush();
		if (waited >= LOCK_WAIT_MS)
			fatalx("another instance runs in %s", sup.in->dir);
		nanosleep(&pause, NULL);
		waited += LOCK_POLL_MS;
	}
	/* Nobody is left; the first octet is ours, the rest our daemons'. */
	fl.l_type = F_UNLCK;
	fl.l_start = 1;
	if (fcntl(sup.lock, F_OFD_SETLK, &fl) == -1)
		fatal("lock %s/lock", sup.in->dir);
}

/* One extent of user_namespaces(7): inside, outside, how many. */
static bool
parse_extent(const char *line, uint64_t *first, uint64_t *n)
{
	unsigned long	 number[3];
	char		*end;
	int		 i;

	for (i = 0; i < 3; i++) {
		errno = 0;
		number[i] = strtoul(line, &end, 10);
		if (end == line || errno != 0)
			return false;
		line = end;
	}
	*first = number[0];
	*n = number[2];
	return true;
}

/* Every user id that a mailbox may get must exist in this namespace. */
static void
check_uid_map(void)
{
	FILE		*f = fopen("/proc/self/uid_map", "re");
	char		 line[128];
	uint64_t	 in, n;
	uint64_t	 lo = conf_num(C_MAILBOX_UID_BASE);
	uint64_t	 hi = lo + conf_num(C_MAILBOX_UID_COUNT) - 1;
	bool		 fits = false;

	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (parse_extent(line, &in, &n) && lo >= in && hi - in < n)
			fits = true;
	}
	fclose(f);
	if (!fits)
		fatalx("user ids %llu to %llu (mailbox.uid_base, "
		    "mailbox.uid_count) do not exist here: choose a range "
		    "inside /proc/self/uid_map", (unsigned long long)lo,
		    (unsigned long long)hi);
}

static void
raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		fatal("limits");
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

/*
 * Whoever owns the instance's directory may manage it.  As root the daemons
 * run under users of their own and cannot know who that is.
 */
static void
add_owner(void)
{
	struct stat	st;
	struct buf	b;

	if (fstat(sup.in->dirfd, &st) == -1)
		fatal("stat %s", sup.in->dir);
	if (st.st_uid == 0)
		return;
	buf_init(&b, 4096);
	buf_addf(&b, "%s%s%u", conf_text(C_OPERATORS),
	    conf_text(C_OPERATORS)[0] == '\0' ? "" : " ", st.st_uid);
	conf_put(C_OPERATORS, buf_cstr(&b));
	buf_clear(&b);
}

static void
check_identity(void)
{
	if (geteuid() == 0) {
		check_uid_map();
		return;
	}
	log_warn("not root: all daemons and mailboxes share one user, no "
	    "chroot, no network namespaces", L_NUM("user", geteuid()));
}

/* -- ready ------------------------------------------------------------ */

void
supervisor_ready(struct supervisor *s)
{
	struct timespec	ts;
	size_t		i;

	for (i = 0; i < UNITS; i++) {
		if (!s->procs[i].ready)
			return;
	}
	if (s->announced)
		return;
	s->announced = true;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	log_info("all daemons ready", L_NUM("ms", (int64_t)ts.tv_sec * 1000 +
	    ts.tv_nsec / 1000000 - s->started),
	    L_NUM("generation", s->generation));
}

/* -- the end ---------------------------------------------------------- */

/* Signals what is left of this stage; false if nothing is. */
static bool
signal_stage(int signo)
{
	bool	any = false;
	size_t	i;

	for (i = 0; i < UNITS; i++) {
		if (sup.procs[i].unit->stop != sup.stage ||
		    sup.procs[i].pid == 0)
			continue;
		any = true;
		if (signo != 0)
			kill(sup.procs[i].pid, signo);
	}
	return any;
}

static void
next_stage(void)
{
	while (sup.stage < STAGES && !signal_stage(SIGTERM))
		sup.stage++;
	if (sup.stage == STAGES) {
		loop_stop();
		return;
	}
	loop_timer_set(sup.kill_timer, STOP_MS);
}

static void
on_kill_timer(void *arg)
{
	(void)arg;
	log_warn("daemons do not stop: killing", L_NUM("stage", sup.stage));
	signal_stage(SIGKILL);
}

static void
on_stop(void *arg)
{
	size_t i;

	(void)arg;
	if (sup.stopping)
		return;
	sup.stopping = true;
	for (i = 0; i < UNITS; i++)
		loop_timer_stop(sup.procs[i].again);
	log_info("stopping");
	next_stage();
}

static void
on_child(void *arg)
{
	pid_t	pid;
	size_t	i;
	int	ws;

	(void)arg;
	while ((pid = waitpid(-1, &ws, WNOHANG)) > 0) {
		for (i = 0; i < UNITS; i++) {
			if (sup.procs[i].pid == pid)
				proc_ended(&sup.procs[i], ws);
		}
	}
	if (sup.stopping && !signal_stage(0))
		next_stage();
}

int
run_main(struct instance *in, int64_t started_ms)
{
	size_t i;

	log_init("postern");
	log_own();
	sup = (struct supervisor){ .in = in, .started = started_ms };
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	check_identity();
	raise_files();
	take_lock();
	instance_dirs(in);
	spawn_find_programs();
	add_owner();
	sup.generation = snapshot_take(in);
	sockets_open(in);
	loop_init();
	chan_init();
	loop_signal(SIGCHLD, on_child, NULL);
	loop_signal(SIGTERM, on_stop, NULL);
	loop_signal(SIGINT, on_stop, NULL);
	/* Its terminal went, or a reload is hoped for: an end in order. */
	loop_signal(SIGHUP, on_stop, NULL);
	sup.kill_timer = loop_timer(on_kill_timer, NULL);
	status_listen(&sup);
	for (i = 0; i < UNITS; i++) {
		proc_init(&sup.procs[i], &sup, &units[i]);
		proc_start(&sup.procs[i]);
	}
	if (loop_run() == -1)
		fatal("event loop");
	log_info("stopped");
	log_flush();
	return EX_DONE;
}
