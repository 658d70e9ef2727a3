/*
 * store - the functions of common/mail/store.h over log, state and index.
 *
 * Each looks first whether the operation is possible, whole; then it adds
 * its records, which also changes the state, and cannot fail any more but by
 * the death of the mailbox.  folders.c has those that change names, append.c
 * those of new messages, reading.c those that change nothing.
 */
#include "mailboxd/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/log.h"
#include "common/core/xalloc.h"
#include "mailboxd/append.h"
#include "mailboxd/derived.h"
#include "mailboxd/folders.h"
#include "mailboxd/mbox.h"
#include "mailboxd/reading.h"

static const struct str nothing = { NULL, 0 };

static struct state_folder *
folder_of(struct store_folder *pub)
{
	return ((struct state_pub *)pub)->folder;
}

struct state_folder *
store_named(struct mbox *m, struct str name)
{
	struct state_folder	*f = NULL;
	struct buf		 b;

	buf_init(&b, STORE_NAME_MAX + 1);
	if (name_canon(name, &b) == STORE_OK)
		f = state_named(&m->st, buf_str(&b));
	buf_clear(&b);
	return f;
}

/* What there is to say of a name that has no folder. */
enum store_result
store_no_folder(struct str name)
{
	enum store_result	r;
	struct buf		b;

	buf_init(&b, STORE_NAME_MAX + 1);
	r = name_canon(name, &b);
	buf_clear(&b);
	return r == STORE_OK ? STORE_NO_SUCH : r;
}

/* -- folders ---------------------------------------------------------- */

enum store_result
store_open(void *impl, struct str name, struct store_folder **out)
{
	struct mbox		*m = impl;
	struct state_folder	*f = store_named(m, name);
	enum store_result	 r;

	if (f == NULL)
		return STORE_NO_SUCH;
	r = mbox_want(m, f);
	if (r != STORE_OK || state_open(&m->st, f) == -1)
		return r;
	*out = &f->pub->pub;
	return STORE_OK;
}

void
store_close(void *impl, struct store_folder *pub)
{
	struct mbox *m = impl;

	state_close(&m->st, folder_of(pub));
}

static void
op_seen_recent(void *impl, struct store_folder *pub)
{
	struct mbox		*m = impl;
	struct state_folder	*f = folder_of(pub);
	struct record		 r = { .type = REC_RECENT, .recent = {
		.folder = f->id, .uid = f->uidnext
	} };

	/* Without room the same messages are recent once more, later. */
	if (f->name == NULL || f->recent == f->uidnext ||
	    mbox_room(m, 0, NEED_SMALL) != STORE_OK)
		return;
	mbox_add(m, &r, m->st.next_id, nothing);
}

/* -- keywords --------------------------------------------------------- */

void
store_add_keyword(struct mbox *m, struct state_folder *f, struct str word)
{
	struct record r = { .type = REC_KEYWORD, .keyword = {
		.folder = f->id, .number = (uint8_t)f->nkeywords,
		.word = word
	} };

	mbox_add(m, &r, m->st.next_id, nothing);
}

bool
store_word_ok(struct str word)
{
	return word.n > 0 && word.n <= STORE_KEYWORD_MAX &&
	    str_is_print(word);
}

static int
op_keyword(void *impl, struct store_folder *pub, struct str word,
    bool create)
{
	struct mbox		*m = impl;
	struct state_folder	*f = folder_of(pub);
	int			 k = state_keyword(f, word);

	if (k != -1 || !create || f->name == NULL || !store_word_ok(word) ||
	    f->nkeywords == STORE_KEYWORDS_MAX ||
	    mbox_room(m, word.n, NEED_SMALL) != STORE_OK)
		return k;
	store_add_keyword(m, f, word);
	return m->dead ? -1 : state_keyword(f, word);
}

/* -- flags, expunge --------------------------------------------------- */

static bool
would_change(const struct store_msg *g, const struct record_flags *r)
{
	return store_combine(r->how, g->flags, r->flags) != g->flags ||
	    store_combine(r->how, g->keywords, r->keywords) != g->keywords;
}

/*
 * Adds *r, whose set is *set, as often as it takes for all the UIDs.  A copy
 * counts on with each piece.
 */
