/*
 * pool - see pool.h.
 */
#include "smtpd/pool.h"

#include <stdlib.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "common/ipc/chan.h"
#include "smtpd/session.h"

enum {
	LINKS_MAX = 32,
	QIDS_LOW = 64,			/* ask for more below this */
	QIDS_ASK = 1024,
	BLOCKS_MAX = 8			/* leased ranges kept per channel */
};

struct block {
	uint64_t	next;
	uint32_t	left;
};

struct pool_link {
	struct link	*link;
	struct block	 block[BLOCKS_MAX];
	unsigned	 nblocks;
	uint32_t	 qids;		/* in all blocks */
	unsigned	 busy;		/* messages under way */
	bool		 asked;		/* for more qids */
	bool		 closed;	/* queued takes no mail now */
};

static struct {
	struct pool_link	l[LINKS_MAX];
	unsigned		n;
	struct map		underway;
} pl;

static void
finish(struct submission *s, unsigned verdict)
{
	struct session	*session = s->session;
	uint64_t	 qid = s->node.key;

	map_remove(&pl.underway, &s->node);
	pl.l[s->link].busy--;
	free(s);
	if (session != NULL)
		session_submitted(session, qid, verdict);
}

/* -- what queued says ------------------------------------------------- */

static int
on_block(struct pool_link *l, const struct msg_qid_block *m)
{
	l->asked = false;
	if (l->nblocks == BLOCKS_MAX || m->count == 0)
		return -1;
	l->block[l->nblocks++] = (struct block){ m->first, m->count };
	l->qids += m->count;
	sessions_retry();
	return 0;
}

static int
on_submitted(const struct pool_link *l, const struct msg_submitted *m)
{
	struct submission *s = map_find(&pl.underway, m->qid);

	/* An aborted one may have been answered before queued knew. */
	if (s == NULL)
		return 0;
	if (&pl.l[s->link] != l)
		return -1;
	finish(s, m->verdict);
	return 0;
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	struct pool_link *l = chan_arg(c);

	(void)fd;
	if (m->type == MSG_QID_BLOCK)
		return on_block(l, &m->qid_block);
	if (m->type == MSG_SUBMITTED)
		return on_submitted(l, &m->submitted);
	if (m->type != MSG_QUEUE_STATE || m->queue_state.state > QUEUE_CLOSED)
		return -1;
	l->closed = m->queue_state.state != QUEUE_OPEN;
	return 0;
}

static void
on_down(void *arg)
{
	struct pool_link	*l = arg;
	struct submission	*s;
	uint64_t		 cursor = 0;

	l->nblocks = 0;
	l->qids = 0;
	l->asked = false;
	l->closed = false;
	while ((s = map_walk(&pl.underway, &cursor)) != NULL) {
		if (&pl.l[s->link] == l)
			finish(s, SUBMIT_TEMP);
	}
}

static void
on_room(struct chan *c)
{
	(void)c;
	sessions_retry();
}

static const struct link_ops ops = {
	.on_msg = on_msg, .on_down = on_down, .on_room = on_room,
};

void
pool_init(unsigned channels)
{
	unsigned i;

	map_init(&pl.underway);
	pl.n = channels;
	for (i = 0; i < pl.n; i++)
		pl.l[i].link = link_new("queued", R_SMTPD, R_QUEUED, &ops,
		    &pl.l[i]);
}

/* -- what sessions want ----------------------------------------------- */

static bool
is_usable(const struct pool_link *l)
{
	return link_chan(l->link) != NULL && l->qids > 0;
}

/* The usable channel with the fewest messages under way, or NULL. */
static struct pool_link *
choose(void)
{
	struct pool_link	*best = NULL;
	unsigned		 i;

	for (i = 0; i < pl.n; i++) {
		if (is_usable(&pl.l[i]) &&
		    (best == NULL || pl.l[i].busy < best->busy))
			best = &pl.l[i];
	}
	return best;
}

bool
pool_is_ready(void)
{
	return choose() != NULL;
}

bool
pool_is_open(void)
{
	unsigned i;

	for (i = 0; i < pl.n; i++) {
		if (link_chan(pl.l[i].link) != NULL && pl.l[i].closed)
			return false;
	}
	return true;
}

static uint64_t
take_qid(struct pool_link *l)
{
	uint64_t	qid = l->block[0].next++;
	unsigned	i;

	l->qids--;
	if (--l->block[0].left == 0) {
		l->nblocks--;
		for (i = 0; i < l->nblocks; i++)
			l->block[i] = l->block[i + 1];
	}
	if (l->qids < QIDS_LOW && !l->asked) {
		l->asked = true;
		chan_send_qid_want(link_chan(l->link),
		    &(struct msg_qid_want){ .count = QIDS_ASK }, -1);
	}
	return qid;
}

struct submission *
pool_begin(struct session *session)
{
	struct pool_link	*l = choose();
	struct submission	*s;

	if (l == NULL)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->session = session;
	s->link = (unsigned)(l - pl.l);
	l->busy++;
	map_add(&pl.underway, &s->node, take_qid(l));
	return s;
}

void
pool_send(const struct submission *s, const struct msg *m)
{
	struct chan *c = link_chan(pl.l[s->link].link);

	if (c != NULL)
		chan_send(c, m, -1);
}

bool
pool_is_full(const struct submission *s)
{
	const struct chan *c = link_chan(pl.l[s->link].link);

	return c != NULL && chan_is_full(c);
}

void
pool_abort(struct submission *s)
{
	struct msg m = { .type = MSG_SUBMIT_ABORT,
	    .submit_abort = { .qid = s->node.key } };

	pool_send(s, &m);
	s->session = NULL;
	finish(s, SUBMIT_TEMP);
}

void
pool_abandon(struct submission *s)
{
	s->session = NULL;
}
