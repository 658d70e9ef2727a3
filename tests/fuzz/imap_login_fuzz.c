/*
 * imap_login_fuzz - IMAP before the login; see login_rig_fuzz.
 */
#include "imapd/login.h"
#include "tests/lib/login_rig.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	login_rig_fuzz(&imap_login_ops, p, n);
	return 0;
}
