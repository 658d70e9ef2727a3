/*
 * monitor - see monitor.h.  Here: the owners, and passing work to them.
 */
#include "mailboxd/monitor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/start.h"
#include "common/core/xalloc.h"
#include "common/ipc/chan.h"
#include "common/ipc/ticket.h"
#include "mailboxd/control.h"
#include "mailboxd/hello.h"
#include "mailboxd/limits.h"
#include "mailboxd/owners.h"

#define STORED	"owner-"	/* and mailbox-tenant-shard */

enum {
	STORED_MAX = 64,
	/* Of an owner: helpers at once, and from then on one in so long. */
	HELPERS = 10,
	HELPER_MS = 1000
};

/* Waits until its owner can be given it. */
struct work {
	STAILQ_ENTRY(work)	next;
	struct work_for		w;	/* with strings of its own */
};

static struct {
	struct owners		*owners;
	struct link		*authd, *zygote;
	struct chan_listener	*local;
	uint64_t		 pieces;	/* of work, numbered */
	bool			 has_key;	/* of the authd at the link */
} mo;

static void	want(struct owner *);

/* The descriptor is for the new process. */
static void
send_want(struct chan *zygote, const struct owner *o, enum owner_kind kind,
    int fd)
{
	chan_send_owner_want(zygote, &(struct msg_owner_want){
		.mailbox = o->mailbox,
		.tenant = o->tenant,
		.shard = o->shard,
		.kind = (uint8_t)kind,
	}, fd);
	close(fd);
}

/* -- work ------------------------------------------------------------- */

static void
work_free(struct work *w)
{
	if (w->w.fd != -1)
		close(w->w.fd);
	xfree_str(&w->w.user);
	xfree_str(&w->w.client);
	free(w);
}

static void
work_refuse(struct work *w)
{
	if (w->w.is_scrub)
		control_refused(w->w.mailbox);
	if (w->w.service != 0) {
		hello_refuse(w->w.fd, UNAVAILABLE_NOW);
		w->w.fd = -1;
	}
	/* deliverd takes the end of its channel for "try again". */
	work_free(w);
}

static void
pass(struct owner *o, struct work *w)
{
	const struct work_for *f = &w->w;

	if (f->is_scrub) {
		chan_send_owner_scrub(o->ctl, &(struct msg_owner_scrub){
			.n = ++mo.pieces,
		}, -1);
		control_passed(f->mailbox, mo.pieces);
	} else if (f->service != 0)
		chan_send_owner_session(o->ctl, &(struct msg_owner_session){
			.sid = f->sid,
			.service = (uint8_t)f->service,
			.user = f->user,
			.client = f->client,
		}, f->fd);
	else
		chan_send_owner_delivery(o->ctl, &(struct msg_owner_delivery){
			.n = ++mo.pieces,
		}, f->fd);
	work_free(w);
}

static void
pass_waiting(struct owner *o)
{
	struct work *w;

	while ((w = STAILQ_FIRST(&o->waiting)) != NULL && owner_pass(o)) {
		STAILQ_REMOVE_HEAD(&o->waiting, next);
		pass(o, w);
	}
}

static void
refuse_waiting(struct owner *o)
{
	struct work *w;

	while ((w = STAILQ_FIRST(&o->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&o->waiting, next);
		work_refuse(w);
	}
}

void
monitor_work(const struct work_for *f)
{
	struct owner	*o = owners_find(mo.owners, f->mailbox);
	struct work	*w = xcalloc(1, sizeof(*w));

	w->w = *f;
	w->w.user = xdup(f->user);
	w->w.client = xdup(f->client);
	if (o == NULL) {
		o = owners_add(mo.owners, f->mailbox, f->tenant, f->shard);
	}
	if (o != NULL && o->ctl == NULL)
		want(o);
	if (o == NULL || o->tenant != f->tenant || o->shard != f->shard) {
		log_warn(o == NULL ? "too many owners" : "mailbox mismatch",
		    L_NUM("mailbox", f->mailbox));
		work_refuse(w);
		return;
	}
	STAILQ_INSERT_TAIL(&o->waiting, w, next);
	pass_waiting(o);
}

/* -- owners ----------------------------------------------------------- */

static void
stored_name(const struct owner *o, char *name)
{
	snprintf(name, STORED_MAX, STORED "%llu-%u-%u",
	    (unsigned long long)o->mailbox, o->tenant, o->shard);
}

static void
go(struct owner *o)
{
	owner_ready(o);
	pass_waiting(o);
}

/*
 * An owner has one helper at a time, whatever it asks for: the one before
 * sees the end of its socket, although the owner may hold on to its own.
 */
static void
end_helper(struct owner *o)
{
	if (o->helper == -1)
		return;
	shutdown(o->helper, SHUT_RDWR);
	close(o->helper);
	o->helper = -1;
}

/* The zygote has others to fork for. */
static bool
may_have_helper(struct owner *o)
{
	if (o->helpers_paid < clock_now())
		o->helpers_paid = clock_now();
	if (o->helpers_paid - clock_now() > (HELPERS - 1) * HELPER_MS)
		return false;
	o->helpers_paid += HELPER_MS;
	return true;
}

static void
want_helper(struct owner *o)
{
	struct chan	*z = link_chan(mo.zygote);
	int		 pair[2];

	o->wants_helper = z == NULL;
	if (z == NULL)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair) == -1) {
		log_error("socketpair", L_ERRNO);
		return;
	}
	end_helper(o);
	o->helper = pair[0];
	send_want(z, o, OWNER_HELPER, pair[1]);
	chan_send_helper_here(o->ctl, &(struct msg_helper_here){
	    o->mailbox }, pair[0]);
}

