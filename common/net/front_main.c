/*
 * front_main - the life of a front: settings, descriptors, lock down, run.
 */
#include <signal.h>

#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/ipc/chan.h"
#include "common/net/front.h"
#include "common/net/stream.h"

/* RFC 5321 4.5.3.2.7 has it so; 64 KiB in it are 200 bytes a second. */
enum { STALL_MS = 5 * 60 * 1000 };

static void
init(const struct front_service *s)
{
	front_init(&(struct front_conf){
		.name = s->name,
		.self = s->self,
		.service = s->service,
		.login = s->login,
		.listener = start_fd(s->listener),
		.sessions_max = (unsigned)conf_num(s->sessions_max),
		.sessions_per_address =
		    (unsigned)conf_num(s->sessions_per_address),
		.login_ms = (int64_t)conf_num(s->login_time) * 1000,
		.stall_ms = STALL_MS,
		.plaintext = conf_text(C_AUTH_PLAINTEXT),
		.hostname = conf_text(C_HOSTNAME),
	});
}

int
front_main(const struct front_service *s)
{
	const char *sandbox;

	log_init(s->name);
	start_init();
	conf_load(start_fd("config"));
	loop_init();
	init(s);
	chan_init();
	stream_init();
	start_watch();
	loop_signal(SIGTERM, front_stop, NULL);

	sandbox = sandbox_enter(&(struct sandbox){
		.allow = SB_ACCEPT | SB_UNIX,
		.dir = -1,
		.chroot = true,
		/* A client and its owner each, and what we start with. */
		.files = (unsigned)conf_num(s->sessions_max) * 2 + 64,
	});

	/* No file, no connecting out, no way back. */
	front_start();
	start_ready(sandbox);
	return loop_run() == -1 ? 1 : 0;
}
