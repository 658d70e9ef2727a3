/*
 * login - see login.h.
 */
#include "pop3d/login.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "pop3d/command.h"

/* Room for user and password at their longest, in base64. */
enum { LINE_MAX = 3072 };

struct pop3_login {
	struct login	l;
	struct buf	user;		/* of USER, until PASS */
	bool		skip;		/* inside a line that is too long */
	bool		in_auth;	/* the next line is AUTH's */
};

static struct pop3_login *
of(struct login *l)
{
	return (struct pop3_login *)((char *)l -
	    offsetof(struct pop3_login, l));
}

static void
ok(struct pop3_login *s, const char *text)
{
	buf_addf(&s->l.out, "+OK %s\r\n", text);
}

static void
err(struct pop3_login *s, const char *text)
{
	buf_addf(&s->l.out, "-ERR %s\r\n", text);
}

static void
wrong(struct pop3_login *s, const char *text)
{
	err(s, text);
	login_error(&s->l);
}

/* The one text for everything that is not a right user and password. */
static void
fail(struct pop3_login *s)
{
	err(s, "[AUTH] wrong user or password");
	login_failure(&s->l);
}

static bool
is_closed_to_passwords(struct pop3_login *s)
{
	if (!s->l.open)
		err(s, "[SYS/PERM] no passwords over this connection");
	return !s->l.open;
}

/* -- commands --------------------------------------------------------- */

static void
do_user(struct pop3_login *s, struct str arg)
{
	if (is_closed_to_passwords(s))
		return;
	if (arg.n == 0) {
		wrong(s, "USER wants a name");
		return;
	}
	buf_clear(&s->user);
	buf_add(&s->user, arg);
	ok(s, "now PASS");
}

static void
do_pass(struct pop3_login *s, struct str arg)
{
	struct str user = buf_str(&s->user);

	if (is_closed_to_passwords(s))
		return;
	if (user.n == 0) {
		wrong(s, "USER first");
		return;
	}
	/* All behind the first blank is the password, blanks included. */
	if (!login_ask(&s->l, user, arg))
		fail(s);
	buf_clear(&s->user);
}

static void
plain(struct pop3_login *s, struct str base64)
{
	switch (login_ask_plain(&s->l, base64)) {
	case PLAIN_ASKED:
		return;
	case PLAIN_NOT_BASE64:
		wrong(s, "not base64");
		return;
	case PLAIN_REFUSED:
		fail(s);
		return;
	}
}

static void
do_auth(struct pop3_login *s, struct str arg)
{
	struct str mechanism = S("");

	str_cut(&arg, ' ', &mechanism);
	if (!str_ieq(mechanism, S("PLAIN"))) {
		wrong(s, "PLAIN is the only mechanism");
		return;
	}
	if (is_closed_to_passwords(s))
		return;
	if (arg.p != NULL) {
		plain(s, arg);
		return;
	}
	s->in_auth = true;
	buf_add(&s->l.out, S("+ \r\n"));
}

static void
do_capa(struct pop3_login *s, struct str arg)
{
	(void)arg;
	pop3_capa(&s->l.out, s->l.open);
}

static void
do_noop(struct pop3_login *s, struct str arg)
{
	(void)arg;
	ok(s, "done");
}

static void
do_quit(struct pop3_login *s, struct str arg)
{
	(void)arg;
	ok(s, "bye");
	s->l.state = LOGIN_OVER;
}

static const struct verb {
	struct str	name;
	void		(*fn)(struct pop3_login *, struct str arg);
} verbs[] = {
	{ STR_INIT("USER"), do_user },
	{ STR_INIT("PASS"), do_pass },
	{ STR_INIT("AUTH"), do_auth },
	{ STR_INIT("CAPA"), do_capa },
	{ STR_INIT("NOOP"), do_noop },
	{ STR_INIT("QUIT"), do_quit },
};

static void
run(struct pop3_login *s, const struct pop3_command *c)
{
	size_t i;

	if (s->in_auth) {
		s->in_auth = false;
		if (str_eq(c->line, S("*")))
			err(s, "cancelled");
		else
			plain(s, c->line);
		return;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (str_ieq(c->verb, verbs[i].name)) {
			s->l.commands++;
			verbs[i].fn(s, c->arg);
			return;
		}
	}
	wrong(s, "unknown command");
}

/* -- the engine ------------------------------------------------------- */

static size_t
on_feed(struct login *l, struct str in)
{
	struct pop3_login	*s = of(l);
	struct pop3_command	 c;
	size_t			 used;
	enum pop3_cut		 r;

	r = pop3_cut(in, LINE_MAX, &s->skip, &c, &used);
	if (l->input + (r == POP3_MORE ? in.n : used) > LOGIN_INPUT_MAX) {
		err(s, "too much before a login");
		l->state = LOGIN_OVER;
		return used;
	}
	if (r == POP3_GOT)
		run(s, &c);
	else if (r == POP3_BAD) {
		s->in_auth = false;
		wrong(s, "not a command line");
	}
	return used;
}

static void
on_answer(struct login *l, enum login_answer answer)
{
	struct pop3_login *s = of(l);

	switch (answer) {
	case ANSWER_OK:
		ok(s, "logged in");
		return;
	case ANSWER_BAD:
		fail(s);
		return;
	case ANSWER_TEMP:
		err(s, "[SYS/TEMP] no login now, try again later");
		return;
	case ANSWER_UNAVAILABLE:
		err(s, "[SYS/TEMP] the mailbox is not available now");
		return;
	}
}

static void
on_bye(struct login *l, enum login_bye why)
{
	struct pop3_login *s = of(l);

	switch (why) {
	case BYE_FULL:
		err(s, "[SYS/TEMP] too many connections");
		return;
	case BYE_ADDRESS_FULL:
		err(s, "[SYS/TEMP] too many connections from your address");
		return;
	case BYE_TIME:
		err(s, "[SYS/TEMP] no login in time");
		return;
	case BYE_STOPPING:
		err(s, "[SYS/TEMP] going down");
		return;
	}
}

static void
on_greet(struct login *l)
{
	buf_addf(&l->out, "+OK %s POP3\r\n", l->hostname);
}

static struct login *
on_make(void)
{
	struct pop3_login *s = xcalloc(1, sizeof(*s));

	buf_init(&s->user, LINE_MAX);
	return &s->l;
}

static void
on_free(struct login *l)
{
	struct pop3_login *s = of(l);

	buf_clear(&s->user);
	free(s);
}

const struct login_ops pop3_login_ops = {
	.make = on_make,
	.free = on_free,
	.greet = on_greet,
	.feed = on_feed,
	.answer = on_answer,
	.bye = on_bye,
};
