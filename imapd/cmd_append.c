/*
 * cmd_append - APPEND, RFC 3501 6.3.11, and APPENDUID of RFC 4315.
 *
 * What can be known before the message is known before the client is asked
 * for it.  The message goes to the store in the pieces in which it comes, and
 * the session waits until the store can end it.
 * Pure.
 */
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "common/mail/date.h"
#include "imapd/flags.h"
#include "imapd/session.h"

struct append {
	struct store_append	*at;	/* NULL: refused meanwhile */
	uint64_t		 left;
	enum store_result	 result;
	bool			 nul;
};

void
append_free(struct imap *s)
{
	if (s->append == NULL)
		return;
	if (s->append->at != NULL)
		s->store->ops->append_abort(s->store->impl, s->append->at);
	free(s->append);
	s->append = NULL;
}

/* Only an APPEND without a message comes here. */
void
cmd_append(struct imap *s)
{
	imap_bad(s, "a message is missing");
}

static int
read_date(struct parse *p, struct store_new *new)
{
	struct str	text;
	int		zone;

	if (parse_string(p, &text) == -1)
		return -1;
	if (date_parse_imap(text, &new->date, &zone) == -1)
		return parse_fail(p, "not a date and time");
	new->zone = (int16_t)zone;
	return parse_sp(p);
}

/* Between the folder and the message. */
static int
read_options(struct parse *p, struct flag_list *flags, struct store_new *new)
{
	*flags = (struct flag_list){ 0 };
	if (parse_sp(p) == -1)
		return -1;
	if (parse_is(p, '(') && (flags_parse(p, false, flags) == -1 ||
	    parse_sp(p) == -1))
		return -1;
	if (parse_is(p, '"') && read_date(p, new) == -1)
		return -1;
	return parse_is(p, '{') ? 0 : parse_fail(p, "a message is missing");
}

static void
begin(struct imap *s, struct store_new *new)
{
	struct append		*a;
	struct store_append	*at;
	enum store_result	 r;

	if (s->in.literal.n > s->append_max) {
		imap_no(s, "[TOOBIG] message too large");
		return;
	}
	if (s->in.literal.n == 0) {
		imap_no(s, "[CANNOT] an empty message");
		return;
	}
	new->folder = buf_str(&s->name);
	new->size = (uint32_t)s->in.literal.n;
	r = s->store->ops->append(s->store->impl, new, &at);
	if (r != STORE_OK) {
		imap_result_into(s, r, "");
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->at = at;
	a->left = s->in.literal.n;
	s->append = a;
	s->state = IMAP_STREAM;
	if (s->in.literal.sync)
		buf_add(&s->out, S("+ go on\r\n"));
}

bool
append_literal(struct imap *s)
{
	struct parse		*p = &s->args;
	struct store_new	 new = { .date = s->now };
	struct flag_list	 flags;
	size_t			 at;

	/* From behind the name of the command, over all that has come. */
	at = p->at;
	*p = collect_command(&s->in);
	p->at = at;
	if (parse_is(p, ' ') && p->at + 1 < p->n && p->p[p->at + 1] == '{' &&
	    str_chr(str_of(p->p + p->at, p->n - p->at), '\n') == -1)
		return false;
	if (imap_arg_folder(s, &s->name) == -1)
		return true;
	if (read_options(p, &flags, &new) == -1) {
		imap_bad_args(s);
		return true;
	}
	if (str_chr(str_of(p->p + p->at, p->n - p->at), '\n') != -1) {
		imap_bad(s, "one message at a time");
		return true;
	}
	if (flags.limit) {
		imap_no(s, "[LIMIT] too many keywords");
		return true;
	}
	new.flags = flags.flags;
	new.keywords = flags.words;
	new.nkeywords = flags.nwords;
	begin(s, &new);
	return true;
}

static void
give_up(struct imap *s, enum store_result r)
{
	struct append *a = s->append;

	s->store->ops->append_abort(s->store->impl, a->at);
	a->at = NULL;
	a->result = r;
}

size_t
append_feed(struct imap *s, struct str bytes)
{
	struct append		*a = s->append;
	struct str		 piece = str_sub(bytes, 0, a->left);
	enum store_result	 r;

	a->left -= piece.n;
	if (a->at != NULL && str_chr(piece, '\0') != -1) {
		a->nul = true;
		give_up(s, STORE_ERROR);
	}
	if (a->at != NULL) {
		r = s->store->ops->append_data(s->store->impl, a->at, piece);
		if (r != STORE_OK)
			give_up(s, r);
	}
	if (a->left == 0) {
		collect_taken(&s->in);
		s->state = IMAP_COLLECT;
	}
	return piece.n;
}

bool
append_waits(const struct imap *s)
{
	const struct append *a = s->append;

	return a != NULL && a->at != NULL &&
	    !s->store->ops->append_ready(s->store->impl, a->at);
}

static void
append_step(struct imap *s)
{
	struct append		*a = s->append;
	uint32_t		 validity = 0, uid = 0;
	enum store_result	 r = a->result;

	if (a->at != NULL) {
		r = s->store->ops->append_end(s->store->impl, a->at,
		    &validity, &uid);
		a->at = NULL;
	}
	if (r == STORE_OK)
		imap_ok(s, "[APPENDUID %u %u] appended", validity, uid);
	else
		imap_result_into(s, r, "");
}

void
append_finish(struct imap *s)
{
	struct append	*a = s->append;
	struct parse	 rest = collect_command(&s->in);

	if (!parse_is_end(&rest)) {
		imap_bad(s, "too many arguments");
		return;
	}
	if (a->nul) {
		imap_bad(s, "NUL in a message");
		return;
	}
	if (a->at != NULL)
		s->store->ops->append_whole(s->store->impl, a->at);
	s->state = IMAP_RUN;
	s->step = append_step;
}
