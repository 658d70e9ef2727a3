/*
 * ticket: what was sealed opens; what was touched, is late, was used or is
 * somebody else's does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/ipc/ticket.h"

#define NOW	((int64_t)1700000000000)
/* Without the padding at the end. */
#define FIELDS	(offsetof(struct ticket, unlock) + 32)

static char	secret_a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
static char	secret_b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
static char	secret_c[] = "cccccccccccccccccccccccccccccccc";

static struct ticket
sample(void)
{
	struct ticket t = {
		.kind = TICKET_LOGIN,
		.service = SERVICE_IMAP,
		.serial = 0x1122334455667788,
		.sid = 99,
		.mailbox = 1234567890123,
		.tenant = 7,
		.shard = 3,
		.expires = NOW + TICKET_LOGIN_MS,
		.user = "user@example.org",
	};

	memset(t.unlock, 0x5a, sizeof(t.unlock));
	return t;
}

static struct ticket_keys
keys(uint32_t kid, const char *secret)
{
	struct ticket_keys k = { .n = 0 };

	ticket_keys_add(&k, kid, str_of(secret, TICKET_KEY));
	return k;
}

/* Sealed into storage that the next call uses again. */
static struct str
seal(const struct ticket_keys *k, const struct ticket *t)
{
	static char	out[TICKET_MAX];
	struct buf	b;
	size_t		n;

	buf_init(&b, TICKET_MAX);
	ticket_seal(k, t, &b);
	assert_true(buf_ok(&b));
	n = b.n;
	memcpy(out, buf_str(&b).p, n);
	buf_clear(&b);
	return str_of(out, n);
}

static void
test_round(void **state)
{
	struct ticket_keys	k = keys(5, secret_a);
	struct ticket		t = sample(), got;

	(void)state;
	assert_int_equal(ticket_open(&k, seal(&k, &t), NOW, &got),
	    TICKET_GOOD);
	assert_memory_equal(&got, &t, FIELDS);

	t.kind = TICKET_SUBMIT;
	t.service = SERVICE_SUBMISSION;
	memset(t.user, 'u', 320);
	t.user[320] = '\0';
	assert_int_equal(ticket_open(&k, seal(&k, &t), NOW, &got),
	    TICKET_GOOD);
	assert_memory_equal(&got, &t, FIELDS);
	ticket_keys_wipe(&k);
	assert_int_equal(k.n, 0);
	assert_true(sodium_is_zero(k.key[0], TICKET_KEY));
}

static void
test_time(void **state)
{
	static const struct {
		int64_t			at;
		enum ticket_result	result;
	} rows[] = {
		{ NOW - 1000000, TICKET_GOOD },
		{ NOW + TICKET_LOGIN_MS - 1, TICKET_GOOD },
		{ NOW + TICKET_LOGIN_MS, TICKET_EXPIRED },
		{ NOW + TICKET_LOGIN_MS + 1, TICKET_EXPIRED },
	};
	struct ticket_keys	k = keys(5, secret_a);
	struct ticket		t = sample(), got;
	size_t			i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ticket_open(&k, seal(&k, &t), rows[i].at,
		    &got), rows[i].result);
		if (rows[i].result != TICKET_GOOD)
			assert_true(sodium_is_zero((void *)&got,
			    sizeof(got)));
	}
}

static void
test_tampered(void **state)
{
	struct ticket_keys	k = keys(5, secret_a);
	struct ticket		t = sample(), got;
	struct str		s = seal(&k, &t);
	char			copy[TICKET_MAX + 1];
	size_t			i;
	int			bit;

	(void)state;
	for (i = 0; i < s.n; i++) {
		for (bit = 0; bit < 8; bit++) {
			memcpy(copy, s.p, s.n);
			copy[i] = (char)(copy[i] ^ (1 << bit));
			/* Octets 1 to 4 are the key's id. */
			if (ticket_open(&k, str_of(copy, s.n), NOW, &got) !=
			    (i >= 1 && i <= 4 ? TICKET_UNKNOWN :
			    TICKET_FORGED))
				fail_msg("byte %zu bit %d", i, bit);
			assert_true(sodium_is_zero((void *)&got,
			    sizeof(got)));
		}
		memcpy(copy, s.p, s.n);
		assert_int_equal(ticket_open(&k, str_of(copy, i), NOW, &got),
		    TICKET_FORGED);
	}
	copy[s.n] = 0;
	assert_int_equal(ticket_open(&k, str_of(copy, s.n + 1), NOW, &got),
	    TICKET_FORGED);
	assert_int_equal(ticket_open(&k, str_of(copy, TICKET_MAX + 1), NOW,
	    &got), TICKET_FORGED);
	memcpy(copy, s.p, s.n);
	assert_int_equal(ticket_open(&k, str_of(copy, s.n), NOW, &got),
	    TICKET_GOOD);
}

/* Another audience's key, under another or even the same kid. */
static void
test_other_key(void **state)
{
	struct ticket_keys	mailboxd = keys(5, secret_a);
	struct ticket_keys	queued = keys(6, secret_b);
	struct ticket_keys	clash = keys(5, secret_b);
	struct ticket_keys	none = { .n = 0 };
	struct ticket		t = sample(), got;
	struct str		s = seal(&mailboxd, &t);

	(void)state;
	assert_int_equal(ticket_open(&queued, s, NOW, &got), TICKET_UNKNOWN);
	assert_int_equal(ticket_open(&clash, s, NOW, &got), TICKET_FORGED);
	assert_int_equal(ticket_open(&none, s, NOW, &got), TICKET_UNKNOWN);
	assert_int_equal(ticket_open(&mailboxd, s, NOW, &got), TICKET_GOOD);
	assert_int_equal(got.service, SERVICE_IMAP);
}

