/*
 * model_mail - the messages of the model store: flags, copies, what is
 * appended and read.
 */
#include "tests/lib/model_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

struct store_append {
	struct str		 folder;
	struct buf		 text;
	struct store_msg	 msg;
	struct str		 keywords[STORE_KEYWORDS_MAX];
	unsigned		 nkeywords;
	uint32_t		 size;
	bool			 whole;
};

static ptrdiff_t
msg_find(const struct store_folder *f, uint32_t uid)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->msgs[i].uid == uid)
			return (ptrdiff_t)i;
	}
	return -1;
}

enum store_result
model_status(void *impl, struct str name, bool recent, struct store_status *out)
{
	struct model_folder	*f = model_find(impl, name);
	size_t			 i;

	if (f == NULL)
		return STORE_NO_SUCH;
	*out = (struct store_status){
		.messages = (uint32_t)f->pub.n, .uidnext = f->pub.uidnext,
		.uidvalidity = f->pub.uidvalidity
	};
	for (i = 0; i < f->pub.n; i++) {
		out->unseen += !(f->msgs[i].flags & STORE_SEEN);
		out->recent += recent && f->msgs[i].uid >= f->pub.recent;
	}
	return STORE_OK;
}

enum store_result
model_open(void *impl, struct str name, struct store_folder **out)
{
	struct model_store	*m = impl;
	struct model_folder	*f = model_find(m, name);

	if (f == NULL)
		return STORE_NO_SUCH;
	f->refs++;
	m->opens++;
	*out = &f->pub;
	return STORE_OK;
}

void
model_close(void *impl, struct store_folder *pub)
{
	struct model_store *m = impl;

	assert(m->opens > 0);
	m->opens--;
	model_folder_unref(m, (struct model_folder *)pub);
}

void
model_seen_recent(void *impl, struct store_folder *pub)
{
	(void)impl;
	pub->recent = pub->uidnext;
}

int
model_keyword(void *impl, struct store_folder *pub, struct str word,
    bool create)
{
	unsigned i;

	(void)impl;
	for (i = 0; i < pub->nkeywords; i++) {
		if (str_ieq(pub->keywords[i], word))
			return (int)i;
	}
	if (!create || pub->gone || i == STORE_KEYWORDS_MAX ||
	    word.n == 0 || word.n > STORE_KEYWORD_MAX)
		return -1;
	pub->keywords[i] = xdup(word);
	pub->nkeywords++;
	return (int)i;
}

enum store_result
model_flags(void *impl, struct store_folder *pub, const uint32_t *uids,
    size_t n, enum store_how how, uint8_t flags, uint64_t keywords)
{
	struct model_folder	*f = (struct model_folder *)pub;
	uint64_t		 modseq = pub->modseq + 1;
	ptrdiff_t		 at;
	size_t			 i;

	(void)impl;
	for (i = 0; i < n; i++) {
		struct store_msg *g, old;

		assert(i == 0 || uids[i] > uids[i - 1]);
		at = msg_find(pub, uids[i]);
		if (at == -1)
			continue;
		g = &f->msgs[at];
		old = *g;
		g->flags = (uint8_t)store_combine(how, g->flags, flags);
		g->keywords = store_combine(how, g->keywords, keywords);
		if (g->flags != old.flags || g->keywords != old.keywords)
			g->modseq = pub->modseq = modseq;
	}
	return STORE_OK;
}

enum store_result
model_expunge(void *impl, struct store_folder *pub, const uint32_t *uids,
    size_t n)
{
	struct model_store	*m = impl;
	struct model_folder	*f = (struct model_folder *)pub;
	ptrdiff_t		 at;
	size_t			 i, tail;

	for (i = 0; i < n; i++) {
		at = msg_find(pub, uids[i]);
		if (at == -1)
			continue;
		m->used -= f->texts[at].n;
		xfree_str(&f->texts[at]);
		tail = pub->n - (size_t)at - 1;
		memmove(f->msgs + at, f->msgs + at + 1,
		    tail * sizeof(*f->msgs));
		memmove(f->texts + at, f->texts + at + 1,
		    tail * sizeof(*f->texts));
		pub->n--;
		pub->modseq++;
	}
	return STORE_OK;
}

static uint64_t
keywords_over(struct model_store *m, const struct store_folder *from,
    uint64_t set, struct model_folder *to)
{
	uint64_t	out = 0;
	unsigned	i;
	int		k;

	for (i = 0; i < from->nkeywords; i++) {
		if (!(set & (uint64_t)1 << i))
			continue;
		k = model_keyword(m, &to->pub, from->keywords[i], true);
		if (k != -1)
			out |= (uint64_t)1 << k;
	}
	return out;
}

