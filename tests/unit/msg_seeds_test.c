/*
 * msg_seeds_test - the seeds of msg_fuzz have every message of msg.def, in
 * every direction that it has, and each way to be refused.
 *
 * The seeds of the messages are made from msg.def: `build/tests/msg_seeds_test
 * make` writes the file of each message anew, those of new ones too.
 */
#include "tests/lib/unit.h"

#include "common/ipc/msg.h"
#include "tests/lib/seeds.h"

#define DIR_OF_SEEDS	"tests/fuzz/seeds/msg"

/* -- one of each message ---------------------------------------------- */

static struct buf	lists[4];
static unsigned		nlists;
static uint8_t		number;

#define U8(x)		r->x = ++number;
#define U16(x)		r->x = ++number;
#define U32(x)		r->x = ++number;
#define U64(x)		r->x = ++number;
#define STR(x, cap)	r->x = S("a@b.test");
#define BYTES(x, cap)	r->x = S("\0\xff" "bytes");
#define LIST(x, rec, most)
#define REC(tag, fields) \
static struct msg_list \
two_of_##tag(void) \
{ \
	struct rec_##tag	 one, *r = &one; \
	struct buf		*b = &lists[nlists++]; \
	uint32_t		 n = 0; \
\
	buf_init(b, MSG_PACKET_MAX); \
	while (n < 2) { \
		fields \
		rec_add_##tag(b, &n, r); \
	} \
	return msg_list_of(b, n); \
}
#define MSG(TAG, tag, no, from, to, fd, fields)
#include "common/ipc/msg.def"

#define U8(x)		r->x = ++number;
#define U16(x)		r->x = ++number;
#define U32(x)		r->x = ++number;
#define U64(x)		r->x = ++number;
#define STR(x, cap)	r->x = S("a@b.test");
#define BYTES(x, cap)	r->x = S("\0\xff" "bytes");
#define LIST(x, rec, most) r->x = two_of_##rec();
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

static const struct row {
	const char	*name;
	unsigned	 no, from, to;
	void		(*fill)(struct msg *);
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
	{ #tag, no, from, to, fill_##tag },
#include "common/ipc/msg.def"
};

static int
make_seeds(void)
{
	char		path[200];
	struct msg	m;
	struct buf	b;
	FILE		*f;
	size_t		i;

	for (i = 0; i < LENGTH(rows); i++) {
		number = 0;
		rows[i].fill(&m);
		buf_init(&b, MSG_PACKET_MAX);
		msg_encode(&b, &m);
		snprintf(path, sizeof(path), DIR_OF_SEEDS "/%s", rows[i].name);
		f = fopen(path, "wb");
		if (f == NULL || fwrite(buf_str(&b).p, b.n, 1, f) != 1 ||
		    fclose(f) != 0) {
			perror(path);
			return 1;
		}
		buf_clear(&b);
		while (nlists > 0)
			buf_clear(&lists[--nlists]);
	}
	printf("%zu messages\n", i);
	return 0;
}

/* -- what the seeds reach --------------------------------------------- */

enum { ROLES = 12 };

static bool taken[LENGTH(rows)][ROLES][ROLES];

/* As msg_fuzz does: returns how many messages are taken. */
static unsigned
play_pair(struct str packet, unsigned from, unsigned to)
{
	struct msg	m;
	unsigned	n = 0;
	size_t		i;

	while (packet.n > 0 && msg_decode(&packet, (enum role)(1 << from),
	    (enum role)(1 << to), &m) == 0) {
		for (i = 0; i < LENGTH(rows); i++) {
			if (rows[i].no == m.type)
				taken[i][from][to] = true;
		}
		n++;
	}
	return n;
}

static unsigned
play_pairs(struct str packet)
{
	unsigned from, to, n = 0;

	for (from = 0; from < ROLES; from++) {
		for (to = 0; to < ROLES; to++)
			n += play_pair(packet, from, to);
	}
	return n;
}

static void
play(struct str packet)
{
	play_pairs(packet);
}

static void
refuse(struct str packet)
{
	assert_int_equal(play_pairs(packet), 0);
}

static void
test_messages(void **state)
{
	unsigned	from, to, missing = 0;
	size_t		i;

	(void)state;
	assert_int_equal(1 << (ROLES - 1), R_STARTER);
	seeds_play("msg", play);
	for (i = 0; i < LENGTH(rows); i++) {
		for (from = 0; from < ROLES; from++) {
			for (to = 0; to < ROLES; to++) {
				if ((rows[i].from >> from & 1) == 0 ||
				    (rows[i].to >> to & 1) == 0 ||
				    taken[i][from][to])
					continue;
				print_error("no seed is %s from %s to %s\n",
				    rows[i].name,
				    role_name((enum role)(1 << from)),
				    role_name((enum role)(1 << to)));
				missing++;
			}
		}
	}
	if (missing > 0)
		fail_msg("run build/tests/msg_seeds_test make");
}

/* Whoever talks to whom: none of it is a message. */
static void
test_refusals(void **state)
{
	static const char *const bad[] = {
		"bad-head", "bad-zero", "bad-length", "bad-unknown",
		"bad-half", "bad-left-over", "bad-text-nul", "bad-text-long",
		"bad-bytes-long", "bad-list-long", "bad-list-more",
		"bad-list-fewer", "bad-list-cut",
	};
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bad); i++)
		seeds_play_one("msg", bad[i], refuse);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_refusals),
	};

	if (argc == 2 && strcmp(argv[1], "make") == 0)
		return make_seeds();
	return cmocka_run_group_tests_name("msg_seeds", tests, NULL, NULL);
}
