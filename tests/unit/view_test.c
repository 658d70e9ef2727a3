/*
 * view_test - the numbering of a session, in portions of every size.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "imapd/view.h"
#include "tests/lib/model_store.h"

static struct model_store *
fill(size_t n, struct store_folder **f)
{
	struct model_store	*m = model_store_new();
	size_t			 i;

	for (i = 0; i < n; i++)
		model_store_add(m, "INBOX", S("x"), 0, 0);
	assert_int_equal(m->store.ops->open(m, S("INBOX"), f), STORE_OK);
	return m;
}

/* What a client makes of EXPUNGE lines, told in portions of `max`. */
static void
expunge_in_portions(size_t max)
{
	static const uint32_t	gone[] = { 1, 2, 5, 6, 7, 10 };
	struct store_folder	*f;
	struct model_store	*m = fill(10, &f);
	struct view		 v;
	uint32_t		 uids[10], numbers[10];
	size_t			 n, i, left = 10;

	view_open(&v, &m->store, f, false);
	for (i = 0; i < 10; i++)
		uids[i] = (uint32_t)i + 1;
	assert_false(view_is_stale(&v, true));
	m->store.ops->expunge(m, f, gone, 6);
	assert_true(view_is_stale(&v, true));
	assert_null(view_msg(&v, 0));
	assert_int_equal(view_msg(&v, 2)->uid, 3);
	do {
		n = view_take_gone(&v, numbers, max);
		for (i = 0; i < n; i++) {
			assert_in_range(numbers[i], 1, left);
			memmove(uids + numbers[i] - 1, uids + numbers[i],
			    (left - numbers[i]) * sizeof(*uids));
			left--;
		}
		assert_int_equal(v.n, left);
	} while (n == max);
	assert_int_equal(left, 4);
	for (i = 0; i < left; i++)
		assert_int_equal(v.m[i].uid, uids[i]);
	assert_int_equal(v.nrecent, 4);
	view_take_changed(&v, (size_t[10]){ 0 }, 10);
	assert_false(view_is_stale(&v, true));
	view_close(&v, &m->store);
	model_store_free(m);
}

static void
test_expunge(void **state)
{
	size_t max;

	(void)state;
	for (max = 1; max <= 8; max++)
		expunge_in_portions(max);
}

static void
test_new_and_recent(void **state)
{
	struct store_folder	*f, *g;
	struct model_store	*m = fill(2, &f);
	struct view		 a, b;

	(void)state;
	view_open(&a, &m->store, f, false);
	m->store.ops->open(m, S("INBOX"), &g);
	view_open(&b, &m->store, g, true);
	assert_int_equal(a.nrecent, 2);
	assert_int_equal(b.nrecent, 0);
	model_store_add(m, "INBOX", S("x"), 0, 0);
	assert_true(view_is_stale(&a, false));
	/* A reader sees it as recent but leaves it to the writer. */
	assert_true(view_take_new(&b, &m->store));
	assert_int_equal(b.nrecent, 1);
	assert_true(view_take_new(&a, &m->store));
	assert_false(view_take_new(&a, &m->store));
	assert_int_equal(a.nrecent, 3);
	assert_int_equal(a.n, 3);
	assert_int_equal(f->recent, 4);
	assert_int_equal(view_last_uid(&a), 3);
	assert_int_equal(view_from_uid(&a, 2), 1);
	assert_int_equal(view_from_uid(&a, 9), 3);
	view_close(&a, &m->store);
	view_close(&b, &m->store);
	model_store_free(m);
}

static void
test_changed(void **state)
{
	static const uint32_t	uids[] = { 1, 3, 4 };
	struct store_folder	*f;
	struct model_store	*m = fill(5, &f);
	struct view		 v;
	size_t			 indexes[5], n;

	(void)state;
	view_open(&v, &m->store, f, false);
	m->store.ops->flags(m, f, uids, 3, STORE_ADD, STORE_SEEN, 0);
	/* What was told in another way is not told again. */
	view_told(&v, 2, view_msg(&v, 2)->modseq);
	n = view_take_changed(&v, indexes, 1);
	assert_int_equal(n, 1);
	assert_int_equal(indexes[0], 0);
	assert_true(view_is_stale(&v, false));
	n = view_take_changed(&v, indexes, 5);
	assert_int_equal(n, 1);
	assert_int_equal(indexes[0], 3);
	assert_false(view_is_stale(&v, false));
	view_close(&v, &m->store);
	model_store_free(m);
}

static void
test_folder_gone(void **state)
{
	struct store_folder	*f;
	struct model_store	*m = model_store_new();
	struct view		 v;
	uint32_t		 numbers[4];

	(void)state;
	model_store_add(m, "x", S("x"), 0, 0);
	m->store.ops->open(m, S("x"), &f);
	view_open(&v, &m->store, f, false);
	m->store.ops->remove(m, S("x"));
	assert_true(view_is_stale(&v, true));
	assert_null(view_msg(&v, 0));
	assert_int_equal(view_take_gone(&v, numbers, 4), 1);
	assert_int_equal(v.n, 0);
	view_close(&v, &m->store);
	assert_int_equal(m->opens, 0);
	model_store_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expunge),
		cmocka_unit_test(test_new_and_recent),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_folder_gone),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
