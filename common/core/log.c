/*
 * log - see log.h.  Writes to one descriptor and never waits for it.
 */
#include "common/core/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/core/clock.h"
#include "common/core/id.h"

static_assert(LOG_LINE_MAX <= PIPE_BUF, "a pipe takes a line whole");

/* An event of log_event_often. */
struct often {
	const char	*event;
	int64_t		 paid;	/* ms: when what was logged is paid for */
	uint64_t	 left_out;
	int64_t		 tell;	/* ms: when to say so */
};

static struct {
	const char	*name;
	enum log_level	 level;
	int		 fd;
	struct buf	 out;
	uint64_t	 dropped;
	bool		 ready;
	struct often	 often[LOG_OFTEN_EVENTS];
	unsigned	 noften;
} lg = { .name = "postern", .level = LOG_INFO, .fd = 2 };

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

void
log_init(const char *name)
{
	lg.name = name;
}

void
log_level(enum log_level level)
{
	lg.level = level;
}

void
log_to(int fd)
{
	lg.fd = fd;
}

void
log_own(void)
{
	struct stat	st;
	char		path[32];
	int		fd;

	if (fstat(lg.fd, &st) == -1 ||
	    (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", lg.fd);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return;
	dup3(fd, lg.fd, fcntl(lg.fd, F_GETFD) == 0 ? 0 : O_CLOEXEC);
	close(fd);
}

/* True if the text can stand without quotes. */
static bool
is_plain(struct str s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] > 0x7e || s.p[i] == '"' ||
		    s.p[i] == '\\' || s.p[i] == '=')
			return false;
	}
	return s.n > 0;
}

void
log_escape(struct buf *b, struct str s)
{
	struct str	shown = str_sub(s, 0, LOG_TEXT_MAX);
	size_t		i;
	char		c;

	if (is_plain(s) && shown.n == s.n) {
		buf_add(b, s);
		return;
	}
	buf_addc(b, '"');
	for (i = 0; i < shown.n; i++) {
		c = shown.p[i];
		if (c == '"' || c == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, c);
		} else if (c >= 0x20 && c <= 0x7e)
			buf_addc(b, c);
		else
			buf_addf(b, "\\x%02x", (unsigned char)c);
	}
	buf_addz(b, shown.n < s.n ? "...\"" : "\"");
}

static void
add_stamp(struct buf *b)
{
	int64_t		 ms = clock_wall();
	time_t		 t = (time_t)(ms / 1000);
	struct tm	 tm;

	gmtime_r(&t, &tm);
	buf_addf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, (int)(ms % 1000));
}

static void
add_field(struct buf *b, const struct log_field *f)
{
	buf_addc(b, ' ');
	buf_addz(b, f->key);
	buf_addc(b, '=');
	switch (f->kind) {
	case LOGF_STR:
		log_escape(b, f->str);
		break;
	case LOGF_NUM:
		buf_addf(b, "%lld", (long long)f->num);
		break;
	case LOGF_ID:
		buf_addz(b, id_text((uint64_t)f->num).s);
		break;
	case LOGF_END:
		break;
	}
}

static void
format_line(struct buf *b, enum log_level level, const char *event,
    const struct log_field *f)
{
	add_stamp(b);
	buf_addz(b, lg.name);
	buf_addc(b, ' ');
	buf_addz(b, level_names[level]);
	buf_addc(b, ' ');
	log_escape(b, str_c(event));
	for (; f->kind != LOGF_END; f++)
		add_field(b, f);
	if (b->n > LOG_LINE_MAX - 4) {
		buf_trunc(b, LOG_LINE_MAX - 4);
		buf_addz(b, "...");
	}
	buf_addc(b, '\n');
}

static void
add_line(enum log_level level, const char *event, const struct log_field *f)
{
	struct buf line;

	if (!lg.ready) {
		buf_init(&lg.out, LOG_BUFFER_MAX);
		lg.ready = true;
	}
	buf_init(&line, 64 * 1024);
	format_line(&line, level, event, f);
	if (!buf_ok(&line) || line.n > buf_left(&lg.out))
		lg.dropped++;
	else
		buf_add(&lg.out, buf_str(&line));
	buf_clear(&line);
}

