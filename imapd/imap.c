/*
 * imap - see imap.h: the course of a session.  What the commands do is in the
 * cmd_ files, what they share in answer.c.  Pure.
 */
#include "imapd/imap.h"

#include <assert.h>
#include <stdlib.h>

#include "common/core/xalloc.h"
#include "imapd/session.h"

struct imap *
imap_new(const struct store *store, uint32_t append_max)
{
	struct imap *s = xcalloc(1, sizeof(*s));

	s->store = store;
	s->append_max = append_max;
	buf_init(&s->out, IMAP_OUT_MAX);
	buf_init(&s->reply, IMAP_OUT_MAX);
	buf_init(&s->name, 2 * STORE_NAME_MAX);
	buf_init(&s->name2, 2 * STORE_NAME_MAX);
	collect_init(&s->in);
	return s;
}

/* Forgets all that belonged to the last command. */
static void
command_clear(struct imap *s)
{
	append_free(s);
	change_free(s->change);
	fetch_free(s);
	list_free(s->list);
	search_free(s);
	s->change = NULL;
	s->list = NULL;
	buf_clear(&s->reply);
	s->tag = (struct str){ NULL, 0 };
	s->cmd = NULL;
	s->step = NULL;
	s->uid = false;
	s->refused = false;
	s->dropped = 0;
	collect_next(&s->in);
}

void
imap_free(struct imap *s)
{
	if (s == NULL)
		return;
	command_clear(s);
	view_close(&s->view, s->store);
	collect_clear(&s->in);
	buf_clear(&s->out);
	buf_clear(&s->name);
	buf_clear(&s->name2);
	free(s);
}

struct buf *
imap_out(struct imap *s)
{
	return &s->out;
}

void
imap_die(struct imap *s)
{
	command_clear(s);
	view_close(&s->view, s->store);
	s->state = IMAP_DEAD;
}

void
imap_bye(struct imap *s, const char *text)
{
	if (s->state == IMAP_DEAD)
		return;
	/* In the middle of a response a BYE would be taken for its bytes. */
	if (s->state != IMAP_RUN)
		buf_addf(&s->out, "* BYE %s\r\n", text);
	imap_die(s);
}

void
imap_timeout(struct imap *s)
{
	imap_bye(s, "silent for too long");
}

/* -- input --------------------------------------------------------------- */

size_t
imap_feed(struct imap *s, struct str bytes)
{
	switch (s->state) {
	case IMAP_COLLECT:
	case IMAP_IDLE:
		return collect_feed(&s->in, bytes);
	case IMAP_STREAM:
		return append_feed(s, bytes);
	case IMAP_RUN:
	case IMAP_FINISH:
		return 0;
	case IMAP_DEAD:
		break;
	}
	return bytes.n;
}

enum imap_want
imap_wants(const struct imap *s)
{
	if (s->state == IMAP_DEAD)
		return IMAP_WANT_END;
	if (s->out.n >= IMAP_OUT_SOFT)
		return IMAP_WANT_ROOM;
	switch (s->state) {
	case IMAP_COLLECT:
		return s->in.event == COLLECT_MORE ? IMAP_WANT_INPUT :
		    IMAP_WANT_STEP;
	case IMAP_IDLE:
		return s->in.event == COLLECT_MORE && !imap_changed(s) ?
		    IMAP_WANT_INPUT : IMAP_WANT_STEP;
	case IMAP_STREAM:
		return IMAP_WANT_INPUT;
	case IMAP_RUN:
		return append_waits(s) ? IMAP_WANT_STORE : IMAP_WANT_STEP;
	case IMAP_FINISH:
	case IMAP_DEAD:
		break;
	}
	return IMAP_WANT_STEP;
}

bool
imap_changed(const struct imap *s)
{
	if (s->state == IMAP_RUN && s->append != NULL)
		return !append_waits(s);
	return s->state == IMAP_IDLE && view_is_stale(&s->view, true);
}

/* -- commands ------------------------------------------------------------ */

/* Tag and name; s->args stands behind them.  -1 when it has answered. */
static int
read_name(struct imap *s)
{
	struct parse	*p = &s->args;
	struct str	 tag, name;
	size_t		 i;

	*p = collect_command(&s->in);
	if (parse_tag(p, &tag) == -1) {
		imap_bad_args(s);
		return -1;
	}
	for (i = 0; i < tag.n; i++)
		s->tag_bytes[i] = tag.p[i];
	s->tag = str_of(s->tag_bytes, tag.n);
	if (parse_sp(p) == -1 || parse_word(p, &name) == -1) {
		imap_bad(s, "a tag and a command are needed");
		return -1;
	}
	if (str_ieq(name, S("UID"))) {
		s->uid = true;
		if (parse_sp(p) == -1 || parse_word(p, &name) == -1) {
			imap_bad_args(s);
			return -1;
		}
	}
	s->cmd = command_find(name);
	if (s->cmd == NULL || (s->uid && !(s->cmd->flags & CMD_UID))) {
		imap_bad(s, "no such command");
		return -1;
	}
	return 0;
}

