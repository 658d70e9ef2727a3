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
	ST_COUNT,
	ST_ITEMS_MAX = 16	/* named in one command, repeated or not */
};

static const struct str status_names[ST_COUNT] = {
	[ST_MESSAGES] = STR_INIT("MESSAGES"),
	[ST_RECENT] = STR_INIT("RECENT"),
	[ST_UIDNEXT] = STR_INIT("UIDNEXT"),
	[ST_UIDVALIDITY] = STR_INIT("UIDVALIDITY"),
	[ST_UNSEEN] = STR_INIT("UNSEEN"),
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

static void
put_status(struct imap *s, const struct store_status *st,
    const unsigned *items, unsigned n)
{
	const uint32_t values[ST_COUNT] = {
		[ST_MESSAGES] = st->messages,
		[ST_RECENT] = st->recent,
		[ST_UIDNEXT] = st->uidnext,
		[ST_UIDVALIDITY] = st->uidvalidity,
		[ST_UNSEEN] = st->unseen,
	};
	unsigned i;

	buf_add(&s->out, S("* STATUS "));
	imap_put_folder(s, buf_str(&s->name));
	for (i = 0; i < n; i++) {
		buf_add(&s->out, i == 0 ? S(" (") : S(" "));
		buf_add(&s->out, status_names[items[i]]);
		buf_addc(&s->out, ' ');
		buf_addu(&s->out, values[items[i]]);
	}
	buf_add(&s->out, S(")\r\n"));
}

void
cmd_status(struct imap *s)
{
	struct store_status	st;
	unsigned		items[ST_ITEMS_MAX], n;
	enum store_result	r;

	if (imap_arg_folder(s, &s->name) == -1)
		return;
	if (status_items(&s->args, items, &n) == -1) {
		imap_bad_args(s);
		return;
	}
	r = s->store->ops->status(s->store->impl, buf_str(&s->name),
	    is_asked(items, n, ST_RECENT), &st);
	if (r == STORE_OK)
		put_status(s, &st, items, n);
	imap_result(s, r, "that is all");
}