void
log_event(enum log_level level, const char *event, const struct log_field *f)
{
	int saved = errno;

	if (level <= lg.level)
		add_line(level, event, f);
	errno = saved;
}

/* -- what comes often ------------------------------------------------- */

static struct often *
often_of(const char *event)
{
	unsigned i;

	for (i = 0; i < lg.noften; i++) {
		if (strcmp(lg.often[i].event, event) == 0)
			return &lg.often[i];
	}
	assert(lg.noften < LOG_OFTEN_EVENTS);
	lg.often[lg.noften] = (struct often){ .event = event };
	return &lg.often[lg.noften++];
}

/* Each line is paid for with time; a burst is on credit. */
static bool
may_log(struct often *o, int64_t now)
{
	static const int64_t price = 1000 / LOG_OFTEN_RATE;

	if (o->paid < now)
		o->paid = now;
	if (o->paid - now > (LOG_OFTEN_BURST - 1) * price)
		return false;
	o->paid += price;
	return true;
}

void
log_event_often(enum log_level level, const char *event,
    const struct log_field *f)
{
	struct often	*o;
	int64_t		 now = clock_now();

	if (level > lg.level)
		return;
	o = often_of(event);
	if (may_log(o, now)) {
		log_event(level, event, f);
		return;
	}
	if (o->left_out++ == 0)
		o->tell = now + LOG_OFTEN_TELL_MS;
}

static void
tell_left_out(void)
{
	struct often	*o;
	int64_t		 now = clock_now();

	for (o = lg.often; o < lg.often + lg.noften; o++) {
		if (o->left_out == 0 || now < o->tell)
			continue;
		/* Not lost for want of room. */
		if (lg.ready && buf_left(&lg.out) <= LOG_LINE_MAX)
			return;
		add_line(LOG_WARN, "lines left out", LOG_FIELDS(
		    L_Z("event", o->event), L_NUM("count", o->left_out)));
		o->left_out = 0;
	}
}

static bool
has_left_out(void)
{
	unsigned i;

	for (i = 0; i < lg.noften; i++) {
		if (lg.often[i].left_out > 0)
			return true;
	}
	return false;
}

/* -- to the reader ---------------------------------------------------- */

/* True if a write now takes at least something. */
static bool
is_writable(void)
{
	struct pollfd p = { .fd = lg.fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

/* As many lines as a pipe takes whole, or not at all. */
static struct str
next_lines(void)
{
	struct str	s = str_sub(buf_str(&lg.out), 0, PIPE_BUF);
	ptrdiff_t	end = str_rchr(s, '\n');

	return str_sub(s, 0, (size_t)(end + 1));
}

static void
write_out(void)
{
	struct str	s;
	ssize_t		n;

	/*
	 * One that log_own could not open may be shared with others, so
	 * that O_NONBLOCK is not ours to set: ask first.
	 */
	while (lg.out.n > 0 && is_writable()) {
		s = next_lines();
		n = write(lg.fd, s.p, s.n);
		if (n <= 0)
			break;
		buf_drop(&lg.out, (size_t)n);
	}
	/* Empty, it may be tried again after memory ran out. */
	if (lg.out.n == 0)
		buf_reset(&lg.out);
}

void
log_flush(void)
{
	uint64_t dropped;

	tell_left_out();
	if (!lg.ready)
		return;
	write_out();
	dropped = lg.dropped;
	if (dropped == 0 || buf_left(&lg.out) <= LOG_LINE_MAX)
		return;
	/* Whatever the level is: a hole in the log is not silent. */
	lg.dropped = 0;
	add_line(LOG_WARN, "log lines dropped",
	    LOG_FIELDS(L_NUM("count", dropped)));
	write_out();
}

bool
log_is_behind(void)
{
	return lg.out.n > 0 || lg.dropped > 0 || has_left_out();
}

static _Noreturn void
die(const char *text, int error)
{
	if (error != 0)
		log_error("fatal", L_Z("what", text),
		    L_Z("error", strerror(error)));
	else
		log_error("fatal", L_Z("what", text));
	log_flush();
	exit(1);
}

void
fatal(const char *fmt, ...)
{
	int	error = errno;
	char	text[1024];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	die(text, error);
}

void
fatalx(const char *fmt, ...)
{
	char	text[1024];
	va_list	ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	die(text, 0);
}
