/*
 * cmd_select - IMAP commands about the selected folder as a whole: SELECT
 * EXAMINE CHECK CLOSE UNSELECT EXPUNGE and UID EXPUNGE.  Pure.
 */
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "imapd/flags.h"
#include "imapd/session.h"

static void
put_first_unseen(struct imap *s)
{
	const struct store_folder	*f = s->view.folder;
	size_t				 i;

	for (i = 0; i < f->n; i++) {
		if (f->msgs[i].flags & STORE_SEEN)
			continue;
		buf_addf(&s->out, "* OK [UNSEEN %zu] the first unseen\r\n",
		    i + 1);
		return;
	}
}

/* RFC 3501 6.3.1. */
static void
put_folder(struct imap *s)
{
	const struct store_folder *f = s->view.folder;

	s->keywords_told = STORE_KEYWORDS_MAX + 1;
	imap_tell_keywords(s);
	s->recent_told = s->view.nrecent;
	buf_addf(&s->out, "* %zu EXISTS\r\n* %zu RECENT\r\n", s->view.n,
	    s->view.nrecent);
	put_first_unseen(s);
	buf_addf(&s->out, "* OK [UIDVALIDITY %u] UIDs are valid\r\n"
	    "* OK [UIDNEXT %u] the next UID\r\n", f->uidvalidity,
	    f->uidnext);
}

static void
select_folder(struct imap *s, bool readonly)
{
	struct store_folder	*f;
	enum store_result	 r;

	if (imap_arg_folder(s, &s->name) == -1 || imap_arg_end(s) == -1)
		return;
	/* Also when the new one cannot be opened, RFC 3501 6.3.1. */
	imap_deselect(s);
	r = s->store->ops->open(s->store->impl, buf_str(&s->name), &f);
	if (r != STORE_OK) {
		imap_result(s, r, "");
		return;
	}
	view_open(&s->view, s->store, f, readonly);
	s->work -= (int64_t)f->n * 4;
	put_folder(s);
	imap_ok(s, readonly ? "[READ-ONLY] selected" :
	    "[READ-WRITE] selected");
}

void
cmd_select(struct imap *s)
{
	select_folder(s, false);
}

void
cmd_examine(struct imap *s)
{
	select_folder(s, true);
}

void
cmd_check(struct imap *s)
{
	if (imap_arg_end(s) == -1)
		return;
	imap_sync(s);
	imap_ok(s, "checked");
}

/* All \Deleted messages, or those of them in the set. */
static enum store_result
expunge(struct imap *s, const struct seqset *set)
{
	struct store_folder	*f = s->view.folder;
	uint32_t		*uids = xcalloc(f->n + 1, sizeof(*uids));
	enum store_result	 r = STORE_OK;
	size_t			 i, n = 0;

	for (i = 0; i < f->n; i++) {
		if (!(f->msgs[i].flags & STORE_DELETED))
			continue;
		if (set == NULL || seqset_has(set, f->msgs[i].uid))
			uids[n++] = f->msgs[i].uid;
	}
	if (n > 0)
		r = s->store->ops->expunge(s->store->impl, f, uids, n);
	free(uids);
	s->work -= (int64_t)f->n;
	return r;
}

void
cmd_expunge(struct imap *s)
{
	struct seqset set = { 0 };

	if (s->uid && imap_arg_set(s, &set) == -1)
		return;
	if (imap_arg_end(s) == 0)
		imap_result(s, expunge(s, s->uid ? &set : NULL), "expunged");
	seqset_clear(&set);
}

void
cmd_close(struct imap *s)
{
	enum store_result r = STORE_OK;

	if (imap_arg_end(s) == -1)
		return;
	if (!s->view.readonly)
		r = expunge(s, NULL);
	imap_deselect(s);
	imap_sync(s);
	imap_result(s, r, "closed");
}

void
cmd_unselect(struct imap *s)
{
	if (imap_arg_end(s) == -1)
		return;
	imap_deselect(s);
	imap_sync(s);
	imap_ok(s, "closed, nothing expunged");
}
