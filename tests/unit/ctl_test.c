/*
 * ctl: who may ask, which calls reach a handler, what answers look like.
 * The test is the other end of a channel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "common/core/conf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/ipc/ctl.h"

static struct chan	*chan;		/* the server's end */
static int		 client;
static char		 sent[MSG_PACKET_MAX];	/* the last packet */
static char		 got[200];	/* what the handler saw */

static int
on_msg(struct chan *c, const struct msg *m, int fd)
{
	(void)c;
	(void)m;
	(void)fd;
	return -1;
}

static int
setup(void **state)
{
	static const struct chan_ops ops = { .on_msg = on_msg };
	int fds[2];

	(void)state;
	conf_defaults();
	loop_init();
	chan_init();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds) == -1)
		return -1;
	chan = chan_new(fds[0], R_AUTHD, R_MAILCTL, &ops, NULL);
	client = fds[1];
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	chan_close(chan);
	loop_turn(0);
	close(client);
	loop_free();
	return 0;
}

/* The packet that was sent since the last call. */
static struct str
take(void)
{
	ssize_t n;

	chan_flush(chan);
	n = recv(client, sent, sizeof(sent), 0);
	assert_true(n > 0);
	return str_of(sent, (size_t)n);
}

static void
test_allowed(void **state)
{
	static const struct {
		const char	*operators;
		uid_t		 uid;
		bool		 allowed;
	} t[] = {
		{ "", 0, true },
		{ "", 4242, false },
		{ "", (uid_t)-1, false },
		{ "4294967295", (uid_t)-1, false },
		{ "4242", 4242, true },
		{ "4242", 424, false },
		{ "4242", 42420, false },
		{ "1 4242 7", 4242, true },
		{ "1  4242", 4242, true },
		{ "x4242", 4242, false },
		{ "4242,7", 4242, false },
		{ "4294967338", 42, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		conf_put(C_OPERATORS, t[i].operators);
		if (ctl_allowed(t[i].uid) != t[i].allowed)
			fail_msg("row %zu: uid %u, operators '%s'", i,
			    (unsigned)t[i].uid, t[i].operators);
	}
	conf_put(C_OPERATORS, "");
	assert_true(ctl_allowed(getuid()));
}

/* -- calls ------------------------------------------------------------ */

static void
on_any(struct ctl_call *call, void *arg)
{
	unsigned	i;
	size_t		n = 0;

	(void)arg;
	got[0] = '\0';
	for (i = 0; i < call->n; i++) {
		n += (size_t)snprintf(got + n, sizeof(got) - n, "%.*s|",
		    (int)call->word[i].n, call->word[i].p);
	}
	ctl_done(call, CTL_OK, "done");
}

static const struct ctl_handler verbs[] = {
	{ CTL_DOMAIN_ADD, on_any },
	{ CTL_DOMAIN_LIST, on_any },
	{ CTL_USER_ADD, on_any },
	{ CTL_USER_LIST, on_any },
	{ CTL_ALIAS_ADD, on_any },
	{ CTL_QUEUE_LIST, on_any },
};

/* Sends a call of n words "0", "1", ... and gives the answer's status. */
static int
call(unsigned verb, unsigned n, struct msg *out)
{
	struct buf	b;
	struct str	packet;
	uint32_t	count = 0;
	unsigned	i;
	char		w[12];

	buf_init(&b, 100000);
	for (i = 0; i < n; i++) {
		snprintf(w, sizeof(w), "%u", i);
		rec_add_word(&b, &count, &(struct rec_word){ str_c(w) });
	}
	got[0] = '\0';
	ctl_dispatch(chan, &(struct msg_ctl){ .id = 7, .verb = (uint16_t)verb,
	    .words = msg_list_of(&b, count) }, "authd", verbs,
	    sizeof(verbs) / sizeof(verbs[0]), NULL);
	buf_clear(&b);
	packet = take();
	assert_int_equal(msg_decode(&packet, R_AUTHD, R_MAILCTL, out), 0);
	assert_int_equal(packet.n, 0);
	assert_int_equal(out->type, MSG_CTL_DONE);
	assert_int_equal(out->ctl_done.id, 7);
	return out->ctl_done.status;
}

static void
test_words(void **state)
{
	static const struct {
		unsigned	 verb, n;
		int		 status;
		const char	*got;
	} t[] = {
		{ CTL_DOMAIN_ADD, 0, CTL_USAGE, "" },
		{ CTL_DOMAIN_ADD, 1, CTL_OK, "0|" },
		{ CTL_DOMAIN_ADD, 2, CTL_USAGE, "" },
		{ CTL_DOMAIN_LIST, 0, CTL_USAGE, "" },
		{ CTL_DOMAIN_LIST, 1, CTL_OK, "0|" },
		{ CTL_DOMAIN_LIST, 2, CTL_USAGE, "" },
		{ CTL_USER_ADD, 1, CTL_USAGE, "" },
		{ CTL_USER_ADD, 2, CTL_OK, "0|1|" },
		{ CTL_USER_ADD, 3, CTL_USAGE, "" },
		{ CTL_USER_LIST, 1, CTL_OK, "0|" },
		{ CTL_USER_LIST, 2, CTL_OK, "0|1|" },
		{ CTL_USER_LIST, 3, CTL_USAGE, "" },
		{ CTL_ALIAS_ADD, 1, CTL_USAGE, "" },
		{ CTL_ALIAS_ADD, 2, CTL_OK, "0|1|" },
		{ CTL_ALIAS_ADD, 51, CTL_USAGE, "" },
		/* Another daemon's, no verb at all, one without a handler. */
		{ CTL_QUEUE_LIST, 1, CTL_USAGE, "" },
		{ 9999, 1, CTL_USAGE, "" },
		{ 0, 0, CTL_USAGE, "" },
		{ CTL_DOMAIN_SHOW, 1, CTL_USAGE, "" },
	};
	struct msg	m;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (call(t[i].verb, t[i].n, &m) != t[i].status ||
		    strcmp(got, t[i].got) != 0)
			fail_msg("row %zu: got '%s'", i, got);
	}
	assert_int_equal(call(CTL_ALIAS_ADD, 50, &m), CTL_OK);
	assert_int_equal(call(CTL_ALIAS_ADD, 64, &m), CTL_USAGE);
	assert_int_equal(call(CTL_DOMAIN_ADD, 0, &m), CTL_USAGE);
	assert_true(str_eq(m.ctl_done.text, S("usage: domain add DOMAIN")));
}

