/*
 * status - the starter's control socket: which daemons run, as whom, for how
 * long, with which configuration and in which sandbox.
 */
#include <string.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/ipc/ctl.h"
#include "mailctl/proc.h"
#include "mailctl/sockets.h"

static const char *
state_of(const struct proc *p)
{
	if (p->pid == 0)
		return "waiting";
	return p->ready ? "ready" : "starting";
}

static void
on_status(struct ctl_call *call, void *arg)
{
	struct supervisor	*sup = arg;
	struct ctl_row		 row;
	const struct proc	*p;
	size_t			 i;

	for (i = 0; i < UNITS; i++) {
		p = &sup->procs[i];
		ctl_row_init(&row);
		ctl_text(&row, "daemon", str_c(p->unit->name));
		ctl_text(&row, "state", str_c(state_of(p)));
		ctl_num(&row, "pid", (uint64_t)p->pid);
		ctl_num(&row, "user", geteuid() == 0 ?
		    conf_num(p->unit->uid) : geteuid());
		ctl_num(&row, "uptime", p->pid == 0 ? 0 :
		    (uint64_t)(clock_now() - p->since) / 1000);
		ctl_num(&row, "generation", sup->generation);
		ctl_num(&row, "restarts", p->restarts);
		ctl_text(&row, "sandbox", str_c(p->status == NULL ? "" :
		    p->status));
		ctl_row_send(&row, call);
	}
	ctl_done(call, CTL_OK, "%s", "");
}

static const struct ctl_handler verbs[] = {
	{ CTL_STATUS, on_status },
};

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)fd;
	if (m->type != MSG_CTL)
		return -1;
	ctl_dispatch(c, &m->ctl, "postern", verbs, 1, chan_arg(c));
	return 0;
}

static const struct chan_ops ops = { .on_msg = on_msg };

static int
on_accept(struct chan *c, void *arg)
{
	if (!ctl_allowed(chan_uid(c)))
		return -1;
	chan_set_arg(c, arg);
	return 0;
}

void
status_listen(struct supervisor *sup)
{
	chan_listen(sockets_ctl(), R_STARTER, R_MAILCTL, &ops, on_accept, sup);
}
