/*
 * queue_record_test - the records of the queue's log: there and back, cut
 * short at every byte, and with values that no record has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "queued/record.h"

static char long_text[RECORD_ERROR_MAX];

static const struct record_target targets[] = {
	{ .no = 0, .state = TARGET_ROUTE, .address = STR_INIT("a@x.test") },
	{ .no = 1, .state = TARGET_LOCAL, .depth = 3, .routed = true,
	    .attempts = UINT16_MAX, .mailbox = UINT64_MAX, .tenant = 5,
	    .shard = 6, .due = 123456789, .delay = 3600,
	    .address = STR_INIT("b@x.test"),
	    .error = STR_INIT("4.2.2 full") },
	{ .no = RECORD_TARGETS_MAX - 1, .state = TARGET_SAME,
	    .depth = RECORD_DEPTH_MAX, .address = { long_text,
	    RECORD_ADDRESS_MAX }, .error = { long_text, RECORD_ERROR_MAX } },
};
enum { NTARGETS = sizeof(targets) / sizeof(targets[0]) };

static const struct record_message message = {
	.time = { 10, 20 }, .born = 9, .received = 1800000000123, .sid = 7,
	.account = 8, .tenant = 9, .flags = RECORD_FILE | RECORD_EIGHTBIT,
	.size = UINT32_MAX, .hash = { 1, 2 }, .sender = STR_INIT("s@y.test"),
};

static struct record_targets
all_targets(struct buf *b)
{
	struct record_targets	l = { .n = 0 };
	size_t			i;

	buf_init(b, 65536);
	for (i = 0; i < NTARGETS; i++)
		record_add_target(b, &l.n, &targets[i]);
	l.raw = buf_str(b);
	return l;
}

static void
check_targets(struct record_targets l)
{
	struct record_target	t;
	size_t			i;

	assert_int_equal(l.n, NTARGETS);
	for (i = 0; record_next(&l, &t); i++) {
		assert_int_equal(t.no, targets[i].no);
		assert_int_equal(t.state, targets[i].state);
		assert_int_equal(t.depth, targets[i].depth);
		assert_int_equal(t.routed, targets[i].routed);
		assert_int_equal(t.attempts, targets[i].attempts);
		assert_true(t.mailbox == targets[i].mailbox);
		assert_int_equal(t.tenant, targets[i].tenant);
		assert_int_equal(t.shard, targets[i].shard);
		assert_int_equal(t.due, targets[i].due);
		assert_int_equal(t.delay, targets[i].delay);
		assert_true(str_eq(t.address, targets[i].address));
		assert_true(str_eq(t.error, targets[i].error));
	}
	assert_int_equal(i, NTARGETS);
}

enum { KINDS = 5 };

static void
make(int kind, struct buf *b)
{
	struct record_time	t = { 10, 20 };
	struct buf		list;

	buf_init(b, 65536);
	switch (kind) {
	case 0:
		record_message(b, &message, all_targets(&list));
		buf_clear(&list);
		break;
	case 1:
		record_route(b, t, all_targets(&list));
		buf_clear(&list);
		break;
	case 2:
		record_result(b, &(struct record_result){ .time = t, .no = 3,
		    .state = TARGET_LOCAL, .attempts = 2, .due = 44,
		    .delay = 60, .error = S("4.0.0 x") });
		break;
	case 3:
		record_finished(b, t, FINISH_REMOVED);
		break;
	case 4:
		record_qids(b, t, UINT64_MAX - 1);
		break;
	}
}

static int
parse(int kind, struct str s)
{
	struct record_message	m;
	struct record_targets	l;
	struct record_time	t;
	struct record_result	r;
	enum finish_why		why;
	uint64_t		next;

	switch (kind) {
	case 0:
		return record_message_parse(s, &m, &l);
	case 1:
		return record_route_parse(s, &t, &l);
	case 2:
		return record_result_parse(s, &r);
	case 3:
		return record_finished_parse(s, &t, &why);
	}
	return record_qids_parse(s, &t, &next);
}

static void
test_message(void **state)
{
	struct record_message	m;
	struct record_targets	l;
	struct buf		b;

	(void)state;
	make(0, &b);
	assert_int_equal(record_message_parse(buf_str(&b), &m, &l), 0);
	assert_int_equal(m.time.queue, 10);
	assert_int_equal(m.time.wall, 20);
	assert_int_equal(m.born, 9);
	assert_int_equal(m.received, message.received);
	assert_int_equal(m.sid, 7);
	assert_int_equal(m.account, 8);
	assert_int_equal(m.tenant, 9);
	assert_int_equal(m.flags, message.flags);
	assert_int_equal(m.size, UINT32_MAX);
	assert_memory_equal(m.hash, message.hash, RECORD_HASH);
	assert_true(str_eq(m.sender, message.sender));
	check_targets(l);
	buf_clear(&b);
}

static void
test_others(void **state)
{
	struct record_targets	l;
	struct record_time	t;
	struct record_result	r;
	enum finish_why		why;
	uint64_t		next;
	struct buf		b;

	(void)state;
	make(1, &b);
	assert_int_equal(record_route_parse(buf_str(&b), &t, &l), 0);
	assert_int_equal(t.wall, 20);
	check_targets(l);
	buf_clear(&b);
	make(2, &b);
	assert_int_equal(record_result_parse(buf_str(&b), &r), 0);
	assert_int_equal(r.no, 3);
	assert_int_equal(r.state, TARGET_LOCAL);
	assert_int_equal(r.attempts, 2);
	assert_int_equal(r.due, 44);
	assert_int_equal(r.delay, 60);
	assert_true(str_eq(r.error, S("4.0.0 x")));
	buf_clear(&b);
	make(3, &b);
	assert_int_equal(record_finished_parse(buf_str(&b), &t, &why), 0);
	assert_int_equal(why, FINISH_REMOVED);
	buf_clear(&b);
	make(4, &b);
	assert_int_equal(record_qids_parse(buf_str(&b), &t, &next), 0);
	assert_true(next == UINT64_MAX - 1);
	buf_clear(&b);
}

static void
test_cut(void **state)
{
	struct buf	b;
	size_t		n;
	int		kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++) {
		make(kind, &b);
		assert_int_equal(parse(kind, buf_str(&b)), 0);
		for (n = 0; n < b.n; n++)
			assert_int_equal(parse(kind,
			    str_sub(buf_str(&b), 0, n)), -1);
		buf_addc(&b, 'x');
		assert_int_equal(parse(kind, buf_str(&b)), -1);
		buf_clear(&b);
	}
}

/* A byte at an offset of a record made anew; all are refused. */
static const struct {
	const char	*name;
	int		 kind;
	size_t		 at;
	uint8_t		 value;
} wrong[] = {
	{ "version", 0, 0, 2 },
	{ "version", 3, 0, 0 },
	{ "time below zero", 4, 8, 0x80 },
	{ "time without room", 2, 8, 0x20 },
	{ "flags", 0, 53, 4 },
	{ "size", 0, 58, 1 },
	{ "number of targets", 1, 17, NTARGETS + 1 },
	{ "fewer targets", 1, 17, NTARGETS - 1 },
	{ "target's number", 1, 24, 0x80 },
	{ "target's state", 1, 25, TARGET_SAME + 1 },
	{ "local, not routed", 1, 25, TARGET_LOCAL },
	{ "depth", 1, 26, RECORD_DEPTH_MAX + 1 },
	{ "routed", 1, 27, 2 },
	{ "result's state", 2, 21, 200 },
	{ "why it is finished", 3, 17, FINISH_REMOVED + 1 },
};

