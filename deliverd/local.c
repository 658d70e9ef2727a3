/*
 * local - see local.h.
 */
#include "deliverd/local.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/map.h"
#include "common/core/xalloc.h"
#include "deliverd/leases.h"

enum {
	TICK = 1000,			/* ms */
	DIAL_MIN = 10, DIAL_MAX = 1000,	/* ms between two tries */
	CHUNK = 60000			/* bytes of a DELIVER_DATA */
};

struct mbox;

struct job {
	TAILQ_ENTRY(job) next;		/* of its mailbox, once it is whole */
	struct lease	*lease;
	struct mbox	*mbox;
	int64_t		 deadline;
	uint64_t	 mailbox, received, size;
	uint32_t	 tenant, shard;
	struct str	 sender, rcpt;	/* ours */
	struct buf	 body;
	int		 fd;		/* of a large content, or -1 */
	char		 hash[MSG_HASH];	/* of that */
	int		 tries;
	bool		 is_sent;
};

struct mbox {
	struct map_node	 node;		/* by number */
	struct chan	*chan;		/* NULL: to be dialled */
	uint32_t	 tenant, shard;
	TAILQ_HEAD(, job) jobs;
	int64_t		 idle_since;
};

static struct {
	struct leases		 leases;
	struct map		 mboxes;
	struct loop_timer	*tick, *dial;
	int			 wait;		/* ms until the next dial */
	uint32_t		 jobs;
	size_t			 memory;	/* bytes of contents */
} lc;

static const struct chan_ops mbox_ops;

/* -- jobs ---------------------------------------------------------------- */

/*
 * Contents come one after the other, so at most one is half here when nothing
 * more is read; the others go their way and make room.
 */
static void
count_memory(size_t more, size_t less)
{
	struct chan	*c = link_chan(lc.leases.queued);
	size_t		 before = lc.memory;

	lc.memory += more;
	lc.memory -= less;
	if (c != NULL && (before > LOCAL_MEMORY) != (lc.memory > LOCAL_MEMORY))
		chan_pause(c, lc.memory > LOCAL_MEMORY);
}

static void
job_free(struct job *j)
{
	count_memory(0, j->body.n);
	if (j->mbox != NULL) {
		TAILQ_REMOVE(&j->mbox->jobs, j, next);
		j->mbox->idle_since = clock_now();
	}
	if (j->fd != -1)
		close(j->fd);
	xfree_str(&j->sender);
	xfree_str(&j->rcpt);
	buf_clear(&j->body);
	free(j);
}

static void
finish(struct job *j, enum job_status status, struct str detail)
{
	struct lease *l = j->lease;

	log_info("job done", L_QID(l->qid), L_NUM("mailbox", j->mailbox),
	    L_NUM("status", status), L_STR("detail", detail));
	job_free(j);
	lease_done_local(&lc.leases, l, status, detail);
}

static void
send_job(struct job *j, struct chan *c)
{
	struct msg_deliver_data	d = { .qid = j->lease->qid };
	struct str		body = buf_str(&j->body);

	j->is_sent = true;
	chan_send_deliver(c, &(struct msg_deliver){ .qid = j->lease->qid,
	    .received = j->received, .sender = j->sender, .rcpt = j->rcpt,
	    .size = j->size, .hash = str_of(j->hash, j->fd == -1 ? 0 :
	    MSG_HASH) }, j->fd);
	while (body.n > 0) {
		d.chunk = str_sub(body, 0, CHUNK);
		chan_send_deliver_data(c, &d, -1);
		body = str_from(body, d.chunk.n);
	}
}

/* -- mailboxes ----------------------------------------------------------- */

static void
mbox_free(struct mbox *m)
{
	chan_close(m->chan);
	map_remove(&lc.mboxes, &m->node);
	free(m);
}

static void
send_waiting(struct mbox *m)
{
	struct job *j;

	TAILQ_FOREACH(j, &m->jobs, next) {
		if (chan_is_full(m->chan))
			return;
		if (!j->is_sent)
			send_job(j, m->chan);
	}
}

