/*
 * msg: every message of msg.def, full to its caps, through the codec and
 * back; and everything that the decoder must refuse.
 */
#include "tests/lib/unit.h"

#include "common/ipc/msg.h"

/* What the fields of a message are filled from. */
static char		filler[MSG_PACKET_MAX];
static struct buf	lists[4];
static unsigned		nlists;
static uint64_t		number = 0xf1f2f3f4f5f6f7f8;

/* Shared by fill, of which `full` says: caps, or nothing at all. */
static bool full;

#define U8(x)		r->x = (uint8_t)(full ? number : 0);
#define U16(x)		r->x = (uint16_t)(full ? number : 0);
#define U32(x)		r->x = (uint32_t)(full ? number : 0);
#define U64(x)		r->x = full ? number : 0;
#define STR(x, cap)	r->x = str_of(filler, full ? (cap) : 0);
#define BYTES(x, cap)	r->x = str_of(filler, full ? (cap) : 0);
#define LIST(x, rec, most)
#define REC(tag, fields) \
static struct msg_list \
list_of_##tag(uint32_t most) \
{ \
	struct rec_##tag	 one, *r = &one; \
	struct buf		*b = &lists[nlists++]; \
	uint32_t		 n = 0; \
\
	fields \
	buf_init(b, MSG_PACKET_MAX); \
	while (full && n < most) \
		rec_add_##tag(b, &n, r); \
	assert_true(buf_ok(b)); \
	return msg_list_of(b, n); \
}
#define MSG(TAG, tag, no, from, to, fd, fields)
#include "common/ipc/msg.def"

#define U8(x)		r->x = (uint8_t)(full ? number : 0);
#define U16(x)		r->x = (uint16_t)(full ? number : 0);
#define U32(x)		r->x = (uint32_t)(full ? number : 0);
#define U64(x)		r->x = full ? number : 0;
#define STR(x, cap)	r->x = str_of(filler, full ? (cap) : 0);
#define BYTES(x, cap)	r->x = str_of(filler, full ? (cap) : 0);
#define LIST(x, rec, most) r->x = list_of_##rec(most);
#define REC(tag, fields)
#define MSG(TAG, tag_, no, from, to, fd, fields) \
static void \
fill_##tag_(struct msg *m) \
{ \
	struct msg_##tag_ *r = &m->tag_; \
\
	m->type = MSG_##TAG; \
	fields \
}
#include "common/ipc/msg.def"

