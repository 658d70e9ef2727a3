/*
 * front_rig - around each test of queued that wants no more than the queue
 * and one front.
 */
#ifndef TESTS_FRONT_RIG_H
#define TESTS_FRONT_RIG_H

#include "tests/lib/queue_rig.h"
#include "tests/lib/unit.h"

static struct rig	rig;
static struct front	front;

static inline int
setup(void **state)
{
	(void)state;
	rig_init(&rig);
	rig_start(&rig);
	front_open(&front, &rig);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	front_close(&front);
	rig_end(&rig);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