static void
add_pieces(struct mbox *m, struct record *r, struct str *set,
    const uint32_t *uids, size_t n)
{
	struct buf	b;
	size_t		i, k;

	buf_init(&b, RECORD_UIDS_MAX);
	for (i = 0; i < n && !m->dead; i += k) {
		buf_reset(&b);
		k = uids_add(&b, uids + i, n - i, RECORD_UIDS_MAX);
		*set = buf_str(&b);
		mbox_add(m, r, m->st.next_id, nothing);
		if (r->type == REC_COPY) {
			r->copy.uid += (uint32_t)k;
			r->copy.modseq += k;
		}
	}
	buf_clear(&b);
}

/* The bits that stand for a keyword of the folder. */
static uint64_t
known_keywords(const struct state_folder *f)
{
	return f->nkeywords == 64 ? UINT64_MAX :
	    ((uint64_t)1 << f->nkeywords) - 1;
}

/*
 * How many of the UIDs, which ascend, are there and (r not NULL) would be
 * changed by r; those, into *list, which is the caller's.
 */
static size_t
affected(const struct state_folder *f, const uint32_t *uids, size_t n,
    const struct record_flags *r, uint32_t **list)
{
	size_t i, at, k = 0;

	*list = xcalloc(n, sizeof(**list));
	for (i = 0; i < n; i++) {
		assert(i == 0 || uids[i] > uids[i - 1]);
		if (state_has(f, uids[i], &at) &&
		    (r == NULL || would_change(&f->msgs[at], r)))
			(*list)[k++] = uids[i];
	}
	return k;
}

static enum store_result
op_flags(void *impl, struct store_folder *pub, const uint32_t *uids,
    size_t n, enum store_how how, uint8_t flags, uint64_t keywords)
{
	struct mbox		*m = impl;
	struct state_folder	*f = folder_of(pub);
	struct record		 r = { .type = REC_FLAGS, .flags = {
		.folder = f->id, .modseq = f->modseq + 1, .how = how,
		.flags = flags, .keywords = keywords & known_keywords(f)
	} };
	enum store_result	 x = mbox_room(m, n * 4, NEED_SMALL);
	uint32_t		*list;
	size_t			 k;

	if (x != STORE_OK)
		return x;
	k = affected(f, uids, n, &r.flags, &list);
	add_pieces(m, &r, &r.flags.uids, list, k);
	free(list);
	return m->dead ? STORE_ERROR : STORE_OK;
}

void
store_expunge(struct mbox *m, struct state_folder *f, const uint32_t *uids,
    size_t n, uint64_t modseq)
{
	struct record r = { .type = REC_EXPUNGE, .expunge = {
		.folder = f->id, .modseq = modseq
	} };

	add_pieces(m, &r, &r.expunge.uids, uids, n);
	m->urgent = true;
}

static enum store_result
op_expunge(void *impl, struct store_folder *pub, const uint32_t *uids,
    size_t n)
{
	struct mbox		*m = impl;
	struct state_folder	*f = folder_of(pub);
	enum store_result	 x = mbox_room(m, n * 4, NEED_SMALL);
	uint32_t		*list;
	size_t			 k;

	if (x != STORE_OK)
		return x;
	k = affected(f, uids, n, NULL, &list);
	if (k > 0)
		store_expunge(m, f, list, k, f->modseq + k);
	free(list);
	return m->dead ? STORE_ERROR : STORE_OK;
}

/* -- copy ------------------------------------------------------------- */

/* Keywords of these messages that `to` lacks, in order of appearance. */
static void
copy_keywords(struct mbox *m, const struct state_folder *from,
    const uint32_t *uids, size_t n, struct state_folder *to)
{
	uint64_t	done = 0, fresh;
	size_t		i, at;
	unsigned	k;

	for (i = 0; i < n; i++) {
		if (!state_has(from, uids[i], &at))
			continue;
		fresh = from->msgs[at].keywords & ~done;
		done |= fresh;
		for (k = 0; fresh != 0 && k < from->nkeywords; k++) {
			if ((fresh & (uint64_t)1 << k) != 0 &&
			    to->nkeywords < STORE_KEYWORDS_MAX &&
			    state_keyword(to, from->keywords[k]) == -1)
				store_add_keyword(m, to, from->keywords[k]);
		}
	}
}

