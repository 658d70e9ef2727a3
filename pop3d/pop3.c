/*
 * pop3 - see pop3.h.  Pure.
 */
#include "pop3d/pop3.h"

#include <assert.h>
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "pop3d/command.h"

enum {
	PIECE = 16 * 1024,	/* octets read from the store at a time */
	/* Soft limit, one piece with every octet doubled, one reply. */
	OUT_MAX = POP3_OUT_SOFT + 3 * PIECE
};

struct item {
	uint32_t	uid, size;
	bool		deleted;
	bool		fetched;	/* its text was sent */
};

/* The answer that is under way. */
enum job {
	JOB_NONE,
	JOB_LIST,
	JOB_UIDL,
	JOB_TEXT
};

/* Where in the text of a message the answer is. */
struct text {
	struct item	*item;
	struct store_body *body;
	uint32_t	 at;		/* octets read so far */
	uint32_t	 lines;		/* of the body, still wanted (TOP) */
	bool		 top, header;
	bool		 fresh;		/* at the start of a line */
	bool		 blank;		/* nothing but CR in this line yet */
	bool		 cr;		/* the last octet was one */
	bool		 end;
};

struct pop3 {
	const struct store	*store;
	struct store_folder	*inbox;
	struct item		*items;
	size_t			 n;
	enum job		 job;
	size_t			 next;	/* item, for LIST and UIDL */
	struct text		 text;
	struct buf		 out, piece;
	bool			 skip;	/* inside a line that is too long */
	bool			 done;
};

static void
ok(struct pop3 *s, const char *text)
{
	buf_addf(&s->out, "+OK %s\r\n", text);
}

static void
err(struct pop3 *s, const char *text)
{
	buf_addf(&s->out, "-ERR %s\r\n", text);
}

/* -- the session ------------------------------------------------------ */

struct pop3 *
pop3_new(const struct store *store)
{
	struct pop3	*s = xcalloc(1, sizeof(*s));
	size_t		 i;

	s->store = store;
	if (store->ops->open(store->impl, S("INBOX"), &s->inbox) != STORE_OK) {
		free(s);
		return NULL;
	}
	s->n = s->inbox->n;
	s->items = xcalloc(s->n + 1, sizeof(s->items[0]));
	for (i = 0; i < s->n; i++) {
		s->items[i].uid = s->inbox->msgs[i].uid;
		s->items[i].size = s->inbox->msgs[i].size;
	}
	buf_init(&s->out, OUT_MAX);
	buf_init(&s->piece, PIECE);
	return s;
}

/* Whatever answer is under way ends here. */
static void
stop_job(struct pop3 *s)
{
	if (s->job == JOB_TEXT)
		s->store->ops->body_close(s->store->impl, s->text.body);
	s->job = JOB_NONE;
}

void
pop3_free(struct pop3 *s)
{
	if (s == NULL)
		return;
	stop_job(s);
	s->store->ops->close(s->store->impl, s->inbox);
	buf_clear(&s->out);
	buf_clear(&s->piece);
	free(s->items);
	free(s);
}

struct buf *
pop3_out(struct pop3 *s)
{
	return &s->out;
}

bool
pop3_done(const struct pop3 *s)
{
	return s->done;
}

void
pop3_timeout(struct pop3 *s)
{
	stop_job(s);
	s->done = true;
}

/* -- arguments -------------------------------------------------------- */

/* A message number that this session has; NULL, with -ERR given, if not. */
static struct item *
parse_item(struct pop3 *s, struct str arg)
{
	uint64_t no;

	if (str_u64(arg, UINT32_MAX, &no) == -1 || no == 0 || no > s->n) {
		err(s, "no such message");
		return NULL;
	}
	if (s->items[no - 1].deleted) {
		err(s, "message is deleted");
		return NULL;
	}
	return &s->items[no - 1];
}

