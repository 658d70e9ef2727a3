/*
 * pop3 - random walks against a small model (ATTACKS C-04), as smtp_walk_test
 * has them: what is marked, what may still be asked for, and what is there
 * when the session is over.  WALKS sets how many, SEED where to start.
 */
#include "tests/lib/pop3_rig.h"

enum { MESSAGES = 3 };

enum op {
	OP_STAT, OP_LIST, OP_UIDL, OP_NOOP, OP_CAPA, OP_RSET, OP_RETR_NONE,
	OP_UNKNOWN, OP_USER, OP_EMPTY, OP_STAT_BAD, OP_DELE_BAD, OP_LF,
	OP_RETR, OP_TOP, OP_DELE, OP_LIST_1, OP_UIDL_1,	/* of one message */
	OP_QUIT,
	OP_COUNT
};

static const char *const lines[OP_COUNT] = {
	[OP_STAT] = "STAT\r\n",
	[OP_LIST] = "LIST\r\n",
	[OP_UIDL] = "UIDL\r\n",
	[OP_NOOP] = "NOOP\r\n",
	[OP_CAPA] = "CAPA\r\n",
	[OP_RSET] = "RSET\r\n",
	[OP_RETR_NONE] = "RETR 4\r\n",
	[OP_UNKNOWN] = "XYZZY\r\n",
	[OP_USER] = "USER bob\r\n",
	[OP_EMPTY] = "\r\n",
	[OP_STAT_BAD] = "STAT 1\r\n",
	[OP_DELE_BAD] = "DELE 0\r\n",
	[OP_LF] = "DELE 1\nQUIT\r\n",
	[OP_RETR] = "RETR %u\r\n",
	[OP_TOP] = "TOP %u 1\r\n",
	[OP_DELE] = "DELE %u\r\n",
	[OP_LIST_1] = "LIST %u\r\n",
	[OP_UIDL_1] = "UIDL %u\r\n",
	[OP_QUIT] = "QUIT\r\n",
};

struct model {
	bool		deleted[MESSAGES];
	bool		done;
	struct buf	in, said;
};

static unsigned long long random_state;

static unsigned
pick(unsigned n)
{
	random_state = random_state * 6364136223846793005u +
	    1442695040888963407u;
	return (unsigned)(random_state >> 33) % n;
}

static void
step(struct model *m, enum op op)
{
	char		line[32];
	unsigned	no = pick(MESSAGES);
	bool		ok;

	if (op >= OP_RETR && op <= OP_UIDL_1) {
		snprintf(line, sizeof(line), lines[op], no + 1);
		buf_addz(&m->in, line);
		ok = !m->deleted[no];
		if (op == OP_DELE)
			m->deleted[no] = true;
	} else {
		buf_addz(&m->in, lines[op]);
		ok = op <= OP_RSET || op == OP_QUIT;
		if (op == OP_RSET)
			memset(m->deleted, 0, sizeof(m->deleted));
		m->done = op == OP_QUIT;
	}
	buf_addc(&m->said, ok ? '+' : '-');
}

/* How each answer begins; no message here has such a line. */
static void
classes(struct str said, struct buf *out)
{
	ptrdiff_t end;

	for (; (end = str_chr(said, '\n')) != -1;
	    said = str_from(said, (size_t)end + 1)) {
		if (str_starts(said, S("+OK")) || str_starts(said, S("-ERR")))
			buf_addc(out, said.p[0]);
	}
}

static unsigned
walk(unsigned number)
{
	struct model	m = { .done = false };
	struct rig	r;
	struct buf	got;
	unsigned	i, k, n = 1 + pick(60), left = MESSAGES;

	buf_init(&m.in, 1 << 16);
	buf_init(&m.said, 1 << 16);
	buf_init(&got, 1 << 16);
	for (i = 0; i < n && !m.done; i++)
		step(&m, pick(30) == 0 ? OP_QUIT : pick(OP_QUIT));
	for (k = 0; k < MESSAGES && m.done; k++)
		left -= m.deleted[k];
	rig_up(&r, true);
	feed(number % FEED_WAYS, buf_str(&m.in), feed_one, &r);
	classes(buf_str(&r.got), &got);
	/* Without QUIT nothing is gone. */
	if (!str_eq(buf_str(&got), buf_str(&m.said)) ||
	    pop3_done(r.s) != m.done || inbox(&r)->n != left)
		fail_msg("walk %u: %s\nmodel  %s\nengine %s", number,
		    buf_cstr(&m.in), buf_cstr(&m.said), buf_cstr(&got));
	rig_down(&r);
	buf_clear(&m.in);
	buf_clear(&m.said);
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
	unsigned long n = setting("WALKS", 60000), steps = 0, i;

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

	return cmocka_run_group_tests_name("pop3_walk", tests, NULL, NULL);
}
