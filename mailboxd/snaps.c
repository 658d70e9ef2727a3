/*
 * snaps - see snaps.h.
 */
#include "mailboxd/snaps.h"

#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

void
snaps_clear(struct snaps *s)
{
	free(s->list);
	*s = (struct snaps){ 0 };
}

const struct snap *
snaps_last(const struct snaps *s)
{
	return s->n == 0 ? NULL : &s->list[s->n - 1];
}

void
snaps_add(struct snaps *s, const struct snap *new)
{
	const struct snap *last = snaps_last(s);

	if (last != NULL && new->id <= last->id)
		return;
	if (s->list == NULL || s->n == s->cap) {
		s->cap = s->cap == 0 ? 4 : s->cap * 2;
		s->list = xrealloc(s->list, s->cap, sizeof(*s->list));
	}
	s->list[s->n++] = *new;
	s->dirty = true;
}

static void
remove_at(struct snaps *s, size_t i)
{
	s->n--;
	memmove(s->list + i, s->list + i + 1, (s->n - i) * sizeof(*s->list));
	s->dirty = true;
}

void
snaps_drop(struct snaps *s, uint64_t id)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->list[i].id == id) {
			remove_at(s, i);
			return;
		}
	}
}

void
snaps_retired(struct snaps *s, uint64_t segment)
{
	size_t i = 0;

	while (i < s->n) {
		if (s->list[i].at.segment <= segment &&
		    s->list[i].end >= segment)
			remove_at(s, i);
		else
			i++;
	}
}

/* -- records ---------------------------------------------------------- */

static void
on_rows(struct snaps *s, const struct record_snapshot_rows *r,
    const struct rec *rec)
{
	if (rec->id != s->open.id || r->piece != s->pieces) {
		s->is_open = false;
		return;
	}
	s->pieces++;
	s->rows += r->rows;
	s->open.bytes += rec->payload.n;
}

static void
on_end(struct snaps *s, const struct record_snapshot_end *r,
    const struct rec *rec, struct recpos pos)
{
	if (!s->is_open || rec->id != s->open.id || r->pieces != s->pieces ||
	    r->rows != s->rows)
		return;
	s->open.end = pos.segment;
	snaps_add(s, &s->open);
}

void
snaps_record(struct snaps *s, const struct record *r, const struct rec *rec,
    struct recpos pos)
{
	if (r->type == REC_SNAPSHOT_BEGIN) {
		s->open = (struct snap){
			.id = rec->id, .date = r->snapshot_begin.date,
			.freed = r->snapshot_begin.freed, .at = pos
		};
		s->pieces = 0;
		s->rows = 0;
		s->is_open = true;
		return;
	}
	if (r->type == REC_SNAPSHOT_ROWS && s->is_open) {
		on_rows(s, &r->snapshot_rows, rec);
		return;
	}
	if (r->type == REC_SNAPSHOT_END)
		on_end(s, &r->snapshot_end, rec, pos);
	s->is_open = false;
}

/* -- time ------------------------------------------------------------- */

static const struct snap *
old(const struct snaps *s, size_t n, uint64_t now, uint64_t window)
{
	const struct snap	*found = NULL;
	size_t			 i;

	if (now < window)
		return NULL;
	for (i = 0; i < n; i++) {
		if (s->list[i].date > now)
			continue;
		/* Nor is what comes behind it, whatever its date. */
		if (s->list[i].date > now - window)
			break;
		found = &s->list[i];
	}
	return found;
}

const struct snap *
snaps_old(const struct snaps *s, uint64_t now, uint64_t window)
{
	return old(s, s->n, now, window);
}

uint64_t
snaps_time(const struct snaps *s, uint64_t now, uint64_t window)
{
	uint64_t	grace = window / SNAPS_SHARE, date = UINT64_MAX;
	size_t		i;

	if (now < grace)
		return 0;
	/* Where the clock went back later it had been wrong. */
	for (i = s->n; i-- > 0;) {
		if (s->list[i].date < date)
			date = s->list[i].date;
		if (date <= now - grace)
			return date + grace;
	}
	return 0;
}

const struct snap *
snaps_base(const struct snaps *s, uint64_t now, uint64_t window)
{
	return s->n == 0 ? NULL : old(s, s->n - 1,
	    snaps_time(s, now, window), window);
}
