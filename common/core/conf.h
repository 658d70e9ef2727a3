/*
 * conf - the settings of the suite.
 *
 * settings.def is the one table: name, type, default, range, which daemons
 * see it, and the text of the manual page.  mailctl reads and checks the
 * operator's text (conf_parse) and writes a slice for each daemon; a daemon
 * loads its slice from a descriptor (conf_load) and asks by number.  Asking
 * for a setting that is not in the slice is a bug (assert).
 */
#ifndef CORE_CONF_H
#define CORE_CONF_H

#include "common/core/buf.h"

/* Daemons as bits: who sees a setting. */
enum conf_who {
	W_SMTPD = 1,
	W_QUEUED = 2,
	W_ROUTE = 4,
	W_LOCAL = 8,
	W_IMAPD = 16,
	W_POP3D = 32,
	W_MAILBOXD = 64,	/* monitor, zygote and owners */
	W_AUTHD = 128,
	W_STARTER = 256,
	W_ALL = 511
};

enum conf_type {
	CONF_NUM,		/* decimal number */
	CONF_SIZE,		/* bytes: 512, 64K, 50M, 2G */
	CONF_TIME,		/* seconds: 30, 5m, 1h, 7d */
	CONF_BOOL,		/* yes, no */
	CONF_TEXT,		/* any printable text; range is its length */
	CONF_WORD,		/* one of a list, given instead of a range */
	CONF_ADDR,		/* address and port: 127.0.0.1:25, [::1]:25 */
	CONF_HOST		/* a domain name, RFC 1123 */
};

enum setting {
#define SET(NAME, name, type, def, lo, hi, words, who, text) C_##NAME,
#include "common/core/settings.def"
	C_COUNT
};

struct conf_info {
	const char	*name;
	enum conf_type	 type;
	const char	*def;
	uint64_t	 lo, hi;
	const char	*words;		/* CONF_WORD: "a b c" */
	unsigned	 who;
	const char	*text;
};

const struct conf_info	*conf_info(enum setting);

/*
 * Parses the operator's text: lines `name = value`, # comments, "quotes"
 * where the value has spaces.  Every mistake is appended to *errors as
 * "file:line: key: what is wrong; remedy\n"; those that do not fit *errors are
 * counted in its last line.  Returns how many there were.
 */
unsigned	 conf_parse(const char *file, struct str text,
		    struct buf *errors);
/* The settings that `who` may see, as text that conf_load reads. */
void		 conf_slice(unsigned who, struct buf *out);
/* Reads a slice and closes the descriptor; fatal if it is not one. */
void		 conf_load(int fd);
/* Defaults only; for tests and benchmarks. */
void		 conf_defaults(void);
/* For tests; fatal on a bad value. */
void		 conf_put(enum setting, const char *value);

uint64_t	 conf_num(enum setting);	/* NUM, SIZE, TIME (s), BOOL */
bool		 conf_is(enum setting);		/* BOOL */
const char	*conf_text(enum setting);	/* the others; "" if unset */

#endif
