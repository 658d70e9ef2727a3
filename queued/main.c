/*
 * queued - the only writer of the queue.  Settings, log, descriptors, then
 * locked down, then the loop.  No network; one directory.
 */
#include <signal.h>

#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/disk/epoch.h"
#include "queued/ctl.h"
#include "queued/queued.h"

static struct queued q;

static int
on_authd(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;			/* none of these carries one */
	if (m->type != MSG_TICKET_KEY || m->ticket_key.key.n != TICKET_KEY)
		return -1;
	ticket_keys_add(&q.keys, m->ticket_key.kid, m->ticket_key.key);
	return 0;
}

static const struct link_ops authd_ops = { .on_msg = on_authd };

static void
on_stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
listen_all(void)
{
	chan_listen(start_fd("smtpd"), R_QUEUED, R_SMTPD, intake_ops(),
	    intake_accept, &q);
	chan_listen(start_fd("route"), R_QUEUED, R_ROUTE, work_ops(),
	    work_accept, &q);
	chan_listen(start_fd("local"), R_QUEUED, R_LOCAL, work_ops(),
	    work_accept, &q);
	chan_listen(start_fd("ctl"), R_QUEUED, R_MAILCTL, queue_ctl_ops(),
	    queue_ctl_accept, &q);
}

int
main(void)
{
	struct queued_conf	 conf;
	const char		*line;
	int			 dir;

	log_init("queued");
	start_init();
	conf_load(start_fd("config"));
	signal(SIGPIPE, SIG_IGN);

	/* Nothing is read from anybody yet, but from our own disk. */
	queued_conf(&conf);
	dir = start_fd("queue");
	conf.epoch = epoch_read(dir);
	if (conf.epoch == 0)
		fatal("queue: EPOCH");
	queued_open(&q, &conf, dir, true);
	loop_init();
	queued_start(&q);
	chan_init();
	listen_all();

	line = sandbox_enter(&(struct sandbox){
		.dir = q.dir,
		.allow = SB_ACCEPT | SB_UNIX | SB_FILES,
		.chroot = true,
	});
	link_new("authd", R_QUEUED, R_AUTHD, &authd_ops, NULL);
	loop_signal(SIGTERM, on_stop, NULL);
	loop_signal(SIGINT, on_stop, NULL);
	start_watch();
	start_ready(line);
	return loop_run() == -1;
}
