/*
 * model_store - see model_store.h.
 */
#include "tests/lib/model_store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

struct model_folder {
	struct store_folder	 pub;		/* first: cast back and forth */
	struct store_msg	*msgs;
	struct str		*texts;		/* parallel to msgs */
	unsigned		 refs;		/* opens, one for its entry */
};

struct model_entry {
	struct str		 name;
	struct model_folder	*folder;	/* NULL: level, subscription */
	bool			 subscribed;
};

struct store_append {
	struct str		 folder;
	struct buf		 text;
	struct store_msg	 msg;
	struct str		 keywords[STORE_KEYWORDS_MAX];
	unsigned		 nkeywords;
	uint32_t		 size;
};

/* -- names ------------------------------------------------------------- */

static bool
level_ok(struct str s)
{
	size_t i;

	if (s.n == 0 || str_eq(s, S(".")) || str_eq(s, S("..")))
		return false;
	for (i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ||
		    s.p[i] == '%' || s.p[i] == '*')
			return false;
	}
	return true;
}

static bool
name_ok(struct str name)
{
	struct str	level, rest = name;
	unsigned	depth = 0;

	if (name.n == 0 || name.n > STORE_NAME_MAX || !str_is_utf8(name))
		return false;
	while (str_cut(&rest, '/', &level)) {
		if (!level_ok(level) || ++depth > STORE_DEPTH_MAX)
			return false;
	}
	return true;
}

static struct str
no_slash(struct str name)
{
	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	return name;
}

static bool
is_below(struct str name, struct str top)
{
	return name.n > top.n && str_starts(name, top) &&
	    name.p[top.n] == '/';
}

/* The index of the first entry not less than name. */
static size_t
place(const struct model_store *m, struct str name)
{
	size_t i = 0;

	while (i < m->nentries && str_cmp(m->entries[i].name, name) < 0)
		i++;
	return i;
}

static struct model_entry *
find(const struct model_store *m, struct str name)
{
	size_t i = place(m, name);

	if (i < m->nentries && str_eq(m->entries[i].name, name))
		return &m->entries[i];
	return NULL;
}

static struct model_folder *
find_folder(const struct model_store *m, struct str name)
{
	struct model_entry *e = find(m, name);

	return e == NULL ? NULL : e->folder;
}

static bool
has_children(const struct model_store *m, struct str name)
{
	size_t i;

	for (i = 0; i < m->nentries; i++) {
		if (m->entries[i].folder != NULL &&
		    is_below(m->entries[i].name, name))
			return true;
	}
	return false;
}

static struct model_entry *
entry_add(struct model_store *m, struct str name)
{
	size_t i = place(m, name);

	if (i < m->nentries && str_eq(m->entries[i].name, name))
		return &m->entries[i];
	m->entries = xrealloc(m->entries, m->nentries + 1,
	    sizeof(*m->entries));
	memmove(m->entries + i + 1, m->entries + i,
	    (m->nentries - i) * sizeof(*m->entries));
	m->nentries++;
	m->entries[i] = (struct model_entry){ .name = xdup(name) };
	return &m->entries[i];
}

/* Entries that say nothing any more go. */
static void
prune(struct model_store *m)
{
	size_t i = 0;

	while (i < m->nentries) {
		struct model_entry *e = &m->entries[i];

		if (e->folder != NULL || e->subscribed ||
		    has_children(m, e->name)) {
			i++;
			continue;
		}
		xfree_str(&e->name);
		memmove(e, e + 1, (m->nentries - i - 1) * sizeof(*e));
		m->nentries--;
	}
}

/* -- folders ----------------------------------------------------------- */

static void
folder_new(struct model_store *m, struct model_entry *e)
{
	struct model_folder *f = xcalloc(1, sizeof(*f));

	f->pub.id = m->next_id++;
	f->pub.modseq = 1;
	f->pub.uidvalidity = m->next_validity++;
	f->pub.uidnext = 1;
	f->pub.recent = 1;
	f->refs = 1;
	e->folder = f;
}

static void
folder_empty(struct model_store *m, struct model_folder *f)
{
	size_t i;

	for (i = 0; i < f->pub.n; i++) {
		m->used -= f->texts[i].n;
		xfree_str(&f->texts[i]);
	}
	free(f->msgs);
	free(f->texts);
	f->msgs = NULL;
	f->texts = NULL;
	f->pub.msgs = NULL;
	f->pub.n = 0;
}

