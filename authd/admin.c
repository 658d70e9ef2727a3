/*
 * admin - see admin.h.  Texts for people are here; what may be done is the
 * directory's.
 */
#include "authd/admin.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authd/spare.h"
#include "common/core/clock.h"
#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "common/ipc/ctl.h"

/* -- answers ---------------------------------------------------------- */

/* What was refused, and what to do. */
void
admin_answer(const struct ctl_call *c, enum dir_result r, const char *what,
    struct str name)
{
	const int	 n = (int)(name.n > 300 ? 300 : name.n);
	const char	*p = name.p;

	switch (r) {
	case DIR_OK:
		ctl_done(c, CTL_OK, "%s", "");
		return;
	case DIR_BAD:
		ctl_done(c, CTL_USAGE, "%s '%.*s': a name cannot be so, "
		    "or a target is no address", what, n, p);
		return;
	case DIR_NOT_ASCII:
		ctl_done(c, CTL_USAGE, "'%.*s': internationalised names are "
		    "not accepted; write the domain in its xn-- form", n, p);
		return;
	case DIR_NOT_FOUND:
		ctl_done(c, CTL_NOT_FOUND, "there is no %s '%.*s'", what, n,
		    p);
		return;
	case DIR_NO_DOMAIN:
		ctl_done(c, CTL_NOT_FOUND, "the domain of '%.*s' is not "
		    "ours; see mailctl domain add", n, p);
		return;
	case DIR_EXISTS:
		ctl_done(c, CTL_REFUSED, "'%.*s' is there already", n, p);
		return;
	case DIR_IN_USE:
		ctl_done(c, CTL_REFUSED, "'%.*s' still has users or aliases; "
		    "remove them first", n, p);
		return;
	case DIR_FULL:
		ctl_done(c, CTL_REFUSED, "'%.*s' does not fit: the limit of "
		    "mailboxes or of targets is reached", n, p);
		return;
	}
}

static void
text_created(struct ctl_row *row, int64_t wall)
{
	time_t		seconds = (time_t)(wall / 1000);
	struct tm	tm;
	char		text[32] = "";

	/* RFC 3339, as the log writes it. */
	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	ctl_text(row, "created", str_c(text));
}

static void
send_domain(const struct ctl_call *c, const struct dir_domain *d)
{
	struct ctl_row row;

	ctl_row_init(&row);
	ctl_text(&row, "domain", str_c(d->name));
	ctl_num(&row, "tenant", d->tenant);
	text_created(&row, d->created);
	ctl_row_send(&row, c);
}

/* With what it holds, if authd is given. */
static void
send_user(const struct ctl_call *c, const struct dir_account *u,
    struct authd *a)
{
	struct ctl_row row;

	ctl_row_init(&row);
	ctl_text(&row, "address", str_c(u->address));
	ctl_num(&row, "mailbox", u->mailbox);
	ctl_num(&row, "tenant", u->tenant);
	ctl_num(&row, "shard", u->shard);
	ctl_num(&row, "uid", conf_num(C_MAILBOX_UID_BASE) + u->mailbox);
	text_created(&row, u->created);
	if (a != NULL)
		admin_quota_columns(&row, a, u);
	ctl_row_send(&row, c);
}

static void
send_targets(const struct ctl_call *c, const struct dir_alias *l,
    struct str targets)
{
	struct ctl_row row;

	ctl_row_init(&row);
	ctl_text(&row, "address", str_c(l->address));
	ctl_list(&row, "targets", targets);
	ctl_num(&row, "tenant", l->tenant);
	text_created(&row, l->created);
	ctl_row_send(&row, c);
}

/* As many rows as its targets need. */
static void
send_alias(const struct ctl_call *c, struct dir_alias l)
{
	struct buf	b;
	struct str	t;

	buf_init(&b, CTL_COLUMN_MAX);
	while (dir_alias_next(&l, &t)) {
		if (buf_left(&b) < t.n + 1) {
			send_targets(c, &l, buf_str(&b));
			buf_reset(&b);
		}
		if (b.n > 0)
			buf_addc(&b, '\n');
		buf_add(&b, t);
	}
	send_targets(c, &l, buf_str(&b));
	buf_clear(&b);
}

/* -- domains ---------------------------------------------------------- */

static void
on_domain_add(struct ctl_call *c, void *arg)
{
	struct authd *a = arg;

	admin_answer(c, dir_domain_add(a->dir, c->word[0], clock_wall()),
	    "domain", c->word[0]);
}

static void
on_domain_remove(struct ctl_call *c, void *arg)
{
	struct authd *a = arg;

	admin_answer(c, dir_domain_remove(a->dir, c->word[0]), "domain",
	    c->word[0]);
}