static int
on_owner(struct chan *c, const struct msg *m, int fd)
{
	struct owner *o = chan_arg(c);

	(void)fd;
	if (m->type == MSG_OWNER_READY) {
		if (m->owner_ready.mailbox != o->mailbox)
			return -1;
		if (!limits_hold(o))
			go(o);
		return 0;
	}
	if (m->type == MSG_OWNER_DAMAGE)
		return control_damage(o->mailbox, &m->owner_damage);
	if (m->type == MSG_OWNER_SCRUBBED) {
		control_scrubbed(o->mailbox, &m->owner_scrubbed);
		return 0;
	}
	if (m->type == MSG_HELPER_WANT) {
		if (m->helper_want.mailbox != o->mailbox)
			return -1;
		/* It waits a while, then what needed a helper fails. */
		if (may_have_helper(o))
			want_helper(o);
		else
			log_often(LOG_WARN, "too many helpers",
			    L_NUM("mailbox", o->mailbox));
		return 0;
	}
	if (m->type == MSG_OWNER_USAGE)
		return limits_used(o, &m->owner_usage);
	if (m->type != MSG_OWNER_IDLE)
		return -1;
	if (owner_idle(o, m->owner_idle.received))
		chan_send_owner_go(c, &(struct msg_owner_go){
		    m->owner_idle.received }, -1);
	return 0;
}

static void
on_owner_down(struct chan *c)
{
	struct owner	*o = chan_arg(c);
	char		 name[STORED_MAX];

	stored_name(o, name);
	start_fdremove(name);
	o->ctl = NULL;
	control_owner_down(o->mailbox);
	o->wants_helper = false;
	end_helper(o);
	limits_forget(o);
	/* Died before it was ready: another would, too. */
	if (o->state == OWNER_ASKED)
		refuse_waiting(o);
	if (STAILQ_EMPTY(&o->waiting)) {
		owners_remove(mo.owners, o);
		return;
	}
	owner_again(o);
	want(o);
}

static const struct chan_ops owner_ops = {
	.on_msg = on_owner,
	.on_down = on_owner_down,
};

/* Asks the zygote for a process; again when the zygote is back. */
static void
want(struct owner *o)
{
	struct chan	*z = link_chan(mo.zygote);
	char		 name[STORED_MAX];
	int		 pair[2];

	if (z == NULL)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, pair) == -1) {
		log_error("socketpair", L_ERRNO);
		refuse_waiting(o);
		return;
	}
	stored_name(o, name);
	start_fdstore(name, pair[0]);
	o->ctl = chan_new(pair[0], R_MAILBOXD, R_OWNER, &owner_ops, o);
	send_want(z, o, OWNER_PROCESS, pair[1]);
}

static void
on_zygote_up(struct chan *c, void *arg)
{
	struct owner *o;

	(void)c;
	(void)arg;
	for (o = owners_next(mo.owners, NULL); o != NULL;
	    o = owners_next(mo.owners, o)) {
		if (o->ctl == NULL)
			want(o);
		else if (o->wants_helper)
			want_helper(o);
	}
}

static int
on_zygote(struct chan *c, const struct msg *m, int fd)
{
	bool is_helper;

	(void)c;
	(void)fd;
	if (m->type != MSG_OWNER_FORKED ||
	    m->owner_forked.kind > OWNER_HELPER)
		return -1;
	is_helper = m->owner_forked.kind == OWNER_HELPER;
	/* What follows from an error is the end of the owner's channel. */
	if (m->owner_forked.error != 0)
		log_error(is_helper ? "no helper" : "no owner",
		    L_NUM("mailbox", m->owner_forked.mailbox),
		    L_Z("error", strerror((int)m->owner_forked.error)));
	else
		log_info(is_helper ? "helper" : "owner",
		    L_NUM("mailbox", m->owner_forked.mailbox),
		    L_NUM("pid", m->owner_forked.pid));
	return 0;
}

