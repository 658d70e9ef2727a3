/*
 * mailboxd - mailboxes.  One program in two roles, each a process of its own
 * user: "monitor" lets sessions and deliveries in, "zygote" makes the owners,
 * which are forked from it and hold one mailbox each.
 */
#include <signal.h>
#include <string.h>

#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/ipc/chan.h"
#include "common/net/stream.h"
#include "mailboxd/hello.h"
#include "mailboxd/monitor.h"
#include "mailboxd/zygote.h"

static int
monitor_main(void)
{
	const char *sandbox;

	loop_init();
	hello_init();
	chan_init();
	stream_init();
	start_watch();
	loop_signal(SIGTERM, monitor_stop, NULL);

	sandbox = sandbox_enter(&(struct sandbox){
		.allow = SB_ACCEPT | SB_UNIX,
		.dir = -1,
		.chroot = true,
		/* A channel for each owner, and those who are at the door. */
		.files = (unsigned)conf_num(C_MAILBOX_OWNERS_MAX) * 2 + 1024,
	});

	/* No file, no capability: only what was passed, and the sockets. */
	monitor_init();
	start_ready(sandbox);
	return loop_run() == -1 ? 1 : 0;
}

int
main(int argc, char **argv)
{
	const char *role = argc == 2 ? argv[1] : "";

	log_init(strcmp(role, "zygote") == 0 ? "zygote" : "mailboxd");
	start_init();
	conf_load(start_fd("config"));
	if (strcmp(role, "zygote") == 0)
		return zygote_main();
	if (strcmp(role, "monitor") == 0)
		return monitor_main();
	fatalx("the role is monitor or zygote, not \"%s\"", role);
}