static size_t
item_no(const struct pop3 *s, const struct item *it)
{
	return (size_t)(it - s->items) + 1;
}

static void
add_list(struct pop3 *s, const struct item *it)
{
	buf_addf(&s->out, "%zu %u\r\n", item_no(s, it), it->size);
}

static void
add_uidl(struct pop3 *s, const struct item *it)
{
	buf_addf(&s->out, "%zu %u.%u\r\n", item_no(s, it),
	    s->inbox->uidvalidity, it->uid);
}

/* -- the text of a message -------------------------------------------- */

/*
 * Some octets of one line, `ends` if its LF is the last of them.  A line that
 * ends in LF alone (IMAP's APPEND may bring such) gets its CR here, so that
 * no reader sees an end of the answer where there is none.
 */
static void
add_line(struct pop3 *s, struct str part, bool ends)
{
	struct text	*t = &s->text;
	size_t		 n = ends ? part.n - 1 : part.n;

	if (t->fresh && part.p[0] == '.')
		buf_addc(&s->out, '.');
	buf_add(&s->out, str_sub(part, 0, n));
	if (n > 1 || (n == 1 && (part.p[0] != '\r' || !t->fresh)))
		t->blank = false;
	if (n > 0)
		t->cr = part.p[n - 1] == '\r';
	t->fresh = false;
	if (!ends)
		return;
	buf_add(&s->out, t->cr ? S("\n") : S("\r\n"));
	if (!t->header && t->top)
		t->lines--;
	if (t->header && t->blank)
		t->header = false;
	t->fresh = t->blank = true;
	t->cr = false;
	t->end = t->top && !t->header && t->lines == 0;
}

static void
add_text(struct pop3 *s, struct str in)
{
	ptrdiff_t lf;

	while (in.n > 0 && !s->text.end) {
		lf = str_chr(in, '\n');
		if (lf == -1) {
			add_line(s, in, false);
			return;
		}
		add_line(s, str_sub(in, 0, (size_t)lf + 1), true);
		in = str_from(in, (size_t)lf + 1);
	}
}

static enum store_result
read_piece(struct pop3 *s)
{
	struct text		*t = &s->text;
	enum store_result	 r;

	buf_reset(&s->piece);
	r = s->store->ops->body_read(s->store->impl, t->body, t->at, PIECE,
	    &s->piece);
	t->at += (uint32_t)s->piece.n;
	if (r == STORE_OK && s->piece.n == 0 && t->at < t->item->size)
		return STORE_ERROR;
	return r;
}

static void
step_text(struct pop3 *s)
{
	struct text *t = &s->text;

	add_text(s, buf_str(&s->piece));
	if (t->at >= t->item->size)
		t->end = true;
	if (t->end) {
		if (!t->fresh)
			buf_add(&s->out, S("\r\n"));
		buf_add(&s->out, S(".\r\n"));
		stop_job(s);
		return;
	}
	/*
	 * Its +OK is gone and no error can be told any more: only closing
	 * without the last line keeps a half message from being a whole one.
	 */
	if (read_piece(s) != STORE_OK) {
		stop_job(s);
		s->done = true;
	}
}

/* Opens the octets and reads the first of them. */
static enum store_result
open_text(struct pop3 *s)
{
	enum store_result r;

	r = s->store->ops->body_open(s->store->impl, s->inbox,
	    s->text.item->uid, &s->text.body);
	if (r != STORE_OK)
		return r;
	s->job = JOB_TEXT;
	r = read_piece(s);
	if (r != STORE_OK)
		stop_job(s);
	return r;
}

