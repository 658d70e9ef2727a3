/*
 * folders - see folders.h.  RFC 3501 6.3.3 to 6.3.7.
 *
 * UIDVALIDITY comes from a counter of the mailbox.  A folder that is made or
 * renamed takes the next one, so that a name which shows other messages than
 * before always has a greater one.
 */
#include "mailboxd/folders.h"

#include <stdlib.h>

#include "common/core/xalloc.h"
#include "mailboxd/mbox.h"

static const struct str nothing = { NULL, 0 };

enum { NAME_COST = 64 * 1024 };		/* bytes of log, a generous guess */

static bool
is_inbox(struct str name)
{
	return str_eq(name, S("INBOX"));
}

static void
add_folder(struct mbox *m, struct str name)
{
	struct record r = { .type = REC_FOLDER, .folder = {
		.folder = m->st.next_folder,
		.uidvalidity = m->st.next_uidvalidity, .name = name
	} };

	mbox_add(m, &r, m->st.next_id, nothing);
	m->urgent = true;
}

/* The levels above a name, as folders. */
static void
add_above(struct mbox *m, struct str name)
{
	struct str	level;
	size_t		at = 0;

	while (name_above(name, &at, &level)) {
		if (state_named(&m->st, level) == NULL)
			add_folder(m, level);
	}
}

/* -- create, remove, subscribe ---------------------------------------- */

static enum store_result
create(struct mbox *m, struct str name)
{
	enum store_result r;

	if (state_named(&m->st, name) != NULL)
		return STORE_EXISTS;
	if (m->st.names.n + STORE_DEPTH_MAX > STORE_FOLDERS_MAX)
		return STORE_LIMIT;
	r = mbox_room(m, NAME_COST, NEED_GROW);
	if (r != STORE_OK)
		return r;
	add_above(m, name);
	add_folder(m, name);
	return m->dead ? STORE_ERROR : STORE_OK;
}

enum store_result
folders_create(void *impl, struct str name)
{
	enum store_result	r;
	struct buf		b;

	buf_init(&b, STORE_NAME_MAX + 1);
	r = name_canon(name, &b);
	if (r == STORE_OK)
		r = create(impl, buf_str(&b));
	buf_clear(&b);
	return r;
}

static enum store_result
remove_folder(struct mbox *m, struct str name)
{
	struct state_folder	*f = state_named(&m->st, name);
	struct record		 r = { .type = REC_REMOVE };
	enum store_result	 x;

	if (is_inbox(name))
		return STORE_FORBIDDEN;
	if (f == NULL)
		return STORE_NO_SUCH;
	x = mbox_room(m, 0, NEED_SMALL);
	if (x != STORE_OK)
		return x;
	r.remove.folder = f->id;
	mbox_add(m, &r, m->st.next_id, nothing);
	m->urgent = true;
	return m->dead ? STORE_ERROR : STORE_OK;
}

enum store_result
folders_remove(void *impl, struct str name)
{
	enum store_result	r;
	struct buf		b;

	buf_init(&b, STORE_NAME_MAX + 1);
	r = name_canon(name, &b);
	/* What cannot be a name cannot be there either. */
	r = r == STORE_OK ? remove_folder(impl, buf_str(&b)) : STORE_NO_SUCH;
	buf_clear(&b);
	return r;
}

static enum store_result
subscribe(struct mbox *m, struct str name, bool on)
{
	const struct name	*e = names_find(&m->st.names, name);
	struct record		 r = { .type = REC_SUBSCRIBE, .subscribe = {
		.on = on, .name = name
	} };
	enum store_result	 x;

	if (!on && (e == NULL || !e->subscribed))
		return STORE_NO_SUCH;
	if (on && e != NULL && e->subscribed)
		return STORE_OK;
	if (on && m->st.names.n >= STORE_FOLDERS_MAX)
		return STORE_LIMIT;
	x = mbox_room(m, 0, on ? NEED_GROW : NEED_SMALL);
	if (x != STORE_OK)
		return x;
	mbox_add(m, &r, m->st.next_id, nothing);
	m->urgent = true;
	return m->dead ? STORE_ERROR : STORE_OK;
}

enum store_result
folders_subscribe(void *impl, struct str name, bool on)
{
	enum store_result	r;
	struct buf		b;

	buf_init(&b, STORE_NAME_MAX + 1);
	r = name_canon(name, &b);
	if (r == STORE_OK)
		r = subscribe(impl, buf_str(&b), on);
	buf_clear(&b);
	return r;
}

/* -- rename ----------------------------------------------------------- */

