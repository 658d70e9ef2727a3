/*
 * expansion_test - how many targets an alias leads to: as queued counts them,
 * up to one more than it takes, and never from memory that is out of date.
 */
#include "authd/expansion.h"
#include "common/core/log.h"
#include "tests/lib/directory_rig.h"

enum { DEPTH = 20, MOST = 10000 };

static void
add(const char *address, const char *target)
{
	struct str t = str_c(target);

	assert_int_equal(dir_alias_add(dir, str_c(address), &t, 1, 1), DIR_OK);
}

/* n targets, all of them ann's, each with a tag of its own. */
static void
add_many(const char *address, unsigned n)
{
	struct str	t[DIR_TARGETS_MAX];
	char		text[DIR_TARGETS_MAX][40];
	unsigned	i;

	for (i = 0; i < n; i++) {
		snprintf(text[i], sizeof(text[i]), "ann+%u@example.org", i);
		t[i] = str_c(text[i]);
	}
	assert_int_equal(dir_alias_add(dir, str_c(address), t, n, 1), DIR_OK);
}

static uint32_t
count_to(const char *address, unsigned depth, uint32_t most)
{
	struct expansion	*x = expansion_new(dir, depth, most);
	struct dir_found	 f;
	uint32_t		 n, again;

	assert_int_equal(dir_find(dir, str_c(address), &f), DIR_ALIAS);
	n = expansion_count(x, &f.alias);
	assert_int_equal(dir_find(dir, str_c(address), &f), DIR_ALIAS);
	again = expansion_count(x, &f.alias);
	expansion_free(x);
	assert_int_equal(again, n);
	return n;
}

static uint32_t
count(const char *address)
{
	return count_to(address, DEPTH, MOST);
}

static int
start(void **state)
{
	setup(state);
	assert_int_equal(dir_domain_add(dir, S("example.org"), 5), DIR_OK);
	user("ann@example.org");
	return 0;
}

static void
test_shapes(void **state)
{
	static const struct {
		const char	*address;
		uint32_t	 n;
	} rows[] = {
		{ "one@example.org", 2 },
		{ "one+tag@example.org", 2 },
		{ "gone@example.org", 2 },
		{ "away@example.org", 2 },
		{ "three@example.org", 4 },
		{ "nested@example.org", 1 + 2 + 4 },
		{ "diamond@example.org", 1 + 2 * 7 },
		{ "whoever@catch.org", 2 },
		{ "self@example.org", DEPTH + 1 },
		{ "ping@example.org", DEPTH + 1 },
		{ "wide@example.org", MOST + 1 },
	};
	size_t i;

	(void)state;
	add("one@example.org", "ann@example.org");
	add("gone@example.org", "nobody@example.org");
	add("away@example.org", "x@else.where");
	add_many("three@example.org", 3);
	add("nested@example.org", "one@example.org");
	add("nested@example.org", "three@example.org");
	add("diamond@example.org", "nested@example.org");
	add("diamond@example.org", "nested+2@example.org");
	assert_int_equal(dir_domain_add(dir, S("catch.org"), 5), DIR_OK);
	add("@catch.org", "ann@example.org");
	add("self@example.org", "self@example.org");
	add("ping@example.org", "pong@example.org");
	add("pong@example.org", "ping@example.org");
	add("wide@example.org", "wide+1@example.org");
	add("wide@example.org", "wide+2@example.org");
	for (i = 0; i < LENGTH(rows); i++) {
		if (count(rows[i].address) != rows[i].n)
			fail_msg("%s: %u", rows[i].address,
			    count(rows[i].address));
	}
}

/* At the depth itself what is an alias still counts, but no further. */
static void
test_depth(void **state)
{
	(void)state;
	add("a@example.org", "b@example.org");
	add("b@example.org", "c@example.org");
	add("c@example.org", "ann@example.org");
	assert_int_equal(count_to("a@example.org", 1, MOST), 2);
	assert_int_equal(count_to("a@example.org", 2, MOST), 3);
	assert_int_equal(count_to("a@example.org", 3, MOST), 4);
	assert_int_equal(count_to("a@example.org", 4, MOST), 4);
}

/* Ten of 999 and their list are 10,001: to the number and one beyond. */
static void
test_most(void **state)
{
	char		name[40];
	unsigned	i;

	(void)state;
	for (i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "part%u@example.org", i);
		add_many(name, i == 0 ? 997 : 999);
		add("all@example.org", name);
	}
	assert_int_equal(count("all@example.org"), MOST - 1);
	add("part0@example.org", "ann+998@example.org");
	assert_int_equal(count("all@example.org"), MOST);
	add("part0@example.org", "ann+999@example.org");
	assert_int_equal(count("all@example.org"), MOST + 1);
	add("all@example.org", "ann@example.org");
	assert_int_equal(count("all@example.org"), MOST + 1);
}

/* One that is remembered, and a change of each kind somewhere behind it. */
static void
test_changes(void **state)
{
	struct expansion	*x = expansion_new(dir, DEPTH, MOST);
	struct str		 t = S("ann+5@example.org");
	struct dir_found	 f;
	unsigned		 i;
	uint32_t		 got[6];

	(void)state;
	add_many("list@example.org", 100);
	add("list@example.org", "bob@example.org");
	for (i = 0; i < LENGTH(got); i++) {
		if (i == 1)
			add("list@example.org", "x@else.where");
		if (i == 2)
			dir_alias_remove(dir, S("list@example.org"), &t, 1);
		if (i == 3)
			add("bob@example.org", "ann@example.org");
		if (i == 4)
			dir_alias_remove(dir, S("bob@example.org"), NULL, 0);
		if (i == 5)
			add("@example.org", "ann@example.org");
		assert_int_equal(dir_find(dir, S("list@example.org"), &f),
		    DIR_ALIAS);
		got[i] = expansion_count(x, &f.alias);
	}
	expansion_free(x);
	assert_int_equal(got[0], 102);
	assert_int_equal(got[1], 103);
	assert_int_equal(got[2], 102);
	assert_int_equal(got[3], 103);
	assert_int_equal(got[4], 102);
	assert_int_equal(got[5], 103);
}

/* What is remembered is not looked up again, and usage changes nothing. */
static void
test_version(void **state)
{
	struct dir_usage	u = { .mailbox = 1, .tenant = 1 };
	uint64_t		before;

	(void)state;
	before = dir_version(dir);
	dir_usage_begin(dir);
	dir_usage_put(dir, &u);
	dir_usage_end(dir);
	assert_int_equal(dir_version(dir), before);
	add("one@example.org", "ann@example.org");
	assert_int_not_equal(dir_version(dir), before);
	before = dir_version(dir);
	user("bob@example.org");
	assert_int_not_equal(dir_version(dir), before);
	before = dir_version(dir);
	dir_user_remove(dir, S("bob@example.org"));
	assert_int_not_equal(dir_version(dir), before);
	before = dir_version(dir);
	dir_domain_add(dir, S("new.org"), 1);
	assert_int_not_equal(dir_version(dir), before);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, start, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_shapes), T(test_depth), T(test_most), T(test_changes),
		T(test_version),
	};

	log_level(LOG_ERROR);
	return cmocka_run_group_tests_name("expansion", tests, NULL, NULL);
}
