/*
 * hold - what the end of a turn waits for.  Part of mbox.h.
 */
#include "mailboxd/mbox.h"

int
mbox_hold(struct mbox *m, const struct intake *in)
{
	/* What is answered already does not wait for a large file. */
	if (in->place == BODY_FILE && m->large.waiting == 0 &&
	    !reclog_is_synced(m->log) && mbox_sync(m) == MBOX_DEAD)
		return -1;
	return large_hold(&m->large, in);
}

bool
mbox_is_waiting(const struct mbox *m)
{
	return m->large.waiting > 0;
}

bool
mbox_is_urgent(const struct mbox *m)
{
	return m->urgent || (m->conf.flags_sync && m->changed);
}
