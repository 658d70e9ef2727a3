/*
 * client - see client.h.
 */
#include "mailctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/core/loop.h"
#include "mailctl/exits.h"
#include "mailctl/print.h"

enum { WORDS_BYTES_MAX = 100 * 1024, DIAL_TRIES = 50, DIAL_WAIT_MS = 20 };

struct call {
	const struct instance	*instance;
	const struct ctl_info	*info;
	char			**words;
	unsigned		 n;
	struct str		 extra;
	struct chan		*chan;
	struct printer		*printer;
	struct loop_timer	*late;
	bool			 json;
	bool			 any;		/* rows have come */
	bool			 shown;		/* progress, on the terminal */
	int			 code;
};

static void
ask(struct call *c, struct str extra)
{
	struct rec_word	 w;
	struct buf	 b;
	uint32_t	 n = 0;
	unsigned	 i;

	loop_timer_set(c->late, CLIENT_WAIT_MS);
	buf_init(&b, WORDS_BYTES_MAX);
	for (i = 0; i < c->n; i++) {
		if (strlen(c->words[i]) > CTL_WORD_MAX) {
			b.bad = true;
			break;
		}
		w.word = str_c(c->words[i]);
		rec_add_word(&b, &n, &w);
	}
	w.word = extra;
	if (c->info->extra != CTL_EXTRA_NONE)
		rec_add_word(&b, &n, &w);
	if (!buf_ok(&b)) {
		fprintf(stderr, "mailctl: the command is too long\n");
		c->code = EX_USAGE_;
		loop_stop();
	} else
		chan_send_ctl(c->chan, &(struct msg_ctl){ .id = 1,
		    .verb = (uint16_t)c->info->verb,
		    .words = msg_list_of(&b, n) }, -1);
	buf_wipe(&b);
}

static int
exit_code(unsigned status)
{
	static const int codes[] = {
		[CTL_OK] = EX_DONE,
		[CTL_FAILED] = EX_FAILED,
		[CTL_USAGE] = EX_USAGE_,
		[CTL_NOT_FOUND] = EX_NOT_FOUND,
		[CTL_REFUSED] = EX_REFUSED,
	};

	return status < sizeof(codes) / sizeof(codes[0]) ? codes[status] :
	    EX_FAILED;
}

/* How far it is, for who watches; gone before the next line. */
static void
show_progress(struct call *c, struct str text)
{
	if (c->json || (text.n == 0 && !c->shown) || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "%.*s\033[K\r", (int)text.n, text.p);
	c->shown = text.n > 0;
}

static void
on_done(struct call *c, const struct msg_ctl_done *d)
{
	show_progress(c, S(""));
	if (d->status == CTL_OK && d->next.n > 0) {
		print_page(c->printer);
		show_progress(c, d->text);
		ask(c, d->next);
		return;
	}
	c->code = exit_code(d->status);
	if (d->status == CTL_OK)
		print_text(c->printer, d->text);
	else if (d->text.n > 0)
		fprintf(stderr, "mailctl: %.*s\n", (int)d->text.n, d->text.p);
	loop_stop();
}

static int
on_msg(struct chan *chan, const struct msg *m, int fd)
{
	struct call *c = chan_arg(chan);

	(void)fd;
	if (m->type == MSG_CTL_ROW) {
		print_row(c->printer, m->ctl_row.columns);
		c->any = true;
	} else if (m->type == MSG_CTL_DONE)
		on_done(c, &m->ctl_done);
	else
		return -1;
	return 0;
}

/* As the daemons see it: they close to anybody else without a word. */
static bool
may_ask(const struct instance *in)
{
	struct stat st;

	return ctl_is_operator(geteuid()) ||
	    (fstat(in->dirfd, &st) == 0 && st.st_uid == geteuid());
}

static void
on_down(struct chan *chan)
{
	struct call *c = chan_arg(chan);

	if (may_ask(c->instance)) {
		fprintf(stderr, "mailctl: %s closed the connection: it went "
		    "away\n", c->info->daemon);
		c->code = EX_UNREACHABLE;
	} else {
		fprintf(stderr, "mailctl: %s refuses: user %u is not one of "
		    "its operators\n", c->info->daemon, geteuid());
		c->code = EX_REFUSED;
	}
	loop_stop();
}

static void
on_late(void *arg)
{
	struct call *c = arg;

	fprintf(stderr, "mailctl: %s did not answer within %d s\n",
	    c->info->daemon, CLIENT_WAIT_MS / 1000);
	c->code = EX_UNREACHABLE;
	loop_stop();
}

static const struct chan_ops ops = { .on_msg = on_msg, .on_down = on_down };

static enum role
role_of(const char *daemon)
{
	if (strcmp(daemon, "authd") == 0)
		return R_AUTHD;
	if (strcmp(daemon, "queued") == 0)
		return R_QUEUED;
	if (strcmp(daemon, "mailboxd") == 0)
		return R_MAILBOXD;
	return R_STARTER;
}

static int
dial_once(const struct instance *in, const char *daemon)
{
	int	dir = openat(in->dirfd, "run/ctl", O_PATH | O_DIRECTORY |
		    O_CLOEXEC);
	int	fd = -1, error;

	if (dir != -1 && fchdir(dir) == 0)
		fd = chan_dial(daemon, SOCK_SEQPACKET);
	error = errno;
	if (dir != -1)
		close(dir);
	errno = error;
	return fd;
}

/* Waits a little: "mailctl run &" may be the line before this one. */
static int
dial(const struct instance *in, const char *daemon)
{
	int	fd = dial_once(in, daemon), i;

	for (i = 0; fd == -1 && (errno == ENOENT || errno == ECONNREFUSED) &&
	    i < DIAL_TRIES; i++) {
		poll(NULL, 0, DIAL_WAIT_MS);
		fd = dial_once(in, daemon);
	}
	if (fd == -1)
		fprintf(stderr, "mailctl: cannot reach %s below %s: %s; does "
		    "\"mailctl -c %s run\" run?\n", daemon, in->dir,
		    strerror(errno), in->conf_path);
	return fd;
}

int
client_run(const struct instance *in, const struct ctl_info *info,
    char **words, unsigned n, struct str extra, bool json)
{
	struct call	 c = { .instance = in, .info = info,
			    .words = words, .n = n, .extra = extra,
			    .json = json };
	bool		 is_list = info->extra == CTL_EXTRA_CURSOR ||
			    info->verb == CTL_STATUS;
	int		 fd = dial(in, info->daemon);

	if (fd == -1)
		return EX_UNREACHABLE;
	loop_init();
	chan_init();
	c.printer = print_new(is_list ? PRINT_TABLE : PRINT_ONE, json);
	c.chan = chan_new(fd, R_MAILCTL, role_of(info->daemon), &ops, &c);
	c.late = loop_timer(on_late, &c);
	ask(&c, extra);
	loop_run();
	/* A scrub that found something has rows and fails. */
	if (c.code == EX_DONE || c.any)
		print_end(c.printer);
	loop_timer_free(c.late);
	return c.code;
}
