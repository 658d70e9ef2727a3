/*
 * imap_login_fuzz - IMAP before the login.  The first byte says how the
 * input is cut; whole and in pieces it must say, ask and leave the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "imapd/login.h"
#include "tests/lib/feed.h"
#include "tests/lib/login_rig.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct login_rig a, b;
	struct str	 in;

	if (n == 0)
		return 0;
	in = str_of(p + 1, n - 1);
	login_rig_run(&a, &imap_login_ops, true, 0, in);
	login_rig_run(&b, &imap_login_ops, true,
	    1 + p[0] % (FEED_WAYS - 1), in);
	if (!str_eq(buf_str(&a.got), buf_str(&b.got)) ||
	    a.l->state != b.l->state)
		abort();
	/* Behind an end by a limit, how much is dropped may differ. */
	if (a.l->state == LOGIN_IN &&
	    !str_eq(buf_str(&a.left), buf_str(&b.left)))
		abort();
	login_rig_clear(&a);
	login_rig_clear(&b);
	return 0;
}
