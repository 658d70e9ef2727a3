/*
 * helper - see helper.h.
 */
#include "mailboxd/helper.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/loop.h"

static struct {
	uint64_t		 mailbox;
	struct bulk		*bulk;
	struct chan		*monitor;
	struct loop_timer	*timer;	/* of the wait, then of idling */
	int64_t			 wait_ms, idle_ms;
	bool			 asked, here;
} hp;

static void
need(void *arg)
{
	(void)arg;
	hp.here = false;
	if (hp.asked)
		return;
	hp.asked = true;
	chan_send_helper_want(hp.monitor, &(struct msg_helper_want){
	    hp.mailbox }, -1);
	loop_timer_set(hp.timer, hp.wait_ms);
}

static void
on_timer(void *arg)
{
	(void)arg;
	if (hp.asked) {
		/* The monitor may have gone down with the question. */
		log_error("no helper", L_NUM("mailbox", hp.mailbox));
		hp.asked = false;
		bulk_fail(hp.bulk, ETIMEDOUT);
	} else if (hp.here && bulk_is_idle(hp.bulk)) {
		bulk_detach(hp.bulk);
		hp.here = false;
	} else if (hp.here)
		loop_timer_set(hp.timer, hp.idle_ms);
}

void
helper_here(int fd)
{
	/* One that comes too late; the monitor has a copy, too. */
	if (!hp.asked) {
		shutdown(fd, SHUT_RDWR);
		close(fd);
		return;
	}
	hp.asked = false;
	hp.here = true;
	bulk_attach(hp.bulk, fd);
	loop_timer_set(hp.timer, hp.idle_ms);
}

void
helper_by(struct chan *monitor)
{
	hp.monitor = monitor;
}

struct bulk *
helper_init(uint64_t mailbox, int64_t wait_ms, int64_t idle_ms)
{
	hp.mailbox = mailbox;
	hp.wait_ms = wait_ms;
	hp.idle_ms = idle_ms;
	hp.bulk = bulk_new(need, NULL);
	hp.timer = loop_timer(on_timer, NULL);
	return hp.bulk;
}

void
helper_clear(void)
{
	bulk_free(hp.bulk);
	loop_timer_free(hp.timer);
	memset(&hp, 0, sizeof(hp));
}
