/*
 * record - see record.h.  Pure.  Every record opens with a version byte and
 * its time; bytes left over are refused, so a later format shows itself.
 */
#include "queued/record.h"

#include <assert.h>
#include <string.h>

bool
record_is_over(enum target_state s)
{
	return s == TARGET_DONE || s == TARGET_EXPANDED || s == TARGET_SAME;
}

/* -- shared pieces ------------------------------------------------------- */

static void
put_head(struct buf *b, struct record_time t)
{
	pack_u8(b, RECORD_VERSION);
	pack_u64(b, (uint64_t)t.queue);
	pack_u64(b, (uint64_t)t.wall);
}

/* A time that is not negative and leaves room for sums. */
static int64_t
take_time(struct unpack *u)
{
	uint64_t t = unpack_u64(u);

	if (t > INT64_MAX / 4) {
		u->bad = true;
		return 0;
	}
	return (int64_t)t;
}

/* Wall clocks are anybody's guess; sums with them are not made. */
static int64_t
take_wall(struct unpack *u)
{
	return (int64_t)unpack_u64(u);
}

static struct record_time
take_head(struct unpack *u)
{
	struct record_time t;

	if (unpack_u8(u) != RECORD_VERSION)
		u->bad = true;
	t.queue = take_time(u);
	t.wall = take_wall(u);
	return t;
}

static enum target_state
take_state(struct unpack *u)
{
	uint8_t s = unpack_u8(u);

	if (s > TARGET_SAME) {
		u->bad = true;
		return TARGET_ROUTE;
	}
	return (enum target_state)s;
}

static uint32_t
take_no(struct unpack *u)
{
	uint32_t no = unpack_u32(u);

	if (no >= RECORD_TARGETS_MAX)
		u->bad = true;
	return no;
}

/* -- targets ------------------------------------------------------------- */

void
record_add_target(struct buf *b, uint32_t *n, const struct record_target *t)
{
	assert(t->address.n <= RECORD_ADDRESS_MAX);
	assert(t->error.n <= RECORD_ERROR_MAX);
	pack_u32(b, t->no);
	pack_u8(b, (uint8_t)t->state);
	pack_u8(b, t->depth);
	pack_u8(b, t->routed);
	pack_u16(b, t->attempts);
	if (t->routed) {
		pack_u64(b, t->mailbox);
		pack_u32(b, t->tenant);
		pack_u32(b, t->shard);
	}
	pack_u64(b, (uint64_t)t->due);
	pack_u32(b, t->delay);
	pack_str(b, t->address);
	pack_str(b, t->error);
	(*n)++;
}

static void
take_target(struct unpack *u, struct record_target *t)
{
	uint8_t routed;

	*t = (struct record_target){ .no = take_no(u) };
	t->state = take_state(u);
	t->depth = unpack_u8(u);
	routed = unpack_u8(u);
	t->attempts = unpack_u16(u);
	t->routed = routed == 1;
	if (routed > 1 || t->depth > RECORD_DEPTH_MAX)
		u->bad = true;
	if (t->routed) {
		t->mailbox = unpack_u64(u);
		t->tenant = unpack_u32(u);
		t->shard = unpack_u32(u);
	}
	t->due = take_time(u);
	t->delay = unpack_u32(u);
	t->address = unpack_str(u, RECORD_ADDRESS_MAX);
	t->error = unpack_str(u, RECORD_ERROR_MAX);
	if (t->state == TARGET_LOCAL && !t->routed)
		u->bad = true;
}

bool
record_next(struct record_targets *l, struct record_target *t)
{
	struct unpack u = unpack_of(l->raw);

	if (l->n == 0)
		return false;
	take_target(&u, t);
	assert(!u.bad);
	l->raw = u.s;
	l->n--;
	return true;
}

static void
put_targets(struct buf *b, struct record_targets l)
{
	pack_u32(b, l.n);
	buf_add(b, l.raw);
}

