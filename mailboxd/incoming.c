/*
 * incoming - see incoming.h.
 */
#include "mailboxd/incoming.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"
#include "common/ipc/chan.h"
#include "mailboxd/deliver.h"

/* A channel and the message that is under way on it. */
struct incoming {
	LIST_ENTRY(incoming)	 next;
	struct mbox		*mbox;
	struct chan		*chan;
	struct deliver		*deliver;	/* NULL: it was refused */
	uint64_t		 qid, left;	/* octets still to come */
	size_t			 size;
};

/* A message that is whole, or an answer that waits for the disk. */
struct due {
	TAILQ_ENTRY(due)	 next;
	struct incoming		*in;		/* NULL: it went away */
	struct deliver		*deliver;	/* not in a frame yet */
	uint64_t		 qid;
	size_t			 size;
	enum deliver_result	 result;
};
TAILQ_HEAD(dues, due);

static LIST_HEAD(, incoming) all = LIST_HEAD_INITIALIZER(all);
static struct dues	 waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct dues	 dues = TAILQ_HEAD_INITIALIZER(dues);
static struct loop_timer *timer;
static int64_t		 last;		/* when a batch went */
static int64_t		 came;		/* the last message */

static const struct verdict {
	enum job_status	 status;
	const char	*detail;
} verdicts[] = {
	[DELIVER_OK] = { JOB_DONE, "2.1.5 delivered" },
	[DELIVER_AGAIN] = { JOB_DONE, "2.1.5 delivered already" },
	[DELIVER_FULL] = { JOB_TEMP, "4.2.2 the mailbox is full" },
	[DELIVER_QUOTA] = { JOB_TEMP, "4.2.2 the mailbox is over its quota" },
	[DELIVER_LARGE] = { JOB_PERM, "5.2.3 the message is too large" },
	[DELIVER_BAD] = { JOB_PERM, "5.6.0 the message makes no sense" },
	[DELIVER_ERROR] = { JOB_TEMP, "4.3.0 the mailbox has a problem" },
};

static void
add_due(struct incoming *in, enum deliver_result r)
{
	struct due *d = xcalloc(1, sizeof(*d));

	*d = (struct due){ .in = in, .qid = in->qid, .result = r };
	TAILQ_INSERT_TAIL(&dues, d, next);
	in->deliver = NULL;
}

void
incoming_answer(void)
{
	const struct verdict	*v;
	struct due		*d;

	while ((d = TAILQ_FIRST(&dues)) != NULL) {
		TAILQ_REMOVE(&dues, d, next);
		v = &verdicts[d->result];
		log_info("delivered", L_QID(d->qid), L_Z("detail", v->detail));
		if (d->in != NULL)
			chan_send_delivered(d->in->chan,
			    &(struct msg_delivered){
				.qid = d->qid,
				.status = (uint8_t)v->status,
				.detail = str_c(v->detail),
			    }, -1);
		free(d);
	}
}

unsigned
incoming_count(void)
{
	struct incoming	*in;
	unsigned	 n = 0;

	LIST_FOREACH(in, &all, next)
		n++;
	return n;
}

bool
incoming_is_idle(void)
{
	struct incoming *in;

	LIST_FOREACH(in, &all, next) {
		if (in->deliver != NULL || in->left > 0)
			return false;
	}
	return TAILQ_EMPTY(&waiting) && TAILQ_EMPTY(&dues);
}

/* -- companions ------------------------------------------------------- */

/* When those that are ready go: a time, or INT64_MAX. */
static int64_t
due_at(void)
{
	const struct due	*d;
	unsigned		 n = 0;
	size_t			 bytes = 0;

	TAILQ_FOREACH(d, &waiting, next) {
		if (!deliver_is_ready(d->deliver))
			continue;
		n++;
		bytes += d->size;
	}
	if (n == 0)
		return INT64_MAX;
	if (n >= COMPANIONS_MAX || bytes >= COMPANIONS_BYTES)
		return clock_now();
	return came + COMPANIONS_GAP_MS < last + COMPANIONS_MS ?
	    came + COMPANIONS_GAP_MS : last + COMPANIONS_MS;
}

