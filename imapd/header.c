/*
 * header - see header.h.  Pure.
 */
#include "imapd/header.h"

#include "common/mail/rfc5322.h"

enum { PIECE = 16 * 1024 };

void
header_init(struct header *h)
{
	*h = (struct header){ 0 };
	buf_init(&h->text, HEADER_MAX);
}

void
header_clear(struct header *h)
{
	buf_clear(&h->text);
	h->uid = 0;
}

enum store_result
header_load(struct header *h, const struct store *store,
    struct store_body *body, const struct store_msg *msg, int64_t *work)
{
	struct hdr_scan		scan = { 0 };
	enum store_result	r;
	size_t			had, n;
	uint32_t		uid = msg->uid, size = msg->size;

	if (h->uid == uid)
		return STORE_OK;
	h->uid = 0;
	buf_reset(&h->text);
	while (!scan.ended && h->text.n < size && h->text.n < HEADER_MAX) {
		had = h->text.n;
		n = HEADER_MAX - had < PIECE ? HEADER_MAX - had : PIECE;
		r = store->ops->body_read(store->impl, body, (uint32_t)had,
		    n, &h->text);
		if (r != STORE_OK)
			return r;
		if (h->text.n == had)
			return STORE_ERROR;
		*work -= (int64_t)(h->text.n - had);
		hdr_scan(&scan, str_from(buf_str(&h->text), had));
	}
	if (scan.ended)
		buf_trunc(&h->text, (size_t)scan.size);
	h->uid = uid;
	return STORE_OK;
}
