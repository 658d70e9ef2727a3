/*
 * imapd - the front for IMAP: clients up to their login, then their bytes, to
 * and from the owner of the mailbox.  Holds client connections and nothing
 * else: no file, no key, no mailbox.  RFC 3501.
 */
#include "common/net/front.h"
#include "imapd/login.h"

int
main(void)
{
	return front_main(&(struct front_service){
		.name = "imapd",
		.self = R_IMAPD,
		.service = SERVICE_IMAP,
		.listener = "imap",
		.login = &imap_login_ops,
		.sessions_max = C_IMAP_SESSIONS_MAX,
		.sessions_per_address = C_IMAP_SESSIONS_PER_ADDRESS,
		.login_time = C_IMAP_LOGIN_TIME,
	});
}