void
incoming_collect(bool now)
{
	struct due	*d, *next;
	int64_t		 at = due_at();

	loop_timer_stop(timer);
	if (at == INT64_MAX)
		return;
	if (!now && at > clock_now()) {
		loop_timer_set(timer, at - clock_now());
		return;
	}
	last = clock_now();
	for (d = TAILQ_FIRST(&waiting); d != NULL; d = next) {
		next = TAILQ_NEXT(d, next);
		if (!deliver_is_ready(d->deliver))
			continue;
		d->result = deliver_end(d->deliver);
		d->deliver = NULL;
		TAILQ_REMOVE(&waiting, d, next);
		TAILQ_INSERT_TAIL(&dues, d, next);
	}
}

/* The hook of the turn does the rest. */
static void
on_time(void *arg)
{
	(void)arg;
}

void
incoming_init(void)
{
	timer = loop_timer(on_time, NULL);
	last = clock_now() - COMPANIONS_MS;
}

/* -- messages --------------------------------------------------------- */

static void
finish_if_whole(struct incoming *in)
{
	struct due		*d;
	enum deliver_result	 r;

	if (in->deliver == NULL || in->left > 0)
		return;
	r = deliver_whole(in->deliver);
	if (r != DELIVER_OK) {
		deliver_abort(in->deliver);
		add_due(in, r);
		return;
	}
	d = xcalloc(1, sizeof(*d));
	*d = (struct due){ .in = in, .qid = in->qid, .size = in->size,
	    .deliver = in->deliver };
	TAILQ_INSERT_TAIL(&waiting, d, next);
	in->deliver = NULL;
	came = clock_now();
}

static int
on_deliver(struct incoming *in, const struct msg_deliver *m, int fd)
{
	struct deliver_new	new = { .qid = m->qid,
	    .date = (int64_t)(m->received / 1000), .sender = m->sender,
	    .rcpt = m->rcpt, .size = m->size };
	struct deliver		*d = NULL;
	enum deliver_result	 r;

	if (in->deliver != NULL || in->left > 0 ||
	    m->hash.n != (fd == -1 ? 0 : MSG_HASH))
		return -1;
	in->size = (size_t)m->size;
	in->qid = m->qid;
	in->left = fd == -1 ? m->size : 0;
	r = deliver_begin(in->mbox, &new, &d);
	if (r == DELIVER_OK && fd != -1) {
		r = deliver_fd(d, fd, (const unsigned char *)m->hash.p);
		if (r != DELIVER_OK) {
			deliver_abort(d);
			d = NULL;
		}
	}
	/* Refused already: its content is passed over. */
	if (r != DELIVER_OK) {
		add_due(in, r);
		return 0;
	}
	in->deliver = d;
	finish_if_whole(in);
	return 0;
}

static int
on_data(struct incoming *in, const struct msg_deliver_data *m)
{
	enum deliver_result r = DELIVER_OK;

	if (m->qid != in->qid || m->chunk.n > in->left)
		return -1;
	in->left -= m->chunk.n;
	if (in->deliver == NULL)
		return 0;
	r = deliver_data(in->deliver, m->chunk);
	if (r != DELIVER_OK) {
		deliver_abort(in->deliver);
		add_due(in, r);
		return 0;
	}
	finish_if_whole(in);
	return 0;
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	struct incoming	*in = chan_arg(c);
	int		 rc = -1;

	if (m->type == MSG_DELIVER)
		rc = on_deliver(in, &m->deliver, fd);
	else if (m->type == MSG_DELIVER_DATA)
		rc = on_data(in, &m->deliver_data);
	if (fd != -1)
		close(fd);
	return rc;
}

static void
forget_channel(struct dues *l, const struct incoming *in)
{
	struct due *d;

	TAILQ_FOREACH(d, l, next) {
		if (d->in == in)
			d->in = NULL;
	}
}

/* What is whole is delivered, and nobody is told. */
static void
on_down(struct chan *c)
{
	struct incoming	*in = chan_arg(c);

	if (in->deliver != NULL)
		deliver_abort(in->deliver);
	forget_channel(&waiting, in);
	forget_channel(&dues, in);
	LIST_REMOVE(in, next);
	free(in);
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

void
incoming_open(struct mbox *mbox, int fd)
{
	struct incoming *in = xcalloc(1, sizeof(*in));

	in->mbox = mbox;
	in->chan = chan_new(fd, R_OWNER, R_LOCAL, &ops, in);
	LIST_INSERT_HEAD(&all, in, next);
}
