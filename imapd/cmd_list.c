/*
 * cmd_list - LIST and LSUB, RFC 3501 6.3.8 and 6.3.9, with the attributes of
 * RFC 3348.  Patterns are matched against names as they are on the wire.  A
 * long list is made in pieces.  Pure.
 */
#include <stdlib.h>
#include <string.h>

#include "common/core/xalloc.h"
#include "common/mail/mutf7.h"
#include "imapd/glob.h"
#include "imapd/session.h"

struct list {
	struct glob	glob;
	struct buf	after;		/* the last name looked at, UTF-8 */
	struct buf	last;		/* the last one subscribed */
	bool		lsub;
};

void
list_free(struct list *l)
{
	if (l == NULL)
		return;
	buf_clear(&l->after);
	buf_clear(&l->last);
	free(l);
}

static bool
matches(struct imap *s, struct str name)
{
	struct buf	wire;
	bool		yes;

	buf_init(&wire, 8 * STORE_NAME_MAX);
	mutf7_encode(name, &wire);
	yes = glob_match(&s->list->glob, buf_str(&wire),
	    str_eq(name, S("INBOX")));
	s->work -= (int64_t)((wire.n + 1) * (s->list->glob.n + 1) / 4);
	buf_clear(&wire);
	return yes;
}

static void
put(struct imap *s, const char *attributes, struct str name)
{
	buf_addf(&s->out, "* %s (%s) \"/\" ",
	    s->list->lsub ? "LSUB" : "LIST", attributes);
	imap_put_folder(s, name);
	buf_add(&s->out, S("\r\n"));
}

static void
list_one(struct imap *s, const struct store_name *name)
{
	/* A subscription to what is not there is no folder. */
	if (!name->exists && !name->has_children)
		return;
	if (!matches(s, name->name))
		return;
	if (!name->exists)
		put(s, "\\Noselect \\HasChildren", name->name);
	else
		put(s, name->has_children ? "\\HasChildren" :
		    "\\HasNoChildren", name->name);
}

/* Looks one name up, by asking for what follows its predecessor. */
static bool
is_subscribed(struct imap *s, struct str name)
{
	struct store_name	found;
	struct buf		before;
	bool			yes;

	/* No valid name lies between the two: 0xff is not in UTF-8. */
	buf_init(&before, STORE_NAME_MAX + 1);
	buf_add(&before, str_sub(name, 0, name.n - 1));
	buf_addc(&before, (char)(name.p[name.n - 1] - 1));
	buf_addc(&before, (char)0xff);
	yes = s->store->ops->next(s->store->impl, buf_str(&before),
	    &found) == STORE_OK && str_eq(found.name, name) &&
	    found.subscribed;
	buf_clear(&before);
	return yes;
}

/*
 * RFC 3501 6.3.9: "%" shows a level that is not subscribed when something
 * below it is.  Names with a common level above follow each other, so a level
 * was shown already exactly if the name before lies below it too.
 */
static void
lsub_levels(struct imap *s, struct str name)
{
	struct str	last = buf_str(&s->list->last), level;
	size_t		i;

	for (i = 1; i < name.n; i++) {
		if (name.p[i] != '/')
			continue;
		level = str_sub(name, 0, i);
		if (str_starts(last, str_sub(name, 0, i + 1)))
			continue;
		if (matches(s, level) && !is_subscribed(s, level))
			put(s, "\\Noselect", level);
	}
}

static void
lsub_one(struct imap *s, const struct store_name *found)
{
	struct list	*l = s->list;
	struct str	 name = buf_str(&l->after);

	if (!found->subscribed)
		return;
	if (matches(s, name))
		put(s, found->exists ? "" : "\\Noselect", name);
	if (!glob_has_percent(&l->glob))
		return;
	lsub_levels(s, name);
	buf_reset(&l->last);
	buf_add(&l->last, name);
}

static void
list_step(struct imap *s)
{
	struct list		*l = s->list;
	struct store_name	 found;

	while (s->work > 0 && s->out.n < IMAP_OUT_SOFT) {
		if (s->store->ops->next(s->store->impl, buf_str(&l->after),
		    &found) != STORE_OK) {
			imap_ok(s, "that is all");
			return;
		}
		buf_reset(&l->after);
		buf_add(&l->after, found.name);
		found.name = buf_str(&l->after);
		if (l->lsub)
			lsub_one(s, &found);
		else
			list_one(s, &found);
		s->work -= 64;
	}
}

/* "inbox" at the start of a pattern is INBOX, as in any name. */
static void
fold_inbox(struct glob *g)
{
	struct str pat = str_of(g->pat, g->n);

	if (str_istarts(pat, S("INBOX")) &&
	    (pat.n == 5 || strchr("/*%", pat.p[5]) != NULL))
		memcpy(g->pat, "INBOX", 5);
}

static void
list_start(struct imap *s, bool lsub)
{
	struct str	reference, pattern;
	struct list	*l;

	if (parse_sp(&s->args) == -1 ||
	    parse_astring(&s->args, &reference) == -1 ||
	    parse_sp(&s->args) == -1 ||
	    parse_pattern(&s->args, &pattern) == -1) {
		imap_bad_args(s);
		return;
	}
	if (imap_arg_end(s) == -1)
		return;
	if (pattern.n == 0 && !lsub) {
		buf_add(&s->out, S("* LIST (\\Noselect) \"/\" \"\"\r\n"));
		imap_ok(s, "that is all");
		return;
	}
	l = xcalloc(1, sizeof(*l));
	s->list = l;
	buf_init(&l->after, 2 * STORE_NAME_MAX);
	buf_init(&l->last, 2 * STORE_NAME_MAX);
	l->lsub = lsub;
	if (glob_init(&l->glob, reference, pattern) == -1) {
		imap_no(s, "[LIMIT] pattern too long");
		return;
	}
	fold_inbox(&l->glob);
	s->step = list_step;
}

void
cmd_list(struct imap *s)
{
	list_start(s, false);
}

void
cmd_lsub(struct imap *s)
{
	list_start(s, true);
}
