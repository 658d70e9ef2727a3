/*
 * imap_list_test - the pattern matcher, LIST and LSUB.
 */
#include <time.h>

#include "imapd/glob.h"
#include "tests/lib/imap_script.h"

static const struct {
	const char	*pattern, *name;
	bool		 want;
} globs[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "a", "", false },
	{ "*", "", true },
	{ "*", "a/b/c", true },
	{ "%", "abc", true },
	{ "%", "a/b", false },
	{ "%", "", true },
	{ "%/%", "a/b", true },
	{ "%/%", "a/b/c", false },
	{ "%/%", "a", false },
	{ "a%", "a", true },
	{ "a%", "abc", true },
	{ "a%", "abc/d", false },
	{ "a*", "abc/d", true },
	{ "*c", "abc/c", true },
	{ "*c", "abc/d", false },
	{ "%c", "abcc", true },
	{ "a*b*c", "axxbxxc", true },
	{ "a*b*c", "axxcxxb", false },
	{ "*%", "a/b", true },
	{ "%*", "a/b", true },
	{ "*a%b", "x/a/a1b", true },
	{ "*a%b", "x/a/1b", false },
	{ "%a*b", "1a/x/b", true },
	{ "%%%x", "aax", true },
	{ "a/%", "a/", true },
	{ "ab", "aB", false },
};

static void
test_glob(void **state)
{
	struct glob	g;
	size_t		i;

	(void)state;
	for (i = 0; i < LENGTH(globs); i++) {
		assert_int_equal(glob_init(&g, S(""), str_c(
		    globs[i].pattern)), 0);
		if (glob_match(&g, str_c(globs[i].name), false) !=
		    globs[i].want)
			fail_msg("%s %s", globs[i].pattern, globs[i].name);
	}
	glob_init(&g, S("I"), S("n%x"));
	assert_true(glob_match(&g, S("INBOX"), true));
	assert_false(glob_match(&g, S("INBOX"), false));
	assert_true(glob_has_percent(&g));
}

static void
test_glob_limit(void **state)
{
	struct glob	g;
	struct buf	pattern;
	size_t		n, i;

	(void)state;
	for (n = GLOB_MAX - 1; n <= GLOB_MAX + 1; n++) {
		buf_init(&pattern, 2 * GLOB_MAX);
		for (i = 0; i < n; i++)
			buf_addc(&pattern, 'a');
		assert_int_equal(glob_init(&g, S(""), buf_str(&pattern)),
		    n > GLOB_MAX ? -1 : 0);
		buf_clear(&pattern);
	}
}