/* Sealed by the key holder, but not in a form that we make. */
static void
test_malformed(void **state)
{
	struct ticket_keys	k = keys(5, secret_a);
	struct ticket		t, got;

	(void)state;
	t = sample();
	t.kind = (enum ticket_kind)3;
	assert_int_equal(ticket_open(&k, seal(&k, &t), NOW, &got),
	    TICKET_FORGED);
	t = sample();
	t.service = (enum service)0;
	assert_int_equal(ticket_open(&k, seal(&k, &t), NOW, &got),
	    TICKET_FORGED);
	t.service = (enum service)4;
	assert_int_equal(ticket_open(&k, seal(&k, &t), NOW, &got),
	    TICKET_FORGED);
}

/* authd restarts: the old kid holds until the one after the next. */
static void
test_restart(void **state)
{
	struct ticket_keys	first = keys(10, secret_a), all = first;
	struct ticket_keys	second = keys(4, secret_b);
	struct ticket_keys	third = keys(77, secret_c);
	struct ticket		t = sample(), got;

	(void)state;
	ticket_keys_add(&all, 4, str_of(secret_b, TICKET_KEY));
	assert_int_equal(all.n, 2);
	assert_int_equal(ticket_open(&all, seal(&first, &t), NOW, &got),
	    TICKET_GOOD);
	assert_int_equal(ticket_open(&all, seal(&second, &t), NOW, &got),
	    TICKET_GOOD);
	/* The newest seals. */
	assert_int_equal(ticket_open(&second, seal(&all, &t), NOW, &got),
	    TICKET_GOOD);
	/* Told again at a reconnect: nothing changes. */
	ticket_keys_add(&all, 4, str_of(secret_b, TICKET_KEY));
	assert_int_equal(ticket_open(&all, seal(&first, &t), NOW, &got),
	    TICKET_GOOD);
	assert_int_equal(ticket_open(&second, seal(&all, &t), NOW, &got),
	    TICKET_GOOD);

	ticket_keys_add(&all, 77, str_of(secret_c, TICKET_KEY));
	assert_int_equal(all.n, 2);
	assert_int_equal(ticket_open(&all, seal(&first, &t), NOW, &got),
	    TICKET_UNKNOWN);
	assert_int_equal(ticket_open(&all, seal(&second, &t), NOW, &got),
	    TICKET_GOOD);
	assert_int_equal(ticket_open(&all, seal(&third, &t), NOW, &got),
	    TICKET_GOOD);
	/* An old kid told again becomes the newest. */
	ticket_keys_add(&all, 4, str_of(secret_b, TICKET_KEY));
	assert_int_equal(ticket_open(&second, seal(&all, &t), NOW, &got),
	    TICKET_GOOD);
	assert_int_equal(ticket_open(&all, seal(&third, &t), NOW, &got),
	    TICKET_GOOD);
}

static void
test_once(void **state)
{
	struct ticket_replays	*r = ticket_replays_new();
	struct ticket		 t = sample();

	(void)state;
	assert_int_equal(ticket_once(r, &t, NOW), TICKET_GOOD);
	assert_int_equal(ticket_once(r, &t, NOW), TICKET_REPLAYED);
	assert_int_equal(ticket_once(r, &t, t.expires - 1), TICKET_REPLAYED);
	assert_int_equal(ticket_once(r, &t, t.expires), TICKET_EXPIRED);
	t.serial++;
	assert_int_equal(ticket_once(r, &t, NOW), TICKET_GOOD);
	t.serial = 0;
	assert_int_equal(ticket_once(r, &t, NOW), TICKET_GOOD);
	assert_int_equal(ticket_once(r, &t, NOW), TICKET_REPLAYED);
	ticket_replays_free(r);
	ticket_replays_free(NULL);
}

/* The table fills, refuses, and has room again when entries expire. */
static void
test_replays_full(void **state)
{
	struct ticket_replays	*r = ticket_replays_new();
	struct ticket		 t = sample();
	uint64_t		 i;

	(void)state;
	for (i = 0; i < TICKET_REPLAYS_MAX; i++) {
		t.serial = i;
		t.expires = NOW + (i % 2 == 0 ? 10 : 20);
		if (ticket_once(r, &t, NOW) != TICKET_GOOD)
			fail_msg("refused at %u", (unsigned)i);
	}
	t.serial = TICKET_REPLAYS_MAX;
	t.expires = NOW + TICKET_LOGIN_MS;
	assert_int_equal(ticket_once(r, &t, NOW), TICKET_REPLAYED);
	assert_int_equal(ticket_once(r, &t, NOW + 9), TICKET_REPLAYED);
	/* The even ones are gone, the odd ones are remembered. */
	assert_int_equal(ticket_once(r, &t, NOW + 10), TICKET_GOOD);
	assert_int_equal(ticket_once(r, &t, NOW + 10), TICKET_REPLAYED);
	t.expires = NOW + 20;
	for (i = 1; i < TICKET_REPLAYS_MAX; i += 2) {
		t.serial = i;
		if (ticket_once(r, &t, NOW + 10) != TICKET_REPLAYED)
			fail_msg("forgot %u", (unsigned)i);
	}
	ticket_replays_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_replays_full),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests_name("ticket", tests, NULL, NULL);
}
