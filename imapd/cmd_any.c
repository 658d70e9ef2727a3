/*
 * cmd_any - IMAP commands that need no folder: CAPABILITY NOOP LOGOUT ID
 * NAMESPACE IDLE, and the refusal of a second login.  Pure.
 */
#include "imapd/capability.h"
#include "imapd/session.h"

enum {
	ID_FIELDS_MAX = 30,	/* RFC 2971 3.3 */
	ID_KEY_MAX = 30,
	ID_VALUE_MAX = 1024
};

void
cmd_capability(struct imap *s)
{
	if (imap_arg_end(s) == -1)
		return;
	buf_addz(&s->out, "* CAPABILITY " IMAP_CAPABILITY "\r\n");
	imap_ok(s, "that is all");
}

void
cmd_noop(struct imap *s)
{
	if (imap_arg_end(s) == 0)
		imap_ok(s, "nothing done");
}

void
cmd_logout(struct imap *s)
{
	if (imap_arg_end(s) == -1)
		return;
	imap_deselect(s);
	imap_sync(s);
	buf_addz(&s->out, "* BYE until next time\r\n");
	imap_ok(s, "logged out");
	s->bye = true;
}

void
cmd_login(struct imap *s)
{
	imap_bad(s, "logged in already");
}

/* RFC 2971: what the client says of itself is read and forgotten. */
static int
read_id(struct parse *p)
{
	struct str	word, key;
	unsigned	n = 0;

	if (!parse_is(p, '(')) {
		if (parse_atom(p, &word) == -1 || !str_ieq(word, S("NIL")))
			return parse_fail(p, "a list or NIL is missing");
		return 0;
	}
	p->at++;
	while (!parse_is(p, ')')) {
		if (n > 0 && parse_sp(p) == -1)
			return -1;
		if (n++ == ID_FIELDS_MAX)
			return parse_fail(p, "too many fields");
		if (parse_string(p, &key) == -1 || parse_sp(p) == -1)
			return -1;
		if (parse_is(p, '"') || parse_is(p, '{')) {
			if (parse_string(p, &word) == -1)
				return -1;
		} else if (parse_atom(p, &word) == -1 ||
		    !str_ieq(word, S("NIL"))) {
			return parse_fail(p, "a string or NIL is missing");
		}
		if (key.n > ID_KEY_MAX || word.n > ID_VALUE_MAX)
			return parse_fail(p, "field too long");
	}
	return parse_char(p, ')');
}

void
cmd_id(struct imap *s)
{
	if (parse_sp(&s->args) == -1 || read_id(&s->args) == -1) {
		imap_bad_args(s);
		return;
	}
	if (imap_arg_end(s) == -1)
		return;
	buf_addz(&s->out, "* ID (\"name\" \"Postern\")\r\n");
	imap_ok(s, "pleased to meet you");
}

void
cmd_namespace(struct imap *s)
{
	if (imap_arg_end(s) == -1)
		return;
	buf_addz(&s->out, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	imap_ok(s, "that is all");
}

/* RFC 2177.  What changes is told from imap_step, as it happens. */
void
cmd_idle(struct imap *s)
{
	if (imap_arg_end(s) == -1)
		return;
	buf_addz(&s->out, "+ idling\r\n");
	collect_next(&s->in);
	s->state = IMAP_IDLE;
}

void
idle_line(struct imap *s)
{
	bool		literal = s->in.event == COLLECT_LITERAL;
	struct parse	p = collect_command(&s->in);

	if (str_ieq(str_of(p.p, p.n), S("DONE"))) {
		imap_ok(s, "no longer idle");
		return;
	}
	/* Bytes that nobody asked for would be read as commands. */
	if (literal && !s->in.literal.sync)
		imap_bye(s, "a literal in place of DONE");
	else
		imap_bad(s, "DONE was expected");
}
