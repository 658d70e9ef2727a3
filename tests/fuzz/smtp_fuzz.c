/*
 * smtp_fuzz - a session.  The first byte chooses listener, limits and how the
 * questions are answered, the second the pieces; the rest is the client.
 * Replies and events are the same whole and in pieces; replies are lines of
 * printable ASCII that begin with a code; content has no bare CR, LF or NUL.
 */
#include <assert.h>
#include <string.h>

#include "tests/lib/smtp_drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_replies(struct str s)
{
	struct str line;

	while (s.n > 0 && str_cut(&s, '\n', &line)) {
		assert(line.n >= 5 && line.p[line.n - 1] == '\r');
		line.n--;
		assert(str_is_print(line) && line.n <= 510);
		assert(line.p[0] >= '2' && line.p[0] <= '5');
		assert(line.p[3] == ' ' || line.p[3] == '-');
	}
	assert(s.n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct smtp_config	conf;
	struct drive		whole, cut;
	struct str		in;

	if (n < 2)
		return 0;
	drive_config(p[0], &conf);
	in = str_of(p + 2, n - 2);
	drive_init(&whole, &conf, DRIVE_AT_ONCE);
	drive_init(&cut, &conf, p[0] & 32 ? DRIVE_REVERSE : DRIVE_BATCH);
	if (p[0] & 64)
		whole.data_verdict = cut.data_verdict = SMTP_FULL;
	drive_feed(&whole, in);
	drive_pieces(&cut, in, 1 + p[1] % 64, p[1]);
	check_replies(buf_str(&whole.replies));
	assert(str_eq(buf_str(&whole.replies), buf_str(&cut.replies)));
	assert(whole.s.state == cut.s.state && whole.closed == cut.closed);
	/* After a close a batch has asked more than one by one. */
	assert(whole.closed ||
	    str_eq(buf_str(&whole.events), buf_str(&cut.events)));
	assert(whole.in.n < conf.limits.command);
	assert(memchr(whole.content.p == NULL ? "" : whole.content.p, '\0',
	    whole.content.n) == NULL);
	drive_clear(&whole);
	drive_clear(&cut);
	return 0;
}