static void
test_wrong(void **state)
{
	struct buf	b;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make(wrong[i].kind, &b);
		b.p[b.at + wrong[i].at] = (char)wrong[i].value;
		if (parse(wrong[i].kind, buf_str(&b)) != -1)
			fail_msg("%s", wrong[i].name);
		buf_clear(&b);
	}
}

/* Texts at their limit and one byte above it. */
static void
test_limits(void **state)
{
	static const size_t	caps[] = { RECORD_ADDRESS_MAX,
	    RECORD_ERROR_MAX };
	struct buf		b;
	size_t			n, which;

	(void)state;
	for (which = 0; which < 2; which++) {
		for (n = caps[which] - 1; n <= caps[which] + 1; n++) {
			buf_init(&b, 65536);
			pack_u8(&b, RECORD_VERSION);
			pack_u64(&b, 1);
			pack_u64(&b, 1);
			pack_u32(&b, 1);
			pack_u32(&b, 0);
			pack_u8(&b, TARGET_ROUTE);
			pack_u8(&b, 0);
			pack_u8(&b, 0);
			pack_u16(&b, 0);
			pack_u64(&b, 0);
			pack_u32(&b, 0);
			if (which == 1)
				pack_str(&b, S("a"));
			pack_u32(&b, (uint32_t)n);
			buf_room(&b, n);
			buf_grow(&b, n);
			if (which == 0)
				pack_str(&b, S(""));
			assert_int_equal(parse(1, buf_str(&b)),
			    n <= caps[which] ? 0 : -1);
			buf_clear(&b);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
