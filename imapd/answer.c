/*
 * answer - what the IMAP commands share: tagged answers, arguments, and what
 * a client is told of its folder.  Pure.
 */
#include <stdio.h>
#include <string.h>

#include "common/mail/mutf7.h"
#include "imapd/flags.h"
#include "imapd/session.h"

enum { UPDATES_AT_ONCE = 500 };

/* -- tagged answers ------------------------------------------------------ */

static void
answer(struct imap *s, const char *status, const char *fmt, va_list ap)
{
	char	*room;
	int	 n;
	va_list	 again;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	buf_reset(&s->reply);
	buf_addz(&s->reply, status);
	room = n < 0 ? NULL : buf_room(&s->reply, (size_t)n + 1);
	if (room != NULL) {
		vsnprintf(room, (size_t)n + 1, fmt, ap);
		buf_grow(&s->reply, (size_t)n);
	}
	s->state = IMAP_FINISH;
}

void
imap_ok(struct imap *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	answer(s, "OK ", fmt, ap);
	va_end(ap);
	s->errors = 0;
}

void
imap_no(struct imap *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	answer(s, "NO ", fmt, ap);
	va_end(ap);
	s->errors = 0;
}

void
imap_bad(struct imap *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	answer(s, "BAD ", fmt, ap);
	va_end(ap);
	s->errors++;
}

void
imap_bad_args(struct imap *s)
{
	imap_bad(s, "%s", s->args.error == NULL ? "syntax" : s->args.error);
}

void
imap_result(struct imap *s, enum store_result r, const char *ok)
{
	switch (r) {
	case STORE_OK:
		imap_ok(s, "%s", ok);
		return;
	case STORE_NO_SUCH:
		imap_no(s, "[NONEXISTENT] no such folder");
		return;
	case STORE_EXISTS:
		imap_no(s, "[ALREADYEXISTS] the folder exists");
		return;
	case STORE_BAD_NAME:
		imap_no(s, "[CANNOT] no folder can have this name");
		return;
	case STORE_LIMIT:
		imap_no(s, "[LIMIT] over a limit of this mailbox");
		return;
	case STORE_FORBIDDEN:
		imap_no(s, "[CANNOT] not with this folder");
		return;
	case STORE_FULL:
		imap_no(s, "[OVERQUOTA] no space left for this");
		return;
	case STORE_QUOTA:
		imap_no(s, "[OVERQUOTA] the mailbox is over its quota");
		return;
	case STORE_ERROR:
		imap_no(s, "[UNAVAILABLE] the store cannot do it now");
		return;
	}
}

void
imap_result_into(struct imap *s, enum store_result r, const char *ok)
{
	if (r == STORE_NO_SUCH)
		imap_no(s, "[TRYCREATE] no such folder");
	else
		imap_result(s, r, ok);
}

/* -- arguments ----------------------------------------------------------- */

int
imap_arg_folder(struct imap *s, struct buf *name)
{
	struct str text, decoded;

	if (parse_sp(&s->args) == -1 ||
	    parse_astring(&s->args, &text) == -1) {
		imap_bad_args(s);
		return -1;
	}
	buf_reset(name);
	if (text.n > 4 * STORE_NAME_MAX ||
	    mutf7_decode(text, name) == -1 || name->n > STORE_NAME_MAX) {
		imap_no(s, "[CANNOT] not the name of a folder");
		return -1;
	}
	/* INBOX in any case is INBOX, also as the first of several levels. */
	decoded = buf_str(name);
	if (str_istarts(decoded, S("INBOX")) &&
	    (decoded.n == 5 || decoded.p[5] == '/'))
		memcpy(name->p + name->at, "INBOX", 5);
	return 0;
}

int
imap_arg_end(struct imap *s)
{
	if (parse_end(&s->args) == 0)
		return 0;
	imap_bad_args(s);
	return -1;
}

int
imap_arg_set(struct imap *s, struct seqset *set)
{
	struct str text;

	if (parse_sp(&s->args) == -1 ||
	    parse_set_text(&s->args, &text) == -1 ||
	    seqset_parse(set, text) == -1) {
		imap_bad(s, "not a set of messages");
		return -1;
	}
	if (s->uid) {
		seqset_resolve(set, view_last_uid(&s->view));
		return 0;
	}
	seqset_resolve(set, (uint32_t)s->view.n);
	if (set->n == 0 || seqset_max(set) > s->view.n) {
		seqset_clear(set);
		imap_bad(s, "no message has this number");
		return -1;
	}
	return 0;
}

/* -- the selected folder ------------------------------------------------- */

