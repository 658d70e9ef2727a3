/*
 * pop3d - the front for POP3: clients up to their login, then their bytes, to
 * and from the owner of the mailbox.  Holds client connections and nothing
 * else: no file, no key, no mailbox.  RFC 1939.
 */
#include <signal.h>

#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/sandbox.h"
#include "common/core/start.h"
#include "common/ipc/chan.h"
#include "common/net/front.h"
#include "common/net/stream.h"
#include "pop3d/login.h"

int
main(void)
{
	const char *sandbox;

	log_init("pop3d");
	start_init();
	conf_load(start_fd("config"));
	loop_init();
	front_init(&(struct front_conf){
		.name = "pop3d",
		.self = R_POP3D,
		.service = SERVICE_POP3,
		.login = &pop3_login_ops,
		.listener = start_fd("pop3"),
		.sessions_max = (unsigned)conf_num(C_POP3_SESSIONS_MAX),
		.sessions_per_address =
		    (unsigned)conf_num(C_POP3_SESSIONS_PER_ADDRESS),
		.login_ms = (int64_t)conf_num(C_POP3_LOGIN_TIME) * 1000,
		.plaintext = conf_text(C_AUTH_PLAINTEXT),
		.hostname = conf_text(C_HOSTNAME),
	});
	chan_init();
	stream_init();
	start_watch();
	loop_signal(SIGTERM, front_stop, NULL);

	sandbox = sandbox_enter(&(struct sandbox){
		.allow = SB_ACCEPT | SB_UNIX,
		.dir = -1,
		.chroot = true,
		/* A client and its owner each, and what we start with. */
		.files = (unsigned)conf_num(C_POP3_SESSIONS_MAX) * 2 + 64,
	});

	/* No file, no connecting out, no way back. */
	front_start();
	start_ready(sandbox);
	return loop_run() == -1 ? 1 : 0;
}
