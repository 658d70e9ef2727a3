/*
 * cmd_folder - IMAP commands about folders by name: CREATE DELETE RENAME
 * SUBSCRIBE UNSUBSCRIBE STATUS.  Pure.
 */
#include "imapd/session.h"

/* One name and nothing else. */
static int
one_folder(struct imap *s)
{
	if (imap_arg_folder(s, &s->name) == -1 || imap_arg_end(s) == -1)
		return -1;
	return 0;
}

void
cmd_create(struct imap *s)
{
	if (one_folder(s) == -1)
		return;
	imap_result(s, s->store->ops->create(s->store->impl,
	    buf_str(&s->name)), "created");
}

void
cmd_delete(struct imap *s)
{
	if (one_folder(s) == -1)
		return;
	imap_result(s, s->store->ops->remove(s->store->impl,
	    buf_str(&s->name)), "deleted");
}

void
cmd_rename(struct imap *s)
{
	if (imap_arg_folder(s, &s->name) == -1 ||
	    imap_arg_folder(s, &s->name2) == -1 || imap_arg_end(s) == -1)
		return;
	imap_result(s, s->store->ops->rename(s->store->impl,
	    buf_str(&s->name), buf_str(&s->name2)), "renamed");
}

void
cmd_subscribe(struct imap *s)
{
	if (one_folder(s) == -1)
		return;
	imap_result(s, s->store->ops->subscribe(s->store->impl,
	    buf_str(&s->name), true), "subscribed");
}

/* What was not subscribed is not now either. */
void
cmd_unsubscribe(struct imap *s)
{
	enum store_result r;

	if (one_folder(s) == -1)
		return;
	r = s->store->ops->subscribe(s->store->impl, buf_str(&s->name),
	    false);
	imap_result(s, r == STORE_NO_SUCH ? STORE_OK : r, "unsubscribed");
}

/* -- STATUS, RFC 3501 6.3.10 --------------------------------------------- */

enum {
	ST_MESSAGES,
	ST_RECENT,
	ST_UIDNEXT,
	ST_UIDVALIDITY,
	ST_UNSEEN,
	ST_DELETED,		/* RFC 9208 4.1.4 */
	ST_DELETED_STORAGE,
	ST_COUNT,
	ST_ITEMS_MAX = 16	/* named in one command, repeated or not */
};

static const struct str status_names[ST_COUNT] = {
	[ST_MESSAGES] = STR_INIT("MESSAGES"),
	[ST_RECENT] = STR_INIT("RECENT"),
	[ST_UIDNEXT] = STR_INIT("UIDNEXT"),
	[ST_UIDVALIDITY] = STR_INIT("UIDVALIDITY"),
	[ST_UNSEEN] = STR_INIT("UNSEEN"),
	[ST_DELETED] = STR_INIT("DELETED"),
	[ST_DELETED_STORAGE] = STR_INIT("DELETED-STORAGE"),
};

static int
status_item(struct parse *p, unsigned *item)
{
	struct str word;

	if (parse_word(p, &word) == -1)
		return -1;
	for (*item = 0; *item < ST_COUNT; ++*item) {
		if (str_ieq(word, status_names[*item]))
			return 0;
	}
	return parse_fail(p, "no such status item");
}

static int
status_items(struct parse *p, unsigned items[ST_ITEMS_MAX], unsigned *n)
{
	*n = 0;
	if (parse_sp(p) == -1 || parse_char(p, '(') == -1)
		return -1;
	for (;;) {
		if (*n == ST_ITEMS_MAX)
			return parse_fail(p, "too many status items");
		if (status_item(p, &items[*n]) == -1)
			return -1;
		++*n;
		if (parse_is(p, ')'))
			break;
		if (parse_sp(p) == -1)
			return -1;
	}
	p->at++;
	return parse_end(p);
}

static bool
is_asked(const unsigned *items, unsigned n, unsigned item)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (items[i] == item)
			return true;
	}
	return false;
}

/* These are in no folder's row: somebody has to look. */
static enum store_result
count_deleted(struct imap *s, uint64_t v[ST_COUNT])
{
	struct store_folder	*f;
	size_t			 i;
	enum store_result	 r = s->store->ops->open(s->store->impl,
				    buf_str(&s->name), &f);

	if (r != STORE_OK)
		return r;
	for (i = 0; i < f->n; i++) {
		if (!(f->msgs[i].flags & STORE_DELETED))
			continue;
		v[ST_DELETED]++;
		v[ST_DELETED_STORAGE] += f->msgs[i].size;
	}
	s->work -= (int64_t)f->n;
	s->store->ops->close(s->store->impl, f);
	return STORE_OK;
}

static enum store_result
status_values(struct imap *s, const unsigned *items, unsigned n,
    uint64_t v[ST_COUNT])
{
	struct store_status	st;
	enum store_result	r = s->store->ops->status(s->store->impl,
				    buf_str(&s->name),
				    is_asked(items, n, ST_RECENT), &st);

	if (r != STORE_OK)
		return r;
	v[ST_MESSAGES] = st.messages;
	v[ST_RECENT] = st.recent;
	v[ST_UIDNEXT] = st.uidnext;
	v[ST_UIDVALIDITY] = st.uidvalidity;
	v[ST_UNSEEN] = st.unseen;
	if (!is_asked(items, n, ST_DELETED) &&
	    !is_asked(items, n, ST_DELETED_STORAGE))
		return STORE_OK;
	return count_deleted(s, v);
}

static void
put_status(struct imap *s, const uint64_t v[ST_COUNT], const unsigned *items,
    unsigned n)
{
	unsigned i;

	buf_add(&s->out, S("* STATUS "));
	imap_put_folder(s, buf_str(&s->name));
	for (i = 0; i < n; i++) {
		buf_add(&s->out, i == 0 ? S(" (") : S(" "));
		buf_add(&s->out, status_names[items[i]]);
		buf_addc(&s->out, ' ');
		buf_addu(&s->out, v[items[i]]);
	}
	buf_add(&s->out, S(")\r\n"));
}

void
cmd_status(struct imap *s)
{
	uint64_t		values[ST_COUNT] = { 0 };
	unsigned		items[ST_ITEMS_MAX], n;
	enum store_result	r;

	if (imap_arg_folder(s, &s->name) == -1)
		return;
	if (status_items(&s->args, items, &n) == -1) {
		imap_bad_args(s);
		return;
	}
	r = status_values(s, items, n, values);
	if (r == STORE_OK)
		put_status(s, values, items, n);
	imap_result(s, r, "that is all");
}
