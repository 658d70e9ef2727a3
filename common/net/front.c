/*
 * front - see front.h.  Here: accepting and its limits, the table of
 * sessions, the link to authd, going down.
 */
#include "common/net/front.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/xalloc.h"
#include "common/net/front_int.h"
#include "common/net/listen.h"
#include "common/net/peers.h"

enum {
	STOP_MS = 10 * 1000,	/* for sessions to end, when we stop */
	LINGER_MS = 100		/* for the last bytes of the last of them */
};

static struct {
	struct front_conf	 conf;
	struct listener		*listener;
	struct link		*authd;
	struct peers		*peers;
	TAILQ_HEAD(, carry)	 sessions;
	struct carry		**slot;		/* by the low half of the id */
	uint32_t		 nslots, free_from, n;
	uint32_t		 generation;	/* the high half */
	struct loop_timer	*stop_timer;
	bool			 stopping, lingering;
} fr;

/* -- authd ------------------------------------------------------------ */

static void
send_login(struct chan *c, const struct carry *s)
{
	chan_send_login(c, &(struct msg_login){
		.id = s->id,
		.sid = s->sid,
		.service = (uint8_t)fr.conf.service,
		.client = str_c(s->address),
		.user = buf_str(&s->login->user),
		.password = buf_str(&s->login->password),
	}, -1);
}

void
front_ask(struct carry *s)
{
	struct chan *c = link_chan(fr.authd);

	/* While authd is away the question waits; the deadline counts. */
	if (c != NULL)
		send_login(c, s);
}

static void
on_authd_up(struct chan *c, void *arg)
{
	struct carry *s;

	(void)arg;
	TAILQ_FOREACH(s, &fr.sessions, next) {
		if (s->state == CARRY_ASKED)
			send_login(c, s);
	}
}

static struct carry *
find(uint64_t id)
{
	uint32_t slot = (uint32_t)id;

	if (slot >= fr.nslots || fr.slot[slot] == NULL ||
	    fr.slot[slot]->id != id)
		return NULL;
	return fr.slot[slot];
}

static int
on_authd(struct chan *c, const struct msg *m, int fd)
{
	struct carry *s;

	(void)c;
	(void)fd;
	if (m->type != MSG_LOGGED_IN || m->logged_in.verdict > LOGIN_TEMP)
		return -1;
	/* Gone meanwhile, or answered twice over a lost connection. */
	s = find(m->logged_in.id);
	if (s != NULL && s->state == CARRY_ASKED)
		carry_answer(s, &m->logged_in);
	return 0;
}

static const struct link_ops authd_ops = {
	.on_up = on_authd_up,
	.on_msg = on_authd,
};

/* -- clients ---------------------------------------------------------- */

/* One sendmsg; a client that cannot take it hears nothing. */
static void
refuse(int fd, struct str address, enum login_bye why)
{
	struct login *l;

	log_often(LOG_INFO, "refused", L_STR("client", address),
	    L_Z("why", why == BYE_FULL ? "sessions" : "sessions per address"));
	l = login_new(fr.conf.login, fr.conf.hostname, false);
	login_bye(l, why);
	(void)!send(fd, buf_cstr(&l->out), l->out.n,
	    MSG_DONTWAIT | MSG_NOSIGNAL);
	login_free(l);
	close(fd);
}

static uint32_t
take_slot(void)
{
	while (fr.slot[fr.free_from] != NULL)
		fr.free_from = (fr.free_from + 1) % fr.nslots;
	return fr.free_from;
}

static void
on_client(void *arg, int fd, struct str address)
{
	struct carry	*s;
	uint32_t	 slot;

	(void)arg;
	if (fr.n == fr.conf.sessions_max) {
		refuse(fd, address, BYE_FULL);
		return;
	}
	if (!peers_enter(fr.peers, address, fr.conf.sessions_per_address)) {
		refuse(fd, address, BYE_ADDRESS_FULL);
		return;
	}
	slot = take_slot();
	s = carry_new(&fr.conf, (uint64_t)++fr.generation << 32 | slot, fd,
	    address);
	fr.slot[slot] = s;
	TAILQ_INSERT_TAIL(&fr.sessions, s, next);
	fr.n++;
}

static void
reap(void *arg)
{
	struct carry *s, *after;

	(void)arg;
	for (s = TAILQ_FIRST(&fr.sessions); s != NULL; s = after) {
		after = TAILQ_NEXT(s, next);
		if (s->state != CARRY_CLOSED)
			continue;
		TAILQ_REMOVE(&fr.sessions, s, next);
		peers_leave(fr.peers, str_c(s->address));
		fr.slot[(uint32_t)s->id] = NULL;
		fr.n--;
		carry_free(s);
	}
	/* The streams may still have their last bytes to send. */
	if (fr.stopping && fr.n == 0 && !fr.lingering) {
		fr.lingering = true;
		loop_timer_set(fr.stop_timer, LINGER_MS);
	}
}

/* -- life ------------------------------------------------------------- */

static void
on_stop_timer(void *arg)
{
	(void)arg;
	if (fr.n > 0)
		log_warn("sessions cut off", L_NUM("sessions", fr.n));
	loop_stop();
}

void
front_init(const struct front_conf *conf)
{
	fr.conf = *conf;
	fr.nslots = conf->sessions_max;
	fr.slot = xcalloc(fr.nslots, sizeof(fr.slot[0]));
	fr.peers = peers_new();
	TAILQ_INIT(&fr.sessions);
	fr.stop_timer = loop_timer(on_stop_timer, NULL);
	loop_hook(reap, NULL);
}

void
front_start(void)
{
	fr.authd = link_new("authd", fr.conf.self, R_AUTHD, &authd_ops, NULL);
	fr.listener = listen_new(fr.conf.listener, on_client, NULL);
}

void
front_stop(void *arg)
{
	struct carry *s;

	(void)arg;
	if (fr.stopping)
		return;
	fr.stopping = true;
	log_info("stopping", L_NUM("sessions", fr.n));
	listen_free(fr.listener);
	fr.listener = NULL;
	TAILQ_FOREACH(s, &fr.sessions, next)
		carry_stop(s);
	loop_timer_set(fr.stop_timer, STOP_MS);
	loop_again();
}
