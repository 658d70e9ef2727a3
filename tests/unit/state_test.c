/*
 * The state under single records: what each changes, what is refused, what
 * a damaged log leaves, and folders whose messages are elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"
#include "mailboxd/state.h"

static int
apply(struct state *st, uint64_t id, const struct record *r)
{
	struct rec	rec = { .type = (uint8_t)r->type, .id = id };
	struct buf	b;
	int		x;

	buf_init(&b, RECORD_META_MAX);
	record_encode(&b, r);
	rec.meta = buf_str(&b);
	x = state_apply(st, &rec, (struct recpos){ 1, id * 100 });
	buf_clear(&b);
	return x;
}

static int
folder(struct state *st, uint64_t id, const char *name)
{
	return apply(st, id + 100, &(struct record){ .type = REC_FOLDER,
	    .folder = { id, (uint32_t)id, str_c(name) } });
}

static int
message(struct state *st, uint64_t in, uint32_t uid, uint8_t flags)
{
	return apply(st, 1000 * in + uid, &(struct record){
	    .type = REC_MESSAGE, .message = {
		.folder = in, .uid = uid, .modseq = uid + 1, .flags = flags,
		.size = 10, .length = 10
	    } });
}

static int
expunge(struct state *st, uint64_t in, const uint32_t *uids, size_t n)
{
	struct buf	b;
	int		x;

	buf_init(&b, 1000);
	(void)uids_add(&b, uids, n, 1000);
	x = apply(st, 9, &(struct record){ .type = REC_EXPUNGE,
	    .expunge = { in, 50, buf_str(&b) } });
	buf_clear(&b);
	return x;
}

static void
start(struct state *st)
{
	state_init(st);
	assert_int_equal(folder(st, 1, "INBOX"), 0);
	assert_int_equal(folder(st, 2, "a"), 0);
	assert_int_equal(message(st, 1, 1, 0), 0);
	assert_int_equal(message(st, 1, 2, STORE_SEEN), 0);
	assert_int_equal(message(st, 1, 5, 0), 0);
}

static void
test_counts(void **state)
{
	const uint32_t		 uids[] = { 1, 2, 3, 4, 6 };
	struct state_folder	*f;
	struct state		 st;

	(void)state;
	state_init(&st);
	assert_int_equal(folder(&st, 1, "INBOX"), 0);
	assert_int_equal(st.next_id, 102);
	state_clear(&st);
	start(&st);
	f = state_folder(&st, 1);
	assert_int_equal(f->exists, 3);
	assert_int_equal(f->unseen, 2);
	assert_int_equal(f->uidnext, 6);
	assert_int_equal(f->modseq, 6);
	assert_int_equal(apply(&st, 9, &(struct record){ .type = REC_FLAGS,
	    .flags = { 1, 7, STORE_ADD, STORE_SEEN, 0, S("\x01\x04") } }), 0);
	assert_int_equal(f->unseen, 0);
	assert_int_equal(apply(&st, 9, &(struct record){ .type = REC_FLAGS,
	    .flags = { 1, 8, STORE_SET, 0, 0, S("\x05\x00") } }), 0);
	assert_int_equal(f->unseen, 1);
	assert_int_equal(f->msgs[2].modseq, 8);
	assert_int_equal(f->msgs[1].modseq, 7);
	assert_int_equal(expunge(&st, 1, uids, 5), 0);
	assert_int_equal(f->exists, 1);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->msgs[0].uid, 5);
	assert_int_equal(f->sources[0], 1005);
	assert_int_equal(f->unseen, 1);
	assert_int_equal(f->uidnext, 6);
	assert_int_equal(f->modseq, 50);
	assert_int_equal(st.next_id, 1006);
	state_clear(&st);
}

static const struct {
	const char	*what;
	struct record	 r;
	bool		 lenient;	/* it makes sense in a damaged log */
} refused[] = {
	{ "a UID again", { .type = REC_MESSAGE, .message = { .folder = 1,
	    .uid = 5 } }, false },
	{ "the last UID", { .type = REC_MESSAGE, .message = { .folder = 1,
	    .uid = UINT32_MAX } }, false },
	{ "no folder", { .type = REC_MESSAGE, .message = { .folder = 7,
	    .uid = 1 } }, true },
	{ "a folder that went", { .type = REC_REMOVE, .remove = { 7 } },
	    false },
	{ "a folder again", { .type = REC_FOLDER, .folder = { 2, 9,
	    STR_INIT("x") } }, false },
	{ "a name again", { .type = REC_FOLDER, .folder = { 9, 9,
	    STR_INIT("a") } }, false },
	{ "onto a name", { .type = REC_RENAME, .rename = { 2, 9,
	    STR_INIT("INBOX") } }, false },
	{ "copy to UIDs there are", { .type = REC_COPY, .copy = { 2, 1, 5,
	    1, STR_INIT("\x01\x00") } }, false },
	{ "a keyword out of turn", { .type = REC_KEYWORD, .keyword = { 1, 2,
	    STR_INIT("x") } }, true },
	{ "recent past the end", { .type = REC_RECENT, .recent = { 1, 7 } },
	    false },
	{ "a row of a loaded folder", { .type = REC_ROW_MESSAGE,
	    .row_message = { .folder = 1, .uid = 3 } }, false },
	{ "more unseen than there", { .type = REC_ROW_FOLDER,
	    .row_folder = { .folder = 9, .uidnext = 9, .exists = 1,
	    .unseen = 2, .name = STR_INIT("x") } }, false },
	{ "more than UIDs", { .type = REC_ROW_FOLDER,
	    .row_folder = { .folder = 9, .uidnext = 2, .exists = 2,
	    .name = STR_INIT("x") } }, false },
	{ "size of nothing", { .type = REC_ROW_FOLDER,
	    .row_folder = { .folder = 9, .uidnext = 2, .size = 1,
	    .name = STR_INIT("x") } }, false },
	{ "larger than messages are", { .type = REC_ROW_FOLDER,
	    .row_folder = { .folder = 9, .uidnext = 3, .exists = 2,
	    .size = 2 * (uint64_t)UINT32_MAX + 1,
	    .name = STR_INIT("x") } }, false },
};

