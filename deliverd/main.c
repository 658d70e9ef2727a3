/*
 * deliverd - one program, one role each time it runs: "route" or "local".
 * Each has its own user, its own view and its own filter.
 */
#include <signal.h>
#include <string.h>

#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/ipc/chan.h"
#include "deliverd/local.h"
#include "deliverd/router.h"

static void
on_stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
start_role(bool is_route)
{
	if (is_route)
		router_start();
	else
		local_start((uint32_t)conf_num(C_QUEUE_LOCAL_JOBS));
}

int
main(int argc, char **argv)
{
	const char	*line;
	bool		 is_route;

	log_init("deliverd");
	if (argc != 2 || (strcmp(argv[1], "route") != 0 &&
	    strcmp(argv[1], "local") != 0))
		fatalx("usage: deliverd route | local");
	is_route = strcmp(argv[1], "route") == 0;
	log_init(is_route ? "route" : "local");
	start_init();
	conf_load(start_fd("config"));
	signal(SIGPIPE, SIG_IGN);

	/* Nothing to hold, nothing to open: other daemons' sockets only. */
	loop_init();
	chan_init();
	line = sandbox_enter(&(struct sandbox){
		.dir = -1,
		.allow = SB_UNIX,
		.chroot = true,
	});
	start_role(is_route);
	loop_signal(SIGTERM, on_stop, NULL);
	loop_signal(SIGINT, on_stop, NULL);
	start_watch();
	start_ready(line);
	return loop_run() == -1;
}