static void
run(struct imap *s)
{
	s->state = IMAP_RUN;
	if (read_name(s) == -1)
		return;
	if ((s->cmd->flags & CMD_SELECTED) && s->view.folder == NULL) {
		imap_bad(s, "no folder is selected");
		return;
	}
	if ((s->cmd->flags & CMD_WRITES) && s->view.readonly) {
		imap_no(s, "[READ-ONLY] the folder was opened by EXAMINE");
		return;
	}
	s->cmd->start(s);
	assert(s->state != IMAP_RUN || s->step != NULL);
}

/* The command has its answer, but literals may still be on their way. */
static void
refuse(struct imap *s)
{
	const struct literal *l = &s->in.literal;

	if (l->sync)
		return;
	/* Without being asked the client sends it all; within reason. */
	if (l->n > s->append_max || s->dropped + l->n > s->append_max) {
		s->state = IMAP_COLLECT;
		imap_bye(s, "[TOOBIG] literal too large");
		return;
	}
	s->dropped += l->n;
	s->refused = true;
	s->state = IMAP_COLLECT;
	collect_drop(&s->in);
}

static void
on_literal(struct imap *s)
{
	if (s->refused) {
		s->state = IMAP_FINISH;
		refuse(s);
		return;
	}
	if (s->append != NULL) {
		imap_bad(s, "one message at a time");
		append_free(s);
		refuse(s);
		return;
	}
	if (s->cmd == NULL && read_name(s) == -1) {
		refuse(s);
		return;
	}
	if (s->cmd->start == cmd_append && append_literal(s)) {
		if (s->state == IMAP_FINISH)
			refuse(s);
		return;
	}
	if (collect_accept(&s->in) == -1) {
		if (!s->in.literal.sync) {
			imap_bye(s, "[TOOBIG] literal too large");
			return;
		}
		imap_bad(s, "[TOOBIG] literal too large");
		return;
	}
	if (s->in.literal.sync)
		buf_add(&s->out, S("+ go on\r\n"));
}

static void
on_input(struct imap *s)
{
	switch (s->in.event) {
	case COLLECT_MORE:
		break;
	case COLLECT_COMMAND:
		if (s->state == IMAP_IDLE)
			idle_line(s);
		else if (s->refused)
			s->state = IMAP_FINISH;
		else if (s->append != NULL)
			append_finish(s);
		else
			run(s);
		break;
	case COLLECT_LITERAL:
		if (s->state == IMAP_IDLE)
			idle_line(s);
		else
			on_literal(s);
		break;
	case COLLECT_TOO_LONG:
		imap_bye(s, "[TOOBIG] command line too long");
		break;
	}
}

static void
finish(struct imap *s)
{
	bool expunged = s->cmd == NULL || s->uid ||
	    !(s->cmd->flags & CMD_NO_EXPUNGE);

	if (!imap_tell_updates(s, expunged))
		return;
	buf_add(&s->out, s->tag.n > 0 ? s->tag : S("*"));
	buf_addc(&s->out, ' ');
	buf_add(&s->out, buf_str(&s->reply));
	buf_add(&s->out, S("\r\n"));
	if (s->bye) {
		imap_die(s);
		return;
	}
	s->state = IMAP_COLLECT;
	if (s->errors >= IMAP_ERRORS_MAX) {
		imap_bye(s, "too many errors");
		return;
	}
	command_clear(s);
}

void
imap_step(struct imap *s, int64_t now)
{
	s->now = now;
	s->work = IMAP_STEP_WORK;
	while (s->work > 0 && imap_wants(s) == IMAP_WANT_STEP) {
		switch (s->state) {
		case IMAP_COLLECT:
			on_input(s);
			break;
		case IMAP_IDLE:
			if (s->in.event != COLLECT_MORE)
				on_input(s);
			else
				imap_tell_updates(s, true);
			break;
		case IMAP_RUN:
			s->step(s);
			break;
		case IMAP_FINISH:
			finish(s);
			break;
		case IMAP_STREAM:
		case IMAP_DEAD:
			break;
		}
		s->work -= 64;
	}
	if (!buf_ok(&s->out) || !buf_ok(&s->reply))
		imap_die(s);
}
