/*
 * login - see login.h.
 */
#include "imapd/login.h"

#include <stddef.h>
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "imapd/capability.h"
#include "imapd/collect.h"
#include "imapd/parse.h"

enum { ID_WORDS_MAX = 60 };	/* RFC 2971 3.3: thirty pairs */

struct imap_login {
	struct login	l;
	struct collect	c;
	struct buf	tag;		/* of the command under way */
};

static struct imap_login *
of(struct login *l)
{
	return (struct imap_login *)((char *)l -
	    offsetof(struct imap_login, l));
}

/* Tagged; without a tag that can be said back, "*". */
static void
tagged(struct imap_login *s, const char *status, const char *code,
    const char *text)
{
	if (s->tag.n == 0)
		buf_addc(&s->l.out, '*');
	else
		buf_add(&s->l.out, buf_str(&s->tag));
	buf_addf(&s->l.out, " %s %s%s\r\n", status, code, text);
}

static void
end_with(struct imap_login *s, const char *bye)
{
	buf_addf(&s->l.out, "* BYE %s\r\n", bye);
	s->l.state = LOGIN_OVER;
}

static const char *
caps(const struct imap_login *s)
{
	return s->l.open ? IMAP_CAPABILITY_LOGIN : IMAP_CAPABILITY_NO_LOGIN;
}

/* -- commands: 0, or -1 when p->error says what is wrong --------------- */

static int
do_capability(struct imap_login *s, struct parse *p)
{
	if (parse_end(p) == -1)
		return -1;
	buf_addf(&s->l.out, "* CAPABILITY %s\r\n", caps(s));
	tagged(s, "OK", "", "done");
	return 0;
}

static int
do_noop(struct imap_login *s, struct parse *p)
{
	if (parse_end(p) == -1)
		return -1;
	tagged(s, "OK", "", "done");
	return 0;
}

static int
do_logout(struct imap_login *s, struct parse *p)
{
	if (parse_end(p) == -1)
		return -1;
	end_with(s, "logging out");
	tagged(s, "OK", "", "bye");
	return 0;
}

static int
skip_id_word(struct parse *p)
{
	struct str word;

	if (parse_is(p, '"') || parse_is(p, '{'))
		return parse_string(p, &word);
	if (parse_atom(p, &word) == -1)
		return -1;
	return str_ieq(word, S("NIL")) ? 0 :
	    parse_fail(p, "neither a string nor NIL");
}

static int
skip_id_list(struct parse *p)
{
	unsigned n;

	if (!parse_is(p, '('))
		return skip_id_word(p);
	if (parse_char(p, '(') == -1)
		return -1;
	for (n = 0; !parse_is(p, ')'); n++) {
		if (n == ID_WORDS_MAX)
			return parse_fail(p, "too many words");
		if (n > 0 && parse_sp(p) == -1)
			return -1;
		if (skip_id_word(p) == -1)
			return -1;
	}
	return parse_char(p, ')');
}

static int
do_id(struct imap_login *s, struct parse *p)
{
	if (parse_sp(p) == -1 || skip_id_list(p) == -1 || parse_end(p) == -1)
		return -1;
	buf_addz(&s->l.out, "* ID (\"name\" \"Postern\")\r\n");
	tagged(s, "OK", "", "done");
	return 0;
}

static int
do_login(struct imap_login *s, struct parse *p)
{
	struct str user, password;

	if (parse_sp(p) == -1 || parse_astring(p, &user) == -1 ||
	    parse_sp(p) == -1 || parse_astring(p, &password) == -1 ||
	    parse_end(p) == -1)
		return -1;
	if (!login_is_closed(&s->l))
		login_try(&s->l, user, password);
	return 0;
}

static int
do_authenticate(struct imap_login *s, struct parse *p)
{
	struct str mechanism, initial = { NULL, 0 };

	if (parse_sp(p) == -1 || parse_atom(p, &mechanism) == -1)
		return -1;
	if (!parse_is_end(p)) {
		if (parse_sp(p) == -1)
			return -1;
		initial = str_of(p->p + p->at, p->n - p->at);
	}
	login_auth(&s->l, mechanism, initial);
	return 0;
}

static const struct verb {
	struct str	name;
	int		(*fn)(struct imap_login *, struct parse *);
} verbs[] = {
	{ STR_INIT("CAPABILITY"), do_capability },
	{ STR_INIT("NOOP"), do_noop },
	{ STR_INIT("LOGOUT"), do_logout },
	{ STR_INIT("ID"), do_id },
	{ STR_INIT("LOGIN"), do_login },
	{ STR_INIT("AUTHENTICATE"), do_authenticate },
};

