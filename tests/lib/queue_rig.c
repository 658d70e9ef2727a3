/*
 * queue_rig - see queue_rig.h.
 */
#include "tests/lib/queue_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"

#define START_WALL	INT64_C(1800000000000)

static int64_t rig_now = 1000000, rig_wall = START_WALL;

void
rig_init(struct rig *r)
{
	*r = (struct rig){ .dir = -1 };
	snprintf(r->path, sizeof(r->path), "/tmp/postern-queue-XXXXXX");
	if (mkdtemp(r->path) == NULL)
		fatal("mkdtemp");
	r->dir = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	conf_defaults();
	queued_conf(&r->conf);
	r->conf.patience = 0;		/* turns are counted */
	rig_now = 1000000;
	rig_wall = START_WALL;
	clock_set(rig_now, rig_wall);
	if (getenv("RIG_LOG") == NULL)
		log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

void
rig_start(struct rig *r)
{
	queued_open(&r->q, &r->conf, r->dir, false);
	loop_init();
	queued_start(&r->q);
	chan_init();
	rig_turns(2);
}

void
rig_kill(struct rig *r)
{
	queued_close(&r->q);
	/* Closed channels are buried in a turn that queued has no part in. */
	loop_free();
	loop_init();
	chan_init();
	rig_turns(2);
	loop_free();
}

void
rig_turns(int n)
{
	while (n-- > 0)
		loop_turn(0);
}

void
rig_pass(struct rig *r, int64_t ms)
{
	rig_now += ms;
	rig_wall += ms;
	clock_set(rig_now, rig_wall);
	work_tick(&r->q);
	queued_look(&r->q);
	rig_turns(4);
}

static void
remove_tree(int dir, const char *name)
{
	int		 fd = openat(dir, name, O_RDONLY | O_DIRECTORY);
	DIR		*d = fd == -1 ? NULL : fdopendir(fd);
	struct dirent	*e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, e->d_name, 0) == -1)
			remove_tree(fd, e->d_name);
	}
	if (d != NULL)
		closedir(d);
	unlinkat(dir, name, AT_REMOVEDIR);
}

void
rig_end(struct rig *r)
{
	rig_kill(r);
	close(r->dir);
	remove_tree(AT_FDCWD, r->path);
	clock_release();
}

/* -- fronts -------------------------------------------------------------- */

static int
on_front(struct chan *c, const struct msg *m, int fd)
{
	struct front *f = chan_arg(c);

	(void)fd;
	switch ((int)m->type) {
	case MSG_QID_BLOCK:
		f->first[f->nblocks] = m->qid_block.first;
		f->count[f->nblocks++] = m->qid_block.count;
		return 0;
	case MSG_QUEUE_STATE:
		f->state = m->queue_state.state;
		return 0;
	case MSG_SUBMITTED:
		f->seen[f->nseen % RIG_SEEN] = m->submitted.qid;
		f->verdict[f->nseen++ % RIG_SEEN] = m->submitted.verdict;
		return 0;
	}
	return -1;
}

static void
on_front_down(struct chan *c)
{
	struct front *f = chan_arg(c);

	f->is_down = true;
	f->chan = NULL;
}

static const struct chan_ops front_ops = {
	.on_msg = on_front, .on_down = on_front_down,
};

static void
pair(int sv[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, sv) == -1)
		fatal("socketpair");
}

void
front_open(struct front *f, struct rig *r)
{
	int sv[2];

	*f = (struct front){ .state = -1 };
	pair(sv);
	f->chan = chan_new(sv[1], R_SMTPD, R_QUEUED, &front_ops, f);
	intake_accept(chan_new(sv[0], R_QUEUED, R_SMTPD, intake_ops(), NULL),
	    &r->q);
	rig_turns(3);
}

void
front_close(struct front *f)
{
	chan_close(f->chan);
	f->chan = NULL;
}

uint64_t
front_qid(struct front *f)
{
	unsigned i;

	for (i = 0; i < f->nblocks; i++) {
		if (f->count[i] > 0) {
			f->count[i]--;
			return f->first[i]++;
		}
	}
	return 0;
}

static void
submit_rcpts(struct front *f, uint64_t qid, struct str rest, uint32_t *total)
{
	struct str	one;
	struct buf	b;
	uint32_t	n = 0;

	buf_init(&b, MSG_PACKET_MAX);
	while (str_cut(&rest, ' ', &one)) {
		rec_add_address(&b, &n, &(struct rec_address){ one });
		(*total)++;
		if (n < 150 && rest.p != NULL)
			continue;
		if (f != NULL)
			chan_send_submit_rcpts(f->chan,
			    &(struct msg_submit_rcpts){ .qid = qid,
			    .rcpts = msg_list_of(&b, n) }, -1);
		buf_reset(&b);
		n = 0;
	}
	buf_clear(&b);
}

void
front_submit(struct front *f, uint64_t qid, const char *sender,
    const char *rcpts, struct str body)
{
	uint32_t	n = 0;
	size_t		size = body.n;

	submit_rcpts(NULL, qid, str_c(rcpts), &n);
	chan_send_submit(f->chan, &(struct msg_submit){ .qid = qid, .sid = 7,
	    .right = RIGHT_MX, .sender = str_c(sender), .rcpts = n }, -1);
	submit_rcpts(f, qid, str_c(rcpts), &n);
	while (body.n > 0) {
		chan_send_submit_data(f->chan, &(struct msg_submit_data){
		    .qid = qid, .chunk = str_sub(body, 0, 60000) }, -1);
		body = str_from(body, body.n < 60000 ? body.n : 60000);
	}
	chan_send_submit_end(f->chan, &(struct msg_submit_end){ .qid = qid,
	    .size = size }, -1);
}

int
front_verdict(const struct front *f, uint64_t qid)
{
	unsigned i;

	for (i = 0; i < f->nseen && i < RIG_SEEN; i++) {
		if (f->seen[i] == qid)
			return f->verdict[i];
	}
	return -1;
}

/* -- workers ------------------------------------------------------------- */

static int
on_hand(struct chan *c, const struct msg *m, int fd)
{
	struct hand *h = chan_arg(c);

	return h->fn(h, m, fd);
}

static void
on_hand_down(struct chan *c)
{
	struct hand *h = chan_arg(c);

	h->is_down = true;
	h->chan = NULL;
}

static const struct chan_ops hand_ops = {
	.on_msg = on_hand, .on_down = on_hand_down,
};

void
hand_open(struct hand *h, struct rig *r, enum role role, hand_fn *fn,
    void *arg)
{
	int sv[2];

	*h = (struct hand){ .role = role, .fn = fn, .arg = arg };
	pair(sv);
	h->chan = chan_new(sv[1], role, R_QUEUED, &hand_ops, h);
	work_accept(chan_new(sv[0], R_QUEUED, role, work_ops(), NULL), &r->q);
}

void
hand_close(struct hand *h)
{
	chan_close(h->chan);
	h->chan = NULL;
}
