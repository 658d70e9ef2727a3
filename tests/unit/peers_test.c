/*
 * peers_test - counts by address, with IPv6 by /64.
 */
#include "common/net/peers.h"
#include "tests/lib/unit.h"

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
test_may_log_in(void **state)
{
	static const struct {
		const char	*address;
		bool		 loopback;
	} rows[] = {
		{ "127.0.0.1", true }, { "127.9.9.9", true },
		{ "IPv6:::1", true }, { "IPv6:::11", false },
		{ "192.0.2.1", false }, { "12.7.0.1", false }, { "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(peers_may_log_in("loopback",
		    str_c(rows[i].address)), rows[i].loopback);
		assert_false(peers_may_log_in("never",
		    str_c(rows[i].address)));
		assert_true(peers_may_log_in("always",
		    str_c(rows[i].address)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_may_log_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