static void
test_rows(void **state)
{
	struct ctl_call		 c = { .chan = chan, .id = 9 };
	struct ctl_row		 row;
	struct rec_column	 col;
	struct str		 packet;
	struct msg		 m;
	char			 big[CTL_COLUMN_MAX + 10];

	(void)state;
	memset(big, 'x', sizeof(big));
	ctl_row_init(&row);
	ctl_text(&row, "name", S("a\0b"));
	ctl_num(&row, "n", UINT64_MAX);
	ctl_text(&row, "big", str_of(big, sizeof(big)));
	ctl_row_send(&row, &c);
	ctl_done_next(&c, S("cursor"));

	packet = take();
	assert_int_equal(msg_decode(&packet, R_AUTHD, R_MAILCTL, &m), 0);
	assert_int_equal(m.type, MSG_CTL_ROW);
	assert_int_equal(m.ctl_row.columns.n, 3);
	assert_true(rec_next_column(&m.ctl_row.columns, &col));
	assert_true(str_eq(col.key, S("name")));
	assert_true(str_eq(col.value, S("a")));
	assert_int_equal(col.kind, COLUMN_TEXT);
	assert_true(rec_next_column(&m.ctl_row.columns, &col));
	assert_true(str_eq(col.value, S("18446744073709551615")));
	assert_int_equal(col.kind, COLUMN_NUMBER);
	assert_true(rec_next_column(&m.ctl_row.columns, &col));
	assert_int_equal(col.value.n, CTL_COLUMN_MAX);
	assert_int_equal(msg_decode(&packet, R_AUTHD, R_MAILCTL, &m), 0);
	assert_int_equal(m.type, MSG_CTL_DONE);
	assert_true(str_eq(m.ctl_done.next, S("cursor")));
}

/* Numbers are for ever and mean one thing; words are unique. */
static void
test_table(void **state)
{
	const struct ctl_info	*a, *b;
	size_t			 i, j;

	(void)state;
	for (i = 0; (a = ctl_info_at(i)) != NULL; i++) {
		assert_ptr_equal(ctl_info(a->verb), a);
		assert_true(a->least <= a->most);
		assert_true(a->most < CTL_WORDS_MAX);
		for (j = 0; j < i; j++) {
			b = ctl_info_at(j);
			assert_int_not_equal(a->verb, b->verb);
			assert_string_not_equal(a->words, b->words);
		}
	}
	assert_int_equal(ctl_info(CTL_USER_PASSWD)->extra,
	    CTL_EXTRA_PASSWORD);
	assert_int_equal(ctl_info(CTL_QUEUE_LIST)->extra, CTL_EXTRA_CURSOR);
	assert_int_equal(ctl_info(CTL_STATUS)->extra, CTL_EXTRA_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_allowed, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_words, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_rows, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_table, setup,
		    teardown),
	};

	log_level(LOG_ERROR);
	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
