/*
 * password - see password.h.
 */
#include "mailctl/password.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One line of standard input, without its end. */
static int
read_line(struct buf *out)
{
	ssize_t	n;
	char	c = 0;
	bool	any = false;

	while ((n = read(0, &c, 1)) == 1 && c != '\n') {
		buf_addc(out, c);
		any = true;
	}
	if (out->n > 0 && out->p[out->at + out->n - 1] == '\r')
		buf_trunc(out, out->n - 1);
	return n == -1 || (n == 0 && !any) || !buf_ok(out) ? -1 : 0;
}

static int
ask(const char *prompt, struct buf *out)
{
	struct termios	old, quiet;
	int		rc;

	if (tcgetattr(0, &old) == -1)
		return -1;
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	/* Unseen first: nothing typed after the prompt is thrown away. */
	tcsetattr(0, TCSAFLUSH, &quiet);
	fputs(prompt, stderr);
	rc = read_line(out);
	tcsetattr(0, TCSAFLUSH, &old);
	fputc('\n', stderr);
	return rc;
}

int
password_read(struct buf *out)
{
	struct buf	again;
	int		rc;

	if (!isatty(0)) {
		rc = read_line(out);
		if (rc == -1)
			fprintf(stderr, "mailctl: no password came on "
			    "standard input\n");
		return rc;
	}
	buf_init(&again, out->max);
	rc = ask("Password: ", out);
	if (rc == 0)
		rc = ask("Again: ", &again);
	if (rc == 0 && !str_eq(buf_str(out), buf_str(&again))) {
		fprintf(stderr, "mailctl: the two are not the same\n");
		rc = -1;
	}
	buf_wipe(&again);
	return rc;
}
