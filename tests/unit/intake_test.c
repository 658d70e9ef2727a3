/*
 * intake_test - submissions: what is accepted, refused, and who is dropped.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/id.h"
#include "tests/lib/front_rig.h"

static void
test_accepted(void **state)
{
	uint64_t	 qid = front_qid(&front);
	struct message	*m;

	(void)state;
	assert_int_equal(front.state, QUEUE_OPEN);
	assert_int_not_equal(qid, 0);
	front_submit(&front, qid, "s@example.org", "a@x.test b@x.test",
	    S("hello\r\n"));
	assert_int_equal(front_verdict(&front, qid), -1);
	rig_turns(4);
	assert_int_equal(front_verdict(&front, qid), SUBMIT_OK);
	m = queue_find(&rig.q.queue, qid);
	assert_non_null(m);
	assert_int_equal(m->n, 2);
	assert_int_equal(m->open, 2);
	assert_int_equal(m->size, 7);
	assert_string_equal(queue_target(m, 1)->address, "b@x.test");
	/* And after a kill it is still there, the qid is not given again. */
	front_close(&front);
	rig_kill(&rig);
	rig_start(&rig);
	m = queue_find(&rig.q.queue, qid);
	assert_non_null(m);
	assert_int_equal(m->open, 2);
	front_open(&front, &rig);
	assert_true(front_qid(&front) > qid);
}

/* What a peer may not say; each costs it the channel. */
enum bad {
	BAD_QID, BAD_QID_TWICE, BAD_FOREIGN_QID, BAD_NO_RCPTS, BAD_MANY_RCPTS,
	BAD_LATE_RCPT, BAD_EARLY_DATA, BAD_EARLY_END, BAD_SIZE, BAD_TOO_LARGE,
	BAD_EMPTY_RCPT, BAD_RIGHT, BAD_UNKNOWN_DATA, BAD_WANT_NONE,
	BAD_WANT_MUCH, BAD_END_TWICE, BAD_COUNT
};

static void
open_one(struct front *f, uint64_t qid, uint32_t rcpts, uint8_t right)
{
	chan_send_submit(f->chan, &(struct msg_submit){ .qid = qid,
	    .right = right, .sender = S("s@x.test"), .rcpts = rcpts }, -1);
}

