/*
 * frame - see frame.h.  Pure.
 */
#include "common/ipc/frame.h"

#include <assert.h>

#include "common/core/pack.h"

static bool
is_type(unsigned type)
{
	return type >= FRAME_HELLO && type <= FRAME_PARK;
}

enum frame_result
frame_next(struct str in, struct frame *f, size_t *used)
{
	uint32_t head;
	size_t	 n;

	/* A type that does not exist is refused before its length is there. */
	if (in.n > 0 && !is_type((unsigned char)in.p[0]))
		return FRAME_BAD;
	if (in.n < FRAME_HEADER)
		return FRAME_MORE;
	head = get_u32(in.p);
	n = head >> 8;
	if (n > FRAME_MAX)
		return FRAME_BAD;
	if (in.n - FRAME_HEADER < n)
		return FRAME_MORE;
	*f = (struct frame){ (enum frame_type)(head & 0xff),
	    str_sub(in, FRAME_HEADER, n) };
	*used = FRAME_HEADER + n;
	return FRAME_GOT;
}

void
frame_add(struct buf *b, enum frame_type type, struct str body)
{
	assert(body.n <= FRAME_MAX);
	pack_u32(b, (uint32_t)body.n << 8 | (uint32_t)type);
	buf_add(b, body);
}

void
frame_add_data(struct buf *b, struct str s)
{
	while (s.n > 0) {
		frame_add(b, FRAME_DATA, str_sub(s, 0, FRAME_PIECE));
		s = str_from(s, FRAME_PIECE);
	}
}

static void
add_reason(struct buf *b, enum frame_type type, unsigned reason)
{
	char octet = (char)reason;

	frame_add(b, type, str_of(&octet, 1));
}

void
frame_add_unavailable(struct buf *b, enum unavailable reason)
{
	add_reason(b, FRAME_UNAVAILABLE, reason);
}

void
frame_add_close(struct buf *b, enum close_reason reason)
{
	add_reason(b, FRAME_CLOSE, reason);
}

/* -- HELLO ------------------------------------------------------------ */

void
hello_add(struct buf *b, const struct hello *h)
{
	size_t at = b->n;

	pack_u32(b, FRAME_HELLO);
	pack_u8(b, (uint8_t)h->service);
	pack_u64(b, h->sid);
	pack_str(b, h->ticket);
	pack_str(b, h->client);
	pack_str(b, h->resume);
	if (!buf_ok(b))
		return;
	assert(b->n - at - FRAME_HEADER <= FRAME_MAX);
	put_u32(b->p + b->at + at,
	    (uint32_t)(b->n - at - FRAME_HEADER) << 8 | FRAME_HELLO);
}

int
hello_parse(struct str body, struct hello *h)
{
	struct unpack	u = unpack_of(body);
	unsigned	service = unpack_u8(&u);

	h->sid = unpack_u64(&u);
	h->ticket = unpack_str(&u, TICKET_MAX);
	h->client = unpack_str(&u, HELLO_CLIENT_MAX);
	h->resume = unpack_str(&u, HELLO_RESUME_MAX);
	if (!unpack_done(&u) || !str_is_print(h->client))
		return -1;
	if (service != SERVICE_IMAP && service != SERVICE_POP3)
		return -1;
	h->service = (enum service)service;
	return 0;
}
