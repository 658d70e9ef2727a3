/*
 * derived - see derived.h.
 */
#include "mailboxd/derived.h"

#include "common/mail/rfc5322.h"
#include "imapd/structure.h"

enum { HEADER_MAX = 64 * 1024 };	/* octets; longer ones can wait */

/* Without an index there is no place for it. */
static void
keep(struct mbox *m, uint64_t source, enum store_derived what,
    struct str text)
{
	if (m->dead || m->ix == NULL || text.n > DERIVED_MAX ||
	    m->st.nderived == DERIVED_WAITING_MAX)
		return;
	state_add_derived(&m->st, source, what, text);
	m->changed = true;
}

enum store_result
derived_get(void *impl, struct store_body *b, enum store_derived what,
    struct buf *out)
{
	struct mbox	*m = impl;
	int		 r = 0;

	if (m->dead)
		return STORE_ERROR;
	if (m->ix != NULL)
		r = rows_derived(m->ix, b->source, what, out);
	if (r == -1)
		mbox_index_failed(m);
	return r == 1 ? STORE_OK : r == 0 ? STORE_NO_SUCH : STORE_ERROR;
}

void
derived_put(void *impl, struct store_body *b, enum store_derived what,
    struct str text)
{
	keep(impl, b->source, what, text);
}

void
derived_of(struct mbox *m, uint64_t source, struct str trace, struct str body)
{
	size_t		n = hdr_size(str_sub(body, 0, HEADER_MAX));
	struct buf	whole, text;

	if (m->ix == NULL || n == HEADER_MAX)
		return;
	buf_init(&whole, RECORD_TRACE_MAX + HEADER_MAX);
	buf_init(&text, 4 * DERIVED_MAX);
	buf_add(&whole, trace);
	buf_add(&whole, str_sub(body, 0, n));
	structure_envelope(&text, buf_str(&whole));
	if (buf_ok(&whole) && buf_ok(&text))
		keep(m, source, STORE_ENVELOPE, buf_str(&text));
	buf_clear(&whole);
	buf_clear(&text);
}