/* The rest of the record is targets; every one is looked at. */
static struct record_targets
take_targets(struct unpack *u)
{
	struct record_targets	l = { .n = unpack_u32(u) };
	struct record_target	t;
	uint32_t		i;

	l.raw = u->s;
	for (i = 0; i < l.n && !u->bad; i++)
		take_target(u, &t);
	return l;
}

/* -- records ------------------------------------------------------------- */

void
record_message(struct buf *b, const struct record_message *m,
    struct record_targets l)
{
	assert(m->sender.n <= RECORD_ADDRESS_MAX);
	put_head(b, m->time);
	pack_u64(b, (uint64_t)m->born);
	pack_u64(b, (uint64_t)m->received);
	pack_u64(b, m->sid);
	pack_u64(b, m->account);
	pack_u32(b, m->tenant);
	pack_u8(b, m->flags);
	pack_u64(b, m->size);
	buf_add(b, str_of(m->hash, RECORD_HASH));
	pack_str(b, m->sender);
	put_targets(b, l);
}

int
record_message_parse(struct str s, struct record_message *m,
    struct record_targets *l)
{
	struct unpack	u = unpack_of(s);
	struct str	hash;

	*m = (struct record_message){ .time = take_head(&u) };
	m->born = take_time(&u);
	m->received = take_wall(&u);
	m->sid = unpack_u64(&u);
	m->account = unpack_u64(&u);
	m->tenant = unpack_u32(&u);
	m->flags = unpack_u8(&u);
	m->size = unpack_u64(&u);
	hash = unpack_bytes(&u, RECORD_HASH);
	if (hash.n == RECORD_HASH)
		memcpy(m->hash, hash.p, RECORD_HASH);
	m->sender = unpack_str(&u, RECORD_ADDRESS_MAX);
	if ((m->flags & ~(RECORD_EIGHTBIT | RECORD_FILE)) != 0 ||
	    m->size > UINT32_MAX)
		u.bad = true;
	*l = take_targets(&u);
	return unpack_done(&u) ? 0 : -1;
}

void
record_route(struct buf *b, struct record_time t, struct record_targets l)
{
	put_head(b, t);
	put_targets(b, l);
}

int
record_route_parse(struct str s, struct record_time *t,
    struct record_targets *l)
{
	struct unpack u = unpack_of(s);

	*t = take_head(&u);
	*l = take_targets(&u);
	return unpack_done(&u) ? 0 : -1;
}

void
record_result(struct buf *b, const struct record_result *r)
{
	assert(r->error.n <= RECORD_ERROR_MAX);
	put_head(b, r->time);
	pack_u32(b, r->no);
	pack_u8(b, (uint8_t)r->state);
	pack_u16(b, r->attempts);
	pack_u64(b, (uint64_t)r->due);
	pack_u32(b, r->delay);
	pack_str(b, r->error);
}

int
record_result_parse(struct str s, struct record_result *r)
{
	struct unpack u = unpack_of(s);

	*r = (struct record_result){ .time = take_head(&u) };
	r->no = take_no(&u);
	r->state = take_state(&u);
	r->attempts = unpack_u16(&u);
	r->due = take_time(&u);
	r->delay = unpack_u32(&u);
	r->error = unpack_str(&u, RECORD_ERROR_MAX);
	return unpack_done(&u) ? 0 : -1;
}

void
record_finished(struct buf *b, struct record_time t, enum finish_why why)
{
	put_head(b, t);
	pack_u8(b, (uint8_t)why);
}

int
record_finished_parse(struct str s, struct record_time *t,
    enum finish_why *why)
{
	struct unpack	u = unpack_of(s);
	uint8_t		w;

	*t = take_head(&u);
	w = unpack_u8(&u);
	if (!unpack_done(&u) || w > FINISH_REMOVED)
		return -1;
	*why = (enum finish_why)w;
	return 0;
}

void
record_qids(struct buf *b, struct record_time t, uint64_t next)
{
	put_head(b, t);
	pack_u64(b, next);
}

int
record_qids_parse(struct str s, struct record_time *t, uint64_t *next)
{
	struct unpack u = unpack_of(s);

	*t = take_head(&u);
	*next = unpack_u64(&u);
	return unpack_done(&u) ? 0 : -1;
}