static void
folder_unref(struct model_store *m, struct model_folder *f)
{
	unsigned i;

	if (--f->refs > 0)
		return;
	folder_empty(m, f);
	for (i = 0; i < f->pub.nkeywords; i++)
		xfree_str(&f->pub.keywords[i]);
	free(f);
}

static void
folder_gone(struct model_store *m, struct model_entry *e)
{
	struct model_folder *f = e->folder;

	folder_empty(m, f);
	f->pub.gone = true;
	e->folder = NULL;
	folder_unref(m, f);
}

/* Takes the text over. */
static uint32_t
folder_add(struct model_store *m, struct model_folder *f,
    struct store_msg msg, struct str text)
{
	size_t n = f->pub.n;

	f->msgs = xrealloc(f->msgs, n + 1, sizeof(*f->msgs));
	f->texts = xrealloc(f->texts, n + 1, sizeof(*f->texts));
	msg.id = m->next_id++;
	msg.uid = f->pub.uidnext++;
	msg.size = (uint32_t)text.n;
	msg.modseq = ++f->pub.modseq;
	f->msgs[n] = msg;
	f->texts[n] = text;
	f->pub.msgs = f->msgs;
	f->pub.n = n + 1;
	m->used += text.n;
	return msg.uid;
}

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

/* -- the interface: names ---------------------------------------------- */

static enum store_result
op_next(void *impl, struct str after, struct store_name *out)
{
	struct model_store	*m = impl;
	size_t			 i;

	for (i = 0; i < m->nentries; i++) {
		if (str_cmp(m->entries[i].name, after) > 0)
			break;
	}
	if (i == m->nentries)
		return STORE_NO_SUCH;
	out->name = m->entries[i].name;
	out->exists = m->entries[i].folder != NULL;
	out->subscribed = m->entries[i].subscribed;
	out->has_children = has_children(m, out->name);
	return STORE_OK;
}

/* The levels above a name, as folders. */
static void
make_above(struct model_store *m, struct str name)
{
	struct model_entry	*e;
	size_t			 i;

	for (i = 1; i < name.n; i++) {
		if (name.p[i] != '/')
			continue;
		e = entry_add(m, str_sub(name, 0, i));
		if (e->folder == NULL)
			folder_new(m, e);
	}
}

static enum store_result
op_create(void *impl, struct str name)
{
	struct model_store	*m = impl;
	struct model_entry	*e;

	name = no_slash(name);
	if (!name_ok(name))
		return STORE_BAD_NAME;
	if (find_folder(m, name) != NULL)
		return STORE_EXISTS;
	if (m->nentries + STORE_DEPTH_MAX > STORE_FOLDERS_MAX)
		return STORE_LIMIT;
	make_above(m, name);
	e = entry_add(m, name);
	folder_new(m, e);
	return STORE_OK;
}

static enum store_result
op_remove(void *impl, struct str name)
{
	struct model_store	*m = impl;
	struct model_entry	*e;

	name = no_slash(name);
	if (str_eq(name, S("INBOX")))
		return STORE_FORBIDDEN;
	e = find(m, name);
	if (e == NULL || e->folder == NULL)
		return STORE_NO_SUCH;
	folder_gone(m, e);
	prune(m);
	return STORE_OK;
}

/* RFC 3501 6.3.5: the messages move, INBOX stays and is empty. */
static enum store_result
rename_inbox(struct model_store *m, struct str to)
{
	struct model_folder	*from, *f;
	size_t			 i;

	make_above(m, to);
	folder_new(m, entry_add(m, to));
	from = find_folder(m, S("INBOX"));
	f = find_folder(m, to);
	for (i = 0; i < from->pub.nkeywords; i++)
		f->pub.keywords[i] = xdup(from->pub.keywords[i]);
	f->pub.nkeywords = from->pub.nkeywords;
	for (i = 0; i < from->pub.n; i++)
		folder_add(m, f, from->msgs[i], xdup(from->texts[i]));
	folder_empty(m, from);
	from->pub.modseq++;
	return STORE_OK;
}

/* Copies of the names below (and at) `from`, for walking while we change. */
static struct str *
tree_names(const struct model_store *m, struct str from, size_t *n)
{
	struct str	*names = xcalloc(m->nentries + 1, sizeof(*names));
	size_t		 i;

	*n = 0;
	for (i = 0; i < m->nentries; i++) {
		const struct model_entry *e = &m->entries[i];

		if (str_eq(e->name, from) || is_below(e->name, from))
			names[(*n)++] = xdup(e->name);
	}
	return names;
}

