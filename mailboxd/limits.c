/*
 * limits - see limits.h.
 */
#include "mailboxd/limits.h"

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"

/* As authd has it: no mailbox holds more. */
static const uint64_t size_max = (uint64_t)1 << 50;
static const uint64_t messages_max = (uint64_t)1 << 40;

static struct {
	struct owners		*owners;
	void			(*go)(struct owner *);
	struct chan		*authd;
	struct loop_timer	*late;
	unsigned		 held;
} li;

static void
ask(struct owner *o)
{
	if (li.authd == NULL || !o->reported)
		return;
	o->behind = o->asked;
	if (o->asked)
		return;
	o->asked = true;
	chan_send_usage(li.authd, &(struct msg_usage){
		.mailbox = o->mailbox,
		.size = o->used.size,
		.messages = o->used.messages,
	}, -1);
}

void
limits_forget(struct owner *o)
{
	if (!o->holds)
		return;
	o->holds = false;
	li.held--;
	if (li.held == 0)
		loop_timer_stop(li.late);
}

static void
release(struct owner *o)
{
	if (!o->holds)
		return;
	limits_forget(o);
	li.go(o);
}

/* Who has waited so long; li.go adds and removes no owner. */
static unsigned
release_after(int64_t ms)
{
	struct owner	*o;
	unsigned	 n = 0;

	for (o = owners_next(li.owners, NULL); o != NULL;
	    o = owners_next(li.owners, o)) {
		if (!o->holds || clock_now() - o->since < ms)
			continue;
		release(o);
		n++;
	}
	return n;
}

static void
on_late(void *arg)
{
	unsigned n;

	(void)arg;
	n = release_after(LIMITS_WAIT_MS);
	if (n > 0)
		log_warn("authd is slow: without limits for now",
		    L_NUM("mailboxes", n));
	if (li.held > 0)
		loop_timer_set(li.late, LIMITS_WAIT_MS / 2);
}

int
limits_used(struct owner *o, const struct msg_owner_usage *m)
{
	if (m->mailbox != o->mailbox || m->size > size_max ||
	    m->messages > messages_max)
		return -1;
	o->used = (struct quota){ m->size, m->messages };
	o->reported = true;
	ask(o);
	return 0;
}

bool
limits_hold(struct owner *o)
{
	if (o->limited || !o->asked)
		return false;
	if (o->holds)
		return true;
	o->holds = true;
	o->since = clock_now();
	li.held++;
	if (!loop_timer_pending(li.late))
		loop_timer_set(li.late, LIMITS_WAIT_MS);
	return true;
}

void
limits_told(const struct msg_quota *m)
{
	const struct quota	limit = { m->size, m->messages };
	struct owner		*o = owners_find(li.owners, m->mailbox);

	if (o == NULL || o->ctl == NULL)
		return;
	if (!o->limited || !quota_is_equal(limit, o->limit))
		chan_send_owner_quota(o->ctl, &(struct msg_owner_quota){
			.mailbox = o->mailbox,
			.size = limit.size,
			.messages = limit.messages,
		}, -1);
	o->limit = limit;
	o->limited = true;
	o->asked = false;
	if (o->behind)
		ask(o);
	release(o);
}

void
limits_link(struct chan *authd)
{
	struct owner *o;

	li.authd = authd;
	for (o = owners_next(li.owners, NULL); o != NULL;
	    o = owners_next(li.owners, o)) {
		o->asked = false;
		ask(o);
	}
	if (authd == NULL)
		(void)release_after(0);
}

void
limits_init(struct owners *owners, void (*go)(struct owner *))
{
	li.owners = owners;
	li.go = go;
	li.late = loop_timer(on_late, NULL);
}
