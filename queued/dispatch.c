/*
 * dispatch - jobs for workers that have room: which, with what proof, and the
 * content.  Part of work.h; runs in queued.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/core/log.h"
#include "queued/content.h"
#include "queued/queued.h"

enum { CHUNK = 60000 };		/* bytes of a LOCAL_DATA */

static struct worker *
find_worker(struct queued *q, enum role role)
{
	struct worker *w, *best = NULL;

	LIST_FOREACH(w, &q->work.workers, next) {
		if (chan_peer(w->chan) != role || w->out >= w->jobs ||
		    chan_is_full(w->chan))
			continue;
		if (best == NULL || w->out < best->out)
			best = w;
	}
	return best;
}

static void
start_lease(struct queued *q, struct worker *w, const struct lease_name *name,
    uint8_t mac[LEASE_MAC])
{
	lease_mac(q->key, name, mac);
	leases_add(q->leases, name, w, queue_now(&q->queue) + QUEUED_LEASE);
	w->out++;
	q->work.jobs++;
}

/* All that is ready of one message and one depth, as far as a job goes. */
static void
send_route(struct queued *q, struct worker *w, struct target *first)
{
	struct message		*m = first->msg;
	struct lease_name	 name = work_lease_name(first);
	struct msg_route_job	 job = { .qid = name.qid,
	    .attempt = name.attempt, .depth = first->depth,
	    .room = route_room(q, m) };
	uint8_t			 mac[LEASE_MAC];
	struct target		*t;
	struct buf		 b;
	uint32_t		 n = 0, i;

	/* One at a time; the others are put back when its answer is here. */
	if (leases_find(q->leases, &name) != NULL) {
		sched_cancel(q->route, &first->item, queue_now(&q->queue));
		return;
	}
	buf_init(&b, MSG_PACKET_MAX);
	rec_add_target(&b, &n, &(struct rec_target){
	    .target = first->no, .address = str_c(first->address) });
	for (i = 0; i < m->n && n < WORK_ROUTE_BATCH; i++) {
		t = queue_target(m, i);
		if (t->state != TARGET_ROUTE || t->depth != first->depth ||
		    sched_take(q->route, &t->item) == -1)
			continue;
		rec_add_target(&b, &n, &(struct rec_target){
		    .target = t->no, .address = str_c(t->address) });
	}
	start_lease(q, w, &name, mac);
	job.mac = str_of(mac, LEASE_MAC);
	job.targets = msg_list_of(&b, n);
	chan_send_route_job(w->chan, &job, -1);
	buf_clear(&b);
}

static void
send_content(struct worker *w, const struct target *t, struct str body)
{
	struct msg_local_data d = { .qid = message_qid(t->msg),
	    .target = t->no };

	do {
		d.chunk = str_sub(body, 0, CHUNK);
		if (d.chunk.n > 0)
			chan_send_local_data(w->chan, &d, -1);
		body = str_from(body, d.chunk.n);
	} while (body.n > 0);
}

/* The descriptor of a large content, -1 if it is in the record; -2 failed. */
static int
content_fd(struct queued *q, const struct message *m)
{
	int fd;

	if ((m->flags & RECORD_FILE) == 0)
		return -1;
	fd = bodyfile_open(&q->files, message_qid(m), m->size);
	return fd == -1 ? -2 : fd;
}

/* The bytes that it sent. */
static size_t
send_local(struct queued *q, struct worker *w, struct target *t)
{
	const struct message	*m = t->msg;
	struct lease_name	 name = work_lease_name(t);
	struct record_message	 rm;
	struct record_targets	 l;
	struct rec		 r;
	struct buf		 meta, body;
	uint8_t			 mac[LEASE_MAC];
	size_t			 n;
	int			 fd;

	/* It came back after a restart; what it says puts this one back. */
	if (leases_find(q->leases, &name) != NULL) {
		sched_cancel(q->local, &t->item, queue_now(&q->queue));
		return 0;
	}
	buf_init(&meta, RECLOG_META_MAX);
	buf_init(&body, RECLOG_PAYLOAD_MAX);
	fd = content_fd(q, m);
	if (fd == -2 || reclog_read_rec(q->log, m->pos, &r, &meta, &body) ==
	    -1 || r.id != name.qid || r.type != REC_MESSAGE ||
	    record_message_parse(buf_str(&meta), &rm, &l) == -1) {
		log_error("content not readable", L_QID(name.qid), L_ERRNO);
		sched_cancel(q->local, &t->item, queue_now(&q->queue));
		content_hold(q, t);
	} else if (!content_is_sound(q, t->msg, &rm)) {
		sched_cancel(q->local, &t->item, queue_now(&q->queue));
	} else {
		start_lease(q, w, &name, mac);
		chan_send_local_job(w->chan, &(struct msg_local_job){
		    .qid = name.qid, .target = t->no,
		    .attempt = name.attempt, .mac = str_of(mac, LEASE_MAC),
		    .mailbox = t->mailbox, .tenant = t->tenant,
		    .shard = t->shard, .received = (uint64_t)rm.received,
		    .sender = rm.sender, .rcpt = str_c(t->address),
		    .size = rm.size, .hash = str_of(rm.hash,
		    fd < 0 ? 0 : RECORD_HASH) }, fd < 0 ? -1 : fd);
		send_content(w, t, buf_str(&body));
	}
	if (fd >= 0)
		close(fd);
	n = body.n;
	buf_clear(&meta);
	buf_clear(&body);
	return n;
}

/* True if there is more than one turn may do. */
static bool
dispatch(struct queued *q, enum role role)
{
	struct sched		*s = role == R_ROUTE ? q->route : q->local;
	struct sched_item	*it;
	struct worker		*w;
	size_t			 n = 0, bytes = 0;

	while ((w = find_worker(q, role)) != NULL) {
		if (n == QUEUED_TURN_MESSAGES || bytes >= QUEUED_TURN_BYTES)
			return true;
		it = sched_next(s, queue_now(&q->queue));
		if (it == NULL)
			break;
		n++;
		if (role == R_ROUTE)
			send_route(q, w, (struct target *)it);
		else
			bytes += send_local(q, w, (struct target *)it);
	}
	return false;
}

void
work_dispatch(struct queued *q)
{
	bool more;

	/* What is not durable yet is nothing to act on. */
	if (q->journal.n > 0)
		return;
	more = dispatch(q, R_ROUTE);
	if (dispatch(q, R_LOCAL) || more)
		loop_again();
}
