/*
 * deliverd_route_test - the role route between a queued and an authd that are
 * the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "deliverd/router.h"
#include "tests/lib/fake_server.h"

enum { ROOM = 250 };

static struct fake queued, authd;
static unsigned at, auth_at;
static const uint8_t mac[32] = { 9 };

static void
send_job(uint64_t qid, uint32_t attempt, uint32_t n)
{
	struct buf	b;
	uint32_t	i, count = 0;

	buf_init(&b, MSG_PACKET_MAX);
	for (i = 0; i < n; i++)
		rec_add_target(&b, &count, &(struct rec_target){
		    .target = i, .address = S("a@x.test") });
	chan_send_route_job(fake_chan(&queued, at), &(struct msg_route_job){
	    .qid = qid, .attempt = attempt, .mac = str_of(mac, 32),
	    .room = ROOM, .targets = msg_list_of(&b, count) }, -1);
	buf_clear(&b);
}

static uint64_t
expect_question(uint32_t n)
{
	struct fake_msg	*k = fake_next(&authd, MSG_EXPAND);

	assert_int_equal(k->m.expand.targets.n, n);
	return k->m.expand.id;
}

static void
send_rows(uint64_t id, uint32_t n, bool last)
{
	struct buf	b;
	uint32_t	i, count = 0;

	buf_init(&b, MSG_PACKET_MAX);
	for (i = 0; i < n; i++)
		rec_add_route(&b, &count, &(struct rec_route){
		    .kind = ROUTE_MAILBOX, .mailbox = i });
	chan_send_expanded(fake_chan(&authd, auth_at), &(struct msg_expanded){
	    .id = id, .last = last, .routes = msg_list_of(&b, count) }, -1);
	buf_clear(&b);
}

/* All rows of an answer, in however many messages. */
static uint32_t
expect_rows(uint64_t qid, uint32_t attempt)
{
	struct fake_msg	*k;
	uint32_t	 n = 0;

	do {
		k = fake_next(&queued, MSG_ROUTE_RESULT);
		assert_int_equal(k->m.route_result.qid, qid);
		assert_int_equal(k->m.route_result.attempt, attempt);
		assert_memory_equal(k->m.route_result.mac.p, mac, 32);
		assert_true(k->m.route_result.routes.n <= 100);
		n += k->m.route_result.routes.n;
	} while (k->m.route_result.last == 0);
	return n;
}

static void
durable(uint64_t qid, uint32_t attempt)
{
	chan_send_result_durable(fake_chan(&queued, at),
	    &(struct msg_result_durable){ .qid = qid, .target = UINT32_MAX,
	    .attempt = attempt }, -1);
	fake_quiet(&queued, 4);
}

static void
test_answers(void **state)
{
	static const struct {
		uint32_t	parts[4], rows;
	} cases[] = {
		{ { 1 }, 1 },
		{ { 0 }, 0 },
		{ { 99 }, 99 },
		{ { 100 }, 100 },
		{ { 100, 1 }, 101 },
		{ { 100, 100, 50 }, 250 },
		/* Above the room queued only has to see that. */
		{ { 100, 100, 51 }, 1 },
		{ { 100, 100, 100, 100 }, 1 },
	};
	uint64_t	id;
	uint32_t	attempt = 1;
	size_t		i, k, n;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		send_job(1, attempt, 3);
		id = expect_question(3);
		for (n = 1; n < 4 && cases[i].parts[n] > 0; n++)
			continue;
		for (k = 0; k < n; k++)
			send_rows(id, cases[i].parts[k], k == n - 1);
		assert_int_equal(expect_rows(1, attempt), cases[i].rows);
		durable(1, attempt++);
	}
}

static void
test_restart(void **state)
{
	struct fake_msg	*k;
	uint64_t	 id;

	(void)state;
	send_job(2, 1, 1);
	id = expect_question(1);
	/* queued goes; its job is presented, the answer follows. */
	fake_cut(&queued, at++);
	k = fake_next(&queued, MSG_LEASE);
	assert_int_equal(k->m.lease.qid, 2);
	assert_int_equal(k->m.lease.target, UINT32_MAX);
	fake_next(&queued, MSG_WORKER_READY);
	send_rows(id, 1, true);
	assert_int_equal(expect_rows(2, 1), 1);
	/* Not confirmed: presented and told again. */
	fake_cut(&queued, at++);
	fake_next(&queued, MSG_LEASE);
	fake_next(&queued, MSG_WORKER_READY);
	assert_int_equal(expect_rows(2, 1), 1);
	durable(2, 1);
	fake_cut(&queued, at++);
	fake_next(&queued, MSG_WORKER_READY);
	fake_quiet(&queued, 4);
}

/* authd goes with half an answer: it is asked again, from the start. */
static void
test_authd_away(void **state)
{
	uint64_t id;

	(void)state;
	send_job(3, 1, 1);
	id = expect_question(1);
	send_rows(id, 100, false);
	fake_quiet(&queued, 4);
	fake_cut(&authd, auth_at++);
	id = expect_question(1);
	send_rows(id, 7, true);
	assert_int_equal(expect_rows(3, 1), 7);
	durable(3, 1);
}

/* A newer attempt replaces an older one; a late answer finds nobody. */
static void
test_again(void **state)
{
	uint64_t first, second;

	(void)state;
	send_job(4, 1, 1);
	first = expect_question(1);
	send_job(4, 2, 2);
	second = expect_question(2);
	send_rows(first, 5, true);
	fake_quiet(&queued, 5);
	send_rows(second, 2, true);
	assert_int_equal(expect_rows(4, 2), 2);
	durable(4, 2);
}

static int
begin(void **state)
{
	(void)state;
	fake_begin();
	fake_listen(&queued, "queued", R_QUEUED, R_ROUTE);
	fake_listen(&authd, "authd", R_AUTHD, R_ROUTE);
	router_start();
	fake_next(&queued, MSG_WORKER_READY);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_authd_away),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
