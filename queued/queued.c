/*
 * queued - opening the queue, and the turn: everything of a turn into the log
 * with one commit, then answers and jobs.
 */
#include "queued/queued.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/id.h"
#include "common/core/log.h"
#include "queued/ctl.h"

enum {
	LOCK_TRIES = 200, LOCK_WAIT = 50,	/* ms; for one that drains */
	TRACE_ROOM = 64 * 1024,	/* bytes that smtpd may add to a message */
	CHANNEL_MEMORY = 32 * 1024 * 1024,
	TOTAL_MEMORY = 96 * 1024 * 1024,
	ROUTE_JOBS = 100000,	/* targets of a tenant being routed */
	MAILBOX_JOBS = 64	/* of one mailbox: two batches of its owner */
};

void
queued_conf(struct queued_conf *c)
{
	*c = (struct queued_conf){
		.segment = conf_num(C_QUEUE_SEGMENT),
		.recycle = (unsigned)conf_num(C_QUEUE_RECYCLE),
		.epoch = 1,
		.space = {
			.reserve = conf_num(C_QUEUE_RESERVE),
			.percent = (unsigned)conf_num(C_QUEUE_RESERVE_PERCENT),
			.messages_max = conf_num(C_QUEUE_MESSAGES_MAX),
		},
		.retry = {
			.retry_min = (uint32_t)conf_num(C_QUEUE_RETRY_MIN),
			.retry_max = (uint32_t)conf_num(C_QUEUE_RETRY_MAX),
			.dest_jobs = MAILBOX_JOBS,
		},
		.intake = {
			.by_value = QUEUED_BY_VALUE,
			.channel_memory = CHANNEL_MEMORY,
			.total_memory = TOTAL_MEMORY,
			.size_max = conf_num(C_SMTP_SIZE_MAX) + TRACE_ROOM,
			.rcpt_max = (uint32_t)conf_num(C_SMTP_RCPT_MAX),
			.turn_messages = QUEUED_TURN_MESSAGES,
			.turn_bytes = QUEUED_TURN_BYTES,
		},
		.targets_max = (uint32_t)conf_num(C_QUEUE_TARGETS_MAX),
		.depth_max = (uint32_t)conf_num(C_QUEUE_DEPTH_MAX),
		.life = (int64_t)conf_num(C_QUEUE_LIFE) * 1000,
		.patience = QUEUED_PATIENCE,
		.scrub = (int64_t)conf_num(C_QUEUE_SCRUB) * 1000,
	};
	if (c->retry.retry_max < c->retry.retry_min)
		c->retry.retry_max = c->retry.retry_min;
}

/* -- opening ------------------------------------------------------------- */

/* The one before may still be finishing; its end frees the lock. */
static int
take_lock(int dir)
{
	struct flock	l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct timespec	ts = { 0, LOCK_WAIT * 1000000L };
	int		fd, i;

	fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1)
		fatal("open the queue's lock");
	for (i = 0; i < LOCK_TRIES; i++) {
		if (fcntl(fd, F_OFD_SETLK, &l) == 0)
			return fd;
		nanosleep(&ts, NULL);
	}
	fatalx("another process works on this queue");
}

static int
open_dir(int dir, const char *name)
{
	int fd;

	if (mkdirat(dir, name, 0700) == -1 && errno != EEXIST)
		fatal("make %s in the queue's directory", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd == -1)
		fatal("open %s in the queue's directory", name);
	return fd;
}

static void
make_key(struct queued *q)
{
	int fd;

	randombytes_buf(q->key, sizeof(q->key));
	fd = openat(q->dir, "key.new", O_WRONLY | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1 ||
	    write(fd, q->key, sizeof(q->key)) != (ssize_t)sizeof(q->key) ||
	    fsync(fd) == -1 || close(fd) == -1 ||
	    renameat(q->dir, "key.new", q->dir, "key") == -1 ||
	    fsync(q->dir) == -1)
		fatal("make the queue's key");
}

static void
load_key(struct queued *q)
{
	int fd = openat(q->dir, "key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd == -1 && errno == ENOENT) {
		make_key(q);
		return;
	}
	if (fd == -1 ||
	    read(fd, q->key, sizeof(q->key)) != (ssize_t)sizeof(q->key))
		fatal("read the queue's key");
	close(fd);
}

/* True if it is whole. */
static bool
open_log(struct queued *q)
{
	struct reclog_conf	c = {
		.dirfd = q->log_dir, .epoch = q->conf.epoch,
		.segment_max = q->conf.segment, .recycle = q->conf.recycle,
	};
	struct reclog_report	r;

	q->log = reclog_open(&c, queue_replay, &q->queue, &r);
	if (q->log == NULL)
		fatal("open the queue's log");
	log_info("log read", L_NUM("segments", r.segments),
	    L_NUM("records", r.records),
	    L_NUM("messages", q->queue.messages.n));
	if (r.quarantined + r.damaged > 0)
		log_error("log damaged", L_NUM("quarantined", r.quarantined),
		    L_NUM("frames", r.damaged));
	if (r.torn_bytes > 0)
		log_warn("log was torn", L_NUM("bytes", r.torn_bytes));
	return r.quarantined + r.damaged == 0;
}

