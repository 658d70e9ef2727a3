/*
 * peers_test - counts by address, with IPv6 by /64.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "common/net/peers.h"

static void
test_limit(void **state)
{
	struct peers	*p = peers_new();
	struct str	 a = S("192.0.2.1"), b = S("192.0.2.2");

	(void)state;
	assert_true(peers_enter(p, a, 2));
	assert_true(peers_enter(p, a, 2));
	assert_false(peers_enter(p, a, 2));
	assert_int_equal(peers_count(p, a), 2);
	assert_true(peers_enter(p, b, 2));
	peers_leave(p, a);
	assert_true(peers_enter(p, a, 2));
	assert_false(peers_enter(p, a, 2));
	peers_leave(p, a);
	peers_leave(p, a);
	assert_int_equal(peers_count(p, a), 0);
	assert_int_equal(peers_count(p, b), 1);
	assert_false(peers_enter(p, a, 0));
	peers_free(p);
}

static void
test_ipv6(void **state)
{
	struct peers *p = peers_new();

	(void)state;
	assert_true(peers_enter(p, S("IPv6:2001:db8:1:2::1"), 9));
	assert_true(peers_enter(p, S("IPv6:2001:db8:1:2:ffff::2"), 9));
	assert_true(peers_enter(p, S("IPv6:2001:db8:1:3::1"), 9));
	assert_int_equal(peers_count(p, S("IPv6:2001:db8:1:2::9")), 2);
	assert_int_equal(peers_count(p, S("IPv6:2001:db8:1:3::9")), 1);
	assert_int_equal(peers_count(p, S("IPv6:2001:db8:1:4::9")), 0);
	peers_free(p);
}

static void
test_many(void **state)
{
	struct peers	*p = peers_new();
	char		 text[32];
	unsigned	 i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.1", i / 250, i % 250);
		assert_true(peers_enter(p, str_c(text), 1));
	}
	for (i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.1", i / 250, i % 250);
		assert_int_equal(peers_count(p, str_c(text)), 1);
		peers_leave(p, str_c(text));
		assert_int_equal(peers_count(p, str_c(text)), 0);
	}
	peers_free(p);
}

static void
test_loopback(void **state)
{
	(void)state;
	assert_true(peers_is_loopback(S("127.0.0.1")));
	assert_true(peers_is_loopback(S("127.9.9.9")));
	assert_true(peers_is_loopback(S("IPv6:::1")));
	assert_false(peers_is_loopback(S("IPv6:::11")));
	assert_false(peers_is_loopback(S("192.0.2.1")));
	assert_false(peers_is_loopback(S("12.7.0.1")));
	assert_false(peers_is_loopback(S("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
