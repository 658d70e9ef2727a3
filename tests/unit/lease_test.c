/*
 * lease_test - the proof of a lease, and the table of those that are out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "queued/lease.h"

static const uint8_t key[LEASE_KEY] = { 1, 2, 3 };
static const uint8_t other_key[LEASE_KEY] = { 1, 2, 4 };
static const struct lease_name name = { 77, 3, 1, LEASE_LOCAL };

static const struct proof_case {
	const char		*label;
	struct lease_name	 name;
	const uint8_t		*key;
	size_t			 n;		/* bytes of it */
	int			 flip;		/* bit, or -1 */
	bool			 holds;
} proofs[] = {
	{ "as made", { 77, 3, 1, LEASE_LOCAL }, key, 32, -1, true },
	{ "another message", { 78, 3, 1, LEASE_LOCAL }, key, 32, -1, false },
	{ "another target", { 77, 4, 1, LEASE_LOCAL }, key, 32, -1, false },
	{ "another attempt", { 77, 3, 2, LEASE_LOCAL }, key, 32, -1, false },
	{ "another kind", { 77, 3, 1, LEASE_ROUTE }, key, 32, -1, false },
	{ "another key", { 77, 3, 1, LEASE_LOCAL }, other_key, 32, -1,
	    false },
	{ "short", { 77, 3, 1, LEASE_LOCAL }, key, 31, -1, false },
	{ "none", { 77, 3, 1, LEASE_LOCAL }, key, 0, -1, false },
	{ "first bit", { 77, 3, 1, LEASE_LOCAL }, key, 32, 0, false },
	{ "last bit", { 77, 3, 1, LEASE_LOCAL }, key, 32, 255, false },
};

static void
test_proof(void **state)
{
	uint8_t	mac[LEASE_MAC];
	size_t	i;

	(void)state;
	for (i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		lease_mac(key, &name, mac);
		if (proofs[i].flip >= 0)
			mac[proofs[i].flip / 8] ^=
			    (uint8_t)(1 << proofs[i].flip % 8);
		if (lease_holds(proofs[i].key, &proofs[i].name,
		    str_of(mac, proofs[i].n)) != proofs[i].holds)
			fail_msg("%s", proofs[i].label);
	}
}

static void
test_table(void **state)
{
	struct leases		*ls = leases_new();
	struct lease_name	 n = name;
	struct lease		*l, *all;
	int			 a, b;

	(void)state;
	l = leases_add(ls, &n, &a, 1000);
	n.target = 4;
	leases_add(ls, &n, &b, 1001);
	n.target = LEASE_ALL;
	n.kind = LEASE_ROUTE;
	all = leases_add(ls, &n, &a, 1002);
	n.qid = 5;
	leases_add(ls, &n, &a, 1003);
	assert_int_equal(leases_count(ls), 4);
	assert_int_equal(leases_of(ls, &a), 3);
	/* The attempt does not matter, the kind does. */
	n = name;
	n.attempt = 9;
	assert_ptr_equal(leases_find(ls, &n), l);
	n.kind = LEASE_ROUTE;
	assert_null(leases_find(ls, &n));
	assert_null(leases_expired(ls, 999));
	assert_ptr_equal(leases_expired(ls, 1000), l);
	/* Its worker goes: the deadline is another, half an answer is lost. */
	rec_add_route(&all->routes.b, &all->routes.n, &(struct rec_route){
	    .target = 1 });
	leases_orphan(ls, &a, 500);
	assert_int_equal(leases_of(ls, &a), 0);
	assert_int_equal(leases_of(ls, &b), 1);
	assert_null(l->worker);
	assert_int_equal(routes_list(&all->routes).n, 0);
	assert_int_equal(routes_list(&all->routes).raw.n, 0);
	assert_null(leases_expired(ls, 499));
	leases_end(ls, leases_expired(ls, 500));
	leases_end(ls, leases_expired(ls, 500));
	leases_end(ls, leases_expired(ls, 500));
	assert_null(leases_expired(ls, 1000));
	assert_int_equal(leases_count(ls), 1);
	leases_free(ls);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