static bool
is_wanted(void *arg, uint64_t qid)
{
	const struct message *m = queue_find(arg, qid);

	return m != NULL && (m->flags & RECORD_FILE) != 0;
}

/* What was found goes on: soon, but not before its leases are known. */
static void
resume(struct queued *q)
{
	uint64_t	 cursor = 0;
	struct message	*m;

	while ((m = map_walk(&q->queue.messages, &cursor)) != NULL) {
		if (m->open == 0)
			queued_finish(q, m, FINISH_DONE);
		else
			work_schedule(q, m, queue_now(&q->queue) +
			    QUEUED_GRACE);
	}
}

void
queued_open(struct queued *q, const struct queued_conf *conf, int dir,
    bool lock_helper)
{
	struct sched_conf	route = conf->retry;
	bool			is_whole;

	*q = (struct queued){ .conf = *conf, .dir = dir };
	if (sodium_init() == -1)
		fatalx("libsodium does not start");
	q->lock = take_lock(dir);
	q->log_dir = open_dir(dir, "log");
	q->files = (struct bodyfiles){ open_dir(dir, "bulk"), "" };
	load_key(q);
	buf_init(&q->scratch, 16 * RECLOG_META_MAX);
	journal_init(&q->journal);
	queue_init(&q->queue);
	intake_init(&q->intake);
	LIST_INIT(&q->work.workers);
	q->reclaim.segment = UINT64_MAX;
	q->reclaim.refused = UINT64_MAX;
	is_whole = open_log(q);
	if (queue_start(&q->queue))
		log_warn("clock not believed; waits go on as they were");
	route.dest_jobs = ROUTE_JOBS;
	q->route = sched_new(&route, id_random());
	q->local = sched_new(&conf->retry, id_random());
	q->leases = leases_new();
	q->bulk = bulk_new(NULL, NULL);
	bulk_attach(q->bulk, bulk_fork(&q->files, lock_helper));
	/* A damaged record may be the one that names a file. */
	if (is_whole && bodyfile_sweep(&q->files, is_wanted, &q->queue) == -1)
		fatal("read the directory of large contents");
	queued_look(q);
	resume(q);
}

void
queued_close(struct queued *q)
{
	uint64_t	 cursor = 0;
	struct message	*m;

	loop_timer_free(q->timer);
	loop_timer_free(q->tick);
	loop_timer_free(q->patience);
	journal_clear(&q->journal);
	intake_clear(q);
	while ((m = map_walk(&q->queue.messages, &cursor)) != NULL)
		work_forget(q, m);
	work_clear(q);
	reclaim_clear(&q->reclaim);
	queue_scrub_clear(q);
	reclog_close(q->log);
	queue_clear(&q->queue);
	sched_free(q->route);
	sched_free(q->local);
	leases_free(q->leases);
	bulk_free(q->bulk);
	buf_clear(&q->scratch);
	close(q->log_dir);
	close(q->files.dir);
	close(q->lock);
}

/* -- changes ------------------------------------------------------------- */

void
queued_result(struct queued *q, struct target *t,
    const struct record_result *r, const struct journal_entry *answer)
{
	struct journal_entry	 e = { 0 };
	struct message		*m = t->msg;

	if (answer != NULL)
		e = *answer;
	e.type = REC_RESULT;
	e.id = message_qid(m);
	e.must = true;
	buf_reset(&q->scratch);
	record_result(&q->scratch, r);
	journal_add(&q->journal, &e, buf_str(&q->scratch));
	if (queue_result(&q->queue, m, r) == -1)
		abort();		/* the target is there */
	if (m->open == 0)
		queued_finish(q, m, FINISH_DONE);
	else
		work_schedule_target(q, t, 0);
}

static void
on_removed(void *arg, uint64_t qid, int error)
{
	(void)arg;
	if (error != 0 && error != ENOENT)
		log_warn("content not removed", L_QID(qid),
		    L_Z("error", strerror(error)));
}

void
queued_remove_file(struct queued *q, uint64_t qid)
{
	bulk_ask(q->bulk, &(struct bulk_ask){ .op = BULK_REMOVE, .id = qid },
	    on_removed, NULL);
}

static void
on_file_unwanted(const struct journal_entry *e, enum reclog_result r)
{
	if (r == RECLOG_OK)
		queued_remove_file(e->arg, e->id);
}

void
queued_finish(struct queued *q, struct message *m, enum finish_why why)
{
	struct journal_entry e = { .type = REC_FINISHED,
	    .id = message_qid(m), .must = true, .patient = true };

	if ((m->flags & RECORD_FILE) != 0) {
		e.fn = on_file_unwanted;
		e.arg = q;
	}
	buf_reset(&q->scratch);
	record_finished(&q->scratch, queue_time(&q->queue), why);
	journal_add(&q->journal, &e, buf_str(&q->scratch));
	log_info(why == FINISH_DONE ? "finished" : "removed", L_QID(e.id),
	    L_NUM("age", (queue_now(&q->queue) - m->born) / 1000));
	work_forget(q, m);
	queue_finish(&q->queue, m);
}

