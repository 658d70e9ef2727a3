/*
 * core_seeds_test - what the seeds of conf_fuzz, notice_fuzz and cred_fuzz
 * reach: every mistake that an operator can be told, every type of value, all
 * that a daemon may say, and what a credential list can be.
 */
#include "tests/lib/unit.h"

#include <sodium.h>

#include "authd/cred.h"
#include "common/core/conf.h"
#include "mailctl/notice.h"
#include "tests/lib/seeds.h"

/* -- the operator's text ---------------------------------------------- */

static const char *const mistakes[] = {
	"not text in UTF-8", "the line ends in CR LF", "has no \"=\"",
	"there is no such setting; postern", "did you mean smtp.size_max?",
	"set twice; it was set on line", "the quote is not closed",
	"there is text behind the quotes", "a value with \"#\" needs quotes",
	"a value with blanks needs quotes", "a quote inside the value",
	"not a power of two", "not a multiple of the count of ids",
	"the range reaches 4294967295", "another daemon has this user id",
	"lies in the range of mailboxes",
	"lies in the range of tenants' groups", "too small", "too large",
	"not a number of this kind; give a number",
	"not a number of this kind; give bytes",
	"not a number of this kind; give seconds", "neither yes nor no",
	"too long; give printable text", "has unprintable characters",
	"not one of the words for this", "not an address with a port",
	"not a host name",
};

static bool		taken[SEEDS_STATES];	/* types of settings */
static struct buf	told;

static const char *
conf_type_name(unsigned t)
{
	switch ((enum conf_type)t) {
		SEEDS_NAME(CONF_NUM);
		SEEDS_NAME(CONF_SIZE);
		SEEDS_NAME(CONF_TIME);
		SEEDS_NAME(CONF_BOOL);
		SEEDS_NAME(CONF_TEXT);
		SEEDS_NAME(CONF_WORD);
		SEEDS_NAME(CONF_ADDR);
		SEEDS_NAME(CONF_HOST);
	}
	return NULL;
}

/* What is not as its default was taken from the text. */
static void
play_conf(struct str text)
{
	struct buf	was, is;
	struct str	a, b, rest_a, rest_b;
	unsigned	i;

	buf_init(&was, 1 << 20);
	buf_init(&is, 1 << 20);
	conf_defaults();
	conf_slice(W_ALL, &was);
	conf_parse("f", text, &told);
	conf_slice(W_ALL, &is);
	rest_a = buf_str(&was);
	rest_b = buf_str(&is);
	for (i = 0; i < C_COUNT; i++) {
		assert_true(str_cut(&rest_a, '\n', &a));
		assert_true(str_cut(&rest_b, '\n', &b));
		if (!str_eq(a, b))
			taken[conf_info((enum setting)i)->type] = true;
	}
	buf_clear(&was);
	buf_clear(&is);
}

static void
test_conf(void **state)
{
	(void)state;
	buf_init(&told, 16 << 20);
	seeds_play("conf", play_conf);
	seeds_need_said("conf", &told, mistakes, LENGTH(mistakes));
	seeds_need("conf", conf_type_name, taken);
	buf_clear(&told);
}

/* -- what a daemon says ----------------------------------------------- */

enum notice_fact {
	NOTICE_NOTHING, NOTICE_READY, NOTICE_STORE, NOTICE_REMOVE,
	NOTICE_STATUS, NOTICE_NAME, NOTICE_NO_STATUS, NOTICE_NO_NAME
};

static bool notices[SEEDS_STATES];

static const char *
notice_name(unsigned f)
{
	switch ((enum notice_fact)f) {
		SEEDS_NAME(NOTICE_NOTHING);
		SEEDS_NAME(NOTICE_READY);
		SEEDS_NAME(NOTICE_STORE);
		SEEDS_NAME(NOTICE_REMOVE);
		SEEDS_NAME(NOTICE_STATUS);
		SEEDS_NAME(NOTICE_NAME);
		SEEDS_NAME(NOTICE_NO_STATUS);
		SEEDS_NAME(NOTICE_NO_NAME);
	}
	return NULL;
}

