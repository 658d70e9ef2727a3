/*
 * mbox_limits_test - a mailbox of many messages, turns that are large, and
 * the limits of keywords, messages and folders.
 */
#include <fcntl.h>
#include <unistd.h>

#include "common/core/log.h"
#include "tests/lib/mbox_rig.h"

/* -- large ------------------------------------------------------------ */

enum { MANY = 20000 };

/* Every other of many messages in one operation, and a rebuild of it all. */
static void
test_many(void **state)
{
	struct mailbox		*b = *state;
	static uint32_t		 uids[MANY];
	struct store_folder	*f;
	struct buf		 x, y;
	uint32_t		 i, validity;

	for (i = 0; i < MANY; i++) {
		deliver(b, i, S("x"));
		if (i % 2 == 1)
			uids[i / 2] = i + 1;
		if (i % 1000 == 0)
			mailbox_turn(b);
	}
	assert_int_equal(b->s.ops->create(b->s.impl, S("c")), STORE_OK);
	f = open_folder(b, "INBOX");
	assert_int_equal(b->s.ops->flags(b->s.impl, f, uids, MANY / 2,
	    STORE_ADD, STORE_FLAGGED, 0), STORE_OK);
	assert_int_equal(b->s.ops->copy(b->s.impl, f, uids, MANY / 2, S("c"),
	    &validity, NULL), STORE_OK);
	assert_int_equal(b->s.ops->expunge(b->s.impl, f, uids, MANY / 2),
	    STORE_OK);
	assert_int_equal(f->n, MANY / 2);
	close_folder(b, f);
	buf_init(&x, 64 * 1024 * 1024);
	buf_init(&y, 64 * 1024 * 1024);
	store_dump(b->s, &x, true);
	mailbox_turn(b);
	mailbox_close(b);
	mailbox_open(b);
	assert_false(b->report.rebuilt);
	store_dump(b->s, &y, true);
	assert_true(str_eq(buf_str(&x), buf_str(&y)));
	mailbox_close(b);
	mailbox_remove_dir(b, "index");
	mailbox_open(b);
	assert_int_equal(b->report.skipped, 0);
	buf_reset(&y);
	store_dump(b->s, &y, true);
	assert_true(str_eq(buf_str(&x), buf_str(&y)));
	buf_clear(&x);
	buf_clear(&y);
}

/* More than a frame takes in one turn. */
static void
test_large_turn(void **state)
{
	static char	 text[200 * 1024];
	struct mailbox	*b = *state;
	struct store_folder *f;
	uint32_t	 i;

	mailbox_close(b);
	b->conf.inline_max = sizeof(text);
	b->conf.segment_max = 16 * 1024 * 1024;
	mailbox_open(b);
	memset(text, 't', sizeof(text));
	for (i = 0; i < 400; i++)
		put(b, "INBOX", str_of(text, sizeof(text) - i));
	mailbox_turn(b);
	mailbox_close(b);
	mailbox_open(b);
	f = open_folder(b, "INBOX");
	assert_int_equal(f->n, 400);
	for (i = 0; i < 400; i++)
		assert_int_equal(f->msgs[i].size, sizeof(text) - i);
	close_folder(b, f);
}

/* -- limits ----------------------------------------------------------- */