/* Equal as far as the receiver can see: bytes, not pointers. */
#define U8(x)		assert_int_equal(a->x, b->x);
#define U16(x)		assert_int_equal(a->x, b->x);
#define U32(x)		assert_int_equal(a->x, b->x);
#define U64(x)		assert_true(a->x == b->x);
#define STR(x, cap)	assert_true(str_eq(a->x, b->x));
#define BYTES(x, cap)	assert_true(str_eq(a->x, b->x));
#define LIST(x, rec, most) \
	assert_int_equal(a->x.n, b->x.n); \
	assert_true(str_eq(a->x.raw, b->x.raw)); \
	assert_int_equal(walk_##rec(a->x), a->x.n);
#define REC(tag, fields) \
static uint32_t \
walk_##tag(struct msg_list l) \
{ \
	struct rec_##tag	r; \
	uint32_t		n = 0; \
\
	while (rec_next_##tag(&l, &r)) \
		n++; \
	assert_int_equal(l.raw.n, 0); \
	return n; \
}
#define MSG(TAG, tag_, no, from, to, fd, fields) \
static void \
same_##tag_(const struct msg *x, const struct msg *y) \
{ \
	const struct msg_##tag_ *a = &x->tag_, *b = &y->tag_; \
\
	fields \
}
#include "common/ipc/msg.def"

static const struct row {
	const char	*name;
	unsigned	 no, from, to;
	int		 fds;
	void		(*fill)(struct msg *);
	void		(*same)(const struct msg *, const struct msg *);
} rows[] = {
#define U8(x)
#define U16(x)
#define U32(x)
#define U64(x)
#define STR(x, cap)
#define BYTES(x, cap)
#define LIST(x, rec, most)
#define REC(tag, fields)
#define MSG(TAG, tag, no, from, to, fd, fields) \
	{ #tag, no, from, to, fd, fill_##tag, same_##tag },
#include "common/ipc/msg.def"
};

static enum role
lowest(unsigned set)
{
	return (enum role)(set & -set);
}

static void
fill(const struct row *row, struct msg *m, bool is_full)
{
	full = is_full;
	nlists = 0;
	row->fill(m);
}

static void
clear(void)
{
	while (nlists > 0)
		buf_clear(&lists[--nlists]);
}

static int
setup(void **state)
{
	(void)state;
	memset(filler, 'x', sizeof(filler));
	return 0;
}

/* A copy of exactly its size, so that a sanitizer sees a byte too far. */
static int
decode(const char *bytes, size_t n, enum role from, enum role to)
{
	char		*copy = malloc(n == 0 ? 1 : n);
	struct str	 s;
	struct msg	 m;
	int		 rc;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	s = str_of(copy, n);
	rc = msg_decode(&s, from, to, &m);
	if (rc == -1)
		assert_true(s.p == copy && s.n == n);
	free(copy);
	return rc;
}

static void
test_round_trip(void **state)
{
	struct msg	m, back;
	struct buf	b;
	struct str	s;
	size_t		i, k;

	(void)state;
	for (i = 0; i < LENGTH(rows) * 2; i++) {
		const struct row *r = &rows[i / 2];

		buf_init(&b, MSG_PACKET_MAX);
		fill(r, &m, i % 2 == 1);
		msg_encode(&b, &m);
		/* It must fit behind others that wait in a packet. */
		if (!buf_ok(&b) || b.n > MSG_MAX)
			fail_msg("%s at its caps is too large", r->name);
		/* Wherever it stands in a packet. */
		s = buf_str(&b);
		assert_int_equal(msg_decode(&s, lowest(r->from),
		    lowest(r->to), &back), 0);
		assert_int_equal(s.n, 0);
		assert_int_equal(back.type, r->no);
		r->same(&m, &back);
		assert_string_equal(msg_name(back.type), r->name);
		assert_int_equal(msg_fds(back.type), r->fds);
		for (k = 0; k < LENGTH(rows); k++)
			assert_true(k == i / 2 || rows[k].no != r->no);
		clear();
		buf_clear(&b);
	}
}

static void
test_packets_of_many(void **state)
{
	struct msg	m, back;
	struct buf	b;
	struct str	s;
	size_t		i;

	(void)state;
	buf_init(&b, MSG_PACKET_MAX);
	for (i = 0; i < 50; i++) {
		m = (struct msg){ .type = MSG_SUBMIT_ABORT,
		    .submit_abort = { .qid = i } };
		msg_encode(&b, &m);
	}
	s = buf_str(&b);
	for (i = 0; i < 50; i++) {
		assert_int_equal(msg_decode(&s, R_SMTPD, R_QUEUED, &back), 0);
		assert_true(back.submit_abort.qid == i);
	}
	assert_int_equal(msg_decode(&s, R_SMTPD, R_QUEUED, &back), -1);
	buf_clear(&b);
}

/* Every pair of roles: right is what the schema names, nothing else. */
static void
test_direction(void **state)
{
	struct msg	m;
	struct buf	b;
	unsigned	from, to;
	size_t		i;
	int		want;

	(void)state;
	buf_init(&b, MSG_PACKET_MAX);
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&b);
		fill(&rows[i], &m, false);
		msg_encode(&b, &m);
		clear();
		for (from = 1; from <= R_STARTER; from <<= 1) {
			for (to = 1; to <= R_STARTER; to <<= 1) {
				want = (rows[i].from & from) != 0 &&
				    (rows[i].to & to) != 0 ? 0 : -1;
				assert_int_equal(decode(buf_str(&b).p, b.n,
				    (enum role)from, (enum role)to), want);
			}
		}
	}
	buf_clear(&b);
}

/*
 * Cut anywhere, or one byte too many, with the length in the header as it
 * was or set right: never taken.
 */
static void
test_truncated(void **state)
{
	struct msg	m;
	struct buf	b;
	size_t		i, n, step;
	char		*p;

	(void)state;
	buf_init(&b, MSG_PACKET_MAX + 1);
	for (i = 0; i < LENGTH(rows) * 2; i++) {
		const struct row *r = &rows[i / 2];

		buf_reset(&b);
		fill(r, &m, i % 2 == 1);
		msg_encode(&b, &m);
		clear();
		step = b.n > 4096 ? 61 : 1;
		for (n = 0; n < b.n; n += n < 64 ? 1 : step) {
			assert_int_equal(decode(buf_str(&b).p, n,
			    lowest(r->from), lowest(r->to)), -1);
			if (n < MSG_HEADER)
				continue;
			p = malloc(n);
			memcpy(p, buf_str(&b).p, n);
			put_u32(p + 4, (uint32_t)(n - MSG_HEADER));
			assert_int_equal(decode(p, n, lowest(r->from),
			    lowest(r->to)), -1);
			free(p);
		}
		buf_addc(&b, 0);
		put_u32(b.p + b.at + 4, (uint32_t)(b.n - MSG_HEADER));
		assert_int_equal(decode(buf_str(&b).p, b.n, lowest(r->from),
		    lowest(r->to)), -1);
	}
	buf_clear(&b);
}

/* Headers and fields that lie; written by hand, after 8 bytes of header. */
static const struct {
	const char	*name;
	unsigned	 type, zero;
	enum role	 from, to;
	struct str	 body;
	int		 rc;
} lies[] = {
	{ "as it should be", MSG_SUBMIT_ABORT, 0, R_SMTPD, R_QUEUED,
	    STR_INIT("12345678"), 0 },
	{ "second field not zero", MSG_SUBMIT_ABORT, 1, R_SMTPD,
	    R_QUEUED, STR_INIT("12345678"), -1 },
	{ "type 0", 0, 0, R_SMTPD, R_QUEUED, STR_INIT(""), -1 },
	{ "no type", 999, 0, R_SMTPD, R_QUEUED, STR_INIT(""), -1 },
	{ "list of one verdict", MSG_LOOKED_UP, 0, R_AUTHD, R_SMTPD,
	    STR_INIT("12345678" "\1\0\0\0" "\5\0\0\0" "v1234"), 0 },
	{ "list says more", MSG_LOOKED_UP, 0, R_AUTHD, R_SMTPD,
	    STR_INIT("12345678" "\2\0\0\0" "\5\0\0\0" "v1234"), -1 },
	{ "half a verdict", MSG_LOOKED_UP, 0, R_AUTHD, R_SMTPD,
	    STR_INIT("12345678" "\1\0\0\0" "\4\0\0\0" "v123"), -1 },
	{ "list says fewer", MSG_LOOKED_UP, 0, R_AUTHD, R_SMTPD,
	    STR_INIT("12345678" "\0\0\0\0" "\5\0\0\0" "v1234"), -1 },
	{ "list says 2^32 - 1", MSG_LOOKED_UP, 0, R_AUTHD, R_SMTPD,
	    STR_INIT("12345678\xff\xff\xff\xff\5\0\0\0v1234"), -1 },
	{ "bytes of list past the end", MSG_LOOKED_UP, 0, R_AUTHD,
	    R_SMTPD, STR_INIT("12345678\1\0\0\0\6\0\0\0v1234"), -1 },
	{ "bytes of list 2^32 - 1", MSG_LOOKED_UP, 0, R_AUTHD, R_SMTPD,
	    STR_INIT("12345678\1\0\0\0\xff\xff\xff\xff" "v1234"), -1 },
	{ "element past its list", MSG_LOOKUP, 0, R_SMTPD, R_AUTHD,
	    STR_INIT("1234567812345678" "\1\0\0\0" "\5\0\0\0"
	    "\2\0\0\0" "a"), -1 },
	{ "NUL in text of an element", MSG_LOOKUP, 0, R_SMTPD, R_AUTHD,
	    STR_INIT("1234567812345678" "\1\0\0\0" "\16\0\0\0"
	    "\2\0\0\0" "a\0" "12345678"), -1 },
	{ "text of an element", MSG_LOOKUP, 0, R_SMTPD, R_AUTHD,
	    STR_INIT("1234567812345678" "\1\0\0\0" "\16\0\0\0"
	    "\2\0\0\0" "ab" "12345678"), 0 },
	{ "half a number of an element", MSG_LOOKUP, 0, R_SMTPD,
	    R_AUTHD, STR_INIT("1234567812345678" "\1\0\0\0"
	    "\15\0\0\0" "\2\0\0\0" "ab" "1234567"), -1 },
	{ "usage", MSG_USAGE, 0, R_MAILBOXD, R_AUTHD,
	    STR_INIT("123456781234567812345678"), 0 },
	{ "usage of no monitor", MSG_USAGE, 0, R_SMTPD, R_AUTHD,
	    STR_INIT("123456781234567812345678"), -1 },
	{ "usage straight from an owner", MSG_USAGE, 0, R_OWNER,
	    R_AUTHD, STR_INIT("123456781234567812345678"), -1 },
	{ "usage cut short", MSG_OWNER_USAGE, 0, R_OWNER, R_MAILBOXD,
	    STR_INIT("12345678123456781234567"), -1 },
	{ "a quota made by an owner", MSG_OWNER_QUOTA, 0, R_OWNER,
	    R_MAILBOXD, STR_INIT("123456781234567812345678"), -1 },
	{ "NUL in BYTES is fine", MSG_SUBMIT_DATA, 0, R_SMTPD,
	    R_QUEUED, STR_INIT("12345678" "\2\0\0\0" "\0a"), 0 },
	{ "NUL in STR is not", MSG_DELIVERED, 0, R_OWNER, R_LOCAL,
	    STR_INIT("12345678" "1" "\2\0\0\0" "a\0"), -1 },
};

static void
test_lies(void **state)
{
	char	p[200];
	size_t	i;

	(void)state;
	for (i = 0; i < LENGTH(lies); i++) {
		put_u16(p, (uint16_t)lies[i].type);
		put_u16(p + 2, (uint16_t)lies[i].zero);
		put_u32(p + 4, (uint32_t)lies[i].body.n);
		memcpy(p + 8, lies[i].body.p, lies[i].body.n);
		if (decode(p, lies[i].body.n + 8, lies[i].from,
		    lies[i].to) != lies[i].rc)
			fail_msg("%s", lies[i].name);
	}
	/* The length of the body as 2^32 - 1. */
	put_u16(p, MSG_SUBMIT_ABORT);
	put_u16(p + 2, 0);
	put_u32(p + 4, UINT32_MAX);
	assert_int_equal(decode(p, 16, R_SMTPD, R_QUEUED), -1);
}

/* A text, bytes and a list, each at cap - 1, cap and cap + 1. */
static void
test_caps(void **state)
{
	struct buf	b;
	size_t		n;
	uint32_t	k;

	(void)state;
	for (n = 319; n <= 321; n++) {
		buf_init(&b, 100000);
		pack_u16(&b, MSG_LOOKUP);
		pack_u16(&b, 0);
		pack_u32(&b, (uint32_t)(8 + 8 + 4 + 4 + 4 + n + 8));
		pack_u64(&b, 1);
		pack_u64(&b, 2);
		pack_u32(&b, 1);
		pack_u32(&b, (uint32_t)(4 + n + 8));
		pack_str(&b, str_of(filler, n));
		pack_u64(&b, 3);
		assert_int_equal(decode(buf_str(&b).p, b.n, R_SMTPD, R_AUTHD),
		    n <= 320 ? 0 : -1);
		buf_clear(&b);
	}
	for (n = 59999; n <= 60001; n++) {
		buf_init(&b, 100000);
		pack_u16(&b, MSG_SUBMIT_DATA);
		pack_u16(&b, 0);
		pack_u32(&b, (uint32_t)(8 + 4 + n));
		pack_u64(&b, 1);
		pack_str(&b, str_of(filler, n));
		assert_int_equal(decode(buf_str(&b).p, b.n, R_SMTPD, R_QUEUED),
		    n <= 60000 ? 0 : -1);
		buf_clear(&b);
	}
	for (k = 99; k <= 101; k++) {
		buf_init(&b, 100000);
		pack_u16(&b, MSG_LOOKED_UP);
		pack_u16(&b, 0);
		pack_u32(&b, 8 + 4 + 4 + 5 * k);
		pack_u64(&b, 1);
		pack_u32(&b, k);
		pack_str(&b, str_of(filler, 5 * k));
		assert_int_equal(decode(buf_str(&b).p, b.n, R_AUTHD, R_SMTPD),
		    k <= 100 ? 0 : -1);
		buf_clear(&b);
	}
}

/* Random flips: refused, or something that can be walked to its end. */
static void
test_flips(void **state)
{
	struct msg	m, back;
	struct buf	b;
	struct str	s;
	unsigned	seed = 7, round;
	size_t		i;
	char		*copy;

	(void)state;
	buf_init(&b, MSG_PACKET_MAX);
	for (i = 0; i < LENGTH(rows); i++) {
		buf_reset(&b);
		fill(&rows[i], &m, true);
		msg_encode(&b, &m);
		clear();
		copy = malloc(b.n);
		for (round = 0; round < 300; round++) {
			memcpy(copy, buf_str(&b).p, b.n);
			do {
				seed = seed * 1103515245 + 12345;
				/* Near the front, where lengths are. */
				copy[(seed >> 16) % (round % 2 == 0 && b.n > 64
				    ? 64 : b.n)] ^=
				    (char)(1 << (seed >> 8 & 7));
			} while ((seed >> 12 & 3) != 0);
			s = str_of(copy, b.n);
			if (msg_decode(&s, lowest(rows[i].from),
			    lowest(rows[i].to), &back) == 0 &&
			    back.type == (enum msg_type)rows[i].no)
				rows[i].same(&back, &back);
		}
		free(copy);
	}
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_packets_of_many),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_flips),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