static void
on_domain_show(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_domain	 d;
	enum dir_result		 r = dir_domain_get(a->dir, c->word[0], &d);

	if (r == DIR_OK)
		send_domain(c, &d);
	admin_answer(c, r, "domain", c->word[0]);
}

static void
on_domain_list(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_domain	 d;
	struct str		 after = c->word[0];
	int			 i;

	for (i = 0; i < CTL_ROWS_TURN; i++) {
		if (dir_domain_next(a->dir, after, &d) != DIR_OK) {
			admin_answer(c, DIR_OK, "domain", S(""));
			return;
		}
		send_domain(c, &d);
		after = str_c(d.name);
	}
	ctl_done_next(c, after);
}

/* -- users ------------------------------------------------------------ */

/* A command that waits for a worker. */
struct admin {
	struct admin	*next, **at;
	struct authd	*a;
	struct ctl_call	 call;		/* chan NULL: it has gone */
	char		 address[DIR_TEXT_MAX + 1];
};

static void
admin_free(struct admin *w)
{
	*w->at = w->next;
	if (w->next != NULL)
		w->next->at = w->at;
	free(w);
}

void
admin_forget(struct authd *a, const struct chan *c)
{
	struct admin *w;

	for (w = a->admins; w != NULL; w = w->next) {
		if (w->call.chan == c)
			w->call.chan = NULL;
	}
}

void
admin_free_all(struct authd *a)
{
	struct admin *w, *next;

	for (w = a->admins; w != NULL; w = next) {
		next = w->next;
		admin_free(w);
	}
}

static void
on_password(void *arg, const struct hash_answer *h)
{
	struct admin	*w = arg;
	struct dir	*d = w->a->dir;
	struct str	 address = str_c(w->address);
	enum dir_result	 r = DIR_OK;

	if (h->result == HASH_GOOD && w->call.verb == CTL_USER_ADD)
		r = dir_user_add(d, address, h->creds, clock_wall(), NULL);
	else if (h->result == HASH_GOOD)
		r = dir_user_set_creds(d, address, h->creds);
	if (w->call.chan == NULL)
		log_warn("mailctl did not wait", L_STR("about", address));
	else if (h->result != HASH_GOOD)
		ctl_done(&w->call, CTL_FAILED, "the password could not be "
		    "hashed; is there memory for auth.memory?");
	else
		admin_answer(&w->call, r, "user", address);
	admin_free(w);
}