static void
play_notice(struct str text)
{
	struct notice n = notice_parse(text);

	notices[NOTICE_READY] |= n.ready;
	notices[NOTICE_STORE] |= n.fdstore;
	notices[NOTICE_REMOVE] |= n.fdremove;
	notices[NOTICE_STATUS] |= n.status.n > 0;
	notices[NOTICE_NAME] |= n.name.n > 0;
	/* Said, and empty. */
	notices[NOTICE_NO_STATUS] |= n.status.p != NULL && n.status.n == 0;
	notices[NOTICE_NO_NAME] |= n.name.p != NULL && n.name.n == 0;
	notices[NOTICE_NOTHING] |= !n.ready && !n.fdstore && !n.fdremove &&
	    n.status.p == NULL && n.name.p == NULL;
}

static void
test_notice(void **state)
{
	(void)state;
	seeds_play("notice", play_notice);
	seeds_need("notice", notice_name, notices);
}

/* -- credentials ------------------------------------------------------ */

enum cred_fact {
	LIST_EMPTY, LIST_WHOLE, LIST_CUT, LIST_OTHER_TAG, LIST_NO_ARGON2ID,
	LIST_NO_SCRAM, LIST_STALE, LIST_FRESH, SCRAM_TAKEN, SCRAM_REFUSED
};

static bool checks[SEEDS_STATES], facts[SEEDS_STATES];
static char dummy[128];

static const char *
cred_result_name(unsigned r)
{
	switch ((enum cred_result)r) {
		SEEDS_NAME(CRED_GOOD);
		SEEDS_NAME(CRED_WRONG);
		SEEDS_NAME(CRED_FAILED);
	}
	return NULL;
}

static const char *
cred_fact_name(unsigned f)
{
	switch ((enum cred_fact)f) {
		SEEDS_NAME(LIST_EMPTY);
		SEEDS_NAME(LIST_WHOLE);
		SEEDS_NAME(LIST_CUT);
		SEEDS_NAME(LIST_OTHER_TAG);
		SEEDS_NAME(LIST_NO_ARGON2ID);
		SEEDS_NAME(LIST_NO_SCRAM);
		SEEDS_NAME(LIST_STALE);
		SEEDS_NAME(LIST_FRESH);
		SEEDS_NAME(SCRAM_TAKEN);
		SEEDS_NAME(SCRAM_REFUSED);
	}
	return NULL;
}

static const struct cred_cost cost = { 8 * 1024, 1 };

static void
play_cred(struct str seed)
{
	struct str		list = str_from(seed, 1), body;
	struct cred_scram	s;
	bool			whole = cred_is_list(list);

	facts[list.n == 0 ? LIST_EMPTY : whole ? LIST_WHOLE : LIST_CUT] = true;
	if (cred_find(list, CRED_SCRAM_SHA256, &body))
		facts[cred_scram_decode(body, &s) == 0 ? SCRAM_TAKEN :
		    SCRAM_REFUSED] = true;
	else
		facts[LIST_NO_SCRAM] = true;
	facts[LIST_OTHER_TAG] |= list.n > 0 && list.p[0] > CRED_SCRAM_SHA256;
	facts[cred_is_stale(list, &cost) ? LIST_STALE : LIST_FRESH] = true;
	if (!cred_find(list, CRED_ARGON2ID, &body))
		facts[LIST_NO_ARGON2ID] = true;
	/* None of the seeds is dear. */
	checks[cred_check(list, S("pencil"), seed.p[0] & 1 ? "" : dummy)] =
	    true;
}

static void
test_cred(void **state)
{
	(void)state;
	assert_int_equal(cred_dummy(&cost, dummy), 0);
	seeds_play("cred", play_cred);
	seeds_need("cred", cred_result_name, checks);
	seeds_need("cred", cred_fact_name, facts);
}

static int
setup(void **state)
{
	(void)state;
	return sodium_init() == -1 ? -1 : 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf),
		cmocka_unit_test(test_notice),
		cmocka_unit_test(test_cred),
	};

	return cmocka_run_group_tests_name("core_seeds", tests, setup, NULL);
}
