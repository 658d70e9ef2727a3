/*
 * conf - see conf.h.  The table, the values, and where they come from.
 * Checking one value is in conf_value.c.
 */
#include "common/core/conf.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/conf_value.h"
#include "common/core/log.h"
#include "common/core/xalloc.h"

enum {
	TEXT_MAX = 1024 * 1024,		/* bytes of a configuration */
	NOTE_MAX = 64			/* of the last line of errors */
};

static const struct conf_info table[] = {
#define SET(NAME, name, type, def, lo, hi, words, who, text) \
	[C_##NAME] = { name, type, def, lo, hi, words, who, text },
#include "common/core/settings.def"
};

static struct {
	char		*text;		/* NULL: not in this process's slice */
	uint64_t	 num;
	unsigned	 line;		/* where it was set; 0 default */
} values[C_COUNT];

const struct conf_info *
conf_info(enum setting s)
{
	assert(s < C_COUNT);
	return &table[s];
}

static void
put(enum setting s, struct str text, uint64_t num, unsigned line)
{
	free(values[s].text);
	values[s].text = xstr(text);
	values[s].num = num;
	values[s].line = line;
}

static int
find(struct str name)
{
	size_t i;

	for (i = 0; i < C_COUNT; i++) {
		if (str_eq(name, str_c(table[i].name)))
			return (int)i;
	}
	return -1;
}

void
conf_defaults(void)
{
	const char	*why;
	uint64_t	 num;
	size_t		 i;

	for (i = 0; i < C_COUNT; i++) {
		why = conf_value(&table[i], str_c(table[i].def), &num);
		if (why != NULL)
			fatalx("default of %s: %s", table[i].name, why);
		put((enum setting)i, str_c(table[i].def), num, 0);
	}
}

void
conf_put(enum setting s, const char *value)
{
	const char	*why;
	uint64_t	 num;

	why = conf_value(conf_info(s), str_c(value), &num);
	if (why != NULL)
		fatalx("%s = %s: %s", table[s].name, value, why);
	put(s, str_c(value), num, 0);
}

/* -- the operator's text ------------------------------------------------- */

struct parse {
	const char	*file;
	unsigned	 line, mistakes;
	unsigned	 untold;	/* of them, for want of room */
	bool		 crlf;		/* that was told */
	struct buf	*errors;
};

static void
complain(struct parse *p, struct str key, const char *what,
    const char *remedy)
{
	struct buf b;

	p->mistakes++;
	buf_init(&b, 16 * 1024);
	buf_addf(&b, "%s:%u: ", p->file, p->line);
	if (key.n > 0) {
		log_escape(&b, key);
		buf_addz(&b, ": ");
	}
	buf_addf(&b, "%s; %s\n", what, remedy);
	if (p->untold > 0 || b.n + NOTE_MAX > buf_left(p->errors))
		p->untold++;
	else
		buf_add(p->errors, buf_str(&b));
	buf_clear(&b);
}

/* A setting whose name begins alike, to be named in a remedy; or NULL. */
static const char *
nearest(struct str name)
{
	const char	*best = NULL;
	size_t		 i, n, most = 2;

	for (i = 0; i < C_COUNT; i++) {
		for (n = 0; n < name.n && table[i].name[n] != '\0' &&
		    ascii_lower(name.p[n]) == table[i].name[n]; n++)
			continue;
		if (n > most) {
			most = n;
			best = table[i].name;
		}
	}
	return best;
}

static void
unknown(struct parse *p, struct str key)
{
	const char	*near = nearest(key);
	struct buf	 remedy;

	buf_init(&remedy, 512);
	if (near != NULL)
		buf_addf(&remedy, "did you mean %s? ", near);
	buf_addz(&remedy, "postern.conf(5) lists all settings");
	complain(p, key, "there is no such setting", buf_cstr(&remedy));
	buf_clear(&remedy);
}

/* The text behind "=": quotes taken off, a comment cut off. */
static int
take_value(struct parse *p, struct str key, struct str *v)
{
	ptrdiff_t end;

	*v = str_trim(*v);
	if (v->n > 0 && v->p[0] == '"') {
		end = str_chr(str_from(*v, 1), '"');
		if (end == -1) {
			complain(p, key, "the quote is not closed",
			    "end the value with \"");
			return -1;
		}
		if (str_trim(str_from(*v, (size_t)end + 2)).n > 0 &&
		    str_trim(str_from(*v, (size_t)end + 2)).p[0] != '#') {
			complain(p, key, "there is text behind the quotes",
			    "put the whole value inside them");
			return -1;
		}
		*v = str_sub(*v, 1, (size_t)end);
		return 0;
	}
	end = str_chr(*v, '#');
	if (end > 0 && v->p[end - 1] != ' ' && v->p[end - 1] != '\t') {
		complain(p, key, "a value with \"#\" needs quotes", "write "
		    "name = \"value\", or a blank before a comment");
		return -1;
	}
	if (end != -1)
		*v = str_trim(str_sub(*v, 0, (size_t)end));
	if (str_chr(*v, ' ') != -1 || str_chr(*v, '\t') != -1) {
		complain(p, key, "a value with blanks needs quotes",
		    "write name = \"value\"");
		return -1;
	}
	if (str_chr(*v, '"') != -1) {
		complain(p, key, "a quote inside the value",
		    "quotes stand around the whole value");
		return -1;
	}
	return 0;
}

static void
twice(struct parse *p, struct str key, unsigned line)
{
	struct buf remedy;

	buf_init(&remedy, 128);
	buf_addf(&remedy, "it was set on line %u; keep one of the two", line);
	complain(p, key, "set twice", buf_cstr(&remedy));
	buf_clear(&remedy);
}

static void
set(struct parse *p, struct str key, int i, struct str v)
{
	const char	*why;
	struct buf	 remedy;
	uint64_t	 num;

	if (values[i].line != 0) {
		twice(p, key, values[i].line);
		return;
	}
	values[i].line = p->line;
	if (take_value(p, key, &v) == -1)
		return;
	why = conf_value(&table[i], v, &num);
	if (why != NULL) {
		buf_init(&remedy, 512);
		conf_remedy(&table[i], &remedy);
		complain(p, key, why, buf_cstr(&remedy));
		buf_clear(&remedy);
		return;
	}
	put((enum setting)i, v, num, p->line);
}

static void
parse_line(struct parse *p, struct str line)
{
	struct str	key;
	ptrdiff_t	eq = str_chr(line, '=');
	int		i;

	key = str_trim(str_sub(line, 0, eq == -1 ? 0 : (size_t)eq));
	if (!str_is_utf8(line)) {
		complain(p, key, "not text in UTF-8",
		    "is this the right file, and saved as UTF-8?");
		return;
	}
	if (line.n > 0 && line.p[line.n - 1] == '\r') {
		line.n--;
		if (!p->crlf)
			complain(p, (struct str){ NULL, 0 },
			    "the line ends in CR LF",
			    "save the file with plain line ends");
		p->crlf = true;
	}
	line = str_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return;
	eq = str_chr(line, '=');
	if (eq == -1) {
		complain(p, line, "this line has no \"=\"",
		    "write name = value, or # for a comment");
		return;
	}
	i = find(key);
	if (i == -1)
		unknown(p, key);
	else
		set(p, key, i, str_from(line, (size_t)eq + 1));
}

/* What one setting alone cannot show: ranges that must be aligned. */
static void
check_range(struct parse *p, enum setting base, enum setting count)
{
	uint64_t	n = values[count].num;
	struct str	key = str_c(table[base].name);

	p->line = values[count].line;
	if ((n & (n - 1)) != 0) {
		complain(p, str_c(table[count].name), "not a power of two",
		    "take 65536, 131072 and so on");
		return;
	}
	if (values[base].line != 0)
		p->line = values[base].line;
	if (values[base].num % n != 0)
		complain(p, key, "not a multiple of the count of ids",
		    "take a multiple of it, so that a mask can check ids");
	else if (values[base].num + n > UINT32_MAX)
		complain(p, key, "the range reaches 4294967295",
		    "take a lower one: that number is no id");
}

/* The id of a daemon, which is its user and its group, is in no range. */
static void
check_outside(struct parse *p, enum setting id, enum setting base,
    enum setting count, const char *what, const char *remedy)
{
	uint64_t u = values[id].num;

	if (u < values[base].num ||
	    u - values[base].num >= values[count].num)
		return;
	p->line = values[id].line;
	if (p->line == 0)
		p->line = values[base].line;
	if (p->line == 0)
		p->line = values[count].line;
	complain(p, str_c(table[id].name), what, remedy);
}

static void
check_uids(struct parse *p)
{
	static const enum setting uids[] = { C_UID_SMTPD, C_UID_QUEUED,
	    C_UID_ROUTE, C_UID_LOCAL, C_UID_IMAPD, C_UID_POP3D,
	    C_UID_MAILBOXD, C_UID_ZYGOTE, C_UID_AUTHD };
	enum setting	at;
	size_t		i, j;

	for (i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
		for (j = 0; j < i; j++) {
			if (values[uids[j]].num != values[uids[i]].num)
				continue;
			/* The later line is told; a default has none. */
			at = values[uids[j]].line > values[uids[i]].line ?
			    uids[j] : uids[i];
			p->line = values[at].line;
			complain(p, str_c(table[at].name),
			    "another daemon has this user id",
			    "each daemon needs one of its own");
		}
		check_outside(p, uids[i], C_MAILBOX_UID_BASE,
		    C_MAILBOX_UID_COUNT, "lies in the range of mailboxes",
		    "take one outside of mailbox.uid_base");
		check_outside(p, uids[i], C_TENANT_GID_BASE,
		    C_TENANT_GID_COUNT, "lies in the range of tenants' groups",
		    "take one outside of tenant.gid_base");
	}
}

unsigned
conf_parse(const char *file, struct str text, struct buf *errors)
{
	struct parse	p = { .file = file, .errors = errors };
	struct str	line;
	size_t		i;

	conf_defaults();
	if (text.n > TEXT_MAX) {
		p.line = 1;
		complain(&p, (struct str){ NULL, 0 }, "the file is over 1 MiB",
		    "is it the right one?");
		return p.mistakes;
	}
	while (str_cut(&text, '\n', &line)) {
		p.line++;
		parse_line(&p, line);
	}
	check_range(&p, C_MAILBOX_UID_BASE, C_MAILBOX_UID_COUNT);
	check_range(&p, C_TENANT_GID_BASE, C_TENANT_GID_COUNT);
	check_uids(&p);
	if (p.untold > 0)
		buf_addf(errors, "%u more mistakes\n", p.untold);
	for (i = 0; i < C_COUNT; i++)
		values[i].line = 0;
	return p.mistakes;
}

/* -- slices --------------------------------------------------------------- */

void
conf_slice(unsigned who, struct buf *out)
{
	size_t i;

	for (i = 0; i < C_COUNT; i++) {
		if ((table[i].who & who) != 0)
			buf_addf(out, "%s=%s\n", table[i].name,
			    values[i].text);
	}
}

static void
load_line(struct str line)
{
	const char	*why;
	ptrdiff_t	 eq = str_chr(line, '=');
	uint64_t	 num;
	int		 i;

	if (line.n == 0)
		return;
	i = eq == -1 ? -1 : find(str_sub(line, 0, (size_t)eq));
	if (i == -1)
		fatalx("the slice of the configuration is not one of ours");
	line = str_from(line, (size_t)eq + 1);
	why = conf_value(&table[i], line, &num);
	if (why != NULL)
		fatalx("slice: %s: %s", table[i].name, why);
	put((enum setting)i, line, num, 0);
}

void
conf_load(int fd)
{
	struct buf	b;
	struct str	text, line;
	char		*room;
	ssize_t		 n;

	buf_init(&b, TEXT_MAX);
	for (;;) {
		room = buf_room(&b, 4096);
		if (room == NULL)
			fatalx("the slice of the configuration is too large");
		/* The descriptor may be shared: its offset is not ours. */
		n = pread(fd, room, 4096, (off_t)b.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			fatal("read the slice of the configuration");
		if (n == 0)
			break;
		buf_grow(&b, (size_t)n);
	}
	close(fd);
	text = buf_str(&b);
	while (str_cut(&text, '\n', &line))
		load_line(line);
	buf_clear(&b);
	if (values[C_LOG_LEVEL].text != NULL)
		log_level((enum log_level)conf_num(C_LOG_LEVEL));
}

uint64_t
conf_num(enum setting s)
{
	assert(s < C_COUNT && values[s].text != NULL);
	return values[s].num;
}

bool
conf_is(enum setting s)
{
	assert(table[s].type == CONF_BOOL);
	return conf_num(s) != 0;
}

const char *
conf_text(enum setting s)
{
	assert(s < C_COUNT && values[s].text != NULL);
	return values[s].text;
}
