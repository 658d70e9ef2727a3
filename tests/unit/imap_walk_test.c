/*
 * imap - random walks against a small model (ATTACKS C-04), as smtp_walk_test
 * has them.  The model knows what each state admits and how many messages
 * there are, and nothing of the engine; all that is compared is whether a
 * command was OK, NO or BAD, and what is left in the end.  WALKS sets how
 * many, SEED where to start.
 */
#include "tests/lib/unit.h"

#include "tests/lib/imap_script.h"

enum { MESSAGES_MAX = 200 };

enum op {
	OP_NOOP, OP_CAPABILITY, OP_LOGIN, OP_LIST, OP_UNKNOWN, OP_EMPTY,
	OP_IDLE, OP_IDLE_JUNK,
	OP_SELECT, OP_SELECT_NONE, OP_SELECT_BAD, OP_EXAMINE,
	OP_CLOSE, OP_UNSELECT, OP_CHECK, OP_CHECK_BAD,
	OP_FETCH, OP_FETCH_BAD, OP_UID_FETCH, OP_SEARCH,
	OP_STORE, OP_STORE_ALL, OP_EXPUNGE, OP_COPY, OP_COPY_NONE,
	OP_APPEND, OP_APPEND_NONE, OP_APPEND_ASKED,
	OP_CREATE, OP_DELETE, OP_RENAME, OP_DELETE_INBOX,
	OP_LOGOUT,
	OP_COUNT
};

static const char *const lines[OP_COUNT] = {
	[OP_NOOP] = "t NOOP\r\n",
	[OP_CAPABILITY] = "t CAPABILITY\r\n",
	[OP_LOGIN] = "t LOGIN a b\r\n",
	[OP_LIST] = "t LIST \"\" *\r\n",
	[OP_UNKNOWN] = "t XYZZY {3+}\r\nabc\r\n",
	[OP_EMPTY] = "\r\n",
	[OP_IDLE] = "t IDLE\r\ndone\r\n",
	[OP_IDLE_JUNK] = "t IDLE\r\nt NOOP\r\n",
	[OP_SELECT] = "t SELECT inbox\r\n",
	[OP_SELECT_NONE] = "t SELECT none\r\n",
	[OP_SELECT_BAD] = "t SELECT INBOX x\r\n",
	[OP_EXAMINE] = "t EXAMINE INBOX\r\n",
	[OP_CLOSE] = "t CLOSE\r\n",
	[OP_UNSELECT] = "t UNSELECT\r\n",
	[OP_CHECK] = "t CHECK\r\n",
	[OP_CHECK_BAD] = "t CHECK x\r\n",
	[OP_FETCH] = "t FETCH 1 (UID FLAGS)\r\n",
	[OP_FETCH_BAD] = "t FETCH 0 UID\r\n",
	[OP_UID_FETCH] = "t UID FETCH 1:* FLAGS\r\n",
	[OP_SEARCH] = "t SEARCH NOT DELETED\r\n",
	[OP_STORE] = "t STORE 1 +FLAGS (\\Deleted)\r\n",
	[OP_STORE_ALL] = "t UID STORE 1:* -FLAGS.SILENT (\\Deleted)\r\n",
	[OP_EXPUNGE] = "t EXPUNGE\r\n",
	[OP_COPY] = "t COPY 1 INBOX\r\n",
	[OP_COPY_NONE] = "t COPY 1 none\r\n",
	[OP_APPEND] = "t APPEND INBOX {4+}\r\n\r\n\r\n\r\n",
	[OP_APPEND_NONE] = "t APPEND none {4+}\r\nt \r\n\r\n",
	[OP_APPEND_ASKED] = "t APPEND INBOX (\\Deleted) {1}\r\nx\r\n",
	[OP_CREATE] = "t CREATE x\r\n",
	[OP_DELETE] = "t DELETE x\r\n",
	[OP_RENAME] = "t RENAME x y\r\n",
	[OP_DELETE_INBOX] = "t DELETE INBOX\r\n",
	[OP_LOGOUT] = "t LOGOUT\r\n",
};

struct model {
	enum { NONE, OPEN, READ_ONLY, GONE } state;
	unsigned	n;
	bool		deleted[MESSAGES_MAX];
	bool		x, y;
	unsigned	errors;
	struct buf	in, said;
};

static void
say(struct model *m, char c)
{
	buf_addc(&m->said, c);
	if (c == 'B' && ++m->errors == IMAP_ERRORS_MAX) {
		buf_addc(&m->said, 'X');
		m->state = GONE;
	}
	if (c != 'B')
		m->errors = 0;
}

static void
add(struct model *m, bool deleted)
{
	assert_true(m->n < MESSAGES_MAX);
	m->deleted[m->n++] = deleted;
}

static void
expunge(struct model *m)
{
	unsigned i, n = 0;

	for (i = 0; i < m->n; i++) {
		if (!m->deleted[i])
			m->deleted[n++] = false;
	}
	m->n = n;
}

