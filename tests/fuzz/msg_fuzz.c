/*
 * The decoder of messages: the bytes are one packet, read for every pair of
 * roles.  What is taken is encoded again and must give the same bytes, and its
 * lists are read to their ends.
 */
#include <assert.h>
#include <string.h>

#include "common/ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Each list has as many elements as it says, and no bytes behind them. */
#define U8(x)
#define U16(x)
#define U32(x)
#define U64(x)
#define STR(x, cap)
#define BYTES(x, cap)
#define LIST(x, rec, most) walk_##rec(m->x);
#define REC(tag, fields) \
static void \
walk_##tag(struct msg_list l) \
{ \
	struct rec_##tag	r; \
	uint32_t		n = l.n; \
\
	for (; rec_next_##tag(&l, &r); n--) \
		continue; \
	assert(n == 0 && l.raw.n == 0); \
}
#define MSG(TAG, tag, no, from, to, fd, fields) \
static void \
walk_msg_##tag(const struct msg_##tag *m) \
{ \
	(void)m; \
	fields \
}
#include "common/ipc/msg.def"

static void
walk(const struct msg *m)
{
	switch (m->type) {
#define REC(tag, fields)
#define MSG(TAG, tag, no, from, to, fd, fields) \
	case MSG_##TAG: \
		walk_msg_##tag(&m->tag); \
		break;
#include "common/ipc/msg.def"
	}
}

static void
try(struct str packet, enum role from, enum role to)
{
	struct str	rest = packet;
	struct msg	m;
	struct buf	b;
	size_t		at;

	buf_init(&b, MSG_PACKET_MAX);
	while (rest.n > 0) {
		at = packet.n - rest.n;
		if (msg_decode(&rest, from, to, &m) == -1)
			break;
		buf_reset(&b);
		msg_encode(&b, &m);
		assert(buf_ok(&b) && b.n == packet.n - rest.n - at);
		assert(memcmp(buf_str(&b).p, packet.p + at, b.n) == 0);
		assert(strcmp(msg_name(m.type), "?") != 0);
		walk(&m);
	}
	buf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned from, to;

	if (n > MSG_PACKET_MAX)
		return 0;
	for (from = 1; from <= R_STARTER; from <<= 1) {
		for (to = 1; to <= R_STARTER; to <<= 1)
			try(str_of(data, n), (enum role)from, (enum role)to);
	}
	return 0;
}