static const struct imap_scene scenes[] = {
	{ "list all",
	    "C: a LIST \"\" *\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"Archive\"\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"INBOX\"\n"
	    "S: * LIST (\\HasChildren) \"/\" \"Work\"\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"Work/2025\"\n"
	    "S: a OK...\n" },
	{ "list one level",
	    "C: a LIST \"\" %\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"Archive\"\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"INBOX\"\n"
	    "S: * LIST (\\HasChildren) \"/\" \"Work\"\nS: a OK...\n"
	    "C: b LIST Work/ \"%\"\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"Work/2025\"\nS: b OK...\n" },
	{ "inbox in any case",
	    "C: a LIST \"\" inbox\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"INBOX\"\nS: a OK...\n"
	    "C: b LIST \"\" i%X\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"INBOX\"\nS: b OK...\n"
	    "C: c CREATE inbox/in\nS: c OK...\n"
	    "C: d LIST \"\" inbox*\n"
	    "S: * LIST (\\HasChildren) \"/\" \"INBOX\"\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"INBOX/in\"\nS: d OK...\n"
	    "C: e LIST inbox/ i%\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"INBOX/in\"\nS: e OK...\n" },
	{ "the separator",
	    "C: a LIST \"\" \"\"\nS: * LIST (\\Noselect) \"/\" \"\"\n"
	    "S: a OK...\n"
	    "C: b LIST Work \"\"\nS: * LIST (\\Noselect) \"/\" \"\"\n"
	    "S: b OK...\n" },
	{ "a level without a folder",
	    "C: a DELETE Work\nS: a OK...\n"
	    "C: b LIST \"\" W*\n"
	    "S: * LIST (\\Noselect \\HasChildren) \"/\" \"Work\"\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"Work/2025\"\nS: b OK...\n"
	    "C: c SELECT Work\nS: c NO...\n"
	    "C: d DELETE Work/2025\nS: d OK...\n"
	    "C: e LIST \"\" W*\nS: e OK...\n" },
	{ "names as on the wire",
	    "C: a CREATE &ZeVnLIqe-\nS: a OK...\n"
	    "C: b LIST \"\" &*\n"
	    "S: * LIST (\\HasNoChildren) \"/\" \"&ZeVnLIqe-\"\n"
	    "S: b OK...\n" },
	{ "bad arguments",
	    "C: a LIST \"\"\nS: a BAD...\n"
	    "C: b LIST * *\nS: b BAD...\n"
	    "C: c LIST \"\" * *\nS: c BAD...\n"
	    "C: d LSUB\nS: d BAD...\n"
	    "C: e LIST \"\" (a)\nS: e BAD...\n" },
	{ "lsub",
	    "C: a SUBSCRIBE Work/2025\nS: a OK...\n"
	    "C: b SUBSCRIBE Work/none/deep\nS: b OK...\n"
	    "C: c SUBSCRIBE inbox\nS: c OK...\n"
	    "C: d LSUB \"\" *\n"
	    "S: * LSUB () \"/\" \"INBOX\"\n"
	    "S: * LSUB () \"/\" \"Work/2025\"\n"
	    "S: * LSUB (\\Noselect) \"/\" \"Work/none/deep\"\nS: d OK...\n"
	    "C: e LSUB \"\" %\n"
	    "S: * LSUB () \"/\" \"INBOX\"\n"
	    "S: * LSUB (\\Noselect) \"/\" \"Work\"\nS: e OK...\n"
	    "C: f LSUB Work/ %\n"
	    "S: * LSUB () \"/\" \"Work/2025\"\n"
	    "S: * LSUB (\\Noselect) \"/\" \"Work/none\"\nS: f OK...\n"
	    "C: g SUBSCRIBE Work\nS: g OK...\n"
	    "C: h LSUB \"\" %\n"
	    "S: * LSUB () \"/\" \"INBOX\"\nS: * LSUB () \"/\" \"Work\"\n"
	    "S: h OK...\n"
	    "C: i LIST \"\" Work/none*\nS: i OK...\n" },
	{ "a neighbour between a level and what is below it",
	    "C: a SUBSCRIBE a\nS: a OK...\n"
	    "C: b SUBSCRIBE a-b\nS: b OK...\n"
	    "C: c SUBSCRIBE a/x\nS: c OK...\n"
	    "C: d SUBSCRIBE a/y\nS: d OK...\n"
	    "C: e LSUB \"\" %\n"
	    "S: * LSUB (\\Noselect) \"/\" \"a\"\n"
	    "S: * LSUB (\\Noselect) \"/\" \"a-b\"\nS: e OK...\n" },
};

static void
test_scenes(void **state)
{
	(void)state;
	imap_script_run_all(scenes, LENGTH(scenes));
}

/* ATTACKS E-09: many folders, a pattern that backtracking would hate. */
static void
test_many(void **state)
{
	struct model_store	*m = model_store_new();
	struct imap		*s;
	struct buf		 said;
	struct timespec		 from, to;
	char			 name[100];
	unsigned		 i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "aaaaaaaaaaaaaaaaaaaaaaaaa%u", i);
		assert_int_equal(m->store.ops->create(m, str_c(name)),
		    STORE_OK);
	}
	buf_init(&said, 4 << 20);
	s = imap_new(&m->store, 1000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	imap_script_pump(s, S("a LIST \"\" \"%a*%a*%a*%a*%a*%a*%a*x\"\r\n"),
	    1000, &said);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	assert_true(str_starts(buf_str(&said), S("a OK")));
	/* Backtracking would take hours; the model itself is slow. */
	assert_true(to.tv_sec - from.tv_sec < 5);
	buf_reset(&said);
	imap_script_pump(s, S("a LIST \"\" *\r\n"), 1000, &said);
	assert_true(said.n > 5000 * 50);
	imap_free(s);
	model_store_free(m);
	buf_clear(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glob),
		cmocka_unit_test(test_glob_limit),
		cmocka_unit_test(test_scenes),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("imap_list", tests, NULL, NULL);
}
