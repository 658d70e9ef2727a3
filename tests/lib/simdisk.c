/*
 * simdisk - see simdisk.h.  What is on the disk, seen and safe, and what a
 * power cut does to it; the system calls are in simcalls.c.
 */
#include "tests/lib/simdisk_int.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

enum { FILES = 4096, NAMES = 512, SECTOR = 512, NAME = 64 };

struct entry {
	char	name[NAME];
	int	inode;
};

/* A change of the directory: from "" makes, to "" removes. */
struct dirop {
	char	from[NAME], to[NAME];
	int	inode;
};

struct sim {
	struct sim_inode	inodes[FILES];
	int		ninodes;
	struct entry	seen[NAMES], safe[NAMES];
	int		nseen, nsafe;
	struct dirop	ops[NAMES];
	int		nops;
};

static struct sim	sim, saved;
static uint64_t		state;

uint64_t
sim_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* -- files ------------------------------------------------------------ */

static void
clear_changes(struct sim_inode *f)
{
	size_t i;

	for (i = 0; i < f->nchanges; i++)
		free(f->changes[i].p);
	free(f->changes);
	f->changes = NULL;
	f->nchanges = 0;
}

static struct sim_image
image_copy(const struct sim_image *from)
{
	struct sim_image to = { xrealloc(NULL, from->n + 1, 1), from->n };

	if (from->n > 0)
		memcpy(to.p, from->p, from->n);
	return to;
}

void
sim_grow(struct sim_image *m, size_t n)
{
	m->p = xrealloc(m->p, n + 1, 1);
	if (n > m->n)
		memset(m->p + m->n, 0, n - m->n);
	m->n = n;
}

void
sim_note(struct sim_inode *f, size_t at, size_t n, const unsigned char *p)
{
	struct sim_change *c;

	f->changes = xrealloc(f->changes, f->nchanges + 1,
	    sizeof(*f->changes));
	c = &f->changes[f->nchanges++];
	*c = (struct sim_change){ .at = at, .n = n };
	if (p != NULL) {
		c->p = xrealloc(NULL, n + 1, 1);
		memcpy(c->p, p, n);
	}
}

/* What survives of the changes, onto the safe image. */
void
sim_settle(struct sim_inode *f, enum sim_keep keep)
{
	size_t	i, at, n, done;

	for (i = 0; i < f->nchanges; i++) {
		struct sim_change *c = &f->changes[i];

		if (keep == SIM_KEEP_NONE)
			break;
		if (c->p == NULL) {
			if (keep == SIM_KEEP_ALL || sim_random() % 2 == 0)
				sim_grow(&f->safe, c->n);
			continue;
		}
		for (done = 0; done < c->n; done += n) {
			at = c->at + done;
			n = SECTOR - at % SECTOR;
			if (n > c->n - done)
				n = c->n - done;
			if (keep == SIM_KEEP_SOME && sim_random() % 3 == 0)
				continue;
			if (f->safe.n < at + n)
				sim_grow(&f->safe, at + n);
			memcpy(f->safe.p + at, c->p + done, n);
		}
	}
	clear_changes(f);
}

struct sim_inode *
sim_inode(int i)
{
	assert(i >= 0 && i < sim.ninodes);
	return &sim.inodes[i];
}

/* -- names ------------------------------------------------------------ */

static int
find(const struct entry *e, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(e[i].name, name) == 0)
			return i;
	return -1;
}

static void
drop_entry(struct entry *e, int *n, const char *name)
{
	int i = find(e, *n, name);

	if (i != -1)
		e[i] = e[--*n];
}

static void
put_entry(struct entry *e, int *n, const char *name, int inode)
{
	drop_entry(e, n, name);
	assert(*n < NAMES);
	snprintf(e[*n].name, NAME, "%s", name);
	e[(*n)++].inode = inode;
}