static void
test_refused(void **state)
{
	struct state	st;
	size_t		i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		start(&st);
		if (apply(&st, 9, &refused[i].r) != -1) {
			print_message("%s\n", refused[i].what);
			fail();
		}
		assert_int_equal(state_folder(&st, 1)->n, 3);
		assert_int_equal(st.nfolders, 2);
		assert_int_equal(st.names.n, 2);
		st.lenient = true;
		assert_int_equal(apply(&st, 9, &refused[i].r), 0);
		assert_int_equal(st.skipped, refused[i].lenient ? 0 : 1);
		state_clear(&st);
	}
}

/* Of a set whose third message is lost, the others keep their UIDs. */
static void
test_copy_places(void **state)
{
	struct state_folder	*f;
	struct state		 st;

	(void)state;
	start(&st);
	assert_int_equal(apply(&st, 50, &(struct record){ .type = REC_COPY,
	    .copy = { 1, 2, 10, 20, S("\x01\x04") } }), 0);
	f = state_folder(&st, 2);
	assert_int_equal(f->n, 3);
	assert_int_equal(f->msgs[0].uid, 10);
	assert_int_equal(f->msgs[1].uid, 11);
	assert_int_equal(f->msgs[2].uid, 14);
	assert_int_equal(f->msgs[2].id, 54);
	assert_int_equal(f->msgs[2].modseq, 24);
	assert_int_equal(f->sources[2], 1005);
	assert_int_equal(f->uidnext, 15);
	/* Ranges go on where the one before ended. */
	assert_int_equal(apply(&st, 60, &(struct record){ .type = REC_COPY,
	    .copy = { 1, 1, 6, 9, S("\x02\x01\x02\x00") } }), 0);
	f = state_folder(&st, 1);
	assert_int_equal(f->n, 5);
	assert_int_equal(f->msgs[3].uid, 6);
	assert_int_equal(f->msgs[4].uid, 8);
	assert_int_equal(f->uidnext, 9);
	/* Past the last UID. */
	assert_int_equal(apply(&st, 70, &(struct record){ .type = REC_COPY,
	    .copy = { 1, 1, 4294967290u, 9, S("\x01\x04") } }), -1);
	assert_int_equal(f->n, 5);
	state_clear(&st);
}

