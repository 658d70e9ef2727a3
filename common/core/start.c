/*
 * start - see start.h.
 */
#include "common/core/start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/core/buf.h"
#include "common/core/log.h"
#include "common/core/loop.h"
#include "common/core/pass.h"
#include "common/core/xalloc.h"

enum { FIRST_FD = 3, FDS_MAX = 8192 };

static struct {
	char	*names[FDS_MAX];
	int	 n;
	int	 notify;		/* or -1 */
} st = { .notify = -1 };

static uint64_t
env_number(const char *name, uint64_t max)
{
	const char	*text = getenv(name);
	uint64_t	 v;

	if (text == NULL)
		return 0;
	if (str_u64(str_c(text), max, &v) == -1)
		fatalx("%s=%s makes no sense", name, text);
	return v;
}

static void
take_names(void)
{
	struct str	rest = str_c(getenv("LISTEN_FDNAMES")), name;
	int		i;

	for (i = 0; i < st.n; i++) {
		if (!str_cut(&rest, ':', &name))
			fatalx("LISTEN_FDNAMES has %d names for %d descriptors",
			    i, st.n);
		st.names[i] = xstr(name);
		if (fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC) == -1)
			fatal("inherited descriptor %s", st.names[i]);
	}
}

void
start_init(void)
{
	signal(SIGPIPE, SIG_IGN);
	/* The C library reads its time zone once: now, not in the sandbox. */
	tzset();
	st.n = (int)env_number("LISTEN_FDS", FDS_MAX);
	if (st.n > 0 && getenv("LISTEN_FDNAMES") != NULL)
		take_names();
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("LISTEN_PID");
	st.notify = start_fd_maybe("notify");
}

int
start_fd_next(const char *name, int *i)
{
	for (; *i < st.n; (*i)++) {
		if (st.names[*i] != NULL && strcmp(st.names[*i], name) == 0)
			return FIRST_FD + (*i)++;
	}
	return -1;
}

int
start_fd_prefix(const char *prefix, int *i, const char **name)
{
	size_t n = strlen(prefix);

	for (; *i < st.n; (*i)++) {
		if (st.names[*i] == NULL ||
		    strncmp(st.names[*i], prefix, n) != 0)
			continue;
		*name = st.names[*i] + n;
		return FIRST_FD + (*i)++;
	}
	return -1;
}

void
start_forget(void)
{
	st.n = 0;
	st.notify = -1;
}

int
start_fd_maybe(const char *name)
{
	int i = 0;

	return start_fd_next(name, &i);
}

int
start_fd(const char *name)
{
	int fd = start_fd_maybe(name);

	if (fd == -1)
		fatalx("no descriptor \"%s\" was passed; start this program "
		    "with mailctl run", name);
	return fd;
}

int
start_view(void)
{
	return start_fd_maybe("view");
}

/* -- telling the starter ------------------------------------------------ */

static void
notify(struct str text, int fd)
{
	/* The starter always reads; a short wait is better than a loss. */
	while (st.notify != -1 &&
	    pass_send(st.notify, text, fd, MSG_NOSIGNAL) == -1 &&
	    errno == EINTR)
		continue;
}

void
start_ready(const char *status)
{
	struct buf b;

	buf_init(&b, 1024);
	buf_addf(&b, "READY=1\nSTATUS=%s\n", status);
	notify(buf_str(&b), -1);
	buf_clear(&b);
}

void
start_fdstore(const char *name, int fd)
{
	struct buf b;

	buf_init(&b, 256);
	buf_addf(&b, "FDSTORE=1\nFDNAME=%s\n", name);
	notify(buf_str(&b), fd);
	buf_clear(&b);
}

void
start_fdremove(const char *name)
{
	struct buf b;

	buf_init(&b, 256);
	buf_addf(&b, "FDSTOREREMOVE=1\nFDNAME=%s\n", name);
	notify(buf_str(&b), -1);
	buf_clear(&b);
}

/* The starter sends nothing: what becomes readable is its end. */
static void
on_starter(void *arg, int events)
{
	char	c;
	ssize_t	n;

	(void)arg;
	(void)events;
	n = recv(st.notify, &c, 1, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		return;
	log_error("the starter is gone");
	log_flush();
	_exit(1);
}

void
start_watch(void)
{
	if (st.notify != -1)
		loop_watch(st.notify, LOOP_READ, on_starter, NULL);
}