enum store_result
model_copy(void *impl, struct store_folder *pub, const uint32_t *uids,
    size_t n, struct str to, uint32_t *uidvalidity, uint32_t *new_uids)
{
	struct model_store	*m = impl;
	struct model_folder	*f = (struct model_folder *)pub;
	struct model_folder	*t = model_find(m, to);
	struct store_msg	 msg;
	uint64_t		 sum = 0;
	ptrdiff_t		 at;
	uint32_t		 uid;
	size_t			 i;

	if (t == NULL)
		return model_name_ok(to) ? STORE_NO_SUCH : STORE_BAD_NAME;
	for (i = 0; i < n; i++) {
		at = msg_find(pub, uids[i]);
		if (at == -1)
			return STORE_NO_SUCH;
		sum += f->texts[at].n;
	}
	if (m->used + sum > m->quota)
		return STORE_QUOTA;
	*uidvalidity = t->pub.uidvalidity;
	for (i = 0; i < n; i++) {
		at = msg_find(pub, uids[i]);
		msg = f->msgs[at];
		msg.keywords = keywords_over(m, pub, msg.keywords, t);
		uid = model_add(m, t, msg, xdup(f->texts[at]));
		if (new_uids != NULL)
			new_uids[i] = uid;
	}
	return STORE_OK;
}

/* -- append and read --------------------------------------------------- */

static void
append_free(struct model_store *m, struct store_append *a)
{
	unsigned i;

	m->appends--;
	for (i = 0; i < a->nkeywords; i++)
		xfree_str(&a->keywords[i]);
	xfree_str(&a->folder);
	buf_clear(&a->text);
	free(a);
}

enum store_result
model_append(void *impl, const struct store_new *new, struct store_append **out)
{
	struct model_store	*m = impl;
	struct store_append	*a;
	unsigned		 i;

	if (model_find(m, new->folder) == NULL)
		return model_name_ok(new->folder) ? STORE_NO_SUCH :
		    STORE_BAD_NAME;
	if (new->size > m->append_max)
		return STORE_LIMIT;
	if (m->used + new->size > m->quota)
		return STORE_QUOTA;
	assert(new->nkeywords <= STORE_KEYWORDS_MAX);
	a = xcalloc(1, sizeof(*a));
	m->appends++;
	a->folder = xdup(new->folder);
	buf_init(&a->text, new->size);
	a->size = new->size;
	a->msg.flags = new->flags;
	a->msg.date = new->date;
	a->msg.zone = new->zone;
	for (i = 0; i < new->nkeywords; i++)
		a->keywords[i] = xdup(new->keywords[i]);
	a->nkeywords = new->nkeywords;
	*out = a;
	return STORE_OK;
}

enum store_result
model_append_data(void *impl, struct store_append *a, struct str s)
{
	(void)impl;
	buf_add(&a->text, s);
	return buf_ok(&a->text) ? STORE_OK : STORE_ERROR;
}

void
model_append_whole(void *impl, struct store_append *a)
{
	(void)impl;
	a->whole = true;
}

bool
model_append_ready(void *impl, const struct store_append *a)
{
	const struct model_store *m = impl;

	assert(a->whole);
	return !m->slow;
}

enum store_result
model_append_end(void *impl, struct store_append *a, uint32_t *uidvalidity,
    uint32_t *uid)
{
	struct model_store	*m = impl;
	struct model_folder	*f = model_find(m, a->folder);
	enum store_result	 r = m->broken ? STORE_ERROR : STORE_OK;
	unsigned		 i;
	int			 k;

	assert(!m->slow);
	for (i = 0; f != NULL && i < a->nkeywords; i++) {
		k = model_keyword(m, &f->pub, a->keywords[i], true);
		if (k == -1)
			r = STORE_LIMIT;
		else
			a->msg.keywords |= (uint64_t)1 << k;
	}
	if (f == NULL)
		r = STORE_NO_SUCH;
	else if (!buf_ok(&a->text) || a->text.n != a->size)
		r = STORE_ERROR;
	if (r == STORE_OK) {
		*uidvalidity = f->pub.uidvalidity;
		*uid = model_add(m, f, a->msg, xdup(buf_str(&a->text)));
	}
	append_free(m, a);
	return r;
}

void
model_append_abort(void *impl, struct store_append *a)
{
	append_free(impl, a);
}

/* A copy: what is expunged or deleted meanwhile cannot matter. */
struct store_body {
	struct str	text;
};

enum store_result
model_body_open(void *impl, struct store_folder *pub, uint32_t uid,
    struct store_body **out)
{
	struct model_store	*m = impl;
	struct model_folder	*f = (struct model_folder *)pub;
	ptrdiff_t		 at = msg_find(pub, uid);

	if (at == -1)
		return STORE_NO_SUCH;
	m->bodies++;
	*out = xcalloc(1, sizeof(**out));
	(*out)->text = xdup(f->texts[at]);
	return STORE_OK;
}

enum store_result
model_body_read(void *impl, struct store_body *b, uint32_t from, size_t n,
    struct buf *out)
{
	struct model_store *m = impl;

	m->reads++;
	if (m->broken)
		return STORE_ERROR;
	if (m->torn > 0)
		n = from >= m->torn ? 0 : n > m->torn - from ?
		    m->torn - from : n;
	buf_add(out, str_sub(b->text, from, n));
	return STORE_OK;
}

void
model_body_close(void *impl, struct store_body *b)
{
	struct model_store *m = impl;

	assert(m->bodies > 0);
	m->bodies--;
	xfree_str(&b->text);
	free(b);
}
