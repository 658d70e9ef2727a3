/*
 * owner - see owner.h.
 *
 * The order of a turn is the promise that this system makes: everything that
 * the turn did is made durable first; then deliveries are acknowledged and
 * clients are answered.  What an engine says after that waits for the next
 * turn.  If the disk fails, the process ends and nobody was told anything.
 */
#include "mailboxd/owner.h"

#include <errno.h>
#include <malloc.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/ipc/chan.h"
#include "common/net/stream.h"
#include "mailboxd/hello.h"
#include "mailboxd/helper.h"
#include "mailboxd/incoming.h"
#include "mailboxd/conn.h"
#include "mailboxd/report.h"
#include "mailboxd/scrubber.h"
#include "mailboxd/store.h"

enum {
	LOCK_TRIES = 400,	/* for the owner before us to be gone */
	LOCK_WAIT_NS = 5 * 1000 * 1000,
	SYNC_MS = 1000,		/* flags wait for the disk at most so long */
	RESERVE_SHARE = 20,	/* of the disk: 5 % */
	ASK_MS = 1000,		/* between two questions whether to go */
	UPKEEP_FIRST_MS = 500,	/* after the turn that made it due */
	UPKEEP_BUSY_MS = 100,	/* while sessions have work, so often: */
	UPKEEP_BUSY_MAX = 50,
	UPKEEP_SHARE = 4,	/* of five parts of the time are others' */
	UPKEEP_LAST_MS = 60 * 1000,	/* it keeps us from going this long */
	MEMORY_DAYS = 7,	/* deliveries are known beyond queue.life */
	DAY = 86400
};

static struct {
	uint64_t		 mailbox;
	struct mbox		*mbox;
	struct store		 store;
	struct chan		*ctl;
	struct conns		 sessions;
	unsigned		 nsessions;
	struct loop_timer	*linger, *sync, *upkeep;
	int64_t			 idle_since;	/* or -1 */
	bool			 upkeep_due;	/* in this turn */
	bool			 busy;		/* sessions had work left */
	unsigned		 postponed;
	uint64_t		 received;	/* pieces of work */
	bool			 done;
} ow;

/* -- the end ---------------------------------------------------------- */

static bool
is_idle(void)
{
	return TAILQ_EMPTY(&ow.sessions) && incoming_is_idle() &&
	    scrubber_is_idle();
}

static void
stop(void)
{
	ow.done = true;
	loop_stop();
}

/* Whether there is upkeep to be done before we go; it goes on by itself. */
static bool
is_busy(void)
{
	if (!mbox_wants_upkeep(ow.mbox))
		return false;
	if (ow.idle_since == -1)
		ow.idle_since = clock_now();
	return clock_now() - ow.idle_since < UPKEEP_LAST_MS;
}

static void
on_linger(void *arg)
{
	(void)arg;
	if (!is_idle())
		return;
	if (is_busy()) {
		loop_timer_set(ow.linger, ASK_MS);
		return;
	}
	report_rest();
	chan_send_owner_idle(ow.ctl, &(struct msg_owner_idle){ ow.received },
	    -1);
	/* No answer: something is on its way, or there is no monitor now. */
	loop_timer_set(ow.linger, ASK_MS +
	    1000 * (int64_t)conf_num(C_MAILBOX_LINGER));
}

static void
say_ready(void)
{
	chan_send_owner_ready(ow.ctl, &(struct msg_owner_ready){
		.mailbox = ow.mailbox,
		.pid = (uint32_t)getpid(),
	}, -1);
}

static void
on_go(const struct msg_owner_go *m)
{
	if (is_idle() && m->n == ow.received)
		stop();
	else
		say_ready();
}

/* -- the turn --------------------------------------------------------- */

static _Noreturn void
fail_mailbox(void)
{
	log_error("the mailbox failed", L_NUM("mailbox", ow.mailbox));
	log_flush();
	_exit(1);
}

/* Answers may leave after it. */
static void
commit(bool now)
{
	switch (now ? mbox_sync(ow.mbox) : mbox_turn(ow.mbox)) {
	case MBOX_OK:
		loop_timer_stop(ow.sync);
		return;
	case MBOX_LATER:
		if (!loop_timer_pending(ow.sync))
			loop_timer_set(ow.sync, SYNC_MS);
		return;
	case MBOX_DEAD:
		fail_mailbox();
	}
}

