/*
 * asking - see asking.h.
 */
#include "smtpd/asking.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/map.h"
#include "common/core/xalloc.h"
#include "common/ipc/chan.h"
#include "smtpd/session.h"

enum { BATCH = 100, BATCH_BYTES = 48 * 1024, TICK_MS = 1000 };

struct question {
	struct map_node		 node;		/* by number; logins only */
	TAILQ_ENTRY(question)	 next;
	struct session		*session;
	uint32_t		 id;		/* of the engine */
	int64_t			 since;
	uint64_t		 account, size;
	struct str		 address;	/* ours; of a login: the user */
	bool			 is_login;
	uint64_t		 sid;
	struct str		 client;	/* ours */
	struct buf		 password;
};

TAILQ_HEAD(questions, question);

/* A LOOKUP on its way: its questions in the order of the verdicts. */
struct batch {
	struct map_node	 node;
	struct question	*q[BATCH];
	unsigned	 n;
};

static struct {
	struct link		*authd;
	struct questions	 waiting;	/* to be asked */
	struct questions	 asked;
	struct map		 batches, logins;
	uint64_t		 number;	/* of the next message */
	bool			 rejects_full;
	struct loop_timer	*tick;
} as;

static void
question_free(struct question *q, struct questions *from)
{
	TAILQ_REMOVE(from, q, next);
	xfree_str(&q->address);
	xfree_str(&q->client);
	buf_wipe(&q->password);
	free(q);
}

/* -- answers -------------------------------------------------------------- */

static enum smtp_reply
reply_of(const struct question *q, unsigned verdict)
{
	switch (verdict) {
	case LOOKUP_OK:
	case LOOKUP_NEAR:
		return SMTP_OK;
	case LOOKUP_OVER:
		return as.rejects_full ? SMTP_OVER_QUOTA : SMTP_MBOX_FULL;
	case LOOKUP_UNKNOWN:
		return q->account != 0 ? SMTP_NOT_YOURS : SMTP_NO_USER;
	case LOOKUP_FOREIGN:
		return q->account != 0 ? SMTP_NOT_YOURS : SMTP_NO_RELAY;
	default:
		return SMTP_TEMP;
	}
}

static void
settle(struct question *q, struct questions *from, enum smtp_reply reply,
    uint32_t targets)
{
	struct session	*s = q->session;
	uint32_t	 id = q->id;

	question_free(q, from);
	session_answered(s, id, reply, targets);
}

static int
on_looked_up(const struct msg_looked_up *m)
{
	struct batch		*b = map_find(&as.batches, m->id);
	struct msg_list		 l = m->verdicts;
	struct rec_verdict	 v;
	unsigned		 i;

	if (b == NULL || l.n != b->n)
		return -1;
	map_remove(&as.batches, &b->node);
	for (i = 0; i < b->n && rec_next_verdict(&l, &v); i++) {
		/* NULL: it waited too long and was answered. */
		if (b->q[i] != NULL)
			settle(b->q[i], &as.asked,
			    reply_of(b->q[i], v.verdict), v.targets);
	}
	free(b);
	return 0;
}

static int
on_logged_in(const struct msg_logged_in *m)
{
	struct question	*q = map_find(&as.logins, m->id);
	struct session	*s;
	uint32_t	 id;

	/* It may have waited too long and been answered already. */
	if (q == NULL)
		return 0;
	s = q->session;
	id = q->id;
	map_remove(&as.logins, &q->node);
	question_free(q, &as.asked);
	session_logged_in(s, id, m);
	return 0;
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	if (m->type == MSG_LOOKED_UP)
		return on_looked_up(&m->looked_up);
	if (m->type == MSG_LOGGED_IN)
		return on_logged_in(&m->logged_in);
	return -1;
}

/* -- questions ------------------------------------------------------------ */

static void
send_login(struct question *q)
{
	TAILQ_REMOVE(&as.waiting, q, next);
	TAILQ_INSERT_TAIL(&as.asked, q, next);
	map_add(&as.logins, &q->node, ++as.number);
	chan_send_login(link_chan(as.authd), &(struct msg_login){
	    .id = as.number, .sid = q->sid, .service = SERVICE_SUBMISSION,
	    .client = q->client, .user = q->address,
	    .password = buf_str(&q->password) }, -1);
}

