/*
 * control_test - the monitor's end of `mailctl mailbox scrub`, with owners
 * that lie: each may say what it likes about its own mailbox, and nothing
 * about another's, another time, or without end.  ATTACKS M-01.
 */
#include "mailboxd/control.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/core/conf.h"
#include "common/ipc/ctl.h"
#include "common/ipc/scrubrow.h"
#include "mailboxd/monitor.h"
#include "tests/lib/fake_server.h"
#include "tests/lib/turn.h"

enum {
	MAILBOX = 7,			/* the first that authd finds */
	OTHER = 99,
	N = 41,				/* of the work that is passed */
	SILENCE = 5 * 60 * 1000
};

static struct fake	 authd;
static struct link	*link_authd;
static struct chan	*mailctl;
static uint64_t		 work[8];
static unsigned		 nwork;

/* What mailctl was answered. */
static struct {
	unsigned	rows, done;
	enum ctl_status	status;
	bool		goes_on;
	char		text[600];
	char		last[1200];	/* the last row */
} got;

/* In place of the monitor's. */
void
monitor_work(const struct work_for *w)
{
	assert_true(w->is_scrub);
	assert_true(nwork < LENGTH(work));
	work[nwork++] = w->mailbox;
}

static int
on_authd(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	return m->type == MSG_MAILBOX_FOUND ?
	    control_found(&m->mailbox_found) : -1;
}

static const struct link_ops authd_ops = { .on_msg = on_authd };

static void
keep_row(struct msg_list columns)
{
	struct rec_column col;

	got.last[0] = '\0';
	while (rec_next_column(&columns, &col))
		snprintf(got.last + strlen(got.last),
		    sizeof(got.last) - strlen(got.last), "%.*s ",
		    (int)col.value.n, col.value.p);
}

static int
on_answer(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)fd;
	if (m->type == MSG_CTL_ROW) {
		got.rows++;
		keep_row(m->ctl_row.columns);
		return 0;
	}
	got.done++;
	got.status = (enum ctl_status)m->ctl_done.status;
	got.goes_on = m->ctl_done.next.n > 0;
	snprintf(got.text, sizeof(got.text), "%.*s", (int)m->ctl_done.text.n,
	    m->ctl_done.text.p);
	return 0;
}

static const struct chan_ops mailctl_ops = { .on_msg = on_answer };

static void
call(const char *who, const char *cursor)
{
	struct buf	b;
	uint32_t	n = 0;

	buf_init(&b, 1000);
	rec_add_word(&b, &n, &(struct rec_word){ .word = str_c(who) });
	rec_add_word(&b, &n, &(struct rec_word){ .word = str_c(cursor) });
	chan_send_ctl(mailctl, &(struct msg_ctl){ .id = 1,
	    .verb = CTL_MAILBOX_SCRUB, .words = msg_list_of(&b, n) }, -1);
	buf_clear(&b);
}

/* authd's answer to the next question; mailbox 0: there is no more. */
static void
find(uint64_t mailbox)
{
	struct fake_msg *k = fake_next(&authd, MSG_MAILBOX_FIND);

	chan_send_mailbox_found(k->chan, &(struct msg_mailbox_found){
	    .id = k->m.mailbox_find.id, .mailbox = mailbox,
	    .verdict = mailbox == 0 ? LOOKUP_UNKNOWN : LOOKUP_OK,
	    .address = S("x@example.org") }, -1);
}

/* Until there is work for that mailbox, which is then passed. */
static void
pass(uint64_t mailbox)
{
	unsigned before = nwork;

	find(mailbox);
	TURN_UNTIL(nwork > before);
	assert_int_equal(work[before], mailbox);
	control_passed(mailbox, N);
}

static void
begin(const char *who)
{
	call(who, "");
	pass(MAILBOX);
}

/* The rest of the answer; as mailctl does, for as long as it goes on. */
static void
fetch(const char *who)
{
	unsigned before;

	while (got.done == 0 || got.goes_on) {
		before = got.done;
		if (before > 0)
			call(who, "on");
		TURN_UNTIL(got.done > before);
	}
}

static void
end(uint64_t mailbox, uint64_t n, uint64_t damaged)
{
	control_scrubbed(mailbox, &(struct msg_owner_scrubbed){ .n = n,
	    .last = 1, .segments = 2, .bytes = 1000, .damaged = damaged });
}

static int
damage(uint64_t mailbox, uint64_t n, uint8_t part, uint8_t record)
{
	return control_damage(mailbox, &(struct msg_owner_damage){ .n = n,
	    .part = part, .segment = 1, .offset = 2, .record = record,
	    .id = 3 });
}

