/*
 * password - see password.h.
 */
#include "mailctl/password.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int
refuse(const char *why)
{
	fprintf(stderr, "mailctl: %s\n", why);
	return -1;
}

/*
 * One line of standard input, without its end.  What is no password is said
 * here, before anybody is asked to store it.
 */
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
	if (n == -1 || (n == 0 && !any))
		return refuse("no password came on standard input");
	if (!buf_ok(out))
		return refuse("a password has at most 1024 bytes");
	if (out->n == 0)
		return refuse("an empty password is none");
	if (str_chr(buf_str(out), '\0') != -1)
		return refuse("a password cannot hold a NUL: no client could "
		    "send it");
	return 0;
}

static volatile sig_atomic_t caught;

static void
on_signal(int signo)
{
	caught = signo;
}

static void
catch_signals(void (*handler)(int), sigset_t *set)
{
	static const int	signals[] = { SIGINT, SIGTERM, SIGHUP,
				    SIGQUIT };
	struct sigaction	sa = { .sa_handler = handler };
	size_t			i;

	sigemptyset(set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &sa, NULL);
		sigaddset(set, signals[i]);
	}
}

/*
 * A line of the terminal.  Signals come in while it waits and at no other
 * moment, so that the terminal is put right before we go.
 */
static int
wait_line(const sigset_t *outside, struct buf *out)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };

	if (ppoll(&p, 1, NULL, outside) != 1)
		return -1;
	return read_line(out);
}

static int
ask(const char *prompt, struct buf *out)
{
	struct termios	old, quiet;
	sigset_t	set, outside;
	int		rc;

	if (tcgetattr(0, &old) == -1)
		return -1;
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	catch_signals(on_signal, &set);
	sigprocmask(SIG_BLOCK, &set, &outside);
	/* Unseen first, so that nothing typed after the prompt is lost. */
	tcsetattr(0, TCSAFLUSH, &quiet);
	fputs(prompt, stderr);
	rc = wait_line(&outside, out);
	tcsetattr(0, TCSAFLUSH, &old);
	fputc('\n', stderr);
	catch_signals(SIG_DFL, &set);
	if (caught != 0) {
		buf_wipe(out);
		raise(caught);
	}
	sigprocmask(SIG_SETMASK, &outside, NULL);
	return rc;
}

int
password_read(struct buf *out)
{
	struct buf	again;
	int		rc;

	if (!isatty(0))
		return read_line(out);
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