static void
on_reserved(const struct journal_entry *e, enum reclog_result r)
{
	struct queued *q = e->arg;

	if (r == RECLOG_OK)
		q->queue.qid_segment = e->pos.segment;
}

void
queued_reserve(struct queued *q)
{
	struct journal_entry e = { .type = REC_QIDS, .must = true,
	    .fn = on_reserved, .arg = q };

	buf_reset(&q->scratch);
	record_qids(&q->scratch, queue_time(&q->queue), q->queue.qid_end);
	journal_add(&q->journal, &e, buf_str(&q->scratch));
}

/*
 * A new queue starts at a random place: mailboxes remember the ids of
 * messages that they have, and a queue made anew must not repeat them.
 */
uint64_t
queued_qids(struct queued *q, uint32_t count)
{
	struct queue	*u = &q->queue;
	uint64_t	 first;

	if (u->qid_end == 0) {
		u->qid_next = (id_random() & 0x7fffffff00000000) + 1;
		u->qid_end = u->qid_next;
	}
	if (u->qid_end - u->qid_next < count) {
		u->qid_end = u->qid_next + count + QUEUE_QIDS;
		queued_reserve(q);
	}
	first = u->qid_next;
	u->qid_next += count;
	return first;
}

void
queued_look(struct queued *q)
{
	struct space		s = { .messages = q->queue.messages.n };
	enum queue_state	state;

	if (space_free(q->dir, &s) == -1) {
		log_error("free space not known", L_ERRNO);
		return;
	}
	state = space_judge(&q->conf.space, &s, q->state);
	if (state == q->state)
		return;
	q->state = state;
	log_warn(state == QUEUE_CLOSED ? "mail is refused" :
	    "mail is taken again", L_NUM("free", s.free),
	    L_NUM("messages", s.messages));
	intake_push_state(q);
}

/* -- the turn ------------------------------------------------------------ */

static void
set_timer(struct queued *q)
{
	int64_t now = queue_now(&q->queue), at = sched_when(q->route, now);
	int64_t local = sched_when(q->local, now);

	if (local < at)
		at = local;
	/* Ready but without a worker: its coming makes a turn. */
	if (at > now && at != INT64_MAX)
		loop_timer_set(q->timer, at - now);
	else
		loop_timer_stop(q->timer);
}

/* A job is out that may be answered, or mail is just coming in. */
static bool
has_company(const struct queued *q)
{
	return q->conf.patience > 0 && (leases_count(q->leases) > 0 ||
	    clock_now() - q->intake.accepted_at <= q->conf.patience);
}

/*
 * Results alone are not worth a sync each: the next submission takes them
 * along, or others of their kind that come soon.  Until then nothing that
 * follows from them leaves, so that what deliverd is told is always durable.
 */
static bool
is_waiting(struct queued *q)
{
	bool was_long = q->is_impatient;

	q->is_impatient = false;
	if (was_long || q->journal.is_stuck || !has_company(q) ||
	    !journal_is_patient(&q->journal)) {
		loop_timer_stop(q->patience);
		return false;
	}
	if (!loop_timer_pending(q->patience))
		loop_timer_set(q->patience, q->conf.patience);
	return true;
}

static void
on_patience(void *arg)
{
	struct queued *q = arg;

	q->is_impatient = true;
}

static void
on_turn(void *arg)
{
	struct queued *q = arg;

	if (!TAILQ_EMPTY(&q->intake.ready))
		queued_look(q);
	intake_collect(q);
	if (is_waiting(q))
		return;
	switch (journal_commit(&q->journal, q->log)) {
	case RECLOG_OK:
		break;
	case RECLOG_FULL:
		queued_look(q);
		break;
	case RECLOG_DEAD:
		fatal("the queue's log takes no more");
	}
	if (q->journal.n == 0)
		reclaim_turn(q);
	queue_ctl_turn(q);
	work_dispatch(q);
	queue_scrub_turn(q);
	if (q->journal.n > 0 && !q->journal.is_stuck)
		loop_again();
	set_timer(q);
}

/* A due time has come; the hook of this turn does the rest. */
static void
on_due(void *arg)
{
	(void)arg;
}

static void
on_tick(void *arg)
{
	struct queued *q = arg;

	queued_look(q);
	work_tick(q);
	queue_scrub_tick(q);
	loop_timer_set(q->tick, QUEUED_TICK);
}

void
queued_start(struct queued *q)
{
	bulk_watch(q->bulk);
	q->timer = loop_timer(on_due, q);
	q->tick = loop_timer(on_tick, q);
	q->patience = loop_timer(on_patience, q);
	queue_scrub_start(q);
	loop_timer_set(q->tick, QUEUED_TICK);
	loop_hook(on_turn, q);
	loop_again();
}
