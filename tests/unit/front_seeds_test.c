/*
 * front_seeds_test - what the seeds of imap_login_fuzz, pop3_login_fuzz and
 * pop3_fuzz reach: every state, and every answer that input alone can cause.
 */
#include "tests/lib/unit.h"

#include "imapd/login.h"
#include "pop3d/login.h"
#include "pop3d/pop3.h"
#include "tests/lib/feed.h"
#include "tests/lib/login_rig.h"
#include "tests/lib/model_store.h"
#include "tests/lib/seeds.h"

/* Not "line too long": what may be said before a login is less. */
static const char *const imap_login_says[] = {
	"* CAPABILITY ", "* ID (", "+ \r\n", "+ go on\r\n", "OK done", "OK bye",
	"BAD cancelled", "BAD not base64", "BAD no such command",
	"BAD [TOOBIG]", "too many words", "neither a string nor NIL",
	"NO PLAIN is the only mechanism", "NO [AUTHENTICATIONFAILED]",
	"NO [UNAVAILABLE] no login now", "NO [UNAVAILABLE] the mailbox",
	"NO [INUSE]",
	"OK [CAPABILITY ", "BYE logging out", "BYE too many errors",
	"BYE too many failures", "BYE too much before a login",
	"BYE no literal here", "BYE literal too large",
};

static const char *const pop3_login_says[] = {
	"+OK\r\nTOP", "+OK done", "+OK now PASS", "+OK bye", "+OK logged in",
	"+ \r\n", "-ERR cancelled", "-ERR not base64",
	"-ERR PLAIN is the only mechanism", "-ERR USER wants a name",
	"-ERR USER first", "-ERR unknown command", "-ERR not a command line",
	"-ERR [AUTH] wrong", "-ERR [SYS/TEMP] no login now",
	"-ERR [SYS/TEMP] the mailbox", "-ERR [IN-USE]",
	"-ERR too much before a login",
};

static const char *const pop3_says[] = {
	"+OK\r\nTOP", "+OK 3 ", "+OK\r\n1 ", "+OK 1 ", " octets\r\n",
	"+OK marked", "+OK nothing is marked", "+OK done", "+OK bye",
	"-ERR no such message", "-ERR message is deleted",
	"-ERR TOP wants", "-ERR wrong number of arguments",
	"-ERR unknown command", "-ERR not a command line",
};

static struct buf	all;		/* what was said to all seeds */
static unsigned		states;		/* of enum login_state, at the ends */

static void
play_login(const struct login_ops *ops, struct str in)
{
	struct login_rig r;

	/* The first byte says how a fuzzer feeds the rest. */
	login_rig_run(&r, ops, true, 0, str_from(in, 1));
	states |= 1U << r.l->state;
	/* The rig shows a question as "<user|password>". */
	if (str_find(buf_str(&r.got), S("|")) != -1)
		states |= 1U << LOGIN_ASKING;
	buf_add(&all, buf_str(&r.got));
	login_rig_clear(&r);
}

static void
play_imap_login(struct str in)
{
	play_login(&imap_login_ops, in);
}

static void
play_pop3_login(struct str in)
{
	play_login(&pop3_login_ops, in);
}

static size_t
feed_pop3(void *arg, struct str in)
{
	struct pop3	*s = arg;
	size_t		 used = pop3_feed(s, in);
	bool		 more;

	do {
		more = pop3_step(s);
		buf_add(&all, buf_str(pop3_out(s)));
		buf_drop(pop3_out(s), pop3_out(s)->n);
	} while (more);
	return used;
}

/* The mailbox of pop3_fuzz. */
static void
play_pop3(struct str in)
{
	struct model_store	*m = model_store_new();
	struct pop3		*s;

	model_store_add(m, "INBOX", S("A: b\r\n\r\n.x\r\ny\n.\r\nz"), 0, 0);
	model_store_add(m, "INBOX", S(""), 0, 0);
	model_store_add(m, "INBOX", S("\r\r\n\n\r\n.."), 0, 0);
	s = pop3_new(&m->store);
	feed(0, str_from(in, 1), feed_pop3, s);
	if (pop3_done(s))
		states |= 1U << LOGIN_OVER;
	pop3_free(s);
	model_store_free(m);
}

static void
reach(const char *name, void (*play)(struct str), unsigned wanted,
    const char *const *says, size_t n)
{
	states = 0;
	buf_init(&all, 16 << 20);
	seeds_play(name, play);
	seeds_need_said(name, &all, says, n);
	assert_int_equal(states & wanted, wanted);
	buf_clear(&all);
}

enum { EVERY = 1U << LOGIN_TALKING | 1U << LOGIN_ASKING | 1U << LOGIN_IN |
    1U << LOGIN_OVER };

static void
test_imap_login(void **state)
{
	(void)state;
	reach("imap_login", play_imap_login, EVERY, imap_login_says,
	    LENGTH(imap_login_says));
}

static void
test_pop3_login(void **state)
{
	(void)state;
	reach("pop3_login", play_pop3_login, EVERY, pop3_login_says,
	    LENGTH(pop3_login_says));
}

static void
test_pop3(void **state)
{
	(void)state;
	reach("pop3", play_pop3, 1U << LOGIN_OVER, pop3_says,
	    LENGTH(pop3_says));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_imap_login),
		cmocka_unit_test(test_pop3_login),
		cmocka_unit_test(test_pop3),
	};

	return cmocka_run_group_tests_name("front_seeds", tests, NULL, NULL);
}
