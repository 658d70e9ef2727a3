/*
 * owners - see owners.h.
 */
#include "mailboxd/owners.h"

#include <stdlib.h>

#include "common/core/xalloc.h"

enum { BUCKETS = 4096 };

struct owners {
	LIST_HEAD(, owner)	bucket[BUCKETS];
	TAILQ_HEAD(, owner)	all;
	unsigned		n, max;
};

struct owners *
owners_new(unsigned max)
{
	struct owners *t = xcalloc(1, sizeof(*t));

	TAILQ_INIT(&t->all);
	t->max = max;
	return t;
}

void
owners_free(struct owners *t)
{
	struct owner *o, *next;

	if (t == NULL)
		return;
	for (o = TAILQ_FIRST(&t->all); o != NULL; o = next) {
		next = TAILQ_NEXT(o, all);
		owners_remove(t, o);
	}
	free(t);
}

struct owner *
owners_find(const struct owners *t, uint64_t mailbox)
{
	struct owner *o;

	/* Mailboxes are numbered by authd, one after the other. */
	LIST_FOREACH(o, &t->bucket[mailbox % BUCKETS], bucket) {
		if (o->mailbox == mailbox)
			return o;
	}
	return NULL;
}

struct owner *
owners_add(struct owners *t, uint64_t mailbox, uint32_t tenant, uint32_t shard)
{
	struct owner *o;

	if (t->n == t->max)
		return NULL;
	o = xcalloc(1, sizeof(*o));
	o->mailbox = mailbox;
	o->tenant = tenant;
	o->shard = shard;
	o->helper = -1;
	STAILQ_INIT(&o->waiting);
	owner_again(o);
	LIST_INSERT_HEAD(&t->bucket[mailbox % BUCKETS], o, bucket);
	TAILQ_INSERT_TAIL(&t->all, o, all);
	t->n++;
	return o;
}

void
owners_remove(struct owners *t, struct owner *o)
{
	LIST_REMOVE(o, bucket);
	TAILQ_REMOVE(&t->all, o, all);
	t->n--;
	free(o);
}

struct owner *
owners_next(const struct owners *t, const struct owner *o)
{
	return o == NULL ? TAILQ_FIRST(&t->all) : TAILQ_NEXT(o, all);
}

unsigned
owners_count(const struct owners *t)
{
	return t->n;
}

void
owner_adopt(struct owner *o)
{
	o->state = OWNER_LIVE;
	o->known = false;
}

void
owner_again(struct owner *o)
{
	o->state = OWNER_ASKED;
	o->passed = 0;
	o->known = true;
	o->reported = false;
	o->limited = false;
	o->asked = false;
	o->behind = false;
	o->holds = false;
}

bool
owner_pass(struct owner *o)
{
	if (o->state != OWNER_LIVE)
		return false;
	o->passed++;
	return true;
}

void
owner_ready(struct owner *o)
{
	/* It stays because of work that we know nothing of. */
	if (o->state == OWNER_GOING)
		o->known = false;
	o->state = OWNER_LIVE;
}

bool
owner_idle(struct owner *o, uint64_t received)
{
	if (o->state != OWNER_LIVE)
		return false;
	if (!o->known) {
		o->known = true;
		o->passed = received;
	}
	if (received != o->passed)
		return false;
	o->state = OWNER_GOING;
	return true;
}
