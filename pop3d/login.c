/*
 * login - see login.h.
 */
#include "pop3d/login.h"

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

/* -- commands --------------------------------------------------------- */

static void
do_user(struct pop3_login *s, struct str arg)
{
	if (login_is_closed(&s->l))
		return;
	if (arg.n == 0) {
		login_error(&s->l, "USER wants a name");
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

	if (login_is_closed(&s->l))
		return;
	if (user.n == 0) {
		login_error(&s->l, "USER first");
		return;
	}
	/* All behind the first blank is the password, blanks included. */
	login_try(&s->l, user, arg);
	buf_clear(&s->user);
}

static void
do_auth(struct pop3_login *s, struct str arg)
{
	struct str mechanism = S("");

	str_cut(&arg, ' ', &mechanism);
	login_auth(&s->l, mechanism, arg);
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

static void
do_early(struct pop3_login *s, struct str arg)
{
	(void)arg;
	login_error(&s->l, "log in first");
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
	/* RFC 1939 5: of the TRANSACTION state. */
	{ STR_INIT("STAT"), do_early },
	{ STR_INIT("LIST"), do_early },
	{ STR_INIT("RETR"), do_early },
	{ STR_INIT("DELE"), do_early },
	{ STR_INIT("RSET"), do_early },
	{ STR_INIT("TOP"), do_early },
	{ STR_INIT("UIDL"), do_early },
};

static void
run(struct pop3_login *s, const struct pop3_command *c)
{
	size_t i;

	if (s->l.in_auth) {
		login_auth_line(&s->l, c->line);
		return;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (str_ieq(c->verb, verbs[i].name)) {
			s->l.commands++;
			verbs[i].fn(s, c->arg);
			return;
		}
	}
	login_error(&s->l, "unknown command");
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
	if (login_is_too_much(l, r == POP3_MORE ? in.n : used))
		return used;
	if (r == POP3_GOT)
		run(s, &c);
	else if (r == POP3_BAD) {
		l->in_auth = false;
		login_error(&s->l, "not a command line");
	}
	return used;
}

static void
on_reply(struct login *l, enum login_reply kind, const char *text)
{
	static const char *const status[] = {
		[REPLY_IN] = "+OK",
		[REPLY_FAILED] = "-ERR [AUTH]",
		[REPLY_TEMP] = "-ERR [SYS/TEMP]",
		[REPLY_IN_USE] = "-ERR [IN-USE]",
		[REPLY_CLOSED] = "-ERR [SYS/PERM]",
		[REPLY_NO] = "-ERR",
		[REPLY_BAD] = "-ERR",
	};

	buf_addf(&l->out, "%s %s\r\n", status[kind], text);
}

static void
on_bye(struct login *l, enum login_bye why, const char *text)
{
	switch (why) {
	case BYE_FULL:
	case BYE_ADDRESS_FULL:
	case BYE_TIME:
	case BYE_STOPPING:
		on_reply(l, REPLY_TEMP, text);
		return;
	case BYE_INPUT:
		on_reply(l, REPLY_BAD, text);
		return;
	case BYE_ERRORS:
	case BYE_FAILURES:
		/* The reply to the last of them has been said. */
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
	.reply = on_reply,
	.bye = on_bye,
};