static void
rename_one(struct model_store *m, struct str from, struct str old,
    struct str to)
{
	struct model_folder	*f;
	struct model_entry	*e;
	struct buf		 name;

	buf_init(&name, 2 * STORE_NAME_MAX);
	buf_add(&name, to);
	buf_add(&name, str_from(old, from.n));
	f = find_folder(m, old);
	find(m, old)->folder = NULL;
	/* A level that only has children is one in the new place, too. */
	e = entry_add(m, buf_str(&name));
	if (f != NULL) {
		e->folder = f;
		f->pub.uidvalidity = m->next_validity++;
	}
	buf_clear(&name);
}

static enum store_result
op_rename(void *impl, struct str from, struct str to)
{
	struct model_store	*m = impl;
	struct str		*names;
	size_t			 i, n;
	bool			 fits = true;

	from = no_slash(from);
	to = no_slash(to);
	if (!name_ok(to))
		return STORE_BAD_NAME;
	if (find_folder(m, to) != NULL)
		return STORE_EXISTS;
	if (str_eq(from, S("INBOX")))
		return rename_inbox(m, to);
	if (find_folder(m, from) == NULL && !has_children(m, from))
		return STORE_NO_SUCH;
	if (is_below(to, from))
		return STORE_FORBIDDEN;
	names = tree_names(m, from, &n);
	for (i = 0; i < n; i++)
		fits = fits && names[i].n - from.n + to.n <= STORE_NAME_MAX;
	if (fits) {
		make_above(m, to);
		for (i = 0; i < n; i++)
			rename_one(m, from, names[i], to);
		prune(m);
	}
	for (i = 0; i < n; i++)
		xfree_str(&names[i]);
	free(names);
	return fits ? STORE_OK : STORE_LIMIT;
}

static enum store_result
op_subscribe(void *impl, struct str name, bool on)
{
	struct model_store	*m = impl;
	struct model_entry	*e;

	name = no_slash(name);
	if (!name_ok(name))
		return STORE_BAD_NAME;
	if (on) {
		entry_add(m, name)->subscribed = true;
		return STORE_OK;
	}
	e = find(m, name);
	if (e == NULL || !e->subscribed)
		return STORE_NO_SUCH;
	e->subscribed = false;
	prune(m);
	return STORE_OK;
}

/* -- the interface: messages ------------------------------------------- */