static void
with_password(struct authd *a, struct ctl_call *c, const char *address)
{
	struct admin	*w;
	struct str	 password = c->word[c->n - 1];

	if (password.n == 0 || password.n > CRED_PASSWORD_MAX) {
		ctl_done(c, CTL_FAILED, "a password has 1 to %d bytes",
		    CRED_PASSWORD_MAX);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->a = a;
	w->call = *c;
	/* The words are on loan for this call only. */
	w->call.n = 0;
	memcpy(w->address, address, strlen(address) + 1);
	w->next = a->admins;
	w->at = &a->admins;
	if (w->next != NULL)
		w->next->at = &w->next;
	a->admins = w;
	if (hash_make(a->hash, password, on_password, w))
		return;
	ctl_done(c, CTL_FAILED, "too many logins are waiting; try again");
	admin_free(w);
}

/* What is wrong with the name is said before any work. */
static void
on_user_add(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_account	 u;
	struct dir_domain	 d;
	char			 address[DIR_TEXT_MAX + 1];
	ptrdiff_t		 at;
	enum dir_result		 r = dir_canon(c->word[0], address);

	if (r == DIR_OK && address[0] == '@')
		r = DIR_BAD;
	if (r == DIR_OK) {
		at = str_rchr(str_c(address), '@');
		if (dir_domain_get(a->dir, str_c(address + at + 1), &d) !=
		    DIR_OK)
			r = DIR_NO_DOMAIN;
		else if (dir_user_get(a->dir, str_c(address), &u) == DIR_OK)
			r = DIR_EXISTS;
	}
	if (r == DIR_OK)
		with_password(a, c, address);
	else
		admin_answer(c, r, "user", c->word[0]);
}

static void
on_user_passwd(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_account	 u;
	enum dir_result		 r = dir_user_get(a->dir, c->word[0], &u);

	if (r == DIR_OK)
		with_password(a, c, u.address);
	else
		admin_answer(c, r, "user", c->word[0]);
}

static void
on_user_remove(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_account	 u;
	enum dir_result		 r = dir_user_get(a->dir, c->word[0], &u);

	if (r == DIR_OK) {
		usage_forget(a->usage, &u);
		r = dir_user_remove(a->dir, c->word[0]);
	}
	admin_answer(c, r, "user", c->word[0]);
}

static void
on_user_show(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_account	 u;
	enum dir_result		 r = dir_user_get(a->dir, c->word[0], &u);

	if (r == DIR_OK)
		send_user(c, &u, a);
	admin_answer(c, r, "user", c->word[0]);
}

/* The domain that bounds a list; -1 when it was answered already. */
static int
list_domain(struct authd *a, struct ctl_call *c, struct str *domain)
{
	struct dir_domain	d;
	enum dir_result		r;

	*domain = S("");
	if (c->n < 2)
		return 0;
	*domain = c->word[0];
	r = dir_domain_get(a->dir, *domain, &d);
	if (r == DIR_OK)
		return 0;
	admin_answer(c, r, "domain", *domain);
	return -1;
}

static void
on_user_list(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_account	 u;
	struct str		 after = c->word[c->n - 1], domain;
	int			 i;

	if (list_domain(a, c, &domain) == -1)
		return;
	for (i = 0; i < CTL_ROWS_TURN; i++) {
		if (dir_user_next(a->dir, domain, after, &u) != DIR_OK) {
			admin_answer(c, DIR_OK, "user", S(""));
			return;
		}
		send_user(c, &u, NULL);
		after = str_c(u.address);
	}
	ctl_done_next(c, after);
}

/* -- aliases ---------------------------------------------------------- */

static void
on_alias_add(struct ctl_call *c, void *arg)
{
	struct authd *a = arg;

	admin_answer(c, dir_alias_add(a->dir, c->word[0], c->word + 1, c->n - 1,
	    clock_wall()), "alias", c->word[0]);
}

static void
on_alias_remove(struct ctl_call *c, void *arg)
{
	struct authd *a = arg;

	admin_answer(c, dir_alias_remove(a->dir, c->word[0], c->word + 1,
	    c->n - 1), "alias", c->word[0]);
}

static void
on_alias_show(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_alias	 l;
	enum dir_result		 r = dir_alias_get(a->dir, c->word[0], &l);

	if (r == DIR_OK)
		send_alias(c, l);
	admin_answer(c, r, "alias", c->word[0]);
}

static void
on_alias_list(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_alias	 l;
	struct str		 after = c->word[c->n - 1], domain;
	int			 i;

	if (list_domain(a, c, &domain) == -1)
		return;
	for (i = 0; i < CTL_ROWS_TURN; i++) {
		if (dir_alias_list_next(a->dir, domain, after, &l) !=
		    DIR_OK) {
			admin_answer(c, DIR_OK, "alias", S(""));
			return;
		}
		send_alias(c, l);
		after = str_c(l.address);
	}
	ctl_done_next(c, after);
}

static const struct ctl_handler verbs[] = {
	{ CTL_DOMAIN_ADD, on_domain_add },
	{ CTL_DOMAIN_REMOVE, on_domain_remove },
	{ CTL_DOMAIN_SHOW, on_domain_show },
	{ CTL_DOMAIN_LIST, on_domain_list },
	{ CTL_USER_ADD, on_user_add },
	{ CTL_USER_PASSWD, on_user_passwd },
	{ CTL_USER_REMOVE, on_user_remove },
	{ CTL_USER_SHOW, on_user_show },
	{ CTL_USER_QUOTA, admin_user_quota },
	{ CTL_USER_LIST, on_user_list },
	{ CTL_ALIAS_ADD, on_alias_add },
	{ CTL_ALIAS_REMOVE, on_alias_remove },
	{ CTL_ALIAS_SHOW, on_alias_show },
	{ CTL_ALIAS_LIST, on_alias_list },
	{ CTL_TENANT_SHOW, admin_tenant_show },
	{ CTL_TENANT_QUOTA, admin_tenant_quota },
	{ CTL_TENANT_LIST, admin_tenant_list },
};

/* A quota without a new one is a question. */
static bool
is_change(unsigned verb, uint32_t words)
{
	static const enum ctl_verb	changes[] = { CTL_DOMAIN_ADD,
		CTL_DOMAIN_REMOVE, CTL_USER_ADD, CTL_USER_PASSWD,
		CTL_USER_REMOVE, CTL_USER_QUOTA, CTL_ALIAS_ADD,
		CTL_ALIAS_REMOVE, CTL_TENANT_QUOTA };
	size_t				i;

	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (changes[i] == verb)
			return words > 1 || (verb != CTL_USER_QUOTA &&
			    verb != CTL_TENANT_QUOTA);
	}
	return false;
}

void
admin_call(struct authd *a, struct chan *c, const struct msg_ctl *m)
{
	const struct ctl_call call = { .chan = c, .id = m->id };

	/* A commit that finds no room would be the end of this process. */
	if (is_change(m->verb, m->words.n) && !spare_has_room()) {
		ctl_done(&call, CTL_FAILED, "the disk is nearly full: nothing "
		    "was changed; make room and do it again");
		return;
	}
	ctl_dispatch(c, m, "authd", verbs, sizeof(verbs) / sizeof(verbs[0]),
	    a);
}
