/*
 * command - see command.h.  Pure.
 */
#include "pop3d/command.h"

static bool
is_clean(struct str s)
{
	return str_chr(s, '\r') == -1 && str_chr(s, '\n') == -1 &&
	    str_chr(s, '\0') == -1;
}

enum pop3_cut
pop3_cut(struct str in, size_t max, bool *skip, struct pop3_command *c,
    size_t *used)
{
	ptrdiff_t	end = str_find(in, S("\r\n"));
	bool		skipped = *skip;

	if (end == -1) {
		*used = 0;
		if (!skipped && in.n < max)
			return POP3_MORE;
		*skip = true;
		if (in.n > 0)
			*used = in.p[in.n - 1] == '\r' ? in.n - 1 : in.n;
		return POP3_MORE;
	}
	*used = (size_t)end + 2;
	*skip = false;
	c->line = str_sub(in, 0, (size_t)end);
	if (skipped || *used > max || !is_clean(c->line))
		return POP3_BAD;
	c->arg = c->line;
	str_cut(&c->arg, ' ', &c->verb);
	return POP3_GOT;
}

void
pop3_capa(struct buf *out, bool login)
{
	buf_add(out, S("+OK\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
	    "PIPELINING\r\n"));
	if (login)
		buf_add(out, S("USER\r\nSASL PLAIN\r\n"));
	buf_add(out, S(".\r\n"));
}
