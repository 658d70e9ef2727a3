/*
 * The decoder of messages: the bytes are one packet, read for every pair of
 * roles.  What is taken is encoded again and must give the same bytes.
 */
#include <assert.h>
#include <string.h>

#include "common/ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

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
