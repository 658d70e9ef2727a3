/*
 * unpacked - reads bodies that are payloads, coded ones too.
 *
 * A client fetches a message in pieces, so the last coded body is kept as it
 * was.  A body never changes, wherever its record goes.
 */
#include "mailboxd/mbox.h"

#include <errno.h>

#include "mailboxd/coding.h"

static int
unpack(struct mbox *m, const struct state_body *b)
{
	struct unpacked	*u = &m->unpacked;
	struct buf	 stored;
	int		 r = -1;

	u->source = 0;
	buf_clear(&u->body);
	if (b->length > RECLOG_PAYLOAD_MAX) {
		errno = EBADMSG;
		return -1;
	}
	buf_init(&u->body, (size_t)b->length);
	buf_init(&stored, (size_t)b->length);
	if (reclog_read(m->log, b->pos, 0, SIZE_MAX, &stored) == 0)
		r = coding_unpack(b->coding, buf_str(&stored),
		    (size_t)b->length, &u->body);
	buf_clear(&stored);
	if (r == 0)
		u->source = b->source;
	return r;
}

int
mbox_read_inline(struct mbox *m, const struct state_body *b, uint64_t from,
    size_t n, struct buf *out)
{
	switch (b->coding) {
	case CODING_PLAIN:
		return reclog_read(m->log, b->pos, from, n, out);
	case CODING_ZSTD:
		if (m->unpacked.source != b->source && unpack(m, b) == -1)
			return -1;
		m->unpacked.used = true;
		buf_add(out, str_sub(buf_str(&m->unpacked.body),
		    (size_t)from, n));
		return 0;
	}
	return -1;
}

void
unpacked_age(struct mbox *m)
{
	if (!m->unpacked.used && m->unpacked.source != 0) {
		buf_clear(&m->unpacked.body);
		m->unpacked.source = 0;
	}
	m->unpacked.used = false;
}