static void
start_text(struct pop3 *s, struct item *it, bool top, uint32_t lines)
{
	s->text = (struct text){ .item = it, .lines = lines, .top = top,
	    .header = true, .fresh = true, .blank = true };
	switch (open_text(s)) {
	case STORE_OK:
		break;
	case STORE_NO_SUCH:
		err(s, "message is gone");
		return;
	case STORE_EXISTS:
	case STORE_BAD_NAME:
	case STORE_LIMIT:
	case STORE_FORBIDDEN:
	case STORE_FULL:
	case STORE_QUOTA:
	case STORE_ERROR:
		err(s, "[SYS/TEMP] message cannot be read");
		return;
	}
	if (top)
		buf_add(&s->out, S("+OK\r\n"));
	else
		buf_addf(&s->out, "+OK %u octets\r\n", it->size);
	it->fetched = it->fetched || !top;
}

/* -- commands --------------------------------------------------------- */

static void
do_stat(struct pop3 *s, struct str arg)
{
	uint64_t size = 0;
	size_t	 i, n = 0;

	(void)arg;
	for (i = 0; i < s->n; i++) {
		if (s->items[i].deleted)
			continue;
		n++;
		size += s->items[i].size;
	}
	buf_addf(&s->out, "+OK %zu %llu\r\n", n, (unsigned long long)size);
}

/* LIST and UIDL: one line, or one for each message that is left. */
static void
list(struct pop3 *s, struct str arg, enum job job)
{
	const struct item *it;

	if (arg.p == NULL) {
		buf_add(&s->out, S("+OK\r\n"));
		s->job = job;
		s->next = 0;
		return;
	}
	it = parse_item(s, arg);
	if (it == NULL)
		return;
	buf_add(&s->out, S("+OK "));
	if (job == JOB_LIST)
		add_list(s, it);
	else
		add_uidl(s, it);
}

static void
do_list(struct pop3 *s, struct str arg)
{
	list(s, arg, JOB_LIST);
}

static void
do_uidl(struct pop3 *s, struct str arg)
{
	list(s, arg, JOB_UIDL);
}

static void
do_retr(struct pop3 *s, struct str arg)
{
	struct item *it = parse_item(s, arg);

	if (it != NULL)
		start_text(s, it, false, 0);
}

static void
do_top(struct pop3 *s, struct str arg)
{
	struct item	*it;
	struct str	 no;
	uint64_t	 lines;

	if (!str_cut(&arg, ' ', &no) || arg.p == NULL ||
	    str_u64(arg, UINT32_MAX, &lines) == -1) {
		err(s, "TOP wants a message and a number of lines");
		return;
	}
	it = parse_item(s, no);
	if (it != NULL)
		start_text(s, it, true, (uint32_t)lines);
}

static void
do_dele(struct pop3 *s, struct str arg)
{
	struct item *it = parse_item(s, arg);

	if (it == NULL)
		return;
	it->deleted = true;
	ok(s, "marked");
}

static void
do_rset(struct pop3 *s, struct str arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < s->n; i++)
		s->items[i].deleted = false;
	ok(s, "nothing is marked");
}

static void
do_noop(struct pop3 *s, struct str arg)
{
	(void)arg;
	ok(s, "done");
}

static void
do_capa(struct pop3 *s, struct str arg)
{
	(void)arg;
	/* The same as before login, where a password was taken. */
	pop3_capa(&s->out, true);
}

/* -- UPDATE ----------------------------------------------------------- */

static bool
is_there(const struct pop3 *s, uint32_t uid)
{
	size_t at = store_place(s->inbox->msgs, s->inbox->n, uid);

	return at < s->inbox->n && s->inbox->msgs[at].uid == uid;
}

/* Those that the client marked, or those it only read; ascending. */
static size_t
gather(const struct pop3 *s, bool deleted, uint32_t *uids)
{
	const struct item	*it;
	size_t			 n = 0;

	for (it = s->items; it < s->items + s->n; it++) {
		if (it->deleted != deleted || (!deleted && !it->fetched))
			continue;
		if (is_there(s, it->uid))
			uids[n++] = it->uid;
	}
	return n;
}

