/*
 * smtp - what the seeds of smtp_fuzz reach: every state, every event, and
 * every reply that the engine gives by itself.
 */
#include "tests/lib/unit.h"

#include "tests/lib/seeds.h"
#include "tests/lib/smtp_drive.h"

/* Only a caller gives these, and the rules of the driver do not. */
static const enum smtp_reply callers[] = {
	SMTP_NONE, SMTP_NOT_YOURS, SMTP_DISABLED, SMTP_MBOX_FULL,
	SMTP_OVER_QUOTA, SMTP_EXPANSION, SMTP_EXPIRED, SMTP_TIMEOUT,
	SMTP_BUSY, SMTP_LOST
};

static struct buf	all_replies, all_events;
static unsigned		states;

static void
play(struct str in)
{
	struct smtp_config	conf;
	struct drive		d;

	assert_in_range(in.n, 3, 4095);
	drive_config((uint8_t)in.p[0], &conf);
	drive_init(&d, &conf, DRIVE_AT_ONCE);
	if (in.p[0] & 64)
		d.data_verdict = SMTP_FULL;
	/* Line by line, so that no state is passed over. */
	drive_pieces(&d, str_from(in, 2), 1, 0);
	states |= d.states;
	buf_add(&all_replies, buf_str(&d.replies));
	buf_add(&all_events, buf_str(&d.events));
	drive_clear(&d);
}

static bool
from_caller(enum smtp_reply r)
{
	size_t i;

	for (i = 0; i < sizeof(callers) / sizeof(callers[0]); i++) {
		if (callers[i] == r)
			return true;
	}
	return false;
}

static void
reach(void **state)
{
	static const char *const events[] = {
		"mail <", "rcpt <", "data\n", "end ", "abort ", "refused ",
		"auth ", "close "
	};
	struct buf	line;
	size_t		i;
	int		r;

	(void)state;
	buf_init(&all_replies, 1 << 20);
	buf_init(&all_events, 1 << 20);
	buf_init(&line, 1000);
	seeds_play("smtp", play);
	for (i = 0; i < SMTP_STATE_COUNT; i++) {
		if (!(states & 1U << i))
			fail_msg("no seed reaches state %zu", i);
	}
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (str_find(buf_str(&all_events), str_c(events[i])) == -1)
			fail_msg("no seed gives %s", events[i]);
	}
	for (r = 0; r < SMTP_REPLY_COUNT; r++) {
		if (from_caller(r))
			continue;
		buf_reset(&line);
		smtp_reply_add(&line, r, S(""));
		buf_trunc(&line, line.n - 2);
		/* Names follow the code of these. */
		if (r == SMTP_BANNER || r == SMTP_EHLO)
			buf_trunc(&line, 3);
		if (str_find(buf_str(&all_replies), buf_str(&line)) == -1)
			fail_msg("no seed gives %s", buf_cstr(&line));
	}
	print_message("states %x\n", states);
	buf_clear(&all_replies);
	buf_clear(&all_events);
	buf_clear(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