/* The record that made the folder is lost: its mail is not. */
static void
test_recovered(void **state)
{
	struct state_folder	*f;
	struct state		 st;

	(void)state;
	start(&st);
	st.lenient = true;
	assert_int_equal(message(&st, 7, 4, 0), 0);
	f = state_named(&st, S("Recovered-7"));
	assert_non_null(f);
	assert_int_equal(f->n, 1);
	assert_true(f->uidvalidity > 2);
	assert_int_equal(apply(&st, 9, &(struct record){
	    .type = REC_RENAME, .rename = { 7, 9, S("b") } }), 0);
	assert_ptr_equal(state_named(&st, S("b")), f);
	/* One that was removed does not come back. */
	assert_int_equal(apply(&st, 9, &(struct record){
	    .type = REC_REMOVE, .remove = { 2 } }), 0);
	assert_int_equal(message(&st, 2, 1, 0), 0);
	assert_int_equal(st.skipped, 1);
	assert_null(state_folder(&st, 2));
	state_clear(&st);
}

/* -- folders whose messages are elsewhere ----------------------------- */

struct shelf {
	struct state	*st;
	uint32_t	 n;		/* messages that it has */
	unsigned	 loads;
	bool		 broken;
};

static int
load(void *arg, struct state_folder *f)
{
	struct shelf	*s = arg;
	uint32_t	 i;

	s->loads++;
	for (i = 1; i <= s->n; i++) {
		if (apply(s->st, 0, &(struct record){
		    .type = REC_ROW_MESSAGE, .row_message = {
			.folder = f->id, .uid = i, .id = i, .source = i,
			.modseq = i, .size = 10 } }) == -1)
			return -1;
	}
	return s->broken ? -1 : 0;
}

static void
start_shelved(struct state *st, struct shelf *s)
{
	state_init(st);
	assert_int_equal(apply(st, 0, &(struct record){
	    .type = REC_ROW_FOLDER, .row_folder = {
		.folder = 1, .uidvalidity = 1, .uidnext = 4, .recent = 1,
		.modseq = 3, .exists = 3, .unseen = 3, .size = 30,
		.name = S("INBOX")
	    } }), 0);
	state_settled(st, true);
	*s = (struct shelf){ .st = st, .n = 3 };
	st->load = load;
	st->load_arg = s;
}

static void
test_tail(void **state)
{
	const uint32_t		 uids[] = { 2 };
	struct state_folder	*f;
	struct state		 st;
	struct shelf		 s;

	(void)state;
	start_shelved(&st, &s);
	f = state_folder(&st, 1);
	assert_int_equal(message(&st, 1, 4, 0), 0);
	assert_int_equal(message(&st, 1, 6, 0), 0);
	assert_int_equal(s.loads, 0);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->exists, 5);
	assert_int_equal(expunge(&st, 1, uids, 1), 0);
	assert_int_equal(s.loads, 1);
	assert_int_equal(f->n, 4);
	assert_int_equal(f->exists, 4);
	assert_int_equal(f->msgs[3].uid, 6);
	assert_int_equal(f->sources[3], 1006);
	/* In the index, and nobody has it open: out of memory. */
	state_settled(&st, false);
	assert_int_equal(f->n, 0);
	assert_false(f->loaded);
	assert_null(state_body(&st, 1006));
	state_clear(&st);
}

static void
test_open_close(void **state)
{
	struct state_folder	*f;
	struct state		 st;
	struct shelf		 s;

	(void)state;
	start_shelved(&st, &s);
	f = state_folder(&st, 1);
	assert_int_equal(state_open(&st, f), 0);
	assert_int_equal(state_open(&st, f), 0);
	assert_int_equal(s.loads, 1);
	assert_int_equal(f->pub->pub.n, 3);
	assert_int_equal(message(&st, 1, 4, 0), 0);
	assert_int_equal(f->pub->pub.n, 4);
	assert_int_equal(f->pub->pub.uidnext, 5);
	state_close(&st, f);
	state_settled(&st, false);
	assert_int_equal(f->n, 4);
	state_close(&st, f);
	assert_int_equal(f->n, 0);
	s.n = 4;
	assert_int_equal(state_open(&st, f), 0);
	assert_int_equal(f->pub->pub.n, 4);
	/* Changed and closed: it stays until the index has it. */
	assert_int_equal(message(&st, 1, 5, 0), 0);
	state_close(&st, f);
	assert_int_equal(f->n, 5);
	state_settled(&st, false);
	assert_int_equal(f->n, 0);
	state_clear(&st);
}