static void
on_sync(void *arg)
{
	(void)arg;
	commit(true);
}

/* What nobody waits for: when nobody has work, or has had it for long. */
static void
on_upkeep(void *arg)
{
	(void)arg;
	if (ow.busy && ow.postponed < UPKEEP_BUSY_MAX) {
		ow.postponed++;
		loop_timer_set(ow.upkeep, UPKEEP_BUSY_MS);
		return;
	}
	ow.postponed = 0;
	ow.upkeep_due = true;
}

/* One step, behind what the turn has answered. */
static void
do_upkeep(void)
{
	int64_t from = clock_now();

	ow.upkeep_due = false;
	if (mbox_upkeep(ow.mbox) == MBOX_DEAD)
		fail_mailbox();
	clock_tick();
	if (mbox_wants_upkeep(ow.mbox))
		loop_timer_set(ow.upkeep, is_idle() ? 0 :
		    1 + UPKEEP_SHARE * (clock_now() - from));
}

static void
update_linger(void)
{
	if (!is_idle()) {
		loop_timer_stop(ow.linger);
		ow.idle_since = -1;
	} else if (!loop_timer_pending(ow.linger)) {
		loop_timer_set(ow.linger,
		    1000 * (int64_t)conf_num(C_MAILBOX_LINGER));
	}
	if (!loop_timer_pending(ow.upkeep) && mbox_wants_upkeep(ow.mbox))
		loop_timer_set(ow.upkeep, UPKEEP_FIRST_MS);
}

static void
on_turn(void *arg)
{
	struct conn	*s, *after;
	bool		 again = false;

	(void)arg;
	incoming_collect(mbox_is_urgent(ow.mbox));
	commit(ow.upkeep_due);
	report_turn();
	incoming_answer();
	for (s = TAILQ_FIRST(&ow.sessions); s != NULL; s = conn_next(s))
		conn_send(s);
	if (ow.upkeep_due)
		do_upkeep();
	for (s = TAILQ_FIRST(&ow.sessions); s != NULL; s = after) {
		after = conn_next(s);
		if (conn_is_over(s)) {
			conn_unlink(&ow.sessions, s);
			ow.nsessions--;
			conn_free(s);
			again = true;
		} else if (conn_work(s))
			again = true;
	}
	if (scrubber_turn())
		again = true;
	if (scrubber_is_over() && is_idle())
		on_linger(NULL);
	if (again)
		loop_again();
	ow.busy = again;
	update_linger();
}

/* -- the monitor ------------------------------------------------------ */

/* RFC 1939 4: a POP3 session has the maildrop alone, among its like. */
static bool
is_locked(unsigned service)
{
	const struct conn *s;

	if (service != SERVICE_POP3)
		return false;
	for (s = TAILQ_FIRST(&ow.sessions); s != NULL; s = conn_next(s)) {
		if (conn_is_pop3(s) && !conn_is_over(s))
			return true;
	}
	return false;
}

static int
on_session(const struct msg_owner_session *m, int fd)
{
	struct conn *s;

	if (m->service != SERVICE_IMAP && m->service != SERVICE_POP3) {
		close(fd);
		return -1;
	}
	ow.received++;
	if (ow.nsessions == OWNER_SESSIONS_MAX) {
		log_warn("too many sessions", L_SID(m->sid),
		    L_STR("user", m->user));
		hello_refuse(fd, UNAVAILABLE_NOW);
		return 0;
	}
	if (is_locked(m->service)) {
		log_info("maildrop is locked", L_SID(m->sid),
		    L_STR("user", m->user));
		hello_refuse(fd, UNAVAILABLE_IN_USE);
		return 0;
	}
	s = conn_new(&ow.store, fd, m);
	if (s != NULL) {
		conn_link(&ow.sessions, s);
		ow.nsessions++;
	}
	return 0;
}