static int
set_up(void **state)
{
	struct sockaddr_un	sun = { .sun_family = AF_UNIX,
				    .sun_path = "mailboxd" };
	int			fd;

	(void)state;
	fake_begin();
	conf_defaults();
	fake_listen(&authd, "authd", R_AUTHD, R_MAILBOXD);
	link_authd = link_new("authd", R_MAILBOXD, R_AUTHD, &authd_ops, NULL);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, 8) == -1)
		return -1;
	control_listen(fd, link_authd);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fake_end();
	return 0;
}

static int
come(void **state)
{
	(void)state;
	memset(&got, 0, sizeof(got));
	nwork = 0;
	TURN_UNTIL(link_chan(link_authd) != NULL);
	mailctl = chan_new(chan_dial("mailboxd", SOCK_SEQPACKET), R_MAILCTL,
	    R_MAILBOXD, &mailctl_ops, NULL);
	return 0;
}

static int
leave(void **state)
{
	int i;

	(void)state;
	clock_release();
	chan_close(mailctl);
	for (i = 0; i < 6; i++)
		loop_turn(0);
	return 0;
}

/* -- what an owner may not say -------------------------------------------- */

static const struct {
	const char	*name;
	bool		 is_end;	/* OWNER_SCRUBBED, the last */
	uint64_t	 mailbox, n;	/* of the channel; as it says */
	uint8_t		 part;
	int		 rc;
} lies[] = {
	{ "damage of another's", false, OTHER, N, 0, 0 },
	{ "damage of the work before", false, MAILBOX, N - 1, 0, 0 },
	{ "damage of work to come", false, MAILBOX, N + 1, 0, 0 },
	{ "damage of no work", false, MAILBOX, 0, 0, 0 },
	{ "damage of the last work", false, MAILBOX, UINT64_MAX, 0, 0 },
	{ "a part too many", false, MAILBOX, N, SCRUB_UNREADABLE + 1, -1 },
	{ "no part", false, MAILBOX, N, 255, -1 },
	{ "no part of another's", false, OTHER, N, 255, -1 },
	{ "end of another's", true, OTHER, N, 0, 0 },
	{ "end of the work before", true, MAILBOX, N - 1, 0, 0 },
	{ "end of work to come", true, MAILBOX, N + 1, 0, 0 },
	{ "end of no work", true, MAILBOX, 0, 0, 0 },
};

/* That one, wherever it comes; 0 or what the monitor drops it for. */
static void
lie(size_t i)
{
	int rc = 0;

	if (lies[i].is_end)
		end(lies[i].mailbox, lies[i].n, 1);
	else
		rc = damage(lies[i].mailbox, lies[i].n, lies[i].part, 1);
	if (rc != lies[i].rc)
		fail_msg("%s: %d", lies[i].name, rc);
}

static void
test_lies(void **state)
{
	size_t i;

	(void)state;
	begin("x@example.org");
	for (i = 0; i < LENGTH(lies); i++)
		lie(i);
	assert_int_equal(got.rows + got.done, 0);
	end(MAILBOX, N, 0);
	/* It is over, and not fetched yet. */
	for (i = 0; i < LENGTH(lies); i++)
		lie(i);
	damage(MAILBOX, N, 0, 1);
	end(MAILBOX, N, 5);
	fetch("x@example.org");
	assert_int_equal(got.status, CTL_OK);
	assert_int_equal(got.rows, 1);
	assert_string_equal(got.last, "x@example.org sound      2 0 0 1000 ");
	/* Nobody asks any more. */
	for (i = 0; i < LENGTH(lies); i++)
		lie(i);
	end(MAILBOX, N, 5);
}

/* Before it was told what to do, and when it was told for somebody else. */
static void
test_unasked(void **state)
{
	(void)state;
	call("x@example.org", "");
	find(MAILBOX);
	TURN_UNTIL(nwork == 1);
	end(MAILBOX, 0, 1);
	end(MAILBOX, N, 1);
	assert_int_equal(damage(MAILBOX, 0, 0, 1), 0);
	control_owner_down(OTHER);
	control_refused(OTHER);
	control_passed(OTHER, N);
	control_owner_down(MAILBOX);	/* the one before */
	control_passed(MAILBOX, N);
	control_owner_down(OTHER);
	control_refused(OTHER);
	end(MAILBOX, N, 0);
	fetch("x@example.org");
	assert_int_equal(got.status, CTL_OK);
}

/* -- how much ------------------------------------------------------------ */

