/*
 * admin_quota - mailctl's commands about quotas: user quota, and tenants.
 * The words are those of postern.conf(5): bytes, K, M, G.
 */
#include <string.h>

#include "authd/admin.h"
#include "authd/quota.h"
#include "common/core/conf_value.h"

static const struct conf_info a_size = { .type = CONF_SIZE, .lo = 1,
    .hi = (uint64_t)1 << 50 };
static const struct conf_info a_number = { .type = CONF_NUM, .lo = 1,
    .hi = UINT32_MAX };

/* -- words ------------------------------------------------------------ */

/* As it may be typed again. */
static void
column_size(struct ctl_row *row, const char *key, uint64_t v)
{
	static const char	units[] = "KMG";
	struct buf		b;
	unsigned		u = 0;

	buf_init(&b, 32);
	while (v != 0 && u < 3 && v % 1024 == 0) {
		v /= 1024;
		u++;
	}
	buf_addu(&b, v);
	if (u > 0)
		buf_addc(&b, units[u - 1]);
	ctl_text(row, key, buf_str(&b));
	buf_clear(&b);
}

static void
column_quota(struct ctl_row *row, const char *key, uint64_t v, bool is_size)
{
	struct buf b;

	if (v == 0 || v == DIR_QUOTA_DEFAULT) {
		ctl_text(row, key, v == 0 ? S("none") : S("default"));
		return;
	}
	if (is_size) {
		column_size(row, key, v);
		return;
	}
	buf_init(&b, 32);
	buf_addu(&b, v);
	ctl_text(row, key, buf_str(&b));
	buf_clear(&b);
}

static const char *
verdict_word(enum usage_verdict v)
{
	switch (v) {
	case USAGE_OK:
		return "ok";
	case USAGE_NEAR:
		return "near";
	case USAGE_OVER:
		return "over";
	}
	return "?";
}

/* What is set, what follows from it, what is there. */
static void
columns(struct ctl_row *row, struct dir_quota set, struct dir_quota limit,
    struct dir_quota used)
{
	column_quota(row, "quota", set.size, true);
	column_quota(row, "quota_messages", set.messages, false);
	ctl_num(row, "limit", limit.size);
	ctl_num(row, "limit_messages", limit.messages);
	ctl_num(row, "used", used.size);
	ctl_num(row, "used_messages", used.messages);
	ctl_text(row, "state", str_c(verdict_word(usage_of_limit(limit, used,
	    0))));
}

/* NULL, or what is wrong with the words; *q is changed as they say. */
static const char *
take_words(const struct ctl_call *c, bool has_default, struct dir_quota *q)
{
	const char	*wrong = NULL;
	uint64_t	*field = &q->size;
	unsigned	 i;

	for (i = 1; i < c->n && wrong == NULL; i++) {
		if (str_eq(c->word[i], S("none")))
			*field = 0;
		else if (has_default && str_eq(c->word[i], S("default")))
			*field = DIR_QUOTA_DEFAULT;
		else
			wrong = conf_value(i == 1 ? &a_size : &a_number,
			    c->word[i], field);
		field = &q->messages;
	}
	return wrong;
}

static void
refuse(const struct ctl_call *c, const char *wrong, bool has_default)
{
	ctl_done(c, CTL_USAGE, "%s; a quota is bytes, to which K, M or G may "
	    "be added%s, and then a number of messages", wrong,
	    has_default ? ", or none or default" : ", or none");
}

/* -- users ------------------------------------------------------------ */

void
admin_quota_columns(struct ctl_row *row, struct authd *a,
    const struct dir_account *u)
{
	columns(row, u->quota, usage_limit(u), usage_of(a->usage,
	    u->mailbox));
}

static void
send_user(const struct ctl_call *c, struct authd *a,
    const struct dir_account *u)
{
	struct ctl_row row;

	ctl_row_init(&row);
	ctl_text(&row, "address", str_c(u->address));
	admin_quota_columns(&row, a, u);
	ctl_row_send(&row, c);
}

void
admin_user_quota(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_account	 u;
	const char		*wrong;
	enum dir_result		 r = dir_user_get(a->dir, c->word[0], &u);

	if (r == DIR_OK && c->n == 1)
		send_user(c, a, &u);
	if (r == DIR_OK && c->n > 1) {
		wrong = take_words(c, true, &u.quota);
		if (wrong != NULL) {
			refuse(c, wrong, true);
			return;
		}
		r = dir_user_set_quota(a->dir, c->word[0], u.quota);
		quota_push(a, &u);
	}
	admin_answer(c, r, "user", c->word[0]);
}

/* -- tenants ---------------------------------------------------------- */

static void
send_tenant(const struct ctl_call *c, struct authd *a,
    const struct dir_tenant *t)
{
	struct ctl_row row;

	ctl_row_init(&row);
	ctl_text(&row, "tenant", str_c(t->name));
	ctl_num(&row, "number", t->tenant);
	columns(&row, t->quota, t->quota, usage_of_tenant(a->usage,
	    t->tenant));
	ctl_row_send(&row, c);
}

void
admin_tenant_show(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_tenant	 t;
	enum dir_result		 r = dir_tenant_get(a->dir, c->word[0], &t);

	if (r == DIR_OK)
		send_tenant(c, a, &t);
	admin_answer(c, r, "tenant", c->word[0]);
}

void
admin_tenant_quota(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_tenant	 t;
	const char		*wrong;
	enum dir_result		 r = dir_tenant_get(a->dir, c->word[0], &t);

	if (r == DIR_OK && c->n == 1)
		send_tenant(c, a, &t);
	if (r == DIR_OK && c->n > 1) {
		wrong = take_words(c, false, &t.quota);
		if (wrong != NULL) {
			refuse(c, wrong, false);
			return;
		}
		r = dir_tenant_set_quota(a->dir, c->word[0], t.quota);
		usage_set_tenant(a->usage, t.tenant, t.quota);
	}
	admin_answer(c, r, "tenant", c->word[0]);
}

void
admin_tenant_list(struct ctl_call *c, void *arg)
{
	struct authd		*a = arg;
	struct dir_tenant	 t;
	struct str		 after = c->word[0];
	int			 i;

	for (i = 0; i < CTL_ROWS_TURN; i++) {
		if (dir_tenant_next(a->dir, after, &t) != DIR_OK) {
			admin_answer(c, DIR_OK, "tenant", S(""));
			return;
		}
		send_tenant(c, a, &t);
		after = str_c(t.name);
	}
	ctl_done_next(c, after);
}
