/*
 * imapd - the front for IMAP: clients up to their login, then their bytes, to
 * and from the owner of the mailbox.  Holds client connections and nothing
 * else: no file, no key, no mailbox.  RFC 3501.
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
#include "imapd/login.h"

int
main(void)
{
	const char *sandbox;

	log_init("imapd");
	start_init();
	conf_load(start_fd("config"));
	loop_init();
	front_init(&(struct front_conf){
		.name = "imapd",
		.self = R_IMAPD,
		.service = SERVICE_IMAP,
		.login = &imap_login_ops,
		.listener = start_fd("imap"),
		.sessions_max = (unsigned)conf_num(C_IMAP_SESSIONS_MAX),
		.sessions_per_address =
		    (unsigned)conf_num(C_IMAP_SESSIONS_PER_ADDRESS),
		.login_ms = (int64_t)conf_num(C_IMAP_LOGIN_TIME) * 1000,
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
		.files = (unsigned)conf_num(C_IMAP_SESSIONS_MAX) * 2 + 64,
	});

	/* No file, no connecting out, no way back. */
	front_start();
	start_ready(sandbox);
	return loop_run() == -1 ? 1 : 0;
}
