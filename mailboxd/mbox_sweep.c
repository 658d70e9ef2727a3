/*
 * mbox_sweep - files of large bodies that no record names, when a mailbox is
 * opened; see mbox.h.  Runs in the owner.
 */
#include "mailboxd/mbox.h"

static bool
is_named(void *arg, uint64_t id)
{
	struct mbox		*m = arg;
	struct state_body	 body;
	struct buf		 scratch;
	int			 r;

	buf_init(&scratch, INDEX_VALUE_MAX);
	r = m->dead ? -1 : mbox_body(m, id, &scratch, &body);
	buf_clear(&scratch);
	return r != 0;
}

/* A damaged record may be the one that names a file. */
static bool
may_sweep(const struct mbox_report *report)
{
	return report->log.quarantined == 0 && report->log.damaged == 0 &&
	    report->skipped == 0;
}

struct strangers {
	struct mbox	*m;
	bool		 any;
};

static bool
is_stranger(void *arg, uint64_t id)
{
	struct strangers *s = arg;

	if (!is_named(s->m, id))
		s->any = true;
	return true;
}

bool
mbox_has_strangers(struct mbox *m, const struct mbox_report *report)
{
	struct strangers s = { .m = m };

	return may_sweep(report) &&
	    (bodyfile_sweep(&m->large.files, is_stranger, &s) == -1 || s.any);
}

void
mbox_sweep(struct mbox *m, struct mbox_report *report)
{
	int n;

	if (!may_sweep(report))
		return;
	n = bodyfile_sweep(&m->large.files, is_named, m);
	report->swept += n > 0 ? (uint64_t)n : 0;
}