/* What needs a folder: "B" without one, "N" where it may not be written. */
static void
model_selected(struct model *m, enum op op)
{
	bool writes = op == OP_STORE || op == OP_STORE_ALL || op == OP_EXPUNGE;
	bool first = op == OP_FETCH || op == OP_STORE || op == OP_COPY ||
	    op == OP_COPY_NONE;

	if (m->state == NONE) {
		say(m, 'B');
	} else if (writes && m->state == READ_ONLY) {
		say(m, 'N');
	} else if ((first && m->n == 0) || op == OP_FETCH_BAD ||
	    op == OP_CHECK_BAD) {
		say(m, 'B');
	} else if (op == OP_COPY_NONE) {
		say(m, 'N');
	} else {
		if (op == OP_STORE)
			m->deleted[0] = true;
		if (op == OP_STORE_ALL)
			memset(m->deleted, 0, sizeof(m->deleted));
		if (op == OP_EXPUNGE ||
		    (op == OP_CLOSE && m->state == OPEN))
			expunge(m);
		if (op == OP_COPY)
			add(m, m->deleted[0]);
		if (op == OP_CLOSE || op == OP_UNSELECT)
			m->state = NONE;
		say(m, 'O');
	}
}

static void
model_folders(struct model *m, enum op op)
{
	if (op == OP_CREATE) {
		say(m, m->x ? 'N' : 'O');
		m->x = true;
	} else if (op == OP_DELETE) {
		say(m, m->x ? 'O' : 'N');
		m->x = false;
	} else if (op == OP_RENAME) {
		say(m, m->x && !m->y ? 'O' : 'N');
		if (m->x && !m->y) {
			m->x = false;
			m->y = true;
		}
	} else
		say(m, 'N');
}

static void
model_any(struct model *m, enum op op)
{
	if (op == OP_SELECT || op == OP_EXAMINE) {
		m->state = op == OP_SELECT ? OPEN : READ_ONLY;
		say(m, 'O');
	} else if (op == OP_SELECT_NONE) {
		m->state = NONE;
		say(m, 'N');
	} else if (op == OP_APPEND || op == OP_APPEND_ASKED) {
		add(m, op == OP_APPEND_ASKED);
		say(m, 'O');
	} else if (op == OP_APPEND_NONE) {
		say(m, 'N');
	} else if (op == OP_LOGOUT) {
		buf_addz(&m->said, "XO");
		m->state = GONE;
	} else if (op == OP_LOGIN || op == OP_UNKNOWN || op == OP_EMPTY ||
	    op == OP_IDLE_JUNK || op == OP_SELECT_BAD) {
		say(m, 'B');
	} else
		say(m, 'O');
}

static void
step(struct model *m, enum op op)
{
	buf_addz(&m->in, lines[op]);
	if (op >= OP_CLOSE && op <= OP_COPY_NONE)
		model_selected(m, op);
	else if (op >= OP_CREATE && op <= OP_DELETE_INBOX)
		model_folders(m, op);
	else
		model_any(m, op);
}

/* The class of each tagged answer, and X for a BYE. */
static void
classes(struct str said, struct buf *out)
{
	ptrdiff_t	end;
	struct str	line;

	for (; (end = str_chr(said, '\n')) != -1;
	    said = str_from(said, (size_t)end + 1)) {
		line = str_sub(said, 0, (size_t)end);
		if (str_starts(line, S("* BYE ")))
			buf_addc(out, 'X');
		else if (str_starts(line, S("t ")) ||
		    str_starts(line, S("* BAD ")))
			buf_addc(out, line.p[2]);
	}
}

static unsigned long long random_state;

static unsigned
pick(unsigned n)
{
	random_state = random_state * 6364136223846793005u +
	    1442695040888963407u;
	return (unsigned)(random_state >> 33) % n;
}

static enum op
next_op(const struct model *m)
{
	if (m->state == NONE && pick(3) == 0)
		return OP_SELECT;
	/* So that walks get somewhere. */
	if (pick(40) == 0)
		return OP_LOGOUT;
	return pick(OP_LOGOUT);
}

static unsigned
walk(unsigned number)
{
	struct model		 m = { .n = 3 };
	struct model_store	*store = imap_script_store();
	struct imap		*s = imap_new(&store->store, 1000);
	struct buf		 said, got;
	unsigned		 i, n = 1 + pick(120);

	m.deleted[2] = true;
	buf_init(&m.in, 1 << 20);
	buf_init(&m.said, 1 << 16);
	buf_init(&said, 1 << 22);
	buf_init(&got, 1 << 16);
	for (i = 0; i < n && m.state != GONE; i++)
		step(&m, next_op(&m));
	imap_script_pump(s, buf_str(&m.in), 1 + pick(300), &said);
	classes(buf_str(&said), &got);
	if (!str_eq(buf_str(&got), buf_str(&m.said)) ||
	    (imap_wants(s) == IMAP_WANT_END) != (m.state == GONE) ||
	    model_store_folder(store, "INBOX")->n != m.n)
		fail_msg("walk %u: %s\nmodel  %s\nengine %s", number,
		    buf_cstr(&m.in), buf_cstr(&m.said), buf_cstr(&got));
	imap_free(s);
	assert_int_equal(store->opens, 0);
	model_store_free(store);
	buf_clear(&m.in);
	buf_clear(&m.said);
	buf_clear(&said);
	buf_clear(&got);
	return i;
}

static unsigned long
setting(const char *name, unsigned long fallback)
{
	const char *s = getenv(name);

	return s == NULL ? fallback : strtoul(s, NULL, 10);
}

static void
test_walks(void **state)
{
	unsigned long n = setting("WALKS", 35000), steps = 0, i;

	(void)state;
	random_state = setting("SEED", 1);
	for (i = 0; i < n; i++)
		steps += walk((unsigned)i);
	print_message("%lu steps in %lu walks\n", steps, n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
	};

	return cmocka_run_group_tests_name("imap_walk", tests, NULL, NULL);
}
