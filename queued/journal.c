/*
 * journal - see journal.h.
 */
#include "queued/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

enum {
	METAS_MAX = 1024 * 1024 * 1024,	/* a turn has less */
	PATIENT_MAX = 32		/* entries that wait for others */
};

void
journal_init(struct journal *j)
{
	*j = (struct journal){ 0 };
	buf_init(&j->metas, METAS_MAX);
}

void
journal_clear(struct journal *j)
{
	size_t i;

	for (i = 0; i < j->n; i++) {
		if (!j->entries[i].must && j->entries[i].fn != NULL)
			j->entries[i].fn(&j->entries[i], RECLOG_FULL);
	}
	free(j->entries);
	buf_clear(&j->metas);
	journal_init(j);
}

void
journal_add(struct journal *j, const struct journal_entry *e, struct str meta)
{
	struct journal_entry *mine;

	if (j->n == j->cap) {
		j->cap = j->cap == 0 ? 64 : j->cap * 2;
		j->entries = xrealloc(j->entries, j->cap, sizeof(*e));
	}
	mine = &j->entries[j->n++];
	*mine = *e;
	j->urgent += !e->patient;
	mine->meta_at = j->metas.n;
	mine->meta_n = meta.n;
	buf_add(&j->metas, meta);
	assert(buf_ok(&j->metas));
}

void
journal_forget(struct journal *j, const struct chan *c)
{
	size_t i;

	for (i = 0; i < j->n; i++) {
		if (j->entries[i].chan == c)
			j->entries[i].chan = NULL;
	}
}

bool
journal_is_patient(const struct journal *j)
{
	return j->n > 0 && j->n < PATIENT_MAX && j->urgent == 0;
}

static int
add_one(struct journal *j, struct reclog *log, struct journal_entry *e)
{
	struct rec r = {
		.type = e->type, .id = e->id, .payload = e->payload,
		.meta = str_sub(buf_str(&j->metas), e->meta_at, e->meta_n),
	};

	if (e->type == 0)
		return 0;
	j->records++;
	return reclog_add(log, &r, &e->pos);
}

/* How many entries from `at` on belong into one frame with it. */
static size_t
group_size(const struct journal *j, size_t at)
{
	size_t n = 1;

	while (at + n < j->n && j->entries[at + n].joined)
		n++;
	return n;
}

static size_t
group_bytes(const struct journal *j, size_t at, size_t n)
{
	size_t i, bytes = 0;

	for (i = at; i < at + n; i++)
		bytes += j->entries[i].meta_n + j->entries[i].payload.n + 256;
	return bytes;
}

/* Adds whole groups while they fit; returns the first that is left. */
static size_t
fill_frame(struct journal *j, struct reclog *log, size_t at)
{
	size_t n, i, bytes = 0, more;

	while (at < j->n) {
		n = group_size(j, at);
		more = group_bytes(j, at, n);
		if (bytes > 0 && bytes + more > RECLOG_FRAME_MAX / 2)
			break;
		bytes += more;
		for (i = at; i < at + n; i++) {
			if (add_one(j, log, &j->entries[i]) == -1)
				abort();	/* caps kept it below */
		}
		at += n;
	}
	return at;
}

static void
tell(struct journal *j, size_t from, size_t to, enum reclog_result r)
{
	size_t i;

	for (i = from; i < to; i++) {
		if (j->entries[i].fn != NULL)
			j->entries[i].fn(&j->entries[i], r);
	}
}

/* Refuses what may be refused from `at` on; how many are left. */
static size_t
refuse(struct journal *j, size_t at)
{
	size_t i, left = at;

	for (i = at; i < j->n; i++) {
		if (j->entries[i].must)
			j->entries[left++] = j->entries[i];
		else if (j->entries[i].fn != NULL)
			j->entries[i].fn(&j->entries[i], RECLOG_FULL);
	}
	return left;
}

/* Puts what is left of `old` before what was added meanwhile. */
static void
keep_rest(struct journal *j, struct journal *old, size_t at)
{
	struct journal	added = *j;
	size_t		i;

	journal_init(j);
	j->commits = old->commits;
	j->records = old->records;
	for (i = at; i < old->n; i++)
		journal_add(j, &old->entries[i], str_sub(buf_str(&old->metas),
		    old->entries[i].meta_at, old->entries[i].meta_n));
	for (i = 0; i < added.n; i++)
		journal_add(j, &added.entries[i],
		    str_sub(buf_str(&added.metas), added.entries[i].meta_at,
		    added.entries[i].meta_n));
	free(added.entries);
	buf_clear(&added.metas);
}

enum reclog_result
journal_commit(struct journal *j, struct reclog *log)
{
	struct journal		now = *j;
	enum reclog_result	r = RECLOG_OK;
	size_t			at = 0, end, left;

	if (now.n == 0)
		return RECLOG_OK;
	/* What the answers add is for the next turn. */
	journal_init(j);
	while (at < now.n) {
		end = fill_frame(&now, log, at);
		if (reclog_pending(log) > 0) {
			now.commits++;
			r = reclog_commit(log, true);
		}
		if (r == RECLOG_DEAD)
			break;
		if (r == RECLOG_OK) {
			tell(&now, at, end, r);
			at = end;
			continue;
		}
		left = refuse(&now, at);
		if (left == now.n)
			break;
		now.n = left;
		r = RECLOG_OK;
	}
	if (r != RECLOG_DEAD)
		keep_rest(j, &now, at);
	j->is_stuck = r == RECLOG_FULL;
	free(now.entries);
	buf_clear(&now.metas);
	return r;
}