static enum store_result
op_status(void *impl, struct str name, bool recent, struct store_status *out)
{
	struct model_folder	*f = find_folder(impl, name);
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

static enum store_result
op_open(void *impl, struct str name, struct store_folder **out)
{
	struct model_store	*m = impl;
	struct model_folder	*f = find_folder(m, name);

	if (f == NULL)
		return STORE_NO_SUCH;
	f->refs++;
	m->opens++;
	*out = &f->pub;
	return STORE_OK;
}

static void
op_close(void *impl, struct store_folder *pub)
{
	struct model_store *m = impl;

	assert(m->opens > 0);
	m->opens--;
	folder_unref(m, (struct model_folder *)pub);
}

static void
op_seen_recent(void *impl, struct store_folder *pub)
{
	(void)impl;
	pub->recent = pub->uidnext;
}

static int
op_keyword(void *impl, struct store_folder *pub, struct str word,
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

static enum store_result
op_flags(void *impl, struct store_folder *pub, const uint32_t *uids,
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

static enum store_result
op_expunge(void *impl, struct store_folder *pub, const uint32_t *uids,
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
		k = op_keyword(m, &to->pub, from->keywords[i], true);
		if (k != -1)
			out |= (uint64_t)1 << k;
	}
	return out;
}

static enum store_result
op_copy(void *impl, struct store_folder *pub, const uint32_t *uids,
    size_t n, struct str to, uint32_t *uidvalidity, uint32_t *new_uids)
{
	struct model_store	*m = impl;
	struct model_folder	*f = (struct model_folder *)pub;
	struct model_folder	*t = find_folder(m, to);
	struct store_msg	 msg;
	uint64_t		 sum = 0;
	ptrdiff_t		 at;
	uint32_t		 uid;
	size_t			 i;

	if (t == NULL)
		return name_ok(to) ? STORE_NO_SUCH : STORE_BAD_NAME;
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
		uid = folder_add(m, t, msg, xdup(f->texts[at]));
		if (new_uids != NULL)
			new_uids[i] = uid;
	}
	return STORE_OK;
}

/* -- the interface: append and read ------------------------------------ */

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

static enum store_result
op_append(void *impl, const struct store_new *new, struct store_append **out)
{
	struct model_store	*m = impl;
	struct store_append	*a;
	unsigned		 i;

	if (find_folder(m, new->folder) == NULL)
		return name_ok(new->folder) ? STORE_NO_SUCH : STORE_BAD_NAME;
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

static enum store_result
op_append_data(void *impl, struct store_append *a, struct str s)
{
	(void)impl;
	buf_add(&a->text, s);
	return buf_ok(&a->text) ? STORE_OK : STORE_ERROR;
}

static enum store_result
op_append_end(void *impl, struct store_append *a, uint32_t *uidvalidity,
    uint32_t *uid)
{
	struct model_store	*m = impl;
	struct model_folder	*f = find_folder(m, a->folder);
	enum store_result	 r = STORE_OK;
	unsigned		 i;
	int			 k;

	for (i = 0; f != NULL && i < a->nkeywords; i++) {
		k = op_keyword(m, &f->pub, a->keywords[i], true);
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
		*uid = folder_add(m, f, a->msg, xdup(buf_str(&a->text)));
	}
	append_free(m, a);
	return r;
}

static void
op_append_abort(void *impl, struct store_append *a)
{
	append_free(impl, a);
}

/* A copy: what is expunged or deleted meanwhile cannot matter. */
struct store_body {
	struct str	text;
};

static enum store_result
op_body_open(void *impl, struct store_folder *pub, uint32_t uid,
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

static enum store_result
op_body_read(void *impl, struct store_body *b, uint32_t from, size_t n,
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

static void
op_body_close(void *impl, struct store_body *b)
{
	struct model_store *m = impl;

	assert(m->bodies > 0);
	m->bodies--;
	xfree_str(&b->text);
	free(b);
}

static void
op_sync(void *impl)
{
	struct model_store *m = impl;

	m->syncs++;
}

static void
op_quota(void *impl, struct store_quota *q)
{
	struct model_store	*m = impl;
	size_t			 i;

	*q = (struct store_quota){ .size = m->used,
	    .messages_max = m->messages_max };
	if (m->quota < UINT64_MAX / 2)
		q->size_max = m->quota;
	for (i = 0; i < m->nentries; i++) {
		if (m->entries[i].folder != NULL)
			q->messages += m->entries[i].folder->pub.n;
	}
}

static const struct store_ops ops = {
	.next = op_next,
	.create = op_create,
	.remove = op_remove,
	.rename = op_rename,
	.subscribe = op_subscribe,
	.status = op_status,
	.open = op_open,
	.close = op_close,
	.seen_recent = op_seen_recent,
	.keyword = op_keyword,
	.flags = op_flags,
	.expunge = op_expunge,
	.copy = op_copy,
	.append = op_append,
	.append_data = op_append_data,
	.append_end = op_append_end,
	.append_abort = op_append_abort,
	.body_open = op_body_open,
	.body_read = op_body_read,
	.body_close = op_body_close,
	.sync = op_sync,
	.quota = op_quota,
};

/* -- for tests --------------------------------------------------------- */

struct model_store *
model_store_new(void)
{
	struct model_store *m = xcalloc(1, sizeof(*m));

	m->store = (struct store){ &ops, m };
	m->append_max = 64 * 1024 * 1024;
	m->quota = UINT64_MAX / 2;
	m->next_id = 1;
	m->next_validity = 1;
	op_create(m, S("INBOX"));
	return m;
}

void
model_store_free(struct model_store *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->nentries; i++) {
		if (m->entries[i].folder != NULL)
			folder_gone(m, &m->entries[i]);
		xfree_str(&m->entries[i].name);
	}
	free(m->entries);
	free(m);
}

uint32_t
model_store_add(struct model_store *m, const char *folder, struct str text,
    uint8_t flags, int64_t date)
{
	struct store_msg	msg = { .flags = flags, .date = date };
	struct model_folder	*f;

	op_create(m, str_c(folder));
	f = find_folder(m, str_c(folder));
	assert(f != NULL);
	return folder_add(m, f, msg, xdup(text));
}

const struct store_folder *
model_store_folder(const struct model_store *m, const char *name)
{
	struct model_folder *f = find_folder(m, str_c(name));

	return f == NULL ? NULL : &f->pub;
}

struct str
model_store_text(const struct model_store *m, const char *folder, size_t i)
{
	struct model_folder *f = find_folder(m, str_c(folder));

	assert(f != NULL && i < f->pub.n);
	return f->texts[i];
}