static void
test_keyword_limit(void **state)
{
	struct mailbox		*b = *state;
	struct store_folder	*f = open_folder(b, "INBOX");
	struct str		 words[2] = { S("fresh"), S("k3") };
	struct store_new	 new = { .folder = S("INBOX"), .size = 1,
	    .keywords = words, .nkeywords = 1 };
	struct store_append	*a;
	char			 word[STORE_KEYWORD_MAX + 1];
	uint32_t		 v, uid;
	int			 i;

	memset(word, 'w', sizeof(word));
	assert_int_equal(b->s.ops->keyword(b->s.impl, f,
	    str_of(word, sizeof(word)), true), -1);
	assert_int_equal(b->s.ops->keyword(b->s.impl, f, S(""), true), -1);
	assert_int_equal(b->s.ops->keyword(b->s.impl, f,
	    str_of(word, STORE_KEYWORD_MAX), true), 0);
	for (i = 1; i < STORE_KEYWORDS_MAX; i++) {
		snprintf(word, sizeof(word), "k%d", i);
		assert_int_equal(b->s.ops->keyword(b->s.impl, f, str_c(word),
		    true), i);
	}
	assert_int_equal(b->s.ops->keyword(b->s.impl, f, S("more"), true),
	    -1);
	assert_int_equal(b->s.ops->keyword(b->s.impl, f, S("K63"), false),
	    63);
	assert_int_equal(b->s.ops->append(b->s.impl, &new, &a), STORE_OK);
	assert_int_equal(b->s.ops->append_data(b->s.impl, a, S("x")),
	    STORE_OK);
	assert_int_equal(b->s.ops->append_end(b->s.impl, a, &v, &uid),
	    STORE_LIMIT);
	new.keywords = words + 1;
	assert_int_equal(b->s.ops->append(b->s.impl, &new, &a), STORE_OK);
	assert_int_equal(b->s.ops->append_data(b->s.impl, a, S("x")),
	    STORE_OK);
	assert_int_equal(b->s.ops->append_end(b->s.impl, a, &v, &uid),
	    STORE_OK);
	assert_int_equal(f->msgs[0].keywords, 8);
	uid = 1;
	assert_int_equal(b->s.ops->flags(b->s.impl, f, &uid, 1, STORE_SET, 0,
	    UINT64_MAX), STORE_OK);
	assert_true(f->msgs[0].keywords == UINT64_MAX);
	close_folder(b, f);
	mailbox_turn(b);
}

static void
test_append_limits(void **state)
{
	struct mailbox		*b = *state;
	struct store_new	 new = { .folder = S("INBOX"), .size = 4 };
	struct store_append	*a;
	uint32_t		 v, uid;

	assert_int_equal(b->s.ops->append(b->s.impl, &new, &a), STORE_OK);
	assert_int_equal(b->s.ops->append_data(b->s.impl, a, S("abc")),
	    STORE_OK);
	assert_int_equal(b->s.ops->append_end(b->s.impl, a, &v, &uid),
	    STORE_ERROR);
	assert_int_equal(b->s.ops->append(b->s.impl, &new, &a), STORE_OK);
	assert_int_equal(b->s.ops->append_data(b->s.impl, a, S("abcde")),
	    STORE_ERROR);
	b->s.ops->append_abort(b->s.impl, a);
	/* The folder goes while the message comes. */
	assert_int_equal(b->s.ops->create(b->s.impl, S("a")), STORE_OK);
	new.folder = S("a");
	new.size = 100000;
	assert_int_equal(b->s.ops->append(b->s.impl, &new, &a), STORE_OK);
	assert_int_equal(b->s.ops->remove(b->s.impl, S("a")), STORE_OK);
	assert_int_equal(b->s.ops->append_end(b->s.impl, a, &v, &uid),
	    STORE_NO_SUCH);
	new.folder = S("INBOX");
	new.size = b->conf.message_max;
	assert_int_equal(b->s.ops->append(b->s.impl, &new, &a), STORE_OK);
	b->s.ops->append_abort(b->s.impl, a);
	new.size++;
	assert_int_equal(b->s.ops->append(b->s.impl, &new, &a), STORE_LIMIT);
}

static void
test_folder_limit(void **state)
{
	struct mailbox	*b = *state;
	char		 name[32];
	unsigned	 i, n = 1;
	enum store_result r = STORE_OK;

	for (i = 0; r == STORE_OK; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		r = b->s.ops->create(b->s.impl, str_c(name));
		n += r == STORE_OK;
	}
	assert_int_equal(r, STORE_LIMIT);
	assert_int_equal(n, STORE_FOLDERS_MAX - STORE_DEPTH_MAX + 1);
	mailbox_turn(b);
	assert_int_equal(b->s.ops->remove(b->s.impl, S("f1")), STORE_OK);
	assert_int_equal(b->s.ops->create(b->s.impl, S("g")), STORE_OK);
	mailbox_turn(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_many),
		TEST(test_large_turn),
		TEST(test_keyword_limit),
		TEST(test_append_limits),
		TEST(test_folder_limit),
	};

	log_to(open("/dev/null", O_WRONLY));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
