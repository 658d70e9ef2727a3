/*
 * control - see control.h.
 *
 * A run belongs to the channel that asked for it and is one mailbox after the
 * other.  A call waits until there is news or a second has gone; its cursor
 * says no more than that the run goes on.
 */
#include "mailboxd/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"
#include "common/ipc/scrubrow.h"
#include "mailboxd/monitor.h"
#include "mailboxd/record.h"

enum {
	RUNS_MAX = 8,
	NEWS_MS = 1000,
	SILENCE_MS = 5 * 60 * 1000,	/* an owner is not waited for longer */
	ADDRESS_MAX_ = 320
};

static const struct str cursor = STR_INIT("on");

enum run_state {
	RUN_FINDING,		/* authd is asked which mailbox is next */
	RUN_WAITING,		/* its owner is to be told */
	RUN_SCRUBBING,
	RUN_OVER,		/* with this mailbox */
	RUN_FAILED,		/* with this mailbox; why says it */
	RUN_NO_MORE
};

struct run {
	LIST_ENTRY(run)		 next;
	struct ctl_call		 call;
	bool			 waits;		/* the call, for an answer */
	bool			 is_all;
	enum run_state		 state;
	enum ctl_status		 status;	/* RUN_FAILED */
	const char		*why;
	uint64_t		 question;	/* to authd */
	char			 address[ADDRESS_MAX_ + 1];
	uint64_t		 mailbox;
	uint64_t		 n;		/* of the work, once passed */
	int64_t			 heard;		/* when there last was news */
	struct scrub_counts	 counts;
	struct scrub_damage	*found;
	size_t			 nfound, told;
	/* Of all so far. */
	uint64_t		 mailboxes, damaged, failed;
};

static struct {
	struct link		*authd;
	LIST_HEAD(, run)	 runs;
	unsigned		 nruns;
	uint64_t		 questions;
	struct loop_timer	*tick;
} co;

static void	answer(struct run *);

static void
run_free(struct run *r)
{
	LIST_REMOVE(r, next);
	co.nruns--;
	free(r->found);
	free(r);
}

static struct run *
run_of(const struct chan *c)
{
	struct run *r;

	LIST_FOREACH(r, &co.runs, next) {
		if (r->call.chan == c)
			return r;
	}
	return NULL;
}

/* The one that has work at that mailbox. */
static struct run *
run_at(uint64_t mailbox)
{
	struct run *r;

	LIST_FOREACH(r, &co.runs, next) {
		if (r->mailbox == mailbox && (r->state == RUN_WAITING ||
		    r->state == RUN_SCRUBBING))
			return r;
	}
	return NULL;
}

static void
fail(struct run *r, enum ctl_status status, const char *why)
{
	r->state = RUN_FAILED;
	r->status = status;
	r->why = why;
	log_warn("mailbox not scrubbed", L_Z("address", r->address),
	    L_Z("detail", why));
	answer(r);
}

/* One mailbox's scrub begins when its owner is told, --all when asked for. */
static void
log_begins(const struct run *r, struct str who)
{
	log_info("scrub begins", L_STR("of", who),
	    L_NUM("uid", chan_uid(r->call.chan)));
}

/* -- answers ------------------------------------------------------------- */

/* The one, or with all the next, that authd knows. */
static void
find(struct run *r)
{
	struct chan *c = link_chan(co.authd);

	r->state = RUN_FINDING;
	r->heard = clock_now();
	r->mailbox = 0;
	r->nfound = r->told = 0;
	r->counts = (struct scrub_counts){ 0 };
	if (c == NULL) {
		r->is_all = false;
		fail(r, CTL_FAILED, "authd is not there");
		return;
	}
	r->question = ++co.questions;
	chan_send_mailbox_find(c, &(struct msg_mailbox_find){
	    .id = r->question, .next = r->is_all,
	    .address = str_c(r->address) }, -1);
}

static void
finish(struct run *r)
{
	struct ctl_call call = r->call;

	log_info("scrub done", L_NUM("mailboxes", r->mailboxes),
	    L_NUM("damaged", r->damaged), L_NUM("failed", r->failed));
	if (r->state == RUN_FAILED && !r->is_all)
		ctl_done(&call, r->status, "%s: %s", r->address, r->why);
	else if (r->damaged > 0 || r->failed > 0)
		ctl_done(&call, CTL_FAILED, "%llu damaged in %llu mailboxes, "
		    "%llu not looked at; nothing was changed",
		    (unsigned long long)r->damaged,
		    (unsigned long long)r->mailboxes,
		    (unsigned long long)r->failed);
	else
		ctl_done(&call, CTL_OK, "%s", "");
	run_free(r);
}

