/*
 * session - the inside of an IMAP session, for imap.c and the files of the
 * commands only.
 *
 * A command's start function reads its arguments and either answers (imap_ok,
 * imap_no, imap_bad) or sets `step`, which imap_step then calls until it has
 * answered.  A step does a piece of work, charges it to `work`, and returns.
 * The tagged answer leaves after the updates that are due by then.
 */
#ifndef IMAPD_SESSION_H
#define IMAPD_SESSION_H

#include "imapd/collect.h"
#include "imapd/imap.h"
#include "imapd/seqset.h"
#include "imapd/view.h"

struct append;
struct change;
struct fetch;
struct list;
struct search;

enum imap_state {
	IMAP_COLLECT,		/* a command is coming in */
	IMAP_STREAM,		/* a message is coming in */
	IMAP_RUN,		/* a command is at work */
	IMAP_FINISH,		/* its answer waits for updates */
	IMAP_IDLE,
	IMAP_DEAD
};

enum {
	CMD_SELECTED = 1,	/* a folder must be selected */
	CMD_WRITES = 2,		/* and not read-only */
	CMD_NO_EXPUNGE = 4,	/* none may be told now, RFC 3501 7.4.1 */
	CMD_UID = 8		/* may stand behind UID */
};

struct command {
	struct str	name;
	unsigned	flags;
	void		(*start)(struct imap *);
};

struct imap {
	const struct store	*store;
	uint32_t		 append_max;
	struct buf		 out;
	struct collect		 in;
	enum imap_state		 state;
	struct view		 view;		/* folder NULL: none selected */
	unsigned		 keywords_told;	/* of the folder's */
	size_t			 recent_told;
	unsigned		 errors;	/* BADs in a row */
	int64_t			 now;
	int64_t			 work;		/* left in this step */

	/* The command under way. */
	struct str		 tag;		/* empty: none to echo */
	char			 tag_bytes[PARSE_TAG_MAX];
	const struct command	*cmd;
	bool			 uid;		/* it stood behind UID */
	struct parse		 args;
	void			(*step)(struct imap *);
	struct buf		 reply;
	bool			 refused;	/* reply waits for its end */
	uint64_t		 dropped;	/* octets of refused literals */
	bool			 bye;		/* the session ends with it */
	struct buf		 name, name2;	/* of folders, UTF-8 */
	struct append		*append;
	struct change		*change;
	struct fetch		*fetch;
	struct list		*list;
	struct search		*search;
};

/* -- answers ------------------------------------------------------------ */

void	imap_ok(struct imap *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	imap_no(struct imap *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
void	imap_bad(struct imap *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* OK with this text, or NO with the code and text of the result. */
void	imap_result(struct imap *, enum store_result, const char *ok);
/* For APPEND and COPY: a missing folder could be made. */
void	imap_result_into(struct imap *, enum store_result, const char *ok);
/* BAD with what the parser found. */
void	imap_bad_args(struct imap *);
/* Ends the session at once. */
void	imap_die(struct imap *);

/* -- arguments; each answers for itself and gives -1 --------------------- */

/* SP astring: the name of a folder, as UTF-8. */
int	imap_arg_folder(struct imap *, struct buf *name);
int	imap_arg_end(struct imap *);
/* SP set; numbers or UIDs, by s->uid. */
int	imap_arg_set(struct imap *, struct seqset *);

/* -- the selected folder ------------------------------------------------- */

/* The first index from *at on that is in the set. */
bool	imap_next_in_set(const struct imap *, const struct seqset *,
	    bool uid, size_t *at);
/* "* n FETCH (UID u FLAGS (...))"; the client then knows. */
void	imap_tell_flags(struct imap *, size_t i, const struct store_msg *);
/* FLAGS and PERMANENTFLAGS when there are keywords not told yet. */
void	imap_tell_keywords(struct imap *);
void	imap_deselect(struct imap *);
/* What was changed is on the disk before this command's answer. */
void	imap_sync(struct imap *);
/* A piece of the updates; true when all are told. */
bool	imap_tell_updates(struct imap *, bool expunged);

/* -- writing ------------------------------------------------------------- */

void	imap_put_quoted(struct imap *, struct str);
/* Bare where that is allowed; the text is printable. */
void	imap_put_astring(struct imap *, struct str);
/* A folder's name, in modified UTF-7. */
void	imap_put_folder(struct imap *, struct str);

/* -- the groups of commands ---------------------------------------------- */

const struct command *command_find(struct str name);

void	cmd_capability(struct imap *);
void	cmd_getquota(struct imap *);
void	cmd_getquotaroot(struct imap *);
void	cmd_noop(struct imap *);
void	cmd_logout(struct imap *);
void	cmd_login(struct imap *);
void	cmd_id(struct imap *);
void	cmd_namespace(struct imap *);
void	cmd_idle(struct imap *);
void	idle_line(struct imap *);

void	cmd_create(struct imap *);
void	cmd_delete(struct imap *);
void	cmd_rename(struct imap *);
void	cmd_subscribe(struct imap *);
void	cmd_unsubscribe(struct imap *);
void	cmd_status(struct imap *);

void	cmd_list(struct imap *);
void	cmd_lsub(struct imap *);
void	list_free(struct list *);

void	cmd_select(struct imap *);
void	cmd_examine(struct imap *);
void	cmd_check(struct imap *);
void	cmd_close(struct imap *);
void	cmd_unselect(struct imap *);
void	cmd_expunge(struct imap *);

void	cmd_append(struct imap *);
/*
 * A literal was announced in an APPEND.  True when it is the message: then
 * all was decided; false when it is a word of the command.
 */
bool	append_literal(struct imap *);
/* Octets of the message; how many were taken. */
size_t	append_feed(struct imap *, struct str);
/* The line behind the message is there. */
void	append_finish(struct imap *);
/* It is with the store, which is not ready to end it. */
bool	append_waits(const struct imap *);
void	append_free(struct imap *);

void	cmd_store(struct imap *);
void	cmd_copy(struct imap *);
void	change_free(struct change *);

void	cmd_fetch(struct imap *);
void	fetch_free(struct imap *);

void	cmd_search(struct imap *);
void	search_free(struct imap *);

#endif