static void
test_many(void **state)
{
	static const unsigned counts[] = { 1, CTL_ROWS_TURN,
	    CTL_ROWS_TURN + 1, SCRUBROW_MAX - 1, SCRUBROW_MAX,
	    SCRUBROW_MAX + 1, 100000 };
	unsigned	k, want;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(counts); i++) {
		memset(&got, 0, sizeof(got));
		begin("x@example.org");
		for (k = 0; k < counts[i]; k++)
			assert_int_equal(damage(MAILBOX, N,
			    (uint8_t)(k % 9), (uint8_t)k), 0);
		end(MAILBOX, N, counts[i]);
		fetch("x@example.org");
		want = counts[i] < SCRUBROW_MAX ? counts[i] : SCRUBROW_MAX;
		assert_int_equal(got.rows, want + 1);
		assert_int_equal(got.status, CTL_FAILED);
	}
}

/* What one says is not taken off what the next one says. */
static void
test_sums(void **state)
{
	static const struct {
		uint64_t	first, second;
		bool		fails;	/* the second */
		enum ctl_status	status;
		const char	*text;
	} rows[] = {
		{ 0, 0, false, CTL_OK, "" },
		{ 2, 3, false, CTL_FAILED, "5 damaged in 2 mailboxes" },
		{ UINT64_MAX, 1, false, CTL_FAILED,
		    "18446744073709551615 damaged in 2" },
		{ 1, UINT64_MAX, false, CTL_FAILED,
		    "18446744073709551615 damaged in 2" },
		{ UINT64_MAX, 0, true, CTL_FAILED,
		    "18446744073709551615 damaged in 1" },
		{ 0, 0, true, CTL_FAILED, "0 damaged in 1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		memset(&got, 0, sizeof(got));
		nwork = 0;
		begin("--all");
		end(MAILBOX, N, rows[i].first);
		TURN_UNTIL(got.goes_on);
		call("--all", "on");
		pass(MAILBOX + 1);
		if (rows[i].fails)
			control_owner_down(MAILBOX + 1);
		else
			end(MAILBOX + 1, N, rows[i].second);
		TURN_UNTIL(got.done == 2);
		call("--all", "on");
		find(0);
		fetch("--all");
		assert_int_equal(got.status, rows[i].status);
		assert_true(str_starts(str_c(got.text), str_c(rows[i].text)));
	}
}

/* -- how long ------------------------------------------------------------ */

/* One more second of the loop's, at that time of the clock's. */
static void
tick_at(int64_t now)
{
	unsigned before = got.done;

	clock_set(now, 0);
	if (got.goes_on)
		call("--all", "on");
	while (got.done == before)
		loop_turn(50);
}

/* One that never ends holds nobody up for ever; the others have their turn. */
static void
test_silence(void **state)
{
	(void)state;
	clock_set(1000, 0);
	begin("--all");
	tick_at(1000 + SILENCE - 1);
	assert_int_equal(got.rows, 0);
	/* There is news. */
	control_scrubbed(MAILBOX, &(struct msg_owner_scrubbed){ .n = N,
	    .bytes = 1 });
	tick_at(1000 + 2 * SILENCE - 2);
	assert_int_equal(got.rows, 0);
	/* That is none. */
	control_scrubbed(MAILBOX, &(struct msg_owner_scrubbed){ .n = N,
	    .bytes = 1, .segments = 99, .damaged = 99 });
	assert_int_equal(damage(MAILBOX, N, 0, 0), 0);
	tick_at(1000 + 2 * SILENCE - 1);
	assert_int_equal(got.rows, 2);
	assert_true(str_find(str_c(got.last), S("does not answer")) != -1);
	assert_true(got.goes_on);
	clock_release();
	call("--all", "on");
	pass(MAILBOX + 1);
	/* The first one wakes up. */
	end(MAILBOX, N, 0);
	assert_int_equal(damage(MAILBOX, N, 0, 0), 0);
	end(MAILBOX + 1, N, 0);
	TURN_UNTIL(got.rows == 3);
	call("--all", "on");
	find(0);
	fetch("--all");
	assert_int_equal(got.status, CTL_FAILED);
}

/* An owner that is never ready, and an authd that says nothing. */
static void
test_nobody(void **state)
{
	(void)state;
	clock_set(1000, 0);
	call("--all", "");
	find(MAILBOX);
	while (nwork == 0)
		loop_turn(50);
	tick_at(1000 + SILENCE);
	assert_int_equal(got.rows, 1);
	assert_true(got.goes_on);
	tick_at(1000 + 2 * SILENCE);
	assert_false(got.goes_on);
	assert_int_equal(got.status, CTL_FAILED);
	assert_true(str_find(str_c(got.text), S("authd")) != -1);
	(void)fake_next(&authd, MSG_MAILBOX_FIND);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, come, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_lies),
		T(test_unasked),
		T(test_many),
		T(test_sums),
		T(test_silence),
		T(test_nobody),
	};

	return cmocka_run_group_tests_name("control", tests, set_up,
	    tear_down);
}