/* The first question and all behind it that can go with it. */
static void
send_batch(uint64_t account)
{
	struct batch		*b = xcalloc(1, sizeof(*b));
	struct question		*q, *next;
	struct rec_asked	 r;
	struct buf		 list;
	uint32_t		 n = 0;

	buf_init(&list, 64 * 1024);
	for (q = TAILQ_FIRST(&as.waiting); q != NULL && b->n < BATCH &&
	    list.n < BATCH_BYTES; q = next) {
		next = TAILQ_NEXT(q, next);
		if (q->is_login || q->account != account)
			continue;
		r.address = q->address;
		r.size = q->size;
		rec_add_asked(&list, &n, &r);
		b->q[b->n++] = q;
		TAILQ_REMOVE(&as.waiting, q, next);
		TAILQ_INSERT_TAIL(&as.asked, q, next);
	}
	map_add(&as.batches, &b->node, ++as.number);
	chan_send_lookup(link_chan(as.authd), &(struct msg_lookup){
	    .id = as.number, .account = account,
	    .addresses = msg_list_of(&list, n) }, -1);
	buf_clear(&list);
}

static void
ask_all(void *arg)
{
	struct question *q;

	(void)arg;
	while (link_chan(as.authd) != NULL &&
	    !chan_is_full(link_chan(as.authd)) &&
	    (q = TAILQ_FIRST(&as.waiting)) != NULL) {
		if (q->is_login)
			send_login(q);
		else
			send_batch(q->account);
	}
	if (!TAILQ_EMPTY(&as.waiting) || !TAILQ_EMPTY(&as.asked)) {
		if (!loop_timer_pending(as.tick))
			loop_timer_set(as.tick, TICK_MS);
	}
}

static struct question *
add(struct session *s, uint32_t id, struct str text)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->session = s;
	q->id = id;
	q->since = clock_now();
	q->address = xdup(text);
	buf_init(&q->password, SMTP_AUTH_MAX);
	TAILQ_INSERT_TAIL(&as.waiting, q, next);
	return q;
}

void
asking_sender(struct session *s, uint32_t id, uint64_t account,
    struct str address)
{
	struct question *q = add(s, id, address);

	q->account = account;
}

void
asking_recipient(struct session *s, uint32_t id, struct str address,
    uint64_t size)
{
	struct question *q = add(s, id, address);

	q->size = size;
}

void
asking_login(struct session *s, uint32_t id, uint64_t sid, struct str client,
    struct str user, struct str password)
{
	struct question *q = add(s, id, user);

	q->is_login = true;
	q->sid = sid;
	q->client = xdup(client);
	buf_add(&q->password, password);
}

/* -- authd away, and back --------------------------------------------- */

static void
forget_batches(void)
{
	struct batch	*b;
	uint64_t	 cursor = 0;

	while ((b = map_walk(&as.batches, &cursor)) != NULL) {
		map_remove(&as.batches, &b->node);
		free(b);
		cursor = 0;
	}
}

static void
on_down(void *arg)
{
	struct question *q;

	(void)arg;
	forget_batches();
	while ((q = TAILQ_LAST(&as.asked, questions)) != NULL) {
		if (q->is_login)
			map_remove(&as.logins, &q->node);
		TAILQ_REMOVE(&as.asked, q, next);
		TAILQ_INSERT_HEAD(&as.waiting, q, next);
	}
}

/* So that the verdicts of a late answer find nobody. */
static void
leave_batch(const struct question *q)
{
	struct batch	*b;
	uint64_t	 cursor = 0;
	unsigned	 i;

	while ((b = map_walk(&as.batches, &cursor)) != NULL) {
		for (i = 0; i < b->n; i++) {
			if (b->q[i] == q)
				b->q[i] = NULL;
		}
	}
}

static void
expire(struct questions *from)
{
	struct question	*q, *next;

	for (q = TAILQ_FIRST(from); q != NULL; q = next) {
		next = TAILQ_NEXT(q, next);
		if (clock_now() - q->since < ASKING_MS)
			continue;
		if (from == &as.asked && q->is_login)
			map_remove(&as.logins, &q->node);
		if (from == &as.asked && !q->is_login)
			leave_batch(q);
		settle(q, from, q->is_login ? SMTP_TEMP_LOGIN : SMTP_TEMP,
		    0);
	}
}

static void
on_tick(void *arg)
{
	(void)arg;
	expire(&as.waiting);
	expire(&as.asked);
}

static const struct link_ops ops = { .on_msg = on_msg, .on_down = on_down };

void
asking_init(void)
{
	TAILQ_INIT(&as.waiting);
	TAILQ_INIT(&as.asked);
	map_init(&as.batches);
	map_init(&as.logins);
	as.rejects_full = strcmp(conf_text(C_SMTP_OVER_QUOTA), "reject") == 0;
	as.tick = loop_timer(on_tick, NULL);
	as.authd = link_new("authd", R_SMTPD, R_AUTHD, &ops, NULL);
	loop_hook(ask_all, NULL);
}