static const struct link_ops zygote_ops = {
	.on_up = on_zygote_up,
	.on_msg = on_zygote,
};

/* -- what a monitor before us left ------------------------------------ */

static int
parse_stored(const char *name, struct owner *o)
{
	struct str	rest = str_c(name), part;
	uint64_t	v[3];
	int		i;

	for (i = 0; i < 3; i++) {
		if (!str_cut(&rest, '-', &part) || str_u64(part,
		    i == 0 ? UINT64_MAX : UINT32_MAX, &v[i]) == -1)
			return -1;
	}
	o->mailbox = v[0];
	o->tenant = (uint32_t)v[1];
	o->shard = (uint32_t)v[2];
	return rest.p == NULL ? 0 : -1;
}

static void
adopt_all(void)
{
	struct owner	 key, *o;
	const char	*name;
	int		 fd, i = 0;

	while ((fd = start_fd_prefix(STORED, &i, &name)) != -1) {
		o = NULL;
		if (parse_stored(name, &key) == 0 &&
		    owners_find(mo.owners, key.mailbox) == NULL)
			o = owners_add(mo.owners, key.mailbox, key.tenant,
			    key.shard);
		if (o == NULL) {
			close(fd);
			continue;
		}
		owner_adopt(o);
		o->ctl = chan_new(fd, R_MAILBOXD, R_OWNER, &owner_ops, o);
		chan_send_owner_ask(o->ctl, &(struct msg_owner_ask){
		    o->mailbox }, -1);
	}
	if (owners_count(mo.owners) > 0)
		log_info("owners taken over",
		    L_NUM("owners", owners_count(mo.owners)));
}

/* -- the others ------------------------------------------------------- */

static int
on_authd(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	if (m->type == MSG_MAILBOX_FOUND)
		return control_found(&m->mailbox_found);
	if (m->type == MSG_QUOTA) {
		limits_told(&m->quota);
		return 0;
	}
	if (m->type != MSG_TICKET_KEY || m->ticket_key.key.n != TICKET_KEY)
		return -1;
	mo.has_key = true;
	hello_key(m->ticket_key.kid, m->ticket_key.key);
	return 0;
}

static void
on_authd_up(struct chan *c, void *arg)
{
	(void)arg;
	limits_link(c);
}

static void
on_authd_down(void *arg)
{
	(void)arg;
	mo.has_key = false;
	control_authd_down();
	limits_link(NULL);
}

static const struct link_ops authd_ops = {
	.on_up = on_authd_up,
	.on_msg = on_authd,
	.on_down = on_authd_down,
};

bool
monitor_has_keys(void)
{
	struct chan *c = link_chan(mo.authd);

	/*
	 * There is one authd at a time.  It makes its key before it accepts
	 * anybody and says it first of all on our channel; when it dies, the
	 * channel ends before another one starts.  So as long as neither its
	 * end nor a message is unread there, the key that came is the one.
	 */
	return mo.has_key && c != NULL && chan_is_quiet(c);
}

/* The first message says which mailbox; the rest is for its owner. */
static int
on_local(struct chan *c, const struct msg *m, int fd)
{
	(void)fd;
	if (m->type != MSG_DELIVER_OPEN)
		return -1;
	monitor_work(&(struct work_for){
		.mailbox = m->deliver_open.mailbox,
		.tenant = m->deliver_open.tenant,
		.shard = m->deliver_open.shard,
		.fd = chan_release(c),
	});
	return 0;
}

static const struct chan_ops local_ops = { .on_msg = on_local };

static int
on_local_accept(struct chan *c, void *arg)
{
	(void)c;
	(void)arg;
	return 0;
}

void
monitor_init(void)
{
	mo.owners = owners_new((unsigned)conf_num(C_MAILBOX_OWNERS_MAX));
	limits_init(mo.owners, go);
	adopt_all();
	mo.authd = link_new("authd", R_MAILBOXD, R_AUTHD, &authd_ops, NULL);
	mo.zygote = link_new("zygote", R_MAILBOXD, R_ZYGOTE, &zygote_ops,
	    NULL);
	hello_listen(start_fd("imapd"), SERVICE_IMAP);
	hello_listen(start_fd("pop3d"), SERVICE_POP3);
	control_listen(start_fd("ctl"), mo.authd);
	mo.local = chan_listen(start_fd("local"), R_MAILBOXD, R_LOCAL,
	    &local_ops, on_local_accept, NULL);
}

void
monitor_stop(void *arg)
{
	(void)arg;
	log_info("stopping", L_NUM("owners", owners_count(mo.owners)));
	hello_stop();
	chan_listen_stop(mo.local);
	loop_stop();
}
