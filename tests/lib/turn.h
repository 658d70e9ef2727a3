/*
 * turn - for tests in a loop: turns until something is so.
 */
#ifndef TESTS_TURN_H
#define TESTS_TURN_H

#include "common/core/clock.h"
#include "common/core/loop.h"
#include "tests/lib/unit.h"

enum { DEADLINE = 60000 };		/* ms */

/* Turns until the condition holds; a test that waits for ever fails. */
#define TURN_UNTIL(condition) \
	do { \
		int64_t end_ = 0; \
		clock_tick(); \
		end_ = clock_now() + DEADLINE; \
		while (!(condition) && clock_now() < end_) \
			loop_turn(50); \
		assert_true(condition); \
	} while (0)

#endif
