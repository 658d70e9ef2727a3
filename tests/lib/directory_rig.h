/*
 * directory_rig - around each test of the directory: one in a place of its
 * own.
 */
#ifndef TESTS_DIRECTORY_RIG_H
#define TESTS_DIRECTORY_RIG_H

#include "authd/directory.h"
#include "tests/lib/tmpdir.h"
#include "tests/lib/unit.h"

enum { IDS = 1000 };

static struct tmpdir	 tmp;
static struct dir	*dir;

static inline int
setup(void **state)
{
	(void)state;
	tmpdir_make(&tmp);
	dir = dir_open(tmp.fd, IDS);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	dir_close(dir);
	dir = NULL;
	tmpdir_remove(&tmp);
	return 0;
}

static inline uint64_t
user(const char *address)
{
	struct dir_account a;

	assert_int_equal(dir_user_add(dir, str_c(address), S("creds"), 77,
	    &a), DIR_OK);
	return a.mailbox;
}

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