static const struct verb *
find_verb(struct str name)
{
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (str_ieq(name, verbs[i].name))
			return &verbs[i];
	}
	return NULL;
}

/* -- the engine ------------------------------------------------------- */

/* Keeps the tag, if there is one that can be said back. */
static void
take_tag(struct imap_login *s, struct parse *p)
{
	struct str tag;

	buf_reset(&s->tag);
	if (parse_tag(p, &tag) == 0)
		buf_add(&s->tag, tag);
}

static void
run(struct imap_login *s)
{
	struct parse		 p = collect_command(&s->c);
	const struct verb	*v;
	struct str		 name;

	if (s->l.in_auth) {
		login_auth_line(&s->l, str_of(p.p, p.n));
		return;
	}
	take_tag(s, &p);
	if (p.error != NULL || parse_sp(&p) == -1 ||
	    parse_word(&p, &name) == -1) {
		login_error(&s->l, p.error);
		return;
	}
	/* A tag and a word: early, maybe, but no other protocol. */
	s->l.commands++;
	v = find_verb(name);
	if (v == NULL) {
		login_error(&s->l, "no such command before a login");
		return;
	}
	if (v->fn(s, &p) == -1)
		login_error(&s->l, p.error);
}

static void
forget_command(struct imap_login *s)
{
	/* There may be a password in it. */
	buf_wipe(&s->c.text);
	collect_next(&s->c);
}

static void
on_literal(struct imap_login *s, size_t input)
{
	struct parse p = collect_command(&s->c);

	if (s->l.in_auth) {
		end_with(s, "no literal here");
		return;
	}
	if (s->c.literal.n <= LOGIN_INPUT_MAX - input &&
	    collect_accept(&s->c) == 0) {
		if (s->c.literal.sync)
			buf_add(&s->l.out, S("+ go on\r\n"));
		return;
	}
	if (!s->c.literal.sync) {
		end_with(s, "literal too large");
		return;
	}
	take_tag(s, &p);
	login_error(&s->l, "[TOOBIG] literal too large");
	forget_command(s);
}

static size_t
on_feed(struct login *l, struct str in)
{
	struct imap_login	*s = of(l);
	size_t			 used = collect_feed(&s->c, in);

	if (login_is_too_much(l, used))
		return used;
	switch (s->c.event) {
	case COLLECT_MORE:
		break;
	case COLLECT_COMMAND:
		run(s);
		forget_command(s);
		break;
	case COLLECT_LITERAL:
		on_literal(s, l->input + used);
		break;
	case COLLECT_TOO_LONG:
		end_with(s, "line too long");
		break;
	}
	return used;
}

static void
on_reply(struct login *l, enum login_reply kind, const char *text)
{
	static const struct {
		const char *status, *code;
	} looks[] = {
		[REPLY_IN] = { "OK", "[CAPABILITY " IMAP_CAPABILITY "] " },
		[REPLY_FAILED] = { "NO", "[AUTHENTICATIONFAILED] " },
		[REPLY_TEMP] = { "NO", "[UNAVAILABLE] " },
		[REPLY_IN_USE] = { "NO", "[INUSE] " },
		[REPLY_CLOSED] = { "NO", "[PRIVACYREQUIRED] " },
		[REPLY_NO] = { "NO", "" },
		[REPLY_BAD] = { "BAD", "" },
	};

	tagged(of(l), looks[kind].status, looks[kind].code, text);
}

static void
on_bye(struct login *l, enum login_bye why, const char *text)
{
	bool ours = why == BYE_FULL || why == BYE_ADDRESS_FULL ||
	    why == BYE_STOPPING;

	buf_addf(&l->out, "* BYE %s%s\r\n", ours ? "[UNAVAILABLE] " : "",
	    text);
}

static void
on_greet(struct login *l)
{
	struct imap_login *s = of(l);

	buf_addf(&l->out, "* OK [CAPABILITY %s] %s IMAP\r\n", caps(s),
	    l->hostname);
}

static struct login *
on_make(void)
{
	struct imap_login *s = xcalloc(1, sizeof(*s));

	collect_init(&s->c);
	buf_init(&s->tag, LOGIN_INPUT_MAX);
	return &s->l;
}

static void
on_free(struct login *l)
{
	struct imap_login *s = of(l);

	buf_wipe(&s->c.text);
	collect_clear(&s->c);
	buf_clear(&s->tag);
	free(s);
}

const struct login_ops imap_login_ops = {
	.make = on_make,
	.free = on_free,
	.greet = on_greet,
	.feed = on_feed,
	.reply = on_reply,
	.bye = on_bye,
};
