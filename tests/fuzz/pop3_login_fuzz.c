/*
 * pop3_login_fuzz - POP3 before the login; see login_rig_fuzz.
 */
#include "pop3d/login.h"
#include "tests/lib/login_rig.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	login_rig_fuzz(&pop3_login_ops, p, n);
	return 0;
}