/* False if mailboxd cannot be reached now. */
static bool
dial(struct mbox *m)
{
	int fd = chan_dial("mailboxd", SOCK_SEQPACKET);

	if (fd == -1)
		return false;
	/* The monitor hands the channel on: then the owner answers. */
	m->chan = chan_new(fd, R_LOCAL, (enum role)(R_MAILBOXD | R_OWNER),
	    &mbox_ops, m);
	chan_send_deliver_open(m->chan, &(struct msg_deliver_open){
	    .mailbox = m->node.key, .tenant = m->tenant,
	    .shard = m->shard }, -1);
	/* A packet of its own: what follows is for the owner to read. */
	chan_flush(m->chan);
	send_waiting(m);
	return true;
}

static void
dial_later(void)
{
	if (loop_timer_pending(lc.dial))
		return;
	loop_timer_set(lc.dial, lc.wait);
	lc.wait = lc.wait * 2 > DIAL_MAX ? DIAL_MAX : lc.wait * 2;
}

static void
on_dial(void *arg)
{
	uint64_t	 cursor = 0;
	struct mbox	*m;

	(void)arg;
	while ((m = map_walk(&lc.mboxes, &cursor)) != NULL) {
		if (m->chan != NULL)
			continue;
		if (!dial(m)) {
			dial_later();
			return;
		}
	}
}

/* The one that has been idle longest makes room. */
static void
make_room(void)
{
	uint64_t	 cursor = 0;
	struct mbox	*m, *old = NULL;

	if (lc.mboxes.n < LOCAL_CHANNELS_MAX)
		return;
	while ((m = map_walk(&lc.mboxes, &cursor)) != NULL) {
		if (TAILQ_EMPTY(&m->jobs) && (old == NULL ||
		    m->idle_since < old->idle_since))
			old = m;
	}
	if (old != NULL)
		mbox_free(old);
}

static struct mbox *
find_mbox(const struct job *j)
{
	struct mbox *m = map_find(&lc.mboxes, j->mailbox);

	if (m != NULL)
		return m;
	make_room();
	m = xcalloc(1, sizeof(*m));
	m->tenant = j->tenant;
	m->shard = j->shard;
	TAILQ_INIT(&m->jobs);
	map_add(&lc.mboxes, &m->node, j->mailbox);
	return m;
}

/* The content is here. */
static void
start(struct job *j)
{
	struct mbox	*m = find_mbox(j);
	bool		 is_first = TAILQ_EMPTY(&m->jobs);

	j->mbox = m;
	TAILQ_INSERT_TAIL(&m->jobs, j, next);
	if (m->chan != NULL)
		send_waiting(m);
	else if (!is_first || !dial(m))
		dial_later();
}

static struct job *
find_job(struct mbox *m, uint64_t qid)
{
	struct job *j;

	TAILQ_FOREACH(j, &m->jobs, next) {
		if (j->lease->qid == qid)
			return j;
	}
	return NULL;
}

static int
on_delivered(struct chan *c, const struct msg *m, int fd)
{
	struct mbox			*box = chan_arg(c);
	const struct msg_delivered	*d = &m->delivered;
	struct job			*j;

	(void)fd;			/* none of these carries one */
	if (m->type != MSG_DELIVERED || d->status > JOB_PERM)
		return -1;
	/* Not there: it was given up, or asked twice. */
	lc.wait = DIAL_MIN;
	j = find_job(box, d->qid);
	if (j != NULL)
		finish(j, (enum job_status)d->status, d->detail);
	return 0;
}

static void
on_mbox_down(struct chan *c)
{
	struct mbox	*m = chan_arg(c);
	struct job	*j, *next;

	m->chan = NULL;
	for (j = TAILQ_FIRST(&m->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, next);
		if (j->is_sent && ++j->tries == LOCAL_TRIES)
			finish(j, JOB_TEMP, S("4.3.0 the mailbox went away"));
		else
			j->is_sent = false;
	}
	if (TAILQ_EMPTY(&m->jobs))
		mbox_free(m);
	else
		dial_later();
}

static void
on_mbox_room(struct chan *c)
{
	send_waiting(chan_arg(c));
}

static const struct chan_ops mbox_ops = {
	.on_msg = on_delivered, .on_down = on_mbox_down,
	.on_room = on_mbox_room,
};

/* -- queued -------------------------------------------------------------- */

