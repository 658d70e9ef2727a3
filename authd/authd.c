/*
 * authd - see authd.h.  Lookups and expansion are answered at once; logins
 * are in login.c, mailctl's commands in admin.c.
 */
#include "authd/authd.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "authd/admin.h"
#include "authd/login.h"
#include "authd/quota.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "common/ipc/ctl.h"

enum { ROUTES_MAX = 100, LIST_MAX_ = 64 * 1024 };

/* -- lookups ---------------------------------------------------------- */

static enum lookup_verdict
verdict_of(enum dir_kind kind)
{
	switch (kind) {
	case DIR_MAILBOX:
	case DIR_ALIAS:
		return LOOKUP_OK;
	case DIR_UNKNOWN:
		return LOOKUP_UNKNOWN;
	case DIR_FOREIGN:
		return LOOKUP_FOREIGN;
	}
	return LOOKUP_TEMP;
}

static enum lookup_verdict
of_usage(enum usage_verdict v)
{
	switch (v) {
	case USAGE_OK:
		break;
	case USAGE_NEAR:
		return LOOKUP_NEAR;
	case USAGE_OVER:
		return LOOKUP_OVER;
	}
	return LOOKUP_OK;
}

/* An alias with one target has the room of that; with several, any. */
static enum lookup_verdict
room_behind(struct authd *a, struct dir_alias *alias, uint64_t size)
{
	struct dir_found	f;
	char			text[DIR_TEXT_MAX];
	struct str		target;

	if (alias->n != 1 || !dir_alias_next(alias, &target))
		return LOOKUP_OK;
	/* On loan only until the next call. */
	memcpy(text, target.p, target.n);
	if (dir_find(a->dir, str_of(text, target.n), &f) != DIR_MAILBOX)
		return LOOKUP_OK;
	return of_usage(usage_verdict(a->usage, &f.account, size));
}

static struct rec_verdict
recipient(struct authd *a, const struct rec_asked *r)
{
	struct rec_verdict	v = { .targets = 1 };
	struct dir_found	f;
	enum dir_kind		kind = dir_find(a->dir, r->address, &f);

	v.verdict = (uint8_t)verdict_of(kind);
	if (kind == DIR_MAILBOX)
		v.verdict = (uint8_t)of_usage(usage_verdict(a->usage,
		    &f.account, r->size));
	if (kind == DIR_ALIAS) {
		v.targets = expansion_count(a->expansion, &f.alias);
		dir_find(a->dir, r->address, &f);
		v.verdict = (uint8_t)room_behind(a, &f.alias, r->size);
	}
	return v;
}

static struct rec_verdict
sender(struct authd *a, uint64_t account, struct str address)
{
	return (struct rec_verdict){
	    .verdict = (uint8_t)verdict_of(dir_may_send(a->dir, account,
	    address)) };
}

static int
on_lookup(struct authd *a, struct chan *c, const struct msg_lookup *m)
{
	struct msg_list		list = m->addresses;
	struct rec_asked	r;
	struct rec_verdict	v;
	struct buf		out;
	uint32_t		n = 0;

	buf_init(&out, LIST_MAX_);
	while (rec_next_asked(&list, &r)) {
		v = m->account == 0 ? recipient(a, &r) :
		    sender(a, m->account, r.address);
		rec_add_verdict(&out, &n, &v);
	}
	chan_send_looked_up(c, &(struct msg_looked_up){ .id = m->id,
	    .verdicts = msg_list_of(&out, n) }, -1);
	buf_clear(&out);
	return 0;
}

/* -- expansion -------------------------------------------------------- */

/* Routes gather and leave when there are enough; the last are marked. */
struct routes {
	struct chan	*c;
	uint64_t	 id;
	struct buf	 b;
	uint32_t	 n;
};

static void
send_routes(struct routes *r, bool is_last)
{
	chan_send_expanded(r->c, &(struct msg_expanded){ .id = r->id,
	    .last = is_last, .routes = msg_list_of(&r->b, r->n) }, -1);
	buf_reset(&r->b);
	r->n = 0;
}

static void
add_route(struct routes *r, const struct rec_route *route)
{
	if (r->n == ROUTES_MAX)
		send_routes(r, false);
	rec_add_route(&r->b, &r->n, route);
}

static void
expand(struct routes *r, struct dir *d, const struct rec_target *t)
{
	struct dir_found	f;
	struct rec_route	route = { .target = t->target };

	route.address = t->address;
	switch (dir_find(d, t->address, &f)) {
	case DIR_MAILBOX:
		route.kind = ROUTE_MAILBOX;
		route.mailbox = f.account.mailbox;
		route.tenant = f.account.tenant;
		route.shard = f.account.shard;
		route.address = str_c(f.account.address);
		add_route(r, &route);
		break;
	case DIR_ALIAS:
		route.kind = ROUTE_ADDRESS;
		while (dir_alias_next(&f.alias, &route.address))
			add_route(r, &route);
		break;
	case DIR_UNKNOWN:
		route.kind = ROUTE_UNKNOWN;
		add_route(r, &route);
		break;
	case DIR_FOREIGN:
		route.kind = ROUTE_FOREIGN;
		add_route(r, &route);
		break;
	}
}

