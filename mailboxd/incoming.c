/*
 * incoming - see incoming.h.
 */
#include "mailboxd/incoming.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "common/core/log.h"
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
};

/* An answer that waits for the disk. */
struct due {
	STAILQ_ENTRY(due)	 next;
	struct incoming		*in;
	uint64_t		 qid;
	enum deliver_result	 result;
};

static LIST_HEAD(, incoming) all = LIST_HEAD_INITIALIZER(all);
static STAILQ_HEAD(, due) dues = STAILQ_HEAD_INITIALIZER(dues);

static const struct verdict {
	enum job_status	 status;
	const char	*detail;
} verdicts[] = {
	[DELIVER_OK] = { JOB_DONE, "2.1.5 delivered" },
	[DELIVER_AGAIN] = { JOB_DONE, "2.1.5 delivered already" },
	[DELIVER_FULL] = { JOB_TEMP, "4.2.2 the mailbox is full" },
	[DELIVER_LARGE] = { JOB_PERM, "5.2.3 the message is too large" },
	[DELIVER_BAD] = { JOB_PERM, "5.6.0 the message makes no sense" },
	[DELIVER_ERROR] = { JOB_TEMP, "4.3.0 the mailbox has a problem" },
};

static void
add_due(struct incoming *in, enum deliver_result r)
{
	struct due *d = xcalloc(1, sizeof(*d));

	*d = (struct due){ .in = in, .qid = in->qid, .result = r };
	STAILQ_INSERT_TAIL(&dues, d, next);
	in->deliver = NULL;
}

void
incoming_answer(void)
{
	const struct verdict	*v;
	struct due		*d;

	while ((d = STAILQ_FIRST(&dues)) != NULL) {
		STAILQ_REMOVE_HEAD(&dues, next);
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
	return STAILQ_EMPTY(&dues);
}

/* -- messages --------------------------------------------------------- */

static void
finish_if_whole(struct incoming *in)
{
	if (in->deliver != NULL && in->left == 0)
		add_due(in, deliver_end(in->deliver));
}

static int
on_deliver(struct incoming *in, const struct msg_deliver *m, int fd)
{
	struct deliver_new	new = { .qid = m->qid,
	    .date = (int64_t)(m->received / 1000), .sender = m->sender,
	    .rcpt = m->rcpt, .size = m->size };
	struct deliver		*d = NULL;
	enum deliver_result	 r;

	if (in->deliver != NULL || in->left > 0)
		return -1;
	in->qid = m->qid;
	in->left = fd == -1 ? m->size : 0;
	r = deliver_begin(in->mbox, &new, &d);
	if (r == DELIVER_OK && fd != -1) {
		r = deliver_fd(d, fd);
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
on_down(struct chan *c)
{
	struct incoming	*in = chan_arg(c);
	struct due	*d;

	if (in->deliver != NULL)
		deliver_abort(in->deliver);
	STAILQ_FOREACH(d, &dues, next) {
		if (d->in == in)
			d->in = NULL;
	}
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
