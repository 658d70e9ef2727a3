/*
 * login - see login.h.
 */
#include "authd/login.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"

struct login {
	struct login		*next, **at;	/* at: what points here */
	struct authd		*a;
	struct chan		*c;		/* NULL: it has gone */
	uint64_t		 id, sid;
	enum service		 service;
	uint64_t		 mailbox;	/* 0: there is no such user */
	struct str		 creds;		/* that were asked about */
	struct str		 user, client;	/* as the front gave them */
	struct cache_key	 key;
};

/* -- the answer ------------------------------------------------------- */

static void
seal_ticket(struct authd *a, const struct dir_account *u,
    enum service service, uint64_t sid, struct buf *out)
{
	struct ticket t = { .kind = TICKET_LOGIN, .service = service };
	int64_t	      life = TICKET_LOGIN_MS;

	if (service == SERVICE_SUBMISSION) {
		t.kind = TICKET_SUBMIT;
		life = (int64_t)conf_num(C_AUTH_SUBMIT_TIME) * 1000;
	}
	randombytes_buf(&t.serial, sizeof(t.serial));
	t.sid = sid;
	t.mailbox = u->mailbox;
	t.tenant = u->tenant;
	t.shard = u->shard;
	t.expires = clock_wall() + life;
	memcpy(t.user, u->address, strlen(u->address) + 1);
	ticket_seal(service == SERVICE_SUBMISSION ? &a->for_queued :
	    &a->for_mailboxd, &t, out);
}

static void
let_in(struct authd *a, struct chan *c, uint64_t id, uint64_t sid,
    enum service service, const struct dir_account *u)
{
	struct buf ticket;

	log_info("login", L_SID(sid), L_Z("user", u->address));
	buf_init(&ticket, TICKET_MAX);
	seal_ticket(a, u, service, sid, &ticket);
	chan_send_logged_in(c, &(struct msg_logged_in){ .id = id,
	    .verdict = LOGIN_OK, .account = u->mailbox,
	    .user = str_c(u->address), .ticket = buf_str(&ticket) }, -1);
	buf_clear(&ticket);
}

static void
refuse(struct chan *c, uint64_t id, enum login_verdict v)
{
	chan_send_logged_in(c, &(struct msg_logged_in){ .id = id,
	    .verdict = (uint8_t)v }, -1);
}

/* -- those that wait -------------------------------------------------- */

static struct login *
login_new(struct authd *a)
{
	struct login *l = xcalloc(1, sizeof(*l));

	l->a = a;
	l->next = a->logins;
	l->at = &a->logins;
	if (l->next != NULL)
		l->next->at = &l->next;
	a->logins = l;
	return l;
}

static void
login_free(struct login *l)
{
	*l->at = l->next;
	if (l->next != NULL)
		l->next->at = l->at;
	xfree_str(&l->creds);
	xfree_str(&l->user);
	xfree_str(&l->client);
	free(l);
}

void
login_forget(struct authd *a, const struct chan *c)
{
	struct login *l;

	for (l = a->logins; l != NULL; l = l->next) {
		if (l->c == c)
			l->c = NULL;
	}
}

void
login_free_all(struct authd *a)
{
	struct login *l, *next;

	for (l = a->logins; l != NULL; l = next) {
		next = l->next;
		login_free(l);
	}
}

/* Whether the account still has the credential that the worker checked. */
static bool
is_unchanged(const struct login *l, struct dir_account *u)
{
	return l->mailbox != 0 &&
	    dir_user_by_id(l->a->dir, l->mailbox, u) == DIR_OK &&
	    str_eq(dir_user_creds(l->a->dir, l->mailbox), l->creds);
}

static void
on_hash(void *arg, const struct hash_answer *h)
{
	struct login		*l = arg;
	struct dir_account	 u;
	bool			 good = false;

	if (h->result == HASH_GOOD && is_unchanged(l, &u)) {
		good = true;
		cache_put(l->a->cache, &l->key, clock_now());
		/* Hashed again, at the cost that is set now. */
		if (h->creds.n > 0)
			dir_user_set_creds(l->a->dir, str_c(u.address),
			    h->creds);
	}
	if (l->c != NULL && good)
		let_in(l->a, l->c, l->id, l->sid, l->service, &u);
	else if (l->c != NULL)
		refuse(l->c, l->id, h->result == HASH_FAILED ? LOGIN_TEMP :
		    LOGIN_BAD);
	if (!good)
		log_often(LOG_INFO, "login refused", L_SID(l->sid),
		    L_STR("user", l->user), L_STR("client", l->client));
	login_free(l);
}

/* -- the question ----------------------------------------------------- */

/* A front speaks for its own service only. */
static bool
is_its_service(const struct chan *c, unsigned service)
{
	switch (service) {
	case SERVICE_SUBMISSION:
		return chan_peer(c) == R_SMTPD;
	case SERVICE_IMAP:
		return chan_peer(c) == R_IMAPD;
	case SERVICE_POP3:
		return chan_peer(c) == R_POP3D;
	}
	return false;
}

static void
ask_worker(struct authd *a, struct chan *c, const struct msg_login *m,
    uint64_t mailbox, struct str creds, const struct cache_key *key)
{
	struct login *l = login_new(a);

	l->c = c;
	l->id = m->id;
	l->sid = m->sid;
	l->service = (enum service)m->service;
	l->mailbox = mailbox;
	l->creds = xdup(creds);
	l->user = xdup(m->user);
	l->client = xdup(m->client);
	l->key = *key;
	if (hash_check(a->hash, creds, m->password, on_hash, l))
		return;
	log_often(LOG_WARN, "login put off", L_SID(m->sid),
	    L_NUM("waiting", hash_waiting(a->hash)));
	refuse(c, m->id, LOGIN_TEMP);
	login_free(l);
}

int
login_begin(struct authd *a, struct chan *c, const struct msg_login *m)
{
	struct dir_account	u = { .mailbox = 0 };
	struct cache_key	key;
	struct str		creds = S("");
	bool			is_user;

	if (!is_its_service(c, m->service))
		return -1;
	if (m->password.n == 0 || m->password.n > CRED_PASSWORD_MAX) {
		refuse(c, m->id, LOGIN_BAD);
		return 0;
	}
	is_user = dir_user_get(a->dir, m->user, &u) == DIR_OK;
	if (is_user)
		creds = dir_user_creds(a->dir, u.mailbox);
	key = cache_key(a->cache, (enum service)m->service, u.mailbox, creds,
	    m->password);
	if (is_user && cache_has(a->cache, &key, clock_now())) {
		let_in(a, c, m->id, m->sid, (enum service)m->service, &u);
		return 0;
	}
	ask_worker(a, c, m, u.mailbox, creds, &key);
	return 0;
}