static int
on_monitor(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	if (m->type == MSG_OWNER_SESSION)
		return on_session(&m->owner_session, fd);
	if (m->type == MSG_OWNER_DELIVERY) {
		ow.received++;
		if (incoming_count() < OWNER_CHANNELS_MAX)
			incoming_open(ow.mbox, fd);
		else
			close(fd);
		return 0;
	}
	if (m->type == MSG_OWNER_SCRUB) {
		ow.received++;
		scrubber_begin(ow.mbox, ow.ctl, m->owner_scrub.n);
		return 0;
	}
	if (m->type == MSG_HELPER_HERE) {
		helper_here(fd);
		return 0;
	}
	if (m->type == MSG_OWNER_QUOTA)
		return report_limit(&m->owner_quota);
	if (m->type == MSG_OWNER_ASK)
		return report_ask(&m->owner_ask);
	if (m->type != MSG_OWNER_GO)
		return -1;
	on_go(&m->owner_go);
	return 0;
}

/* The monitor may come again; this end comes when nobody keeps the other. */
static void
on_monitor_down(struct chan *c)
{
	(void)c;
	stop();
}

static const struct chan_ops monitor_ops = {
	.on_msg = on_monitor,
	.on_down = on_monitor_down,
};

/* -- life ------------------------------------------------------------- */

/* As for the queue: a small disk is not all reserve. */
static uint64_t
reserve_of(int dir)
{
	struct statvfs	v;
	uint64_t	most = conf_num(C_MAILBOX_RESERVE), share;

	if (fstatvfs(dir, &v) == -1)
		return most;
	share = (uint64_t)v.f_blocks * v.f_frsize / RESERVE_SHARE;
	return share < most ? share : most;
}

static int
open_mailbox(int dir, uint64_t epoch, struct mbox_report *report)
{
	const struct timespec	wait = { 0, LOCK_WAIT_NS };
	struct mbox_conf	conf = {
		.dirfd = dir,
		.epoch = epoch,
		.segment_max = conf_num(C_MAILBOX_SEGMENT),
		.reserve = reserve_of(dir),
		.message_max = (uint32_t)conf_num(C_MAILBOX_MESSAGE_MAX),
		.inline_max = MBOX_INLINE_MAX,
		.flags_sync = conf_is(C_MAILBOX_FLAGS_SYNC),
		.bulk = helper_init(ow.mailbox, HELPER_WAIT_MS,
		    HELPER_IDLE_MS),
		.undelete = conf_num(C_MAILBOX_UNDELETE),
		.delivered = conf_num(C_QUEUE_LIFE) + MEMORY_DAYS * DAY,
	};
	int			tries, rc = -1;

	/* Its predecessor closes its channel before its lock. */
	for (tries = 0; tries < LOCK_TRIES; tries++) {
		rc = mbox_open(&conf, &ow.mbox, report);
		if (rc == 0 || errno != EAGAIN)
			break;
		nanosleep(&wait, NULL);
	}
	return rc;
}

void
owner_prepare(void)
{
	TAILQ_INIT(&ow.sessions);
	loop_init();
	loop_hook(on_turn, NULL);
	chan_init();
	stream_init();
	incoming_init();
	ow.linger = loop_timer(on_linger, NULL);
	ow.sync = loop_timer(on_sync, NULL);
	report_prepare();
	ow.upkeep = loop_timer(on_upkeep, NULL);
	ow.idle_since = -1;
}

int
owner_main(const struct place *p, int ctl, int dir)
{
	struct mbox_report report;

	ow.mailbox = p->mailbox;
	if (open_mailbox(dir, p->epoch, &report) == -1)
		fatal("open mailbox %llu", (unsigned long long)p->mailbox);
	if (report.no_index || report.skipped > 0)
		log_warn("mailbox opened", L_NUM("mailbox", p->mailbox),
		    L_NUM("no_index", report.no_index),
		    L_NUM("skipped", report.skipped));
	else if (report.rebuilt && report.replayed > 0)
		log_info("index made again", L_NUM("mailbox", p->mailbox),
		    L_NUM("records", report.replayed));
	/* What opening took for a moment: an active mailbox is to be small. */
	(void)malloc_trim(0);
	ow.store = mbox_store(ow.mbox);
	ow.ctl = chan_new(ctl, R_OWNER, R_MAILBOXD, &monitor_ops, NULL);
	helper_by(ow.ctl);
	report_start(ow.mbox, ow.mailbox, ow.ctl);
	say_ready();
	if (!ow.done && loop_run() == -1)
		fatal("event loop");
	scrubber_end();
	mbox_close(ow.mbox);
	log_flush();
	return 0;
}