/* Does one change; what it needs may not be there (an earlier was lost). */
static void
apply_dirop(struct entry *e, int *n, const struct dirop *op)
{
	if (op->from[0] != '\0' && find(e, *n, op->from) == -1)
		return;
	if (op->from[0] != '\0')
		drop_entry(e, n, op->from);
	if (op->to[0] != '\0')
		put_entry(e, n, op->to, op->inode);
}

void
sim_rename_to(const char *from, const char *to, int inode)
{
	struct dirop *op = &sim.ops[sim.nops++];

	assert(sim.nops < NAMES);
	snprintf(op->from, NAME, "%s", from);
	snprintf(op->to, NAME, "%s", to);
	op->inode = inode;
	apply_dirop(sim.seen, &sim.nseen, op);
}

int
sim_lookup(const char *name)
{
	int i = find(sim.seen, sim.nseen, name);

	return i == -1 ? -1 : sim.seen[i].inode;
}

int
sim_make(const char *name)
{
	assert(sim.ninodes < FILES);
	sim_rename_to("", name, sim.ninodes++);
	return sim.ninodes - 1;
}

void
sim_sync_names(void)
{
	memcpy(sim.safe, sim.seen, sizeof(sim.seen));
	sim.nsafe = sim.nseen;
	sim.nops = 0;
}

/* -- the whole -------------------------------------------------------- */

static void
clear_sim(struct sim *s)
{
	int i;

	for (i = 0; i < s->ninodes; i++) {
		clear_changes(&s->inodes[i]);
		free(s->inodes[i].seen.p);
		free(s->inodes[i].safe.p);
	}
	memset(s, 0, sizeof(*s));
}

void
sim_save(void)
{
	int	i;
	size_t	k;

	clear_sim(&saved);
	memcpy(&saved, &sim, sizeof(sim));
	for (i = 0; i < sim.ninodes; i++) {
		struct sim_inode *f = &saved.inodes[i];

		f->seen = image_copy(&sim.inodes[i].seen);
		f->safe = image_copy(&sim.inodes[i].safe);
		f->changes = xcalloc(f->nchanges + 1, sizeof(*f->changes));
		for (k = 0; k < f->nchanges; k++) {
			f->changes[k] = sim.inodes[i].changes[k];
			if (f->changes[k].p == NULL)
				continue;
			f->changes[k].p = xrealloc(NULL, f->changes[k].n, 1);
			memcpy(f->changes[k].p, sim.inodes[i].changes[k].p,
			    f->changes[k].n);
		}
	}
}

void
sim_restore(void)
{
	clear_sim(&sim);
	memcpy(&sim, &saved, sizeof(sim));
	memset(&saved, 0, sizeof(saved));
	sim_boot();
	sim_save();
}

void
sim_reset(uint64_t seed)
{
	clear_sim(&sim);
	clear_sim(&saved);
	sim_boot();
	sim_calls_clear();
	state = seed;
}

void
sim_power(enum sim_keep keep)
{
	int i;

	for (i = 0; i < sim.ninodes; i++) {
		struct sim_inode *f = &sim.inodes[i];

		sim_settle(f, keep);
		free(f->seen.p);
		f->seen = image_copy(&f->safe);
	}
	for (i = 0; i < sim.nops; i++)
		if (keep == SIM_KEEP_ALL ||
		    (keep == SIM_KEEP_SOME && sim_random() % 2 == 0))
			apply_dirop(sim.safe, &sim.nsafe, &sim.ops[i]);
	sim.nops = 0;
	memcpy(sim.seen, sim.safe, sizeof(sim.seen));
	sim.nseen = sim.nsafe;
	sim_boot();
}

unsigned char *
sim_file(const char *name, size_t *n)
{
	int i = find(sim.seen, sim.nseen, name);

	if (i == -1)
		return NULL;
	*n = sim.inodes[sim.seen[i].inode].seen.n;
	return sim.inodes[sim.seen[i].inode].seen.p;
}

const char *
sim_name(int k)
{
	return k < sim.nseen ? sim.seen[k].name : NULL;
}
