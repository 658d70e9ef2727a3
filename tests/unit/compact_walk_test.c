/*
 * Snapshots and compaction on a random walk: what the mailbox shows is what
 * a model shows, whatever upkeep did meanwhile, after a rebuild too.
 */
#include "tests/lib/compact_rig.h"
#include "tests/lib/model_store.h"

struct walk {
	struct mailbox		*b;
	struct model_store	*model;
	uint32_t		 seed;
	bool			 taken[64];	/* queue ids */
	unsigned		 snapshots, retired;
};

/* A delivery, maybe of what was delivered before. */
static void
walk_deliver(struct walk *w)
{
	static const char trace[] =
	    "Return-Path: <s@x>\r\nDelivered-To: r@x\r\n";
	uint32_t	qid = step_below(&w->seed, 64);
	struct str	body = noise(qid, 50 + qid * 90);
	struct buf	text;

	if (w->taken[qid]) {
		assert_int_equal(deliver(w->b, qid, NOW, body),
		    DELIVER_AGAIN);
		return;
	}
	w->taken[qid] = true;
	assert_int_equal(deliver(w->b, qid, NOW, body), DELIVER_OK);
	buf_init(&text, 64 * 1024);
	buf_add(&text, str_c(trace));
	buf_add(&text, body);
	(void)model_store_add(w->model, "INBOX", buf_str(&text), 0, NOW);
	buf_clear(&text);
}

static void
walk_step(struct walk *w)
{
	struct step		t;
	enum store_result	r;

	if (step_below(&w->seed, 12) == 0) {
		walk_deliver(w);
		return;
	}
	t = step_random(w->model->store, &w->seed);
	r = step_run(w->b->s, &t);
	assert_int_equal(r, step_run(w->model->store, &t));
}

static void
walk_compare(struct walk *w)
{
	struct buf x, y;

	dump(w->b, &x, false);
	buf_init(&y, DUMP_MAX);
	store_dump(w->model->store, &y, false);
	assert_same_dump(&x, &y, "store and model");
	buf_clear(&x);
	buf_clear(&y);
}

/* Some steps of upkeep, all of it, or the mailbox is opened again. */
static void
walk_on(struct walk *w)
{
	struct mailbox	*b = w->b;
	uint32_t	 what = step_below(&w->seed, 12);
	struct buf	 x, y;

	mailbox_turn(b);
	if (what > 6) {
		while (what-- > 6 && mbox_wants_upkeep(b->m))
			assert_int_equal(mbox_upkeep(b->m), MBOX_OK);
		return;
	}
	if (what > 3) {
		(void)upkeep(b);
		return;
	}
	dump(b, &x, true);
	if (what == 2 && faccessat(b->dirfd, "before", F_OK, 0) == 0) {
		/* It may be of before segments that are gone now. */
		mailbox_close(b);
		mailbox_copy_dir(b, "before", "index");
		mailbox_open(b);
		assert_int_equal(b->report.skipped, 0);
	} else {
		reopen(b, what == 1);
	}
	if (what == 3)
		mailbox_copy_dir(b, "index", "before");
	dump(b, &y, true);
	assert_same_dump(&x, &y, "opened again");
	buf_clear(&x);
	buf_clear(&y);
}

static void
walk(struct mailbox *b, uint32_t seed, unsigned n)
{
	struct walk	w = { .b = b, .seed = seed };
	unsigned	i, files;

	w.model = model_store_new();
	mailbox_open(b);
	for (i = 0; i < n; i++) {
		walk_step(&w);
		if (step_below(&w.seed, 5) == 0)
			walk_on(&w);
		if (step_below(&w.seed, 12) == 0)
			walk_compare(&w);
	}
	mailbox_turn(b);
	(void)upkeep(b);
	walk_compare(&w);
	check_reopen(b);
	/* It did have something to do. */
	assert_true(b->m->st.snaps.n >= 2);
	(void)log_size(b, "0000", &files);
	assert_true(files < reclog_segment(b->m->log));
	model_store_free(w.model);
}

static void
test_walk(void **state)
{
	const char	*more = getenv("WALKS");
	uint64_t	 n = 10, i;

	if (more != NULL && str_u64(str_c(more), 1000000, &n) == -1)
		n = 10;
	for (i = 1; i <= n; i++) {
		walk(*state, (uint32_t)i, 600);
		tear_down(state);
		set_up(state);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_walk),
	};

	log_quietly();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