enum store_result
store_copy(struct mbox *m, struct state_folder *from, const uint32_t *uids,
    size_t n, struct state_folder *to)
{
	struct record r = { .type = REC_COPY, .copy = {
		.folder = from->id, .to = to->id, .uid = to->uidnext,
		.modseq = to->modseq + 1
	} };

	if (n >= UINT32_MAX - to->uidnext)
		return STORE_LIMIT;
	copy_keywords(m, from, uids, n, to);
	add_pieces(m, &r, &r.copy.uids, uids, n);
	m->urgent = true;
	return m->dead ? STORE_ERROR : STORE_OK;
}

static enum store_result
op_copy(void *impl, struct store_folder *pub, const uint32_t *uids,
    size_t n, struct str name, uint32_t *uidvalidity, uint32_t *new_uids)
{
	struct mbox		*m = impl;
	struct state_folder	*f = folder_of(pub);
	struct state_folder	*to = store_named(m, name);
	enum store_result	 r;
	uint64_t		 size = 0;
	uint32_t		 first;
	size_t			 i, at;

	if (to == NULL)
		return store_no_folder(name);
	for (i = 0; i < n; i++) {
		assert(i == 0 || uids[i] > uids[i - 1]);
		if (!state_has(f, uids[i], &at))
			return STORE_NO_SUCH;
		size += f->msgs[at].size;
	}
	*uidvalidity = to->uidvalidity;
	if (n == 0)
		return STORE_OK;
	r = mbox_admit(m, size, n);
	if (r == STORE_OK)
		r = mbox_room(m, n * 4, NEED_GROW);
	if (r != STORE_OK)
		return r;
	first = to->uidnext;
	r = store_copy(m, f, uids, n, to);
	for (i = 0; r == STORE_OK && new_uids != NULL && i < n; i++)
		new_uids[i] = first + (uint32_t)i;
	return r;
}

/* -- read ------------------------------------------------------------- */

enum store_result
store_read(struct mbox *m, const struct state_body *b, uint64_t from,
    size_t n, struct buf *out)
{
	int r = -1;

	if (from < b->trace.n) {
		buf_add(out, str_sub(b->trace, (size_t)from, n));
		n -= n < b->trace.n - from ? n : b->trace.n - (size_t)from;
		from = b->trace.n;
	}
	from -= b->trace.n;
	if (from >= b->length || n == 0)
		return STORE_OK;
	if (n > b->length - from)
		n = (size_t)(b->length - from);
	if (b->bytes.p != NULL) {
		buf_add(out, str_sub(b->bytes, (size_t)from, n));
		return STORE_OK;
	}
	switch (b->place) {
	case BODY_INLINE:
		r = mbox_read_inline(m, b, from, n, out);
		break;
	case BODY_FILE:
		r = large_read(&m->large, b, from, n, out);
		break;
	}
	if (r == 0)
		return STORE_OK;
	log_error("mailbox_read", L_ID("record", b->source), L_ERRNO);
	return STORE_ERROR;
}

static void
op_sync(void *impl)
{
	struct mbox *m = impl;

	m->urgent = true;
}

static const struct store_ops ops = {
	.next = reading_next,
	.create = folders_create,
	.remove = folders_remove,
	.rename = folders_rename,
	.subscribe = folders_subscribe,
	.status = reading_status,
	.open = store_open,
	.close = store_close,
	.seen_recent = op_seen_recent,
	.keyword = op_keyword,
	.flags = op_flags,
	.expunge = op_expunge,
	.copy = op_copy,
	.append = append_begin,
	.append_data = append_data,
	.append_whole = append_whole,
	.append_ready = append_ready,
	.append_end = append_end,
	.append_abort = append_abort,
	.body_open = reading_body_open,
	.body_read = reading_body_read,
	.body_close = reading_body_close,
	.derived = derived_get,
	.derive = derived_put,
	.quota = mbox_quota,
	.sync = op_sync,
};

struct store
mbox_store(struct mbox *m)
{
	return (struct store){ &ops, m };
}