static void
test_gone_while_open(void **state)
{
	struct state_folder	*f;
	struct state		 st;

	(void)state;
	start(&st);
	f = state_folder(&st, 1);
	assert_int_equal(state_open(&st, f), 0);
	assert_int_equal(apply(&st, 9, &(struct record){
	    .type = REC_REMOVE, .remove = { 1 } }), 0);
	assert_true(f->pub->pub.gone);
	assert_int_equal(f->pub->pub.n, 0);
	assert_null(state_named(&st, S("INBOX")));
	state_settled(&st, false);
	state_close(&st, f);
	assert_null(st.gone);
	state_clear(&st);
}

/* The index has other messages than the folder's row says. */
static void
test_load_refused(void **state)
{
	struct state_folder	*f;
	struct state		 st;
	struct shelf		 s;
	uint32_t		 n;

	(void)state;
	for (n = 2; n <= 4; n++) {
		start_shelved(&st, &s);
		f = state_folder(&st, 1);
		assert_int_equal(message(&st, 1, 4, 0), 0);
		s.n = n;
		assert_int_equal(state_open(&st, f), n == 3 ? 0 : -1);
		assert_int_equal(f->n, n == 3 ? 4 : 1);
		if (n == 3)
			state_close(&st, f);
		state_clear(&st);
	}
	start_shelved(&st, &s);
	s.broken = true;
	assert_int_equal(state_open(&st, state_folder(&st, 1)), -1);
	state_clear(&st);
}

/* -- names ------------------------------------------------------------ */

static const struct {
	const char	*in, *out;	/* NULL: bad */
} canon[] = {
	{ "INBOX", "INBOX" }, { "inbox", "INBOX" }, { "iNbOx/", "INBOX" },
	{ "inbox/a", "INBOX/a" }, { "inboxes", "inboxes" },
	{ "a/inbox", "a/inbox" }, { "a", "a" }, { "a/", "a" },
	{ "a//", NULL }, { "/", NULL }, { "", NULL }, { "/a", NULL },
	{ "a//b", NULL }, { ".", NULL }, { "a/..", NULL }, { "...", "..." },
	{ "a*", NULL }, { "%", NULL }, { "a\tb", NULL }, { "a\x7f", NULL },
	{ "\xc2\x80", NULL }, { "\xc2\xa0", "\xc2\xa0" },
	{ "\xc3", NULL }, { "\xed\xa0\x80", NULL }, { "a b", "a b" },
};

static void
test_canon(void **state)
{
	static char	long_name[STORE_NAME_MAX + 1];
	char		deep[2 * STORE_DEPTH_MAX + 2];
	struct buf	b;
	size_t		i;

	(void)state;
	buf_init(&b, STORE_NAME_MAX + 1);
	for (i = 0; i < sizeof(canon) / sizeof(canon[0]); i++) {
		buf_reset(&b);
		if (name_canon(str_c(canon[i].in), &b) == STORE_OK)
			assert_string_equal(buf_cstr(&b), canon[i].out);
		else if (canon[i].out != NULL)
			fail();
	}
	memset(long_name, 'x', sizeof(long_name));
	for (i = STORE_NAME_MAX - 1; i <= STORE_NAME_MAX + 1; i++) {
		buf_reset(&b);
		assert_int_equal(name_canon(str_of(long_name, i), &b),
		    i <= STORE_NAME_MAX ? STORE_OK : STORE_BAD_NAME);
	}
	for (i = 0; i < sizeof(deep); i++)
		deep[i] = i % 2 == 0 ? 'x' : '/';
	for (i = STORE_DEPTH_MAX - 1; i <= STORE_DEPTH_MAX + 1; i++) {
		buf_reset(&b);
		assert_int_equal(name_canon(str_of(deep, 2 * i - 1), &b),
		    i <= STORE_DEPTH_MAX ? STORE_OK : STORE_BAD_NAME);
	}
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_copy_places),
		cmocka_unit_test(test_recovered),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_open_close),
		cmocka_unit_test(test_gone_while_open),
		cmocka_unit_test(test_load_refused),
		cmocka_unit_test(test_canon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
