/*
 * model_names - the folders of the model store and their names.
 */
#include "tests/lib/model_int.h"

#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"

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

bool
model_name_ok(struct str name)
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

struct model_folder *
model_find(const struct model_store *m, struct str name)
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

void
model_folder_new(struct model_store *m, struct model_entry *e)
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

void
model_folder_unref(struct model_store *m, struct model_folder *f)
{
	unsigned i;

	if (--f->refs > 0)
		return;
	folder_empty(m, f);
	for (i = 0; i < f->pub.nkeywords; i++)
		xfree_str(&f->pub.keywords[i]);
	free(f);
}

void
model_folder_gone(struct model_store *m, struct model_entry *e)
{
	struct model_folder *f = e->folder;

	folder_empty(m, f);
	f->pub.gone = true;
	e->folder = NULL;
	model_folder_unref(m, f);
}

/* Takes the text over. */
uint32_t
model_add(struct model_store *m, struct model_folder *f,
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

/* -- the interface ---------------------------------------------------- */

enum store_result
model_next(void *impl, struct str after, struct store_name *out)
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
			model_folder_new(m, e);
	}
}

enum store_result
model_create(void *impl, struct str name)
{
	struct model_store	*m = impl;
	struct model_entry	*e;

	name = no_slash(name);
	if (!model_name_ok(name))
		return STORE_BAD_NAME;
	if (model_find(m, name) != NULL)
		return STORE_EXISTS;
	if (m->nentries + STORE_DEPTH_MAX > STORE_FOLDERS_MAX)
		return STORE_LIMIT;
	make_above(m, name);
	e = entry_add(m, name);
	model_folder_new(m, e);
	return STORE_OK;
}

enum store_result
model_remove(void *impl, struct str name)
{
	struct model_store	*m = impl;
	struct model_entry	*e;

	name = no_slash(name);
	if (str_eq(name, S("INBOX")))
		return STORE_FORBIDDEN;
	e = find(m, name);
	if (e == NULL || e->folder == NULL)
		return STORE_NO_SUCH;
	model_folder_gone(m, e);
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
	model_folder_new(m, entry_add(m, to));
	from = model_find(m, S("INBOX"));
	f = model_find(m, to);
	for (i = 0; i < from->pub.nkeywords; i++)
		f->pub.keywords[i] = xdup(from->pub.keywords[i]);
	f->pub.nkeywords = from->pub.nkeywords;
	for (i = 0; i < from->pub.n; i++)
		model_add(m, f, from->msgs[i], xdup(from->texts[i]));
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
	f = model_find(m, old);
	find(m, old)->folder = NULL;
	/* A level that only has children is one in the new place, too. */
	e = entry_add(m, buf_str(&name));
	if (f != NULL) {
		e->folder = f;
		f->pub.uidvalidity = m->next_validity++;
	}
	buf_clear(&name);
}

enum store_result
model_rename(void *impl, struct str from, struct str to)
{
	struct model_store	*m = impl;
	struct str		*names;
	size_t			 i, n;
	bool			 fits = true;

	from = no_slash(from);
	to = no_slash(to);
	if (!model_name_ok(to))
		return STORE_BAD_NAME;
	if (model_find(m, to) != NULL)
		return STORE_EXISTS;
	if (str_eq(from, S("INBOX")))
		return rename_inbox(m, to);
	if (model_find(m, from) == NULL && !has_children(m, from))
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

enum store_result
model_subscribe(void *impl, struct str name, bool on)
{
	struct model_store	*m = impl;
	struct model_entry	*e;

	name = no_slash(name);
	if (!model_name_ok(name))
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
