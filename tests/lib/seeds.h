/*
 * seeds - what the seeds of a fuzz target reach together.  A test plays each
 * file of tests/fuzz/seeds/TARGET, notes the states, and requires them all.
 */
#ifndef TESTS_SEEDS_H
#define TESTS_SEEDS_H

#include "common/core/buf.h"

/*
 * States by number: of an enum, whose names come from a switch, so that the
 * compiler asks for the name of a new one and seeds_need for its seed.
 */
enum { SEEDS_STATES = 256 };
typedef const char *seeds_name(unsigned);	/* NULL: no such state */

#define SEEDS_NAME(x)	case x: return #x

/* Plays each seed, from storage that is just as large. */
void	seeds_play(const char *target, void (*)(struct str seed));
void	seeds_play_one(const char *target, const char *name,
	    void (*)(struct str seed));

/* Fails naming each state that was not reached. */
void	seeds_need(const char *target, seeds_name *,
	    const bool reached[SEEDS_STATES]);
/* The same for texts: each must have been said. */
void	seeds_need_said(const char *target, const struct buf *said,
	    const char *const *texts, size_t n);

#endif