/* RFC 3501 6.3.5: the messages move, INBOX stays and is empty. */
static enum store_result
rename_inbox(struct mbox *m, struct str name)
{
	struct state_folder	*from = state_named(&m->st, S("INBOX"));
	struct state_folder	*to;
	struct record		 r = { .type = REC_KEYWORD };
	enum store_result	 x = mbox_want(m, from);
	uint32_t		*uids;
	size_t			 i, n = from->n;

	if (x != STORE_OK)
		return x;
	add_above(m, name);
	add_folder(m, name);
	to = state_named(&m->st, name);
	if (to == NULL)
		return STORE_ERROR;
	for (i = 0; i < from->nkeywords; i++) {
		r.keyword = (struct record_keyword){
			to->id, (uint8_t)i, from->keywords[i]
		};
		mbox_add(m, &r, m->st.next_id, nothing);
	}
	if (n == 0 || m->dead)
		return m->dead ? STORE_ERROR : STORE_OK;
	uids = xcalloc(n, sizeof(*uids));
	for (i = 0; i < n; i++)
		uids[i] = from->msgs[i].uid;
	x = store_copy(m, from, uids, n, to);
	if (x == STORE_OK)
		store_expunge(m, from, uids, n, from->modseq + 1);
	free(uids);
	return m->dead ? STORE_ERROR : x;
}

struct move {
	struct state_folder	*folder;
	struct str		 to;
};

struct moves {
	struct move	*list;
	size_t		 n;
};

static void
moves_free(struct moves *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		xfree_str(&v->list[i].to);
	free(v->list);
}

/* The folders at and below `from` and where each goes, by name. */
static enum store_result
moves_of(struct mbox *m, struct str from, struct str to, struct moves *v)
{
	const struct names	*l = &m->st.names;
	struct str		 name;
	struct buf		 b;
	size_t			 i;

	buf_init(&b, (size_t)2 * STORE_NAME_MAX);
	for (i = 0; i < l->n; i++) {
		name = l->list[i]->name;
		if (l->list[i]->folder == NULL ||
		    (!str_eq(name, from) && !name_is_below(name, from)))
			continue;
		buf_reset(&b);
		buf_add(&b, to);
		buf_add(&b, str_from(name, from.n));
		if (b.n > STORE_NAME_MAX ||
		    name_depth(buf_str(&b)) > STORE_DEPTH_MAX) {
			buf_clear(&b);
			return STORE_LIMIT;
		}
		v->list = xrealloc(v->list, v->n + 1, sizeof(*v->list));
		v->list[v->n++] = (struct move){
			l->list[i]->folder, xdup(buf_str(&b))
		};
	}
	buf_clear(&b);
	return STORE_OK;
}

/* Nothing may be in the way that does not itself move. */
static enum store_result
moves_check(struct mbox *m, struct str from, const struct moves *v)
{
	struct str	to;
	size_t		i;

	for (i = 0; i < v->n; i++) {
		to = v->list[i].to;
		if (state_named(&m->st, to) != NULL && !str_eq(to, from) &&
		    !name_is_below(to, from))
			return STORE_EXISTS;
	}
	if (m->st.names.n + v->n + STORE_DEPTH_MAX > STORE_FOLDERS_MAX)
		return STORE_LIMIT;
	return mbox_room(m, NAME_COST + v->n * 2048, NEED_GROW);
}

static enum store_result
rename_tree(struct mbox *m, struct str from, struct str to)
{
	struct moves		v = { 0 };
	struct record		r = { .type = REC_RENAME };
	enum store_result	x = moves_of(m, from, to, &v);
	size_t			i;

	if (x == STORE_OK)
		x = moves_check(m, from, &v);
	if (x == STORE_OK)
		add_above(m, to);
	for (i = 0; x == STORE_OK && i < v.n; i++) {
		r.rename = (struct record_rename){
			v.list[i].folder->id, m->st.next_uidvalidity,
			v.list[i].to
		};
		mbox_add(m, &r, m->st.next_id, nothing);
	}
	moves_free(&v);
	m->urgent = true;
	return m->dead ? STORE_ERROR : x;
}

static enum store_result
rename_folder(struct mbox *m, struct str from, struct str to)
{
	enum store_result x;

	if (state_named(&m->st, to) != NULL)
		return STORE_EXISTS;
	if (is_inbox(from)) {
		if (m->st.names.n + STORE_DEPTH_MAX > STORE_FOLDERS_MAX)
			return STORE_LIMIT;
		x = mbox_room(m, NAME_COST, NEED_GROW);
		return x == STORE_OK ? rename_inbox(m, to) : x;
	}
	if (state_named(&m->st, from) == NULL &&
	    !names_has_children(&m->st.names, from))
		return STORE_NO_SUCH;
	if (name_is_below(to, from))
		return STORE_FORBIDDEN;
	return rename_tree(m, from, to);
}

enum store_result
folders_rename(void *impl, struct str from, struct str to)
{
	enum store_result	r;
	struct buf		a, b;

	buf_init(&a, STORE_NAME_MAX + 1);
	buf_init(&b, STORE_NAME_MAX + 1);
	r = name_canon(to, &b);
	if (r == STORE_OK && name_canon(from, &a) != STORE_OK)
		r = STORE_NO_SUCH;
	if (r == STORE_OK)
		r = rename_folder(impl, buf_str(&a), buf_str(&b));
	buf_clear(&a);
	buf_clear(&b);
	return r;
}