static void
send_rcpt(struct front *f, uint64_t qid, struct str address)
{
	struct buf	b;
	uint32_t	n = 0;

	buf_init(&b, 4096);
	rec_add_address(&b, &n, &(struct rec_address){ address });
	chan_send_submit_rcpts(f->chan, &(struct msg_submit_rcpts){
	    .qid = qid, .rcpts = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
}

static void
send_data(struct front *f, uint64_t qid, struct str chunk)
{
	chan_send_submit_data(f->chan, &(struct msg_submit_data){
	    .qid = qid, .chunk = chunk }, -1);
}

static void
send_end(struct front *f, uint64_t qid, uint64_t size)
{
	chan_send_submit_end(f->chan, &(struct msg_submit_end){
	    .qid = qid, .size = size }, -1);
}

/* At the beginning of a submission; false if it is about another thing. */
static bool
misbehave_early(struct front *f, enum bad bad, uint64_t qid, uint64_t other)
{
	uint32_t max = rig.conf.intake.rcpt_max;

	switch ((int)bad) {
	case BAD_QID:
		open_one(f, qid + 1000000, 1, RIGHT_MX);
		return true;
	case BAD_QID_TWICE:
		front_submit(f, qid, "", "a@x.test", S("x"));
		open_one(f, qid, 1, RIGHT_MX);
		return true;
	case BAD_FOREIGN_QID:
		open_one(f, other, 1, RIGHT_MX);
		return true;
	case BAD_NO_RCPTS:
		open_one(f, qid, 0, RIGHT_MX);
		return true;
	case BAD_MANY_RCPTS:
		open_one(f, qid, max + 1, RIGHT_MX);
		return true;
	case BAD_LATE_RCPT:
		open_one(f, qid, 1, RIGHT_MX);
		send_rcpt(f, qid, S("a@x.test"));
		send_rcpt(f, qid, S("b@x.test"));
		return true;
	case BAD_EARLY_DATA:
		open_one(f, qid, 2, RIGHT_MX);
		send_rcpt(f, qid, S("a@x.test"));
		send_data(f, qid, S("x"));
		return true;
	case BAD_EARLY_END:
		open_one(f, qid, 2, RIGHT_MX);
		send_rcpt(f, qid, S("a@x.test"));
		send_end(f, qid, 0);
		return true;
	}
	return false;
}

static void
misbehave(struct front *f, enum bad bad, uint64_t other)
{
	static char	big[60000];
	uint64_t	qid = front_qid(f);
	unsigned	i;

	if (misbehave_early(f, bad, qid, other))
		return;
	switch ((int)bad) {
	case BAD_SIZE:
		open_one(f, qid, 1, RIGHT_MX);
		send_rcpt(f, qid, S("a@x.test"));
		send_data(f, qid, S("xyz"));
		send_end(f, qid, 4);
		return;
	case BAD_TOO_LARGE:
		open_one(f, qid, 1, RIGHT_MX);
		send_rcpt(f, qid, S("a@x.test"));
		for (i = 0; i <= rig.conf.intake.size_max / sizeof(big); i++)
			send_data(f, qid, str_of(big, sizeof(big)));
		return;
	case BAD_EMPTY_RCPT:
		open_one(f, qid, 1, RIGHT_MX);
		send_rcpt(f, qid, S(""));
		return;
	case BAD_RIGHT:
		open_one(f, qid, 1, RIGHT_TICKET + 1);
		return;
	case BAD_UNKNOWN_DATA:
		send_data(f, qid, S("x"));
		return;
	case BAD_WANT_NONE:
		chan_send_qid_want(f->chan, &(struct msg_qid_want){ 0 }, -1);
		return;
	case BAD_WANT_MUCH:
		for (i = 0; i < QIDS_BLOCKS_MAX; i++)
			chan_send_qid_want(f->chan,
			    &(struct msg_qid_want){ 1 }, -1);
		return;
	case BAD_END_TWICE:
		front_submit(f, qid, "", "a@x.test", S("x"));
		send_end(f, qid, 1);
		return;
	}
}

static void
test_dropped(void **state)
{
	struct front	bad;
	uint64_t	other = front_qid(&front), qid;
	int		i;

	(void)state;
	for (i = 0; i < BAD_COUNT; i++) {
		front_open(&bad, &rig);
		misbehave(&bad, (enum bad)i, other);
		rig_turns(6);
		if (!bad.is_down)
			fail_msg("case %d was not dropped", i);
		/* Nobody else is disturbed, and its ids stay its own. */
		assert_false(front.is_down);
		qid = front_qid(&front);
		front_submit(&front, qid, "", "a@x.test", S("x"));
		rig_turns(4);
		assert_int_equal(front_verdict(&front, qid), SUBMIT_OK);
	}
	assert_int_equal(rig.q.intake.memory, 0);
	assert_int_equal(rig.q.intake.incoming.n, 0);
}

static size_t
count_files(void)
{
	struct message	*m;
	uint64_t	 cursor = 0;
	size_t		 n = 0;

	while ((m = map_walk(&rig.q.queue.messages, &cursor)) != NULL)
		n += (m->flags & RECORD_FILE) != 0;
	return n;
}

/* The helper is another process: turns, until it has answered. */
static void
wait_for(uint64_t qid)
{
	int i;

	for (i = 0; i < 6000 && front_verdict(&front, qid) == -1; i++)
		loop_turn(10);
}

static void
test_sizes(void **state)
{
	size_t		 max = rig.conf.intake.by_value, n;
	const size_t	 sizes[] = { 0, 1, max - 1, max, max + 1, 3 * max };
	struct message	*m;
	struct stat	 st;
	uint64_t	 qid;
	char		*body = calloc(1, 3 * max);
	char		 path[256];

	(void)state;
	memset(body, 'x', 3 * max);
	for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		qid = front_qid(&front);
		front_submit(&front, qid, "", "a@x.test",
		    str_of(body, sizes[n]));
		wait_for(qid);
		assert_int_equal(front_verdict(&front, qid), SUBMIT_OK);
		m = queue_find(&rig.q.queue, qid);
		assert_int_equal(m->size, sizes[n]);
		assert_int_equal((m->flags & RECORD_FILE) != 0,
		    sizes[n] > max);
		snprintf(path, sizeof(path), "%s/bulk/%s", rig.path,
		    id_text(qid).s);
		assert_int_equal(stat(path, &st) == 0, sizes[n] > max);
		if (sizes[n] > max)
			assert_int_equal(st.st_size, sizes[n]);
	}
	assert_int_equal(count_files(), 2);
	assert_int_equal(rig.q.intake.memory, 0);
	free(body);
}

/* Beyond the budget a small content takes the way of a large one. */
static void
test_budget(void **state)
{
	static char	body[50000];
	uint64_t	qid[3];
	int		i;

	(void)state;
	rig.q.conf.intake.channel_memory = 120000;
	for (i = 0; i < 3; i++) {
		qid[i] = front_qid(&front);
		open_one(&front, qid[i], 1, RIGHT_MX);
		send_rcpt(&front, qid[i], S("a@x.test"));
		send_data(&front, qid[i], str_of(body, sizeof(body)));
	}
	rig_turns(3);
	assert_true(rig.q.intake.memory <= 120000 + 3 * 4096);
	for (i = 0; i < 3; i++)
		send_end(&front, qid[i], sizeof(body));
	for (i = 0; i < 3; i++) {
		wait_for(qid[i]);
		assert_int_equal(front_verdict(&front, qid[i]), SUBMIT_OK);
	}
	assert_true(count_files() >= 1);
	assert_true(count_files() < 3);
}

static void
test_closed(void **state)
{
	uint64_t a = front_qid(&front), b = front_qid(&front);

	(void)state;
	open_one(&front, a, 1, RIGHT_MX);
	send_rcpt(&front, a, S("a@x.test"));
	send_data(&front, a, S("x"));
	rig_turns(3);
	rig.q.conf.space.messages_max = 0;
	queued_look(&rig.q);
	send_end(&front, a, 1);
	front_submit(&front, b, "", "a@x.test", S("x"));
	rig_turns(4);
	assert_int_equal(front.state, QUEUE_CLOSED);
	assert_int_equal(front_verdict(&front, a), SUBMIT_FULL);
	assert_int_equal(front_verdict(&front, b), SUBMIT_FULL);
	assert_int_equal(rig.q.queue.messages.n, 0);
	rig.q.conf.space.messages_max = 10;
	queued_look(&rig.q);
	rig_turns(2);
	assert_int_equal(front.state, QUEUE_OPEN);
}

static void
test_abort(void **state)
{
	uint64_t a = front_qid(&front), b = front_qid(&front);

	(void)state;
	open_one(&front, a, 1, RIGHT_MX);
	send_rcpt(&front, a, S("a@x.test"));
	send_data(&front, a, S("x"));
	chan_send_submit_abort(front.chan, &(struct msg_submit_abort){ a }, -1);
	front_submit(&front, b, "", "a@x.test", S("x"));
	rig_turns(4);
	/* One that crosses our answer is no offence. */
	chan_send_submit_abort(front.chan, &(struct msg_submit_abort){ b }, -1);
	rig_turns(3);
	assert_false(front.is_down);
	assert_int_equal(front_verdict(&front, a), -1);
	assert_int_equal(front_verdict(&front, b), SUBMIT_OK);
	assert_int_equal(rig.q.queue.messages.n, 1);
	assert_int_equal(rig.q.intake.memory, 0);
}

/* -- tickets ------------------------------------------------------------- */

static const struct ticket_case {
	const char		*name;
	enum ticket_kind	 kind;
	enum service		 service;
	uint64_t		 sid;
	int64_t			 left;		/* ms */
	bool			 keys;
	unsigned		 forged;	/* the octet; 0 for none */
	int			 verdict;
} tickets[] = {
	{ "no keys yet", TICKET_SUBMIT, SERVICE_SUBMISSION, 5, 1000, false,
	    0, SUBMIT_TEMP },
	{ "good", TICKET_SUBMIT, SERVICE_SUBMISSION, 5, 1000, true, 0,
	    SUBMIT_OK },
	{ "again", TICKET_SUBMIT, SERVICE_SUBMISSION, 5, 1000, true, 0,
	    SUBMIT_OK },
	{ "another connection", TICKET_SUBMIT, SERVICE_SUBMISSION, 6, 1000,
	    true, 0, SUBMIT_DENIED },
	{ "for logins", TICKET_LOGIN, SERVICE_SUBMISSION, 5, 1000, true,
	    0, SUBMIT_DENIED },
	{ "for IMAP", TICKET_SUBMIT, SERVICE_IMAP, 5, 1000, true, 0,
	    SUBMIT_DENIED },
	{ "expired", TICKET_SUBMIT, SERVICE_SUBMISSION, 5, -1, true, 0,
	    SUBMIT_DENIED },
	{ "tampered with", TICKET_SUBMIT, SERVICE_SUBMISSION, 5, 1000, true,
	    60, SUBMIT_DENIED },
	{ "of another key", TICKET_SUBMIT, SERVICE_SUBMISSION, 5, 1000, true,
	    1, SUBMIT_DENIED },
};

static void
test_tickets(void **state)
{
	static const char		 key[TICKET_KEY] = "k";
	const struct ticket_case	*c;
	struct ticket_keys		 keys = { .n = 0 };
	struct buf			 b;
	uint64_t			 qid;
	size_t				 i;

	(void)state;
	ticket_keys_add(&keys, 1, str_of(key, sizeof(key)));
	for (i = 0; i < sizeof(tickets) / sizeof(tickets[0]); i++) {
		c = &tickets[i];
		if (c->keys)
			rig.q.keys = keys;
		buf_init(&b, TICKET_MAX);
		ticket_seal(&keys, &(struct ticket){ .kind = c->kind,
		    .service = c->service, .sid = c->sid, .mailbox = 9,
		    .tenant = 3, .expires = clock_wall() + c->left,
		    .user = "u@x.test" }, &b);
		if (c->forged > 0)
			b.p[b.at + c->forged] ^= 1;
		qid = front_qid(&front);
		chan_send_submit(front.chan, &(struct msg_submit){
		    .qid = qid, .sid = 5, .right = RIGHT_TICKET,
		    .ticket = buf_str(&b), .sender = S("u@x.test"),
		    .rcpts = 1 }, -1);
		send_rcpt(&front, qid, S("a@x.test"));
		send_data(&front, qid, S("x"));
		send_end(&front, qid, 1);
		rig_turns(4);
		if (front_verdict(&front, qid) != c->verdict)
			fail_msg("%s: %d", c->name,
			    front_verdict(&front, qid));
		if (c->verdict == SUBMIT_OK)
			assert_int_equal(queue_find(&rig.q.queue,
			    qid)->tenant, 3);
		else
			assert_null(queue_find(&rig.q.queue, qid));
		buf_clear(&b);
	}
}

/* As many recipients as there may be, over several records of one frame. */
static void
test_many_rcpts(void **state)
{
	uint32_t	 max = rig.conf.intake.rcpt_max, i;
	struct buf	 b;
	uint64_t	 qid = front_qid(&front);
	struct message	*m;

	(void)state;
	buf_init(&b, (size_t)max * 400);
	for (i = 0; i < max; i++)
		buf_addf(&b, "%s%0300u@x.test", i == 0 ? "" : " ", i);
	front_submit(&front, qid, "", buf_cstr(&b), S("x"));
	rig_turns(10);
	assert_int_equal(front_verdict(&front, qid), SUBMIT_OK);
	front_close(&front);
	rig_kill(&rig);
	rig_start(&rig);
	front_open(&front, &rig);
	m = queue_find(&rig.q.queue, qid);
	assert_int_equal(m->n, max);
	assert_int_equal(strlen(queue_target(m, max - 1)->address), 307);
	buf_clear(&b);
}

/* More than a turn takes is left for the next, and nothing is forgotten. */
static void
test_turn_cap(void **state)
{
	uint64_t	before, qid = 0;
	unsigned	i;

	(void)state;
	rig.q.conf.intake.turn_messages = 10;
	before = rig.q.journal.commits;
	for (i = 0; i < 95; i++) {
		qid = front_qid(&front);
		front_submit(&front, qid, "", "a@x.test", S("x"));
	}
	rig_turns(20);
	assert_int_equal(front.nseen, 95);
	assert_int_equal(front_verdict(&front, qid), SUBMIT_OK);
	assert_int_equal(rig.q.journal.commits - before, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_accepted), T(test_dropped), T(test_sizes),
		T(test_budget), T(test_closed), T(test_abort),
		T(test_tickets), T(test_many_rcpts), T(test_turn_cap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
