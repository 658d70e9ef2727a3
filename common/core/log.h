/*
 * log - one line per event, key=value, to standard error.
 *
 *	2026-11-20T10:11:12.345Z smtpd info accepted sid=... qid=... size=512
 *
 * Foreign text goes through one escaping function (log_escape) and can
 * neither end a line nor move a terminal.  Lines gather during a turn of the
 * loop; log_flush writes them, whole lines at a time, without ever blocking.
 * What does not fit the buffer is dropped and counted, and the count is
 * logged when there is room.
 *
 *	log_info("accepted", L_SID(sid), L_QID(qid), L_STR("from", from));
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "common/core/buf.h"

enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG
};

enum log_kind {
	LOGF_END,
	LOGF_STR,
	LOGF_NUM,
	LOGF_ID
};

struct log_field {
	enum log_kind	 kind;
	const char	*key;
	struct str	 str;
	int64_t		 num;
};

#define L_STR(k, v)	{ LOGF_STR, (k), (v), 0 }
#define L_Z(k, v)	{ LOGF_STR, (k), str_c(v), 0 }
#define L_NUM(k, v)	{ LOGF_NUM, (k), { NULL, 0 }, (int64_t)(v) }
#define L_ID(k, v)	{ LOGF_ID, (k), { NULL, 0 }, (int64_t)(v) }
#define L_SID(v)	L_ID("sid", v)
#define L_QID(v)	L_ID("qid", v)
#define L_ERRNO		L_Z("error", strerror(errno))

#ifdef __cppcheck__		/* it cannot read __VA_OPT__: make lint */
#define LOG_FIELDS(...) (const struct log_field[16]){ __VA_ARGS__ }
#else
#define LOG_FIELDS(...) \
	(const struct log_field[]){ __VA_ARGS__ __VA_OPT__(,) { LOGF_END, \
	NULL, { NULL, 0 }, 0 } }
#endif

#define log_error(ev, ...) \
	log_event(LOG_ERROR, ev, LOG_FIELDS(__VA_ARGS__))
#define log_warn(ev, ...) \
	log_event(LOG_WARN, ev, LOG_FIELDS(__VA_ARGS__))
#define log_info(ev, ...) \
	log_event(LOG_INFO, ev, LOG_FIELDS(__VA_ARGS__))
#define log_debug(ev, ...) \
	log_event(LOG_DEBUG, ev, LOG_FIELDS(__VA_ARGS__))

/*
 * For what strangers bring about at will, as often as they like: of each such
 * event LOG_OFTEN_BURST lines at once and LOG_OFTEN_RATE a second.  The rest
 * is counted, and the count is logged.  The event is a literal.
 */
#define log_often(level, ev, ...) \
	log_event_often(level, ev, LOG_FIELDS(__VA_ARGS__))

enum {
	LOG_LINE_MAX = 2048,		/* bytes; a longer line is cut */
	LOG_TEXT_MAX = 512,		/* bytes of one foreign text */
	LOG_BUFFER_MAX = 256 * 1024,	/* bytes that wait for the reader */
	LOG_OFTEN_BURST = 1000,		/* lines */
	LOG_OFTEN_RATE = 50,		/* a second */
	LOG_OFTEN_TELL_MS = 10 * 1000,	/* from one count to the next */
	LOG_OFTEN_EVENTS = 16		/* kinds of them in one program */
};

/* `name` is the daemon's, borrowed for ever.  Standard error until then. */
void	log_init(const char *name);
void	log_level(enum log_level);
/* Where lines go; a test gives its own descriptor.  Default 2. */
void	log_to(int fd);
/*
 * Opens the pipe or terminal that the lines go to once more, under the same
 * number: shared with nobody, so that it can be made non-blocking.  What
 * cannot be opened (a socket, the pipe of another user) stays as it is.
 */
void	log_own(void);

void	log_event(enum log_level, const char *event, const struct log_field *);
void	log_event_often(enum log_level, const char *event,
	    const struct log_field *);
void	log_flush(void);
/* Lines or counts are left: flush again, though nothing happens. */
bool	log_is_behind(void);

/* The one escaping function: quotes, and \xNN for what is not printable. */
void	log_escape(struct buf *, struct str);

/*
 * The environment is not as it must be: logs the text with the text of errno
 * if that is set, and exits with 1.
 */
_Noreturn void	fatal(const char *fmt, ...)
		    __attribute__((format(printf, 1, 2)));
/* The same without errno. */
_Noreturn void	fatalx(const char *fmt, ...)
		    __attribute__((format(printf, 1, 2)));

#endif
