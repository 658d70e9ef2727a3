/*
 * unit - what every unit test includes: cmocka and its prerequisites, the
 * length of a table, and a skip that says why.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/core/str.h"

#define LENGTH(table)	(sizeof(table) / sizeof((table)[0]))

/* The collector reads this line; the name is that of the test. */
#define skip_because(name, reason) \
	do { \
		print_message("skipped: %s: %s\n", name, reason); \
		skip(); \
	} while (0)

/* As assert_string_equal, for a str. */
#define assert_str(s, want) \
	do { \
		struct str got_ = (s); \
		assert_int_equal(got_.n, strlen(want)); \
		assert_memory_equal(got_.p, want, got_.n); \
	} while (0)

#endif
