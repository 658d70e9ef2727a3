/*
 * report - see report.h.
 */
#include "mailboxd/report.h"

#include "common/core/loop.h"

enum { LATE_MS = 10 * 1000 };

static struct {
	struct mbox		*mbox;
	struct chan		*monitor;
	uint64_t		 mailbox;
	struct quota		 told, limit;
	struct loop_timer	*late;
	bool			 is_due;	/* at the end of the turn */
} rp;

static void
say(void)
{
	struct quota used = mbox_usage(rp.mbox);

	/* A monitor that does not read now is told later. */
	if (chan_is_full(rp.monitor)) {
		loop_timer_set(rp.late, LATE_MS);
		return;
	}
	chan_send_owner_usage(rp.monitor, &(struct msg_owner_usage){
		.mailbox = rp.mailbox,
		.size = used.size,
		.messages = used.messages,
	}, -1);
	rp.told = used;
	loop_timer_stop(rp.late);
}

void
report_rest(void)
{
	if (!quota_is_equal(mbox_usage(rp.mbox), rp.told))
		say();
}

/* The turn may have what is not durable, and what waits may never be. */
static void
on_late(void *arg)
{
	(void)arg;
	rp.is_due = true;
}

void
report_turn(void)
{
	struct quota used = mbox_usage(rp.mbox);

	if (rp.is_due) {
		rp.is_due = false;
		say();
		return;
	}
	if (quota_is_equal(used, rp.told))
		return;
	if (quota_is_news(rp.limit, rp.told, used))
		say();
	else if (!loop_timer_pending(rp.late))
		loop_timer_set(rp.late, LATE_MS);
}

int
report_ask(const struct msg_owner_ask *m)
{
	if (m->mailbox != rp.mailbox)
		return -1;
	rp.is_due = true;
	return 0;
}

int
report_limit(const struct msg_owner_quota *m)
{
	if (m->mailbox != rp.mailbox)
		return -1;
	rp.limit = (struct quota){ m->size, m->messages };
	mbox_limit(rp.mbox, rp.limit);
	return 0;
}

void
report_prepare(void)
{
	rp.late = loop_timer(on_late, NULL);
}

void
report_start(struct mbox *mbox, uint64_t mailbox, struct chan *monitor)
{
	rp.mbox = mbox;
	rp.mailbox = mailbox;
	rp.monitor = monitor;
	say();
}
