/*
 * usage - see usage.h.
 */
#include "authd/usage.h"

#include <stdlib.h>

#include "authd/spare.h"
#include "common/core/conf.h"
#include "common/core/loop.h"
#include "common/core/map.h"
#include "common/core/xalloc.h"

enum { NEAR_SHARE = 10 };	/* of a limit: the last tenth */

struct tenant {
	struct map_node	 node;
	struct dir_quota limit, used;
};

/* A report that waits to be written. */
struct waiting {
	struct map_node	 node;
	struct dir_usage u;
};

struct usage {
	struct dir		*dir;
	struct map		 tenants, waiting;
	struct loop_timer	*write;
};

/* -- sums ------------------------------------------------------------- */

static struct tenant *
tenant_of(struct usage *u, uint32_t id)
{
	struct tenant *t = map_find(&u->tenants, id);

	if (t != NULL)
		return t;
	t = xcalloc(1, sizeof(*t));
	t->used = dir_usage_sum(u->dir, id);
	map_add(&u->tenants, &t->node, id);
	return t;
}

/* As the directory's, ahead of it by what waits. */
static void
change(struct usage *u, uint32_t tenant, struct dir_quota old,
    struct dir_quota new)
{
	struct tenant *t = tenant_of(u, tenant);

	t->used.size += new.size - old.size;
	t->used.messages += new.messages - old.messages;
}

struct dir_quota
usage_of(struct usage *u, uint64_t mailbox)
{
	struct waiting		*w = map_find(&u->waiting, mailbox);
	struct dir_usage	 row;

	if (w != NULL)
		return w->u.used;
	if (dir_usage_get(u->dir, mailbox, &row))
		return row.used;
	return (struct dir_quota){ 0, 0 };
}

struct dir_quota
usage_of_tenant(const struct usage *u, uint32_t tenant)
{
	const struct tenant *t = map_find(&u->tenants, tenant);

	return t == NULL ? (struct dir_quota){ 0, 0 } : t->used;
}

void
usage_set_tenant(struct usage *u, uint32_t tenant, struct dir_quota limit)
{
	tenant_of(u, tenant)->limit = limit;
}

/* -- reports ---------------------------------------------------------- */

static void
waiting_free(struct usage *u, struct waiting *w)
{
	map_remove(&u->waiting, &w->node);
	free(w);
}

void
usage_write(struct usage *u)
{
	struct waiting	*w;
	uint64_t	 cursor = 0;

	if (u->waiting.n == 0)
		return;
	/* It is known here, and owners know it: it can wait for a disk. */
	if (!spare_has_room()) {
		loop_timer_set(u->write, USAGE_WRITE_MS);
		return;
	}
	dir_usage_begin(u->dir);
	while ((w = map_walk(&u->waiting, &cursor)) != NULL) {
		dir_usage_put(u->dir, &w->u);
		waiting_free(u, w);
	}
	dir_usage_end(u->dir);
}

static void
on_write(void *arg)
{
	usage_write(arg);
}

void
usage_report(struct usage *u, const struct dir_account *a,
    struct dir_quota used)
{
	struct dir_quota	 old = usage_of(u, a->mailbox);
	struct waiting		*w = map_find(&u->waiting, a->mailbox);

	if (old.size == used.size && old.messages == used.messages)
		return;
	if (w == NULL) {
		w = xcalloc(1, sizeof(*w));
		map_add(&u->waiting, &w->node, a->mailbox);
	}
	w->u = (struct dir_usage){ a->mailbox, a->tenant, used };
	change(u, a->tenant, old, used);
	if (u->waiting.n >= USAGE_WAIT_MAX)
		usage_write(u);
	else if (!loop_timer_pending(u->write))
		loop_timer_set(u->write, USAGE_WRITE_MS);
}

void
usage_forget(struct usage *u, const struct dir_account *a)
{
	struct waiting *w = map_find(&u->waiting, a->mailbox);

	change(u, a->tenant, usage_of(u, a->mailbox),
	    (struct dir_quota){ 0, 0 });
	if (w != NULL)
		waiting_free(u, w);
}

/* -- limits ----------------------------------------------------------- */

struct dir_quota
usage_limit(const struct dir_account *a)
{
	struct dir_quota q = a->quota;

	if (q.size == DIR_QUOTA_DEFAULT)
		q.size = conf_num(C_QUOTA_DEFAULT);
	if (q.messages == DIR_QUOTA_DEFAULT)
		q.messages = conf_num(C_QUOTA_MESSAGES);
	return q;
}

static enum usage_verdict
judge(uint64_t limit, uint64_t used, uint64_t more)
{
	if (limit == 0)
		return USAGE_OK;
	if (used > limit || more > limit - used)
		return USAGE_OVER;
	return used >= limit - limit / NEAR_SHARE ? USAGE_NEAR : USAGE_OK;
}

static enum usage_verdict
worse(enum usage_verdict a, enum usage_verdict b)
{
	return a > b ? a : b;
}

/* A message of no known size has an octet at least. */
enum usage_verdict
usage_of_limit(struct dir_quota limit, struct dir_quota used, uint64_t size)
{
	return worse(judge(limit.size, used.size, size == 0 ? 1 : size),
	    judge(limit.messages, used.messages, 1));
}

enum usage_verdict
usage_verdict(struct usage *u, const struct dir_account *a, uint64_t size)
{
	const struct tenant	*t = map_find(&u->tenants, a->tenant);
	struct dir_quota	 limit = usage_limit(a);
	enum usage_verdict	 v = USAGE_OK;

	if (limit.size != 0 || limit.messages != 0)
		v = usage_of_limit(limit, usage_of(u, a->mailbox), size);
	if (t == NULL)
		return v;
	return worse(v, usage_of_limit(t->limit, t->used, size));
}

/* -- life ------------------------------------------------------------- */

static void
load(struct usage *u)
{
	struct dir_tenant t = { .name = "" };

	while (dir_tenant_next(u->dir, str_c(t.name), &t) == DIR_OK)
		usage_set_tenant(u, t.tenant, t.quota);
}

struct usage *
usage_new(struct dir *d)
{
	struct usage *u = xcalloc(1, sizeof(*u));

	u->dir = d;
	map_init(&u->tenants);
	map_init(&u->waiting);
	u->write = loop_timer(on_write, u);
	load(u);
	return u;
}

void
usage_free(struct usage *u)
{
	struct tenant	*t;
	struct waiting	*w;
	uint64_t	 cursor = 0;

	if (u == NULL)
		return;
	usage_write(u);
	/* On a full disk; owners report again. */
	while ((w = map_walk(&u->waiting, &cursor)) != NULL)
		waiting_free(u, w);
	cursor = 0;
	while ((t = map_walk(&u->tenants, &cursor)) != NULL) {
		map_remove(&u->tenants, &t->node);
		free(t);
	}
	map_clear(&u->tenants);
	map_clear(&u->waiting);
	loop_timer_free(u->write);
	free(u);
}
