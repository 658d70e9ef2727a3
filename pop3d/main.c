/*
 * pop3d - the front for POP3: clients up to their login, then their bytes, to
 * and from the owner of the mailbox.  Holds client connections and nothing
 * else: no file, no key, no mailbox.  RFC 1939.
 */
#include "common/net/front.h"
#include "pop3d/login.h"

int
main(void)
{
	return front_main(&(struct front_service){
		.name = "pop3d",
		.self = R_POP3D,
		.service = SERVICE_POP3,
		.listener = "pop3",
		.login = &pop3_login_ops,
		.sessions_max = C_POP3_SESSIONS_MAX,
		.sessions_per_address = C_POP3_SESSIONS_PER_ADDRESS,
		.login_time = C_POP3_LOGIN_TIME,
	});
}