bool
imap_next_in_set(const struct imap *s, const struct seqset *set, bool uid,
    size_t *at)
{
	const struct view	*v = &s->view;
	uint32_t		 found;

	if (!uid) {
		if (*at >= v->n || !seqset_next(set, (uint32_t)*at + 1,
		    &found) || found > v->n)
			return false;
		*at = found - 1;
		return true;
	}
	while (*at < v->n) {
		if (!seqset_next(set, v->m[*at].uid, &found))
			return false;
		if (found == v->m[*at].uid)
			return true;
		*at = view_from_uid(v, found);
	}
	return false;
}

void
imap_tell_keywords(struct imap *s)
{
	const struct store_folder *f = s->view.folder;

	if (s->keywords_told == f->nkeywords)
		return;
	s->keywords_told = f->nkeywords;
	buf_add(&s->out, S("* FLAGS "));
	flags_format_all(&s->out, f);
	buf_add(&s->out, S(")\r\n* OK [PERMANENTFLAGS "));
	if (s->view.readonly) {
		buf_add(&s->out, S("()] none can be set\r\n"));
		return;
	}
	flags_format_all(&s->out, f);
	if (f->nkeywords < STORE_KEYWORDS_MAX)
		buf_add(&s->out, S(" \\*"));
	buf_add(&s->out, S(")] these can be set\r\n"));
}

void
imap_tell_flags(struct imap *s, size_t i, const struct store_msg *msg)
{
	imap_tell_keywords(s);
	buf_addf(&s->out, "* %zu FETCH (UID %u FLAGS ", i + 1, msg->uid);
	flags_format(&s->out, s->view.folder, msg, s->view.m[i].recent);
	buf_add(&s->out, S(")\r\n"));
	view_told(&s->view, i, msg->modseq);
}

void
imap_deselect(struct imap *s)
{
	view_close(&s->view, s->store);
}

void
imap_sync(struct imap *s)
{
	if (s->store->ops->sync != NULL)
		s->store->ops->sync(s->store->impl);
}

static bool
tell_gone(struct imap *s)
{
	uint32_t	numbers[UPDATES_AT_ONCE];
	size_t		i, n;

	n = view_take_gone(&s->view, numbers, UPDATES_AT_ONCE);
	for (i = 0; i < n; i++)
		buf_addf(&s->out, "* %u EXPUNGE\r\n", numbers[i]);
	s->work -= (int64_t)s->view.n;
	return n < UPDATES_AT_ONCE;
}

static bool
tell_changed(struct imap *s)
{
	const struct store_msg	*msg;
	size_t			 indexes[UPDATES_AT_ONCE], i, n;

	n = view_take_changed(&s->view, indexes, UPDATES_AT_ONCE);
	for (i = 0; i < n; i++) {
		msg = view_msg(&s->view, indexes[i]);
		if (msg != NULL)
			imap_tell_flags(s, indexes[i], msg);
	}
	s->work -= (int64_t)s->view.n;
	return n < UPDATES_AT_ONCE;
}

bool
imap_tell_updates(struct imap *s, bool expunged)
{
	if (!view_is_stale(&s->view, expunged))
		return true;
	if (expunged && !tell_gone(s))
		return false;
	if (view_take_new(&s->view, s->store))
		buf_addf(&s->out, "* %zu EXISTS\r\n", s->view.n);
	if (s->recent_told != s->view.nrecent) {
		s->recent_told = s->view.nrecent;
		buf_addf(&s->out, "* %zu RECENT\r\n", s->view.nrecent);
	}
	imap_tell_keywords(s);
	return tell_changed(s);
}

/* -- writing ------------------------------------------------------------- */

void
imap_put_quoted(struct imap *s, struct str text)
{
	size_t i;

	buf_addc(&s->out, '"');
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_addc(&s->out, '\\');
		buf_addc(&s->out, text.p[i]);
	}
	buf_addc(&s->out, '"');
}

void
imap_put_astring(struct imap *s, struct str text)
{
	struct parse	p = parse_of((char *)(uintptr_t)text.p, text.n);
	struct str	atom;

	/* parse_atom changes nothing. */
	if (parse_atom(&p, &atom) == 0 && parse_is_end(&p))
		buf_add(&s->out, text);
	else
		imap_put_quoted(s, text);
}

void
imap_put_folder(struct imap *s, struct str name)
{
	struct buf wire;

	buf_init(&wire, 8 * STORE_NAME_MAX);
	mutf7_encode(name, &wire);
	imap_put_quoted(s, buf_str(&wire));
	buf_clear(&wire);
}