/* An owner may say any number, and shall not undo what others said. */
static uint64_t
add_up(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* A mailbox has been told to its end: the next, or that was all. */
static void
leave_mailbox(struct run *r)
{
	if (r->state == RUN_OVER) {
		scrubrow_total(&r->call, str_c(r->address), &r->counts);
		r->damaged = add_up(r->damaged, r->counts.damaged);
		r->mailboxes++;
	} else if (r->state == RUN_FAILED && r->is_all) {
		scrubrow_failed(&r->call, str_c(r->address), str_c(r->why));
		r->failed++;
	}
	if (r->state == RUN_NO_MORE || !r->is_all) {
		finish(r);
		return;
	}
	r->waits = false;
	ctl_done_more(&r->call, cursor, "%llu mailboxes",
	    (unsigned long long)r->mailboxes);
	find(r);
}

static void
answer(struct run *r)
{
	bool		is_over = r->state == RUN_OVER ||
			    r->state == RUN_FAILED || r->state == RUN_NO_MORE;
	unsigned	n;

	if (!r->waits)
		return;
	for (n = 0; r->told < r->nfound && n < CTL_ROWS_TURN; n++, r->told++)
		scrubrow_damage(&r->call, str_c(r->address),
		    r->found[r->told].type == 0 ? NULL :
		    record_name(r->found[r->told].type), &r->found[r->told]);
	if (is_over && r->told == r->nfound) {
		leave_mailbox(r);
		return;
	}
	r->waits = false;
	ctl_done_more(&r->call, cursor, "%s: %llu segments", r->address,
	    (unsigned long long)r->counts.segments);
}

/* Whom it waits for is there, but says nothing. */
static bool
is_silent(const struct run *r)
{
	return (r->state == RUN_FINDING || r->state == RUN_WAITING ||
	    r->state == RUN_SCRUBBING) &&
	    clock_now() - r->heard >= SILENCE_MS;
}

static void
give_up(struct run *r)
{
	if (r->state == RUN_FINDING) {
		r->is_all = false;
		fail(r, CTL_FAILED, "authd does not answer");
	} else
		fail(r, CTL_FAILED, "its process does not answer");
}

static void
on_tick(void *arg)
{
	struct run *r, *after;

	(void)arg;
	for (r = LIST_FIRST(&co.runs); r != NULL; r = after) {
		after = LIST_NEXT(r, next);
		if (is_silent(r))
			give_up(r);
		else
			answer(r);
	}
	if (!LIST_EMPTY(&co.runs))
		loop_timer_set(co.tick, NEWS_MS);
}

/* -- authd and owners ---------------------------------------------------- */

int
control_found(const struct msg_mailbox_found *m)
{
	struct run *r;

	LIST_FOREACH(r, &co.runs, next) {
		if (r->state == RUN_FINDING && r->question == m->id)
			break;
	}
	if (r == NULL)			/* mailctl did not wait */
		return m->id <= co.questions ? 0 : -1;
	if (m->verdict != LOOKUP_OK) {
		if (r->is_all) {
			r->state = RUN_NO_MORE;
			answer(r);
		} else
			fail(r, CTL_NOT_FOUND, "there is no such user");
		return 0;
	}
	memcpy(r->address, m->address.p, m->address.n);
	r->address[m->address.n] = '\0';
	if (run_at(m->mailbox) != NULL) {
		fail(r, CTL_REFUSED, "somebody else scrubs it just now");
		return 0;
	}
	r->mailbox = m->mailbox;
	r->state = RUN_WAITING;
	r->heard = clock_now();
	monitor_work(&(struct work_for){ .mailbox = m->mailbox,
	    .tenant = m->tenant, .shard = m->shard, .fd = -1,
	    .is_scrub = true });
	return 0;
}

void
control_authd_down(void)
{
	struct run *r, *after;

	for (r = LIST_FIRST(&co.runs); r != NULL; r = after) {
		after = LIST_NEXT(r, next);
		if (r->state != RUN_FINDING)
			continue;
		r->is_all = false;
		fail(r, CTL_FAILED, "authd went away");
	}
}

void
control_passed(uint64_t mailbox, uint64_t n)
{
	struct run *r = run_at(mailbox);

	if (r == NULL)
		return;
	r->state = RUN_SCRUBBING;
	r->n = n;
	r->heard = clock_now();
	if (!r->is_all)
		log_begins(r, str_c(r->address));
}

/* NULL: asked for by one who left, or by a monitor before us. */
static struct run *
run_for(uint64_t mailbox, uint64_t n)
{
	struct run *r = run_at(mailbox);

	return r != NULL && r->state == RUN_SCRUBBING && r->n == n ? r : NULL;
}

int
control_damage(uint64_t mailbox, const struct msg_owner_damage *m)
{
	struct run *r = run_for(mailbox, m->n);

	if (m->part > SCRUB_UNREADABLE)
		return -1;
	if (r == NULL || r->nfound == SCRUBROW_MAX)
		return 0;
	if (r->found == NULL)
		r->found = xcalloc(SCRUBROW_MAX, sizeof(*r->found));
	r->found[r->nfound++] = (struct scrub_damage){
		.part = (enum scrub_part)m->part,
		.pos = { m->segment, m->offset },
		.type = m->record, .id = m->id,
	};
	return 0;
}

void
control_scrubbed(uint64_t mailbox, const struct msg_owner_scrubbed *m)
{
	struct run *r = run_for(mailbox, m->n);

	if (r == NULL)
		return;
	/* To say the same for ever is no news. */
	if (m->bytes > r->counts.bytes)
		r->heard = clock_now();
	r->counts = (struct scrub_counts){ .segments = m->segments,
	    .frames = m->frames, .records = m->records, .files = m->files,
	    .bytes = m->bytes, .damaged = m->damaged };
	if (m->last == 0)
		return;
	r->state = RUN_OVER;
	answer(r);
}

void
control_refused(uint64_t mailbox)
{
	struct run *r = run_at(mailbox);

	if (r != NULL)
		fail(r, CTL_FAILED, "the mailbox cannot be opened; see the "
		    "log");
}

void
control_owner_down(uint64_t mailbox)
{
	struct run *r = run_at(mailbox);

	if (r != NULL && r->state == RUN_SCRUBBING)
		fail(r, CTL_FAILED, "its process ended; see the log");
}

/* -- mailctl ------------------------------------------------------------- */

static void
on_scrub(struct ctl_call *call, void *arg)
{
	struct run	*r = run_of(call->chan);
	struct str	 who = call->word[0];
	bool		 is_first = call->word[1].n == 0;

	(void)arg;
	if (is_first == (r != NULL) || (r != NULL && r->waits) ||
	    (!is_first && !str_eq(call->word[1], cursor)) ||
	    who.n > ADDRESS_MAX_ || str_chr(who, '\0') != -1) {
		ctl_done(call, CTL_USAGE, "not an address, or not asked for");
		return;
	}
	if (is_first && co.nruns == RUNS_MAX) {
		ctl_done(call, CTL_FAILED, "too many are asking for it");
		return;
	}
	if (is_first) {
		r = xcalloc(1, sizeof(*r));
		r->is_all = str_eq(who, S("--all"));
		if (!r->is_all)
			memcpy(r->address, who.p, who.n);
		LIST_INSERT_HEAD(&co.runs, r, next);
		co.nruns++;
		loop_timer_set(co.tick, NEWS_MS);
	}
	r->call = *call;
	r->call.n = 0;			/* words are borrowed */
	r->waits = true;
	if (is_first && r->is_all)
		log_begins(r, who);
	if (is_first)
		find(r);
	else if (r->state != RUN_FINDING && r->state != RUN_WAITING &&
	    r->state != RUN_SCRUBBING)
		answer(r);
}

static const struct ctl_handler verbs[] = {
	{ CTL_MAILBOX_SCRUB, on_scrub },
};

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)fd;
	if (m->type != MSG_CTL)
		return -1;
	ctl_dispatch(c, &m->ctl, "mailboxd", verbs,
	    sizeof(verbs) / sizeof(verbs[0]), NULL);
	return 0;
}

static void
on_down(struct chan *c)
{
	struct run *r = run_of(c);

	if (r != NULL)
		run_free(r);
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static int
on_accept(struct chan *c, void *arg)
{
	(void)arg;
	if (ctl_allowed(chan_uid(c)))
		return 0;
	log_warn("control refused", L_NUM("uid", chan_uid(c)));
	return -1;
}

void
control_listen(int fd, struct link *authd)
{
	LIST_INIT(&co.runs);
	co.authd = authd;
	co.tick = loop_timer(on_tick, NULL);
	chan_listen(fd, R_MAILBOXD, R_MAILCTL, &ops, on_accept, NULL);
}