static void
do_quit(struct pop3 *s, struct str arg)
{
	const struct store_ops	*ops = s->store->ops;
	uint32_t		*uids = xcalloc(s->n + 1, sizeof(*uids));
	enum store_result	 r = STORE_OK;
	size_t			 n;

	(void)arg;
	n = gather(s, true, uids);
	if (n > 0)
		r = ops->expunge(s->store->impl, s->inbox, uids, n);
	/* A courtesy to IMAP clients: no answer depends on it. */
	n = gather(s, false, uids);
	if (n > 0)
		(void)ops->flags(s->store->impl, s->inbox, uids, n, STORE_ADD,
		    STORE_SEEN, 0);
	free(uids);
	if (r == STORE_OK)
		ok(s, "bye");
	else
		err(s, "[SYS/TEMP] the marked messages were not deleted");
	s->done = true;
}

/* -- input and output ------------------------------------------------- */

static const struct verb {
	struct str	name;
	unsigned	least, most;	/* arguments */
	void		(*fn)(struct pop3 *, struct str arg);
} verbs[] = {
	{ STR_INIT("STAT"), 0, 0, do_stat },
	{ STR_INIT("LIST"), 0, 1, do_list },
	{ STR_INIT("RETR"), 1, 1, do_retr },
	{ STR_INIT("DELE"), 1, 1, do_dele },
	{ STR_INIT("NOOP"), 0, 0, do_noop },
	{ STR_INIT("RSET"), 0, 0, do_rset },
	{ STR_INIT("QUIT"), 0, 0, do_quit },
	{ STR_INIT("TOP"), 2, 2, do_top },
	{ STR_INIT("UIDL"), 0, 1, do_uidl },
	{ STR_INIT("CAPA"), 0, 0, do_capa },
};

static unsigned
count_words(struct str s)
{
	struct str	word;
	unsigned	n = 0;

	while (str_cut(&s, ' ', &word))
		n++;
	return n;
}

static void
run(struct pop3 *s, const struct pop3_command *c)
{
	const struct verb	*v;
	unsigned		 n = count_words(c->arg);
	size_t			 i;

	/* Some clients write "LIST " for LIST. */
	if (c->arg.n == 0)
		n = 0;
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		v = &verbs[i];
		if (!str_ieq(c->verb, v->name))
			continue;
		if (n < v->least || n > v->most)
			err(s, "wrong number of arguments");
		else
			v->fn(s, n == 0 ? (struct str){ NULL, 0 } : c->arg);
		return;
	}
	err(s, "unknown command");
}

static void
step_list(struct pop3 *s)
{
	const struct item *it = &s->items[s->next];

	if (s->next == s->n) {
		buf_add(&s->out, S(".\r\n"));
		s->job = JOB_NONE;
		return;
	}
	s->next++;
	if (it->deleted)
		return;
	if (s->job == JOB_LIST)
		add_list(s, it);
	else
		add_uidl(s, it);
}

bool
pop3_step(struct pop3 *s)
{
	while (s->job != JOB_NONE && s->out.n < POP3_OUT_SOFT) {
		switch (s->job) {
		case JOB_NONE:
			break;
		case JOB_LIST:
		case JOB_UIDL:
			step_list(s);
			break;
		case JOB_TEXT:
			step_text(s);
			break;
		}
	}
	assert(buf_ok(&s->out));
	return s->job != JOB_NONE;
}

size_t
pop3_feed(struct pop3 *s, struct str in)
{
	struct pop3_command	c;
	enum pop3_cut		r;
	size_t			total = 0, used;

	while (!pop3_step(s) && !s->done && s->out.n < POP3_OUT_SOFT) {
		r = pop3_cut(str_from(in, total), POP3_LINE_MAX, &s->skip, &c,
		    &used);
		total += used;
		if (r == POP3_MORE)
			break;
		if (r == POP3_GOT)
			run(s, &c);
		else
			err(s, "not a command line");
	}
	return total;
}