static int
on_expand(struct authd *a, struct chan *c, const struct msg_expand *m)
{
	struct routes		r = { .c = c, .id = m->id };
	struct msg_list		list = m->targets;
	struct rec_target	t;

	buf_init(&r.b, MSG_PACKET_MAX);
	while (rec_next_target(&list, &t))
		expand(&r, a->dir, &t);
	send_routes(&r, true);
	buf_clear(&r.b);
	return 0;
}

/* -- mailboxes -------------------------------------------------------- */

static int
on_mailbox_find(struct authd *a, struct chan *c,
    const struct msg_mailbox_find *m)
{
	struct msg_mailbox_found	found = { .id = m->id,
	    .verdict = LOOKUP_UNKNOWN };
	struct dir_account		u;
	enum dir_result			r;

	if (m->next > 1)
		return -1;
	r = m->next == 1 ? dir_user_next(a->dir, S(""), m->address, &u) :
	    dir_user_get(a->dir, m->address, &u);
	if (r == DIR_OK) {
		found.verdict = LOOKUP_OK;
		found.mailbox = u.mailbox;
		found.tenant = u.tenant;
		found.shard = u.shard;
		found.address = str_c(u.address);
	}
	chan_send_mailbox_found(c, &found, -1);
	return 0;
}

/* -- ticket keys ------------------------------------------------------ */

static void
make_key(struct ticket_keys *k)
{
	uint8_t key[TICKET_KEY];

	/*
	 * Unlike the one of the authd before us, but for luck.  Who holds
	 * this one takes any other for forged: one that were made later would
	 * have to be told to all before it seals the first ticket.
	 */
	randombytes_buf(key, sizeof(key));
	ticket_keys_add(k, randombytes_random(), str_of(key, sizeof(key)));
	sodium_memzero(key, sizeof(key));
}

static void
push_key(struct chan *c, const struct ticket_keys *k)
{
	chan_send_ticket_key(c, &(struct msg_ticket_key){ .kid = k->kid[0],
	    .key = str_of(k->key[0], TICKET_KEY) }, -1);
}

/* -- channels --------------------------------------------------------- */

static int
handle(struct authd *a, struct chan *c, const struct msg *m)
{
	if (m->type == MSG_LOOKUP)
		return on_lookup(a, c, &m->lookup);
	if (m->type == MSG_LOGIN)
		return login_begin(a, c, &m->login);
	if (m->type == MSG_USAGE)
		return quota_report(a, c, &m->usage);
	if (m->type == MSG_EXPAND)
		return on_expand(a, c, &m->expand);
	if (m->type == MSG_MAILBOX_FIND)
		return on_mailbox_find(a, c, &m->mailbox_find);
	if (m->type == MSG_CTL) {
		admin_call(a, c, &m->ctl);
		return 0;
	}
	return -1;
}

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	int rc;

	assert(fd == -1);
	rc = handle(chan_arg(c), c, m);
	/* Who does not read what it asked for may ask no more. */
	if (chan_is_full(c))
		chan_pause(c, true);
	return rc;
}

static void
on_room(struct chan *c)
{
	chan_pause(c, false);
}

static void
on_down(struct chan *c)
{
	login_forget(chan_arg(c), c);
	admin_forget(chan_arg(c), c);
	quota_forget(chan_arg(c), c);
}

static const struct chan_ops ops = { on_msg, on_down, on_room };

static int
greet(struct authd *a, struct chan *c)
{
	chan_set_arg(c, a);
	if (chan_peer(c) == R_MAILBOXD) {
		if (!quota_meet(a, c))
			return -1;
		push_key(c, &a->for_mailboxd);
	}
	if (chan_peer(c) == R_QUEUED)
		push_key(c, &a->for_queued);
	return 0;
}

static int
on_accept(struct chan *c, void *arg)
{
	if (chan_peer(c) == R_MAILCTL && !ctl_allowed(chan_uid(c))) {
		log_warn("control refused", L_NUM("uid", chan_uid(c)));
		return -1;
	}
	return greet(arg, c);
}

void
authd_listen(struct authd *a, int fd, enum role peer)
{
	chan_listen(fd, R_AUTHD, peer, &ops, on_accept, a);
}

struct chan *
authd_serve(struct authd *a, int fd, enum role peer)
{
	struct chan *c = chan_new(fd, R_AUTHD, peer, &ops, NULL);

	if (greet(a, c) == -1) {
		chan_close(c);
		return NULL;
	}
	return c;
}

struct authd *
authd_new(struct dir *d, struct hash *h)
{
	struct authd *a = xcalloc(1, sizeof(*a));

	a->dir = d;
	a->hash = h;
	a->cache = cache_new((int64_t)conf_num(C_AUTH_CACHE_TIME) * 1000);
	a->usage = usage_new(d);
	a->expansion = expansion_new(d, (unsigned)conf_num(C_QUEUE_DEPTH_MAX),
	    (uint32_t)conf_num(C_QUEUE_TARGETS_MAX));
	make_key(&a->for_mailboxd);
	make_key(&a->for_queued);
	return a;
}

void
authd_free(struct authd *a)
{
	if (a == NULL)
		return;
	login_free_all(a);
	admin_free_all(a);
	cache_free(a->cache);
	usage_free(a->usage);
	expansion_free(a->expansion);
	ticket_keys_wipe(&a->for_mailboxd);
	ticket_keys_wipe(&a->for_queued);
	free(a);
}