static struct job *
job_new(const struct msg_local_job *m, struct lease *l, int fd)
{
	struct job *j = xcalloc(1, sizeof(*j));

	*j = (struct job){ .lease = l, .fd = fd, .mailbox = m->mailbox,
	    .tenant = m->tenant, .shard = m->shard,
	    .received = m->received, .size = m->size };
	j->deadline = clock_now() + LOCAL_PATIENCE;
	j->sender = xdup(m->sender);
	j->rcpt = xdup(m->rcpt);
	if (fd != -1)
		memcpy(j->hash, m->hash.p, MSG_HASH);
	buf_init(&j->body, LOCAL_BY_VALUE_MAX);
	return j;
}

static int
on_job(const struct msg_local_job *m, int fd)
{
	struct lease	*l = leases_running(&lc.leases, m->qid, m->target);
	struct job	*j;

	/* queued gave up on the one before; this one counts. */
	if (l != NULL) {
		job_free(l->job);
		lease_free(l);
	}
	l = NULL;
	/* LEASE_ALL is what the leases of route are known by. */
	if (m->target != LEASE_ALL && (fd != -1 ? m->hash.n == MSG_HASH :
	    m->hash.n == 0 && m->size <= LOCAL_BY_VALUE_MAX))
		l = lease_new(&lc.leases, m->qid, m->target, m->attempt,
		    m->mac);
	if (l == NULL) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	j = job_new(m, l, fd);
	l->job = j;
	if (fd != -1 || m->size == 0)
		start(j);
	return 0;
}

static int
on_data(const struct msg_local_data *m)
{
	struct lease	*l = leases_running(&lc.leases, m->qid, m->target);
	struct job	*j = l == NULL ? NULL : l->job;

	/* The owner had it and said so before all of it was here. */
	if (j == NULL)
		return 0;
	if (j->mbox != NULL || j->fd != -1 ||
	    m->chunk.n > j->size - j->body.n)
		return -1;
	buf_add(&j->body, m->chunk);
	count_memory(m->chunk.n, 0);
	if (j->body.n == j->size)
		start(j);
	return 0;
}

static int
on_queued(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	switch ((int)m->type) {
	case MSG_LOCAL_JOB:
		return on_job(&m->local_job, fd);
	case MSG_LOCAL_DATA:
		return on_data(&m->local_data);
	case MSG_RESULT_DURABLE:
		leases_durable(&lc.leases, &m->result_durable);
		return 0;
	}
	return -1;
}

static void
on_queued_up(struct chan *c, void *arg)
{
	(void)arg;
	chan_pause(c, lc.memory > LOCAL_MEMORY);
	leases_present(&lc.leases, c, lc.jobs);
}

/* What was half sent when queued went away will be sent again whole. */
static void
on_queued_down(void *arg)
{
	struct lease	*l, *next;
	struct job	*j;

	(void)arg;
	for (l = LIST_FIRST(&lc.leases.all); l != NULL; l = next) {
		next = LIST_NEXT(l, next);
		j = l->job;
		if (j == NULL || j->mbox != NULL)
			continue;
		job_free(j);
		lease_free(l);
	}
}

/* -- life ---------------------------------------------------------------- */

static void
give_up(struct mbox *m)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&m->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, next);
		if (j->deadline <= clock_now())
			finish(j, JOB_TEMP,
			    S("4.3.2 the mailbox does not answer"));
	}
}

static void
on_tick(void *arg)
{
	uint64_t	 cursor = 0;
	struct mbox	*m;

	(void)arg;
	while ((m = map_walk(&lc.mboxes, &cursor)) != NULL) {
		give_up(m);
		if (TAILQ_EMPTY(&m->jobs) &&
		    clock_now() - m->idle_since >= LOCAL_IDLE)
			mbox_free(m);
	}
	loop_timer_set(lc.tick, TICK);
}

static const struct link_ops queued_ops = {
	.on_up = on_queued_up, .on_msg = on_queued,
	.on_down = on_queued_down,
};

void
local_start(uint32_t jobs)
{
	lc.jobs = jobs;
	lc.wait = DIAL_MIN;
	map_init(&lc.mboxes);
	leases_init(&lc.leases);
	lc.dial = loop_timer(on_dial, NULL);
	lc.tick = loop_timer(on_tick, NULL);
	loop_timer_set(lc.tick, TICK);
	lc.leases.queued = link_new("queued", R_LOCAL, R_QUEUED, &queued_ops,
	    NULL);
}
