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
	bool		in_auth;	/* the next line is AUTHENTICATE's */
};

static struct imap_login *
of(struct login *l)
{
	return (struct imap_login *)((char *)l -
	    offsetof(struct imap_login, l));
}

/* Tagged; without a tag that can be said back, "*". */
static void
reply(struct imap_login *s, const char *status, const char *text)
{
	if (s->tag.n == 0)
		buf_addc(&s->l.out, '*');
	else
		buf_add(&s->l.out, buf_str(&s->tag));
	buf_addf(&s->l.out, " %s %s\r\n", status, text);
}

static void
end_with(struct imap_login *s, const char *bye)
{
	buf_addf(&s->l.out, "* BYE %s\r\n", bye);
	s->l.state = LOGIN_OVER;
}

static void
bad(struct imap_login *s, const char *why)
{
	reply(s, "BAD", why);
	login_error(&s->l);
	if (s->l.state == LOGIN_OVER)
		end_with(s, "too many errors");
}

static const char *
caps(const struct imap_login *s)
{
	return s->l.open ? IMAP_CAPABILITY_LOGIN : IMAP_CAPABILITY_NO_LOGIN;
}

/* The one text for everything that is not a right user and password. */
static void
fail(struct imap_login *s)
{
	reply(s, "NO", "[AUTHENTICATIONFAILED] wrong user or password");
	login_failure(&s->l);
	if (s->l.state == LOGIN_OVER)
		end_with(s, "too many failures");
}

static bool
is_closed_to_passwords(struct imap_login *s)
{
	if (!s->l.open)
		reply(s, "NO", "[PRIVACYREQUIRED] no passwords over this "
		    "connection");
	return !s->l.open;
}

/* -- commands: 0, or -1 when p->error says what is wrong --------------- */

static int
do_capability(struct imap_login *s, struct parse *p)
{
	if (parse_end(p) == -1)
		return -1;
	buf_addf(&s->l.out, "* CAPABILITY %s\r\n", caps(s));
	reply(s, "OK", "done");
	return 0;
}

static int
do_noop(struct imap_login *s, struct parse *p)
{
	if (parse_end(p) == -1)
		return -1;
	reply(s, "OK", "done");
	return 0;
}

static int
do_logout(struct imap_login *s, struct parse *p)
{
	if (parse_end(p) == -1)
		return -1;
	end_with(s, "logging out");
	reply(s, "OK", "bye");
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
	reply(s, "OK", "done");
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
	if (is_closed_to_passwords(s))
		return 0;
	if (!login_ask(&s->l, user, password))
		fail(s);
	return 0;
}

static void
plain(struct imap_login *s, struct str base64)
{
	switch (login_ask_plain(&s->l, base64)) {
	case PLAIN_ASKED:
		return;
	case PLAIN_NOT_BASE64:
		bad(s, "not base64");
		return;
	case PLAIN_REFUSED:
		fail(s);
		return;
	}
}

static int
do_authenticate(struct imap_login *s, struct parse *p)
{
	struct str mechanism, base64;

	if (parse_sp(p) == -1 || parse_atom(p, &mechanism) == -1)
		return -1;
	if (!str_ieq(mechanism, S("PLAIN"))) {
		reply(s, "NO", "PLAIN is the only mechanism");
		return 0;
	}
	if (is_closed_to_passwords(s))
		return 0;
	if (!parse_is_end(p)) {
		if (parse_sp(p) == -1)
			return -1;
		base64 = str_of(p->p + p->at, p->n - p->at);
		/* "=" is the empty message: RFC 4959 section 3. */
		plain(s, str_eq(base64, S("=")) ? S("") : base64);
		return 0;
	}
	s->in_auth = true;
	buf_add(&s->l.out, S("+ \r\n"));
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

	if (s->in_auth) {
		s->in_auth = false;
		if (str_eq(str_of(p.p, p.n), S("*")))
			bad(s, "cancelled");
		else
			plain(s, str_of(p.p, p.n));
		return;
	}
	take_tag(s, &p);
	if (p.error != NULL || parse_sp(&p) == -1 ||
	    parse_word(&p, &name) == -1) {
		bad(s, p.error);
		return;
	}
	v = find_verb(name);
	if (v == NULL) {
		bad(s, "no such command before a login");
		return;
	}
	s->l.commands++;
	if (v->fn(s, &p) == -1)
		bad(s, p.error);
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

	if (s->in_auth) {
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
	bad(s, "[TOOBIG] literal too large");
	forget_command(s);
}

static size_t
on_feed(struct login *l, struct str in)
{
	struct imap_login	*s = of(l);
	size_t			 used = collect_feed(&s->c, in);
	size_t			 input = l->input + used;

	if (input > LOGIN_INPUT_MAX) {
		end_with(s, "too much before a login");
		return used;
	}
	switch (s->c.event) {
	case COLLECT_MORE:
		break;
	case COLLECT_COMMAND:
		run(s);
		forget_command(s);
		break;
	case COLLECT_LITERAL:
		on_literal(s, input);
		break;
	case COLLECT_TOO_LONG:
		end_with(s, "line too long");
		break;
	}
	return used;
}

static void
on_answer(struct login *l, enum login_answer answer)
{
	struct imap_login *s = of(l);

	switch (answer) {
	case ANSWER_OK:
		reply(s, "OK", "[CAPABILITY " IMAP_CAPABILITY "] logged in");
		return;
	case ANSWER_BAD:
		fail(s);
		return;
	case ANSWER_TEMP:
		reply(s, "NO", "[UNAVAILABLE] no login now, try again later");
		return;
	case ANSWER_UNAVAILABLE:
		reply(s, "NO", "[UNAVAILABLE] the mailbox is not available "
		    "now");
		return;
	}
}

static void
on_bye(struct login *l, enum login_bye why)
{
	struct imap_login *s = of(l);

	switch (why) {
	case BYE_FULL:
		end_with(s, "[UNAVAILABLE] too many connections");
		return;
	case BYE_ADDRESS_FULL:
		end_with(s, "[UNAVAILABLE] too many connections from your "
		    "address");
		return;
	case BYE_TIME:
		end_with(s, "no login in time");
		return;
	case BYE_STOPPING:
		end_with(s, "[UNAVAILABLE] going down");
		return;
	}
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
	.answer = on_answer,
	.bye = on_bye,
};
