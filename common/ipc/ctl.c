/*
 * ctl - see ctl.h.  Decides nothing about what a verb means.
 */
#include "common/ipc/ctl.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "common/core/conf.h"
#include "common/core/log.h"

enum {
	COLUMNS_MAX = 32,
	TEXT_MAX = 512,
	ROW_MAX = 60000			/* a row fits a packet */
};

static const struct ctl_info infos[] = {
#define CTL(VERB, no, words, daemon, least, most, args) \
	{ CTL_##VERB, words, #daemon, least, most, args, CTL_EXTRA_NONE },
#include "common/ipc/ctl.def"
};

enum { INFOS = sizeof(infos) / sizeof(infos[0]) };

static enum ctl_extra
extra_of(const struct ctl_info *in)
{
	struct str words = str_c(in->words);
	struct str last = str_from(words, (size_t)(str_rchr(words, ' ') + 1));

	if (in->verb == CTL_USER_ADD || in->verb == CTL_USER_PASSWD)
		return CTL_EXTRA_PASSWORD;
	if (str_eq(last, S("list")) || str_eq(last, S("scrub")))
		return CTL_EXTRA_CURSOR;
	return CTL_EXTRA_NONE;
}

const struct ctl_info *
ctl_info_at(size_t i)
{
	static struct ctl_info all[INFOS];

	if (i >= INFOS)
		return NULL;
	all[i] = infos[i];
	all[i].extra = extra_of(&infos[i]);
	return &all[i];
}

const struct ctl_info *
ctl_info(unsigned verb)
{
	size_t i;

	for (i = 0; i < INFOS; i++) {
		if ((unsigned)infos[i].verb == verb)
			return ctl_info_at(i);
	}
	return NULL;
}

bool
ctl_is_operator(uid_t uid)
{
	struct str	rest = str_c(conf_text(C_OPERATORS)), piece;
	uint64_t	n;

	if (uid == 0)
		return true;
	/* Never -1, which says that a channel could not find out. */
	while (str_cut(&rest, ' ', &piece)) {
		if (str_u64(piece, UINT32_MAX - 1, &n) == 0 && n == uid)
			return true;
	}
	return false;
}

bool
ctl_allowed(uid_t uid)
{
	/* Ours, as it was at exec: no system call for the sandbox to refuse. */
	return ctl_is_operator(uid) || uid == (uid_t)getauxval(AT_UID);
}

/* -- the call --------------------------------------------------------- */

static bool
take_words(struct ctl_call *call, struct msg_list words)
{
	struct rec_word w;

	call->n = 0;
	while (rec_next_word(&words, &w)) {
		if (call->n == CTL_WORDS_MAX)
			return false;
		call->word[call->n++] = w.word;
	}
	return true;
}

/* Lists are too many to log; what changes something is an event. */
static void
log_call(const struct ctl_call *call, const struct ctl_info *in)
{
	struct str about = call->n > 0 ? call->word[0] : S("");

	if (in->extra == CTL_EXTRA_CURSOR)
		return;
	log_info("control", L_Z("verb", in->words), L_STR("about", about),
	    L_NUM("uid", chan_uid(call->chan)));
}

void
ctl_dispatch(struct chan *c, const struct msg_ctl *m, const char *daemon,
    const struct ctl_handler *table, size_t n, void *arg)
{
	struct ctl_call		 call = { .chan = c, .id = m->id };
	const struct ctl_info	*in = ctl_info(m->verb);
	unsigned		 more;
	size_t			 i;

	if (in == NULL || strcmp(in->daemon, daemon) != 0) {
		ctl_done(&call, CTL_USAGE, "%s does not know this command",
		    daemon);
		return;
	}
	call.verb = in->verb;
	more = in->extra == CTL_EXTRA_NONE ? 0 : 1;
	if (!take_words(&call, m->words) || call.n < in->least + more ||
	    call.n > in->most + more) {
		ctl_done(&call, CTL_USAGE, "usage: %s %s", in->words,
		    in->args);
		return;
	}
	for (i = 0; i < n; i++) {
		if (table[i].verb != in->verb)
			continue;
		log_call(&call, in);
		table[i].fn(&call, arg);
		return;
	}
	ctl_done(&call, CTL_USAGE, "%s does not know this command", daemon);
}

/* -- the answer ------------------------------------------------------- */

void
ctl_row_init(struct ctl_row *r)
{
	buf_init(&r->b, ROW_MAX);
	r->n = 0;
}

static void
add_column(struct ctl_row *r, const char *key, struct str value,
    enum column_kind kind)
{
	struct rec_column col = {
		.key = str_c(key),
		.value = str_sub(value, 0, CTL_COLUMN_MAX),
		.kind = (uint8_t)kind,
	};

	assert(r->n < COLUMNS_MAX);
	/* Text has no NUL; foreign bytes that do end there. */
	if (str_chr(col.value, '\0') != -1)
		col.value.n = (size_t)str_chr(col.value, '\0');
	rec_add_column(&r->b, &r->n, &col);
}

void
ctl_text(struct ctl_row *r, const char *key, struct str value)
{
	add_column(r, key, value, COLUMN_TEXT);
}

void
ctl_list(struct ctl_row *r, const char *key, struct str values)
{
	add_column(r, key, values, COLUMN_LIST);
}

void
ctl_num(struct ctl_row *r, const char *key, uint64_t v)
{
	struct buf b;

	buf_init(&b, 32);
	buf_addu(&b, v);
	add_column(r, key, buf_str(&b), COLUMN_NUMBER);
	buf_clear(&b);
}

void
ctl_row_send(struct ctl_row *r, const struct ctl_call *call)
{
	assert(buf_ok(&r->b));
	chan_send_ctl_row(call->chan, &(struct msg_ctl_row){
		.id = call->id,
		.columns = msg_list_of(&r->b, r->n),
	}, -1);
	buf_clear(&r->b);
	r->n = 0;
}

static void	done(const struct ctl_call *, enum ctl_status, struct str next,
		    const char *, va_list)
		    __attribute__((format(printf, 4, 0)));

static void
done(const struct ctl_call *call, enum ctl_status status, struct str next,
    const char *fmt, va_list ap)
{
	char text[TEXT_MAX + 1];

	vsnprintf(text, sizeof(text), fmt, ap);
	chan_send_ctl_done(call->chan, &(struct msg_ctl_done){
		.id = call->id,
		.status = (uint8_t)status,
		.text = str_c(text),
		.next = next,
	}, -1);
}

void
ctl_done(const struct ctl_call *call, enum ctl_status status, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	done(call, status, S(""), fmt, ap);
	va_end(ap);
}

void
ctl_done_next(const struct ctl_call *call, struct str next)
{
	ctl_done_more(call, next, "%s", "");
}

void
ctl_done_more(const struct ctl_call *call, struct str next, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	done(call, CTL_OK, next, fmt, ap);
	va_end(ap);
}
